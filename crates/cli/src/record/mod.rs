//! `why401 run`: runs a program, records its own exchanges, diagnoses them. The program's exit status is this one's.

pub(crate) mod args;

use crate::args::Args;
use crate::diagnose;
use crate::evidence::in_words;
use crate::output::{self, complain};
use crate::probe::environment_proxies;
use crate::tally::Tally;
use args::Run;
use std::cell::RefCell;
use std::fs::File;
use std::io::{BufWriter, IsTerminal};
use std::path::Path;
use std::process::ExitStatus;
use std::rc::Rc;
use why401_http::{Exchange, Fact, Moment, Statement};
use why401_probe::wire::{Identity, Trust};
use why401_read::Sink;
use why401_record::environment::Own;
use why401_record::{Ended, Note, Options, har};
use why401_report::{Problem, SourceReport};
use why401_span::{LayerId, SourceId};

/// Runs, records and diagnoses; gives the exit status of the program.
///
/// # Errors
/// Where the program cannot be run, or a file cannot be read or written.
pub(crate) fn run(args: &Args, run: &Run) -> Result<u8, String> {
    let report = run.report.as_deref().map(create).transpose()?;
    let save = run.save.as_deref().map(private).transpose()?;
    let taken =
        Rc::new(RefCell::new(Taken { to: Tally::new(diagnose::Intake::default()), save, unsaved: None }));
    let sink: Rc<RefCell<dyn Sink>> = Rc::<RefCell<Taken>>::clone(&taken);
    let ended = why401_record::run(options(run)?, SourceId(0), sink)?;
    let Ok(taken) = Rc::try_unwrap(taken).map(RefCell::into_inner) else {
        return Err("the recording is still going on".to_owned());
    };
    let saved = taken.unsaved.map_or_else(|| taken.save.map_or(Ok(()), har::Writer::finish), Err);
    if let Err(e) = saved {
        complain(&format!("why401: the HAR could not be written: {}", in_words(&e)));
    }
    let (intake, account) = taken.to.split();
    let name = run.command.first().map(|p| p.to_string_lossy().into_owned()).unwrap_or_default();
    let source = SourceReport { name, format: "recording".to_owned(), bytes: ended.bytes, ..account };
    tell(&ended, &source);
    if source.exchanges > 0 {
        let text = diagnose::rendered(args, intake, vec![source])?;
        match (report, &run.report) {
            (Some(mut file), Some(path)) => std::io::Write::write_all(&mut file, text.as_bytes())
                .map_err(|e| format!("{}: {}", path.display(), in_words(&e)))?,
            _ => output::print_aside(&text),
        }
    }
    Ok(status(ended.status))
}

/// The program's own status; that of a signal as shells give it.
fn status(status: ExitStatus) -> u8 {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        return u8::try_from(128 + signal).unwrap_or(255);
    }
    status.code().and_then(|c| u8::try_from(c & 0xff).ok()).unwrap_or(255)
}

/// What did not work, and what explains that nothing was recorded.
fn tell(ended: &Ended, source: &SourceReport) {
    for note in &ended.notes {
        complain(&match note {
            Note::NotTrusted(host) => format!(
                "why401: the program does not trust the recorder at {host}: it takes its authorities from a setting of its own. \
                 Leave that setting out for this run, or capture instead: --keylog FILE and tcpdump (docs/run.md)"
            ),
            Note::NoConnection(why) => format!("why401: no connection: {why}"),
            Note::BadCertificate(why) => format!(
                "why401: {why}; the program was given a certificate that does not verify either (--cacert FILE names its authority)"
            ),
            Note::ClientCertificate(host) => format!(
                "why401: {host} asks for a client certificate, which the recorder cannot pass on; name it with --cert and --key"
            ),
            Note::Other(host) => {
                format!("why401: what was said to {host} is neither HTTP nor TLS and was passed on unread")
            }
        });
    }
    if source.exchanges == 0 {
        complain(if ended.connections == 0 && ended.notes.is_empty() {
            "why401: nothing was recorded: the program sent no request, or none through the proxy that its environment names. \
             Go programs ask this machine's own addresses directly, others have a setting of their own for a proxy; \
             docs/run.md tells of each. A capture sees everything: --keylog FILE and tcpdump"
        } else {
            "why401: no exchange was recorded"
        });
    }
}

fn options(run: &Run) -> Result<Options, String> {
    let read = |path: &Path| std::fs::read(path).map_err(|e| format!("{}: {}", path.display(), in_words(&e)));
    let path_in = |name: &str| std::env::var_os(name).filter(|v| !v.is_empty());
    let named = |name: &str| path_in(name).and_then(|path| std::fs::read(path).ok());
    let bundles =
        ["SSL_CERT_FILE", "CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "GIT_SSL_CAINFO", "AWS_CA_BUNDLE"];
    // Most name the same file.
    let mut paths: Vec<_> = bundles.iter().filter_map(|n| path_in(n)).collect();
    paths.sort();
    paths.dedup();
    let mut bundle: Vec<Vec<u8>> = paths.iter().filter_map(|path| std::fs::read(path).ok()).collect();
    bundle.extend(run.cacert.as_deref().map(read).transpose()?);
    let node_extra = named("NODE_EXTRA_CA_CERTS").unwrap_or_default();
    let mut more = bundle.clone();
    more.push(node_extra.clone());
    let identity = match &run.cert {
        Some(cert) => {
            let key = run.key.as_ref().unwrap_or(cert);
            let identity = Identity::read(&read(cert)?, &read(key)?);
            Some(identity.map_err(|e| format!("{}: {e}", cert.display()))?)
        }
        None => None,
    };
    let wgetrc = named("WGETRC").or_else(|| std::fs::read(std::env::home_dir()?.join(".wgetrc")).ok());
    let keylog = run.keylog.as_ref().map(|path| ("SSLKEYLOGFILE".into(), path.clone().into()));
    Ok(Options {
        command: run.command.clone(),
        trust: Trust { more, ..Trust::default() },
        identity,
        proxies: environment_proxies()?,
        own: Own {
            bundle,
            node_extra,
            wgetrc: wgetrc.unwrap_or_default(),
            java_options: std::env::var("JAVA_TOOL_OPTIONS").ok(),
            node_options: std::env::var("NODE_OPTIONS").ok(),
            curl_has_folder: curl_has_folder(),
        },
        variables: keylog.into_iter().collect(),
        whole: run.save.is_some(),
        at_terminal: std::io::stdin().is_terminal(),
    })
}

/// Whether the machine's authorities stand in `/etc/ssl/certs` by their hashes (`openssl rehash`): where they do (Debian, Ubuntu,
/// SUSE), curl is built to look them up there beside any bundle (`curl -v` tells of it as `CApath`).
/// A file or folder of one's own may have others.
fn curl_has_folder() -> bool {
    let own = ["CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR"].iter().filter_map(std::env::var_os);
    if own.into_iter().any(|path| !path.is_empty() && !Path::new(&path).starts_with("/etc/ssl")) {
        return false;
    }
    let entries = std::fs::read_dir("/etc/ssl/certs").into_iter().flatten().filter_map(Result::ok);
    entries.map(|e| e.file_name()).any(|name| name.as_encoded_bytes().ends_with(b".0"))
}

fn create(path: &Path) -> Result<File, String> {
    File::create(path).map_err(|e| format!("{}: {}", path.display(), in_words(&e)))
}

/// A HAR that only its owner may read: what was recorded is in it as it was said.
fn private(path: &Path) -> Result<har::Writer<BufWriter<File>>, String> {
    let mut options = File::options();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path).and_then(|f| har::Writer::new(BufWriter::new(f)));
    file.map_err(|e| format!("{}: {}", path.display(), in_words(&e)))
}

/// Takes what is recorded: for the diagnosis and for the HAR.
struct Taken {
    to: Tally<diagnose::Intake>,
    save: Option<har::Writer<BufWriter<File>>>,
    unsaved: Option<std::io::Error>,
}

impl Sink for Taken {
    fn exchange(&mut self, exchange: Exchange) {
        if self.unsaved.is_none()
            && let Some(save) = &mut self.save
        {
            self.unsaved = save.add(&exchange).err();
        }
        self.to.exchange(exchange);
    }
    fn passed(&mut self, status: Option<u16>, count: u64, first: Option<Moment>, last: Option<Moment>) {
        self.to.passed(status, count, first, last);
    }
    fn statement(&mut self, statement: Statement) {
        self.to.statement(statement);
    }
    fn fact(&mut self, fact: Fact) {
        self.to.fact(fact);
    }
    fn problem(&mut self, problem: Problem) {
        self.to.problem(problem);
    }
    fn layer(&mut self, name: String) -> LayerId {
        self.to.layer(name)
    }
}
