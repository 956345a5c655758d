//! One entry of a HAR, read key by key in whatever order they come.

use super::json::{Json, Stop, Text};
use why401_http::{BODY_EXCERPT, FieldLine, Fields};
use why401_span::{Builder, Derived};

/// Longest field value, address or other short text that is kept.
const VALUE: usize = 64 * 1024;
/// Most fields or cookies of one message that are kept.
const FIELDS: usize = 1000;

/// A message of an entry.
#[derive(Debug, Default)]
pub(crate) struct Message {
    /// Request: the method.
    pub(crate) method: Derived,
    /// Request: the address.
    pub(crate) url: Derived,
    /// Response: the status as written.
    pub(crate) status: Derived,
    /// Response: the reason phrase.
    pub(crate) reason: Derived,
    /// `HTTP/1.1`, `h2` ...
    pub(crate) version: Derived,
    /// The fields.
    pub(crate) fields: Fields,
    /// Whether the list of fields was read to its end.
    pub(crate) has_all_fields: bool,
    /// The cookies, by name and value.
    pub(crate) cookies: Vec<FieldLine>,
    /// The content.
    pub(crate) content: Content,
    /// Response: where it redirects to.
    pub(crate) redirect: Derived,
    /// Response: what the browser says went wrong.
    pub(crate) error: Derived,
}

/// The content of a message.
#[derive(Debug, Default)]
pub(crate) struct Content {
    /// Its text, perhaps in base64; `None` if the recorder has none.
    pub(crate) text: Option<Text>,
    /// `base64` or nothing.
    pub(crate) encoding: String,
    /// Its size as recorded.
    pub(crate) size: Option<i64>,
    /// Form parameters, where there is no text.
    pub(crate) params: Vec<FieldLine>,
    mime: String,
    is_refusal: bool,
}

/// An entry.
#[derive(Debug, Default)]
pub(crate) struct Entry {
    /// When the request was sent.
    pub(crate) started: String,
    /// The request.
    pub(crate) request: Option<Message>,
    /// The response.
    pub(crate) response: Option<Message>,
    /// The server's address.
    pub(crate) server: String,
    /// The server's port (Playwright, WebKit).
    pub(crate) server_port: Option<u16>,
    /// The connection's identifier.
    pub(crate) connection: String,
    /// Whether the entry was read to its end.
    pub(crate) complete: bool,
}

impl Entry {
    /// Whether it holds a message.
    pub(crate) fn is_some(&self) -> bool {
        self.request.is_some() || self.response.is_some()
    }

    /// Reads the value of one key of an entry; false (and nothing taken) if the key is none of an entry's.
    pub(crate) fn member(&mut self, key: &str, json: &mut Json<'_>) -> Result<bool, Stop> {
        match key {
            "request" if json.expect()? == b'{' => {
                let request = self.request.insert(Message::default());
                request.read(json)?;
            }
            "response" if json.expect()? == b'{' => {
                let response = self.response.insert(Message::default());
                response.read(json)?;
            }
            "startedDateTime" => self.started = short(json)?,
            "serverIPAddress" => self.server = short(json)?,
            "_serverPort" => self.server_port = short(json)?.parse().ok(),
            "connection" => self.connection = short(json)?,
            "cache" | "timings" | "_initiator" | "_webSocketMessages" | "_securityDetails" | "pageref" => {
                json.skip()?
            }
            _ => return Ok(false),
        }
        Ok(true)
    }
}

impl Message {
    fn read(&mut self, json: &mut Json<'_>) -> Result<(), Stop> {
        if !json.eat(b'{')? {
            return json.skip();
        }
        while let Some(key) = json.key()? {
            match key.as_str() {
                "method" => self.method = value(json)?,
                "url" => self.url = value(json)?,
                "status" => self.status = value(json)?,
                "statusText" => self.reason = value(json)?,
                "httpVersion" => self.version = value(json)?,
                "headers" => {
                    pairs(json, &mut self.fields.0)?;
                    self.has_all_fields = true;
                }
                "cookies" => pairs(json, &mut self.cookies)?,
                "content" | "postData" => {
                    // What an answer that is no refusal says is looked at, hardly ever pointed into.
                    self.content.is_refusal = !matches!(self.status.as_bytes().first(), Some(b'2' | b'3'));
                    self.content.read(json)?;
                }
                "redirectURL" => self.redirect = value(json)?,
                "_error" | "_failureText" => self.error = value(json)?,
                _ => json.skip()?,
            }
        }
        Ok(())
    }
}

impl Content {
    fn read(&mut self, json: &mut Json<'_>) -> Result<(), Stop> {
        if !json.eat(b'{')? {
            return json.skip();
        }
        while let Some(key) = json.key()? {
            match key.as_str() {
                "text" if json.expect()? == b'"' && !self.is_opaque() => {
                    // Base64 takes four bytes for three.
                    let limit = BODY_EXCERPT / 3 * 4 + 4;
                    let text =
                        if self.is_refusal { json.string(limit) } else { json.string_as_a_whole(limit) };
                    self.text = Some(text?);
                }
                "encoding" => self.encoding = short(json)?.to_ascii_lowercase(),
                "size" => self.size = short(json)?.parse().ok(),
                "mimeType" => self.mime = short(json)?.to_ascii_lowercase(),
                "params" => pairs(json, &mut self.params)?,
                _ => json.skip()?,
            }
        }
        Ok(())
    }

    /// What explains no refusal: pictures, sound, fonts, programs, style sheets.
    fn is_opaque(&self) -> bool {
        ["image/", "video/", "audio/", "font/", "text/css", "text/javascript", "application/javascript"]
            .iter()
            .any(|kind| self.mime.starts_with(kind) && !self.mime.starts_with("image/svg"))
    }
}

/// A list of `{"name": ..., "value": ...}`; some programs write an object of names and values instead.
fn pairs(json: &mut Json<'_>, out: &mut Vec<FieldLine>) -> Result<(), Stop> {
    if json.eat(b'{')? {
        while json.expect()? != b'}' {
            let name = json.string(VALUE)?.value;
            let value = value(json)?;
            push(out, Some(name), value);
        }
        json.eat(b'}')?;
        return Ok(());
    }
    if !json.eat(b'[')? {
        return json.skip();
    }
    while !json.eat(b']')? {
        if !json.eat(b'{')? {
            json.skip()?;
            continue;
        }
        let (mut name, mut text) = (None, Derived::default());
        while let Some(key) = json.key()? {
            match key.as_str() {
                "name" => name = Some(value(json)?),
                "value" => text = value(json)?,
                _ => json.skip()?,
            }
        }
        push(out, name, text);
    }
    Ok(())
}

/// WebKit joins fields of one name with line breaks; they are fields of their own again.
fn push(out: &mut Vec<FieldLine>, name: Option<Derived>, value: Derived) {
    let Some(name) = name.filter(|n| !n.is_empty()) else { return };
    if out.len() >= FIELDS {
        return;
    }
    if !value.as_bytes().contains(&b'\n') || !name.as_bytes().eq_ignore_ascii_case(b"set-cookie") {
        return out.push(FieldLine { name, value });
    }
    let mut start = 0;
    for line in value.as_bytes().split(|b| *b == b'\n') {
        let end = start + line.len();
        out.push(FieldLine { name: name.clone(), value: value.slice(start..end).trimmed() });
        start = end + 1;
    }
}

fn value(json: &mut Json<'_>) -> Result<Derived, Stop> {
    Ok(json.scalar(VALUE)?.value)
}

fn short(json: &mut Json<'_>) -> Result<String, Stop> {
    Ok(json.scalar(256)?.value.to_text().into_owned())
}

/// `a=b` joined by `between`, for cookies and forms that are recorded in parts only.
pub(crate) fn joined(parts: &[FieldLine], between: &[u8]) -> Derived {
    let mut out = Builder::new();
    for part in parts {
        if !out.is_empty() {
            out.push_synthetic(between);
        }
        out.push_part(&part.name, 0..part.name.len());
        out.push_synthetic(b"=");
        out.push_part(&part.value, 0..part.value.len());
    }
    out.finish()
}
