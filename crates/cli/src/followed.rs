//! Logs that are being written, read on side by side, each on a thread of its own; what comes is taken in as it comes.

use crate::ahead::{Ahead, LOGS, PAUSE};
use crate::args::Evidence;
use crate::diagnose::Intake;
use crate::evidence::{in_words, read_bytes, unread};
use crate::follow::Follow;
use crate::screen::Screen;
use crate::{bulk, filter, output};
use std::ffi::OsString;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use why401_http::{Exchange, Fact, Moment, Statement};
use why401_read::{KeyLog, Sink};
use why401_report::{Problem, SourceReport};
use why401_span::{LayerId, SourceId};

/// So much is read ahead of whoever takes it in.
const WAITING: usize = 1024;

/// Reads the logs until an interrupt; what could be read of each comes back.
///
/// # Errors
/// Where one cannot be followed, or nothing of any could be used.
pub(crate) fn read_all(
    args: &Evidence,
    named: &[OsString],
    keys: &[Arc<KeyLog>],
    intake: &mut Intake,
) -> Result<Vec<SourceReport>, String> {
    let stop = bulk::Watch::interruptible().stop();
    let logs = named.iter().map(|name| open(name, &stop)).collect::<Result<Vec<_>, _>>()?;
    let mut screen = Screen::new(intake.live.clone());
    let filter = filter::of(&args.only);
    let mut wanted = filter::Wanted { to: intake, filter };
    let mut sources: Vec<SourceReport> =
        named.iter().map(|name| unread(shown(name), String::new())).collect();
    let mut failures = Vec::new();
    std::thread::scope(|scope| {
        let (give, come) = sync_channel(WAITING);
        for (number, log) in logs.into_iter().enumerate() {
            let mut give = Give(give.clone());
            scope.spawn(move || {
                let id = SourceId(u32::try_from(number).unwrap_or(u32::MAX));
                let mut nothing = || {};
                let mut log = Ahead::new(log, &mut nothing);
                // Words that nothing follows are over; other readers than those of logs do not ask.
                if args.input.as_deref().is_none_or(|name| LOGS.contains(&name)) {
                    log = log.telling_pauses();
                }
                let read = read_bytes(args, id, &mut log, keys, &mut give);
                give.give(Came::End(number, read));
            });
        }
        // When all threads have ended, nothing more comes.
        drop(give);
        take(&come, &mut wanted, &mut screen, |number, read, screen| {
            let Some(source) = sources.get_mut(number) else { return };
            let name = std::mem::take(&mut source.name);
            *source = match read {
                Ok(report) => SourceReport { name, ..report },
                Err(why) => {
                    let complaint = format!("{name}: {why}");
                    // The others are read on.
                    if !stop.load(Ordering::Relaxed) {
                        screen.clear();
                        output::complain(&complaint);
                    }
                    failures.push(complaint);
                    unread(name, why)
                }
            };
        });
    });
    if failures.len() == named.len() { Err(failures.join("\n")) } else { Ok(sources) }
}

fn shown(name: &OsString) -> String {
    name.to_string_lossy().into_owned()
}

fn open(name: &OsString, stop: &Arc<AtomicBool>) -> Result<Follow, String> {
    let (path, shown) = (Path::new(name), shown(name));
    if !path.is_file() {
        return Err(format!("{shown}: --follow takes log files; what is piped in is followed anyway"));
    }
    Follow::new(path, Arc::clone(stop)).map_err(|e| format!("{shown}: {}", in_words(&e)))
}

/// Takes in what comes, until nothing more does.
fn take(
    come: &Receiver<Came>,
    sink: &mut dyn Sink,
    screen: &mut Screen,
    mut end: impl FnMut(usize, Result<SourceReport, String>, &mut Screen),
) {
    loop {
        match come.recv_timeout(PAUSE) {
            Ok(Came::Exchange(exchange)) => sink.exchange(*exchange),
            Ok(Came::Passed(status, count, first, last)) => sink.passed(status, count, first, last),
            Ok(Came::Statement(statement)) => sink.statement(*statement),
            Ok(Came::Fact(fact)) => sink.fact(*fact),
            Ok(Came::End(number, read)) => end(number, read, screen),
            Err(RecvTimeoutError::Timeout) => {
                screen.pause();
                continue;
            }
            Err(RecvTimeoutError::Disconnected) => break,
        }
        screen.more();
    }
    screen.clear();
}

/// What comes from the threads.
enum Came {
    Exchange(Box<Exchange>),
    Passed(Option<u16>, u64, Option<Moment>, Option<Moment>),
    Statement(Box<Statement>),
    Fact(Box<Fact>),
    /// The log of this number was read to its end.
    End(usize, Result<SourceReport, String>),
}

/// Hands over what a thread reads. Problems and layers are in the account of its log.
struct Give(SyncSender<Came>);

impl Give {
    fn give(&self, came: Came) {
        // Whoever takes it in goes away last.
        let _ = self.0.send(came);
    }
}

impl Sink for Give {
    fn exchange(&mut self, exchange: Exchange) {
        self.give(Came::Exchange(Box::new(exchange)));
    }
    fn passed(&mut self, status: Option<u16>, count: u64, first: Option<Moment>, last: Option<Moment>) {
        self.give(Came::Passed(status, count, first, last));
    }
    fn statement(&mut self, statement: Statement) {
        self.give(Came::Statement(Box::new(statement)));
    }
    fn fact(&mut self, fact: Fact) {
        self.give(Came::Fact(Box::new(fact)));
    }
    fn problem(&mut self, _: Problem) {}
    fn layer(&mut self, _: String) -> LayerId {
        LayerId(0)
    }
}
