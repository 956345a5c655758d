//! What is no message: a person's words, a program's output, lines of a log.

use super::lines::Line;
use super::log::Entry;
use super::out::{Out, Paragraph};
use super::{Dialect, Took, Yields, curl, log};
use why401_http::{FactKind, Speaker, Statement};

/// Paragraphs, one speaker each.
#[derive(Default)]
pub(super) struct Prose {
    open: Option<(Speaker, Paragraph)>,
    /// The entry of a log that goes on in lines without a time of their own.
    entry: Option<(Statement, Paragraph)>,
    /// Whether the log turned out to be a client's own.
    client: bool,
}

impl Dialect for Prose {
    fn line(&mut self, line: &Line, _next: Option<&Line>, out: &mut Out<'_>) -> Took {
        if line.is_blank() || is_fence(line) {
            self.end(out);
            return Took::Yes;
        }
        if curl::is_meter(line.bytes()) {
            return Took::Yes;
        }
        if let Some(entry) = log::entry(line, out) {
            self.end(out);
            let mut entry = match entry {
                Entry::Exchange(exchange) => {
                    out.exchange(*exchange);
                    return Took::Yes;
                }
                Entry::Statement(statement) => *statement,
            };
            self.client |= entry.speaker == Speaker::Client;
            if self.client && entry.product.is_none() {
                entry.speaker = Speaker::Client;
            }
            let mut text = Paragraph::default();
            text.push(line);
            self.entry = Some((entry, text));
            return Took::Yes;
        }
        if let Some((_, text)) = self.entry.as_mut().filter(|_| log::continues(line)) {
            text.push(line);
            return Took::Yes;
        }
        let client = self.open.as_ref().is_some_and(|(s, _)| *s == Speaker::Client);
        let speaker = if client && log::continues(line) { Speaker::Client } else { speaker(&line.str()) };
        let same = self.open.as_ref().is_some_and(|(s, _)| *s == speaker);
        let goes_on = same && (speaker == Speaker::Person || log::continues(line));
        if !goes_on {
            self.end(out);
        }
        let (_, text) = self.open.get_or_insert_with(|| (speaker, Paragraph::default()));
        text.push(line);
        Took::Yes
    }

    fn end(&mut self, out: &mut Out<'_>) {
        if let Some((mut statement, text)) = self.entry.take() {
            statement.text = text.finish();
            super::words::fill(&mut statement);
            out.say(statement);
        }
        if let Some((speaker, text)) = self.open.take() {
            let statement = out.words(speaker, text.finish());
            address(&statement, out);
            out.say(statement);
        }
    }

    fn yields(&self) -> Yields {
        Yields::ToAll
    }
}

/// Says a line by itself.
pub(super) fn say(line: &Line, out: &mut Out<'_>) {
    say_as(line, speaker(&line.str()), out);
}

/// Says a line by itself; a line of a log keeps what it knows.
pub(super) fn say_as(line: &Line, speaker: Speaker, out: &mut Out<'_>) {
    match log::statement(line, out) {
        Some(mut entry) => {
            super::words::fill(&mut entry);
            out.say(entry);
        }
        None => out.say_line(speaker, line),
    }
}

/// A text that is an address and nothing else, or an address with user and password in it.
fn address(statement: &Statement, out: &mut Out<'_>) {
    let text = statement.text.to_text();
    for range in super::words::addresses(&text).into_iter().take(MOST_ADDRESSES) {
        let (address, userinfo) =
            super::userinfo::split_userinfo(text.get(range.clone()).unwrap_or_default());
        let password = userinfo.as_ref().is_some_and(|u| u.password.is_some());
        if password || range == (0..text.len()) {
            out.fact(statement.text.slice(range), FactKind::Address { address, userinfo });
        }
    }
}

/// More addresses of one paragraph are no context.
const MOST_ADDRESSES: usize = 20;

/// The fences of Markdown.
fn is_fence(line: &Line) -> bool {
    let text = line.bytes().trim_ascii();
    text.starts_with(b"```") || text.starts_with(b"~~~")
}

/// Words that only a person uses of themselves or to others.
const PERSONAL: &[&str] = &[
    " i ",
    " i'm ",
    " i've ",
    " my ",
    " me ",
    " we ",
    " our ",
    " us ",
    " please ",
    " thanks ",
    " anyone ",
    " tried ",
    " help ",
    " does ",
    " why ",
    " how ",
    " it works ",
    " works ",
    " worked ",
    " since ",
    " yesterday ",
    " always ",
    " somebody ",
];

/// Marks of a program's message.
const MACHINE: &[&str] = &[
    "err!",
    "error:",
    "fatal:",
    "remote:",
    "exception",
    "traceback",
    "http error",
    "status code",
    "statuscode",
    "##[",
    "denied:",
    "unauthorized:",
    "httperror",
    "http status",
    "warning:",
    "warn ",
    "info:",
    "debug:",
    "err_",
    "failed:",
    "panic:",
    "client error",
    "(http code",
    "response:",
    "status:",
    "code:",
    "e401",
    "http/1.",
    "=>",
    "::",
    "\": ",
    "0x",
    "--",
    "http 401",
    "authentication failed",
    "invalid username",
    "access is denied",
    "the remote server returned",
];

/// Whether a text has words that only a person uses.
pub(super) fn is_personal(text: &str) -> bool {
    let lower = format!(" {} ", text.trim().to_lowercase().replace([',', '.', '!', '?', '\n'], " "));
    PERSONAL.iter().any(|w| lower.contains(w))
}

/// Who says such a thing.
pub(super) fn speaker(text: &str) -> Speaker {
    let first = text.split_whitespace().next().unwrap_or_default();
    let labelled =
        first.ends_with(':') && first.len() > 2 && first.bytes().all(|c| c.is_ascii_uppercase() || c == b':');
    if labelled {
        return Speaker::Client;
    }
    let plain = text.trim().to_lowercase();
    // `unauthorized: We have detected …`: a program may say "we" too.
    let said_by_program = MACHINE.iter().any(|w| w.ends_with(':') && plain.starts_with(w));
    if said_by_program {
        return Speaker::Client;
    }
    if is_personal(text) {
        return Speaker::Person;
    }
    let machine = MACHINE.iter().any(|w| plain.contains(w))
        || plain.starts_with(['{', '[', '<', '#', '/', '(', '+', '-', '*', '|']);
    let words = plain.split_whitespace().count();
    let sentence = plain.ends_with(['.', '!', '?', '…']) && words >= 4;
    let capital = text.trim().chars().next().is_some_and(char::is_uppercase);
    let told = sentence && capital && !plain.contains("error:") && !plain.contains("exception");
    if machine && !told {
        return Speaker::Client;
    }
    let announces = plain.ends_with(':') && words >= 3 && capital;
    if sentence || announces || words >= 6 { Speaker::Person } else { Speaker::Client }
}
