//! What was said inside TLS that could not be read: which hosts, why, and how to record the keys next time.

use std::collections::BTreeMap;
use why401_report::Problem;
use why401_span::Span;

/// More hosts are only counted.
const MOST: usize = 60;

/// How programs write the keys down, each by its own documentation: everything.curl.dev (SSLKEYLOGFILE), Firefox source
/// docs (NSS key log), Chromium's switch `ssl-key-log-file`, Python's `ssl.create_default_context` (3.8), Node.js's
/// `--tls-keylog` (12.16), Go's `crypto/tls` `Config.KeyLogWriter`, github.com/neykov/extract-tls-secrets for Java.
const HOW: &str = "to read what is inside TLS, record the keys while capturing and give both files (why401 CAPTURE keys.log). \
curl: SSLKEYLOGFILE=keys.log curl ... | Chrome, Edge: quit, then start with --ssl-key-log-file=keys.log | \
Firefox: quit, then SSLKEYLOGFILE=keys.log firefox | Python 3.8 and newer (requests, httpx, urllib): SSLKEYLOGFILE=keys.log python ... | \
Node.js: NODE_OPTIONS=--tls-keylog=keys.log node ... | Java: java -javaagent:extract-tls-secrets.jar=keys.log ... \
(github.com/neykov/extract-tls-secrets) | Go: tls.Config{KeyLogWriter: file} in the program";

/// How clients are kept from HTTP/3, each by its own documentation: curl(1), Chromium's switch `disable-quic`, Firefox's
/// preference; servers announce it by `Alt-Svc` (RFC 7838) and by HTTPS records, and clients fall back where UDP is blocked.
const WITHOUT_HTTP3: &str = "to read what went over HTTP/3, have the client use HTTP/2 while capturing: curl: without \
--http3 | Chrome, Edge: quit, then start with --disable-quic | Firefox: about:config, network.http.http3.enable = false | \
any client: block UDP port 443 on its machine, and it falls back to HTTP/2";

/// What a connection spoke that could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Protocol {
    Tls,
    Http3,
}

/// The hosts that could not be read.
#[derive(Debug, Default)]
pub(super) struct Unread {
    hosts: BTreeMap<(Protocol, String, String), (Span, u64)>,
    further: u64,
    keys_wanted: bool,
}

impl Unread {
    /// A connection to `host` that could not be read, begun at `at`; `keys` says that keys would have helped.
    pub(super) fn add(&mut self, what: Protocol, host: String, why: String, at: Span, keys: bool) {
        self.keys_wanted |= keys;
        let room = self.hosts.len() < MOST;
        let which = (what, host, why);
        match self.hosts.get_mut(&which) {
            Some((_, count)) => *count += 1,
            None if room => {
                self.hosts.insert(which, (at, 1));
            }
            None => self.further += 1,
        }
    }

    /// All of it, in the order in which it was met.
    pub(super) fn problems(self) -> Vec<Problem> {
        let mut hosts: Vec<_> = self.hosts.into_iter().collect();
        hosts.sort_by_key(|(_, (at, _))| at.start);
        let http3 = hosts.iter().any(|((what, ..), _)| *what == Protocol::Http3);
        let problem = |offset, what| Problem { offset, line: None, what };
        let mut all: Vec<Problem> = hosts
            .into_iter()
            .map(|((what, host, why), (at, count))| {
                let what = if what == Protocol::Http3 { "HTTP/3 (QUIC)" } else { "TLS" };
                let times = if count > 1 { format!(" ({count} connections)") } else { String::new() };
                let offset = if at.layer.is_none() { at.start } else { 0 };
                problem(offset, format!("{what} to {host} could not be read{times}: {why}"))
            })
            .collect();
        if self.further > 0 {
            all.push(problem(0, format!("{} more connections could not be read", self.further)));
        }
        if self.keys_wanted {
            all.push(problem(0, HOW.to_owned()));
        }
        if http3 {
            all.push(problem(0, WITHOUT_HTTP3.to_owned()));
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use why401_span::SourceId;

    #[test]
    fn hosts_are_told_once_and_the_way_to_keys_at_the_end() {
        let mut unread = Unread::default();
        for i in 0..100_u64 {
            let at = Span::new(SourceId(0), 1000 - i, 1000);
            unread.add(Protocol::Tls, format!("h{}.example.com", i % 80), "no keys".into(), at, i == 5);
        }
        let all = unread.problems();
        assert_eq!(all.len(), MOST + 2);
        assert_eq!(all[0].what, "TLS to h59.example.com could not be read: no keys");
        assert!(
            all[MOST].what.starts_with("20 more connections") && all[MOST + 1].what.contains("--tls-keylog")
        );
        assert!(
            all.iter().any(|p| p.what == "TLS to h3.example.com could not be read (2 connections): no keys")
        );
    }
}
