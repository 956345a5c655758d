//! Where program text gives the fields to a call: options in the place of the content, or under another name.

use super::Slip;
use super::tokens::{Kind, Token, arguments, members};

pub(super) fn slips(tokens: &[Token]) -> Vec<Slip> {
    let mut found = Vec::new();
    for (i, token) in tokens.iter().enumerate() {
        let Some(word) = token.word() else { continue };
        let method = || {
            let (dot, name) = (tokens.get(i + 1)?, tokens.get(i + 2)?);
            let name = name.word().filter(|_| dot.is('.'))?;
            let (arguments, _) = arguments(tokens, i + 3)?;
            Some((name, arguments))
        };
        match word {
            "axios" | "$axios" | "api" | "http" => {
                if let Some((name, arguments)) = method() {
                    found.extend(axios(name, &arguments));
                }
            }
            "requests" | "session" | "client" | "httpx" => {
                if let Some((name, arguments)) = method() {
                    found.extend(requests(name, &arguments, tokens));
                }
            }
            "fetch" => {
                found.extend(arguments(tokens, i + 1).and_then(|(a, _)| fetch(&a)));
            }
            "WebSocket" => found.extend(websocket(tokens, i)),
            "CURLOPT_HTTPHEADER" => found.extend(php(tokens, i)),
            "request" | "get" | "post" | "put" | "patch" | "delete" => found.extend(guzzle(tokens, i)),
            _ => {}
        }
    }
    found
}

const AS_OPTION: &str =
    "Give the fields under the name that the library has for them (headers), in the place of the options.";

fn is_authorization(name: &str) -> bool {
    name.eq_ignore_ascii_case("authorization")
}

fn range_of(tokens: &[Token]) -> std::ops::Range<usize> {
    let shown = || tokens.iter().filter(|t| t.kind != Kind::Line);
    shown().next().map_or(0, |t| t.range.start)..shown().next_back().map_or(0, |t| t.range.end)
}

/// `axios.post(url, data, options)`, `axios.get(url, options)`.
fn axios(name: &str, arguments: &[&[Token]]) -> Option<Slip> {
    let second = arguments.get(1)?;
    let names = members(second);
    let has = |n: &str| names.iter().any(|(m, _)| *m == n);
    let word = || second.iter().find_map(Token::word).filter(|_| second.len() == 1);
    match name {
        "post" | "put" | "patch" if arguments.len() == 2 => {
            let options = ["headers", "withCredentials", "timeout", "params", "auth", "responseType"];
            let only_options = has("headers") && names.iter().all(|(n, _)| options.contains(n));
            let named = word().is_some_and(|w| {
                matches!(
                    w.to_ascii_lowercase().as_str(),
                    "config" | "headers" | "options" | "header" | "authheader" | "requestoptions"
                )
            });
            (only_options || named).then(|| {
                let what = format!("the second argument of {name} is the content: the fields are sent there, and not as fields");
                Slip::new("wrong-field", range_of(second), what, "Give the content as the second argument (null where there is none) and the options with headers as the third.")
            })
        }
        "get" | "delete" | "head" | "post" | "put" | "patch" => {
            let options =
                if matches!(name, "get" | "delete" | "head") { second } else { arguments.get(2)? };
            misplaced(options)
        }
        _ => None,
    }
}

fn fetch(arguments: &[&[Token]]) -> Option<Slip> {
    let options = arguments.get(1)?;
    let texts: Vec<&str> = options.iter().filter_map(Token::text).collect();
    let authorized = options.iter().any(|t| t.word().or(t.text()).is_some_and(is_authorization));
    if texts.contains(&"no-cors") && authorized {
        let what = "the browser takes the Authorization field off a request in the mode no-cors";
        return Some(Slip::new(
            "no-credentials",
            range_of(options),
            what,
            "Use the mode cors, and let the server answer the preflight.",
        ));
    }
    misplaced(options)
}

/// Fields among the options themselves, or under a name that is nearly the right one.
fn misplaced(options: &[Token]) -> Option<Slip> {
    for (name, token) in members(options) {
        if is_authorization(name) {
            let what = "Authorization stands among the options themselves, where it is no field";
            return Some(Slip::new("wrong-field", token.range.clone(), what, AS_OPTION));
        }
        if matches!(name, "header" | "Header" | "Headers" | "HEADERS") {
            let what = format!("the option is called headers; {name} is not read");
            return Some(Slip::new("wrong-field", token.range.clone(), what, AS_OPTION));
        }
    }
    None
}

/// `requests.get(url, params, headers=…)`, `requests.post(url, data, json, headers=…)`: fields are given by name only.
fn requests(name: &str, arguments: &[&[Token]], all: &[Token]) -> Option<Slip> {
    if !matches!(name, "get" | "post" | "put" | "patch" | "delete" | "request") {
        return None;
    }
    let keyword = |a: &[Token]| {
        a.get(1)
            .is_some_and(|t| t.is('='))
            .then(|| a.first().and_then(Token::word).map(str::to_owned))
            .flatten()
    };
    let is_fields = |t: Option<&Token>| {
        t.and_then(Token::word).is_some_and(|w| w.to_ascii_lowercase().contains("header"))
    };
    for argument in arguments.iter().skip(1) {
        let shown: Vec<Token> = argument.iter().filter(|t| t.kind != Kind::Line).cloned().collect();
        let misplaced = match keyword(&shown).as_deref() {
            None => shown.len() == 1 && is_fields(shown.first()),
            Some("params" | "data" | "json") => shown.len() == 3 && is_fields(shown.get(2)),
            Some(_) => false,
        };
        if misplaced {
            let what = "the fields are given in the place of the query or the content, and sent there";
            return Some(Slip::new(
                "wrong-field",
                range_of(argument),
                what,
                "Give them by name: headers=headers.",
            ));
        }
    }
    let given = |n: &str| {
        arguments.iter().find(|a| {
            a.iter().find(|t| t.kind != Kind::Line).and_then(Token::word) == Some(n)
                && a.iter().any(|t| t.is('='))
        })
    };
    let field = all.iter().any(|t| t.text().is_some_and(is_authorization));
    given("auth").filter(|_| field && given("headers").is_some()).map(|auth| {
        let what = "auth= is given beside an Authorization field: requests puts its own value in the place of the given one";
        Slip::new("overridden-by-client", range_of(auth), what, "Give one of the two.")
    })
}

/// A browser's `WebSocket` takes subprotocols, no fields; Node's libraries do, so a browser must have spoken.
fn websocket(tokens: &[Token], at: usize) -> Option<Slip> {
    let (arguments, _) = arguments(tokens, at + 1)?;
    let options = arguments.get(1)?;
    let browser = tokens.windows(3).any(|w| {
        let words: Vec<_> = w.iter().filter_map(Token::word).collect();
        words == ["WebSocket", "connection", "to"]
    });
    (browser && members(options).iter().any(|(n, _)| *n == "headers")).then(|| {
        let what = "a browser's WebSocket takes no fields: the second argument names subprotocols";
        let fix =
            "Let the server take the token from a cookie, the query, a subprotocol or the first message.";
        Slip::new("no-credentials", range_of(options), what, fix)
    })
}

/// Guzzle's `$client->request(method, uri, options)` and `$client->get(uri, options)`: what is given behind the options is
/// not read.
fn guzzle(tokens: &[Token], at: usize) -> Option<Slip> {
    let arrow = |i: usize, sign: char| tokens.get(i).is_some_and(|t| t.is(sign));
    if at < 2 || !arrow(at - 1, '>') || !arrow(at - 2, '-') {
        return None;
    }
    let (arguments, _) = arguments(tokens, at + 1)?;
    let options = if tokens.get(at).and_then(Token::word) == Some("request") { 2 } else { 1 };
    let extra = arguments.iter().skip(options + 1).find(|a| a.iter().any(|t| t.text() == Some("headers")))?;
    arguments.get(options).filter(|a| a.iter().any(|t| t.is('[') || t.is('(')))?;
    let what = "the fields are given in an argument behind the options, which the library does not read";
    Some(Slip::new("no-credentials", range_of(extra), what, "Put headers into the one array of options."))
}

/// `CURLOPT_HTTPHEADER` takes lines, not names with values.
fn php(tokens: &[Token], at: usize) -> Option<Slip> {
    let near = tokens.get(at..(at + 60).min(tokens.len()))?;
    near.windows(3).find_map(|w| match w {
        [name, a, b] if name.text().is_some_and(is_authorization) && a.is('=') && b.is('>') => {
            let what =
                "CURLOPT_HTTPHEADER takes whole lines: a name with a value of its own sends the value alone";
            Some(Slip::new(
                "wrong-field",
                name.range.clone(),
                what,
                "Write 'Authorization: Bearer …' as one string.",
            ))
        }
        _ => None,
    })
}
