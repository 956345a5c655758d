//! What stands where a secret should, and is none.

/// Names that stand for a secret when they are all there is.
const STAND_INS: &[&str] = &[
    "undefined",
    "null",
    "none",
    "nil",
    "nan",
    "true",
    "false",
    "token",
    "password",
    "passwd",
    "pass",
    "secret",
    "apikey",
    "api_key",
    "api-key",
    "access_token",
    "accesstoken",
    "jwt",
    "key",
    "todo",
    "redacted",
    "hidden",
    "masked",
    "removed",
    "filtered",
    "deleted",
    "expired",
    "[object object]",
    "object object",
    "undefined:undefined",
    "null:null",
    "none:none",
    "user:password",
    "username:password",
    "user:pass",
];

/// Whether this is a placeholder, a mask, or a word for nothing rather than a secret: `undefined`, `None`,
/// `[object Object]`, `${TOKEN}`, `$TOKEN`, `%TOKEN%`, `{{token}}`, `<token>`, `YOUR_API_KEY`, `***`.
pub fn is_placeholder(value: &str) -> bool {
    let value = value.trim().trim_matches(['"', '\'', '`']).trim();
    if value.is_empty() {
        return true;
    }
    if value.len() > 64 {
        return false;
    }
    let lower = value.to_ascii_lowercase();
    let mask = |c: char| matches!(c, '*' | '•' | '.' | '…' | 'x' | '#' | '-' | '_' | '█');
    STAND_INS.contains(&lower.as_str()) || lower.chars().all(mask) || bracketed(value) || named(value, &lower)
}

/// `${X}`, `$X`, `$(x)`, `%X%`, `{{x}}`, `{x}`, `<x>`, `[x]`, `__X__`, with a name inside.
fn bracketed(value: &str) -> bool {
    let name = |s: &str| {
        let s = s.trim();
        !s.is_empty()
            && s.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && s.chars().all(name_char)
    };
    let words = |s: &str| name(s) && !s.contains(|c: char| c.is_ascii_digit());
    let between = |open: &str, close: &str| value.strip_prefix(open)?.strip_suffix(close);
    between("${", "}").is_some_and(|s| name(s.split(':').next().unwrap_or(s)))
        || between("{{", "}}").is_some_and(name)
        || between("$(", ")").is_some_and(name)
        || between("%", "%").is_some_and(words)
        || between("<", ">").is_some_and(words)
        || between("[", "]").is_some_and(words)
        || between("{", "}").is_some_and(words)
        || between("__", "__").is_some_and(words)
        || value.strip_prefix('$').is_some_and(|s| name(s) && !s.contains(|c: char| c.is_ascii_lowercase()))
        || value.strip_prefix("$http_").is_some_and(name)
        || value.strip_prefix('$').is_some_and(|s| s.len() == 1 && s.bytes().all(|b| b.is_ascii_digit()))
        // A pattern for any text.
        || matches!(value, "(.*)" | "(.+)" | ".*" | ".+")
}

fn name_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | ' ' | '/')
}

/// `YOUR_API_KEY`, `your-token-here`, `MY_ACCESS_TOKEN`.
fn named(value: &str, lower: &str) -> bool {
    let what = ["token", "key", "password", "secret", "pass", "pat", "jwt", "credentials"];
    let words = || lower.split(['_', '-', ' ']);
    let letters = lower.chars().all(|c| c.is_ascii_alphabetic() || matches!(c, '_' | '-' | ' '));
    letters
        && words().any(|w| what.contains(&w))
        && (words().any(|w| w == "your") || (value == value.to_ascii_uppercase() && value.contains('_')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_known() {
        for p in [
            "undefined",
            "None",
            "[object Object]",
            "${TOKEN}",
            "$TOKEN",
            "%TOKEN%",
            "{{token}}",
            "<token>",
            "<your token>",
            "YOUR_API_KEY",
            "your-token-here",
            "MY_ACCESS_TOKEN",
            "***",
            "••••",
            "xxxxx",
            "\"null\"",
            "",
            "${env:TOKEN}",
            "$http_authorization",
            "[REDACTED]",
        ] {
            assert!(is_placeholder(p), "{p}");
        }
    }

    #[test]
    fn secrets_are_none() {
        for s in [
            "hunter2",
            "<Xk92ms>",
            "QTpC",
            "$2y$10$abc",
            "$ecret",
            "letmein",
            "changeme",
            "abc_key1",
            "pass1",
        ] {
            assert!(!is_placeholder(s), "{s}");
        }
    }
}
