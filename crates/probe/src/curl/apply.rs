//! One option after the other: what it says goes into the line.

use super::data::{Data, encoded, piece};
use super::form::{self, Part};
use super::options::{
    self, LOUD_SWITCHES, LOUD_VALUES, QUIET_SWITCHES, QUIET_VALUES, SHORT_SWITCHES, SHORT_VALUES,
};
use super::{Line, UNKNOWN};
use crate::wire::Family;
use crate::wish::{Field, Version};
use why401_auth::Secret;

pub(super) fn long(
    line: &mut Line,
    name: &str,
    value: &mut dyn FnMut(&str) -> Result<String, String>,
) -> Result<(), String> {
    let option = format!("--{name}");
    if let Some(letter) = options::letter(name) {
        let v = if SHORT_VALUES.contains(letter) { value(&option)? } else { String::new() };
        short(line, letter, v);
        return Ok(());
    }
    match name {
        "compressed" => line.compressed = true,
        "path-as-is" => line.path_as_is = true,
        "basic" | "digest" | "ntlm" | "negotiate" => line.scheme = Some(name.to_owned()),
        "anyauth" => line.scheme = Some("any".to_owned()),
        "location-trusted" => (line.follow, line.trusted) = (true, true),
        "netrc-optional" => line.netrc = Some(None),
        "netrc-file" => line.netrc = Some(Some(value(&option)?)),
        "http1.1" | "no-alpn" => line.version = Version::Http1,
        "http2" => line.version = Version::Any,
        "http2-prior-knowledge" => {
            line.version = Version::Any;
            line.ignored.push(format!("{option} (HTTP/2 is spoken within TLS only)"));
        }
        "ntlm-wb" => line.scheme = Some("ntlm".to_owned()),
        "url" => super::address(line, &value(&option)?),
        "request-target" => match value(&option)? {
            v if v.starts_with('/') && v.bytes().all(|b| b.is_ascii_graphic()) => {
                line.request_target = Some(v);
            }
            _ => line.ignored.push(format!("{option} of something that is no path")),
        },
        "data-ascii" => short(line, 'd', value(&option)?),
        "data-binary" => {
            let v = value(&option)?;
            line.data.extend([Data::And, piece(&v, false)]);
        }
        "data-raw" => line.data.extend([Data::And, Data::Text(Secret::new(value(&option)?))]),
        "data-urlencode" => {
            let v = value(&option)?;
            line.data.extend([Data::And, encoded(&v)]);
        }
        "url-query" => {
            let v = value(&option)?;
            line.query.push(match v.strip_prefix('+') {
                Some(as_it_is) => Data::Text(Secret::new(as_it_is)),
                None => encoded(&v),
            });
        }
        "json" => {
            let v = value(&option)?;
            line.data.push(piece(&v, false));
            line.json = true;
        }
        "form-string" => {
            let v = value(&option)?;
            match v.split_once('=') {
                Some((name, text)) => line.form.push(Part::text(name, text)),
                None => line.ignored.push(format!("{option} without =")),
            }
        }
        "oauth2-bearer" => line.bearer = Some(value(&option)?),
        "aws-sigv4" => line.aws = Some(value(&option)?),
        "cacert" => line.cacert = Some(value(&option)?),
        "capath" => line.capath = Some(value(&option)?),
        "key" => line.key = Some(value(&option)?),
        "cert-type" => line.cert_type = Some(value(&option)?.to_ascii_uppercase()),
        "key-type" => line.key_type = Some(value(&option)?.to_ascii_uppercase()),
        "pass" => line.pass = Some(Secret::new(value(&option)?)),
        "tlsv1" | "tlsv1.0" | "tlsv1.1" | "sslv2" | "sslv3" => {
            line.ignored.push(format!("{option} {OLD_TLS}"));
        }
        "tlsv1.2" => line.tls_from_1_3 = false,
        "tlsv1.3" => line.tls_from_1_3 = true,
        "tls-max" => match value(&option)?.as_str() {
            "default" | "1.3" => line.tls_to_1_2 = false,
            "1.2" => line.tls_to_1_2 = true,
            _ => line.ignored.push(format!("{option} {OLD_TLS}")),
        },
        "socks5" => line.proxy = Some(format!("socks5://{}", value(&option)?)),
        "socks5-hostname" => line.proxy = Some(format!("socks5h://{}", value(&option)?)),
        "noproxy" => line.noproxy = Some(value(&option)?),
        "resolve" => line.resolve.extend([value(&option)?]),
        "connect-to" => line.connect_to.extend([value(&option)?]),
        name if QUIET_VALUES.contains(&name) => {
            value(&option)?;
        }
        name if LOUD_VALUES.contains(&name) => {
            value(&option)?;
            line.ignored.push(option);
        }
        name if QUIET_SWITCHES.contains(&name) => {}
        name if LOUD_SWITCHES.contains(&name) => line.ignored.push(option),
        name => match name.strip_prefix("no-") {
            Some(switch) if off(line, switch) => {}
            _ => line.ignored.push(format!("{option} {UNKNOWN}")),
        },
    }
    Ok(())
}

/// Said of what asks for a version of TLS that the library here does not speak.
const OLD_TLS: &str = "(nothing older than TLS 1.2 is spoken here)";

/// `--no-SWITCH`; whether there is such a switch.
fn off(line: &mut Line, switch: &str) -> bool {
    match switch {
        "compressed" => line.compressed = false,
        "path-as-is" => line.path_as_is = false,
        _ => return off_short(line, options::letter(switch)) || is_switch(switch),
    }
    true
}

fn is_switch(name: &str) -> bool {
    QUIET_SWITCHES.contains(&name) || LOUD_SWITCHES.contains(&name)
}

fn off_short(line: &mut Line, switch: Option<char>) -> bool {
    match switch {
        Some('L') => line.follow = false,
        Some('k') => line.insecure = false,
        Some('I') => line.head = false,
        Some('G') => line.data_in_query = false,
        Some('n') => line.netrc = None,
        Some('g') => line.globoff = false,
        Some('j') => line.junk_session_cookies = false,
        Some('p') => line.proxy_tunnel = false,
        _ => return false,
    }
    true
}

pub(super) fn short(line: &mut Line, option: char, value: String) {
    match option {
        'u' => line.user = Some(value),
        'U' => line.proxy_user = Some(value),
        // An empty proxy means none at all.
        'x' if value.is_empty() => line.noproxy = Some("*".to_owned()),
        'x' => line.proxy = Some(value),
        'X' => line.method = Some(value),
        'H' if value.starts_with('@') => line.field_files.push(value.trim_start_matches('@').to_owned()),
        'H' => match Field::parse(&value) {
            // curl sends no field where the value is empty, and an empty one where a semicolon ends it.
            Some(field) if !field.value.is_empty() => line.fields.push(field),
            Some(_) => {}
            None => match value.strip_suffix(';') {
                Some(name) => line.fields.push(Field::new(name, "")),
                None => line.ignored.push("-H without a colon".to_owned()),
            },
        },
        'A' => line.fields.push(Field::new("User-Agent", value)),
        'e' => {
            // What `;auto` asks for concerns redirects only.
            let referer = value.strip_suffix(";auto").unwrap_or(&value);
            if !referer.is_empty() {
                line.fields.push(Field::new("Referer", referer));
            }
        }
        'b' if value.contains('=') => match line.cookie.and_then(|at| line.fields.get_mut(at)) {
            Some(field) => {
                *field = Field::new("Cookie", [field.value.expose(), b";", value.as_bytes()].concat())
            }
            None => {
                line.cookie = Some(line.fields.len());
                line.fields.push(Field::new("Cookie", value));
            }
        },
        'b' => line.cookie_files.push(value),
        'c' => line.keeps_cookies = true,
        'r' => line.fields.push(Field::new("Range", format!("bytes={value}"))),
        'd' => line.data.extend([Data::And, piece(&value, true)]),
        'F' => match form::part(&value) {
            Ok(part) => line.form.push(part),
            Err(what) => line.ignored.push(format!("-F {what}")),
        },
        'T' if value.contains(['{', '[']) => line.ignored.push("-T of several files".to_owned()),
        'T' => line.upload = Some(value),
        'E' => {
            let (path, pass) = certificate(&value);
            line.cert = Some(path);
            line.pass = pass.map(Secret::new).or(line.pass.take());
        }
        'n' => line.netrc = Some(None),
        'L' => line.follow = true,
        'k' => line.insecure = true,
        'I' => line.head = true,
        'G' => line.data_in_query = true,
        'g' => line.globoff = true,
        'j' => line.junk_session_cookies = true,
        'p' => line.proxy_tunnel = true,
        '4' => line.family = Some(Family::V4),
        '6' => line.family = Some(Family::V6),
        '0' => {
            line.version = Version::Http1;
            line.ignored.push("--http1.0 (it is asked in HTTP/1.1)".to_owned());
        }
        '1' | '2' | '3' => line.ignored.push(format!("-{option} {OLD_TLS}")),
        'C' | 'z' | 'Q' | 't' | 'P' => line.ignored.push(format!("-{option}")),
        'D' | 'h' | 'm' | 'o' | 'w' | 'y' | 'Y' => {}
        _ if SHORT_SWITCHES.contains(option) => {}
        _ => line.ignored.push(format!("-{option} {UNKNOWN}")),
    }
}

/// `CERTIFICATE[:PASSPHRASE]`: a colon within the first is written `\:`, a backslash `\\`, and the address of a key in
/// hardware (`pkcs11:`) has colons of its own.
fn certificate(text: &str) -> (String, Option<String>) {
    if text.to_ascii_lowercase().starts_with("pkcs11:") {
        return (text.to_owned(), None);
    }
    let mut path = String::new();
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        match c {
            ':' => return (path, Some(rest.collect()).filter(|p: &String| !p.is_empty())),
            '\\' => match rest.next() {
                Some(escaped @ (':' | '\\')) => path.push(escaped),
                other => path.extend(std::iter::once('\\').chain(other)),
            },
            c => path.push(c),
        }
    }
    (path, None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_is_told_from_its_pass_phrase() {
        let read = |text: &str| {
            let (path, pass) = certificate(text);
            (path, pass.unwrap_or_default())
        };
        for (text, path, pass) in [
            ("me.pem", "me.pem", ""),
            ("me.pem:a:b", "me.pem", "a:b"),
            ("C\\:\\\\me.pem:x", "C:\\me.pem", "x"),
            ("a\\b:", "a\\b", ""),
            ("pkcs11:object=me", "pkcs11:object=me", ""),
        ] {
            assert_eq!(read(text), (path.to_owned(), pass.to_owned()), "{text}");
        }
    }
}
