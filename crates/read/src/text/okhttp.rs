//! OkHttp's logging interceptor: `--> GET http://…`, `<-- 401 Unauthorized http://… (12ms)`.

use super::draft::Draft;
use super::lines::Line;
use super::out::{MESSAGES, Out};
use super::{Dialect, Took};
use crate::http1::head;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum In {
    Request,
    Response,
    Between,
}

struct OkHttp {
    state: In,
    request: Option<Draft>,
    response: Option<Draft>,
    /// What stands before each line (a log's time and tag).
    prefix: usize,
}

pub(super) fn begin(line: &Line, _next: Option<&Line>, _out: &mut Out<'_>) -> Option<Box<dyn Dialect>> {
    let text = line.str();
    let at = text.find("--> ").or_else(|| text.find("<-- ")).filter(|at| *at < 120)?;
    let rest = text.get(at + 4..)?;
    let word = rest.split(' ').next()?;
    let request =
        text.get(at..)?.starts_with("-->") && head::is_method(word.as_bytes()) && rest.contains("://");
    let response = text.get(at..)?.starts_with("<--") && word.len() == 3 && word.parse::<u16>().is_ok();
    (request || response).then(|| {
        Box::new(OkHttp { state: In::Between, request: None, response: None, prefix: at }) as Box<dyn Dialect>
    })
}

impl Dialect for OkHttp {
    fn line(&mut self, line: &Line, _next: Option<&Line>, out: &mut Out<'_>) -> Took {
        let text = line.str();
        let mark = text.find("--> ").or_else(|| text.find("<-- ")).filter(|at| *at <= self.prefix + 16);
        let Some(at) = mark else {
            return self.inside(line);
        };
        self.prefix = at;
        let rest = text.get(at + 4..).unwrap_or_default().trim_end();
        let sent = text.get(at..).is_some_and(|t| t.starts_with("-->"));
        if rest.starts_with("END") {
            let open = if sent { &mut self.request } else { &mut self.response };
            if let Some(open) = open {
                open.head_done = true;
            }
            self.state = In::Between;
        } else if sent {
            self.give(out);
            let mut words = rest.split(' ');
            let method = words.next().map_or(0, str::len);
            let url = words.next().map_or(0, str::len);
            let place = line.text.slice(at + 4..line.text.len());
            let version = words.next().and_then(|w| w.strip_prefix("http/")).unwrap_or_default();
            self.request = Some(Draft::request(
                place.slice(0..method),
                place.slice(method + 1..method + 1 + url),
                version,
            ));
            self.state = In::Request;
        } else if let Some(code) = rest.get(..3).and_then(|c| c.parse().ok()) {
            if self.response.is_some() {
                self.give(out);
            }
            let end = rest.find(" http").unwrap_or(rest.len());
            self.response = Some(Draft::response(line.text.slice(at + 4..at + 4 + end), code));
            self.state = In::Response;
        } else {
            out.say_line(why401_http::Speaker::Client, line);
        }
        Took::Yes
    }

    fn end(&mut self, out: &mut Out<'_>) {
        self.give(out);
    }
}

impl OkHttp {
    fn inside(&mut self, line: &Line) -> Took {
        let open = match self.state {
            In::Request => self.request.as_mut(),
            In::Response => self.response.as_mut(),
            In::Between => return Took::No,
        };
        let Some(open) = open else { return Took::No };
        let text = line.from(self.prefix.min(line.text.len()));
        let text = if line.bytes().len() < self.prefix || head::looks_like_field(line.bytes()) {
            line.clone()
        } else {
            text
        };
        if !open.head_done && head::looks_like_field(text.bytes()) {
            open.field(&text.text);
        } else {
            open.head_done = true;
            if !text.is_blank() || open.body.has_content() {
                open.body_line(&text);
            }
        }
        Took::Yes
    }

    fn give(&mut self, out: &mut Out<'_>) {
        let (request, response) = (self.request.take(), self.response.take());
        if request.is_none() && response.is_none() {
            return;
        }
        let mut e = out.new_exchange(MESSAGES);
        // At the level BASIC there are no fields at all.
        let fields = |d: &Option<Draft>| d.as_ref().is_some_and(|d| !d.fields.is_empty());
        // An application interceptor sees what the application set, not what an authenticator adds later.
        e.shows.authorization = fields(&request);
        e.shows.request_fields = fields(&request);
        e.shows.cookies = false;
        e.shows.response_fields = fields(&response);
        e.request = request.and_then(Draft::into_request);
        e.response = response.and_then(Draft::into_response);
        e.shows.body = e.response.as_ref().is_some_and(|r| !r.body.bytes.is_empty());
        out.exchange(e);
    }
}
