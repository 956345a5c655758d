//! A span, and many of them as OTLP's JSON (OpenTelemetry protocol 1.x, "JSON Protobuf Encoding": ids in hexadecimal, 64-bit
//! numbers as text, enumerations as numbers). The attributes are those of the semantic conventions for HTTP servers.

use super::Context;
use serde_json::{Value, json};

/// A request that has been answered.
#[derive(Debug, Clone)]
pub(crate) struct Span {
    pub(crate) context: Context,
    /// Nanoseconds since 1970.
    pub(crate) begun: i128,
    pub(crate) ended: i128,
    pub(crate) method: String,
    /// The pattern of the rule.
    pub(crate) route: Option<String>,
    /// Without secrets.
    pub(crate) target: String,
    pub(crate) scheme: &'static str,
    pub(crate) host: Option<String>,
    pub(crate) version: &'static str,
    pub(crate) client: String,
    pub(crate) user_agent: Option<String>,
    pub(crate) status: u16,
    pub(crate) sent: u64,
    pub(crate) cause: Option<&'static str>,
    pub(crate) reference: Option<String>,
}

const METHODS: &[&str] =
    &["CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE", "QUERY"];

/// `SPAN_KIND_SERVER`.
const SERVER: u8 = 2;
/// `STATUS_CODE_ERROR`.
const ERROR: u8 = 2;

impl Span {
    fn attributes(&self) -> Vec<Value> {
        let mut out = Vec::with_capacity(16);
        let mut text =
            |key: &str, value: &str| out.push(json!({"key": key, "value": {"stringValue": value}}));
        let is_known = METHODS.contains(&self.method.as_str());
        text("http.request.method", if is_known { &self.method } else { "_OTHER" });
        if !is_known {
            text("http.request.method_original", &self.method);
        }
        if let Some(route) = &self.route {
            text("http.route", route);
        }
        let (path, query) = self.target.split_once('?').unwrap_or((&self.target, ""));
        text("url.path", path);
        if !query.is_empty() {
            text("url.query", query);
        }
        text("url.scheme", self.scheme);
        text("client.address", &self.client);
        text("network.protocol.version", self.version);
        if let Some(agent) = &self.user_agent {
            text("user_agent.original", agent);
        }
        let mut port = None;
        if let Some(host) = &self.host {
            let parsed = host.rsplit_once(':').and_then(|(name, p)| Some((name, p.parse::<u16>().ok()?)));
            port = parsed.map(|(_, port)| port);
            text("server.address", parsed.map_or(host, |(name, _)| name));
        }
        if let Some(reference) = &self.reference {
            text("why401.reference", reference);
        }
        // What a catalogue names is of few values, as the conventions ask of `error.type`.
        let status = self.status.to_string();
        match self.cause {
            Some(cause) => text("error.type", cause),
            None if self.status >= 500 => text("error.type", &status),
            None => {}
        }
        let mut number =
            |key: &str, value: u64| out.push(json!({"key": key, "value": {"intValue": value.to_string()}}));
        number("http.response.status_code", u64::from(self.status));
        number("http.response.body.size", self.sent);
        if let Some(port) = port {
            number("server.port", u64::from(port));
        }
        out
    }

    fn json(&self) -> Value {
        let method = if METHODS.contains(&self.method.as_str()) { &self.method } else { "HTTP" };
        let name = match &self.route {
            Some(route) => format!("{method} {route}"),
            None => method.to_owned(),
        };
        let mut span = json!({
            "traceId": format!("{:032x}", self.context.trace),
            "spanId": format!("{:016x}", self.context.span),
            // The span's parent is of another process (the flag of the protocol for that), and the trace is recorded.
            "flags": if self.context.parent.is_some() { 0x301 } else { 0x101 },
            "name": name,
            "kind": SERVER,
            "startTimeUnixNano": self.begun.to_string(),
            "endTimeUnixNano": self.ended.max(self.begun).to_string(),
            "attributes": self.attributes(),
            // A refusal is no fault of the server's: only 5xx is an error of its span.
            "status": if self.status >= 500 { json!({"code": ERROR}) } else { json!({}) },
        });
        if let (Some(parent), Some(fields)) = (self.context.parent, span.as_object_mut()) {
            fields.insert("parentSpanId".to_owned(), format!("{parent:016x}").into());
        }
        span
    }
}

/// A request to export these spans.
pub(crate) fn request(spans: &[Span], service: &str) -> Vec<u8> {
    let version = env!("CARGO_PKG_VERSION");
    let text = |key: &str, value: &str| json!({"key": key, "value": {"stringValue": value}});
    let all: Vec<Value> = spans.iter().map(Span::json).collect();
    let request = json!({"resourceSpans": [{
        "resource": {"attributes": [text("service.name", service), text("service.version", version)]},
        "scopeSpans": [{"scope": {"name": "why401.gate", "version": version}, "spans": all}],
    }]});
    request.to_string().into_bytes()
}
