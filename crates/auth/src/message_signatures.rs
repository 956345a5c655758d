//! HTTP Message Signatures (RFC 9421): `Signature-Input` and `Signature`, dictionaries of structured fields
//! (RFC 9651); and the older `Signature` scheme of draft-cavage-http-signatures.

use crate::Secret;
use crate::field::Credentials;
use crate::problem::{Problem, ProblemKind};
use crate::syntax::{Cursor, is_ows};
use std::ops::Range;

/// One signature by its label.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SignatureInput {
    /// The label, which both fields share.
    pub label: String,
    /// Where the whole member stands in the field value.
    pub range: Range<usize>,
    /// The covered components with their parameters, as they stand (`"@method"`, `"content-digest";req`).
    pub components: Vec<Component>,
    /// When it was made, in seconds since 1970.
    pub created: Option<i64>,
    /// When it expires.
    pub expires: Option<i64>,
    /// The key's identifier.
    pub keyid: Option<String>,
    /// The algorithm.
    pub alg: Option<String>,
    /// The nonce.
    pub nonce: Option<String>,
    /// What it is meant for.
    pub tag: Option<String>,
}

/// A covered component.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Component {
    /// Its name: a field's in lower case, or one that begins with `@`.
    pub name: String,
    /// Its parameters as they stand, with the semicolons.
    pub parameters: String,
    /// Where it stands.
    pub range: Range<usize>,
}

/// What a `Signature` field holds under one label.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SignatureValue {
    /// The label.
    pub label: String,
    /// The signature, decoded.
    pub signature: Secret,
    /// Where it stands.
    pub range: Range<usize>,
}

/// The derived components of RFC 9421 section 2.2, and `@signature-params`.
const DERIVED: &[&str] = &[
    "@method",
    "@target-uri",
    "@authority",
    "@scheme",
    "@request-target",
    "@path",
    "@query",
    "@query-param",
    "@status",
    "@signature-params",
];

struct Reader<'a> {
    cur: Cursor<'a>,
    problems: Vec<Problem>,
}

impl Reader<'_> {
    fn bad(&mut self, range: Range<usize>, kind: ProblemKind, what: &str) {
        self.problems.push(Problem::new(range, kind, what));
    }

    fn skip(&mut self) {
        self.cur.take_while(|b| is_ows(b) || b == b'\r' || b == b'\n');
    }

    /// `key = lcalpha / "*"`, then lower-case letters, digits and `_-.*`.
    fn key(&mut self) -> String {
        let range =
            self.cur.take_while(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"_-.*".contains(&b));
        String::from_utf8_lossy(self.cur.slice(&range)).into_owned()
    }

    fn string(&mut self) -> Option<String> {
        if !self.cur.take(b'"') {
            return None;
        }
        let mut text = Vec::new();
        loop {
            match self.cur.next()? {
                b'"' => return Some(String::from_utf8_lossy(&text).into_owned()),
                b'\\' => text.push(self.cur.next()?),
                b => text.push(b),
            }
        }
    }

    /// A bare item as text: string, number, token, boolean, byte sequence.
    fn item(&mut self) -> Option<String> {
        match self.cur.peek()? {
            b'"' => self.string(),
            b':' => {
                self.cur.take(b':');
                let range = self.cur.take_while(|b| b != b':' && b != b',');
                self.cur.take(b':').then(|| String::from_utf8_lossy(self.cur.slice(&range)).into_owned())
            }
            _ => {
                let range = self.cur.take_while(|b| !is_ows(b) && !matches!(b, b';' | b',' | b')' | b'"'));
                (!range.is_empty()).then(|| String::from_utf8_lossy(self.cur.slice(&range)).into_owned())
            }
        }
    }

    /// `*( ";" key [ "=" item ] )`.
    fn parameters(&mut self) -> Vec<(String, Option<String>)> {
        let mut found = Vec::new();
        loop {
            self.skip_spaces_before(b';');
            if !self.cur.take(b';') {
                return found;
            }
            self.skip();
            let key = self.key();
            let value = if self.cur.take(b'=') { self.item() } else { None };
            found.push((key, value));
        }
    }

    fn skip_spaces_before(&mut self, wanted: u8) {
        let at = self.cur.at();
        self.skip();
        if self.cur.peek() != Some(wanted) {
            self.cur.reset(at);
        }
    }

    /// To the next member of the dictionary.
    fn next_member(&mut self) {
        self.skip();
        let start = self.cur.at();
        let junk = self.cur.take_while(|b| b != b',');
        if !junk.is_empty() {
            self.bad(
                start..junk.end,
                ProblemKind::BadValue,
                "this cannot stand here in a dictionary (RFC 9651)",
            );
        }
        self.cur.take(b',');
        self.skip();
    }
}

/// Reads the value of a `Signature-Input` field.
pub fn signature_input(value: &[u8]) -> crate::Parsed<Vec<SignatureInput>> {
    let mut r = Reader { cur: Cursor::new(value, 0..value.len()), problems: Vec::new() };
    let mut found = Vec::new();
    r.skip();
    while !r.cur.is_done() {
        let start = r.cur.at();
        let mut input = SignatureInput { label: r.key(), ..SignatureInput::default() };
        if input.label.is_empty() || !r.cur.take(b'=') || !r.cur.take(b'(') {
            r.bad(
                start..r.cur.at().max(start),
                ProblemKind::BadValue,
                "not of the form label=(\"component\" ...)",
            );
        } else {
            components(&mut r, &mut input);
            set_parameters(&mut r, &mut input);
        }
        input.range = start..r.cur.at();
        if !input.label.is_empty() {
            found.push(input);
        }
        r.next_member();
    }
    if found.is_empty() {
        r.bad(0..value.len(), ProblemKind::Empty, "no signature in it");
    }
    crate::Parsed { value: found, problems: r.problems }
}

fn components(r: &mut Reader<'_>, input: &mut SignatureInput) {
    loop {
        r.skip();
        if r.cur.take(b')') {
            return;
        }
        let start = r.cur.at();
        let Some(name) = r.string() else {
            r.bad(
                start..r.cur.at(),
                ProblemKind::BadValue,
                "a component is a string in quotes, and the list ends with ')'",
            );
            return;
        };
        let after = r.cur.at();
        r.parameters();
        let parameters = String::from_utf8_lossy(r.cur.slice(&(after..r.cur.at()))).into_owned();
        let range = start..r.cur.at();
        if name.starts_with('@') && !DERIVED.contains(&name.as_str()) {
            r.bad(range.clone(), ProblemKind::Unknown, "a derived component that RFC 9421 does not have");
        } else if name.bytes().any(|b| b.is_ascii_uppercase()) {
            r.bad(range.clone(), ProblemKind::BadValue, "the name of a component must be in lower case");
        }
        if input.components.len() < 256
            && input.components.iter().any(|c| c.name == name && c.parameters == parameters)
        {
            r.bad(range.clone(), ProblemKind::BadValue, "a component that is already covered");
        }
        input.components.push(Component { name, parameters, range });
    }
}

fn set_parameters(r: &mut Reader<'_>, input: &mut SignatureInput) {
    let start = r.cur.at();
    for (name, value) in r.parameters() {
        let number = || value.as_deref().and_then(|v| v.parse::<i64>().ok());
        match name.as_str() {
            "created" => input.created = number(),
            "expires" => input.expires = number(),
            "keyid" => input.keyid = value,
            "alg" => input.alg = value,
            "nonce" => input.nonce = value,
            "tag" => input.tag = value,
            _ => {}
        }
    }
    let range = start..r.cur.at();
    if input.created.zip(input.expires).is_some_and(|(created, expires)| expires < created) {
        r.bad(range.clone(), ProblemKind::Disagree, "expires lies before created");
    }
    if input.created.is_some_and(|t| t > 100_000_000_000) {
        r.bad(range, ProblemKind::BadValue, "created is in milliseconds; it is in seconds");
    }
}

/// Reads the value of a `Signature` field (RFC 9421 section 4.2).
pub fn signature(value: &[u8]) -> crate::Parsed<Vec<SignatureValue>> {
    let mut r = Reader { cur: Cursor::new(value, 0..value.len()), problems: Vec::new() };
    let mut found = Vec::new();
    r.skip();
    while !r.cur.is_done() {
        let start = r.cur.at();
        let label = r.key();
        if label.is_empty() || !r.cur.take(b'=') || !r.cur.take(b':') {
            r.bad(start..r.cur.at(), ProblemKind::BadValue, "not of the form label=:base64:");
        } else {
            let range = r.cur.take_while(|b| b != b':' && b != b',');
            if !r.cur.take(b':') {
                r.bad(range.clone(), ProblemKind::BadValue, "the byte sequence is not closed with ':'");
            }
            let decoded = crate::base64::decode(value, range.clone(), crate::base64::Alphabet::Standard);
            r.problems.extend(decoded.problems.clone());
            found.push(SignatureValue { label, signature: decoded.bytes, range });
            r.parameters();
        }
        r.next_member();
    }
    if found.is_empty() {
        r.bad(0..value.len(), ProblemKind::Empty, "no signature in it");
    }
    crate::Parsed { value: found, problems: r.problems }
}

/// The `Signature` scheme of draft-cavage-http-signatures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cavage {
    /// The key's identifier.
    pub key_id: Option<String>,
    /// The algorithm.
    pub algorithm: Option<String>,
    /// The signed fields, lower case; `date` where the parameter is missing.
    pub headers: Vec<String>,
    /// When it was made.
    pub created: Option<i64>,
    /// When it expires.
    pub expires: Option<i64>,
    /// The signature.
    pub signature: Option<Secret>,
    /// What is wrong.
    pub problems: Vec<Problem>,
}

/// Reads credentials of the `Signature` scheme.
pub fn cavage(credentials: &Credentials) -> Cavage {
    let text = |name: &str| credentials.clean_text(name).map(|t| t.into_owned());
    let number = |name: &str| text(name).and_then(|t| t.parse::<f64>().ok()).map(|n| n as i64);
    let missing = ["keyid", "signature"].into_iter().filter(|name| credentials.param(name).is_none());
    let problems = missing
        .map(|n| {
            Problem::new(credentials.scheme.range.clone(), ProblemKind::Missing, format!("{n} is missing"))
        })
        .collect();
    let headers = text("headers").unwrap_or_else(|| "date".into());
    Cavage {
        key_id: text("keyid"),
        algorithm: text("algorithm"),
        headers: headers.split_ascii_whitespace().map(str::to_ascii_lowercase).collect(),
        created: number("created"),
        expires: number("expires"),
        signature: text("signature").map(Secret::new),
        problems,
    }
}

/// The labels of one field that the other has not.
pub fn unmatched(inputs: &[SignatureInput], signatures: &[SignatureValue]) -> Vec<String> {
    let inputs_only = inputs.iter().map(|i| &i.label).filter(|l| !signatures.iter().any(|s| s.label == **l));
    let values_only = signatures.iter().map(|s| &s.label).filter(|l| !inputs.iter().any(|i| i.label == **l));
    inputs_only.chain(values_only).take(64).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn example_of_rfc_9421_section_4_3() {
        let value = br#"sig1=("@method" "@authority" "@path" "content-digest" "content-type" "content-length");created=1618884475;keyid="test-key-ecc-p256", proxy_sig=("@method" "signature";key="sig1");created=1618884480;keyid="test-key-rsa";alg="rsa-v1_5-sha256";expires=1618884540"#;
        let read = signature_input(value);
        assert_eq!(read.problems, []);
        let [one, two] = read.value.as_slice() else { panic!() };
        assert_eq!((one.label.as_str(), one.components.len(), one.created), ("sig1", 6, Some(1_618_884_475)));
        assert_eq!(
            (two.components[1].name.as_str(), two.components[1].parameters.as_str()),
            ("signature", ";key=\"sig1\"")
        );
        assert_eq!((two.alg.as_deref(), two.expires), (Some("rsa-v1_5-sha256"), Some(1_618_884_540)));
        assert!(crate::syntax::slice(value, &two.range).starts_with(b"proxy_sig="));
    }

    #[test]
    fn a_signature_is_matched_by_its_label() {
        let read = signature(b"sig1=:AAEC:, sig2=:AA==:");
        assert_eq!(read.problems, []);
        assert_eq!((read.value[0].signature.len(), read.value[1].signature.len()), (3, 1));
        let inputs = signature_input(b"sig1=();created=1").value;
        assert_eq!(unmatched(&inputs, &read.value), ["sig2"]);
        assert!(!signature(b"sig1=AAEC").problems.is_empty());
    }
}
