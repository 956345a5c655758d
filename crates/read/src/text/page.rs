//! The page that a browser shows for a refusal, copied as text or as HTML.

use super::lines::Line;
use super::out::{Out, Paragraph};
use super::{Dialect, Took};
use why401_http::Speaker;

struct Page {
    text: Paragraph,
    html: bool,
    done: bool,
}

/// What such pages say, in lower case: the line begins with it. From the error pages of IIS, Apache, nginx, Tomcat, Jetty,
/// Squid and ASP.NET.
const BEGINNINGS: &[&str] = &[
    "http error 40",
    "http status 40",
    "http status: 40",
    "http error: 40",
    "server error in '",
    "authorization required",
    "this server could not verify",
    "401 authorization required",
    "401 - unauthorized",
    "401 unauthorized",
    "403 forbidden",
    "403 - forbidden",
    "407 proxy authentication",
    "you are not authorized to view this page",
    "you do not have permission to view this directory",
    "detailed error information",
    "most likely causes",
    "things you can try",
    "the requested url could not be retrieved",
    "access denied.",
    "access is denied",
    "error 401",
    "error 403",
    "type status report",
    "message unauthorized",
    "description the request",
    "the request has not been applied",
    "unauthorized access",
    "more information:",
    "cache access denied",
    "logon method",
    "logon user",
    "requested url",
    "physical path",
    "notification\t",
    "module\t",
    "handler\t",
    "error code\t",
    "error code 0x",
    "problem accessing",
    "you supplied the wrong credentials",
    "your browser doesn't understand how",
    "proxy authentication required",
    "sorry, you are not currently allowed to request",
];

/// What such pages end with.
const ENDINGS: &[&str] = &[
    "nginx/",
    "apache/2",
    "apache tomcat/",
    "powered by jetty",
    "generated ",
    "microsoft-httpapi",
    "openresty",
    "cloudflare",
];

pub(super) fn begin(line: &Line, _next: Option<&Line>, _out: &mut Out<'_>) -> Option<Box<dyn Dialect>> {
    let html = is_html(line);
    let fits = html || is_page(&line.str());
    fits.then(|| Box::new(Page { text: Paragraph::default(), html, done: false }) as Box<dyn Dialect>)
}

fn is_html(line: &Line) -> bool {
    let text = line.bytes().trim_ascii();
    let start = text.get(..14.min(text.len())).unwrap_or_default().to_ascii_lowercase();
    start.starts_with(b"<!doctype html") || start.starts_with(b"<html") || start.starts_with(b"<head>")
}

fn is_page(text: &str) -> bool {
    let text = text.trim().to_lowercase();
    text == "unauthorized"
        || text == "forbidden"
        || BEGINNINGS.iter().any(|b| text.starts_with(b))
        || (text.len() < 80 && ENDINGS.iter().any(|e| text.starts_with(e)))
}

impl Dialect for Page {
    fn line(&mut self, line: &Line, next: Option<&Line>, _out: &mut Out<'_>) -> Took {
        if self.done {
            return Took::No;
        }
        if self.html {
            self.text.push(line);
            self.done = memchr::memmem::find(&line.bytes().to_ascii_lowercase(), b"</html>").is_some();
            return Took::Yes;
        }
        // Behind a blank line the page goes on only if it looks like it.
        if line.is_blank() && !next.is_some_and(|n| is_page(&n.str())) {
            return Took::No;
        }
        self.text.push(line);
        Took::Yes
    }

    fn end(&mut self, out: &mut Out<'_>) {
        let text = std::mem::take(&mut self.text).finish();
        let mut statement = out.words(Speaker::Page, text);
        statement.product = product(&statement.text.to_text().to_lowercase());
        out.say(statement);
    }
}

/// Whose page it is.
fn product(text: &str) -> Option<&'static str> {
    let marks: &[(&str, &str)] = &[
        ("internet information services", "iis"),
        ("iis web core", "iis"),
        ("http error 401.", "iis"),
        ("http error 403.", "iis"),
        ("microsoft-httpapi", "iis"),
        ("server error in '", "iis"),
        ("nginx", "nginx"),
        ("openresty", "nginx"),
        ("tomcat", "tomcat"),
        ("http status 40", "tomcat"),
        ("jetty", "jetty"),
        ("problem accessing", "jetty"),
        ("squid", "squid"),
        ("requested url could not be retrieved", "squid"),
        ("this server could not verify", "apache"),
        ("apache/2", "apache"),
        ("cloudflare", "cloudflare"),
    ];
    marks.iter().find(|(m, _)| text.contains(m)).map(|(_, p)| *p)
}
