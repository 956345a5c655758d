//! Placeholders: what is sent when nobody put the secret in.
//!
//! A real password may look like anything, so only what is written as a placeholder (brackets, variables) or is
//! what a language writes for "nothing" counts as [`Sureness::Sure`]; words such as `changeme` are only likely.

/// What a placeholder looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Placeholder {
    /// The pattern that matched, in words; it shows no more than the placeholder's kind.
    pub pattern: &'static str,
    /// How sure it is that this is no secret.
    pub sure: Sureness,
}

/// How sure a placeholder is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Sureness {
    /// No service hands out such a secret.
    Sure,
    /// It could be somebody's password all the same.
    Likely,
}

const NOTHING: &[(&str, &str)] = &[
    ("undefined", "undefined (JavaScript's missing value)"),
    ("null", "null (a missing value)"),
    ("nil", "nil (a missing value)"),
    ("none", "None (Python's missing value)"),
    ("nan", "NaN"),
    ("(null)", "(null) (C's and Objective-C's missing value)"),
    ("<null>", "<null>"),
    ("<nil>", "<nil> (Go's missing value)"),
    ("%!s(<nil>)", "%!s(<nil>) (Go's missing value, formatted)"),
    ("nullptr", "nullptr"),
    ("optional(nil)", "Optional(nil) (Swift)"),
    ("[object object]", "[object Object] (a JavaScript object in place of its text)"),
    ("[object promise]", "[object Promise] (a JavaScript promise that was not awaited)"),
    ("undefined:undefined", "undefined:undefined"),
    ("null:null", "null:null"),
    ("system.string", "a type's name in place of its value"),
    ("system.security.securestring", "a SecureString's name in place of its value"),
];

const WORDS: &[&str] = &[
    "token",
    "your_token",
    "yourtoken",
    "your_token_here",
    "your_api_key",
    "yourapikey",
    "your_api_key_here",
    "api_key",
    "apikey",
    "api-key",
    "api_token",
    "access_token",
    "accesstoken",
    "your_access_token",
    "my_token",
    "mytoken",
    "my_api_key",
    "myapikey",
    "insert_token_here",
    "insert_your_token_here",
    "insert_api_key",
    "replace_me",
    "replaceme",
    "your_jwt",
    "your_secret",
    "your_secret_key",
    "your_password",
    "yourpassword",
    "changeme",
    "change_me",
    "change_this",
    "todo",
    "fixme",
    "placeholder",
    "dummy",
    "xxx",
    "xxxx",
    "xxxxx",
    "xxxxxx",
    "xxxxxxxx",
    "xxxxxxxxxx",
    "...",
    "…",
    "foobar",
    "redacted",
    "[redacted]",
    "***",
    "example",
    "your_bearer_token",
    "your_personal_access_token",
    "your_pat",
    "username",
    "your_username",
    "user:password",
    "username:password",
    "secret_key",
    "bearer_token",
    "jwt_token",
    "tokenhere",
    "token_here",
    "apikeyhere",
    "api_key_here",
    "your-token",
    "your-api-key",
];

/// Whether `text` is a placeholder.
pub fn find(text: &[u8]) -> Option<Placeholder> {
    let text = std::str::from_utf8(text).ok()?.trim();
    let lower = text.to_lowercase();
    if text.is_empty() || text.len() > 200 {
        return None;
    }
    let sure = |pattern| Some(Placeholder { pattern, sure: Sureness::Sure });
    let likely = |pattern| Some(Placeholder { pattern, sure: Sureness::Likely });
    if let Some((_, pattern)) = NOTHING.iter().find(|(word, _)| *word == lower) {
        // A person's name may be None or Nan; the words of programming languages have one spelling each.
        return match text {
            "nan" | "NAN" | "NONE" | "Nil" | "Null" => likely(pattern),
            _ => sure(pattern),
        };
    }
    if let Some(pattern) = bracketed(text) {
        return sure(pattern);
    }
    let plain: String = lower.replace([' ', '-'], "_");
    if plain.starts_with("your_")
        && plain.len() > 5
        && plain.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')
    {
        return sure("YOUR_...");
    }
    if (plain.starts_with("insert_") || plain.starts_with("replace_with_") || plain.starts_with("put_your_"))
        && plain.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')
    {
        return sure("INSERT_... or REPLACE_WITH_...");
    }
    if text.len() >= 3 && text.bytes().all(|b| matches!(b, b'x' | b'X')) {
        return likely("a row of x");
    }
    if text.chars().count() >= 3 && text.chars().all(|c| matches!(c, '*' | '•' | '●' | '.' | '…')) {
        return sure("a row of asterisks or dots, as masked secrets are shown");
    }
    // The name of a variable, written without what makes it one: HASSIO_TOKEN.
    let constant = text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_');
    if constant
        && ["_TOKEN", "_KEY", "_SECRET", "_PASSWORD", "_PAT", "_APIKEY"].iter().any(|e| text.ends_with(e))
    {
        return likely("the name of a variable in place of its value");
    }
    if WORDS.contains(&plain.as_str()) || WORDS.contains(&lower.as_str()) {
        return likely("a word that stands for a secret");
    }
    None
}

/// A name within the brackets or signs of a template or a shell.
fn bracketed(text: &str) -> Option<&'static str> {
    let within = |open: &str, close: &str| {
        let inner = text.strip_prefix(open)?.strip_suffix(close)?;
        (!inner.is_empty() && !inner.contains(open)).then_some(inner)
    };
    let name = |s: &str| {
        let s = s.trim();
        !s.is_empty()
            && s.chars().all(|c| c.is_alphanumeric() || "_-. ()[]/|?$".contains(c))
            && s.chars().any(char::is_alphabetic)
    };
    let patterns: [(&str, &str, &str); 10] = [
        ("${{", "}}", "${{...}} (a GitHub Actions expression)"),
        ("${", "}", "${...} (a variable of a shell or a template)"),
        ("{{", "}}", "{{...}} (a variable of a template, as in Postman)"),
        ("#{", "}", "#{...} (a variable of a template)"),
        ("{%", "%}", "{%...%} (a tag of a template)"),
        ("$(", ")", "$(...) (a variable of Azure Pipelines or a command of a shell)"),
        ("<%=", "%>", "<%=...%> (a tag of a template)"),
        ("<", ">", "<...> (a placeholder in angle brackets)"),
        ("{", "}", "{...} (a placeholder in braces)"),
        ("[", "]", "[...] (a placeholder in square brackets)"),
    ];
    for (open, close, pattern) in patterns {
        if within(open, close).is_some_and(name) {
            return Some(pattern);
        }
    }
    // The user name that goes with a token at PyPI (<https://pypi.org/help/#apitoken>) and at those that took it over.
    let is_user_of_tokens = text == "__token__";
    if !is_user_of_tokens && within("@", "@").or_else(|| within("__", "__")).is_some_and(name) {
        return Some("@...@ or __...__ (a mark for replacement)");
    }
    let identifier = |s: &str| {
        s.len() >= 3
            && s.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && s.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
    };
    if within("%", "%").is_some_and(identifier) {
        return Some("%...% (a variable of the Windows command line)");
    }
    let variable = text
        .strip_prefix("$env:")
        .or_else(|| text.strip_prefix('$'))
        .or_else(|| text.strip_prefix("process.env."));
    let is_name = |s: &str| {
        s.len() >= 2 && s.bytes().all(|b| b.is_ascii_uppercase() || b == b'_' || b.is_ascii_digit())
    };
    if variable.is_some_and(|v| is_name(v) && v.bytes().any(|b| b.is_ascii_uppercase()) && v.len() >= 3) {
        return Some("$NAME (a variable that was not expanded)");
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_found_and_passwords_are_not() {
        for text in [
            "undefined",
            "null",
            "None",
            "nil",
            "[object Object]",
            "${TOKEN}",
            "<token>",
            "{{token}}",
            "{{ api_key }}",
            "YOUR_API_KEY",
            "%TOKEN%",
            "$TOKEN",
            "${{ secrets.TOKEN }}",
            "<YOUR TOKEN HERE>",
            "$(System.AccessToken)",
            "{token}",
            "[your token]",
            "********",
            "@TOKEN@",
            "your-token",
            "process.env.API_KEY",
            "$env:TOKEN",
        ] {
            assert_eq!(find(text.as_bytes()).map(|p| p.sure), Some(Sureness::Sure), "{text}");
        }
        for text in ["changeme", "api_key", "TOKEN", "xxxxxxx", "NONE"] {
            assert_eq!(find(text.as_bytes()).map(|p| p.sure), Some(Sureness::Likely), "{text}");
        }
        for text in [
            "hunter2",
            "p@ss<w>ord",
            "$ecret",
            "<3<3<3",
            "nullify",
            "Tr0ub4dor&3",
            "100%",
            "%3D%",
            "{}",
            "x",
            "$2y$10$abc",
        ] {
            assert_eq!(find(text.as_bytes()), None, "{text}");
        }
    }
}
