//! The lab's own logs: Apache's combined format, JSON with the cause, and IIS's W3C format with the substatus.

use crate::message::{Answer, Request};
use serde_json::json;
use std::io::Write;
use std::sync::{Mutex, PoisonError};

type Sink = Mutex<Box<dyn Write + Send>>;

/// Where the logs go; none by default.
#[derive(Default)]
pub(crate) struct Logs {
    combined: Option<Sink>,
    json: Option<Sink>,
    w3c: Option<Sink>,
}

/// The first lines of IIS's format.
const W3C_HEAD: &str = "#Software: Microsoft Internet Information Services 10.0\n#Version: 1.0\n#Fields: date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) cs(Referer) sc-status sc-substatus sc-win32-status time-taken\n";

impl Logs {
    /// Logs into these.
    pub(crate) fn new(
        combined: Option<Box<dyn Write + Send>>,
        json: Option<Box<dyn Write + Send>>,
        w3c: Option<Box<dyn Write + Send>>,
    ) -> Logs {
        let logs =
            Logs { combined: combined.map(Mutex::new), json: json.map(Mutex::new), w3c: w3c.map(Mutex::new) };
        put(logs.w3c.as_ref(), W3C_HEAD);
        logs
    }

    /// Writes an exchange.
    pub(crate) fn write(&self, request: &Request, answer: &Answer, sent: usize, now: i64) {
        let time = jiff::Timestamp::from_second(now).unwrap_or_default();
        if self.combined.is_some() {
            put(self.combined.as_ref(), &combined(request, answer, sent, time));
        }
        if self.json.is_some() {
            put(self.json.as_ref(), &structured(request, answer, sent, time));
        }
        if self.w3c.is_some() {
            put(self.w3c.as_ref(), &w3c(request, answer, time));
        }
    }
}

fn put(sink: Option<&Sink>, text: &str) {
    let Some(sink) = sink else { return };
    let mut sink = sink.lock().unwrap_or_else(PoisonError::into_inner);
    // A full disk must not end the lab; its answers go on.
    let _ = sink.write_all(text.as_bytes()).and_then(|()| sink.flush());
}

/// The target without its secrets.
fn target(request: &Request) -> String {
    why401_redact::target_without_secrets(&request.target)
}

/// The user that the request claims to be, or that was let in.
fn user(request: &Request, answer: &Answer) -> Option<String> {
    answer.user.clone().or_else(|| why401_auth::inside::user(request.all("authorization").next()?))
}

/// Apache's combined format; bytes that would break a line are escaped as Apache does.
fn combined(request: &Request, answer: &Answer, sent: usize, time: jiff::Timestamp) -> String {
    let user = match user(request, answer) {
        None => "-".to_owned(),
        Some(user) if user.is_empty() => "\"\"".to_owned(),
        Some(user) => escaped(&user),
    };
    let field = |name: &str| request.field(name).map_or("-".to_owned(), |v| escaped(&v));
    format!(
        "{} - {user} [{}] \"{} {} {}\" {} {sent} \"{}\" \"{}\"\n",
        request.below.client.ip(),
        time.strftime("%d/%b/%Y:%H:%M:%S +0000"),
        escaped(&request.method),
        escaped(&target(request)),
        request.version,
        answer.status,
        field("referer"),
        field("user-agent"),
    )
}

fn escaped(text: &str) -> String {
    let mut out = String::new();
    for b in text.bytes() {
        match b {
            b'"' | b'\\' => out.extend(['\\', b as char]),
            0x20..=0x7e => out.push(b as char),
            _ => out.push_str(&format!("\\x{b:02x}")),
        }
    }
    out
}

/// One JSON object a line. `cause` is the name of a cause of the catalogue.
fn structured(request: &Request, answer: &Answer, sent: usize, time: jiff::Timestamp) -> String {
    let line = json!({
        "time": time.to_string(),
        "logger": "why401",
        "cause": answer.cause,
        "reason": (!answer.says.is_empty()).then_some(&answer.says),
        "remote_addr": request.below.client.ip().to_string(),
        "remote_user": user(request, answer).unwrap_or_else(|| "-".to_owned()),
        "request_method": request.method,
        "request_uri": target(request),
        "server_protocol": request.version,
        "scheme": if request.below.tls.is_some() { "https" } else { "http" },
        "host": request.authority(),
        "status": answer.status,
        "body_bytes_sent": sent,
        "http_referer": request.field("referer"),
        "http_user_agent": request.field("user-agent"),
        "substatus": answer.substatus.map(|(s, _)| s),
    });
    format!("{line}\n")
}

fn w3c(request: &Request, answer: &Answer, time: jiff::Timestamp) -> String {
    let word = |text: &str| match text.is_empty() {
        true => "-".to_owned(),
        false => text.chars().map(|c| if c.is_ascii_graphic() { c } else { '+' }).collect(),
    };
    let target = target(request);
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    let (substatus, win32) = answer.substatus.unwrap_or((u16::from(answer.status == 401), 0));
    format!(
        "{} {} {} {} {} {} {} {} {} {} {} {substatus} {win32} 0\n",
        time.strftime("%Y-%m-%d %H:%M:%S"),
        request.below.server.ip(),
        word(&request.method),
        word(path),
        word(query),
        request.below.server.port(),
        word(&user(request, answer).unwrap_or_default()),
        request.below.client.ip(),
        word(&request.field("user-agent").unwrap_or_default()),
        word(&request.field("referer").unwrap_or_default()),
        answer.status,
    )
}
