//! Of very many exchanges, those that nobody asks about are counted, and only what may explain a later refusal is kept of
//! them.
//!
//! An exchange is *plain* where the answer gave what was asked for and says nothing that may matter later (a new session,
//! a token, a login page). Behind the first [`WHOLE`] exchanges plain ones are held back. One that has the credentials,
//! the cookies or the client and path of a refusal in common with it is handed over after all: the last one before the
//! refusal and the first one after it. So a cause sees what worked just before and what worked next, and a diagnosis takes
//! as long as its refusals deserve, however much else passed.

use super::exchanges::Place;
use super::held::ByNumber;
use crate::http1::{Pair, Raw, RawPair, content::is_page};
use foldhash::fast::RandomState;
use memchr::memmem::Finder;
use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::hash::BuildHasher;
use std::rc::Rc;
use std::sync::LazyLock;
use why401_http::Moment;

/// So many exchanges are handed over whatever they are.
const WHOLE: u64 = 500;
/// So many plain exchanges are held back at one time, and so many bytes of them.
const HELD: usize = 2048;
const HELD_BYTES: usize = 8 << 20;
/// So many requests that nobody answered are handed over: of a flood of them each says the same.
const UNANSWERED: u32 = 2000;
/// What was refused, by what it may have in common with others; more is not told apart.
const REFUSED: usize = 20_000;
/// So many exchanges are handed over for what they say: new credentials, a session, a token.
const TELLING: u32 = 2000;

/// An exchange that is held back.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) number: u64,
    pub(super) place: Rc<Place>,
    pub(super) said: Said,
}

/// A request and its answer.
#[derive(Debug)]
pub(super) enum Said {
    /// Of HTTP/1, not taken apart yet.
    Raw(Box<RawPair>),
    Read(Box<Pair>),
}

/// What becomes of an exchange.
#[derive(Debug)]
pub(super) enum Verdict {
    /// It is handed over, behind those that were held back until now.
    Tell(Said, Vec<Held>),
    /// It was taken in.
    Kept,
}

/// Exchanges of one status, or without an answer, that were never handed over.
#[derive(Debug, Clone, Copy)]
pub(super) struct Passed {
    pub(super) count: u64,
    pub(super) first: Option<Moment>,
    pub(super) last: Option<Moment>,
}

/// What is known of the exchanges so far.
#[derive(Debug, Default)]
pub(super) struct Plain {
    hash: RandomState,
    /// What was refused and not let in since.
    refused: HashSet<u64, ByNumber>,
    /// Credentials that were seen.
    credentials: HashSet<u64, ByNumber>,
    /// The latest that is held back for each thing that a refusal may have in common with it.
    latest: HashMap<u64, Rc<Shelf>, ByNumber>,
    order: VecDeque<(Rc<Shelf>, Keys)>,
    bytes: usize,
    told: u32,
    unanswered: u32,
    passed: BTreeMap<Option<u16>, Passed>,
}

/// A place for an exchange, empty once it was handed over.
type Shelf = std::cell::RefCell<Option<Held>>;

/// What exchanges may have in common: credentials; cookies; client, method and path.
type Keys = [Option<u64>; 3];

/// What an exchange shows at a glance.
struct Glance {
    keys: Keys,
    success: bool,
    refusal: bool,
    /// Something that may matter later, beside the credentials.
    telling: bool,
}

impl Plain {
    /// Takes an exchange in; `number` were before it.
    pub(super) fn judge(&mut self, number: u64, place: &Rc<Place>, said: Said) -> Verdict {
        let answered = said.is_answered();
        if !answered && self.unanswered >= UNANSWERED {
            self.count(&said);
            return Verdict::Kept;
        }
        self.unanswered += u32::from(!answered);
        let Some(glance) = self.glance(place, &said) else { return Verdict::Tell(said, Vec::new()) };
        let Glance { keys, success, refusal, telling } = glance;
        let known = keys.iter().flatten();
        if refusal {
            let held: Vec<Held> = known.clone().filter_map(|key| self.latest.remove(key)?.take()).collect();
            self.bytes = self.bytes.saturating_sub(held.iter().map(Held::size).sum());
            if self.refused.len() < REFUSED {
                self.refused.extend(known);
            }
            return Verdict::Tell(said, in_order(held));
        }
        let mut tell = number < WHOLE || !success;
        for key in known {
            tell |= self.refused.remove(key);
        }
        let new = keys[0].is_some_and(|c| self.credentials.len() < REFUSED && self.credentials.insert(c));
        if (new || telling) && self.told < TELLING && !tell {
            self.told += 1;
            tell = true;
        }
        if tell {
            return Verdict::Tell(said, Vec::new());
        }
        self.keep(keys, Held { number, place: Rc::clone(place), said });
        Verdict::Kept
    }

    /// Exchanges by status that were never handed over.
    pub(super) fn passed(mut self) -> BTreeMap<Option<u16>, Passed> {
        while let Some((shelf, _)) = self.order.pop_front() {
            self.pass(&shelf);
        }
        self.passed
    }

    fn keep(&mut self, keys: Keys, held: Held) {
        self.bytes += held.size();
        let shelf = Rc::new(Shelf::new(Some(held)));
        for key in keys.iter().flatten() {
            self.latest.insert(*key, Rc::clone(&shelf));
        }
        self.order.push_back((shelf, keys));
        while self.order.len() > HELD || self.bytes > HELD_BYTES {
            let Some((shelf, keys)) = self.order.pop_front() else { break };
            for key in keys.iter().flatten() {
                if self.latest.get(key).is_some_and(|s| Rc::ptr_eq(s, &shelf)) {
                    self.latest.remove(key);
                }
            }
            self.pass(&shelf);
        }
    }

    /// What is still on the shelf has passed for good.
    fn pass(&mut self, shelf: &Shelf) {
        let Some(held) = shelf.take() else { return };
        self.bytes = self.bytes.saturating_sub(held.size());
        self.count(&held.said);
    }

    fn count(&mut self, said: &Said) {
        let (status, at) = (said.status(), said.at());
        let passed = self.passed.entry(status).or_insert(Passed { count: 0, first: at, last: at });
        passed.count += 1;
        (passed.first, passed.last) = (passed.first.min(at), passed.last.max(at));
    }

    /// `None` where it has to be taken apart to know.
    fn glance(&self, place: &Place, said: &Said) -> Option<Glance> {
        let (method, target) = said.asks()?;
        let status = said.status()?;
        let path = target.split(|c| *c == b'?').next().unwrap_or(target);
        let (mut keys, mut agent) = ([None; 3], &b""[..]);
        said.request_fields(|name, value| match name.len() {
            13 if name.eq_ignore_ascii_case(b"authorization") => {
                keys[0] = Some(self.hash.hash_one((0, lasting(value))));
            }
            6 if name.eq_ignore_ascii_case(b"cookie") => keys[1] = Some(self.hash.hash_one((1, value))),
            10 if name.eq_ignore_ascii_case(b"user-agent") => agent = value,
            _ => {}
        });
        keys[2] = Some(self.hash.hash_one((2, &place.client.host, agent, method, path)));
        let (mut page, mut telling) = (false, !said.is_whole());
        said.response_fields(|name, value| match name.len() {
            10 => telling |= name.eq_ignore_ascii_case(b"set-cookie"),
            12 if name.eq_ignore_ascii_case(b"content-type") => page = is_page(value),
            _ => {}
        });
        let success = matches!(status, 200..=299 | 304 | 404);
        let content = said.content();
        telling |= success && status != 404 && if page { may_ask(content) } else { may_grant(content) };
        Some(Glance { keys, success, refusal: matches!(status, 401 | 403 | 407), telling })
    }
}

impl Held {
    /// About how many bytes of memory it takes.
    fn size(&self) -> usize {
        const BASE: usize = 800;
        BASE + self.said.size()
    }
}

impl Said {
    /// Takes it apart.
    pub(super) fn read(self) -> Pair {
        match self {
            Said::Raw(pair) => pair.read(),
            Said::Read(pair) => *pair,
        }
    }

    fn is_answered(&self) -> bool {
        match self {
            Said::Raw(pair) => pair.response.is_some(),
            Said::Read(pair) => pair.response.is_some(),
        }
    }

    fn status(&self) -> Option<u16> {
        match self {
            Said::Raw(pair) => pair.response.as_ref()?.status(),
            Said::Read(pair) => Some(pair.response.as_ref()?.message.status),
        }
    }

    /// When the request was made.
    fn at(&self) -> Option<Moment> {
        match self {
            Said::Raw(pair) => pair.request.as_ref()?.at(),
            Said::Read(pair) => pair.request.as_ref()?.at,
        }
    }

    /// Method and target.
    fn asks(&self) -> Option<(&[u8], &[u8])> {
        match self {
            Said::Raw(pair) => pair.request.as_ref()?.asks(),
            Said::Read(pair) => {
                let request = &pair.request.as_ref()?.message;
                Some((request.method.as_bytes(), request.target.as_bytes()))
            }
        }
    }

    /// Whether both heads were seen as a whole.
    fn is_whole(&self) -> bool {
        match self {
            Said::Raw(pair) => [&pair.request, &pair.response].into_iter().flatten().all(Raw::is_whole),
            Said::Read(pair) => {
                pair.request.as_ref().is_none_or(|r| r.message.complete)
                    && pair.response.as_ref().is_none_or(|r| r.message.complete)
            }
        }
    }

    fn request_fields<'a>(&'a self, mut each: impl FnMut(&'a [u8], &'a [u8])) {
        match self {
            Said::Raw(pair) => pair.request.iter().for_each(|r| r.fields(&mut each)),
            Said::Read(pair) => {
                let fields = pair.request.iter().flat_map(|r| r.message.fields.iter());
                fields.for_each(|f| each(f.name.as_bytes(), f.value.as_bytes()));
            }
        }
    }

    fn response_fields<'a>(&'a self, mut each: impl FnMut(&'a [u8], &'a [u8])) {
        match self {
            Said::Raw(pair) => pair.response.iter().for_each(|r| r.fields(&mut each)),
            Said::Read(pair) => {
                let fields = pair.response.iter().flat_map(|r| r.message.fields.iter());
                fields.for_each(|f| each(f.name.as_bytes(), f.value.as_bytes()));
            }
        }
    }

    /// The content of the answer, as far as it was kept.
    fn content(&self) -> &[u8] {
        match self {
            Said::Raw(pair) => pair.response.as_ref().map_or(&[], Raw::content),
            Said::Read(pair) => pair.response.as_ref().map_or(&[], |r| r.message.body.bytes.as_bytes()),
        }
    }

    /// How many bytes of it are kept.
    fn size(&self) -> usize {
        // Of each part, where it stands is kept as well.
        const PART: usize = 160;
        match self {
            Said::Raw(pair) => [&pair.request, &pair.response].into_iter().flatten().map(Raw::size).sum(),
            Said::Read(pair) => {
                let fields = |fields: &why401_http::Fields| {
                    fields.iter().map(|f| f.name.footprint() + f.value.footprint() + 2 * PART).sum::<usize>()
                };
                let request = pair.request.as_ref().map(|r| &r.message);
                let response = pair.response.as_ref().map(|r| &r.message);
                request.map_or(0, |r| fields(&r.fields) + r.body.bytes.footprint() + 4 * PART)
                    + response.map_or(0, |r| fields(&r.fields) + r.body.bytes.footprint() + 2 * PART)
            }
        }
    }
}

fn in_order(mut held: Vec<Held>) -> Vec<Held> {
    held.sort_by_key(|h| h.number);
    held
}

/// What of credentials stays the same from request to request: of Digest the user and the nonce stand before what is
/// computed (RFC 7616, section 3.4, as all clients write it), of AWS Signature Version 4 the key and its scope.
fn lasting(credentials: &[u8]) -> &[u8] {
    // Both words have a sign that most credentials lack.
    if memchr::memchr(b'=', credentials).is_none() {
        return credentials;
    }
    let computed = [&b"uri="[..], b"SignedHeaders="];
    let end = computed.iter().find_map(|word| memchr::memmem::find(credentials, word));
    credentials.get(..end.unwrap_or(credentials.len())).unwrap_or(credentials)
}

/// Whether a page may be one that asks for credentials.
fn may_ask(page: &[u8]) -> bool {
    static PASSWORD: LazyLock<Finder<'_>> = LazyLock::new(|| Finder::new("assword"));
    static TITLE: LazyLock<Finder<'_>> = LazyLock::new(|| Finder::new("<title"));
    let title = TITLE.find(page).and_then(|at| page.get(at..)).unwrap_or_default();
    let title = title.get(..200).unwrap_or(title).to_ascii_lowercase();
    let says = |word: &[u8]| memchr::memmem::find(&title, word).is_some();
    PASSWORD.find(page).is_some() || says(b"log") || says(b"sign")
}

/// Whether content may grant something, or say what the status does not.
fn may_grant(content: &[u8]) -> bool {
    static WORDS: LazyLock<[Finder<'_>; 3]> =
        LazyLock::new(|| ["_token", "nauth", "\"error"].map(Finder::new));
    WORDS.iter().any(|word| word.find(content).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http1::{Connection, Side};
    use why401_http::Peer;
    use why401_span::{SourceId, Span};

    fn pair(request: &str, response: &str) -> Box<RawPair> {
        let mut c = Connection::new();
        let at = Span::new(SourceId(0), 0, 0);
        c.push(Side::Client, format!("{request}\r\n\r\n").as_bytes(), at, None);
        c.push(Side::Server, format!("HTTP/1.1 {response}\r\n\r\n").as_bytes(), at, None);
        c.finish();
        c.next_raw().unwrap()
    }

    /// Takes exchanges in and gives the numbers of those that were handed over.
    fn told(plain: &mut Plain, from: u64, exchanges: &[(&str, &str)]) -> Vec<u64> {
        let host = |host: &str| Peer { host: host.into(), port: None };
        let (client, server) = (host("192.0.2.1"), host("192.0.2.2"));
        let place = Rc::new(Place { connection: 1, client, server, encrypted: false });
        let mut told = Vec::new();
        for (number, (request, response)) in (from..).zip(exchanges) {
            if let Verdict::Tell(_, held) = plain.judge(number, &place, Said::Raw(pair(request, response))) {
                told.extend(held.iter().map(|h| h.number));
                told.push(number);
            }
        }
        told
    }

    const OK: &str = "200 OK\r\nContent-Length: 0";

    #[test]
    fn what_worked_before_and_after_a_refusal_is_told_with_it() {
        let mut plain = Plain::default();
        assert_eq!(told(&mut plain, 0, &[("GET /a HTTP/1.1", OK)]), [0], "one of the first");
        let seen = told(
            &mut plain,
            WHOLE,
            &[
                ("GET /a HTTP/1.1\r\nAuthorization: Bearer x", OK),
                ("GET /a HTTP/1.1\r\nAuthorization: Bearer x", OK),
                ("GET /b HTTP/1.1\r\nAuthorization: Bearer x", OK),
                ("GET /c HTTP/1.1\r\nCookie: s=1", OK),
                ("GET /d HTTP/1.1\r\nAuthorization: Bearer x\r\nCookie: s=1", "401 No\r\nContent-Length: 0"),
                ("GET /e HTTP/1.1", OK),
                ("GET /f HTTP/1.1\r\nAuthorization: Bearer x", OK),
                ("GET /f HTTP/1.1\r\nAuthorization: Bearer x", OK),
                ("GET /d HTTP/1.1", OK),
                ("GET /d HTTP/1.1", OK),
            ],
        );
        // New credentials; the last with them and the last with the cookie, then the refusal; the next with the
        // credentials, and the next for the same path.
        assert_eq!(seen, [0, 2, 3, 4, 6, 8].map(|n| WHOLE + n));
        let passed = plain.passed();
        assert_eq!(passed.get(&Some(200)).map(|p| p.count), Some(4));
    }

    #[test]
    fn what_may_matter_later_is_told() {
        let page = |text: &str| {
            format!("200 OK\r\nContent-Type: text/html\r\nContent-Length: {}\r\n\r\n{text}", text.len())
        };
        let (form, title) = (page("<input type=password>"), page("<title>Sign in</title>"));
        let token = "200 OK\r\nContent-Length: 20\r\n\r\n{\"access_token\":\"x\"}";
        let seen = told(
            &mut Plain::default(),
            WHOLE,
            &[
                ("GET / HTTP/1.1", &page("<title>Orders</title>")),
                ("GET / HTTP/1.1", &form),
                ("GET / HTTP/1.1", &title),
                ("POST /token HTTP/1.1\r\nContent-Length: 0", token),
                ("GET / HTTP/1.1", "200 OK\r\nSet-Cookie: s=1\r\nContent-Length: 0"),
                ("GET / HTTP/1.1", "500 Error\r\nContent-Length: 0"),
                ("GET / HTTP/1.1", "302 Found\r\nContent-Length: 0"),
            ],
        );
        assert_eq!(seen, [1, 2, 3, 4, 5, 6].map(|n| WHOLE + n));
    }

    #[test]
    fn of_a_flood_without_answers_the_front_is_told() {
        let mut plain = Plain::default();
        let host = |host: &str| Peer { host: host.into(), port: None };
        let place = Rc::new(Place { connection: 1, client: host("a"), server: host("b"), encrypted: false });
        let told = (0..3000).filter(|n| {
            let pair = Box::new(RawPair { response: None, ..*pair("GET / HTTP/1.1", OK) });
            matches!(plain.judge(*n, &place, Said::Raw(pair)), Verdict::Tell(..))
        });
        assert_eq!(told.count(), UNANSWERED as usize);
        assert_eq!(plain.passed()[&None].count, 1000);
    }

    #[test]
    fn digest_credentials_are_the_same_though_each_response_differs() {
        let digest = |n: u32| {
            format!(
                "Digest username=\"alice\", realm=\"x\", nonce=\"abc\", uri=\"/{n}\", nc={n:08x}, response=\"{n}\""
            )
        };
        assert_eq!(lasting(digest(1).as_bytes()), lasting(digest(2).as_bytes()));
        assert_ne!(lasting(b"Bearer a"), lasting(b"Bearer b"));
    }

    #[test]
    fn what_is_held_back_is_bounded() {
        let mut plain = Plain::default();
        let cookie = |i: usize| format!("GET /{i} HTTP/1.1\r\nCookie: s={i}{}", "x".repeat(6000));
        for i in 0..2 * HELD {
            let request = cookie(i);
            assert!(told(&mut plain, WHOLE, &[(&request, OK)]).is_empty());
            assert!(plain.bytes <= HELD_BYTES && plain.order.len() <= HELD);
        }
        assert!(plain.latest.len() <= 2 * HELD);
        assert_eq!(plain.passed()[&Some(200)].count, 2 * HELD as u64);
    }

    #[test]
    fn what_was_read_already_is_judged_as_what_was_not() {
        let host = |host: &str| Peer { host: host.into(), port: None };
        let place = Rc::new(Place { connection: 1, client: host("a"), server: host("b"), encrypted: true });
        let mut plain = Plain::default();
        let (good, bad) = ("GET /a HTTP/1.1\r\nCookie: s=1", "401 No\r\nContent-Length: 0");
        let told: Vec<_> = [(good, OK), (good, OK), (good, bad), (good, OK), (good, OK)]
            .into_iter()
            .zip(WHOLE..)
            .map(|((request, response), number)| {
                let said = Said::Read(Box::new(pair(request, response).read()));
                match plain.judge(number, &place, said) {
                    Verdict::Tell(_, held) => held.len() + 1,
                    Verdict::Kept => 0,
                }
            })
            .collect();
        assert_eq!(told, [0, 0, 2, 1, 0]);
        assert_eq!(plain.passed()[&Some(200)].count, 2);
    }
}
