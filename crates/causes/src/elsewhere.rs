//! Credentials outside the Authorization field: keys in other fields, in the query, in the content, in cookies.

use crate::{Scene, Step};
use why401_http::query_of;
use why401_report::Annotation;

/// Words in the name of a field or parameter that holds a secret or a signature.
const WORDS: &[&str] = &[
    "apikey",
    "api-key",
    "api_key",
    "token",
    "auth",
    "secret",
    "signature",
    "credential",
    "hmac",
    "password",
    "passwd",
    "session",
    "access-key",
    "access_key",
    "subscription-key",
    "jwt",
    "subscription",
    "x-ha-access",
];
/// Names with such a word that hold none.
const NOT_SECRET: &[&str] = &[
    "csrf",
    "xsrf",
    "authority",
    "author",
    "sec-",
    "x-forwarded",
    "signature-input",
    "token_type",
    "token-type",
    // Of a transport, not of a person: the Model Context Protocol's session, SignalR's connection.
    "mcp-session-id",
    "connectiontoken",
];
/// Names that are short for one.
const NAMES: &[&str] = &["sig", "key", "sign", "code", "appid", "hmac"];

impl<'a> Step<'a> {
    /// Credentials of this request outside `Authorization`: where they stand, in words, and the bytes.
    ///
    /// A service that takes keys in a field of its own, in the query or in a form has seen credentials, though there is
    /// no `Authorization`.
    pub fn other_credentials(&self, scene: &Scene<'_>) -> Option<(String, Annotation)> {
        let (view, request) = self.request()?;
        for field in request.fields.iter().filter(|f| f.value.len() >= 4) {
            let name = field.name.to_text().to_ascii_lowercase();
            if name != "authorization"
                && name != "proxy-authorization"
                && name != "cookie"
                && is_secret(&name)
            {
                return Some((
                    format!("the field {}", field.name.to_text()),
                    scene.show_field(view, field, "these credentials were sent"),
                ));
            }
        }
        let target = request.target().into_owned();
        if let Some((name, at)) = parameter(query_of(&target).unwrap_or_default()) {
            let start = target.split_once('?').map_or(0, |(path, _)| path.len() + 1);
            let from = request.line.to_text().find(&target).unwrap_or(0) + start;
            let shown = scene.show_part(
                view.source,
                &request.line,
                from + at.start..from + at.end,
                "these credentials were sent",
            );
            return Some((format!("the query ({name})"), shown));
        }
        let body = request.body.text();
        let content = body.trim_start();
        if content.starts_with('{') {
            let (_, at, _) = members(&body).next()?;
            return Some((
                "the content".to_owned(),
                scene.show_part(view.source, &request.body.bytes, at, "these credentials were sent"),
            ));
        }
        if let Some((what, at)) = xml(&body) {
            return Some((
                what.to_owned(),
                scene.show_part(view.source, &request.body.bytes, at, "these credentials were sent"),
            ));
        }
        let (_, at) =
            if content.contains('=') && !content.contains('<') { parameter(&body)? } else { return None };
        Some((
            "the content".to_owned(),
            scene.show_part(view.source, &request.body.bytes, at, "these credentials were sent"),
        ))
    }
}

/// Where an XML document holds credentials: the security header of a SOAP message with a user name, a token or a certificate
/// in it (OASIS, Web Services Security: SOAP Message Security 1.1, section 6), or a password, as element or attribute.
fn xml(body: &str) -> Option<(&'static str, std::ops::Range<usize>)> {
    if !body.trim_start().starts_with('<') {
        return None;
    }
    let find = |kinds: &[&str]| kinds.iter().find_map(|k| body.find(k).map(|at| at..at + k.len()));
    let secured = find(&["UsernameToken", "BinarySecurityToken", "EncryptedAssertion", ":Assertion"]);
    let password =
        || find(&["<password>", "<Password>", " password=\"", " Password=\"", "<passwd>", "<apiKey>"]);
    secured.map(|at| ("the content (WS-Security)", at)).or_else(|| Some(("the content", password()?)))
}

/// Beginnings of the names of fields whose values may be long words and are nobody's secret: those that RFC 9110 and Fetch
/// define, and numbers by which a request is followed (W3C Trace Context, B3, vendors' request identifiers).
const NO_SECRETS: &[&str] = &[
    "accept",
    "access-control",
    "baggage",
    "cache",
    "cf-",
    "connection",
    "content",
    "cookie",
    "date",
    "dnt",
    "expect",
    "forwarded",
    "from",
    "host",
    "idempotency",
    "if-",
    "keep-alive",
    "last-event",
    "mcp-",
    "newrelic",
    "origin",
    "pragma",
    "priority",
    "range",
    "referer",
    "request-id",
    "sec-",
    "sentry",
    "soapaction",
    "te",
    "trace",
    "trailer",
    "transfer",
    "upgrade",
    "user-agent",
    "via",
    "x-amzn",
    "x-b3",
    "x-client",
    "x-cloud-trace",
    "x-correlation",
    "x-datadog",
    "x-envoy",
    "x-forwarded",
    "x-github",
    "x-http-method",
    "x-real",
    "x-request",
    "x-requested",
    "x-trace",
    ":",
];

/// A field that nobody knows and whose value looks as keys do: a service may read it.
pub(crate) fn may_be_key(request: &why401_http::Request) -> Option<&why401_http::FieldLine> {
    /// Keys that are made at random are at least so long.
    const LEAST: usize = 16;
    request.fields.iter().find(|f| {
        let (name, value) = (f.name.to_text().to_ascii_lowercase(), f.value.as_bytes());
        let digits = value.iter().filter(|b| b.is_ascii_digit()).count();
        value.len() >= LEAST
            && digits >= 2
            && value.iter().any(u8::is_ascii_alphabetic)
            && value.iter().all(|b| b.is_ascii_alphanumeric() || b"_-.+/=~".contains(b))
            && !NO_SECRETS.iter().any(|known| name.starts_with(known))
    })
}

/// Whether a field or parameter of this name, in lower case, holds a secret.
pub(crate) fn is_secret(name: &str) -> bool {
    // The author of a thing is named; an authorization is none.
    let name = name.replace("authorization", "auth");
    let name = name.as_str();
    (WORDS.iter().any(|w| name.contains(w)) || NAMES.contains(&name))
        && !NOT_SECRET.iter().any(|w| name.contains(w))
}

/// The members of a JSON document that hold a secret: their names in lower case (some services write them in capitals),
/// where these stand, and their values as they are written.
pub(crate) fn members(json: &str) -> impl Iterator<Item = (String, std::ops::Range<usize>, &str)> {
    /// More members than logins have are not looked at.
    const MEMBERS: usize = 200;
    let mut from = 0;
    let strings = std::iter::from_fn(move || {
        let start = from + json.get(from..)?.find('"')?;
        let rest = json.get(start + 1..)?;
        let end = start
            + 1
            + rest
                .char_indices()
                .scan(false, |escaped, (i, c)| {
                    let ends = c == '"' && !*escaped;
                    *escaped = c == '\\' && !*escaped;
                    Some((i, ends))
                })
                .find_map(|(i, ends)| ends.then_some(i))?;
        from = end + 1;
        Some((start..end + 1, json.get(start + 1..end)?))
    });
    let mut name: Option<(std::ops::Range<usize>, &str)> = None;
    strings.take(2 * MEMBERS).filter_map(move |(at, text)| {
        let rest = json.get(at.end..).unwrap_or_default().trim_start();
        if rest.starts_with(':') {
            name = Some((at, text));
            return None;
        }
        let (place, of) = name.take()?;
        let of = of.to_ascii_lowercase();
        let holds = text.len() >= 4 && !NAMES.contains(&of.as_str()) && is_secret(&of);
        holds.then_some((of, place, text))
    })
}

/// The first parameter of a form or query that holds a secret: its name and where it stands.
fn parameter(form: &str) -> Option<(String, std::ops::Range<usize>)> {
    let mut at = 0;
    for pair in form.split('&').take(100) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        if value.trim().len() >= 4 && is_secret(&name.trim().to_ascii_lowercase()) {
            return Some((name.trim().to_owned(), at..at + pair.trim_end().len()));
        }
        at += pair.len() + 1;
    }
    None
}
