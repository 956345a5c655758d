//! A command that was pasted along, and what it printed.

use super::command::{self, Command};
use super::draft::Draft;
use super::lines::Line;
use super::out::{LINES, Out, Paragraph};
use super::prompt;
use super::{Dialect, Took, Yields, prose, words};
use why401_http::{Body, FieldLine, Response, Speaker};
use why401_span::Derived;

/// The command while its lines come, then its output.
struct Output {
    command: Paragraph,
    complete: bool,
    asked: Option<Command>,
    body: Paragraph,
}

pub(super) fn begin(line: &Line, _next: Option<&Line>, _out: &mut Out<'_>) -> Option<Box<dyn Dialect>> {
    prompt::begins(&line.str())?;
    let (command, body) = (Paragraph::default(), Paragraph::default());
    Some(Box::new(Output { command, complete: false, asked: None, body }))
}

impl Dialect for Output {
    fn line(&mut self, line: &Line, _next: Option<&Line>, out: &mut Out<'_>) -> Took {
        if !self.complete {
            let begin = if self.command.has_content() { 0 } else { prompt::begins(&line.str()).unwrap_or(0) };
            self.command.push(&line.from(begin));
            if !prompt::continues(&line.str()) {
                self.complete = true;
                self.ran(out);
            }
            return Took::Yes;
        }
        if line.is_blank() {
            return if self.body.has_content() { Took::No } else { Took::Yes };
        }
        if self.asked.is_some() {
            self.body.push(line);
        } else {
            prose::say_as(line, Speaker::Client, out);
        }
        Took::Yes
    }

    fn end(&mut self, out: &mut Out<'_>) {
        if !self.complete {
            self.ran(out);
        }
        let Some(command) = self.asked.take() else { return };
        let body = std::mem::take(&mut self.body);
        if body.has_content() && out.command.is_some() {
            answer(&command, body.finish(), out);
        }
    }

    fn yields(&self) -> Yields {
        match (self.complete, &self.asked) {
            (false, _) => Yields::No,
            (true, Some(_)) => Yields::ToMessages,
            (true, None) => Yields::ToAll,
        }
    }
}

impl Output {
    fn ran(&mut self, out: &mut Out<'_>) {
        let text = std::mem::take(&mut self.command).finish();
        let (text, said) = apart(text);
        let commands = command::read(&text);
        for c in &commands {
            out.fact(c.text.clone(), c.kind());
        }
        out.command = commands.into_iter().find(Command::asks);
        self.asked = out.command.clone();
        if let (Some(command), Some(said)) = (&self.asked, said) {
            answer(command, said, out);
        }
    }
}

/// A command, and what a person wrote behind it of its answer: `curl … https://www.example.com/ -> 401`.
fn apart(text: Derived) -> (Derived, Option<Derived>) {
    let line = text.to_text();
    let found = [" -> ", " => ", " \u{2192} "].into_iter().filter_map(|mark| {
        let at = line.rfind(mark)?;
        let said = line.get(at + mark.len()..)?;
        let status = said.trim_start_matches("HTTP ").get(..3)?;
        matches!(status, "401" | "403" | "407").then_some((at, at + mark.len()))
    });
    match found.max() {
        Some((end, begin)) => (text.slice(0..end), Some(text.slice(begin..text.len()))),
        None => (text, None),
    }
}

/// What a command printed that shows no heads: the body, or what `-w` makes of the answer.
fn answer(command: &Command, text: Derived, out: &mut Out<'_>) {
    let words_of = text.to_text().into_owned();
    // An error of the program itself is no answer.
    let own = ["curl: (", "wget: ", "http: error", "usage: ", "Note: Unnecessary use of ", "Warning: "]
        .iter()
        .any(|p| words_of.starts_with(p));
    let mut statement = out.words(Speaker::Client, text.clone());
    // `curl -f` and PowerShell tell the status in their error.
    let told = own || command.program.starts_with("i");
    let error = told
        .then(|| statement.status.filter(|_| words_of.contains("error") || words_of.contains("status code")))
        .flatten();
    if let Some(status) = error {
        let mut exchange = out.new_exchange(LINES);
        exchange.response = Some(Response { status, ..Response::default() });
        out.complete_by_command(&mut exchange);
        statement.beside = Some(out.index());
        out.exchange(exchange);
    }
    if own || error.is_some() {
        return out.say(statement);
    }
    // What a person wrote below the command is no answer.
    let document = words_of.starts_with(['{', '[', '<']);
    if !document && prose::is_personal(&words_of) {
        let first = words_of.lines().next().unwrap_or_default();
        let refused = words::status(first).0.filter(|s| matches!(s, 401 | 403 | 407));
        if let Some(status) = refused.filter(|_| first.split_whitespace().count() <= 8) {
            let mut exchange = out.new_exchange(LINES);
            exchange.response = Some(Response { status, ..Response::default() });
            out.complete_by_command(&mut exchange);
            statement.beside = Some(out.index());
            out.exchange(exchange);
        }
        statement.speaker = Speaker::Person;
        return out.say(statement);
    }
    let mut exchange = out.new_exchange(LINES);
    let written = command.write_out.as_deref().and_then(|format| written(format, &words_of));
    let mut response = Response { line: Derived::default(), ..Response::default() };
    if let Some(written) = &written {
        let line = text.slice(written.status_at.clone());
        let draft = Draft::response(line, written.status);
        response = draft.into_response().unwrap_or_default();
        if let Some(at) = written.location.clone().filter(|r| !r.is_empty()) {
            let name = Derived::synthetic("Location");
            response.fields.0.push(FieldLine { name, value: text.slice(at) });
        }
        response.body = Body { bytes: text.slice(0..written.begin), complete: false };
    } else {
        let first = words_of.lines().next().unwrap_or_default();
        let title = words_of.split_once("<title>").map(|(_, t)| t.get(..40).unwrap_or(t));
        let status = words::status(first).0.or_else(|| title.and_then(|t| words::status(t).0));
        let status = status.or_else(|| document.then(|| status_member(&words_of)).flatten());
        let status = status.or_else(|| is_reason(&words_of).then_some(401));
        let status = status.or_else(|| (document && is_served(&words_of)).then_some(200));
        response.status = status.unwrap_or(0);
        response.body = Body { bytes: text, complete: true };
        exchange.shows.body = true;
    }
    response.complete = false;
    exchange.response = Some(response);
    out.complete_by_command(&mut exchange);
    statement.beside = Some(out.index());
    out.exchange(exchange);
    out.say(statement);
}

/// Whether a JSON document tells of no failure: what an API answers that lets its client in.
fn is_served(text: &str) -> bool {
    const FAILURES: &[&str] = &[
        "error",
        "fail",
        "unauthor",
        "denied",
        "invalid",
        "forbidden",
        "refused",
        "not allowed",
        "missing",
        "expired",
        "message",
        "reason",
        "exception",
        "fault",
        "required",
        "\"success\"",
        "wrong",
        "errmsg",
        "\"ok\"",
        "permission",
    ];
    let lower = text.to_ascii_lowercase();
    lower.starts_with(['{', '[']) && lower.len() > 20 && !FAILURES.iter().any(|w| lower.contains(w))
}

/// Whether an answer consists of the reason phrase of 401 and nothing else: `Unauthorized`, `{"message":"Unauthorized"}`.
fn is_reason(text: &str) -> bool {
    let words: Vec<&str> =
        text.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty()).take(4).collect();
    let last = words.last().is_some_and(|w| w.eq_ignore_ascii_case("unauthorized"));
    let member = |w: &&str| matches!(w.to_ascii_lowercase().as_str(), "message" | "error" | "detail" | "msg");
    last && words.iter().rev().skip(1).all(member)
}

/// The status that a JSON error repeats in its body (RFC 9457 section 3.1.2 calls it `status`).
fn status_member(text: &str) -> Option<u16> {
    ["\"status\"", "\"statusCode\"", "\"status_code\"", "\"code\""].iter().find_map(|name| {
        let (_, rest) = text.split_once(name)?;
        let value = rest.trim_start().strip_prefix(':')?.trim_start().trim_start_matches('"');
        let digits: String = value.chars().take_while(char::is_ascii_digit).take(4).collect();
        digits.parse().ok().filter(|s| (400..600).contains(s))
    })
}

/// What `-w` wrote.
struct Written {
    begin: usize,
    status: u16,
    status_at: std::ops::Range<usize>,
    location: Option<std::ops::Range<usize>>,
}

/// Matches the text against the format from the end, since the body stands before it.
fn written(format: &str, text: &str) -> Option<Written> {
    let format = format.replace("\\n", "\n").replace("\\t", "\t").replace("\\r", "\r");
    let mut parts: Vec<(String, Option<String>)> = Vec::new();
    for (i, part) in format.split("%{").enumerate() {
        match part.split_once('}').filter(|_| i > 0) {
            Some((name, literal)) => parts.push((literal.to_owned(), Some(name.to_owned()))),
            None => parts.push((part.to_owned(), None)),
        }
    }
    // The text that was kept has no line break at its end.
    if let Some((last, _)) = parts.last_mut() {
        last.truncate(last.trim_end().len());
    }
    let mut end = text.len();
    let (mut status, mut location) = (None, None);
    for (literal, variable) in parts.iter().rev() {
        end = end
            .checked_sub(literal.len())
            .filter(|e| text.get(*e..).is_some_and(|t| t.starts_with(literal.as_str())))?;
        let Some(name) = variable else { continue };
        let before = text.get(..end)?;
        let start = match name.as_str() {
            "http_code" | "response_code" | "http_connect" => before.len() - 3.min(before.len()),
            _ => before.rfind(char::is_whitespace).map_or(0, |i| i + 1),
        };
        match name.as_str() {
            "http_code" | "response_code" => status = Some(start..end),
            "redirect_url" => location = Some(start..end),
            _ => {}
        }
        end = start;
    }
    let status_at = status?;
    let status = text.get(status_at.clone())?.parse().ok()?;
    Some(Written { begin: end, status, status_at, location })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_out_is_matched_against_its_format() {
        let w = written("%{http_code} -> %{redirect_url}\\n", "302 -> http://x/login?a=b").unwrap();
        assert_eq!((w.status, w.location, w.begin), (302, Some(7..25), 0));
        let w = written("\\nHTTP %{http_code}", "{\"error\":1}\nHTTP 401").unwrap();
        assert_eq!((w.status, w.begin), (401, 11));
        assert!(written("%{http_code}", "no").is_none());
        assert!(written("%{time_total}", "0.5").is_none());
    }

    #[test]
    fn the_status_is_told_by_the_document() {
        for text in ["Unauthorized", "{\"message\":\"Unauthorized\"}", "401 Unauthorized"] {
            assert_eq!(is_reason(text), text.starts_with(['U', '{']), "{text}");
        }
        assert!(!is_reason("You are unauthorized") && !is_reason("") && !is_reason("{}"));
        assert!(is_served(r#"{"cluster_name":"a","nodes":1}"#));
        assert!(
            !is_served(r#"{"error":"invalid_token"}"#)
                && !is_served("{}")
                && !is_served("<html><body>page</body>")
        );
    }
}
