//! Command lines that were pasted along.

use super::prompt::program_of;
use super::shell::{self, Word};
use super::userinfo::split_userinfo;
use super::words;
use crate::http1::head;
use why401_http::{FactKind, Userinfo};
use why401_span::{Derived, Secret};

/// A command line of a program, and what it asks for.
#[derive(Clone)]
pub(crate) struct Command {
    pub(crate) text: Derived,
    pub(crate) program: String,
    pub(crate) words: Vec<Word>,
    pub(crate) addresses: Vec<String>,
    pub(crate) userinfo: Option<Userinfo>,
    /// The value of `-u` and its place among `words`.
    pub(crate) user: Option<(String, usize)>,
    /// Field lines by option, and whether a shell puts something else in their place.
    pub(crate) fields: Vec<(String, String, usize)>,
    pub(crate) method: Option<String>,
    /// Whether credentials may come from elsewhere: a `.netrc`, a configuration file, a variable.
    pub(crate) hidden: bool,
    /// Whether `-u` is answered with `Basic` before anybody asked for it.
    pub(crate) preemptive: bool,
    pub(crate) write_out: Option<String>,
    /// The content given by option and its place among `words`.
    pub(crate) data: Option<(String, usize)>,
}

/// Short options of curl that take a value (curl's manual).
const CURL_VALUES: &str = "AbcCdDeEFhHKmoPQrtTuUwxXyYz";
/// Long options of curl, wget and HTTPie without whose value the next word would be taken for an address.
const LONG_VALUES: &[&str] = &[
    "--user",
    "--proxy-user",
    "--header",
    "--request",
    "--data",
    "--data-raw",
    "--data-binary",
    "--data-urlencode",
    "--json",
    "--form",
    "--url",
    "--write-out",
    "--output",
    "--proxy",
    "--user-agent",
    "--cookie",
    "--cookie-jar",
    "--cert",
    "--key",
    "--cacert",
    "--capath",
    "--netrc-file",
    "--config",
    "--oauth2-bearer",
    "--aws-sigv4",
    "--resolve",
    "--connect-to",
    "--max-time",
    "--connect-timeout",
    "--referer",
    "--range",
    "--upload-file",
    "--dump-header",
    "--trace",
    "--trace-ascii",
    "--stderr",
    "--http-user",
    "--http-password",
    "--password",
    "--method",
    "--body-data",
    "--body-file",
    "--post-data",
    "--post-file",
    "--auth",
    "--auth-type",
    "--session",
    "--retry",
    "--interface",
];

/// Reads the commands of a line (those of a pipeline apart).
pub(crate) fn read(text: &Derived) -> Vec<Command> {
    let line = text.to_text().into_owned();
    // A continued line: its backslash, caret or backtick and its line break are white space.
    let mut plain =
        line.replace("\\\r\n", "   ").replace("\\\n", "  ").replace("^\r\n", "   ").replace("^\n", "  ");
    plain = plain.replace("`\r\n", "   ").replace("`\n", "  ");
    let same_length = plain.len() == text.len();
    let mut commands = Vec::new();
    let all = shell::words(&plain);
    for part in all.split(|w| {
        w.operator && w.value != ">" && w.value != "<" && w.value != ">>" && !w.value.contains('>')
    }) {
        let skip = |w: &&Word| {
            matches!(w.value.as_str(), "sudo" | "time" | "exec" | "env")
                || w.value
                    .split_once('=')
                    .is_some_and(|(n, _)| n.bytes().all(|c| c.is_ascii_uppercase() || c == b'_'))
        };
        let words: Vec<Word> = part.iter().skip_while(skip).cloned().collect();
        if let (Some(first), Some(last)) = (words.first(), words.last()) {
            let range = if same_length { first.range.start..last.range.end } else { 0..text.len() };
            let base = range.start;
            let moved = words
                .iter()
                .map(|w| Word {
                    range: w.range.start.saturating_sub(base)..w.range.end.saturating_sub(base),
                    ..w.clone()
                })
                .collect();
            commands.push(Command::new(text.slice(range), moved));
        }
    }
    commands
}

impl Command {
    fn new(text: Derived, words: Vec<Word>) -> Self {
        let program = words.first().map(|w| program_of(&w.value)).unwrap_or_default();
        let mut c = Command {
            text,
            program,
            words: Vec::new(),
            addresses: Vec::new(),
            userinfo: None,
            user: None,
            fields: Vec::new(),
            method: None,
            hidden: false,
            preemptive: true,
            write_out: None,
            data: None,
        };
        c.options(&words);
        c.words = words;
        c
    }

    /// Whether it is a program that makes the request that its command line says.
    pub(crate) fn asks(&self) -> bool {
        matches!(
            self.program.as_str(),
            "curl"
                | "wget"
                | "http"
                | "https"
                | "xh"
                | "xhs"
                | "invoke-webrequest"
                | "iwr"
                | "invoke-restmethod"
                | "irm"
        ) && !self.addresses.is_empty()
    }

    fn options(&mut self, words: &[Word]) {
        let httpie = matches!(self.program.as_str(), "http" | "https" | "xh" | "xhs");
        let mut at = 1;
        while let Some(word) = words.get(at) {
            let here = at;
            at += 1;
            let text = word.value.as_str();
            let next = words.get(at);
            if let Some(long) = text.strip_prefix("--") {
                let (name, own) = long.split_once('=').map_or((long, None), |(n, v)| (n, Some(v)));
                let takes = LONG_VALUES.contains(&format!("--{name}").as_str())
                    || (name == "username" && self.logs_in(words));
                let (value, place) = match own {
                    Some(v) => (Some(v.to_owned()), here),
                    None if takes => {
                        at += 1;
                        (next.map(|w| w.value.clone()), here + 1)
                    }
                    None => (None, here),
                };
                self.long(name, value, place);
            } else if text.len() > 1 && text.starts_with('-') && self.program == "curl" {
                for (i, c) in text.char_indices().skip(1) {
                    let rest = text.get(i + c.len_utf8()..).unwrap_or_default();
                    if !CURL_VALUES.contains(c) {
                        self.hidden |= c == 'n';
                        continue;
                    }
                    let (value, place) = if rest.is_empty() {
                        at += 1;
                        (next.map(|w| w.value.clone()), here + 1)
                    } else {
                        (Some(rest.to_owned()), here)
                    };
                    self.short(c, value, place);
                    break;
                }
            } else if text.starts_with('-') {
                let name = text.trim_start_matches('-').to_ascii_lowercase();
                let takes = matches!(
                    name.as_str(),
                    "a" | "uri" | "method" | "headers" | "credential" | "h" | "u" | "o"
                );
                if takes && next.is_some() {
                    at += 1;
                    let value = next.map(|w| w.value.clone());
                    match name.as_str() {
                        "a" => self.short('u', value, here + 1),
                        "uri" => self.address(value.unwrap_or_default()),
                        "method" => self.method = value,
                        "headers" | "credential" => self.hidden = true,
                        "u" if self.logs_in(words) => self.short('u', value, here + 1),
                        _ => {}
                    }
                }
            } else if text.contains("://") {
                self.address(text.to_owned());
            } else if httpie {
                self.httpie_item(text, here);
            } else if self.asks_by_name() && self.addresses.is_empty() && looks_like_host(text) {
                self.address(format!("http://{text}"));
            }
        }
        self.hidden |= self.user.as_ref().is_some_and(|(_, i)| words.get(*i).is_some_and(|w| w.expands));
        self.hidden |= self.fields.iter().any(|(_, _, i)| words.get(*i).is_some_and(|w| w.expands));
    }

    /// `docker login`, `helm registry login`: the user is the one whose credentials are kept for the registry.
    fn logs_in(&self, words: &[Word]) -> bool {
        const CLIENTS: &[&str] =
            &["docker", "podman", "nerdctl", "helm", "oras", "skopeo", "crane", "regctl"];
        CLIENTS.contains(&self.program.as_str()) && words.iter().take(4).any(|w| w.value == "login")
    }

    fn asks_by_name(&self) -> bool {
        matches!(self.program.as_str(), "curl" | "wget")
    }

    fn httpie_item(&mut self, text: &str, here: usize) {
        let field = text.split_once(':').filter(|(n, v)| {
            !n.is_empty() && !v.starts_with('=') && n.bytes().all(head::is_token) && !n.contains('.')
        });
        let port = field.is_some_and(|(_, v)| {
            v.bytes().next().is_some_and(|c| c.is_ascii_digit()) && self.addresses.is_empty()
        });
        if self.method.is_none()
            && self.addresses.is_empty()
            && text.len() > 2
            && text.bytes().all(|c| c.is_ascii_uppercase())
        {
            self.method = Some(text.to_owned());
        } else if self.addresses.is_empty()
            && (looks_like_host(text) || port || text.starts_with(':') || text.starts_with("localhost"))
        {
            let host = if text.starts_with(':') { format!("localhost{text}") } else { text.to_owned() };
            let scheme = if matches!(self.program.as_str(), "https" | "xhs") { "https" } else { "http" };
            self.address(format!("{scheme}://{host}"));
        } else if let Some((name, value)) = field {
            self.fields.push((name.to_owned(), value.trim().to_owned(), here));
        }
    }

    fn short(&mut self, option: char, value: Option<String>, place: usize) {
        let Some(value) = value else { return };
        match option {
            'u' => self.user = Some((value, place)),
            'H' => {
                if value.starts_with('@') {
                    self.hidden = true;
                } else if let Some((name, v)) = value.split_once(':') {
                    self.fields.push((name.trim().to_owned(), v.trim().to_owned(), place));
                }
            }
            'A' => self.fields.push(("User-Agent".to_owned(), value, place)),
            'e' => self.fields.push(("Referer".to_owned(), value, place)),
            'b' if value.contains('=') => self.fields.push(("Cookie".to_owned(), value, place)),
            'b' | 'K' => self.hidden = true,
            'X' => self.method = Some(value),
            'd' | 'F' => {
                self.method = self.method.take().or(Some("POST".to_owned()));
                match &mut self.data {
                    _ if value.starts_with('@') => {}
                    // curl joins them (man page, --data).
                    Some((data, _)) => data.extend(["&", &value]),
                    None => self.data = Some((value, place)),
                }
            }
            'T' => self.method = self.method.take().or(Some("PUT".to_owned())),
            'w' => self.write_out = Some(value),
            _ => {}
        }
    }

    fn long(&mut self, name: &str, value: Option<String>, place: usize) {
        let short = match name {
            "user" | "username" | "http-user" | "auth" => 'u',
            "header" => 'H',
            "user-agent" => 'A',
            "referer" => 'e',
            "cookie" => 'b',
            "config" => 'K',
            "request" | "method" => 'X',
            "data" | "data-raw" | "data-binary" | "data-urlencode" | "json" | "form" | "post-data"
            | "post-file" => 'd',
            "upload-file" => 'T',
            "write-out" => 'w',
            "head" => return self.method = Some("HEAD".to_owned()),
            "url" => return self.address(value.unwrap_or_default()),
            "netrc" | "netrc-optional" | "netrc-file" | "session" | "aws-sigv4" | "http-password"
            | "password" => {
                self.hidden = true;
                return;
            }
            "digest" | "ntlm" | "negotiate" | "anyauth" => {
                self.preemptive = false;
                return;
            }
            "oauth2-bearer" => {
                let value = format!("Bearer {}", value.unwrap_or_default());
                return self.fields.push(("Authorization".to_owned(), value, place));
            }
            _ => return,
        };
        self.short(short, value, place);
    }

    fn address(&mut self, text: String) {
        let (address, userinfo) = split_userinfo(&text);
        if self.userinfo.is_none() {
            self.userinfo = userinfo;
        }
        self.hidden |= text.contains('$');
        self.addresses.push(address);
    }

    /// The command as a fact.
    pub(crate) fn kind(&self) -> FactKind {
        let mut addresses = self.addresses.clone();
        let mut userinfo = self.userinfo.clone();
        if addresses.is_empty() {
            for word in &self.words {
                for range in words::addresses(&word.value) {
                    let (address, info) = split_userinfo(word.value.get(range).unwrap_or_default());
                    userinfo = userinfo.or(info);
                    addresses.push(address);
                }
            }
        }
        FactKind::Command {
            program: self.program.clone(),
            words: self.words.iter().map(|w| Secret::new(w.value.clone())).collect(),
            addresses,
            userinfo,
            user: self.user.as_ref().map(|(u, _)| u.split(':').next().unwrap_or(u).to_owned()),
            fields: self.fields.iter().map(|(n, v, _)| (n.clone(), Secret::new(v.clone()))).collect(),
        }
    }

    /// The place of the field that a word gives: the word itself.
    pub(crate) fn place(&self, word: usize) -> Derived {
        self.words.get(word).map(|w| self.text.slice(w.range.clone())).unwrap_or_default()
    }
}

fn looks_like_host(text: &str) -> bool {
    let host = text.split(['/', ':', '?']).next().unwrap_or(text);
    host == "localhost"
        || (host.contains('.') && host.bytes().all(|c| c.is_ascii_alphanumeric() || matches!(c, b'.' | b'-')))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::prompt::begins;

    fn one(text: &str) -> Command {
        let at = begins(text).unwrap();
        read(&Derived::synthetic(text.get(at..).unwrap())).remove(0)
    }

    #[test]
    fn what_curl_is_told_is_read() {
        let c = one(
            "$ curl -sSu alice:pw --digest -XPOST -H 'X-A: b' -b a=1 -w '%{http_code}' https://bob:p%40@h.example/x",
        );
        assert_eq!(c.user.as_ref().map(|(u, _)| u.as_str()), Some("alice:pw"));
        assert_eq!((c.method.as_deref(), c.preemptive, c.hidden), (Some("POST"), false, false));
        assert_eq!(c.fields.len(), 2);
        assert_eq!(c.addresses, ["https://h.example/x"]);
        assert_eq!(c.userinfo.unwrap().password.unwrap().expose(), "p@");
        assert!(one(r#"$ curl -H "Authorization: Bearer $T" h.example"#).hidden);
        assert!(!one(r#"$ curl -H 'Authorization: Bearer $T' h.example"#).hidden);
    }

    #[test]
    fn httpie_items_are_read() {
        let c = one("$ http POST example.com/x Authorization:'Bearer abc' a=b -a alice:pw");
        assert_eq!(
            (c.method.as_deref(), c.addresses.first().map(String::as_str)),
            (Some("POST"), Some("http://example.com/x"))
        );
        assert_eq!(
            c.fields.first().map(|(n, v, _)| (n.as_str(), v.as_str())),
            Some(("Authorization", "Bearer abc"))
        );
        assert!(c.user.is_some());
    }

    #[test]
    fn a_command_on_several_lines_is_one() {
        let all = read(&Derived::synthetic("curl -u a:b \\\n  https://h.example/ | jq ."));
        assert_eq!(all.len(), 2);
        assert_eq!(all[0].addresses, ["https://h.example/"]);
        assert_eq!(all[1].program, "jq");
    }
}
