//! A curl command line as it is: what it would ask, and with which credentials.
//!
//! Source: curl's manual page, <https://curl.se/docs/manpage.html>.

mod config;
mod data;
mod form;
mod options;

pub use data::Data;
pub use form::{Part, multipart};

use crate::wish::{Field, Version};
use data::{encoded, piece};
use options::{LOUD_SWITCHES, LOUD_VALUES, QUIET_SWITCHES, QUIET_VALUES, SHORT_SWITCHES, SHORT_VALUES};
use why401_auth::Secret;

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
    /// `--json`: the content is JSON, and so is to be the answer.
    pub json: bool,
    /// `--url-query`: what the query is lengthened by, each behind an `&`.
    pub query: Vec<Data>,
    /// `-F` and `--form-string`: the parts of a form.
    pub form: Vec<Part>,
    /// `-T`: the file whose content is put there, `-` or `.` for standard input.
    pub upload: Option<String>,
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

/// Reads files of options (`-K`); the caller may have none.
pub type Files<'a> = &'a mut dyn FnMut(&str) -> Result<Vec<u8>, String>;

/// So deep may files of options name each other, as in curl.
const DEPTH: usize = 10;

/// Reads the words behind `curl`. `files` is asked for what the files of `-K` hold.
///
/// # Errors
/// Where an option lacks its value, or a file of options cannot be read.
pub fn read(words: &[String], files: Files<'_>) -> Result<Line, String> {
    let mut line = Line::default();
    words_into(&mut line, words, files, 0)?;
    if line.json {
        for name in ["Content-Type", "Accept"] {
            if !line.fields.iter().any(|f| f.is(name)) {
                line.fields.push(Field::new(name, "application/json"));
            }
        }
    }
    Ok(line)
}

/// Takes words in; whether more may follow.
fn words_into(line: &mut Line, words: &[String], files: Files<'_>, depth: usize) -> Result<bool, String> {
    let mut rest = words.iter();
    let mut only_addresses = false;
    while let Some(word) = rest.next() {
        let mut value =
            |option: &str| rest.next().cloned().ok_or_else(|| format!("{option} lacks its value"));
        let mut config = None;
        if only_addresses {
            address(line, word);
        } else if word == "--" {
            only_addresses = true;
        } else if word == "--next" || word == "-:" {
            line.ignored.push("second request (--next)".to_owned());
            return Ok(false);
        } else if word == "--config" {
            config = Some(value(word)?);
        } else if let Some(name) = word.strip_prefix("--") {
            long(line, name, &mut value)?;
        } else if let Some(letters) = word.strip_prefix('-').filter(|l| !l.is_empty()) {
            for (i, c) in letters.char_indices() {
                if !SHORT_VALUES.contains(c) {
                    short(line, c, String::new());
                    continue;
                }
                let own = letters.get(i + c.len_utf8()..).unwrap_or_default();
                let v = if own.is_empty() { value(&format!("-{c}"))? } else { own.to_owned() };
                if c == 'K' {
                    config = Some(v);
                } else {
                    short(line, c, v);
                }
                break;
            }
        } else {
            address(line, word);
        }
        if let Some(path) = config {
            if depth >= DEPTH {
                return Err(format!("{path}: files of options name each other without an end"));
            }
            let more = config::words(&String::from_utf8_lossy(&files(&path)?));
            if !words_into(line, &more, files, depth + 1)? {
                return Ok(false);
            }
        }
    }
    Ok(true)
}

fn address(line: &mut Line, word: &str) {
    if line.url.is_none() {
        line.url = Some(word.to_owned());
    } else {
        line.ignored.push("second address".to_owned());
    }
}

fn long(
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
        "basic" | "digest" | "ntlm" | "negotiate" => line.scheme = Some(name.to_owned()),
        "anyauth" => line.scheme = Some("any".to_owned()),
        "location-trusted" => (line.follow, line.trusted) = (true, true),
        "netrc-optional" => line.netrc = Some(None),
        "netrc-file" => line.netrc = Some(Some(value(&option)?)),
        "http1.1" => line.version = Version::Http1,
        "http2" | "http2-prior-knowledge" => line.version = Version::Any,
        "url" => address(line, &value(&option)?),
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
        "key" => line.key = Some(value(&option)?),
        "socks5" => line.proxy = Some(format!("socks5://{}", value(&option)?)),
        "socks5-hostname" => line.proxy = Some(format!("socks5h://{}", value(&option)?)),
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
        name if QUIET_SWITCHES.contains(&name.strip_prefix("no-").unwrap_or(name)) => {}
        name if LOUD_SWITCHES.contains(&name) => line.ignored.push(option),
        _ => line.ignored.push(format!("{option} (unknown here)")),
    }
    Ok(())
}

fn short(line: &mut Line, option: char, value: String) {
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
        'b' if value.contains('=') => line.fields.push(Field::new("Cookie", value)),
        'b' => line.ignored.push("-b of a file".to_owned()),
        'r' => line.fields.push(Field::new("Range", format!("bytes={value}"))),
        'd' => line.data.extend([Data::And, piece(&value, true)]),
        'F' => match form::part(&value) {
            Ok(part) => line.form.push(part),
            Err(what) => line.ignored.push(format!("-F {what}")),
        },
        'T' if value.contains(['{', '[']) => line.ignored.push("-T of several files".to_owned()),
        'T' => line.upload = Some(value),
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
        'C' | 'z' | 'Q' | 't' | 'P' => line.ignored.push(format!("-{option}")),
        'c' | 'D' | 'h' | 'm' | 'o' | 'w' | 'y' | 'Y' => {}
        _ if SHORT_SWITCHES.contains(option) => {}
        _ => line.ignored.push(format!("-{option} (unknown here)")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn words(text: &str) -> Vec<String> {
        text.split(' ').map(|w| w.replace('_', " ")).collect()
    }

    fn line(text: &str) -> Line {
        read(&words(text), &mut |_| Err("no files here".to_owned())).unwrap()
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
        assert_eq!(l.data.last(), Some(&Data::File { path: "f".to_owned(), strip: true }));
        assert!(l.ignored.is_empty());
    }

    #[test]
    fn what_is_not_done_is_said() {
        let l = line("--request-target /x -F a=@b,c --http3 --frob --proxy-ntlm h i");
        let said =
            ["--request-target", "-F of several files", "--http3", "--frob (unknown here)", "--proxy-ntlm"];
        assert_eq!(l.ignored, [&said[..], &["second address"]].concat());
        assert_eq!(line("--no-progress-meter --compressed -fsSv#4 h").ignored, [""; 0]);
        assert_eq!(line("h --next -u bob i").ignored, ["second request (--next)"]);
        assert!(read(&["-u".to_owned()], &mut |_| Ok(Vec::new())).is_err());
    }

    #[test]
    fn content_is_encoded_as_its_option_says() {
        let text = |t: &str| Data::Text(Secret::new(t));
        for (value, expected) in [
            ("a=b_c", text("a=b%20c")),
            ("=b&c", text("b%26c")),
            ("b&c", text("b%26c")),
            ("a@f", Data::Encoded { before: "a=".to_owned(), path: "f".to_owned() }),
            ("@f", Data::Encoded { before: String::new(), path: "f".to_owned() }),
            ("a=b@c", text("a=b%40c")),
        ] {
            assert_eq!(line(&format!("--data-urlencode {value} h")).data.last(), Some(&expected), "{value}");
        }
        let l = line("--json {} --json [] -H Content-Type:_a/b h");
        assert_eq!(l.data, [text("{}"), text("[]")]);
        assert_eq!(l.fields, [Field::new("Content-Type", "a/b"), Field::new("Accept", "application/json")]);
        assert_eq!(line("--url-query a=b_c --url-query +d=e_f h").query, [text("a=b%20c"), text("d=e f")]);
    }

    #[test]
    fn every_way_to_name_a_field_or_a_proxy_is_known() {
        let l = line("-A agent -e http://h.example/;auto -b a=1 -r 0-1 -x p:1 --proxy-user bob:x --url h");
        let fields = [("User-Agent", "agent"), ("Referer", "http://h.example/"), ("Cookie", "a=1")];
        let mut fields: Vec<Field> = fields.iter().map(|(n, v)| Field::new(*n, *v)).collect();
        fields.push(Field::new("Range", "bytes=0-1"));
        assert_eq!((l.fields, l.url.as_deref()), (fields, Some("h")));
        assert_eq!((l.proxy.as_deref(), l.proxy_user.as_deref()), (Some("p:1"), Some("bob:x")));
        assert_eq!(line("-x  h").noproxy.as_deref(), Some("*"));
    }

    #[test]
    fn files_of_options_are_read_where_they_are_named() {
        let mut files = |path: &str| match path {
            "a" => Ok(b"user = \"alice:p w\"\n-K b\n".to_vec()),
            "b" => Ok(b"url: http://h.example/\nhead\n".to_vec()),
            _ => Ok(b"config = round\n".to_vec()),
        };
        let l = read(&words("-sK a -u bob:x"), &mut files).unwrap();
        assert_eq!((l.user.as_deref(), l.url.as_deref()), (Some("bob:x"), Some("http://h.example/")));
        assert!(l.head);
        assert!(read(&words("-K round"), &mut files).unwrap_err().contains("without an end"));
        assert!(read(&words("--config x"), &mut |_| Err("not there".to_owned())).is_err());
    }

    proptest! {
        #[test]
        fn no_line_is_too_strange(words in proptest::collection::vec("(-{0,2})?[a-zA-Z=@;\"{}é-]{0,8}", 0..8), file in ".{0,60}") {
            let _ = read(&words, &mut |_| Ok(file.clone().into_bytes()));
        }
    }
}
