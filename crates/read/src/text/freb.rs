//! Failed Request Tracing of IIS: one XML document a request, with the module that refused it.

use super::draft::Draft;
use super::out::{Out, RESPONSES};
use crate::{Format, Input, Sink};
use std::io::{self, Read};
use why401_http::{FactKind, LogWords, LoggedUser, Moment, Speaker};
use why401_report::Problem;
use why401_span::{Builder, Derived, Span};

/// What Failed Request Tracing writes.
pub(crate) const FREB: Format = Format { name: "freb", fits, read };

/// Traces are a few hundred kilobytes; what is beyond this is not read.
const MOST_BYTES: u64 = 32 * 1024 * 1024;
/// As many events are told one by one.
const MOST_EVENTS: usize = 500;

fn fits(head: &[u8]) -> u8 {
    if memchr::memmem::find(head, b"<failedRequest").is_some() { 95 } else { 0 }
}

fn read(input: Input<'_>, sink: &mut dyn Sink) -> io::Result<()> {
    let mut bytes = Vec::new();
    input.bytes.take(MOST_BYTES).read_to_end(&mut bytes)?;
    if bytes.len() as u64 == MOST_BYTES {
        let what = format!("what is behind the first {MOST_BYTES} bytes was not read");
        sink.problem(Problem { offset: MOST_BYTES, line: None, what });
    }
    let end = bytes.len() as u64;
    let text = Derived::exact(bytes, Span::new(input.source, 0, end).on_line(1));
    let mut out = Out::new(input.source, sink);
    let mut from = 0;
    while let Some((start, head_end)) = element(&text, b"<failedRequest", from) {
        let next =
            memchr::memmem::find(text.as_bytes().get(head_end..).unwrap_or_default(), b"<failedRequest");
        let end = next.map_or(text.len(), |n| head_end + n);
        request(&text, start..head_end, head_end..end, &mut out);
        from = end;
    }
    Ok(())
}

/// Where the next start tag begins and ends.
fn element(text: &Derived, tag: &[u8], from: usize) -> Option<(usize, usize)> {
    let rest = text.as_bytes().get(from..)?;
    let start = memchr::memmem::find(rest, tag)?;
    let end = memchr::memchr(b'>', rest.get(start..)?)?;
    Some((from + start, from + start + end + 1))
}

fn request(text: &Derived, head: std::ops::Range<usize>, body: std::ops::Range<usize>, out: &mut Out<'_>) {
    let head = text.slice(head);
    let get = |name: &str| attribute(&head, name);
    let status_text = get("statusCode").unwrap_or_default();
    let (status, substatus) = status_of(&status_text.to_text());
    let mut e = out.new_exchange(RESPONSES);
    let mut draft = Draft::request(get("verb").unwrap_or_default(), get("url").unwrap_or_default(), "");
    let mut response = Draft::response(status_text.clone(), status.unwrap_or(0));
    let mut error = None;
    let mut at = body.start;
    let mut told = 0;
    while let Some((start, _)) =
        element(text, b"<Event ", at).or_else(|| element(text, b"<Event>", at)).filter(|(s, _)| *s < body.end)
    {
        let rest = text.as_bytes().get(start..body.end).unwrap_or_default();
        let end = memchr::memmem::find(rest, b"</Event>").map_or(body.end, |n| start + n + 8);
        at = end;
        let event = text.slice(start..end);
        let opcode = content(&event, b"<Opcode>").map(|o| o.to_text().into_owned()).unwrap_or_default();
        let data = |name: &str| content(&event, format!("<Data Name=\"{name}\">").as_bytes());
        if e.time.is_none() {
            let stamp = attribute(&event, "SystemTime").map(|t| t.to_text().into_owned());
            e.time = stamp.and_then(|t| t.parse().ok()).map(Moment::utc);
        }
        if let Some(fields) = data("Headers") {
            let open = if opcode.contains("RESPONSE") { &mut response } else { &mut draft };
            super::escaped::lines(&unescaped(&fields))
                .iter()
                .filter(|l| !l.as_bytes().trim_ascii().is_empty())
                .for_each(|l| open.field(l));
            open.head_done = true;
        }
        let code = data("ErrorCode").and_then(|c| c.to_text().parse::<u32>().ok());
        let refuses = opcode.contains("ERROR_STATUS") || opcode.contains("DENIED") || opcode.contains("FAIL");
        if refuses && code.is_some_and(|c| c != 0) {
            error = error.or(code);
        }
        if (refuses || data("HttpStatus").is_some()) && told < MOST_EVENTS {
            told += 1;
            let mut statement = out.words(Speaker::ServerLog, event.clone());
            statement.product = Some("iis");
            statement.time = e.time;
            let status = data("HttpStatus").and_then(|s| s.to_text().parse().ok());
            statement.status = status.or(statement.status);
            let sub = data("HttpSubStatus").map(|s| s.to_text().into_owned());
            statement.code =
                status.zip(sub).map(|(s, sub): (u16, String)| format!("{s}.{sub}")).or(statement.code);
            statement.beside = Some(out.index());
            out.sink.statement(statement);
        }
    }
    e.shows.authorization = draft.head_done;
    e.shows.cookies = draft.head_done;
    e.shows.request_fields = draft.head_done;
    e.shows.response_fields = response.head_done;
    e.shows.body = false;
    e.user = match get("userName").or_else(|| get("remoteUserName")) {
        Some(user) if !user.is_empty() => LoggedUser::Name(user),
        Some(_) => LoggedUser::Dash,
        None => LoggedUser::NotLogged,
    };
    e.log = Some(Box::new(LogWords {
        line: head.clone(),
        product: Some("iis"),
        substatus,
        win32: error,
        remark: get("failureReason"),
        codes: None,
        upstream: None,
        bytes: None,
    }));
    e.request = draft.into_request();
    e.response = response.into_response();
    if let (Some(status), Some(sub)) = (status, substatus.filter(|s| *s > 0)) {
        out.fact(status_text, FactKind::Code(format!("{status}.{sub}")));
    }
    out.exchange(e);
}

fn status_of(text: &str) -> (Option<u16>, Option<u16>) {
    let (status, sub) = text.split_once('.').map_or((text, None), |(s, sub)| (s, Some(sub)));
    (status.parse().ok(), sub.and_then(|s| s.parse().ok()))
}

/// The value of an attribute.
fn attribute(tag: &Derived, name: &str) -> Option<Derived> {
    let mark = format!("{name}=");
    let mut found = memchr::memmem::find_iter(tag.as_bytes(), mark.as_bytes());
    let at = found.find(|at| {
        at.checked_sub(1).and_then(|i| tag.as_bytes().get(i)).is_some_and(u8::is_ascii_whitespace)
    })?;
    let open = at + mark.len();
    let quote = *tag.as_bytes().get(open).filter(|c| matches!(c, b'"' | b'\''))?;
    let end = memchr::memchr(quote, tag.as_bytes().get(open + 1..)?)?;
    Some(unescaped(&tag.slice(open + 1..open + 1 + end)))
}

/// The content of the first element that begins with this tag.
fn content(text: &Derived, tag: &[u8]) -> Option<Derived> {
    let start = memchr::memmem::find(text.as_bytes(), tag)? + tag.len();
    let end = memchr::memchr(b'<', text.as_bytes().get(start..)?)?;
    Some(text.slice(start..start + end))
}

/// Character references undone.
fn unescaped(text: &Derived) -> Derived {
    let bytes = text.as_bytes();
    let mut out = Builder::new();
    let mut from = 0;
    while let Some(at) = bytes.get(from..).and_then(|b| memchr::memchr(b'&', b)).map(|i| from + i) {
        out.push_part(text, from..at);
        let name_end = bytes.get(at..).and_then(|b| b.iter().take(12).position(|c| *c == b';'));
        let name = name_end.and_then(|n| std::str::from_utf8(bytes.get(at + 1..at + n)?).ok());
        let decoded = name.and_then(|n| match n {
            "amp" => Some('&'),
            "lt" => Some('<'),
            "gt" => Some('>'),
            "quot" => Some('"'),
            "apos" => Some('\''),
            _ => {
                let number = n.strip_prefix('#')?;
                let code = match number.strip_prefix(['x', 'X']) {
                    Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                    None => number.parse().ok()?,
                };
                char::from_u32(code)
            }
        });
        let len = name_end.map_or(1, |n| n + 1);
        match (decoded, text.locate(at..at + len)) {
            (Some(c), Some(place)) => {
                out.push_enclosed(c.encode_utf8(&mut [0; 4]).as_bytes(), place.span);
                from = at + len;
            }
            _ => {
                out.push_part(text, at..at + 1);
                from = at + 1;
            }
        }
    }
    out.push_part(text, from..bytes.len());
    out.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Collected;
    use why401_span::SourceId;

    fn collected(xml: &str) -> Collected {
        let mut sink = Collected::default();
        let mut bytes = xml.as_bytes();
        read(Input { source: SourceId(0), bytes: &mut bytes, log_format: None, keys: &[] }, &mut sink)
            .unwrap();
        sink
    }

    const TRACE: &str = r#"<?xml version="1.0"?><failedRequest url="http://h:80/a?b=1&amp;c=2" verb="GET" userName="CORP\alice" failureReason="STATUS_CODE" statusCode="401.3">
<Event xmlns="x"><System><TimeCreated SystemTime="2026-11-22T17:14:41.123Z"/></System><EventData><Data Name="Headers">Host: h&#x0D;&#x0A;Authorization: NTLM x&#x0D;&#x0A;</Data></EventData><RenderingInfo><Opcode>GENERAL_REQUEST_HEADERS</Opcode></RenderingInfo></Event>
<Event xmlns="x"><EventData><Data Name="ModuleName">IIS Web Core</Data><Data Name="HttpStatus">401</Data><Data Name="HttpSubStatus">3</Data><Data Name="ErrorCode">2147942405</Data></EventData><RenderingInfo><Opcode>MODULE_SET_RESPONSE_ERROR_STATUS</Opcode></RenderingInfo></Event>
</failedRequest>"#;

    #[test]
    fn a_trace_names_the_request_its_fields_and_who_refused_it() {
        assert_eq!(fits(TRACE.as_bytes()), 95);
        let c = collected(TRACE);
        let e = &c.exchanges[0];
        let request = e.request.as_ref().unwrap();
        assert_eq!((&*request.method(), &*request.target()), ("GET", "http://h:80/a?b=1&c=2"));
        assert_eq!(request.fields.text("authorization").as_deref(), Some("NTLM x"));
        let log = e.log.as_ref().unwrap();
        assert_eq!((e.status(), log.substatus, log.win32), (Some(401), Some(3), Some(0x8007_0005)));
        assert_eq!((c.statements.len(), c.statements[0].code.as_deref()), (1, Some("401.3")));
        assert_eq!(e.time.unwrap().at.to_string(), "2026-11-22T17:14:41.123Z");
    }

    #[test]
    fn a_broken_trace_ends() {
        for n in 0..TRACE.len() {
            let _ = collected(TRACE.get(..n).unwrap_or_default());
        }
    }
}
