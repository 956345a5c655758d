//! Opens each piece of evidence and reads it into a sink.

use crate::args::Evidence;
use crate::diagnose::Intake;
use crate::probe::{self, Asked};
use crate::tally::Tally;
use crate::{bulk, context, filter, followed, keys, names, output, packets};
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, BufRead, IsTerminal, Read};
use std::path::Path;
use std::sync::Arc;
use why401_http::{Fact, FactKind};
use why401_read::bulk::Filter;
use why401_read::{KeyLog, Sink};
use why401_report::{Problem, SourceReport};
use why401_span::{Derived, SourceId, Span};

/// Whether the command line names no evidence and none is piped in.
pub(crate) fn is_absent(args: &Evidence) -> bool {
    args.evidence.is_empty() && io::stdin().is_terminal()
}

/// Reads everything into `intake`, source by source; what could be read of each comes back. `stdin` stands for the
/// standard input where that was read already.
///
/// # Errors
/// Where not one source could be used: a line for each, what is wrong with it.
pub(crate) fn read_all(
    args: &Evidence,
    mut stdin: Option<&mut dyn Read>,
    intake: &mut Intake,
) -> Result<(Vec<SourceReport>, Vec<Asked>), String> {
    let mut asked = Vec::new();
    let mut keys = read_keys(args)?;
    let piped = [OsString::from("-")];
    let expanded = names::expand(&args.evidence);
    let named = if args.evidence.is_empty() { &piped[..] } else { &expanded[..] };
    // A capture may stand before the key log that belongs to it.
    for name in named.iter().filter(|name| keys::is_key_log(name)) {
        keys.extend(keys::read(Path::new(name)).map(Arc::new));
    }
    if args.follow {
        let mut sources = followed::read_all(args, named, &keys, intake)?;
        context::read_all(args, &mut sources, intake)?;
        return Ok((sources, asked));
    }
    let live = intake.live.clone();
    let mut pause = || {
        if let Some(live) = &live {
            live.borrow_mut().look().iter().for_each(|line| output::print(&format!("{line}\n")));
        }
    };
    let filter = filter::of(&args.only);
    let from_stdin = stdin.is_none() && named.iter().any(|name| name == "-");
    let mut pipe = from_stdin.then(|| bulk::Pipe::new(io::stdin(), bulk::LARGE as usize));
    // What is read once only is not folded where each of its refusals is wanted.
    let head = pipe.as_ref().filter(|_| !intake.each).map(bulk::Pipe::head);
    let origin = |name: &OsString| match name == "-" {
        true => bulk::Origin::Pipe,
        false => bulk::Origin::File(name.into()),
    };
    let folds = (0..).map(SourceId).zip(named.iter().map(origin));
    let logs = bulk::choose(folds, head, args.input.as_deref(), args.log_format.as_deref());
    let folds_stdin = logs.iter().any(bulk::Log::is_piped);
    let folded = read_logs(&logs, pipe.take_if(|_| folds_stdin), &filter);
    intake.beside(&logs);
    let mut wanted = filter::Wanted { to: intake, filter: filter.clone() };
    let mut sources = Vec::new();
    let mut failures = Vec::new();
    for (number, name) in named.iter().enumerate() {
        let id = SourceId(u32::try_from(number).unwrap_or(u32::MAX));
        let shown = if name == "-" { "standard input".into() } else { name.to_string_lossy() };
        if logs.iter().any(|log| log.id == id) {
            sources.push(SourceReport { name: shown.into_owned(), ..SourceReport::default() });
            continue;
        }
        if let Some(url) = address(name) {
            match probe::look(url, id, wanted.to, &probe::aside) {
                Ok(a) => {
                    sources.push(a.report.clone());
                    asked.push(a);
                }
                Err(why) => {
                    sources.push(unread(shown.into_owned(), why.clone()));
                    failures.push(why);
                }
            }
            continue;
        }
        let given = Given {
            stdin: match &mut stdin {
                Some(stdin) => Some(&mut **stdin),
                None => None,
            },
            pipe: pipe.take_if(|_| name == "-"),
        };
        match read_one(args, id, name, given, &keys, &mut wanted, &mut pause) {
            Ok(report) => sources.push(SourceReport { name: shown.into_owned(), ..report }),
            Err(why) => {
                failures.push(format!("{shown}: {why}"));
                sources.push(unread(shown.into_owned(), why));
            }
        }
    }
    if failures.len() == named.len() {
        return Err(failures.join("\n"));
    }
    for (id, report) in folded.into_iter().flat_map(|folded| enter(&logs, folded, intake)) {
        if let Some(source) = sources.get_mut(id.0 as usize) {
            *source = SourceReport { name: std::mem::take(&mut source.name), ..report };
        }
    }
    intake.logs = (logs, filter);
    context::read_all(args, &mut sources, intake)?;
    Ok((sources, asked))
}

/// Reads the large logs together: what they say, and whether the reading was interrupted.
pub(crate) fn read_logs(
    logs: &[bulk::Log<'_>],
    pipe: Option<bulk::Pipe>,
    filter: &Filter,
) -> Option<(bulk::Folded, bool)> {
    if logs.is_empty() {
        return None;
    }
    let watch = bulk::Watch::interruptible();
    let folds_pipe = pipe.is_some();
    let bytes = if folds_pipe { 0 } else { logs.iter().map(|log| log.size).sum() };
    let folded = bulk::during(bytes, &watch, || bulk::fold(logs, pipe, filter, &watch));
    Some((folded, watch.is_stopped()))
}

/// Takes in what the large logs say together.
fn enter(
    logs: &[bulk::Log<'_>],
    (mut folded, is_stopped): (bulk::Folded, bool),
    intake: &mut Intake,
) -> Vec<(SourceId, SourceReport)> {
    let mut reports = intake.enter(logs, &mut folded);
    match intake.each {
        true => intake.folded = Some(folded),
        // It is much, and nobody waits for what it gives back.
        false => drop(std::thread::spawn(move || drop(folded))),
    }
    if let (true, Some((_, first))) = (is_stopped, reports.first_mut()) {
        let what = "interrupted: this is what was read until then".to_owned();
        first.problems.push(Problem { offset: 0, line: None, what });
    }
    reports
}

/// An address to ask.
fn address(name: &OsStr) -> Option<&str> {
    let text = name.to_str()?.trim();
    let lower = text.to_ascii_lowercase();
    (lower.starts_with("http://") || lower.starts_with("https://")).then_some(text)
}

/// A source of which nothing could be used, among others that could.
pub(crate) fn unread(name: String, what: String) -> SourceReport {
    let problems = vec![Problem { offset: 0, line: None, what }];
    SourceReport { name, format: "unread".to_owned(), problems, ..SourceReport::default() }
}

fn read_keys(args: &Evidence) -> Result<Vec<Arc<KeyLog>>, String> {
    args.keys
        .iter()
        .map(|path| {
            keys::read(path).map(Arc::new).map_err(|e| format!("{}: {}", path.display(), in_words(&e)))
        })
        .collect()
}

/// Where a piece of evidence comes from, if from no file as it lies there.
struct Given<'a> {
    /// The standard input that was read already.
    stdin: Option<&'a mut dyn Read>,
    /// Standard input, of which the beginning was looked at.
    pipe: Option<bulk::Pipe>,
}

fn read_one(
    args: &Evidence,
    id: SourceId,
    name: &OsStr,
    given: Given<'_>,
    keys: &[Arc<KeyLog>],
    sink: &mut dyn Sink,
    pause: &mut dyn FnMut(),
) -> Result<SourceReport, String> {
    if name == "-" {
        return match (given.stdin, given.pipe) {
            (Some(stdin), _) => read_bytes(args, id, &mut io::BufReader::new(stdin), keys, sink),
            (None, Some(pipe)) => packets::read(args, id, pipe, pause, keys, sink),
            (None, None) => packets::read(args, id, io::stdin(), pause, keys, sink),
        };
    }
    if keys::is_key_log(&name.to_owned()) {
        let bytes = std::fs::metadata(name).map_or(0, |m| m.len());
        return Ok(SourceReport { format: "key-log".to_owned(), bytes, ..SourceReport::default() });
    }
    let path = Path::new(name);
    match File::open(path) {
        Ok(_) if path.is_dir() => Err(format!(
            "is a folder that holds no file, or more than {}: name the files that are evidence",
            names::FILES
        )),
        Ok(file) => packets::read(args, id, file, pause, keys, sink),
        Err(e) if e.kind() == io::ErrorKind::NotFound => not_a_file(args, id, name, keys, sink),
        Err(e) => Err(in_words(&e)),
    }
}

/// What is no file may be a code in words, or words.
fn not_a_file(
    args: &Evidence,
    id: SourceId,
    name: &OsStr,
    keys: &[Arc<KeyLog>],
    sink: &mut dyn Sink,
) -> Result<SourceReport, String> {
    let text = name.to_str().unwrap_or_default().trim();
    if let Some(report) = code(id, text, sink) {
        return Ok(report);
    }
    if text.contains(char::is_whitespace) {
        return read_bytes(args, id, &mut text.as_bytes(), keys, sink);
    }
    Err("no such file, and no code known here by its form (401.3, 0x80244017, AH01617)".to_owned())
}

/// A code in words, where the text is one.
pub(crate) fn code(id: SourceId, text: &str, sink: &mut dyn Sink) -> Option<SourceReport> {
    if let Some(fact) = why401_read::code(id, text) {
        sink.fact(fact);
        return Some(code_report(text));
    }
    is_code(text).then(|| read_code(id, text, sink))
}

fn read_code(id: SourceId, code: &str, sink: &mut dyn Sink) -> SourceReport {
    let bytes = code.len() as u64;
    let text = Derived::exact(code, Span::new(id, 0, bytes).on_line(1));
    sink.fact(Fact { source: id, text, kind: FactKind::Code(code.to_owned()) });
    code_report(code)
}

fn code_report(code: &str) -> SourceReport {
    SourceReport { format: "code".to_owned(), bytes: code.len() as u64, ..SourceReport::default() }
}

/// `401`, `401.3`, `0x80244017`, `AH01617`, `AADSTS50034`, `KDC_ERR_C_PRINCIPAL_UNKNOWN`: what no file is named.
fn is_code(text: &str) -> bool {
    let digits = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
    let status = |s: &str| s.len() == 3 && digits(s);
    let hex = |s: &str| (4..=16).contains(&s.len()) && s.bytes().all(|b| b.is_ascii_hexdigit());
    let constant = |s: &str| {
        let form = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_';
        s.len() >= 5
            && s.bytes().all(form)
            && s.starts_with(|c: char| c.is_ascii_uppercase())
            && s.contains(|c: char| c == '_' || c.is_ascii_digit())
    };
    match (text.split_once('.'), text.get(2..)) {
        (Some((a, b)), _) => status(a) && digits(b) && b.len() <= 3,
        (None, Some(rest)) if text.starts_with("0x") || text.starts_with("0X") => hex(rest),
        _ => status(text) || constant(text),
    }
}

pub(crate) fn read_bytes(
    args: &Evidence,
    id: SourceId,
    bytes: &mut dyn BufRead,
    keys: &[Arc<KeyLog>],
    sink: &mut dyn Sink,
) -> Result<SourceReport, String> {
    let mut counted = Counted { bytes, count: 0 };
    let mut tally = Tally::new(sink);
    let (input, log_format) = (args.input.as_deref(), args.log_format.as_deref());
    let format = why401_read::read_buffered(id, &mut counted, input, log_format, keys, &mut tally)
        .map_err(|e| if counted.count == 0 { "is empty".to_owned() } else { in_words(&e) })?;
    report(tally, format.name, counted.count)
}

/// The account of a source of this format that was read to its end, so many bytes.
pub(crate) fn report<S: Sink>(tally: Tally<S>, format: &str, bytes: u64) -> Result<SourceReport, String> {
    if !tally.has_any() && tally.has_problems() {
        let report = tally.finish();
        let what = report.problems.into_iter().next().map(|p| p.what).unwrap_or_default();
        return Err(format!("looks like {format}, but nothing in it could be read: {what}"));
    }
    Ok(SourceReport { format: format.to_owned(), bytes, ..tally.finish() })
}

/// Counts the bytes on their way.
pub(crate) struct Counted<'a> {
    pub(crate) bytes: &'a mut dyn BufRead,
    pub(crate) count: u64,
}

impl BufRead for Counted<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.bytes.fill_buf()
    }

    fn consume(&mut self, n: usize) {
        self.count += n as u64;
        self.bytes.consume(n);
    }
}

impl io::Read for Counted<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.bytes.read(into)?;
        self.count += read as u64;
        Ok(read)
    }
}

/// An error without the number of the operating system.
pub(crate) fn in_words(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "no such file".to_owned(),
        io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        io::ErrorKind::IsADirectory => "is a folder; name the files in it".to_owned(),
        _ => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_known_by_its_form() {
        for code in ["401", "401.3", "0x80244017", "AH01617", "AADSTS50034", "KDC_ERR_C_PRINCIPAL_UNKNOWN"] {
            assert!(is_code(code), "{code}");
        }
        for other in
            ["", "40", "4011", "401.", "401.har", "0x", "README", "session.har", "a", "0xzz", "FOO.TXT"]
        {
            assert!(!is_code(other), "{other}");
        }
    }
}
