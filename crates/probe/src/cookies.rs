//! Cookies, as curl's `-b FILE` and `-c` keep them (RFC 6265).

use why401_auth::{Secret, cookie};
use why401_http::Address;

/// So many are kept (RFC 6265 section 6.1 wants 3000 at least).
const MOST: usize = 3000;

/// The cookies of one client.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Jar {
    cookies: Vec<Stored>,
    /// How many were ever taken: the order in which they came.
    taken: u64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Stored {
    name: String,
    value: Secret,
    /// In lower case, without a dot before it; empty for one from a file that names none, which every host gets.
    domain: String,
    /// Whether subdomains get it too.
    with_subdomains: bool,
    path: String,
    /// Whether it is sent over TLS only.
    secure: bool,
    order: u64,
}

impl Jar {
    /// Takes in a file of cookies, in Netscape's format or as lines of `Set-Cookie`; those that expired before `now` (in
    /// seconds since 1970) are left out, and with `junk_sessions` those that are for one session.
    ///
    /// Source: <https://curl.se/docs/http-cookies.html>.
    pub fn read(&mut self, text: &[u8], now: i64, junk_sessions: bool) {
        for line in String::from_utf8_lossy(text).lines() {
            let head = line.get(..SET_COOKIE.len());
            if head.is_some_and(|h| h.eq_ignore_ascii_case(SET_COOKIE)) {
                let value = line.get(SET_COOKIE.len()..).unwrap_or_default().trim();
                self.set(None, value.as_bytes(), now, junk_sessions);
            } else {
                self.netscape(line, now, junk_sessions);
            }
        }
    }

    /// Domain, whether subdomains are meant, path, whether secure, when it expires (0: with the session), name and value,
    /// with tabs between them. `#` begins a comment, and `#HttpOnly_` a cookie that scripts do not see.
    fn netscape(&mut self, line: &str, now: i64, junk_sessions: bool) {
        let line = line.strip_prefix("#HttpOnly_").unwrap_or(line);
        if line.starts_with('#') {
            return;
        }
        let parts: Vec<&str> = line.split('\t').collect();
        let (&[domain, tail, path, secure, expires, name], value) = match parts.split_first_chunk::<6>() {
            Some((first, rest)) => (first, rest.first().copied().unwrap_or_default()),
            None => return,
        };
        let Ok(expires) = expires.trim().parse::<i64>() else { return };
        let stored = Stored {
            name: name.to_owned(),
            value: Secret::new(value),
            domain: domain.trim_start_matches('.').to_ascii_lowercase(),
            with_subdomains: tail.eq_ignore_ascii_case("TRUE"),
            path: if path.starts_with('/') { path.to_owned() } else { "/".to_owned() },
            secure: secure.eq_ignore_ascii_case("TRUE"),
            order: 0,
        };
        let is_over = expires != 0 && expires <= now;
        if !(junk_sessions && expires == 0) {
            self.put(stored, is_over);
        }
    }

    /// Takes the value of a `Set-Cookie` field of an answer from there (RFC 6265 section 5.3).
    pub fn take(&mut self, from: &Address, value: &[u8], now: i64) {
        self.set(Some(from), value, now, false);
    }

    fn set(&mut self, from: Option<&Address>, value: &[u8], now: i64, junk_sessions: bool) {
        let text = String::from_utf8_lossy(value).into_owned();
        let Some((name, content)) = text.split(';').next().and_then(|pair| pair.split_once('=')) else {
            return;
        };
        let read = cookie::set_cookie(value);
        let host = from.map(|f| f.host.as_str()).unwrap_or_default();
        let domain =
            read.attribute("domain").unwrap_or_default().trim_start_matches('.').to_ascii_lowercase();
        // A server speaks for its own name, and for a domain that it is in.
        if from.is_some() && !domain.is_empty() && !is_in(host, &domain) {
            return;
        }
        let path = read.attribute("path").filter(|p| p.starts_with('/')).map(str::to_owned);
        let default = from.map_or("/", |f| folder(why401_http::path_of(&f.target)));
        // Section 5.3, step 3: Max-Age goes before Expires.
        let expires = match read.attribute("max-age").and_then(|a| a.parse::<i64>().ok()) {
            Some(age) => Some(now.saturating_add(age)),
            None => read.attribute("expires").and_then(moment),
        };
        let stored = Stored {
            name: name.trim().to_owned(),
            value: Secret::new(content.trim()),
            with_subdomains: !domain.is_empty(),
            domain: if domain.is_empty() { host.to_ascii_lowercase() } else { domain },
            path: path.unwrap_or_else(|| default.to_owned()),
            secure: read.attribute("secure").is_some(),
            order: 0,
        };
        if !(junk_sessions && expires.is_none()) {
            self.put(stored, expires.is_some_and(|e| e <= now));
        }
    }

    /// Section 5.3, step 11: it takes the place of one of the same name, domain and path, whose age it keeps.
    fn put(&mut self, mut new: Stored, is_over: bool) {
        let same = |c: &Stored| (&c.name, &c.domain, &c.path) == (&new.name, &new.domain, &new.path);
        let old = self.cookies.iter().position(same).map(|at| self.cookies.remove(at));
        self.taken += 1;
        new.order = old.map_or(self.taken, |o| o.order);
        if !is_over && self.cookies.len() < MOST {
            self.cookies.push(new);
        }
    }

    /// What goes into the `Cookie` field of a request there; `None` where there is none for it.
    ///
    /// Section 5.4; among cookies of one length of path the order is curl's: longer domains and names first, and then the
    /// newer ones.
    pub fn field(&self, to: &Address) -> Option<Secret> {
        let host = to.host.trim_matches(['[', ']']);
        // As browsers have it, nobody listens on the way to oneself.
        let is_secure = to.scheme == "https" || matches!(host, "localhost" | "127.0.0.1" | "::1");
        let path = why401_http::path_of(&to.target);
        let goes = |c: &&Stored| {
            let here =
                c.domain.is_empty() || c.domain == host || (c.with_subdomains && is_in(host, &c.domain));
            here && is_below(path, &c.path) && (is_secure || !c.secure)
        };
        let mut all: Vec<&Stored> = self.cookies.iter().filter(goes).collect();
        all.sort_by_key(|c| std::cmp::Reverse((c.path.len(), c.domain.len(), c.name.len(), c.order)));
        let pairs = all.iter().map(|c| [c.name.as_bytes(), b"=", c.value.expose()].concat());
        let text = pairs.collect::<Vec<_>>().join(&b"; "[..]);
        (!text.is_empty()).then(|| Secret::new(text))
    }

    /// The values of all of them.
    pub fn values(&self) -> impl Iterator<Item = &Secret> {
        self.cookies.iter().map(|c| &c.value)
    }
}

const SET_COOKIE: &str = "Set-Cookie:";

/// Whether a host is this domain or below it; an IP address is below nothing (section 5.1.3).
fn is_in(host: &str, domain: &str) -> bool {
    let below = host.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.'));
    host == domain || (below && host.parse::<std::net::IpAddr>().is_err())
}

/// Whether a path is this one or below it (section 5.1.4).
fn is_below(path: &str, folder: &str) -> bool {
    match path.strip_prefix(folder) {
        Some(rest) => rest.is_empty() || folder.ends_with('/') || rest.starts_with('/'),
        // curl takes a slash at the end for none.
        None => folder.strip_suffix('/').is_some_and(|f| f == path),
    }
}

/// The folder that a path is in (section 5.1.4, default-path).
fn folder(path: &str) -> &str {
    match path.rsplit_once('/') {
        Some((folder, _)) if !folder.is_empty() => folder,
        _ => "/",
    }
}

/// When a cookie expires, in seconds since 1970: `Wed, 21 Oct 2026 07:28:00 GMT`, also with `-` within the day.
fn moment(text: &str) -> Option<i64> {
    let day = text.split_once(',').map_or(text, |(_, day)| day).trim().replace('-', " ");
    let words: Vec<&str> = day.split_whitespace().collect();
    let &[day, month, year, time, ..] = words.as_slice() else { return None };
    let year: i64 = year.parse().ok()?;
    let year = match year {
        0..=69 => year + 2000,
        70..=99 => year + 1900,
        _ => year,
    };
    let text = format!("{day} {month} {year} {time} +0000");
    let read = jiff::fmt::strtime::parse("%d %b %Y %H:%M:%S %z", text).ok()?;
    read.to_timestamp().ok().map(|t| t.as_second())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOW: i64 = 1_700_000_000;

    fn sent(jar: &Jar, url: &str) -> String {
        jar.field(&Address::parse(url).unwrap()).map(|f| f.expose_text().into_owned()).unwrap_or_default()
    }

    #[test]
    fn a_file_is_read_and_sent_as_curl_does() {
        let text = "# Netscape HTTP Cookie File\n127.0.0.1\tFALSE\t/\tFALSE\t0\ta\t1\n127.0.0.1\tFALSE\t/\tFALSE\t0\tbb\t2\n\
                    #HttpOnly_127.0.0.1\tFALSE\t/x\tFALSE\t0\tc\t3\n127.0.0.1\tFALSE\t/\tTRUE\t0\tsec\t4\n\
                    .0.0.1\tTRUE\t/\tFALSE\t0\ttail\t5\n127.0.0.1\tFALSE\t/\tFALSE\t1\told\t6\n\
                    127.0.0.1\tFALSE\t/x/\tFALSE\t0\tdir\t7\n127.0.0.1\tFALSE\t/\tFALSE\t0\tnoval\n\
                    127.0.0.1\tFALSE\t/\tFALSE\t0\ta\t9\nSet-Cookie: s=1; path=/; domain=127.0.0.1\nset-cookie: nodom=1\n\
                    127.0.0.1 FALSE / FALSE 0 spaced x\n127.0.0.1\tFALSE\t/y\tFALSE\t9999999999\tyy\t1";
        let mut jar = Jar::default();
        jar.read(text.as_bytes(), NOW, false);
        assert_eq!(sent(&jar, "http://127.0.0.1/x/y"), "dir=7; c=3; noval=; sec=4; bb=2; s=1; a=9; nodom=1");
        assert_eq!(sent(&jar, "http://127.0.0.1/xy"), "noval=; sec=4; bb=2; s=1; a=9; nodom=1");
        let mut jar = Jar::default();
        jar.read(text.as_bytes(), NOW, true);
        assert_eq!(sent(&jar, "http://127.0.0.1/y"), "yy=1");
    }

    #[test]
    fn what_an_answer_sets_goes_where_it_is_meant_for() {
        let from = Address::parse("https://a.example.com/app/login").unwrap();
        let mut jar = Jar::default();
        for value in [
            "own=1",
            "all=2; Domain=.example.com; Path=/; Secure",
            "foreign=3; Domain=example.net",
            "gone=4; Max-Age=0",
            "past=5; Expires=Wed, 09-Jun-2021 10:18:14 GMT",
            "later=\"6\"; Expires=Fri, 01 Jan 2038 00:00:00 GMT; Path=/",
        ] {
            jar.take(&from, value.as_bytes(), NOW);
        }
        assert_eq!(sent(&jar, "https://a.example.com/app/x"), "own=1; later=\"6\"; all=2");
        assert_eq!(sent(&jar, "https://b.example.com/app/x"), "all=2");
        assert_eq!(sent(&jar, "http://b.example.com/app/x"), "");
        assert_eq!(sent(&jar, "https://example.net/"), "");
        jar.take(&from, b"own=; Max-Age=-1", NOW);
        assert_eq!(sent(&jar, "https://a.example.com/app"), "later=\"6\"; all=2");
        assert!(!format!("{jar:?}").contains("\"6\""));
    }

    proptest! {
        #[test]
        fn no_file_is_too_strange(text in "(Set-Cookie: )?[a-z=;\t\n.#/ 0-9é]{0,80}", value in ".{0,60}") {
            let mut jar = Jar::default();
            jar.read(text.as_bytes(), NOW, false);
            let from = Address::parse("http://a.example.com/").unwrap();
            jar.take(&from, value.as_bytes(), NOW);
            let _ = jar.field(&from);
        }
    }
}
