//! The network panel of a browser, copied as text: `Request URL:`, `Status Code:`, the two blocks of fields.

use super::draft::Draft;
use super::lines::Line;
use super::out::{MESSAGES, Out};
use super::{Dialect, Took, prompt};
use crate::http1::head;
use why401_http::FieldLine;
use why401_span::Derived;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    General,
    Response,
    Request,
    Other,
}

struct Panel {
    part: Part,
    url: Option<Derived>,
    method: Option<Derived>,
    status: Option<(Derived, u16)>,
    response: Vec<FieldLine>,
    request: Vec<FieldLine>,
    /// A name whose value stands on the next line, as newer browsers copy it.
    name: Option<Derived>,
    /// Names of blocks that were seen.
    saw_request: bool,
    saw_response: bool,
}

/// More fields of one message are not kept.
const MOST_FIELDS: usize = 1000;

pub(super) fn begin(line: &Line, next: Option<&Line>, _out: &mut Out<'_>) -> Option<Box<dyn Dialect>> {
    let text = line.str();
    let general =
        key_value(&text).is_some_and(|(k, _)| matches!(k.as_str(), "request url" | "request method"));
    let heading = heading(&text).is_some()
        && next.is_some_and(|n| {
            let n = n.str();
            head::looks_like_field(n.trim().as_bytes())
                || key_value(&n).is_some_and(|(k, _)| k == "request url")
        });
    (general || heading).then(|| {
        Box::new(Panel {
            part: Part::General,
            url: None,
            method: None,
            status: None,
            response: Vec::new(),
            request: Vec::new(),
            name: None,
            saw_request: false,
            saw_response: false,
        }) as Box<dyn Dialect>
    })
}

/// A heading of a block.
fn heading(text: &str) -> Option<Part> {
    let text = text.trim().trim_start_matches(['▼', '▸', '#', '*', ' ']).to_ascii_lowercase();
    let word = text.split(['(', ':']).next().unwrap_or_default().trim_end_matches(['*', ' ']).to_owned();
    match word.as_str() {
        "general" => Some(Part::General),
        "response headers" | "response header" => Some(Part::Response),
        "request headers" | "request header" | "provisional headers are shown" => Some(Part::Request),
        "form data" | "query string parameters" | "request payload" | "view source" => Some(Part::Other),
        _ => None,
    }
    .filter(|_| text.len() < 60 && key_value(&text).is_none_or(|(_, v)| v.is_empty()))
}

/// `Name: value`, the name in lower case.
fn key_value(text: &str) -> Option<(String, String)> {
    let text = text.trim();
    let (key, value) = text.strip_prefix(':').unwrap_or(text).split_once(':')?;
    (key.len() < 60).then(|| (key.trim().to_ascii_lowercase(), value.trim().to_owned()))
}

impl Dialect for Panel {
    fn line(&mut self, line: &Line, _next: Option<&Line>, out: &mut Out<'_>) -> Took {
        if line.is_blank() {
            self.name = None;
            return Took::Yes;
        }
        let text = line.str();
        if let Some(part) = heading(&text) {
            self.part = part;
            self.saw_request |= part == Part::Request;
            self.saw_response |= part == Part::Response;
            return Took::Yes;
        }
        if let Some(name) = self.name.take() {
            self.value(&name, line.text.trimmed());
            return Took::Yes;
        }
        if prompt::begins(&text).is_some() {
            return Took::No;
        }
        if let Some((key, _)) = key_value(&text).filter(|(k, _)| !k.is_empty()) {
            if key == "request url" && self.url.is_some() {
                self.give(out);
            }
            let known = matches!(
                key.as_str(),
                "request url"
                    | "request method"
                    | "status code"
                    | "remote address"
                    | "referrer policy"
                    | "status"
            );
            if known
                || (self.part != Part::General
                    && head::looks_like_field(text.trim().trim_start_matches(':').as_bytes()))
            {
                let trimmed = line.text.trimmed();
                let field = head::field(&trimmed);
                if field.value.is_empty() {
                    self.name = Some(field.name);
                } else {
                    self.value(&field.name, field.value);
                }
                return Took::Yes;
            }
        }
        if self.part == Part::Other {
            return Took::Yes;
        }
        if let Some(start) = Draft::new(&line.text.trimmed()) {
            // `view source`: the heads as they were sent.
            match start.status() {
                Some(status) => self.status = Some((start.line, status)),
                None => self.url = self.url.take().or_else(|| Some(line.text.trimmed())),
            }
            return Took::Yes;
        }
        Took::No
    }

    fn end(&mut self, out: &mut Out<'_>) {
        self.give(out);
    }
}

impl Panel {
    fn value(&mut self, name: &Derived, value: Derived) {
        let key = name.to_text().trim().to_ascii_lowercase();
        match key.as_str() {
            "request url" => self.url = Some(value),
            "request method" => self.method = Some(value),
            "status code" | "status" if self.part == Part::General || key == "status code" => {
                let text = value.to_text().into_owned();
                let at = text.find(|c: char| c.is_ascii_digit()).unwrap_or(0);
                if let Some(code) = text.get(at..at + 3).and_then(|c| c.parse().ok()) {
                    self.status = Some((value.slice(at..value.len()), code));
                }
            }
            _ => {
                let fields = if self.part == Part::Request { &mut self.request } else { &mut self.response };
                if self.part != Part::General && self.part != Part::Other && fields.len() < MOST_FIELDS {
                    fields.push(FieldLine { name: name.clone(), value });
                }
            }
        }
    }

    fn give(&mut self, out: &mut Out<'_>) {
        let (url, status) = (self.url.take(), self.status.take());
        let (request, response) = (std::mem::take(&mut self.request), std::mem::take(&mut self.response));
        if url.is_none() && status.is_none() && request.is_empty() && response.is_empty() {
            return;
        }
        let mut e = out.new_exchange(MESSAGES);
        // Browsers show no credentials that they added themselves where the head is provisional.
        e.shows.authorization = self.saw_request;
        e.shows.cookies = self.saw_request;
        e.shows.request_fields = self.saw_request;
        e.shows.response_fields = self.saw_response;
        e.shows.body = false;
        if url.is_some() || !request.is_empty() {
            let method = self.method.take().unwrap_or_else(|| Derived::synthetic("GET"));
            let mut draft = Draft::request(method, url.unwrap_or_default(), "");
            draft.fields.0 = request;
            draft.head_done = self.saw_request;
            e.request = draft.into_request();
        }
        if status.is_some() || !response.is_empty() {
            let (line, code) = status.unwrap_or_default();
            let mut draft = Draft::response(line, code);
            draft.fields.0 = response;
            draft.head_done = self.saw_response;
            e.response = draft.into_response();
        }
        (self.saw_request, self.saw_response) = (false, false);
        out.exchange(e);
    }
}
