//! What one refusal shows to a cause: its requests with their credentials and challenges taken apart, what was said
//! about it, and everything else in the evidence to hold it against.

use crate::cause::{Answer, Claim};
use crate::heard::{Heard, listen};
use crate::reading::{pasted, program};
use crate::shared::Shared;
use jiff::Timestamp;
use std::borrow::Cow;
use std::sync::OnceLock;
use why401_auth::scheme::basic::Basic;
use why401_auth::token::Token;
use why401_auth::{Challenge, Credentials, Inside, Parsed, inside, parse_challenges, parse_credentials};
use why401_history::{Attempt, Case, Chain, Outcome, Refusal};
use why401_http::{
    Exchange, Fact, FactKind, FieldLine, Moment, Request, Response, Secured, Speaker, Statement,
};
use why401_knowledge::{Knowledge, ProductId};
use why401_span::{Derived, SourceId};

/// An `Authorization` or `Proxy-Authorization` field, taken apart.
#[derive(Debug)]
pub struct Sent<'a> {
    /// The vantage point that shows it.
    pub view: &'a Exchange,
    /// The field.
    pub field: &'a FieldLine,
    /// Whether it is for a proxy.
    pub proxy: bool,
    /// What it says.
    pub parsed: Parsed<Vec<Credentials>>,
    /// What its first credentials carry.
    pub inside: Inside,
}

impl Sent<'_> {
    /// The first credentials in it.
    pub fn credentials(&self) -> Option<&Credentials> {
        self.parsed.value.first()
    }

    /// The scheme in lower case; empty where none was written.
    pub fn scheme(&self) -> &str {
        self.credentials().map_or("", |c| c.scheme.name.as_str())
    }

    /// The Basic pair in it.
    pub fn basic(&self) -> Option<&Basic> {
        match &self.inside {
            Inside::Basic(basic) => Some(basic),
            _ => None,
        }
    }

    /// The token in it.
    pub fn token(&self) -> Option<&Token> {
        match &self.inside {
            Inside::Token(token) => Some(token),
            _ => None,
        }
    }

    /// The whole value as text. A secret: for comparing and decoding, never for output.
    pub fn value(&self) -> Cow<'_, str> {
        self.field.text()
    }
}

/// A `WWW-Authenticate` or `Proxy-Authenticate` field, taken apart.
#[derive(Debug)]
pub struct Offered<'a> {
    /// The vantage point that shows it.
    pub view: &'a Exchange,
    /// The field.
    pub field: &'a FieldLine,
    /// Whether it is a proxy's.
    pub proxy: bool,
    /// What it says.
    pub parsed: Parsed<Vec<Challenge>>,
}

/// A request of the refusal with what it carries and what it was answered.
#[derive(Debug)]
pub struct Step<'a> {
    /// The request.
    pub attempt: &'a Attempt,
    /// The credentials on it, every field of every vantage point.
    pub sent: Vec<Sent<'a>>,
    /// The challenges of the answer.
    pub offered: Vec<Offered<'a>>,
}

impl<'a> Step<'a> {
    /// Takes an attempt apart.
    pub fn of(attempt: &'a Attempt) -> Step<'a> {
        let mut step = Step { attempt, sent: Vec::new(), offered: Vec::new() };
        for view in &attempt.views {
            for field in view.request.iter().flat_map(|r| r.fields.iter()) {
                let proxy = field.is("proxy-authorization");
                let new = !step.sent.iter().any(|s| {
                    s.view.source != view.source && s.field.value.as_bytes() == field.value.as_bytes()
                });
                if (proxy || field.is("authorization")) && new {
                    let parsed = parse_credentials(field.value.as_bytes());
                    let first = parsed.value.first();
                    let inside = first.map_or(Inside::Empty, |c| inside::of(field.value.as_bytes(), c));
                    step.sent.push(Sent { view, field, proxy, parsed, inside });
                }
            }
            for field in view.response.iter().flat_map(|r| r.fields.iter()) {
                let proxy = field.is("proxy-authenticate");
                let new = !step.offered.iter().any(|o| o.view.source != view.source);
                if (proxy || field.is("www-authenticate")) && new {
                    let parsed = parse_challenges(field.value.as_bytes());
                    step.offered.push(Offered { view, field, proxy, parsed });
                }
            }
        }
        step
    }

    /// The status of the answer.
    pub fn status(&self) -> Option<u16> {
        self.attempt.status()
    }

    /// The credentials that the answer is about: the proxy's for a 407, else the origin's.
    pub fn credentials(&self) -> Option<&Sent<'a>> {
        let proxy = self.status() == Some(407);
        self.sent.iter().find(|s| s.proxy == proxy)
    }

    /// All the challenges of the answer, with the field that each stands in.
    pub fn challenges(&self) -> impl Iterator<Item = (&Offered<'a>, &Challenge)> {
        self.offered.iter().flat_map(|o| o.parsed.value.iter().map(move |c| (o, c)))
    }

    /// The first challenge of that scheme (in lower case).
    pub fn challenge(&self, scheme: &str) -> Option<(&Offered<'a>, &Challenge)> {
        self.challenges().find(|(_, c)| c.scheme.name == scheme)
    }

    /// A parameter of any challenge, by its name in lower case.
    pub fn challenge_param(&self, name: &str) -> Option<(&Offered<'a>, &Challenge, String)> {
        self.challenges().find_map(|(o, c)| c.text(name).map(|v| (o, c, v.into_owned())))
    }

    /// Whether the answer offers a challenge of this scheme (in lower case).
    pub fn offers(&self, scheme: &str) -> bool {
        self.challenge(scheme).is_some()
    }

    /// Whether the answer offers a scheme that a password is for and that most clients speak: not Digest without MD5.
    pub fn offers_password(&self) -> bool {
        self.challenges().any(|(_, c)| match c.scheme.name.as_str() {
            "digest" => c.text("algorithm").is_none_or(|a| a.to_ascii_uppercase().starts_with("MD5")),
            scheme => matches!(scheme, "basic" | "ntlm" | "negotiate"),
        })
    }

    /// Whether curl says that it was given a user for this request: "Server auth using Digest with user 'alice'".
    pub fn curl_has_user(&self) -> bool {
        self.curl_says(|text| text.contains(" auth using ") && text.contains(" with user "))
    }

    /// Whether curl says that it cannot answer a challenge: "Authentication problem. Ignoring this." (lib/http.c)
    pub fn curl_cannot_answer(&self) -> bool {
        self.curl_says(|text| text.contains("Authentication problem. Ignoring this"))
    }

    fn curl_says(&self, what: impl Fn(&str) -> bool) -> bool {
        self.attempt.statements.iter().any(|s| what(&s.text.to_text()))
    }

    /// Whether the whole head of the answer was seen, so that a missing field is really missing.
    pub fn answer_is_whole(&self) -> bool {
        self.attempt
            .views
            .iter()
            .any(|v| v.shows.response_fields && v.response.as_ref().is_some_and(|r| r.complete))
    }

    /// The request and the vantage point that shows most of it.
    pub fn request(&self) -> Option<(&'a Exchange, &'a Request)> {
        self.attempt.views.iter().find_map(|v| v.request.as_ref().map(|r| (v, r)))
    }

    /// The answer and the vantage point that shows most of it.
    pub fn response(&self) -> Option<(&'a Exchange, &'a Response)> {
        self.attempt.views.iter().find_map(|v| v.response.as_ref().map(|r| (v, r)))
    }

    /// A field of the request with the vantage point that shows it.
    pub fn request_field(&self, name: &str) -> Option<(&'a Exchange, &'a FieldLine)> {
        self.attempt.views.iter().find_map(|v| v.request.as_ref()?.fields.get(name).map(|f| (v, f)))
    }

    /// A field of the answer with the vantage point that shows it.
    pub fn response_field(&self, name: &str) -> Option<(&'a Exchange, &'a FieldLine)> {
        self.attempt.views.iter().find_map(|v| v.response.as_ref()?.fields.get(name).map(|f| (v, f)))
    }

    /// The content of the answer as text.
    pub fn body(&self) -> Cow<'a, str> {
        self.response().map_or(Cow::Borrowed(""), |(_, r)| r.body.text())
    }

    /// When the server answered, by its own clock (RFC 9110 section 6.6.1).
    pub fn server_clock(&self) -> Option<Moment> {
        let (_, date) = self.response_field("date")?;
        jiff::fmt::rfc2822::parse(date.text().trim()).ok().map(|z| Moment::utc(z.timestamp()))
    }
}

/// What one refusal shows to a cause.
#[derive(Debug)]
pub struct Scene<'a> {
    /// All the evidence.
    pub case: &'a Case,
    /// What has to be explained.
    pub refusal: &'a Refusal,
    /// The requests of the handshake, in order; empty where the refusal is known only from words.
    pub steps: Vec<Step<'a>>,
    /// What servers, clients and people are known to say, found in this refusal; what proves stands first.
    pub heard: Vec<Heard<'a>>,
    /// Products that were recognised.
    pub products: Vec<ProductId>,
    /// The time of the diagnosis, where it is known.
    pub now: Option<Timestamp>,
    /// What people tell of it in their own words, once somebody asked.
    accounts: OnceLock<Vec<pasted::Told>>,
    /// Slips in program text that was pasted, once somebody asked.
    slips: OnceLock<Vec<(usize, program::Slip)>>,
    /// What is the same for all refusals.
    pub(crate) shared: &'a Shared,
}

impl<'a> Scene<'a> {
    /// Sets the scene of a refusal.
    pub(crate) fn of(
        case: &'a Case,
        refusal: &'a Refusal,
        now: Option<Timestamp>,
        shared: &'a Shared,
    ) -> Scene<'a> {
        let steps = refusal
            .chain()
            .map(|c| c.steps.iter().filter_map(|&i| case.attempt(i)).map(Step::of).collect())
            .unwrap_or_default();
        let (heard, products) = listen(case, refusal);
        Scene {
            case,
            refusal,
            steps,
            heard,
            products,
            now,
            accounts: OnceLock::new(),
            slips: OnceLock::new(),
            shared,
        }
    }

    /// Whether a person tells of a refusal in this source, or in any: a transcript alone tells all by itself.
    pub(crate) fn is_told_by_a_person(&self, source: Option<SourceId>) -> bool {
        let of = |s: &Statement| source.is_none_or(|id| s.source == id);
        self.statements().take(2_000).any(|s| s.speaker == Speaker::Person && of(s))
    }

    /// What the bytes prove, where nobody tells more than they do. A person who tells of a refusal knows something that is not
    /// among the bytes, and it may be the better reason: then it is likely, and before everything else that is.
    pub(crate) fn proved(&self, claim: Claim) -> Answer {
        const BEFORE_OTHERS: i32 = 500;
        if self.is_told_by_a_person(None) || self.hears_of_another_reason() {
            claim.weighing(BEFORE_OTHERS).likely()
        } else {
            claim.confirmed()
        }
    }

    /// Whether a program printed another reason, which may be that of the refusal that its user asks about.
    fn hears_of_another_reason(&self) -> bool {
        self.heard.iter().any(|h| {
            matches!(h.speaker, Some(Speaker::Client | Speaker::ServerLog))
                && h.attempt.is_none()
                && h.names_a_reason()
        })
    }

    /// What people tell of it in their own words.
    pub(crate) fn accounts(&self) -> &[pasted::Told] {
        self.accounts.get_or_init(|| pasted::all(self))
    }

    /// Slips in program text that was pasted, each with the number of its fact.
    pub(crate) fn slips(&self) -> &[(usize, program::Slip)] {
        self.slips.get_or_init(|| program::all(self))
    }

    /// The chain that stands for the refusal.
    pub fn chain(&self) -> Option<&'a Chain> {
        self.refusal.chain()
    }

    /// Whether the handshake ended with the client let in.
    pub fn let_in(&self) -> bool {
        self.chain().is_some_and(|c| c.outcome == Outcome::LetIn)
    }

    /// The request that decides: the last one of the handshake.
    pub fn last(&self) -> Option<&Step<'a>> {
        self.steps.last()
    }

    /// The last request of the handshake that was answered 401, 403 or 407, else the last one.
    ///
    /// A Digest response for another target is answered with 400 (RFC 7616 section 3.4.6).
    pub fn focus(&self) -> Option<&Step<'a>> {
        let is_refused = |s: &&Step<'_>| match s.status() {
            Some(400 | 422) if s.attempt.speaks_of_credentials() => true,
            Some(400) => s.credentials().is_some_and(|c| matches!(c.inside, Inside::Digest(_))),
            status => matches!(status, Some(401 | 403 | 407)),
        };
        self.steps.iter().rev().find(is_refused).or(self.last())
    }

    /// The refused request, where the handshake did not end with the client let in: answered 401 or 407, or with
    /// something that stands for it (400 for a field that cannot be read, a login page).
    pub fn refused(&self) -> Option<&Step<'a>> {
        let step = self.focus()?;
        // A pasted answer without its status line may say itself what it is.
        let stands_for_it = matches!(step.status(), Some(400 | 401 | 403 | 407))
            || step.status() == Some(0) && step.attempt.speaks_of_credentials()
            || step.status() == Some(422) && step.attempt.speaks_of_credentials()
            || step.attempt.shows_login_page()
            || step.attempt.login_location().is_some();
        (stands_for_it && !self.let_in()).then_some(step)
    }

    /// The status that the refusal shows with: of its request, or as somebody named it.
    pub fn status(&self) -> Option<u16> {
        // A pasted answer without its status line has none; neither has what a browser hides.
        self.focus()
            .and_then(Step::status)
            .filter(|status| *status != 0)
            .or_else(|| self.refusal.statements().iter().find_map(|s| s.status))
    }

    /// Whether the refusal is a 401 or a 407, or is known from words without any other status.
    pub fn is_unauthorized(&self) -> bool {
        // Token endpoints answer 400 as well (RFC 6749 section 5.2).
        const CLIENT: &[&str] = &["invalid_client", "unauthorized_client", "invalid client", "invalid_grant"];
        match self.status() {
            Some(401 | 407) | None => true,
            Some(400) => self.refusal.statements().iter().any(|s| {
                let text = s.text.to_text().to_ascii_lowercase();
                CLIENT.iter().any(|w| text.contains(w))
            }),
            Some(_) => false,
        }
    }

    /// The credentials that the refusal is about.
    pub fn credentials(&self) -> Option<&Sent<'a>> {
        self.focus()?.credentials()
    }

    /// Every request of the evidence, in order of time; where there are many refusals to explain, the ones around this.
    pub fn attempts(&self) -> impl DoubleEndedIterator<Item = &'a Attempt> {
        self.case.attempts.get(self.range()).unwrap_or_default().iter()
    }

    /// The numbers of [`Scene::attempts`].
    pub(crate) fn range(&self) -> std::ops::Range<usize> {
        let (first, last) = self.chain().map_or((0, 0), |c| (c.first(), c.last()));
        let end = last.saturating_add(self.reach()).min(self.case.attempts.len());
        first.saturating_sub(self.reach()).min(end)..end
    }

    /// The numbers of [`Scene::earlier`].
    pub(crate) fn earlier_range(&self) -> std::ops::Range<usize> {
        let first = self.chain().map_or(0, Chain::first).min(self.case.attempts.len());
        first.saturating_sub(self.reach())..first
    }

    /// The numbers of [`Scene::later`].
    pub(crate) fn later_range(&self) -> std::ops::Range<usize> {
        let next = self.chain().map_or(usize::MAX, |c| c.last().saturating_add(1));
        next..next.saturating_add(self.reach())
    }

    /// What was said and given along, in order: [`Scene::statements`], then the facts of the case; no more than makes sense
    /// to search for words.
    pub(crate) fn texts(&self) -> impl Iterator<Item = (SourceId, &'a Derived)> {
        const TEXTS: usize = 400;
        let facts = self.case.facts.iter().map(|f| (f.source, &f.text));
        self.statements().map(|s| (s.source, &s.text)).chain(facts).take(TEXTS)
    }

    /// How many requests to either side are looked at for one refusal, so that many refusals among many requests are
    /// explained in time that grows with their number and not with its square.
    pub(crate) fn reach(&self) -> usize {
        const LOOKS: usize = 400_000;
        const LEAST: usize = 250;
        (LOOKS / self.case.refusals.len().max(1)).max(LEAST)
    }

    /// Requests before the first step of the refusal, the nearest first.
    pub fn earlier(&self) -> impl Iterator<Item = &'a Attempt> {
        let first = self.chain().map_or(0, Chain::first);
        self.case.attempts.iter().take(first).rev().take(self.reach())
    }

    /// Requests after the last step of the refusal, in order of time.
    pub fn later(&self) -> impl Iterator<Item = &'a Attempt> {
        let next = self.chain().map_or(usize::MAX, |c| c.last().saturating_add(1));
        self.case.attempts.iter().skip(next).take(self.reach())
    }

    /// Everything that was said: about this refusal, and in the context of the evidence.
    pub fn statements(&self) -> impl Iterator<Item = &'a Statement> {
        let own = self.refusal.statements().iter();
        let steps = self.chain().into_iter().flat_map(|c| c.steps.iter());
        let attached = steps.filter_map(|&i| self.case.attempt(i)).flat_map(|a| a.statements.iter());
        let context: &'a [Statement] =
            if self.refusal.chain().is_some() { &self.case.statements } else { &[] };
        own.chain(attached).chain(context)
    }

    /// The TLS connection of the refused request, or the one that was refused itself, as far as a capture shows it.
    pub fn secured(&self) -> Option<(&'a Fact, &'a Secured)> {
        let mut connections = self.case.facts.iter().filter_map(|f| match &f.kind {
            FactKind::Tls(secured) => Some((f, &**secured)),
            _ => None,
        });
        match self.refused() {
            Some(step) => connections.find(|(fact, secured)| {
                let of = |view: &Exchange| {
                    view.source == fact.source && view.connection == Some(secured.connection)
                };
                step.attempt.views.iter().any(of)
            }),
            None => connections.find(|(fact, secured)| {
                let of = |s: &Statement| s.source == fact.source && s.text == fact.text;
                secured.refuses_client() && self.refusal.statements().iter().any(of)
            }),
        }
    }

    /// The wordings that are known to mean this cause, those that prove it first.
    pub fn heard_of<'s>(&'s self, cause: &'s str) -> impl Iterator<Item = &'s Heard<'a>> {
        self.heard.iter().filter(move |h| h.said.cause == cause)
    }

    /// The name of a recognised product.
    pub fn product_name(&self, id: ProductId) -> &'static str {
        Knowledge::shared().product(id).map_or("", |p| p.name.as_str())
    }

    /// Who says a wording, as the subject of a sentence: wordings that many programs share name nobody.
    pub fn speaker_name(&self, id: ProductId) -> &'static str {
        match Knowledge::shared().product(id) {
            Some(p) if p.product == "common" => "the message",
            Some(p) => p.name.as_str(),
            None => "",
        }
    }

    /// Whether a product of this stable name was recognised.
    pub fn is_product(&self, name: &str) -> bool {
        self.products.iter().any(|id| Knowledge::shared().product(*id).is_some_and(|p| p.product == name))
    }
}

/// Whether two requests come from the same client, as far as the evidence tells.
pub(crate) fn same_client(a: &Attempt, b: &Attempt) -> bool {
    match (a.client(), b.client()) {
        (Some(x), Some(y)) => x.host == y.host,
        _ => a.views.iter().any(|v| b.views.iter().any(|w| v.source == w.source)),
    }
}

/// Whether two requests ask the same origin server, as far as the evidence tells.
pub(crate) fn same_server(a: &Attempt, b: &Attempt) -> bool {
    match (a.authority(), b.authority()) {
        (Some(x), Some(y)) => x == y,
        _ => match (a.server(), b.server()) {
            (Some(x), Some(y)) => x == y,
            _ => true,
        },
    }
}

/// Whether two hosts are of one owner, by the last two labels of their names.
pub(crate) fn same_site(a: &str, b: &str) -> bool {
    let site = |h: &str| {
        let name = h.split(':').next().unwrap_or(h);
        name.rsplit('.').take(2).map(str::to_ascii_lowercase).collect::<Vec<_>>()
    };
    site(a) == site(b)
}

/// Whether two requests ask for the same resource of the same server.
pub(crate) fn same_resource(a: &Attempt, b: &Attempt) -> bool {
    same_server(a, b) && a.path() == b.path()
}
