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
            // Some services write the names of members in capitals.
            let body = body.to_ascii_lowercase();
            let at = [
                "\"password\"",
                "\"client_secret\"",
                "\"refresh_token\"",
                "\"api_key\"",
                "\"apikey\"",
                "\"token\"",
                "\"idtoken\"",
                "\"id_token\"",
                "\"accesstoken\"",
                "\"access_token\"",
            ]
            .iter()
            .find_map(|k| body.find(k).map(|i| i..i + k.len()))?;
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

/// Whether a field or parameter of this name, in lower case, holds a secret.
pub(crate) fn is_secret(name: &str) -> bool {
    // The author of a thing is named; an authorization is none.
    let name = name.replace("authorization", "auth");
    let name = name.as_str();
    (WORDS.iter().any(|w| name.contains(w)) || NAMES.contains(&name))
        && !NOT_SECRET.iter().any(|w| name.contains(w))
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
