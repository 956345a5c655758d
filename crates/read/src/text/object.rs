//! Objects as Node prints them (`util.inspect`), and JSON: errors and responses of `fetch`, axios, got, octokit.

use super::draft::Draft;
use super::lines::Line;
use super::out::{Out, Paragraph, RESPONSES};
use super::{Dialect, Took, escaped};
use why401_http::{FieldLine, Speaker};
use why401_span::Derived;

/// An object while its lines come.
#[derive(Default)]
struct Object {
    text: Paragraph,
    depth: i64,
    lines: usize,
    /// Whether its first brace was seen: an error's message and stack stand before it.
    opened: bool,
    done: bool,
}

/// Objects larger than this are not put together.
const MOST_LINES: usize = 20_000;
/// Deeper objects are not followed.
const MOST_DEPTH: usize = 64;

/// Begins with a line that opens a brace and is the head of an object: `Response {`, `AxiosError: … {`, `{`, `data: {`.
pub(super) fn begin(line: &Line, next: Option<&Line>, _out: &mut Out<'_>) -> Option<Box<dyn Dialect>> {
    let text = line.str();
    let text = text.trim_end();
    let next = next?.str().trim_start().to_owned();
    let error =
        text.split([':', ' ', '[']).next().is_some_and(|w| w.ends_with("Error") || w.ends_with("Exception"));
    // A stack trace stands between an error's first line and its members.
    if error && (next.starts_with("at ") || text.ends_with('{')) {
        return Some(Box::new(Object::default()));
    }
    let opens = text.trim() == "{" || ["Response {", ": {"].iter().any(|e| text.ends_with(e));
    let key: String = next
        .chars()
        .take_while(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '\'' | '"' | '[' | ']'))
        .collect();
    let inside = !key.is_empty() && next.get(key.len()..).is_some_and(|r| r.starts_with(": "));
    (opens && inside).then(|| Box::new(Object::default()) as Box<dyn Dialect>)
}

impl Dialect for Object {
    fn line(&mut self, line: &Line, _next: Option<&Line>, _out: &mut Out<'_>) -> Took {
        if self.done || self.lines >= MOST_LINES {
            return Took::No;
        }
        self.lines += 1;
        let depth = braces(line.bytes());
        let stack = line.bytes().trim_ascii_start().starts_with(b"at ");
        if self.lines > 1 && !self.opened && !stack && depth <= 0 {
            return Took::No;
        }
        self.opened |= line.bytes().trim_ascii_end().ends_with(b"{");
        self.text.push(line);
        if self.opened {
            self.depth += depth;
            self.done = self.depth <= 0;
        }
        Took::Yes
    }

    fn end(&mut self, out: &mut Out<'_>) {
        let text = std::mem::take(&mut self.text).finish();
        let found = members(&text);
        let beside = exchange(&found, out);
        let mut statement = out.words(Speaker::Client, text);
        statement.beside = beside;
        out.say(statement);
    }
}

/// How many braces a line opens and does not close, strings left out.
fn braces(line: &[u8]) -> i64 {
    let (mut depth, mut quote, mut escaped) = (0, None, false);
    for c in line {
        match (quote, c) {
            _ if escaped => escaped = false,
            (Some(_), b'\\') => escaped = true,
            (Some(q), c) if *c == q => quote = None,
            (None, b'"' | b'\'') => quote = Some(*c),
            (None, b'{' | b'[') => depth += 1,
            (None, b'}' | b']') => depth -= 1,
            _ => {}
        }
    }
    depth
}

/// A member: the path of its names in lower case, and its value.
struct Member {
    path: Vec<String>,
    name: Derived,
    value: Derived,
}

/// All members of an object whose values are strings, numbers or words.
fn members(text: &Derived) -> Vec<Member> {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    let mut path: Vec<String> = Vec::new();
    let mut key: Option<Derived> = None;
    let mut at = 0;
    while let Some(c) = bytes.get(at) {
        let word = bytes.get(at..).map_or(0, |b| {
            b.iter()
                .take_while(|c| c.is_ascii_alphanumeric() || matches!(c, b'_' | b'-' | b'$' | b'.'))
                .count()
        });
        if matches!(c, b'\'' | b'"' | b'`') {
            let Some((inside, end)) = escaped::string(text, at) else { break };
            at = end;
            if bytes.get(at) == Some(&b':') && key.is_none() {
                key = Some(inside);
                at += 1;
            } else if let Some(name) = key.take() {
                found.push(member(&path, name, inside));
            }
        } else if word > 0 {
            let value = text.slice(at..at + word);
            at += word;
            let symbol = value.as_bytes() == b"Symbol";
            if bytes.get(at) == Some(&b':') && key.is_none() && !symbol {
                key = Some(value);
                at += 1;
            } else {
                let rest = bytes.get(at..).unwrap_or_default();
                let ends = matches!(rest.trim_ascii_start().first(), None | Some(b',' | b'}' | b']'));
                let name = if ends || rest.starts_with(b"\n") { key.take() } else { None };
                found.extend(name.map(|name| member(&path, name, value)));
            }
        } else {
            match c {
                // The name of a class: `Object [AxiosHeaders] {`.
                b'[' if class_name(bytes.get(at..).unwrap_or_default()) > 0 => {
                    at += class_name(bytes.get(at..).unwrap_or_default());
                    continue;
                }
                b'{' | b'[' => {
                    let name = key.take().map_or_else(String::new, |k| k.to_text().to_ascii_lowercase());
                    if path.len() < MOST_DEPTH {
                        path.push(name);
                    }
                }
                b'}' | b']' => {
                    path.pop();
                    key = None;
                }
                b',' => key = None,
                _ => {}
            }
            at += 1;
        }
    }
    found
}

/// The length of `[Name]` before a brace or a colon; 0 if it is something else.
fn class_name(text: &[u8]) -> usize {
    let Some(end) = text.iter().take(60).position(|c| *c == b']') else { return 0 };
    let name = text.get(1..end).unwrap_or_default();
    let word = !name.is_empty() && name.iter().all(|c| c.is_ascii_alphanumeric() || matches!(c, b'_' | b'$'));
    let behind = text.get(end + 1..).unwrap_or_default();
    if word && (behind.starts_with(b" {") || behind.starts_with(b": ")) { end + 1 } else { 0 }
}

fn member(path: &[String], name: Derived, value: Derived) -> Member {
    let mut path: Vec<String> = path.iter().filter(|p| !p.is_empty()).cloned().collect();
    path.push(name.to_text().to_ascii_lowercase());
    Member { path, name, value }
}

/// Members of these never tell of the answer itself.
const INNER: &[&str] = &["request", "config", "options", "agent", "socket", "error"];

/// The exchange that an object tells of: a status, and perhaps fields, address, method and body; gives its index.
fn exchange(members: &[Member], out: &mut Out<'_>) -> Option<u64> {
    let last = |m: &Member| m.path.last().cloned().unwrap_or_default();
    let within =
        |m: &Member, names: &[&str]| m.path.iter().rev().skip(1).any(|p| names.contains(&p.as_str()));
    let status = members.iter().find(|m| {
        matches!(last(m).as_str(), "status" | "statuscode" | "status_code")
            && !within(m, INNER)
            && !within(m, &["data", "body", "headers"])
            && m.value.len() == 3
    })?;
    let code: u16 = status.value.to_text().parse().ok().filter(|c| (100..600).contains(c))?;
    let headers = ["headers", "responseheaders", "_headers"];
    let field = |m: &&Member| {
        within(m, &headers) && m.path.iter().rev().nth(1).is_some_and(|p| headers.contains(&p.as_str()))
    };
    let response_fields: Vec<&Member> = members.iter().filter(field).filter(|m| !within(m, INNER)).collect();
    let request_fields: Vec<&Member> =
        members.iter().filter(field).filter(|m| within(m, &["config", "request", "options"])).collect();
    if response_fields.is_empty()
        && request_fields.is_empty()
        && !members.iter().any(|m| matches!(last(m).as_str(), "url" | "requesturl"))
    {
        return None;
    }
    let as_field = |m: &&Member| FieldLine { name: m.name.clone(), value: m.value.clone() };
    let mut e = out.new_exchange(RESPONSES);
    let mut response = Draft::response(status.value.clone(), code);
    response.fields.0 = response_fields.iter().map(as_field).collect();
    response.head_done = !response_fields.is_empty();
    e.shows.response_fields = response.head_done;
    e.shows.body = false;
    e.response = response.into_response();
    let url =
        members.iter().find(|m| last(m) == "url" && m.value.len() > 1 && !within(m, &["data", "headers"]));
    let base = members.iter().find(|m| last(m) == "baseurl").map(|m| m.value.to_text().into_owned());
    if let Some(url) = url {
        let method = members.iter().find(|m| last(m) == "method" && !within(m, &["data", "headers"]));
        let method = method.map_or_else(Derived::default, |m| {
            let upper = m.value.to_text().to_ascii_uppercase();
            m.value.decoded(0..m.value.len(), upper)
        });
        let full = match base {
            Some(base) if !url.value.to_text().contains("://") => {
                let joined =
                    format!("{}/{}", base.trim_end_matches('/'), url.value.to_text().trim_start_matches('/'));
                url.value.decoded(0..url.value.len(), joined)
            }
            _ => url.value.clone(),
        };
        let method = if method.is_empty() { Derived::synthetic("GET") } else { method };
        let mut request = Draft::request(method, full, "");
        request.fields.0 = request_fields.iter().map(as_field).collect();
        request.head_done = !request_fields.is_empty();
        e.shows.authorization = request_fields.iter().any(|m| last(m) == "authorization");
        e.shows.request_fields = false;
        e.request = request.into_request();
    }
    let index = out.index();
    out.exchange(e);
    Some(index)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_of_inspected_objects_and_of_json_are_found() {
        let text = Derived::synthetic(
            "{\n  code: 'E',\n  config: { headers: Object [AxiosHeaders] { Accept: 'a', 'X-B': \"it's\" }, n: 5 },\n  \"k\": true\n}",
        );
        let all: Vec<_> =
            members(&text).iter().map(|m| format!("{}={}", m.path.join("."), m.value.to_text())).collect();
        assert_eq!(
            all,
            ["code=E", "config.headers.accept=a", "config.headers.x-b=it's", "config.n=5", "k=true"]
        );
    }

    #[test]
    fn broken_objects_end() {
        for text in ["{", "{ a: '", "]]]}}}", "a: b: c: {", "{ 'a\\", "Symbol(x): { a: 1"] {
            let _ = members(&Derived::synthetic(text));
        }
    }
}
