//! The form for people: one thing a line, indented by its depth.

use super::{Decoded, Part};
use serde_json::Value;

pub(super) fn of(decoded: &Decoded) -> String {
    let mut out = Vec::new();
    let of_grammar = decoded.challenges.is_some() || decoded.credentials.is_some();
    let verdict = match (decoded.ok, of_grammar) {
        (true, _) => "",
        (false, true) => "   (breaks the grammar of RFC 9110)",
        (false, false) => "   (not as it should be)",
    };
    out.push(format!("{}{verdict}", decoded.field));
    let insides = match &decoded.inside {
        Value::Array(list) => list.clone(),
        one => vec![one.clone()],
    };
    let parts: Vec<&Part> =
        decoded.challenges.iter().flatten().chain(&decoded.credentials).chain(&decoded.further).collect();
    for (i, part) in parts.iter().enumerate() {
        self::part(&mut out, part, insides.get(i).unwrap_or(&Value::Null));
    }
    if parts.is_empty() {
        value(&mut out, 1, &decoded.inside, true);
    }
    if !decoded.problems.is_empty() {
        out.push("  problems".into());
    }
    for p in &decoded.problems {
        let place =
            if p.end <= p.start + 1 { format!("{}", p.start) } else { format!("{}..{}", p.start, p.end) };
        out.push(format!("    at {place}: {}", printable(&p.what)));
    }
    if !decoded.differences.is_empty() {
        out.push("  read differently".into());
    }
    for d in &decoded.differences {
        out.push(format!("    {} {} ({})", d.who, d.does, d.source));
    }
    let mut text = out.join("\n");
    text.push('\n');
    text
}

fn part(out: &mut Vec<String>, part: &Part, inside: &Value) {
    let scheme = if part.scheme.is_empty() { "(no scheme)" } else { &part.scheme };
    out.push(format!("  {}", printable(scheme)));
    // What is inside says the parameters again, in their meaning; only those that it does not know stand alone.
    let known = |text: &str| inside.as_object().is_some_and(|o| o.values().any(|v| v.as_str() == Some(text)));
    if inside.is_null()
        && let Some(token) = &part.token68
    {
        out.push(format!("    token68: {}", shorten(token)));
    }
    let told = |name: &str| {
        let own = name.strip_prefix("oauth_").unwrap_or(name);
        inside.get(name).or_else(|| inside.get(own)).is_some()
    };
    for (name, text) in &part.params {
        match text {
            None => out.push(format!("    {} (no value)", printable(name))),
            Some(text) if known(text) || told(name) => {}
            Some(text) => out.push(format!("    {}: {}", printable(name), shorten(text))),
        }
    }
    // The kind is mostly the scheme's own name.
    let same_kind = inside.get("kind").and_then(Value::as_str) == Some(part.scheme.as_str());
    match inside {
        Value::Object(map) if same_kind => {
            let rest =
                map.iter().filter(|(n, _)| *n != "kind").map(|(n, v)| (n.clone(), v.clone())).collect();
            value(out, 2, &Value::Object(rest), true);
        }
        other => value(out, 2, other, true),
    }
}

fn value(out: &mut Vec<String>, depth: usize, json: &Value, own: bool) {
    if depth > 12 {
        return;
    }
    let indent = "  ".repeat(depth);
    match json {
        Value::Object(map) => {
            for (name, member) in map {
                let name = if own { printable(&name.replace('_', " ")) } else { printable(name) };
                // The names in a token's header and claims are its own.
                let own = own && !matches!(name.as_str(), "header" | "claims");
                match member {
                    Value::Object(_) => {
                        out.push(format!("{indent}{name}"));
                        value(out, depth + 1, member, own);
                    }
                    Value::Array(list) if list.iter().any(|v| v.is_object() || v.is_array()) => {
                        out.push(format!("{indent}{name}"));
                        for item in list {
                            value(out, depth + 1, item, own);
                        }
                    }
                    other => out.push(format!("{indent}{name}: {}", scalar(other))),
                }
            }
        }
        Value::Array(list) => {
            out.push(format!("{indent}{}", list.iter().map(scalar).collect::<Vec<_>>().join(" ")))
        }
        Value::Null => {}
        other => out.push(format!("{indent}{}", scalar(other))),
    }
}

fn scalar(json: &Value) -> String {
    match json {
        Value::String(text) => shorten(text),
        Value::Array(list) => list.iter().map(scalar).collect::<Vec<_>>().join(", "),
        Value::Null => String::new(),
        Value::Bool(true) => "yes".into(),
        Value::Bool(false) => "no".into(),
        other => other.to_string(),
    }
}

/// Long text by its beginning, and masked text by its length.
fn shorten(text: &str) -> String {
    let length = text.chars().count();
    if length > 16 && text.bytes().all(|b| b == b'*') {
        return format!("**** ({length} characters, masked)");
    }
    if length > 200 {
        let head: String = text.chars().take(160).collect();
        return format!("{}… ({length} characters)", printable(&head));
    }
    printable(text)
}

/// Without characters that a terminal or a reader would act on.
fn printable(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control()
            || crate::stray::odd(c).is_some_and(|(kind, _)| kind != crate::ProblemKind::Typographic)
        {
            out.extend(c.escape_unicode());
        } else {
            out.push(c);
        }
    }
    out
}
