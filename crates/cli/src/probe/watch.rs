//! Tells what is sent and why, and what the diagnosis says meanwhile.

use std::io::{BufRead, IsTerminal, Write};
use why401_auth::parse_challenges;
use why401_history::Collector;
use why401_http::{Speaker, Statement};
use why401_probe::driver::{Event, Judgement, Watcher};
use why401_probe::plan::{Outcome, Step};
use why401_probe::respond::best_digest;
use why401_probe::wish::url;
use why401_probe::{Carry, Credentials, Probed, Wish};
use why401_read::Collected;
use why401_redact::SecretSet;
use why401_report::{Certainty, SourceReport, Verdict};
use why401_span::Derived;

/// What a plain refusal leaves open beside what its finding names: causes that looking elsewhere tells apart.
const BEHIND_A_REFUSAL: &[&str] = &[
    "wrong-address",
    "wrong-method",
    "plain-http",
    "resource-hidden",
    "charset-mismatch",
    "intermediary-challenged",
    "server-misconfigured",
];

pub(super) struct Watch<'a> {
    wish: Wish,
    secrets: SecretSet,
    told: &'a dyn Fn(&str),
    /// Whether there was an answer at all: a failure before is told as the end of it.
    heard: bool,
}

impl<'a> Watch<'a> {
    pub(super) fn new(wish: &Wish, told: &'a dyn Fn(&str)) -> Self {
        let mut secrets = SecretSet::default();
        match &wish.credentials {
            Credentials::Password { password, .. } => secrets.add(&password.expose_text()),
            Credentials::Bearer(token) => secrets.add(&token.expose_text()),
            Credentials::Aws(keys) => {
                secrets.add(&keys.secret.expose_text());
                keys.token.iter().for_each(|t| secrets.add(&t.expose_text()));
            }
            Credentials::None | Credentials::Fields => {}
        }
        for field in wish.fields.iter().filter(|f| f.is_credential()) {
            secrets.add(&field.value.expose_text());
            secrets.field(&field.name, &field.value.expose_text());
        }
        wish.cookies.iter().flat_map(|jar| jar.values()).for_each(|v| secrets.add(&v.expose_text()));
        secrets.target(&wish.address.target);
        Watch { wish: wish.clone(), secrets, told, heard: false }
    }

    /// The name of the source: the address, without secrets.
    pub(super) fn name(&self) -> String {
        self.masked(&url(&self.wish.address))
    }

    pub(super) fn masked(&self, text: &str) -> String {
        self.secrets.scrub(text)
    }

    /// Text as it may stand on a terminal, line by line.
    pub(super) fn shown(&self, text: &str) -> String {
        let lines: Vec<String> = self.masked(text).lines().map(why401_render::visible).collect();
        lines.join("\n")
    }

    /// Everything was asked.
    pub(super) fn over(&self, probed: &Probed) {
        let (requests, attempts) = (probed.spent.requests, probed.spent.attempts);
        let times = |n: u32, what: &str| if n == 1 { format!("1 {what}") } else { format!("{n} {what}s") };
        let with = match attempts {
            0 => String::new(),
            1 => ", 1 with credentials".to_owned(),
            n => format!(", {n} with credentials"),
        };
        self.tell(&format!("{}{with}; {}\n", times(requests, "request"), probed.why));
    }

    fn tell(&self, text: &str) {
        (self.told)(&self.shown(text));
    }
}

impl Watcher for Watch<'_> {
    fn event(&mut self, event: Event<'_>) {
        match event {
            Event::Asking(step, number, attempt) => {
                let again =
                    if attempt > 0 { format!(" (attempt {attempt} of at most 2)") } else { String::new() };
                self.tell(&format!("{number}. {}{again}", described(&self.wish, step)));
            }
            Event::Answered(outcome) => {
                self.heard = true;
                self.tell(&format!("   {}", answered(outcome)));
            }
            Event::Failed(trouble) if self.heard => self.tell(&format!("   {trouble}")),
            Event::Failed(_) => {}
        }
    }

    fn judge(&mut self, taken: &Collected, left_out: &[u64]) -> Judgement {
        let mut collector = Collector::new();
        let kept = taken.exchanges.iter().filter(|e| !left_out.contains(&e.index));
        kept.for_each(|e| collector.exchange(e.clone()));
        taken.facts.iter().for_each(|f| collector.fact(f.clone()));
        said(&self.wish, taken).into_iter().for_each(|s| collector.statement(s));
        let report = SourceReport { name: self.name(), ..SourceReport::default() };
        let case = collector.finish(vec![report]);
        let findings = why401_causes::diagnose(&case, Some(jiff::Timestamp::now()));
        let first = findings.iter().find(|f| matches!(f.verdict, Verdict::Fault | Verdict::Attack));
        let Some(first) = first else { return Judgement::default() };
        // That a request without credentials has none says nothing about those that were given.
        let unasked = first.cause == "no-credentials" && self.wish.has_credentials();
        let vague = matches!(first.cause, "credentials-refused") || unasked;
        let settled = first.certainty == Certainty::Certain && !vague;
        let mut open: Vec<String> = first.also_possible.iter().map(|a| a.cause.to_owned()).collect();
        open.push(first.cause.to_owned());
        if vague || first.certainty != Certainty::Certain {
            open.extend(BEHIND_A_REFUSAL.iter().map(|c| (*c).to_owned()));
        }
        Judgement { open, settled }
    }

    fn may_travel(&mut self, host: &str) -> bool {
        if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
            self.tell(&format!(
                "   the credentials stay behind: it leads to {host} (--trust-host {host} lets them go there)"
            ));
            return false;
        }
        let mut err = std::io::stderr().lock();
        let _ = write!(err, "   May the credentials go to {}? [y/N] ", why401_render::visible(host));
        let mut answer = String::new();
        std::io::stdin().lock().read_line(&mut answer).is_ok() && answer.trim().eq_ignore_ascii_case("y")
    }
}

/// What this client can say of itself: what it finds of the token, and that it waits for a challenge.
pub(super) fn said(wish: &Wish, taken: &Collected) -> Vec<Statement> {
    waiting(wish, taken).into_iter().chain(super::token::found(wish, taken)).collect()
}

/// That it holds credentials for Digest and waits to be asked, and that it cannot answer the challenge. In curl's words,
/// which the causes know.
fn waiting(wish: &Wish, taken: &Collected) -> Vec<Statement> {
    let (Credentials::Password { user, .. }, Some("digest")) = (&wish.credentials, wish.scheme.as_deref())
    else {
        return Vec::new();
    };
    let mut all = Vec::new();
    let waiting = taken.exchanges.iter().filter(|e| {
        let asked = e.request.as_ref().is_some_and(|r| r.target() == wish.address.target);
        asked && !e.request.as_ref().is_some_and(|r| r.fields.has("authorization"))
    });
    for e in waiting {
        let mut say = |text: String| {
            let mut statement = Statement::new(e.source, Speaker::Client, Derived::synthetic(text));
            statement.beside = Some(e.index);
            all.push(statement);
        };
        say(format!("Server auth using Digest with user '{user}'"));
        let challenges: Vec<_> = e
            .response
            .iter()
            .flat_map(|r| r.fields.all("www-authenticate"))
            .flat_map(|f| parse_challenges(f.value.as_bytes()).value)
            .collect();
        if challenges.iter().any(|c| c.is("digest")) && best_digest(&challenges).is_none() {
            say("Authentication problem. Ignoring this.".to_owned());
        }
    }
    all
}

/// The request in words.
pub(super) fn described(wish: &Wish, step: &Step) -> String {
    let ask = &step.ask;
    let with = match &ask.carry {
        Carry::Nothing => String::new(),
        Carry::Unasked(how) | Carry::Answer(how) => match &wish.credentials {
            Credentials::Password { user, .. } => format!(" with {user}'s password by {how}"),
            Credentials::Bearer(_) => " with the token".to_owned(),
            Credentials::Aws(keys) => format!(" signed for {} in {}", keys.service, keys.region),
            Credentials::Fields => " with the fields given".to_owned(),
            Credentials::None => " with its query".to_owned(),
        },
        Carry::Wrong => " with credentials that are made up".to_owned(),
        Carry::Latin1 => " with the password in ISO-8859-1".to_owned(),
    };
    let at = ask.at.map(|ip| format!(" at {ip}")).unwrap_or_default();
    let direct = if ask.direct { " without the proxy" } else { "" };
    format!("{} {}{with}{at}{direct}\n   {}", ask.method, ask.url(), step.why)
}

fn answered(outcome: &Outcome) -> String {
    let status = outcome.status.map_or("no answer".to_owned(), |s| s.to_string());
    let schemes: Vec<&str> = outcome.challenges.iter().map(|c| c.scheme.written.as_str()).collect();
    let asks = if schemes.is_empty() { String::new() } else { format!(", asks for {}", schemes.join(", ")) };
    let leads = outcome.location.as_ref().map(|l| format!(", leads to {}", url(l))).unwrap_or_default();
    let allows = if outcome.allow.is_empty() {
        String::new()
    } else {
        format!(", takes {}", outcome.allow.join(", "))
    };
    format!("{status}{asks}{leads}{allows}")
}
