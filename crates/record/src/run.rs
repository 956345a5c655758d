//! The run: the recorder, the program, its signals and its end.

use crate::asked::Node;
use crate::attention::Attention;
use crate::authority::Authority;
use crate::environment::{Own, handed};
use crate::proxy::{self, Shared};
use crate::signals::Signals;
use crate::tape::{Note, Tape};
use jiff::Timestamp;
use std::cell::{OnceCell, RefCell};
use std::collections::HashMap;
use std::ffi::OsString;
use std::net::Ipv4Addr;
use std::process::ExitStatus;
use std::rc::Rc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::LocalSet;
use why401_probe::wire::{Identity, Proxies, Trust};
use why401_read::Sink;
use why401_span::SourceId;

/// What a run takes.
#[derive(Debug, Default)]
pub struct Options {
    /// The program and its arguments.
    pub command: Vec<OsString>,
    /// Whom the recorder trusts.
    pub trust: Trust,
    /// A client certificate that the recorder shows in the program's place.
    pub identity: Option<Identity>,
    /// The proxies of the environment, which the recorder goes through.
    pub proxies: Proxies,
    /// What the program would have had of its own.
    pub own: Own,
    /// Further variables for the program.
    pub variables: Vec<(OsString, OsString)>,
    /// Whether every exchange is wanted: otherwise, of very many, those that explain something, and the number of the others.
    pub whole: bool,
    /// Whether Ctrl-C reaches the program by the terminal already.
    pub at_terminal: bool,
}

/// How a run ended.
#[derive(Debug)]
pub struct Ended {
    /// The program's own status.
    pub status: ExitStatus,
    /// How many connections were recorded.
    pub connections: u64,
    /// How many bytes were recorded.
    pub bytes: u64,
    /// What did not work, and what explains it.
    pub notes: Vec<Note>,
}

/// How long what was said last may take to arrive after the program has ended, where a connection is still open.
const LATE: Duration = Duration::from_millis(150);
/// So often the sockets are asked once more, so that a connection that was opened last is noticed: it waits to be accepted
/// since before the program's own call came back.
const ONCE_MORE: usize = 4;

/// Runs the program to its end and hands what it says and hears to `sink`. Blocks.
///
/// # Errors
/// Where the program cannot be started, or this machine gives no sockets.
pub fn run(options: Options, source: SourceId, sink: Rc<RefCell<dyn Sink>>) -> Result<Ended, String> {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|e| e.to_string())?;
    let local = LocalSet::new();
    let ended = local.block_on(&runtime, go(options, source, sink));
    drop(local);
    runtime.shutdown_timeout(Duration::from_millis(100));
    ended
}

async fn go(options: Options, source: SourceId, sink: Rc<RefCell<dyn Sink>>) -> Result<Ended, String> {
    let now = Timestamp::now();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(|e| e.to_string())?;
    let port = listener.local_addr().map_err(|e| e.to_string())?.port();
    let node = Node::ask(&options.command);
    // Both take milliseconds: keys are made, and the machine's authorities are hundreds of files.
    let (made, machine) = std::thread::scope(|scope| {
        let making = scope.spawn(|| {
            let authority = Authority::new("why401 (this run only)", now)?;
            let nobody = Authority::new("a certificate that does not verify", now)?;
            Ok((authority, nobody, options.own.authorities()))
        });
        let machine = options.trust.machine();
        (making.join().unwrap_or_else(|_| Err("this machine makes no keys".to_owned())), machine)
    });
    let (authority, nobody, named) = made?;
    let given = handed(port, authority.certificate(), &machine, named, &options.own, node.takes_imports());
    let given = given.map_err(|e| e.to_string())?;
    let attention = Attention::default();
    let tape = Tape::new(source, sink, options.whole, attention.clone());
    let recorded = tape.clone();
    let awake = tokio::task::spawn_local(attention.keep(move || recorded.settle()));
    let shared = Rc::new(Shared {
        tape: tape.clone(),
        authority,
        nobody,
        trust: options.trust,
        machine,
        roots: OnceCell::new(),
        identity: options.identity,
        proxies: options.proxies,
        issued: RefCell::new(HashMap::new()),
        open: watch::Sender::new(0),
    });
    let mut open = shared.open.subscribe();
    let (program, arguments) = options.command.split_first().ok_or("name the program to run")?;
    let mut command = tokio::process::Command::new(program);
    command.args(arguments);
    given.remove.iter().for_each(|name| {
        command.env_remove(name);
    });
    command.envs(given.set.iter().map(|(name, value)| (name, value)));
    command.envs(options.variables);
    // Before there is a program: a signal that came in between would end this process and leave the program alone.
    let mut signals = Signals::listen()?;
    let mut child = command.spawn().map_err(|e| {
        let text = e.to_string();
        let why = text.split(" (os error").next().unwrap_or(&text).to_owned();
        format!("{}: {why}", program.to_string_lossy())
    })?;
    let server = tokio::task::spawn_local(proxy::serve(listener, shared));
    let status = signals.wait(&mut child, options.at_terminal).await?;
    for _ in 0..ONCE_MORE {
        tokio::task::yield_now().await;
    }
    let _ = tokio::time::timeout(LATE, open.wait_for(|open| *open == 0)).await;
    server.abort();
    awake.abort();
    let (connections, bytes, notes) = tape.finish();
    Ok(Ended { status, connections, bytes, notes })
}
