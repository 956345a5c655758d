//! A curl command line as it is: what it would ask, and with which credentials.
//!
//! Source: curl's manual page, <https://curl.se/docs/manpage.html>.

mod apply;
mod config;
mod data;
mod form;
mod glob;
mod options;
mod path;

pub use data::Data;
pub use form::{Part, multipart};
pub use path::as_sent;
pub(crate) use path::without_dots;

use crate::wire::Family;
use crate::wish::{Field, Version};
use apply::{long, short};
use options::SHORT_VALUES;
use why401_auth::Secret;

/// What a curl command line says. Files and variables are left to whoever may read them.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Line {
    /// The address; the first one where there are several.
    pub url: Option<String>,
    /// `-X`.
    pub method: Option<String>,
    /// `-H` and what has an option of its own (`-A`, `-e`, `-b name=value`).
    pub fields: Vec<Field>,
    /// `-b FILE`: files of cookies; `-` is standard input, an empty name reads none.
    pub cookie_files: Vec<String>,
    /// `-c`: cookies that answers set are kept for the requests after them, as with `-b FILE`.
    pub keeps_cookies: bool,
    /// `-j`: cookies of a session are not taken from files.
    pub junk_session_cookies: bool,
    /// `--compressed`.
    pub compressed: bool,
    /// `--path-as-is`: dot segments stay in the path.
    pub path_as_is: bool,
    /// `-g`: braces and brackets are part of the address.
    pub globoff: bool,
    /// `--request-target`: what the request line names in place of path and query.
    pub request_target: Option<String>,
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
    /// `--capath`: folders of authorities, with `:` between them.
    pub capath: Option<String>,
    /// `-E`, without the pass phrase behind it.
    pub cert: Option<String>,
    /// `--cert-type`, in capitals.
    pub cert_type: Option<String>,
    /// `--key`.
    pub key: Option<String>,
    /// `--key-type`, in capitals.
    pub key_type: Option<String>,
    /// `--pass`, or what stands behind the certificate.
    pub pass: Option<Secret>,
    /// `--tlsv1.3`: nothing older.
    pub tls_from_1_3: bool,
    /// `--tls-max 1.2`: nothing newer.
    pub tls_to_1_2: bool,
    /// `-x`.
    pub proxy: Option<String>,
    /// `-p`: the proxy is asked for a tunnel for `http` addresses too.
    pub proxy_tunnel: bool,
    /// `-U`.
    pub proxy_user: Option<String>,
    /// `--noproxy`.
    pub noproxy: Option<String>,
    /// `--resolve`.
    pub resolve: Vec<String>,
    /// `--connect-to`.
    pub connect_to: Vec<String>,
    /// `-4` and `-6`: addresses of this version of IP only.
    pub family: Option<Family>,
    /// `--http1.1`, `--http2`.
    pub version: Version,
    /// Options that mean something for the request or its answer and are not done here.
    pub ignored: Vec<String>,
    /// Which of the fields is that of `-b name=value`.
    cookie: Option<usize>,
    /// Whether the word before was an option that is not known here, which may have a value.
    last_was_unknown: bool,
    /// Whether the address stood behind such an option.
    url_is_doubtful: bool,
}

impl Line {
    /// How many options there were that are not known here.
    fn unknown(&self) -> usize {
        self.ignored.iter().filter(|i| i.ends_with(UNKNOWN)).count()
    }
}

/// Said of an option that is not known here.
const UNKNOWN: &str = "(unknown here)";

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
    if let Some(url) = line.url.take() {
        let (first, more) = if line.globoff { (url, false) } else { glob::first(&url)? };
        line.url = Some(first);
        if more {
            line.ignored.push("pattern in the address but for the first that it stands for".to_owned());
        }
    }
    if let Some(at) = line.cookie.filter(|_| line.fields.iter().filter(|f| f.is("cookie")).count() > 1) {
        // One that is given by `-H` takes the place of those that are given as such.
        line.fields.remove(at);
    }
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
        let unknown_before = line.unknown();
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
        line.last_was_unknown = line.unknown() > unknown_before;
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
        line.url_is_doubtful = line.last_was_unknown;
    } else if std::mem::take(&mut line.url_is_doubtful) {
        // What stood behind an option that is not known was its value.
        line.url = Some(word.to_owned());
    } else {
        line.ignored.push("second address".to_owned());
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
        let l = line("--interface /x -F a=@b,c --http3 --frob --proxy-ntlm h i");
        let said = ["--interface", "-F of several files", "--http3", "--frob (unknown here)", "--proxy-ntlm"];
        assert_eq!(l.ignored, [&said[..], &["second address"]].concat());
        assert_eq!(line("--no-progress-meter --compressed -fsSv#4 h").ignored, [""; 0]);
        assert_eq!(line("h --next -u bob i").ignored, ["second request (--next)"]);
        assert!(read(&["-u".to_owned()], &mut |_| Ok(Vec::new())).is_err());
        let loud = "--pinnedpubkey x --ciphers x --curves x --interface x --dns-servers x --local-port 1 --tr-encoding \
                    --hsts x --alt-svc x --engine x --cert-status --crlf --max-redirs 1";
        let l = line(&format!("{loud} h"));
        let names: Vec<&str> = loud.split_whitespace().filter(|w| w.starts_with("--")).collect();
        assert_eq!(l.ignored, names);
        let old = line("-1 --tlsv1.1 --tls-max 1.0 --http1.0 --http2-prior-knowledge h").ignored;
        assert!(old.len() == 5 && old[0].contains("TLS 1.2") && old[3].contains("HTTP/1.1"), "{old:?}");
        assert_eq!(line("h --request-target x").ignored, ["--request-target of something that is no path"]);
        // What follows an option that is not known may be its value.
        let l = line("--frob x http://h/ -s");
        assert_eq!(
            (l.url.as_deref(), l.ignored),
            (Some("http://h/"), vec!["--frob (unknown here)".to_owned()])
        );
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
    fn what_changes_the_request_or_the_connection_is_kept() {
        let l = line(
            "-gjp6 --compressed --path-as-is -b f -c out -b a=1 -b b=2 --connect-to a:1:b:2 --tlsv1.3 --capath d -E c:pw \
             --key-type der --request-target /x http://h/{a}",
        );
        assert!(l.ignored.is_empty(), "{:?}", l.ignored);
        assert!(l.globoff && l.junk_session_cookies && l.proxy_tunnel && l.compressed && l.path_as_is);
        assert!(l.keeps_cookies && l.tls_from_1_3 && !l.tls_to_1_2);
        assert_eq!(
            (l.cookie_files.as_slice(), l.fields.as_slice()),
            (&["f".to_owned()][..], &[Field::new("Cookie", "a=1;b=2")][..])
        );
        assert_eq!((l.cert.as_deref(), l.pass), (Some("c"), Some(Secret::new("pw"))));
        assert_eq!((l.key_type.as_deref(), l.family), (Some("DER"), Some(Family::V6)));
        assert_eq!((l.request_target.as_deref(), l.url.as_deref()), (Some("/x"), Some("http://h/{a}")));
        assert_eq!(line("-b a=1 -H Cookie:_b=2 h").fields, [Field::new("Cookie", "b=2")]);
        let l = line(
            "--compressed --no-compressed --path-as-is --no-path-as-is -L --no-location --no-alpn h/[1-2]",
        );
        assert!(!l.compressed && !l.path_as_is && !l.follow && l.version == Version::Http1);
        assert_eq!(l.ignored, ["pattern in the address but for the first that it stands for"]);
        assert!(read(&words("h/{"), &mut |_| Ok(Vec::new())).is_err());
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
