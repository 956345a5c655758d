//! What was recorded as a HAR (<http://www.softwareishard.com/blog/har-12-spec/>), which diagnoses the same.

use serde_json::{Value, json};
use std::io::{self, Write};
use why401_auth::base64;
use why401_http::{Body, Exchange, Fields};

/// Writes entries as they come.
pub struct Writer<W: Write> {
    to: W,
    entries: u64,
}

impl<W: Write> Writer<W> {
    /// Begins a HAR.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn new(mut to: W) -> io::Result<Self> {
        let creator = json!({ "name": "why401", "version": env!("CARGO_PKG_VERSION") });
        write!(to, "{{\"log\":{{\"version\":\"1.2\",\"creator\":{creator},\"entries\":[")?;
        Ok(Writer { to, entries: 0 })
    }

    /// Adds an exchange.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn add(&mut self, e: &Exchange) -> io::Result<()> {
        let joint = if self.entries == 0 { "\n" } else { ",\n" };
        self.entries += 1;
        write!(self.to, "{joint}{}", entry(e))
    }

    /// Ends it.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn finish(mut self) -> io::Result<()> {
        self.to.write_all(b"\n]}}\n")?;
        self.to.flush()
    }
}

fn entry(e: &Exchange) -> Value {
    let started = e.time.map_or_else(String::new, |t| t.at.to_string());
    let version = |v: &str| format!("HTTP/{v}");
    let request = e.request.as_ref().map(|r| {
        let scheme = r.scheme.as_deref().unwrap_or("http");
        let target = r.target();
        let url = match (target.contains("://"), r.authority()) {
            (false, Some(authority)) => format!("{scheme}://{authority}{target}"),
            _ => target.into_owned(),
        };
        let mut out = json!({
            "method": r.method(),
            "url": url,
            "httpVersion": version(&r.version),
            "cookies": [],
            "headers": fields(&r.fields),
            "queryString": [],
            "headersSize": -1,
            "bodySize": r.body.bytes.len(),
        });
        if !r.body.bytes.is_empty() {
            let kind = r.fields.text("content-type").unwrap_or_default();
            add(&mut out, "postData", json!({ "mimeType": kind, "text": r.body.text() }));
        }
        out
    });
    let response = e.response.as_ref().map(|r| {
        json!({
            "status": r.status,
            "statusText": "",
            "httpVersion": version(&r.version),
            "cookies": [],
            "headers": fields(&r.fields),
            "content": content(&r.body, r.fields.text("content-type").as_deref().unwrap_or_default()),
            "redirectURL": r.fields.text("location").unwrap_or_default(),
            "headersSize": -1,
            "bodySize": -1,
        })
    });
    let mut out = json!({
        "startedDateTime": started,
        "time": 0,
        "request": request,
        "response": response,
        "cache": {},
        "timings": { "send": 0, "wait": 0, "receive": 0 },
    });
    if let Some(server) = &e.server {
        add(&mut out, "serverIPAddress", json!(server.host));
    }
    if let Some(connection) = e.connection {
        add(&mut out, "connection", json!(connection.to_string()));
    }
    out
}

fn add(to: &mut Value, name: &str, value: Value) {
    to.as_object_mut().map(|o| o.insert(name.to_owned(), value));
}

fn fields(fields: &Fields) -> Vec<Value> {
    fields.iter().map(|f| json!({ "name": f.name.to_text(), "value": f.text() })).collect()
}

fn content(body: &Body, kind: &str) -> Value {
    let bytes = body.bytes.as_bytes();
    match std::str::from_utf8(bytes) {
        Ok(text) => json!({ "size": bytes.len(), "mimeType": kind, "text": text }),
        Err(_) => {
            json!({ "size": bytes.len(), "mimeType": kind, "text": base64::encode(bytes), "encoding": "base64" })
        }
    }
}
