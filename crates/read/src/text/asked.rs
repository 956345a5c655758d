//! The request that a command line makes, as far as the line tells.

use super::command::Command;
use super::draft::Draft;
use why401_http::{Address, FieldLine, Request};
use why401_span::Derived;

/// The request, and whether its credentials are all that the program sends: not where a `.netrc`, a configuration
/// file or a variable may add to them.
pub(crate) fn request(command: &Command) -> (Request, bool) {
    let address = first_address(command);
    let target = address.as_ref().map_or("/", |a| a.target.as_str());
    let method = command.method.as_deref().unwrap_or("GET");
    let text = &command.text;
    let whole = 0..text.len();
    let (method, target) = (text.decoded(whole.clone(), method), text.decoded(whole.clone(), target));
    let mut draft = Draft::request(method, target, "");
    draft.head_done = true;
    if let Some(a) = &address {
        let own = matches!((a.scheme.as_str(), a.port), ("http", 80) | ("https", 443));
        let host = if own { a.host.clone() } else { format!("{}:{}", a.host, a.port) };
        draft.fields.0.push(FieldLine { name: Derived::synthetic("Host"), value: text.decoded(whole, host) });
    }
    for (name, value, word) in &command.fields {
        let expands = command.words.get(*word).is_some_and(|w| w.expands);
        if !expands {
            draft.fields.0.push(field(command, name, value, *word));
        }
    }
    let known = credentials(command, &mut draft);
    let mut request = draft.into_request().unwrap_or_default();
    request.scheme = address.map(|a| a.scheme);
    if let Some((data, word)) = &command.data {
        let place = command.place(*word);
        request.body.bytes = place.decoded(0..place.len(), data.as_str());
    }
    request.body.complete = false;
    (request, known)
}

/// Adds what `-u` or userinfo makes the program send before anybody asks; tells whether that is all.
fn credentials(command: &Command, draft: &mut Draft) -> bool {
    let program = command.program.as_str();
    if !matches!(program, "curl" | "http" | "https" | "xh" | "xhs") || command.hidden {
        return false;
    }
    let own_field = draft.fields.has("authorization");
    let pair = match (&command.user, &command.userinfo) {
        (Some((pair, word)), _) => Some((pair.clone(), Some(*word))),
        (None, Some(info)) => {
            let password = info.password.as_ref().map(|p| format!("{}:{}", info.user, p.expose()));
            Some((password.unwrap_or_else(|| info.user.clone()), None))
        }
        (None, None) => None,
    };
    let Some((pair, word)) = pair else { return true };
    let password = pair.split_once(':').map(|(_, p)| p);
    let masked =
        password.is_none_or(|p| !p.is_empty() && p.chars().all(|c| matches!(c, '*' | '•' | '.' | 'x' | 'X')));
    if masked || !command.preemptive || own_field {
        return own_field;
    }
    let value = format!("Basic {}", base64(pair.as_bytes()));
    let name = Derived::synthetic("Authorization");
    let place = word.map_or_else(|| command.text.clone(), |w| command.place(w));
    draft.fields.0.push(FieldLine { name, value: place.decoded(0..place.len(), value) });
    true
}

/// A field given by option: its name and value are found in the command line where they stand there unquoted.
fn field(command: &Command, name: &str, value: &str, word: usize) -> FieldLine {
    let place = command.place(word);
    let find = |part: &str| {
        let at = memchr::memmem::find(place.as_bytes(), part.as_bytes()).filter(|_| !part.is_empty());
        at.map(|at| place.slice(at..at + part.len()))
    };
    let enclosed = |part: &str| place.decoded(0..place.len(), part);
    FieldLine {
        name: find(name).unwrap_or_else(|| enclosed(name)),
        value: find(value).unwrap_or_else(|| enclosed(value)),
    }
}

/// The address of a command's request, taken apart.
fn first_address(command: &Command) -> Option<Address> {
    command.addresses.iter().find_map(|a| Address::parse(a))
}

/// RFC 4648 section 4.
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let letter = |bits: u32| char::from(ALPHABET.get((bits & 63) as usize).copied().unwrap_or(b'='));
    let mut out = String::new();
    for group in bytes.chunks(3) {
        let byte = |i: usize| u32::from(group.get(i).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        let letters = [letter(bits >> 18), letter(bits >> 12), letter(bits >> 6), letter(bits)];
        out.extend(letters.iter().take(group.len() + 1));
        out.extend(std::iter::repeat_n('=', 3 - group.len()));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::command::read;
    use why401_span::{SourceId, Span};

    fn asked(line: &str) -> (Request, bool) {
        let text = Derived::exact(line, Span::new(SourceId(0), 0, line.len() as u64));
        request(&read(&text)[0])
    }

    #[test]
    fn credentials_of_the_command_line_are_those_that_are_sent() {
        let (request, known) = asked("curl -u r:r http://example.com:801/admin");
        assert_eq!(request.fields.text("authorization").as_deref(), Some("Basic cjpy"));
        assert_eq!(
            (&*request.target(), request.authority().as_deref(), known),
            ("/admin", Some("example.com:801"), true)
        );
        let at = request.fields.get("authorization").unwrap().value.whole().unwrap();
        assert_eq!((at.span.start, at.span.end), (8, 11));
    }

    #[test]
    fn what_is_not_known_is_not_claimed() {
        for line in [
            "curl -n http://example.com/",
            "curl --digest -u a:b http://example.com/",
            "curl -u a:******** http://example.com/",
            "curl -u \"$USER:$PASS\" http://example.com/",
            "wget http://example.com/",
        ] {
            let (request, known) = asked(line);
            assert!(!known && !request.fields.has("authorization"), "{line}");
        }
        assert!(asked("curl http://example.com/").1);
        assert_eq!(base64(b"ab"), "YWI=");
    }
}
