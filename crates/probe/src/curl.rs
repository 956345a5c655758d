//! A curl command line as it is: what it would ask, and with which credentials.
//!
//! Source: curl's manual page, <https://curl.se/docs/manpage.html>.

use crate::wish::{Field, Version};

/// What a curl command line says. Files and variables are left to whoever may read them.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Line {
    /// The address; the first one where there are several.
    pub url: Option<String>,
    /// `-X`.
    pub method: Option<String>,
    /// `-H` and what has an option of its own (`-A`, `-e`, `-b`).
    pub fields: Vec<Field>,
    /// `-H @FILE`: files of fields, a line each; `-` is standard input.
    pub field_files: Vec<String>,
    /// Content, piece by piece.
    pub data: Vec<Data>,
    /// `-G`: the content goes into the query.
    pub data_in_query: bool,
    /// `-I`.
    pub head: bool,
    /// `-u` as written.
    pub user: Option<String>,
    /// The scheme chosen (`--digest`), in lower case; `any` for `--anyauth`.
    pub scheme: Option<String>,
    /// `--oauth2-bearer`.
    pub bearer: Option<String>,
    /// `--aws-sigv4` as written.
    pub aws: Option<String>,
    /// `-n` or `--netrc-file`.
    pub netrc: Option<Option<String>>,
    /// `-L`.
    pub follow: bool,
    /// `--location-trusted`.
    pub trusted: bool,
    /// `-k`.
    pub insecure: bool,
    /// `--cacert`.
    pub cacert: Option<String>,
    /// `-E`, without a password behind it.
    pub cert: Option<String>,
    /// `--key`.
    pub key: Option<String>,
    /// `-x`.
    pub proxy: Option<String>,
    /// `-U`.
    pub proxy_user: Option<String>,
    /// `--noproxy`.
    pub noproxy: Option<String>,
    /// `--resolve`.
    pub resolve: Vec<String>,
    /// `--http1.1`, `--http2`.
    pub version: Version,
    /// Options that mean something for the answer and are not done here.
    pub ignored: Vec<String>,
}

/// A piece of content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Data {
    /// This text.
    Text(why401_auth::Secret),
    /// What this file holds; without its line breaks where `strip` says so.
    File {
        /// Its path, `-` for standard input.
        path: String,
        /// Whether line breaks are left out.
        strip: bool,
    },
}

/// Short options that take a value.
const SHORT_VALUES: &str = "AbcCdDeEFhHKmoPQrtTuUwxXyYz";
/// Long options that take a value and change nothing about what is asked.
const QUIET_VALUES: &[&str] = &[
    "output",
    "write-out",
    "stderr",
    "trace",
    "trace-ascii",
    "dump-header",
    "cookie-jar",
    "max-time",
    "connect-timeout",
    "retry",
    "retry-delay",
    "retry-max-time",
    "limit-rate",
    "ciphers",
    "tls13-ciphers",
    "interface",
    "max-redirs",
    "keepalive-time",
    "output-dir",
    "pinnedpubkey",
    "capath",
    "cert-type",
    "key-type",
    "engine",
    "dns-servers",
    "local-port",
    "speed-limit",
    "speed-time",
    "variable",
    "libcurl",
    "hsts",
    "alt-svc",
    "tls-max",
    "curves",
    "rate",
    "expect100-timeout",
    "happy-eyeballs-timeout-ms",
    "max-filesize",
];
/// Long options with a value that would change what is asked.
const LOUD_VALUES: &[&str] = &[
    "form",
    "form-string",
    "upload-file",
    "range",
    "config",
    "connect-to",
    "request-target",
    "unix-socket",
    "time-cond",
    "continue-at",
    "pass",
    "service-name",
    "sasl-authzid",
    "delegation",
    "preproxy",
    "socks5",
    "socks5-hostname",
    "socks4",
    "proxy-header",
    "proxy-cacert",
    "proxy-cert",
    "proxy-key",
    "doh-url",
    "login-options",
    "proto",
    "proto-default",
    "proto-redir",
    "quote",
    "telnet-option",
    "url-query",
];

/// Reads the words behind `curl`.
///
/// # Errors
/// Where an option lacks its value.
pub fn read(words: &[String]) -> Result<Line, String> {
    let mut line = Line::default();
    let mut rest = words.iter();
    while let Some(word) = rest.next() {
        let mut value =
            |option: &str| rest.next().cloned().ok_or_else(|| format!("{option} lacks its value"));
        if let Some(name) = word.strip_prefix("--").filter(|n| !n.is_empty()) {
            long(&mut line, name, &mut value)?;
        } else if let Some(letters) = word.strip_prefix('-').filter(|l| !l.is_empty()) {
            for (i, c) in letters.char_indices() {
                if !SHORT_VALUES.contains(c) {
                    short(&mut line, c, String::new());
                    continue;
                }
                let own = letters.get(i + c.len_utf8()..).unwrap_or_default();
                let v = if own.is_empty() { value(&format!("-{c}"))? } else { own.to_owned() };
                short(&mut line, c, v);
                break;
            }
        } else if line.url.is_none() {
            line.url = Some(word.clone());
        } else {
            line.ignored.push("a second address".to_owned());
        }
    }
    Ok(line)
}

fn long(
    line: &mut Line,
    name: &str,
    value: &mut dyn FnMut(&str) -> Result<String, String>,
) -> Result<(), String> {
    let option = format!("--{name}");
    let scheme = |s: &str| Some(s.to_owned());
    match name {
        "basic" | "digest" | "ntlm" | "negotiate" => line.scheme = scheme(name),
        "anyauth" => line.scheme = scheme("any"),
        "location" => line.follow = true,
        "location-trusted" => (line.follow, line.trusted) = (true, true),
        "insecure" => line.insecure = true,
        "head" => line.head = true,
        "get" => line.data_in_query = true,
        "netrc" | "netrc-optional" => line.netrc = Some(None),
        "netrc-file" => line.netrc = Some(Some(value(&option)?)),
        "http1.0" | "http1.1" => line.version = Version::Http1,
        "http2" | "http2-prior-knowledge" => line.version = Version::Any,
        "url" => line.url = Some(value(&option)?),
        "request" => short(line, 'X', value(&option)?),
        "header" => short(line, 'H', value(&option)?),
        "user" => short(line, 'u', value(&option)?),
        "proxy-user" => short(line, 'U', value(&option)?),
        "proxy" => short(line, 'x', value(&option)?),
        "user-agent" => short(line, 'A', value(&option)?),
        "referer" => short(line, 'e', value(&option)?),
        "cookie" => short(line, 'b', value(&option)?),
        "cert" => short(line, 'E', value(&option)?),
        "data" | "data-ascii" => short(line, 'd', value(&option)?),
        "data-binary" => {
            let v = value(&option)?;
            line.data.push(piece(&v, false));
        }
        "data-raw" => line.data.push(Data::Text(why401_auth::Secret::new(value(&option)?))),
        "data-urlencode" => {
            let v = value(&option)?;
            match v.split_once('=') {
                Some((name, text)) => {
                    let name = if name.is_empty() { String::new() } else { format!("{name}=") };
                    let text = format!("{name}{}", why401_auth::percent::encode(text.as_bytes()));
                    line.data.push(Data::Text(why401_auth::Secret::new(text)));
                }
                None if v.contains('@') => line.ignored.push(format!("{option} of a file")),
                None => {
                    let text = why401_auth::percent::encode(v.as_bytes());
                    line.data.push(Data::Text(why401_auth::Secret::new(text)));
                }
            }
        }
        "json" => {
            let v = value(&option)?;
            line.data.push(piece(&v, false));
            for (name, value) in [("Content-Type", "application/json"), ("Accept", "application/json")] {
                if !line.fields.iter().any(|f| f.is(name)) {
                    line.fields.push(Field::new(name, value));
                }
            }
        }
        "oauth2-bearer" => line.bearer = Some(value(&option)?),
        "aws-sigv4" => line.aws = Some(value(&option)?),
        "cacert" => line.cacert = Some(value(&option)?),
        "key" => line.key = Some(value(&option)?),
        "noproxy" => line.noproxy = Some(value(&option)?),
        "resolve" => {
            let v = value(&option)?;
            line.resolve.push(v);
        }
        name if QUIET_VALUES.contains(&name) => {
            value(&option)?;
        }
        name if LOUD_VALUES.contains(&name) => {
            value(&option)?;
            line.ignored.push(option);
        }
        // Switches that change nothing about what is asked.
        _ => {}
    }
    Ok(())
}

fn piece(value: &str, strip: bool) -> Data {
    match value.strip_prefix('@') {
        Some(path) => Data::File { path: path.to_owned(), strip },
        None => Data::Text(why401_auth::Secret::new(value)),
    }
}

fn short(line: &mut Line, option: char, value: String) {
    match option {
        'u' => line.user = Some(value),
        'U' => line.proxy_user = Some(value),
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
        'e' => line.fields.push(Field::new("Referer", value)),
        'b' if value.contains('=') => line.fields.push(Field::new("Cookie", value)),
        'b' => line.ignored.push("-b of a file".to_owned()),
        'd' => line.data.push(piece(&value, true)),
        'E' => {
            let path = value.split_once(':').map_or(value.as_str(), |(path, _)| path);
            line.cert = Some(path.to_owned());
        }
        'n' => line.netrc = Some(None),
        'L' => line.follow = true,
        'k' => line.insecure = true,
        'I' => line.head = true,
        'G' => line.data_in_query = true,
        '0' => line.version = Version::Http1,
        'F' | 'T' | 'K' | 'r' | 'C' | 'z' | 'Q' | 't' | 'P' => line.ignored.push(format!("-{option}")),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str) -> Line {
        let words: Vec<String> = text.split(' ').map(|w| w.replace('_', " ")).collect();
        read(&words).unwrap()
    }

    #[test]
    fn options_are_read_as_curl_reads_them() {
        let l = line(
            "-sSLu alice:pw --digest -XPUT -H X-A:_b -o /dev/null --max-time 3 https://h.example/x -d a=1 -d @f",
        );
        assert_eq!((l.user.as_deref(), l.scheme.as_deref()), (Some("alice:pw"), Some("digest")));
        assert_eq!(
            (l.method.as_deref(), l.url.as_deref(), l.follow),
            (Some("PUT"), Some("https://h.example/x"), true)
        );
        assert_eq!(l.fields, [Field::new("X-A", "b")]);
        assert_eq!(l.data.len(), 2);
        assert_eq!(l.data[1], Data::File { path: "f".to_owned(), strip: true });
        assert!(l.ignored.is_empty());
    }

    #[test]
    fn what_is_not_done_is_said() {
        assert_eq!(line("-F a=b --range 0-1 h").ignored, ["-F", "--range"]);
        assert!(read(&["-u".to_owned()]).is_err());
    }
}
