//! `why401 serve`: the local page, answered by the same diagnosis.

use crate::diagnose::{self, Intake};
use crate::live::Live;
use crate::tally::Tally;
use crate::{Status, bulk, bundle, evidence, keys, output, probe};
use signal_hook::consts::{SIGINT, SIGTERM};
use std::borrow::Cow;
use std::cell::RefCell;
use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};
use why401_bundle::{Masker, Options, Piece, pack};
use why401_page::{Answers, Part, Reader, Response, Server, Told};
use why401_read::KeyLog;
use why401_read::bulk::Filter;
use why401_render::{Secrets, Shown};
use why401_report::{Problem, SourceReport};
use why401_span::SourceId;

/// The size of a piece that is read at once.
const PIECE: usize = 256 * 1024;
/// So often the page is told how far it is.
const TELL: Duration = Duration::from_millis(100);
/// After so long it is looked what is proved already.
const LOOK: Duration = Duration::from_millis(700);

/// So many bytes of a piece tell whether it is a code, an address or a key log.
const HEAD: u64 = 4096;
/// What the first so many bytes of a large upload lead to is told while the rest is under way.
const BEGINNING: u64 = 8 << 20;
/// An end of a line is looked for in so many bytes.
const TAIL: u64 = 64 * 1024;
/// And again after so many times as much.
const FURTHER: u64 = 4;

/// How the page is served.
#[derive(Debug, clap::Args)]
pub(crate) struct Serve {
    /// Where to listen, on loopback; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:0")]
    listen: SocketAddr,
}

/// Serves until SIGTERM or SIGINT.
#[allow(clippy::print_stdout, reason = "the address is the answer of this command")]
pub(crate) fn run(args: &Serve) -> Result<Status, String> {
    let server = Server::listen(args.listen).map_err(|e| format!("{}: {e}", args.listen))?;
    let end = server.end();
    let signals = signal_hook::iterator::Signals::new([SIGTERM, SIGINT]);
    let mut signals = signals.map_err(|e| format!("cannot wait for signals: {e}"))?;
    std::thread::spawn(move || {
        if signals.forever().next().is_some() {
            end.now();
        }
    });
    println!("listening on {}", server.url());
    let _ = std::io::stdout().flush();
    server.run(Desk).map_err(|e| e.to_string())?;
    Ok(Status::NoFault)
}

struct Desk;

impl Answers for Desk {
    fn diagnose(
        &self,
        form: &str,
        parts: &[Part<'_>],
        told: &mut dyn FnMut(Told<'_>),
    ) -> Result<Response, String> {
        let mut intake = Intake::watched((form == "findings").then(|| Live::new(None, false)));
        if form == "findings" {
            so_far(parts, told)?;
        }
        let all = parts.iter().map(Part::size).sum();
        let meanwhile = RefCell::new(Meanwhile::new(intake.live.clone(), all, told));
        let (sources, asked) = read(parts, &mut intake, &meanwhile)?;
        let keep = |findings: &mut Vec<_>| asked.iter().for_each(|a: &probe::Asked| a.keep(findings));
        let diagnose::Explained { case, mut diagnosis, secrets, .. } =
            diagnose::explained(intake, sources, None, keep);
        if let "bundle" | "bundle-without-addresses" = form {
            let options = Options { mask_addresses: form != "bundle" };
            let reports = bundle::reports(&case, diagnosis, &secrets)?;
            let contents: io::Result<Vec<Cow<'_, [u8]>>> = parts.iter().map(Part::all).collect();
            let contents = contents.map_err(|e| evidence::in_words(&e))?;
            let sources = reports.diagnosis.sources.iter().zip(&contents);
            let pieces: Vec<Piece<'_>> =
                sources.map(|(s, bytes)| Piece { name: &s.name, format: &s.format, bytes }).collect();
            let mut out = std::io::Cursor::new(Vec::new());
            pack(&mut out, output::TOOL, &reports, &pieces, options, &mut Masker::new(&secrets))
                .map_err(|e| e.to_string())?;
            return Ok(Response::ok("application/zip", out.into_inner()));
        }
        why401_redact::diagnosis(&mut diagnosis, &secrets);
        let shown = Shown::new(diagnosis, Secrets::Masked);
        Ok(match form {
            "json" => Response::ok(
                "application/json",
                why401_render::json(&shown, output::TOOL).map_err(|e| e.to_string())?,
            ),
            "markdown" => Response::ok("text/markdown; charset=utf-8", why401_render::markdown(&shown)),
            "html" => Response::ok("text/html; charset=utf-8", why401_render::html(&shown)),
            _ => Response::ok("text/html; charset=utf-8", why401_render::html_body(&shown)),
        })
    }
}

/// Tells what the beginning of large logs leads to, again and again, while the rest is under way. What else there is is
/// told of while it is read.
fn so_far(parts: &[Part<'_>], told: &mut dyn FnMut(Told<'_>)) -> Result<(), String> {
    let size = |parts: &[Part<'_>]| parts.iter().map(Part::size).sum::<u64>();
    let mut much = BEGINNING;
    while much < size(parts) / 2 && !have_arrived(parts)? {
        let begun = begun(parts, much)?;
        if logs(&begun).len() < begun.len() {
            break;
        }
        let mut nobody = |_: Told<'_>| {};
        let meanwhile = RefCell::new(Meanwhile::new(None, 0, &mut nobody));
        let mut intake = Intake::default();
        let (sources, _) = read(&begun, &mut intake, &meanwhile)?;
        let diagnose::Explained { mut diagnosis, secrets, .. } =
            diagnose::explained(intake, sources, None, |_| {});
        if !diagnosis.findings.is_empty() {
            why401_redact::diagnosis(&mut diagnosis, &secrets);
            let page = why401_render::html_body(&Shown::new(diagnosis, Secrets::Masked));
            told(Told::SoFar(&page, 100.0 * size(&begun) as f64 / size(parts) as f64));
        }
        much = much.saturating_mul(FURTHER);
    }
    Ok(())
}

fn have_arrived(parts: &[Part<'_>]) -> Result<bool, String> {
    parts.iter().try_fold(true, |all, part| {
        Ok(all && part.front(0).map_err(|e| evidence::in_words(&e))? == part.size())
    })
}

/// The first `much` bytes of all parts together, once they have arrived, to the end of a line.
fn begun<'a>(parts: &[Part<'a>], much: u64) -> Result<Vec<Part<'a>>, String> {
    let mut left = much;
    let mut begun = Vec::new();
    for part in parts {
        let beginning = part.beginning(left);
        if beginning.size() == 0 {
            break;
        }
        left -= beginning.size();
        let mut tail = Vec::new();
        let reading = beginning.from(beginning.size().saturating_sub(TAIL)).read_to_end(&mut tail);
        reading.map_err(|e| evidence::in_words(&e))?;
        let behind = memchr::memrchr(b'\n', &tail).map_or(0, |at| tail.len() - at - 1) as u64;
        let is_whole = beginning.size() == part.size();
        begun.push(if is_whole { beginning } else { beginning.beginning(beginning.size() - behind) });
    }
    Ok(begun)
}

/// What is told while parts are read.
struct Meanwhile<'a> {
    live: Option<Rc<RefCell<Live>>>,
    /// Bytes of all parts, and those that were read.
    all: u64,
    read: u64,
    /// When something was told last.
    told_at: Instant,
    /// When to look again for what is proved: looking takes time, and shall take little of it.
    look_at: Instant,
    told: &'a mut dyn FnMut(Told<'_>),
}

impl<'a> Meanwhile<'a> {
    fn new(live: Option<Rc<RefCell<Live>>>, all: u64, told: &'a mut dyn FnMut(Told<'_>)) -> Self {
        let now = Instant::now();
        Meanwhile { live, all, read: 0, told_at: now, look_at: now + LOOK, told }
    }

    /// More was read.
    fn read(&mut self, bytes: usize) {
        self.read += bytes as u64;
        if self.told_at.elapsed() < TELL {
            return;
        }
        self.told_at = Instant::now();
        (self.told)(Told::Read(100.0 * self.read as f64 / self.all.max(1) as f64));
        if self.told_at >= self.look_at
            && let Some(live) = &self.live
        {
            let proved = live.borrow_mut().look_back();
            proved.iter().for_each(|line| (self.told)(Told::Line(line)));
            self.look_at = Instant::now() + LOOK + 4 * self.told_at.elapsed();
        }
    }
}

/// A part, and who wants to know how far it was read.
struct Reading<'a, 'b> {
    rest: Reader<'a>,
    meanwhile: &'a RefCell<Meanwhile<'b>>,
}

impl Read for Reading<'_, '_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.rest.read(into)?;
        self.meanwhile.borrow_mut().read(count);
        Ok(count)
    }
}

/// Reads every part as a source.
fn read(
    parts: &[Part<'_>],
    intake: &mut Intake,
    meanwhile: &RefCell<Meanwhile<'_>>,
) -> Result<(Vec<SourceReport>, Vec<probe::Asked>), String> {
    let cut = |e: io::Error| evidence::in_words(&e);
    let mut keys = Vec::new();
    let mut heads = Vec::new();
    for part in parts {
        let head = part.beginning(HEAD).all().map_err(cut)?;
        if keys::begins(&head) {
            let mut log = KeyLog::default();
            log.read(&mut io::BufReader::new(part.from(0))).map_err(cut)?;
            keys.push(Arc::new(log));
        }
        heads.push(head);
    }
    // Large logs together, as the command line reads them.
    let logs = logs(parts);
    let folded =
        (!logs.is_empty()).then(|| bulk::fold(&logs, None, &Filter::default(), &bulk::Watch::default()));
    intake.beside(&logs);
    let (mut sources, mut asked, mut failures) = (Vec::new(), Vec::new(), Vec::new());
    for ((number, part), head) in (0..).zip(parts).zip(&heads) {
        if logs.iter().any(|log| log.id == SourceId(number)) {
            sources.push(SourceReport { name: part.name.to_owned(), ..SourceReport::default() });
            continue;
        }
        match one(part, head, SourceId(number), &keys, intake, meanwhile) {
            Ok((report, probed)) => {
                sources.push(SourceReport { name: part.name.to_owned(), ..report });
                asked.extend(probed);
            }
            Err(why) => {
                let problems = vec![Problem { offset: 0, line: None, what: why.clone() }];
                let (name, format) = (part.name.to_owned(), "unread".to_owned());
                sources.push(SourceReport { name, format, problems, ..SourceReport::default() });
                failures.push(format!("{}: {why}", part.name));
            }
        }
    }
    for (id, report) in folded.into_iter().flat_map(|mut folded| intake.enter(&logs, &mut folded)) {
        if let Some(source) = sources.get_mut(id.0 as usize) {
            *source = SourceReport { name: std::mem::take(&mut source.name), ..report };
        }
    }
    if failures.len() == parts.len() { Err(failures.join("\n")) } else { Ok((sources, asked)) }
}

/// The large logs among the parts.
fn logs<'a>(parts: &[Part<'a>]) -> Vec<bulk::Log<'a>> {
    let origins = (0..).map(SourceId).zip(parts.iter().map(|part| bulk::Origin::Upload(*part)));
    bulk::choose(origins, None, None, None)
}

fn one(
    part: &Part<'_>,
    head: &[u8],
    id: SourceId,
    keys: &[Arc<KeyLog>],
    intake: &mut Intake,
    meanwhile: &RefCell<Meanwhile<'_>>,
) -> Result<(SourceReport, Option<probe::Asked>), String> {
    let bytes = part.size();
    if keys::begins(head) {
        return Ok((SourceReport { format: "key-log".to_owned(), bytes, ..SourceReport::default() }, None));
    }
    let text = Some(head).filter(|head| head.len() as u64 == bytes).and_then(|t| std::str::from_utf8(t).ok());
    let text = text.map(str::trim).filter(|t| t.len() < 2000);
    if let Some(text) = text.filter(|t| !t.contains(char::is_whitespace)) {
        // Only what was given as an address is asked, never one that a file holds.
        if text == part.name && (text.starts_with("http://") || text.starts_with("https://")) {
            let told = |line: &str| (meanwhile.borrow_mut().told)(Told::Line(line));
            let asked = probe::look(text, id, intake, &told)?;
            return Ok((asked.report.clone(), Some(asked)));
        }
        if let Some(report) = evidence::code(id, text, intake) {
            return Ok((report, None));
        }
    }
    let mut tally = Tally::new(intake);
    let reading = Reading { rest: part.from(0), meanwhile };
    let mut reading = io::BufReader::with_capacity(PIECE, reading);
    let format = why401_read::read_buffered(id, &mut reading, None, None, keys, &mut tally)
        .map_err(|e| if bytes == 0 { "is empty".to_owned() } else { evidence::in_words(&e) })?;
    Ok((SourceReport { format: format.name.to_owned(), bytes, ..tally.finish() }, None))
}
