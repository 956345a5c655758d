//! An authentication field taken apart for people and programs: `why401 decode`.

mod carried;
mod claims;
mod differences;
mod other;
mod text;

pub use claims::is_harmless as is_public_claim;
pub use differences::Difference;

use crate::field::{Element, Param};
use crate::problem::{Parsed, Problem};
use crate::secret::mask;
use crate::sensitive::{is_public_param, looks_secret};
use crate::{inside, jwt_or_vendor};
use serde::Serialize;
use serde_json::Value;

/// A field taken apart. Serialised, it is one document of `why401 decode --format json`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Decoded {
    /// The name of the field, as it is customarily written where it is known.
    pub field: String,
    /// Whether the value keeps to its grammar: RFC 9110's for challenges and credentials.
    pub ok: bool,
    /// The challenges, in fields that hold challenges.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub challenges: Option<Vec<Part>>,
    /// The credentials, in fields that hold credentials: the first set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credentials: Option<Part>,
    /// Further sets of credentials, where a comma joins several.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub further: Vec<Part>,
    /// What is carried: for challenges a list, one entry for each; else one object. `null` where nothing more is known.
    pub inside: Value,
    /// What is wrong or odd, in the order of the bytes.
    pub problems: Vec<Place>,
    /// Where known programs read this value differently.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub differences: Vec<Difference>,
}

/// A scheme with what follows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Part {
    /// In lower case.
    pub scheme: String,
    /// The token68.
    pub token68: Option<String>,
    /// Names in lower case, values unquoted and unescaped; a name without a value has `null`.
    pub params: Vec<(String, Option<String>)>,
}

/// A problem with its place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Place {
    /// The first byte, relative to the field value.
    pub start: usize,
    /// After the last byte.
    pub end: usize,
    /// What is wrong.
    pub what: String,
}

/// Takes a field apart by its name. Secrets are masked unless `show_secrets`.
pub fn decode(name: &str, value: &[u8], show_secrets: bool) -> Decoded {
    let lower = name.trim().to_ascii_lowercase();
    match lower.as_str() {
        "www-authenticate" | "proxy-authenticate" => challenges(name, value, show_secrets),
        "authorization" | "proxy-authorization" => credentials(name, value, show_secrets),
        _ => other::decode(name, &lower, value, show_secrets),
    }
}

/// Takes apart a line `Name: value`, or a value alone, which is read as `Authorization`.
pub fn decode_line(line: &[u8], show_secrets: bool) -> Decoded {
    let colon = line.iter().position(|b| *b == b':');
    let name = colon.and_then(|c| line.get(..c)).filter(|n| is_field_name(n));
    match (name, colon) {
        (Some(name), Some(colon)) => {
            let value = line.get(colon + 1..).unwrap_or_default();
            decode(&String::from_utf8_lossy(name.trim_ascii()), value.trim_ascii(), show_secrets)
        }
        _ => decode("Authorization", line.trim_ascii(), show_secrets),
    }
}

/// A token that is the name of a field this module knows, or that has the form of one (`X-...`).
fn is_field_name(name: &[u8]) -> bool {
    let name = name.trim_ascii();
    let text = String::from_utf8_lossy(name).to_ascii_lowercase();
    crate::syntax::is_token(name)
        && (other::canonical(&text).is_some() || text.starts_with("x-") || text.contains("auth"))
}

impl Decoded {
    fn new(name: &str, ok: bool) -> Self {
        let lower = name.trim().to_ascii_lowercase();
        Decoded {
            field: other::canonical(&lower).map_or_else(|| name.trim().to_string(), str::to_string),
            ok,
            challenges: None,
            credentials: None,
            further: Vec::new(),
            inside: Value::Null,
            problems: Vec::new(),
            differences: Vec::new(),
        }
    }

    fn add_problems(&mut self, problems: &[Problem]) {
        for p in problems {
            let place = Place { start: p.range.start, end: p.range.end, what: p.what.clone() };
            if !self.problems.contains(&place) && self.problems.len() < 200 {
                self.problems.push(place);
            }
        }
        self.problems.sort_by_key(|p| (p.start, p.end));
    }

    /// The same for people, line by line.
    pub fn to_text(&self) -> String {
        text::of(self)
    }
}

fn challenges(name: &str, value: &[u8], show: bool) -> Decoded {
    let parsed = crate::parse_challenges(value);
    let mut decoded = Decoded::new(name, parsed.strict_ok());
    decoded.add_problems(&parsed.problems);
    let mut inside = Vec::new();
    for challenge in &parsed.value {
        let carried = inside::of_challenge(value, challenge);
        decoded.add_problems(carried.problems());
        let mut json = carried::of_challenge(&carried, show);
        // DPoP's challenges have Bearer's parameters and some more.
        if let (Value::Object(map), "dpop") = (&mut json, challenge.scheme.name.as_str()) {
            map.insert("kind".into(), "dpop".into());
        }
        inside.push(json);
    }
    decoded.challenges = Some(parsed.value.iter().map(|c| part(c, show, false)).collect());
    decoded.inside = if inside.iter().all(Value::is_null) { Value::Null } else { Value::Array(inside) };
    decoded.differences = differences::of_challenges(value, &parsed);
    decoded
}

fn credentials(name: &str, value: &[u8], show: bool) -> Decoded {
    let parsed: Parsed<Vec<Element>> = crate::parse_credentials(value);
    let mut decoded = Decoded::new(name, parsed.strict_ok());
    decoded.add_problems(&parsed.problems);
    let mut parts = parsed.value.iter().map(|c| part(c, show, true));
    decoded.credentials =
        Some(parts.next().unwrap_or(Part { scheme: String::new(), token68: None, params: Vec::new() }));
    decoded.further = parts.collect();
    if let Some(first) = parsed.value.first() {
        let carried = inside::of(value, first);
        decoded.add_problems(carried.problems());
        decoded.inside = carried::of_credentials(&carried, show);
        decoded.differences = differences::of_credentials(&parsed, &carried);
    }
    decoded
}

fn part(element: &Element, show: bool, is_credentials: bool) -> Part {
    let token68 = element.token68.as_ref().map(|t| {
        let secret = is_credentials || jwt_or_vendor(t.text.expose());
        if show || !secret { t.text.expose_text().into_owned() } else { t.text.masked() }
    });
    let params = element.params.iter().map(|p| (p.name.clone(), param(p, show, is_credentials))).collect();
    // What stands in a scheme's place may be a secret, where nobody knows the scheme.
    let name = &element.scheme.name;
    let hidden = !show
        && is_credentials
        && crate::scheme::known(name).is_none()
        && looks_secret(element.scheme.written.as_bytes());
    Part { scheme: if hidden { mask(name.as_bytes()) } else { name.clone() }, token68, params }
}

fn param(p: &Param, show: bool, is_credentials: bool) -> Option<String> {
    let value = p.value.as_deref()?;
    let public = (is_public_param(&p.name) && p.is_clean()) || !is_credentials;
    if show || (public && !jwt_or_vendor(value)) {
        return Some(String::from_utf8_lossy(value).into_owned());
    }
    Some(mask(value))
}
