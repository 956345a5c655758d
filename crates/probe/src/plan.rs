//! Which request comes next: from what is known and what is allowed, without a socket, a clock or a file.

use crate::experiment::{EXPERIMENTS, Experiment, When};
use crate::limits::{Limits, Spent};
use crate::published::Metadata;
use crate::wish::{Ask, Wish};
use std::net::IpAddr;
use why401_auth::{Challenge, parse_challenges};
use why401_http::{Address, Exchange};

/// What came of a request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outcome {
    /// The status of the answer; `None` where there was none.
    pub status: Option<u16>,
    /// The challenges of the answer.
    pub challenges: Vec<Challenge>,
    /// Where a redirect leads.
    pub location: Option<Address>,
    /// The methods that the answer allows (RFC 9110 section 10.2.1).
    pub allow: Vec<String>,
    /// Whether HTTP/2 was spoken.
    pub http2: bool,
    /// The address that answered.
    pub server: Option<IpAddr>,
    /// What the document that came back names, where it is one of metadata.
    pub metadata: Option<Metadata>,
}

impl Outcome {
    /// What an exchange tells.
    pub fn of(ask: &Ask, exchange: &Exchange) -> Outcome {
        let Some(response) = &exchange.response else { return Outcome::default() };
        let challenges = response
            .fields
            .all("www-authenticate")
            .flat_map(|f| parse_challenges(f.value.as_bytes()).value)
            .collect();
        let redirects = (300..400).contains(&response.status);
        let location = response.fields.text("location").filter(|_| redirects);
        let allow = response.fields.text("allow").unwrap_or_default();
        Outcome {
            status: Some(response.status),
            challenges,
            location: location.and_then(|l| resolve(&ask.address, l.trim())),
            allow: allow.split(',').map(|m| m.trim().to_owned()).filter(|m| !m.is_empty()).collect(),
            http2: response.version.starts_with('2'),
            server: exchange.server.as_ref().and_then(|p| p.host.parse().ok()),
            metadata: Metadata::of(response),
        }
    }

    /// Whether the server let the request in.
    pub fn let_in(&self) -> bool {
        self.status.is_some_and(|s| (200..300).contains(&s) || s == 304)
    }

    /// Whether it was refused for want of other credentials.
    pub fn refused(&self) -> bool {
        matches!(self.status, Some(401 | 403 | 407))
    }

    /// Whether it offers Negotiate and nothing that a password answers here.
    pub fn wants_a_ticket(&self) -> bool {
        self.offers("negotiate") && self.challenges.iter().all(|c| c.is("negotiate") || c.is("kerberos"))
    }

    /// Whether a challenge of this scheme (in lower case) is among the answer's.
    pub fn offers(&self, scheme: &str) -> bool {
        self.challenges.iter().any(|c| c.is(scheme))
    }
}

/// Where a `Location` leads (RFC 3986 section 5.2, as far as servers use it).
fn resolve(base: &Address, location: &str) -> Option<Address> {
    if location.contains("://") {
        return Address::parse(location);
    }
    let target = location.split('#').next().unwrap_or_default();
    if let Some(rest) = target.strip_prefix("//") {
        return Address::parse(&format!("{}://{rest}", base.scheme));
    }
    let target = if target.starts_with('/') {
        target.to_owned()
    } else {
        let path = why401_http::path_of(&base.target);
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        format!("{folder}/{target}")
    };
    let path = why401_http::path_of(&target);
    let rest = target.get(path.len()..).unwrap_or_default();
    Some(Address { target: crate::curl::without_dots(path) + rest, ..base.clone() })
}

/// A request that was sent, and what came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Done {
    /// The experiment.
    pub name: &'static str,
    /// The request.
    pub ask: Ask,
    /// What came of it.
    pub outcome: Outcome,
}

/// All that is known.
#[derive(Debug, Clone)]
pub struct Known {
    /// What is to be asked.
    pub wish: Wish,
    /// What was asked.
    pub done: Vec<Done>,
    /// The causes that are open, by their names in the catalogue.
    pub open: Vec<String>,
    /// Whether the evidence proves its cause already.
    pub settled: bool,
    /// The addresses of the host.
    pub addresses: Vec<IpAddr>,
    /// Whether requests go through the environment's proxy.
    pub proxied: bool,
    /// A word that names nothing on any server.
    pub made_up: String,
    /// Whether credentials that are wrong on purpose may be sent.
    pub allow_wrong: bool,
    /// Hosts beside the given one to which the credentials may travel.
    pub trusted: Vec<String>,
}

impl Known {
    /// Nothing was asked yet.
    pub fn nothing(wish: Wish) -> Known {
        Known {
            wish,
            done: Vec::new(),
            open: Vec::new(),
            settled: false,
            addresses: Vec::new(),
            proxied: false,
            made_up: "why401-no-such-thing".to_owned(),
            allow_wrong: false,
            trusted: Vec::new(),
        }
    }

    /// What came of an experiment, the latest time it was made.
    pub fn of(&self, name: &str) -> Option<&Done> {
        self.done.iter().rev().find(|d| d.name == name)
    }

    /// The latest of the requests that are the wish itself: as given, or on its way along redirects.
    pub fn course(&self) -> Option<&Done> {
        let main = ["given", "redirect", "other-charset", "other-scheme", "renewed-nonce"];
        let with = self.done.iter().rev().find(|d| main.contains(&d.name));
        if self.wish.has_credentials() { with } else { with.or_else(|| self.of("bare")) }
    }

    /// Whether this very request was sent.
    pub fn was_asked(&self, ask: &Ask) -> bool {
        self.done.iter().any(|d| d.ask == *ask)
    }
}

/// A request to be sent, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The experiment.
    pub name: &'static str,
    /// The request.
    pub ask: Ask,
    /// What it shows, for people.
    pub why: &'static str,
}

/// What to do next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// Send this.
    Ask(Box<Step>),
    /// Nothing more; why.
    Enough(&'static str),
}

/// The next request: the first experiment that still tells open causes apart, can be made, and is allowed.
pub fn next(known: &Known, limits: &Limits, spent: &Spent) -> Next {
    let mut forbidden = None;
    for experiment in EXPERIMENTS {
        if !is_wanted(experiment, known) {
            continue;
        }
        for ask in (experiment.propose)(known) {
            if known.was_asked(&ask) && !experiment.again {
                continue;
            }
            match limits.permit(spent, &ask) {
                Ok(()) => {
                    return Next::Ask(Box::new(Step { name: experiment.name, ask, why: experiment.why }));
                }
                Err(why) => forbidden = forbidden.or(Some(why)),
            }
        }
    }
    let offered = known.of("bare").is_some_and(|d| d.outcome.wants_a_ticket());
    if offered && known.of("given").is_none() && known.wish.has_credentials() {
        return Next::Enough(NEGOTIATE);
    }
    if known.settled {
        return Next::Enough("the cause is proved");
    }
    if known.course().is_some_and(|d| d.outcome.let_in()) {
        return Next::Enough("the request was let in");
    }
    Next::Enough(forbidden.unwrap_or("no further request would tell the open causes apart"))
}

/// Said where a ticket is wanted.
pub const NEGOTIATE: &str = "the server offers Negotiate alone, which is not spoken here: get a ticket with `kinit` \
                             (`klist` shows it), then `why401 run -- curl --negotiate -u : ADDRESS`";

fn is_wanted(experiment: &Experiment, known: &Known) -> bool {
    match experiment.when {
        When::Always => true,
        // A look by another method is refused all the same; it is not what was asked for.
        When::Open if !known.wish.is_safe() && known.course().is_some_and(|d| d.outcome.let_in()) => false,
        When::Open => {
            !known.settled && known.open.iter().any(|cause| experiment.tells.contains(&cause.as_str()))
        }
    }
}

/// What could be sent, for `--plan`: the first requests as they are, and the others with the causes that they tell
/// apart.
pub fn outline(wish: &Wish, allow_wrong: bool) -> Vec<(Step, &'static [&'static str])> {
    let mut known = Known { allow_wrong, ..Known::nothing(wish.clone()) };
    let mut steps: Vec<(Step, &'static [&'static str])> = Vec::new();
    for experiment in EXPERIMENTS {
        // As if the server asked for what the credentials are for.
        for ask in (experiment.propose)(&known) {
            let outcome = Outcome { status: Some(401), ..Outcome::default() };
            known.done.push(Done { name: experiment.name, ask: ask.clone(), outcome });
            steps.push((Step { name: experiment.name, ask, why: experiment.why }, experiment.tells));
        }
    }
    steps
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wish::{Carry, Credentials};
    use why401_auth::Secret;

    fn wish(address: &str) -> Wish {
        Wish::get(Address::parse(address).unwrap())
    }

    fn with_password(address: &str) -> Wish {
        let credentials =
            Credentials::Password { user: "alice".to_owned(), password: Secret::new("Winter-42") };
        Wish { credentials, ..wish(address) }
    }

    fn answered(status: u16, challenge: &str) -> Outcome {
        let challenges = parse_challenges(challenge.as_bytes()).value;
        Outcome { status: Some(status), challenges, ..Outcome::default() }
    }

    /// Plays the server: what it answers, and which causes are open afterwards.
    fn play(
        mut known: Known,
        limits: &Limits,
        mut server: impl FnMut(&Step) -> (Outcome, &'static [&'static str], bool),
    ) -> (Vec<Step>, &'static str) {
        let mut spent = Spent::default();
        let mut steps = Vec::new();
        loop {
            match next(&known, limits, &spent) {
                Next::Enough(why) => return (steps, why),
                Next::Ask(step) => {
                    spent.count(&step.ask);
                    let (outcome, open, settled) = server(&step);
                    known.done.push(Done { name: step.name, ask: step.ask.clone(), outcome });
                    known.open = open.iter().map(|s| (*s).to_owned()).collect();
                    known.settled = settled;
                    steps.push(*step);
                    assert!(steps.len() <= 20, "{steps:?}");
                }
            }
        }
    }

    const OPEN: &[&str] = &["credentials-refused", "wrong-password", "wrong-address", "wrong-method"];

    #[test]
    fn a_request_without_credentials_is_one_request() {
        let (steps, _) = play(Known::nothing(wish("http://example.com/a")), &Limits::default(), |_| {
            (answered(401, "Basic realm=x"), &["no-credentials"], true)
        });
        assert_eq!(steps.iter().map(|s| s.name).collect::<Vec<_>>(), ["bare"]);
    }

    #[test]
    fn what_is_let_in_ends_it() {
        let (steps, why) = play(
            Known::nothing(with_password("http://example.com/a")),
            &Limits::default(),
            |step| match step.ask.carry {
                Carry::Nothing => (answered(401, "Basic realm=x"), OPEN, false),
                _ => (answered(200, ""), &[], false),
            },
        );
        assert_eq!(steps.len(), 2);
        assert_eq!(why, "the request was let in");
    }

    #[test]
    fn the_credentials_are_sent_twice_at_most_whatever_is_open() {
        let all: &[&str] = &[
            "credentials-refused",
            "charset-mismatch",
            "digest-mismatch",
            "wrong-address",
            "wrong-method",
            "plain-http",
            "resource-hidden",
            "intermediary-challenged",
        ];
        let mut known = Known::nothing(with_password("http://example.com/v1/Data/"));
        known.addresses = vec![[192, 0, 2, 1].into(), [192, 0, 2, 2].into()];
        known.proxied = true;
        let (steps, _) = play(known, &Limits::default(), |_| {
            (answered(401, "Digest realm=x, nonce=y, stale=true, Basic realm=x"), all, false)
        });
        assert_eq!(steps.iter().filter(|s| s.ask.carries()).count(), 2, "{steps:?}");
        assert!(steps.len() > 6 && steps.len() <= 20, "{steps:?}");
    }

    #[test]
    fn nothing_is_asked_that_tells_nothing_apart() {
        let (steps, why) =
            play(Known::nothing(with_password("http://example.com/a")), &Limits::default(), |_| {
                (answered(401, "Basic realm=x"), &["wrong-password"], false)
            });
        assert_eq!(steps.iter().map(|s| s.name).collect::<Vec<_>>(), ["bare", "given"]);
        assert!(why.starts_with("no further request"), "{why}");
    }

    #[test]
    fn a_handshake_that_is_refused_is_not_begun_again() {
        let open: &[&str] = &["credentials-refused", "wrong-method", "digest-mismatch", "plain-http"];
        let mut known = Known::nothing(with_password("http://example.com/a"));
        known.addresses = vec![[192, 0, 2, 1].into(), [192, 0, 2, 2].into()];
        let limits = Limits { allow_wrong: true, ..Limits::default() };
        let (steps, _) = play(known, &limits, |step| {
            let mut outcome = answered(401, "Negotiate, NTLM, Basic realm=x");
            outcome.allow = vec!["PROPFIND".to_owned()];
            outcome.server = Some([192, 0, 2, 1].into());
            assert!(step.ask.carry != Carry::Wrong);
            (outcome, open, false)
        });
        let with: Vec<_> = steps.iter().filter(|s| s.ask.carries()).collect();
        assert_eq!(with.len(), 1, "{steps:?}");
        assert!(with[0].ask.is_handshake() && with[0].ask.version == crate::Version::Http1);
    }

    #[test]
    fn no_password_goes_where_a_ticket_is_wanted() {
        let known = Known::nothing(with_password("http://example.com/a"));
        let (steps, why) =
            play(known, &Limits::default(), |_| (answered(401, "Negotiate"), &["no-credentials"], true));
        assert!(steps.iter().all(|s| !s.ask.carries()), "{steps:?}");
        assert_eq!(why, NEGOTIATE);
    }

    #[test]
    fn a_changing_method_is_sent_once() {
        let mut w = with_password("http://example.com/v1/orders");
        w.method = "POST".to_owned();
        w.scheme = Some("basic".to_owned());
        let (steps, _) =
            play(Known::nothing(w), &Limits::default(), |_| (answered(401, "Basic realm=x"), OPEN, false));
        let posts = steps.iter().filter(|s| s.ask.method == "POST").count();
        assert_eq!(posts, 1, "{steps:?}");
        assert!(steps.iter().any(|s| s.ask.method == "OPTIONS"));
    }

    #[test]
    fn credentials_stay_behind_when_a_redirect_leads_to_another_host() {
        let mut w = with_password("http://example.com/a");
        w.scheme = Some("basic".to_owned());
        let (steps, _) =
            play(Known::nothing(w), &Limits::default(), |step| match step.ask.address.host.as_str() {
                "example.com" => {
                    let location = Address::parse("http://other.example.net/a");
                    (Outcome { status: Some(302), location, ..Outcome::default() }, &[], false)
                }
                _ => (answered(401, "Basic realm=x"), &["dropped-on-redirect"], true),
            });
        let last = steps.last().unwrap();
        assert_eq!((last.name, &last.ask.carry), ("redirect", &Carry::Nothing));
    }

    #[test]
    fn a_refusal_is_tried_at_another_address_of_the_host() {
        let at = |n: u8| IpAddr::from([192, 0, 2, n]);
        let mut known = Known::nothing(with_password("http://example.com/a"));
        known.addresses = vec![at(1), at(2), at(3)];
        let server = |step: &Step| {
            let outcome = Outcome { server: step.ask.at.or(Some(at(1))), ..answered(401, "Basic realm=x") };
            (outcome, &["credentials-refused"][..], false)
        };
        let (steps, _) = play(known.clone(), &Limits::default(), server);
        let with: Vec<_> = steps.iter().filter(|s| s.ask.carries()).map(|s| s.ask.at).collect();
        assert_eq!(with, [None, Some(at(2))], "{steps:?}");
        known.wish.method = "POST".to_owned();
        let (steps, _) = play(known, &Limits::default(), server);
        assert_eq!(steps.iter().filter(|s| s.ask.method == "POST").count(), 1, "{steps:?}");
    }

    #[test]
    fn a_location_is_resolved() {
        let base = Address::parse("https://example.com/a/b?c").unwrap();
        let to = |l: &str| crate::wish::url(&resolve(&base, l).unwrap());
        assert_eq!(to("/x?y#z"), "https://example.com/x?y");
        assert_eq!(to("d"), "https://example.com/a/d");
        assert_eq!(to("../d?e=../f"), "https://example.com/d?e=../f");
        assert_eq!(to("//h.example.net/"), "https://h.example.net/");
        assert_eq!(to("http://h.example.net:81/"), "http://h.example.net:81/");
    }
}
