//! `why401 serve`: the local page, answered by the same diagnosis.

use crate::diagnose::{self, Intake};
use crate::live::Live;
use crate::tally::Tally;
use crate::{Status, bulk, bundle, evidence, keys, output, probe};
use signal_hook::consts::{SIGINT, SIGTERM};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};
use why401_bundle::{Masker, Options, Piece, pack};
use why401_page::{Answers, Part, Response, Server, Told};
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
        let all = parts.iter().map(|p| p.bytes.len()).sum();
        let meanwhile = RefCell::new(Meanwhile::new(intake.live.clone(), all, told));
        let (sources, asked) = read(parts, &mut intake, &meanwhile)?;
        let keep = |findings: &mut Vec<_>| asked.iter().for_each(|a: &probe::Asked| a.keep(findings));
        let diagnose::Explained { case, mut diagnosis, secrets, .. } =
            diagnose::explained(intake, sources, None, keep);
        if let "bundle" | "bundle-without-addresses" = form {
            let options = Options { mask_addresses: form != "bundle" };
            let reports = bundle::reports(&case, diagnosis, &secrets)?;
            let sources = reports.diagnosis.sources.iter().zip(parts);
            let pieces: Vec<Piece<'_>> =
                sources.map(|(s, p)| Piece { name: &s.name, format: &s.format, bytes: p.bytes }).collect();
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

/// What is told while parts are read.
struct Meanwhile<'a> {
    live: Option<Rc<RefCell<Live>>>,
    /// Bytes of all parts, and those that were read.
    all: usize,
    read: usize,
    /// When something was told last.
    told_at: Instant,
    /// When to look again for what is proved: looking takes time, and shall take little of it.
    look_at: Instant,
    told: &'a mut dyn FnMut(Told<'_>),
}

impl<'a> Meanwhile<'a> {
    fn new(live: Option<Rc<RefCell<Live>>>, all: usize, told: &'a mut dyn FnMut(Told<'_>)) -> Self {
        let now = Instant::now();
        Meanwhile { live, all, read: 0, told_at: now, look_at: now + LOOK, told }
    }

    /// More was read.
    fn read(&mut self, bytes: usize) {
        self.read += bytes;
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
    rest: &'a [u8],
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
    let keys: Vec<Vec<u8>> =
        parts.iter().filter(|p| keys::begins(p.bytes)).map(|p| p.bytes.to_vec()).collect();
    let mut folded = fold(parts, intake);
    let (mut sources, mut asked, mut failures) = (Vec::new(), Vec::new(), Vec::new());
    for (number, part) in (0..).zip(parts) {
        if let Some(report) = folded.remove(&SourceId(number)) {
            sources.push(SourceReport { name: part.name.to_owned(), ..report });
            continue;
        }
        match one(part, SourceId(number), &keys, intake, meanwhile) {
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
    if failures.len() == parts.len() { Err(failures.join("\n")) } else { Ok((sources, asked)) }
}

/// Reads large logs together, as the command line does.
fn fold(parts: &[Part<'_>], intake: &mut Intake) -> BTreeMap<SourceId, SourceReport> {
    let origins = (0..).map(SourceId).zip(parts.iter().map(|part| bulk::Origin::Memory(part.bytes)));
    let logs = bulk::choose(origins, None, None, None);
    if logs.is_empty() {
        return BTreeMap::new();
    }
    let folded = bulk::fold(&logs, None, &Filter::default(), &bulk::Watch::default());
    let (reports, overview) = bulk::enter(&logs, &folded, intake);
    intake.overview = Some(overview);
    reports.into_iter().collect()
}

fn one(
    part: &Part<'_>,
    id: SourceId,
    keys: &[Vec<u8>],
    intake: &mut Intake,
    meanwhile: &RefCell<Meanwhile<'_>>,
) -> Result<(SourceReport, Option<probe::Asked>), String> {
    let bytes = part.bytes.len() as u64;
    if keys::begins(part.bytes) {
        return Ok((SourceReport { format: "key-log".to_owned(), bytes, ..SourceReport::default() }, None));
    }
    let text = std::str::from_utf8(part.bytes).ok().map(str::trim).filter(|t| t.len() < 2000);
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
    let reading = Reading { rest: part.bytes, meanwhile };
    let mut reading = io::BufReader::with_capacity(PIECE, reading);
    let format = why401_read::read_buffered(id, &mut reading, None, None, keys, &mut tally)
        .map_err(|e| if bytes == 0 { "is empty".to_owned() } else { evidence::in_words(&e) })?;
    Ok((SourceReport { format: format.name.to_owned(), bytes, ..tally.finish() }, None))
}
