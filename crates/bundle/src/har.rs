//! HTTP Archive (HAR 1.2): stays one, with every secret value replaced where it stands.

use crate::Masker;
use crate::{base64, text};
use serde_json::{Map, Value};

/// Deeper JSON is no HAR, and serde_json stops at 128.
const DEEPEST: usize = 120;

/// The archive without its secrets.
///
/// # Errors
/// Where it is no whole JSON document.
pub(crate) fn redacted(
    bytes: &[u8],
    masker: &mut Masker<'_>,
    notes: &mut Vec<String>,
) -> Result<Vec<u8>, String> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut whole: Value =
        serde_json::from_slice(bytes).map_err(|e| format!("no whole JSON document: {e}"))?;
    let mut walk = Walk { masker, left_out: 0 };
    walk.value(&mut whole, "", 0);
    if walk.left_out > 0 {
        notes.push(format!("{} binary contents left out", walk.left_out));
    }
    serde_json::to_vec_pretty(&whole).map_err(|e| e.to_string())
}

struct Walk<'m, 'a> {
    masker: &'m mut Masker<'a>,
    left_out: u64,
}

impl Walk<'_, '_> {
    /// Replaces in a value that stands under `key`.
    fn value(&mut self, value: &mut Value, key: &str, depth: usize) {
        if depth > DEEPEST {
            *value = Value::Null;
            return;
        }
        match value {
            Value::String(text) => *text = self.string(key, text),
            Value::Array(items) => items.iter_mut().for_each(|item| self.value(item, key, depth + 1)),
            Value::Object(members) => self.object(members, key, depth),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    fn string(&mut self, key: &str, text: &str) -> String {
        match key {
            "url" | "redirectURL" | "documentURL" => self.masker.target(text),
            _ => self.masker.text(text),
        }
    }

    fn object(&mut self, members: &mut Map<String, Value>, key: &str, depth: usize) {
        let name = members.get("name").and_then(Value::as_str).map(str::to_owned);
        if let (Some(name), Some(Value::String(value))) = (name, members.get_mut("value")) {
            *value = match key {
                "cookies" => self.masker.whole(value),
                "queryString" | "params" => {
                    let pair = format!("?{name}={value}");
                    let made = self.masker.target(&pair);
                    let made = self.masker.text(&made);
                    made.get(name.len() + 2..).unwrap_or_default().to_owned()
                }
                _ => self.masker.field(&name, value),
            };
            // Whatever else it is, and under other names.
            let also = members.iter_mut().filter(|(k, _)| !matches!(k.as_str(), "name" | "value"));
            also.for_each(|(k, v)| self.value(v, k, depth + 1));
            return;
        }
        let encoded = members.get("encoding").and_then(Value::as_str) == Some("base64");
        if let (true, Some(Value::String(content))) = (encoded, members.get_mut("text")) {
            *content = self.content(content);
        }
        for (k, v) in members.iter_mut() {
            if !(encoded && k == "text") {
                // A member's own name may be what makes its value a secret.
                let secret =
                    matches!(v, Value::String(_)) && !matches!(k.as_str(), "url" | "text" | "mimeType");
                if let (true, Value::String(text)) = (secret, &mut *v) {
                    let field = self.masker.field(k, text);
                    *text = self.string(k, &field);
                } else {
                    self.value(v, k, depth + 1);
                }
            }
        }
    }

    /// Content in base64: redacted where it is text, else left out.
    fn content(&mut self, content: &str) -> String {
        let bytes = base64::decode(content);
        let words = bytes.as_deref().and_then(|b| std::str::from_utf8(b).ok()).filter(|t| !t.contains('\0'));
        match words {
            Some(words) => {
                let made = text::narrow(&self.masker.text(words));
                base64::encode_like(&made, content)
            }
            None => {
                self.left_out += 1;
                String::new()
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "in a test a panic is the report")]
mod tests {
    use super::*;
    use why401_redact::SecretSet;

    #[test]
    fn every_place_loses_its_secrets_and_the_rest_stays() {
        let har = r#"{"log":{"version":"1.2","entries":[{"time":1.5,"request":{"url":"https://al:pwpwpw@h/?token=tttttt&x=1",
            "headers":[{"name":"Authorization","value":"Bearer aaaaaaaa"},{"name":"Accept","value":"*/*"}],
            "queryString":[{"name":"token","value":"tttttt"}],"cookies":[{"name":"lang","value":"cccccc"}],
            "postData":{"mimeType":"application/json","text":"{\"password\":\"pwpwpw\"}"}},
            "response":{"status":401,"content":{"encoding":"base64","text":"eyJwYXNzd29yZCI6InF3ZXJ0eiJ9"}}}]}}"#;
        let known = SecretSet::default();
        let made = redacted(har.as_bytes(), &mut Masker::new(&known), &mut Vec::new()).unwrap();
        let text = String::from_utf8(made).unwrap();
        for secret in ["pwpwpw", "tttttt", "aaaaaaaa", "cccccc", "cXdlcnR6"] {
            assert!(!text.contains(secret), "{secret} in {text}");
        }
        let json: Value = serde_json::from_str(&text).unwrap();
        let entry = &json["log"]["entries"][0];
        assert_eq!(entry["time"], 1.5);
        assert_eq!(entry["request"]["headers"][1]["value"], "*/*");
        assert_eq!(entry["response"]["status"], 401);
        assert!(redacted(b"{\"log\":", &mut Masker::new(&known), &mut Vec::new()).is_err());
    }
}
