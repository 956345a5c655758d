//! What program text puts into the Authorization field.

use super::Slip;
use super::tokens::{Kind, Token};
use crate::near;

const NAME: &str = "authorization";

/// Functions that encode with base64, in lower case.
const ENCODERS: &[&str] =
    &["b64encode", "base64", "btoa", "encode", "tobase64", "strict_encode64", "credentials"];
/// Ways to encode that break the value over lines or end it with a line break: Python (`encodestring`, `encodebytes`),
/// Ruby (`encode64`), Android (`Base64.DEFAULT`).
const WRAPPING: &[&str] = &["encodestring", "encodebytes", "encode64", "DEFAULT"];

pub(super) fn slips(tokens: &[Token]) -> Vec<Slip> {
    let mut found = Vec::new();
    for (i, token) in tokens.iter().enumerate() {
        if let Some((misspelt, value)) = field(tokens, i) {
            if misspelt {
                let what =
                    "the program sets a field whose name is nearly Authorization, which no server reads";
                let fix = "Write the name as it is: Authorization.";
                found.push(Slip::new("wrong-field", token.range.clone(), what, fix));
            } else {
                found.extend(of_value(value, tokens));
            }
        }
        if token.word() == Some("AuthenticationHeaderValue") {
            found.extend(doubled_parameter(tokens, i));
        }
    }
    found
}

/// The value that is given to the field whose name is this token, and whether the name is misspelt.
fn field(tokens: &[Token], at: usize) -> Option<(bool, &[Token])> {
    let token = tokens.get(at)?;
    let quoted = token.text().is_some();
    let name = token.text().or(token.word())?.to_ascii_lowercase();
    let misspelt = name != NAME;
    if misspelt && !(quoted && is_nearly(&name)) {
        return None;
    }
    let mut next = at + 1;
    while tokens.get(next).is_some_and(|t| t.is(']')) {
        next += 1;
    }
    let sign = tokens.get(next)?;
    // An unquoted name is a member of an object in JavaScript, or a property.
    let gives = sign.is(':') || sign.is('=') || quoted && sign.is(',');
    let compared = tokens.get(next + 1).is_some_and(|t| t.is('='));
    if !gives || compared {
        return None;
    }
    next += 1 + usize::from(tokens.get(next + 1).is_some_and(|t| t.is('>')));
    let value = expression(tokens, next);
    // A field line that was pasted is no program: its value is neither a string nor a name by itself.
    let plain = !quoted
        && sign.is(':')
        && value.first().is_none_or(|t| t.text().is_none())
        && value.len() > 1
        && !value.iter().any(|t| t.is('+') || t.is('('));
    (!value.is_empty() && !plain).then_some((misspelt, value))
}

/// The name with a letter or two wrong, or with the name of a scheme run into it.
fn is_nearly(name: &str) -> bool {
    let glued = name.strip_prefix(NAME).is_some_and(|rest| {
        ["apikey", "bearer", "basic", "token", "key", "s"].contains(&rest.trim_start_matches([' ', '_']))
    });
    glued
        || near::slip(name.as_bytes(), NAME.as_bytes())
            .is_some_and(|s| s != near::Slip::CapsLock && s != near::Slip::Case)
}

/// The tokens of an expression: to the end of the line, or to a comma or a bracket that is not its own.
fn expression(tokens: &[Token], from: usize) -> &[Token] {
    let mut depth = 0_usize;
    let mut end = from;
    for t in tokens.iter().skip(from) {
        match t.kind {
            Kind::Sign('(' | '[' | '{') => depth += 1,
            Kind::Sign(')' | ']' | '}') if depth == 0 => break,
            Kind::Sign(')' | ']' | '}') => depth -= 1,
            Kind::Sign(',' | ';') if depth == 0 => break,
            Kind::Line if depth == 0 && end > from => break,
            _ => {}
        }
        end += 1;
    }
    tokens.get(from..end).unwrap_or_default()
}

fn of_value(value: &[Token], all: &[Token]) -> Option<Slip> {
    let range = value.first()?.range.start..value.last()?.range.end;
    let words = || value.iter().filter_map(Token::word);
    let lower = |w: &str| w.to_ascii_lowercase();
    if words().any(|w| WRAPPING.contains(&w)) && words().any(|w| lower(w).contains("64")) {
        let what = "the program encodes the credentials in a way that puts line breaks into the value";
        return Some(Slip::new(
            "stray-characters",
            range,
            what,
            "Encode without line breaks (Base64.NO_WRAP, b64encode, strict_encode64).",
        ));
    }
    let first = value.iter().find(|t| t.kind != Kind::Line)?;
    let Kind::Text { prefix, quote, inside } = &first.kind else { return bare(value, range) };
    let interpolated = *quote == '`'
        || prefix.eq_ignore_ascii_case("f")
        || prefix.ends_with('$')
        || value.iter().any(|t| t.is('%'))
        || words().any(|w| matches!(w, "format" | "sprintf" | "Format" | "formatted"));
    let joined = value.iter().any(|t| t.is('+') || t.is('.') || t.is('&'));
    let scheme = lower(inside.split(|c: char| !c.is_ascii_alphabetic()).next().unwrap_or_default());
    let known = matches!(scheme.as_str(), "bearer" | "basic" | "token" | "jwt" | "apikey");
    let behind = inside.get(scheme.len()..).unwrap_or_default();
    let glued = if behind.is_empty() {
        joined && value.len() > 1 && !interpolated
    } else {
        interpolated && behind.starts_with("${")
            || prefix.eq_ignore_ascii_case("f") && behind.starts_with('{')
    };
    if known && glued {
        let what = format!(
            "the program puts no space between {} and the secret, so there is no scheme",
            inside.get(..scheme.len()).unwrap_or_default()
        );
        return Some(Slip::new(
            "scheme-missing",
            range,
            what,
            "Put one space between the scheme and the secret.",
        ));
    }
    if known && !interpolated && !joined && is_template(inside, *quote, all) {
        let what = "the string is not one that fills in its variables, so their names are sent instead of the secret";
        return Some(Slip::new(
            "placeholder-credentials",
            range,
            what,
            "Use the kind of string of this language that fills variables in, or put the parts together.",
        ));
    }
    if scheme == "basic" {
        return basic(value, inside, range);
    }
    let twice = known
        && scheme != "basic"
        && inserted(value, inside).iter().any(|name| holds_scheme(all, name, &scheme));
    twice.then(|| {
        let what = format!("the program writes {scheme} before a value that begins with it already");
        Slip::new("scheme-doubled", range, what, "Write the scheme once.")
    })
}

/// A value without any text before it: a scheme may be missing, unless the name says that it holds one.
fn bare(value: &[Token], range: std::ops::Range<usize>) -> Option<Slip> {
    let simple = value.iter().all(|t| {
        t.word().is_some() || t.is('.') || t.is('$') || t.is('>') || t.is('-') || t.kind == Kind::Line
    });
    let name = value.iter().filter_map(Token::word).next_back()?.to_ascii_lowercase();
    let secret = ["token", "key", "jwt", "secret"].iter().any(|w| name.contains(w));
    let whole = ["bearer", "basic", "auth", "header"].iter().any(|w| name.contains(w));
    (simple && secret && !whole).then(|| {
        let what = "the program gives the Authorization field a secret without a scheme before it";
        Slip::new("scheme-missing", range, what, "Write the scheme before the secret: \"Bearer \" and the token, or what the service's documentation names.").possible()
    })
}

/// Whether a string holds a variable's place that nothing fills in.
fn is_template(inside: &str, quote: char, all: &[Token]) -> bool {
    // Dart, PHP, Kotlin, Groovy and shells fill in more kinds of strings.
    let dart = all
        .iter()
        .filter_map(Token::word)
        .any(|w| matches!(w, "Uri" | "dio" | "Dio" | "flutter" | "http" | "val" | "def"));
    let script = all.iter().filter_map(Token::word).any(|w| w.starts_with('$') && w.len() > 1);
    let place = |open: &str| {
        inside.split_once(open).and_then(|(_, rest)| rest.split_once('}')).is_some_and(|(name, _)| {
            !name.is_empty()
                && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '.' | '(' | ')'))
        })
    };
    if inside.contains("{{") {
        return false;
    }
    // PHP and Perl fill in nothing between single quotes.
    let variable =
        inside.split('$').nth(1).and_then(|rest| rest.chars().next()).is_some_and(char::is_alphabetic);
    let php = all.windows(2).any(|w| matches!(w, [a, b] if (a.is('=') || a.is('-')) && b.is('>'))) && script;
    if quote == '\'' && (inside.contains("{$") || variable && php) && !dart {
        return true;
    }
    if inside.contains("${") {
        return place("${") && quote == '\'' && !dart && !script;
    }
    place("{") && !script
}

fn basic(value: &[Token], inside: &str, range: std::ops::Range<usize>) -> Option<Slip> {
    let words: Vec<String> = value.iter().filter_map(Token::word).map(str::to_ascii_lowercase).collect();
    let encodes = |text: &str| ENCODERS.iter().any(|e| text.contains(e));
    let interpolated = inside.to_ascii_lowercase();
    if words.iter().any(|w| w == "b64encode") || interpolated.contains("b64encode(") {
        // Python 3 gives bytes, whose text is b'…'.
        let decoded = words.iter().any(|w| w == "decode") || interpolated.contains(".decode(");
        let as_text = words.iter().any(|w| w == "str") || interpolated.contains("b64encode(");
        return (as_text && !decoded).then(|| {
            let what = "the program writes the encoded bytes as b'…', which is not base64";
            Slip::new(
                "basic-malformed",
                range,
                what,
                "Decode the bytes to text first: base64.b64encode(pair).decode().",
            )
        });
    }
    if words.iter().any(|w| w == "btoa") || words.iter().any(|w| w == "base64_encode") {
        let colon = value.iter().filter_map(Token::text).skip(1).any(|t| t.contains(':'));
        let parts = value.iter().filter(|t| t.word().is_some()).count();
        let joined = value.iter().skip(3).any(|t| t.is('+') || t.is('.'));
        return (!colon && joined && parts >= 3).then(|| {
            let what = "the program encodes user name and password without a colon between them";
            Slip::new("basic-malformed", range, what, "Encode user name, colon and password together.")
        });
    }
    let colon =
        value.iter().filter_map(Token::text).skip(1).any(|t| t.contains(':')) || inside.contains("}:");
    let texts = || value.iter().filter_map(Token::text).map(str::to_ascii_lowercase);
    (colon && !words.iter().any(|w| encodes(w)) && !texts().any(|t| encodes(&t))).then(|| {
        let what = "the program sends user name and password as they are: a Basic value is base64";
        Slip::new(
            "basic-malformed",
            range,
            what,
            "Encode user name, colon and password with base64, or use the library's own option for Basic.",
        )
    })
}

/// The names of what is put into a value.
fn inserted(value: &[Token], inside: &str) -> Vec<String> {
    let template = inside.split(['{', '}']).skip(1).step_by(2).map(|n| n.trim().to_owned());
    let last = |path: &str| path.rsplit('.').next().unwrap_or_default().to_owned();
    value.iter().filter_map(Token::word).map(str::to_owned).chain(template.map(|t| last(&t))).collect()
}

/// Whether a variable of this name is given a text that begins with the scheme.
fn holds_scheme(all: &[Token], name: &str, scheme: &str) -> bool {
    all.windows(3).any(|w| match w {
        [n, sign, text] => {
            n.word() == Some(name)
                && (sign.is('=') || sign.is(':'))
                && text.text().is_some_and(|t| {
                    t.get(..scheme.len() + 1).is_some_and(|s| s.eq_ignore_ascii_case(&format!("{scheme} ")))
                })
        }
        _ => false,
    })
}

/// `new AuthenticationHeaderValue("Bearer", "Bearer " + token)`.
fn doubled_parameter(tokens: &[Token], at: usize) -> Option<Slip> {
    let (arguments, _) = super::tokens::arguments(tokens, at + 1)?;
    let [scheme, parameter] = arguments.as_slice() else { return None };
    let scheme = scheme.first()?.text()?;
    let first = parameter.first()?;
    first.text()?.trim().eq_ignore_ascii_case(scheme).then(|| {
        let what = format!("the program writes {scheme} twice: the first argument is the scheme already");
        Slip::new("scheme-doubled", first.range.clone(), what, "Give the bare token as the second argument.")
    })
}
