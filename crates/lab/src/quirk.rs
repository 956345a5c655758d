//! Answering as a known server does: its Server field, its page, its letter case, its wording of a challenge.

use crate::message::{Answer, Request, reason};

/// The servers that `?as=` takes.
pub(crate) const NAMES: [&str; 9] =
    ["apache", "nginx", "iis", "kestrel", "spring", "tomcat", "lighttpd", "haproxy", "express"];

/// Completes an answer with what every server sends, as the server that the request asks for.
pub(crate) fn dress(answer: Answer, request: &Request, now: i64) -> Answer {
    let date = jiff::Timestamp::from_second(now)
        .unwrap_or_default()
        .strftime("%a, %d %b %Y %H:%M:%S GMT")
        .to_string();
    let name = request.parameter("as").unwrap_or_default();
    let mut answer = answer;
    let is = |answer: &Answer, field: &str| answer.fields.iter().any(|(n, _)| n.eq_ignore_ascii_case(field));
    let mut first: Vec<(String, Vec<u8>)> = Vec::new();
    let mut put = |field: &str, value: &str| {
        if !is(&answer, field) {
            first.push((field.to_owned(), value.as_bytes().to_vec()));
        }
    };
    match name.as_str() {
        // Apache writes Date before Server, nginx the other way round.
        "apache" => {
            put("Date", &date);
            put("Server", "Apache/2.4.57 (Debian)");
        }
        "nginx" => {
            put("Server", "nginx/1.22.1");
            put("Date", &date);
        }
        "iis" => {
            put("Server", "Microsoft-IIS/10.0");
            put("X-Powered-By", "ASP.NET");
            put("Date", &date);
        }
        "kestrel" => {
            put("Date", &date);
            put("Server", "Kestrel");
        }
        "spring" => {
            put("X-Content-Type-Options", "nosniff");
            put("X-XSS-Protection", "0");
            put("Cache-Control", "no-cache, no-store, max-age=0, must-revalidate");
            put("Pragma", "no-cache");
            put("Expires", "0");
            put("X-Frame-Options", "DENY");
            put("Date", &date);
        }
        "tomcat" => put("Date", &date),
        "lighttpd" => {
            put("Date", &date);
            put("Server", "lighttpd/1.4.69");
        }
        "haproxy" => put("cache-control", "no-cache"),
        "express" => {
            put("X-Powered-By", "Express");
            put("Date", &date);
        }
        _ => {
            put("Date", &date);
            put("Server", "why401-lab");
        }
    }
    answer.fields.splice(0..0, first);
    if answer.plain
        && let Some((kind, body)) = page(&name, answer.status, request, now)
    {
        answer.fields.retain(|(n, _)| !n.eq_ignore_ascii_case("content-type"));
        if !kind.is_empty() {
            answer.fields.push(("Content-Type".to_owned(), kind.as_bytes().to_vec()));
        }
        answer.body = body.into_bytes();
    }
    if matches!(name.as_str(), "apache" | "nginx" | "lighttpd" | "tomcat" | "haproxy") {
        // They say the realm and nothing else.
        for (_, value) in
            answer.fields.iter_mut().filter(|(n, v)| n == "WWW-Authenticate" && v.starts_with(b"Basic "))
        {
            let text = String::from_utf8_lossy(value).replace(", charset=\"UTF-8\"", "");
            *value = text.into_bytes();
        }
    }
    if name == "haproxy" {
        answer.fields.iter_mut().for_each(|(n, _)| n.make_ascii_lowercase());
    }
    answer
}

/// The server's own page of an error and its media type.
fn page(name: &str, status: u16, request: &Request, now: i64) -> Option<(&'static str, String)> {
    let phrase = reason(status);
    Some(match name {
        "apache" => (
            "text/html; charset=iso-8859-1",
            format!(
                "<!DOCTYPE HTML PUBLIC \"-//IETF//DTD HTML 2.0//EN\">\n<html><head>\n<title>{status} {phrase}</title>\n</head><body>\n\
                 <h1>{phrase}</h1>\n<p>This server could not verify that you\nare authorized to access the document\nrequested.  Either you \
                 supplied the wrong\ncredentials (e.g., bad password), or your\nbrowser doesn't understand how to supply\nthe credentials \
                 required.</p>\n</body></html>\n"
            ),
        ),
        "nginx" => {
            let phrase = if status == 401 { "Authorization Required" } else { phrase };
            (
                "text/html",
                format!(
                    "<html>\r\n<head><title>{status} {phrase}</title></head>\r\n<body>\r\n<center><h1>{status} {phrase}</h1></center>\r\n\
                     <hr><center>nginx/1.22.1</center>\r\n</body>\r\n</html>\r\n"
                ),
            )
        }
        "iis" => (
            "text/html",
            format!(
                "<!DOCTYPE html PUBLIC \"-//W3C//DTD XHTML 1.0 Strict//EN\" \"http://www.w3.org/TR/xhtml1/DTD/xhtml1-strict.dtd\">\r\n\
                 <html><head><title>{status} - {phrase}: Access is denied due to invalid credentials.</title></head>\r\n<body>\
                 <h2>{status} - {phrase}: Access is denied due to invalid credentials.</h2>\r\n<h3>You do not have permission to view this \
                 directory or page using the credentials that you supplied.</h3></body></html>\r\n"
            ),
        ),
        "kestrel" => ("", String::new()),
        "spring" => (
            "application/json",
            serde_json::json!({
                "timestamp": jiff::Timestamp::from_second(now).unwrap_or_default().to_string(),
                "status": status, "error": phrase, "path": request.path(),
            })
            .to_string(),
        ),
        "tomcat" => (
            "text/html;charset=utf-8",
            format!(
                "<!doctype html><html lang=\"en\"><head><title>HTTP Status {status} \u{2013} {phrase}</title></head><body>\
                 <h1>HTTP Status {status} \u{2013} {phrase}</h1></body></html>"
            ),
        ),
        "lighttpd" => (
            "text/html",
            format!(
                "<!DOCTYPE html>\n<html lang=\"en\">\n <head>\n  <title>{status} {phrase}</title>\n </head>\n <body>\n  <h1>{status} {phrase}</h1>\n </body>\n</html>\n"
            ),
        ),
        "haproxy" => (
            "text/html",
            format!(
                "<html><body><h1>{status} {phrase}</h1>\nYou need a valid user and password to access this content.\n</body></html>\n"
            ),
        ),
        "express" => ("text/plain; charset=utf-8", phrase.to_owned()),
        _ => return None,
    })
}
