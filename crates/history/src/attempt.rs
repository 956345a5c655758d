//! One request of a client, with everything that any vantage point shows of it.

use crate::thin::Folded;
use std::borrow::Cow;
use std::sync::OnceLock;
use why401_http::{Exchange, FieldLine, LoggedUser, Moment, Peer, Request, Response, Statement, path_of};
use why401_report::Series;

/// So many bytes of a page are searched for a login form.
const LOGIN_HEAD: usize = 16 * 1024;

/// One request of a client and its answer, from one or more vantage points.
#[derive(Debug, Clone)]
pub struct Attempt {
    /// Its number in the case, in order of time.
    pub id: usize,
    /// What the vantage points saw, the one that shows most first. Never empty.
    pub views: Vec<Exchange>,
    /// What servers and clients said about this very request.
    pub statements: Vec<Statement>,
    /// How many like this it stands for, itself included: of very large evidence only examples are kept.
    pub stands_for: u64,
    /// The first of those it stands for.
    pub first: Option<Moment>,
    /// The last of those it stands for.
    pub last: Option<Moment>,
    /// Those that it stands for over time, where it stands for more than itself.
    pub series: Option<Box<Series>>,
    /// What the fold of a large log knows of it, where it comes from there.
    pub folded: Option<Folded>,
    /// The user: as a log shows it, or as the credentials name it; never a verified name.
    pub user: Option<String>,
    /// The same request as the intermediary passed it on, where the evidence shows that too.
    pub forwarded_as: Option<usize>,
    /// The request that an intermediary passed on as this one.
    pub forwarded_from: Option<usize>,
    /// Whether it stands for exchanges that have no more in common than their status.
    pub(crate) mixed: bool,
    pub(crate) seen: Seen,
}

/// What was found out already: causes ask the same of the same requests again and again.
#[derive(Debug, Clone, Default)]
pub(crate) struct Seen {
    let_in: OnceLock<bool>,
    login_page: OnceLock<bool>,
    authority: OnceLock<Option<String>>,
    path: OnceLock<Option<String>>,
    /// Where the fields of [`OFTEN`] stand: in which view, and which of its fields.
    fields: [OnceLock<Option<(usize, usize)>>; OFTEN.len()],
}

/// The fields of requests that are asked for most.
const OFTEN: [&str; 4] = ["authorization", "proxy-authorization", "cookie", "user-agent"];

impl Attempt {
    /// The view that shows most.
    #[expect(clippy::indexing_slicing, reason = "views is made with one element and only grows")]
    pub fn view(&self) -> &Exchange {
        &self.views[0]
    }

    /// The request as the best vantage point shows it.
    pub fn request(&self) -> Option<&Request> {
        self.views.iter().find_map(|v| v.request.as_ref())
    }

    /// The answer as the best vantage point shows it.
    pub fn response(&self) -> Option<&Response> {
        self.views.iter().find_map(|v| v.response.as_ref())
    }

    /// The status of the answer; of a request whose answer nobody shows, the refusal that somebody names.
    pub fn status(&self) -> Option<u16> {
        let told = || {
            let unseen = self.views.iter().all(|v| v.response.is_none());
            self.statements.iter().filter(|_| unseen).find_map(|s| s.status.filter(|s| is_refusal(*s)))
        };
        self.views.iter().find_map(Exchange::status).or_else(told)
    }

    /// When.
    pub fn time(&self) -> Option<Moment> {
        self.views
            .iter()
            .find_map(|v| v.time.filter(|t| t.zoned))
            .or_else(|| self.views.iter().find_map(|v| v.time))
    }

    /// Who asked.
    pub fn client(&self) -> Option<&Peer> {
        self.views.iter().find_map(|v| v.client.as_ref())
    }

    /// Who was asked, as an address on the wire.
    pub fn server(&self) -> Option<&Peer> {
        self.views.iter().find_map(|v| v.server.as_ref())
    }

    /// The connection it went over, and in which source that number counts.
    pub fn connection(&self) -> Option<(u32, u64)> {
        self.views.iter().find_map(|v| v.connection.map(|c| (v.source.0, c)))
    }

    /// The method.
    pub fn method(&self) -> Option<Cow<'_, str>> {
        self.request().map(Request::method)
    }

    /// The target as sent.
    pub fn target(&self) -> Option<Cow<'_, str>> {
        self.request().map(Request::target)
    }

    /// The path of the target.
    pub fn path(&self) -> Option<&str> {
        self.seen.path.get_or_init(|| self.target().map(|t| path_of(&t).to_owned())).as_deref()
    }

    /// A field of the request, from any vantage point.
    pub fn request_field(&self, name: &str) -> Option<&FieldLine> {
        let fields = |view: usize| Some(&self.views.get(view)?.request.as_ref()?.fields.0);
        if let Some(seen) = OFTEN.iter().zip(&self.seen.fields).find_map(|(n, s)| (*n == name).then_some(s)) {
            let find = |view| Some((view, fields(view)?.iter().position(|f| f.is(name))?));
            let (view, field) = (*seen.get_or_init(|| (0..self.views.len()).find_map(find)))?;
            return fields(view)?.get(field);
        }
        self.views.iter().filter_map(|v| v.request.as_ref()).find_map(|r| r.fields.get(name))
    }

    /// A field of the answer, from any vantage point.
    pub fn response_field(&self, name: &str) -> Option<&FieldLine> {
        self.views.iter().filter_map(|v| v.response.as_ref()).find_map(|r| r.fields.get(name))
    }

    /// The user name of an access log, where one was claimed.
    pub fn logged_name(&self) -> Option<Cow<'_, str>> {
        self.views.iter().find_map(|v| match &v.user {
            LoggedUser::Name(name) => Some(name.to_text()),
            _ => None,
        })
    }

    /// Whether an access log shows `-` for the user and no other vantage point shows more.
    pub fn logged_dash(&self) -> bool {
        self.logged_name().is_none() && self.views.iter().any(|v| v.user == LoggedUser::Dash)
    }

    /// Whether a vantage point would show the credentials if there were any.
    pub fn shows_credentials(&self) -> bool {
        self.views.iter().any(|v| v.shows.authorization && v.request.as_ref().is_some_and(|r| r.complete))
    }

    /// Whether the request carries credentials in `Authorization` or `Proxy-Authorization`, or claims a user in a log.
    pub fn carries_credentials(&self) -> bool {
        self.request_field("authorization").is_some()
            || self.request_field("proxy-authorization").is_some()
            || self.logged_name().is_some()
    }

    /// Whether the answer lets the request in as far as authentication goes: no 401, 403, 407, no error of the
    /// server, and no way to a login page.
    pub fn let_in(&self) -> bool {
        *self.seen.let_in.get_or_init(|| match self.status() {
            Some(101 | 304) => true,
            Some(200..=299) => !(self.request_field("authorization").is_some() && self.shows_login_page()),
            Some(300..=399) => self.login_location().is_none(),
            Some(422) => !self.speaks_of_credentials(),
            Some(404 | 405 | 406 | 409 | 410 | 412 | 415 | 416) => !self.names_its_cause(),
            _ => false,
        })
    }

    /// Whether a line of `why401 gate` or `why401 lab` names the cause: then even a 404 or a 405 is a refusal.
    pub fn names_its_cause(&self) -> bool {
        const SIGN: &[u8] = b"\"logger\":\"why401\",\"cause\":\"";
        self.views.iter().filter_map(|e| e.log.as_ref()).any(|log| {
            let line = log.line.as_bytes();
            // It stands near the front of the line.
            line.get(..256).unwrap_or(line).windows(SIGN.len()).any(|w| w == SIGN)
        })
    }

    /// The authority that was asked (RFC 9110 section 7.2), in lower case.
    pub fn authority(&self) -> Option<&str> {
        let authority = || self.request()?.authority().map(|a| a.to_ascii_lowercase());
        self.seen.authority.get_or_init(authority).as_deref()
    }

    /// Whether a short answer speaks of a signature or a token: some services refuse these with 400 or 422.
    pub fn speaks_of_credentials(&self) -> bool {
        const WORDS: &[&str] = &[
            "signature",
            "api key",
            "apikey",
            "api-key",
            "segments",
            "recvwindow",
            "jwt",
            "token is",
            "token has",
            "invalid token",
            "invalid_token",
            "credential",
            "unauthorized",
            "authorization header",
            // Errors of a token endpoint (RFC 6749 section 5.2).
            "invalid_grant",
            "invalid_client",
            "unauthorized_client",
            // A proof that does not fit is answered with 400 by a token endpoint (RFC 9449 section 5).
            "dpop",
            // Amazon S3 answers 400 to two ways of signing at once.
            "auth mechanism",
        ];
        self.response().is_some_and(|r| {
            let body = r.body.text();
            let lower = if body.len() <= 1000 { body.to_ascii_lowercase() } else { String::new() };
            WORDS.iter().any(|w| lower.contains(w))
        })
    }

    /// Whether the answer is what was asked for. A redirect is none: many are given before anybody looks at credentials.
    pub fn served(&self) -> bool {
        matches!(self.status(), Some(200..=299 | 304)) && self.let_in()
    }

    /// Whether the answer is a page with a login form or a sign-in title.
    pub fn shows_login_page(&self) -> bool {
        *self.seen.login_page.get_or_init(|| {
            let body = self.response().map(|r| r.body.bytes.as_bytes()).unwrap_or_default();
            let front = body.get(..LOGIN_HEAD).unwrap_or(body);
            // JSON is no page.
            !matches!(front.trim_ascii_start().first(), None | Some(b'{' | b'[')) && is_login_page(front)
        })
    }

    /// The address of a login page that the answer redirects to: it says so, or is told what was asked for.
    pub fn login_location(&self) -> Option<&FieldLine> {
        let status = self.status()?;
        if !(300..=399).contains(&status) {
            return None;
        }
        self.response_field("location").filter(|l| {
            let text = l.text();
            let back =
                |target: &str| crate::login::sends_back(&text, self.authority().unwrap_or_default(), target);
            crate::login::names_itself(&text) || self.target().is_some_and(|t| back(&t))
        })
    }
}

/// Whether a status is one that refuses for want of credentials or rights.
pub(crate) fn is_refusal(status: u16) -> bool {
    matches!(status, 401 | 403 | 407)
}

fn is_login_page(front: &[u8]) -> bool {
    let page = front.to_ascii_lowercase();
    let page = String::from_utf8_lossy(&page);
    let form = ["type=\"password\"", "type=password", "type='password'"].iter().any(|f| page.contains(f));
    let title = page.split("<title").nth(1).and_then(|t| t.split("</title").next()).unwrap_or_default();
    form || ["sign in", "sign-in", "log in", "login", "log on", "logon"].iter().any(|w| title.contains(w))
}
