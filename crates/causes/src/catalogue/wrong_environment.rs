//! The key of another house.

mod in_words;

use crate::carried;
use crate::cause::{Answer, Claim, cause};
use crate::phrase::{self, plain};
use crate::scene::same_site;
use crate::{Scene, Step};
use why401_auth::vendor::Environment;
use why401_auth::{Inside, vendor};
use why401_history::Attempt;
use why401_http::{Address, Statement};
use why401_report::{Certainty, Party};

cause! {
    /// The credentials belong to another environment, region or tenant of the service.
    ///
    /// # What happened
    /// A test key went to the live host, a staging token to production, one region's key to another.
    ///
    /// # How it is decided
    /// The key's or token's own marks and the host's disagree, or the answer says so.
    ///
    /// # Who acts
    /// Whoever configures the client.
    ///
    /// # What to do
    /// Use the credentials that were given out for this host, or the host that belongs to the credentials.
    ///
    /// # Evidence needed
    /// The request with its host and its credentials.
    ///
    /// # Not to be confused with
    /// wrong-issuer: a token of another identity provider. wrong-address: the credentials are right, the host is not meant.
    ///
    /// # References
    /// RFC 9110 section 11.5 (protection spaces); the marks of keys are documented by each service: see `why401 decode`.
    pub WrongEnvironment = "wrong-environment" in Refused, Fault by Caller, over ["credentials-refused", "wrong-password", "unknown-user", "dropped-by-intermediary", "wrong-address"]
}

/// Words that mark a host or a name as not the live one.
const TRIAL: &[&str] = &[
    "sandbox",
    "test",
    "testing",
    "staging",
    "stage",
    "dev",
    "develop",
    "development",
    "qa",
    "uat",
    "demo",
    "preprod",
    "nonprod",
    "sbx",
    "stg",
];

impl WrongEnvironment {
    fn detect(scene: &Scene<'_>) -> Answer {
        let told = || match scene
            .told_claim("wrong-environment", "the credentials are of another environment")
            .or_else(|| in_words::sibling(scene))
            .or_else(|| two_named(scene))
            .or_else(|| live_at_trial(scene))
        {
            Some(claim) => advise(claim).as_told(),
            None => Answer::RuledOut,
        };
        let Some(step) = scene.refused().filter(|s| s.status() != Some(407)) else { return told() };
        let Some(host) = step.attempt.request().and_then(|r| r.authority()) else { return told() };
        let trial_host = is_trial(&host);
        marked_key(scene, step, &host, trial_host)
            .or_else(|| another_product(scene, step, &host))
            .or_else(|| user_of_trial(scene, step, &host, trial_host))
            .or_else(|| accepted_by_sibling(scene, step, &host))
            .or_else(|| region(scene, step, &host))
            .or_else(|| in_words::home(scene, &host))
            .or_else(|| issuer(scene, step, &host, trial_host))
            .unwrap_or_else(told)
    }
}

fn advise(claim: Claim) -> Claim {
    claim.fix(Party::Caller, "Use the credentials that were given out for this host, or the host that belongs to these credentials.")
}

fn is_trial(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    // Azure DevOps is no development host.
    if lower.starts_with("dev.azure.com") {
        return false;
    }
    let local = lower.starts_with("localhost") || lower.starts_with("127.");
    local || lower.split(|c: char| !c.is_ascii_alphanumeric()).any(|w| TRIAL.contains(&w))
}

fn vendor_of<'s>(step: &'s Step<'_>) -> Option<(why401_auth::vendor::VendorToken, &'s crate::Sent<'s>)> {
    step.sent.iter().find_map(|s| match &s.inside {
        Inside::Token(t) => t.vendor.map(|v| (v, s)),
        Inside::Basic(b) => b.vendor.map(|(_, v)| (v, s)),
        _ => None,
    })
}

/// `sk_test_…` at a live host that has a sandbox of its own, or the reverse.
fn marked_key(scene: &Scene<'_>, step: &Step<'_>, host: &str, trial_host: bool) -> Option<Answer> {
    let (vendor, sent) = vendor_of(step)?;
    let environment = vendor.environment?;
    let wrong = match environment {
        Environment::Live => trial_host,
        Environment::Test => ["live", "prod", "production"]
            .iter()
            .any(|w| host.to_ascii_lowercase().split(|c: char| !c.is_ascii_alphanumeric()).any(|p| p == *w)),
    };
    wrong.then(|| {
        advise(
            Claim::new(format!("a {} key of {} was sent to {host}", environment.name(), vendor.product))
                .shown([scene.show_field(
                    sent.view,
                    sent.field,
                    format!("its mark says {}", environment.name()),
                )]),
        )
        .confirmed()
    })
}

/// One service's key at another service's host.
fn another_product(scene: &Scene<'_>, step: &Step<'_>, host: &str) -> Option<Answer> {
    let (vendor, sent) = vendor_of(step)?;
    let word = |t: &str| {
        t.split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default().to_ascii_lowercase()
    };
    let mine = word(vendor.product);
    let lower = host.to_ascii_lowercase();
    let other = vendor::TABLE
        .iter()
        .map(|row| word(row.token.product))
        .find(|p| p.len() > 3 && *p != mine && lower.split('.').any(|label| label == p))?;
    (!lower.contains(&mine) && mine.len() > 3).then(|| {
        advise(Claim::new(format!("a key of {} was sent to a host of {other}", vendor.product)).shown([
            scene.show_field(sent.view, sent.field, format!("by its mark a key of {}", vendor.product)),
        ]))
        .or("wrong-token-type", "what this host takes")
        .likely()
    })
}

/// A user, or a parameter, that names the sandbox, at a host that is not it.
fn user_of_trial(scene: &Scene<'_>, step: &Step<'_>, host: &str, trial_host: bool) -> Option<Answer> {
    if trial_host {
        return None;
    }
    let (view, request) = step.request()?;
    let says = "this name belongs to the sandbox";
    let summary = || format!("the account named is the sandbox's and the host, {host}, is not");
    if let Some(sent) = step.credentials().filter(|s| {
        s.basic().is_some_and(|b| {
            is_trial(&b.user_text()) && b.user_text().to_ascii_lowercase().contains("sandbox")
        })
    }) {
        return Some(
            advise(Claim::new(summary()).shown([scene.show_field(sent.view, sent.field, says)])).likely(),
        );
    }
    let body = request.body.text();
    let lower = body.to_ascii_lowercase();
    let at = [
        "username=sandbox",
        "user=sandbox",
        "account=sandbox",
        "\"username\":\"sandbox\"",
        "\"username\": \"sandbox\"",
    ]
    .iter()
    .find_map(|p| lower.find(p).map(|i| i..i + p.len()))
    .or_else(|| sandbox_name(&lower))?;
    Some(
        advise(Claim::new(summary()).shown([scene.show_part(view.source, &request.body.bytes, at, says)]))
            .or("credentials-refused", "whether the key is the sandbox's too")
            .likely(),
    )
}

/// The same credentials, accepted by a host that differs in the mark of a region or an environment only.
fn accepted_by_sibling(scene: &Scene<'_>, step: &Step<'_>, host: &str) -> Option<Answer> {
    // Mostly there is none, which is found out without going through all requests.
    if !scene.lets_in(|other| other != host && same_site(host, other)) {
        return None;
    }
    // Of one service at one address: what differs is the name of the host alone, not the server that answers.
    let server = |a: &Attempt| a.response_field("server").map(|f| f.text().into_owned());
    let passed_on = |a: &Attempt| a.response_field("via").is_some();
    let name = |h: &str| h.split(':').next().unwrap_or(h).to_ascii_lowercase();
    let is_name = name(host).contains('.') && host.bytes().any(|c| c.is_ascii_alphabetic());
    let twin = |a: &Attempt, other: &str| {
        is_name
            && name(host) != name(other)
            && same_site(host, other)
            && a.target() == step.attempt.target()
            && server(a) == server(step.attempt)
            // What stands in front of one of them only may be what takes the field away.
            && passed_on(a) == passed_on(step.attempt)
    };
    let other_host = |a: &Attempt| {
        // A redirect looks at no credentials.
        a.served().then_some(())?;
        let other = a.request()?.authority()?;
        (other != host && (are_siblings(host, &other) || twin(a, &other))).then_some(other)
    };
    let (key, good, place) =
        carried::accepted(scene, step, |a| other_host(a).is_some(), |mine, there| mine == there)?;
    let other = other_host(good)?;
    let claim = Claim::new(format!(
        "{host} refuses the credentials that {other} accepts: they belong to that region or environment"
    ))
    .shown(carried::show(scene, step.attempt, &key.place, "refused here"))
    .shown(carried::show(scene, good, &place, format!("accepted by {other}")))
    .shown(good.response().map(|r| scene.show_status(good.view(), r, "accepted")));
    let claim = advise(claim).or("wrong-address", "which of the two hosts is meant");
    Some(if are_siblings(host, &other) { claim.confirmed() } else { claim.likely() })
}

/// A user name in a form that ends in the name of a sandbox, as Salesforce appends it.
fn sandbox_name(form: &str) -> Option<std::ops::Range<usize>> {
    let mut at = 0;
    form.split('&').find_map(|pair| {
        let range = at..at + pair.len();
        at += pair.len() + 1;
        let value = pair.strip_prefix("username=")?;
        ["sandbox", "uat", "staging", "fullcopy"]
            .iter()
            .any(|s| value.ends_with(&format!(".{s}")))
            .then_some(range)
    })
}

/// Somebody's words that name two such hosts, one of which refuses a secret.
fn two_named(scene: &Scene<'_>) -> Option<Claim> {
    if scene.refused().is_some_and(|s| !s.sent.is_empty())
        || scene.heard_of("credentials-refused").next().is_none()
    {
        return None;
    }
    let mut named: Vec<(&Statement, String)> = Vec::new();
    for statement in scene.statements().take(200) {
        let text = statement.text.to_text().to_ascii_lowercase();
        let hosts =
            text.split(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '.' | '-'))).filter(|word| {
                let end = word.trim_end_matches('.').rsplit('.').next().unwrap_or_default();
                let name = (2..=6).contains(&end.len()) && end.bytes().all(|b| b.is_ascii_alphabetic());
                name && word.trim_end_matches('.').matches('.').count() >= 2
            });
        named.extend(hosts.take(20).map(|h| (statement, h.trim_end_matches('.').to_owned())));
    }
    named.truncate(100);
    let (first, second) = named.iter().enumerate().find_map(|(i, one)| {
        named.iter().skip(i + 1).find(|two| are_siblings(&one.1, &two.1)).map(|two| (one, two))
    })?;
    let mut claim = Claim::new(format!(
        "{} and {} are named: a secret of the one is not known to the other",
        first.1, second.1
    ))
    .shown([scene.show_statement(first.0, format!("names {}", first.1))])
    .or(
        "credentials-refused",
        "the address under which the account itself is managed: its region is that of the secret",
    );
    if !std::ptr::eq(first.0, second.0) {
        claim = claim.shown([scene.show_statement(second.0, format!("names {}", second.1))]);
    }
    claim.certainty = Certainty::Likely;
    Some(claim)
}

/// Somebody set live keys, and the address that was asked is the trial's.
fn live_at_trial(scene: &Scene<'_>) -> Option<Claim> {
    const LIVE: &[&str] = &["live", "production", "prod"];
    const SECRETS: &[&str] = &["secret", "key", "token", "credentials", "mode", "client id", "clientid"];
    let texts: Vec<(&Statement, String)> =
        scene.statements().take(200).map(|s| (s, plain(&s.text.to_text()))).collect();
    let asked = texts.iter().find_map(|(s, _)| {
        let text = s.text.to_text();
        let at = text.find("://")? + 3;
        let host = text.get(at..)?.split(['/', ' ', '"', '?']).next()?;
        (is_trial(host) && host.contains('.')).then_some((*s, at..at + host.len()))
    })?;
    let set = texts.iter().find(|(s, words)| {
        !std::ptr::eq(*s, asked.0) && phrase::any(words, LIVE) && phrase::any(words, SECRETS)
    })?;
    let mut claim = Claim::new("the secret is set for the live service, and the trial one is asked")
        .shown([scene.show_part(asked.0.source, &asked.0.text, asked.1, "the trial's address")])
        .shown([scene.show_statement(set.0, "set for the live service")])
        .or("credentials-refused", "the same secret at the live address")
        .weighing(6);
    claim.certainty = Certainty::Likely;
    Some(claim)
}

/// Words that mark a region in the name of a host.
const REGIONS: &[&str] = &[
    "us",
    "eu",
    "ap",
    "uk",
    "ca",
    "au",
    "in",
    "jp",
    "de",
    "fr",
    "sg",
    "br",
    "cn",
    "kr",
    "na",
    "sa",
    "emea",
    "apac",
    "asia",
    "global",
    "east",
    "west",
    "north",
    "south",
    "central",
    "europe",
    "japan",
    "korea",
    "india",
    "brazil",
    "canada",
    "france",
    "germany",
    "australia",
];

/// Whether a word is made of such words, as Azure writes them: `westus`, `southcentralus`, `westeurope`.
fn is_region(word: &str) -> bool {
    word.is_empty() || REGIONS.iter().any(|r| word.strip_prefix(r).is_some_and(is_region))
}

/// Whether two hosts of one site differ only in words that mark a region or an environment.
fn are_siblings(a: &str, b: &str) -> bool {
    fn words(h: &str) -> Vec<&str> {
        h.split(':').next().unwrap_or(h).split(['.', '-']).collect()
    }
    let marks = |w: &str| {
        let stem = w.trim_end_matches(|c: char| c.is_ascii_digit());
        (w.len() < 32 && is_region(stem)) || TRIAL.contains(&w)
    };
    let (x, y) = (words(a), words(b));
    let mut differ =
        x.iter().filter(|w| !y.contains(w)).chain(y.iter().filter(|w| !x.contains(w))).peekable();
    let named = a.bytes().any(|c| c.is_ascii_alphabetic()) && a.contains('.');
    named && same_site(a, b) && differ.peek().is_some() && differ.all(|w| marks(w))
}

/// AWS: the region in the credential scope is another than the host's.
fn region(scene: &Scene<'_>, step: &Step<'_>, host: &str) -> Option<Answer> {
    let sent = step.credentials().filter(|s| s.scheme().starts_with("aws4-"))?;
    let credentials = sent.credentials()?;
    let scope = credentials.text("credential")?.into_owned();
    let region = scope.split('/').nth(2)?;
    let labels: Vec<&str> = host.split(['.', ':']).collect();
    let hosts_region =
        labels.iter().find(|l| l.matches('-').count() >= 2 && l.ends_with(|c: char| c.is_ascii_digit()))?;
    (*hosts_region != region && host.contains("amazonaws")).then(|| {
        advise(
            Claim::new(format!("the signature is for the region {region} and the host is in {hosts_region}"))
                .shown([scene.show_field(sent.view, sent.field, format!("signed for {region}"))]),
        )
        .confirmed()
    })
}

/// A JWT whose issuer is marked as another environment than the host.
fn issuer(scene: &Scene<'_>, step: &Step<'_>, host: &str, trial_host: bool) -> Option<Answer> {
    let sent = step.credentials()?;
    let issuer = sent.token()?.jwt.as_ref()?.iss()?.to_owned();
    let address = Address::parse(&issuer)?;
    let trial_issuer = is_trial(&address.host);
    let site =
        |h: &str| h.split(':').next().unwrap_or(h).rsplit('.').take(2).map(str::to_owned).collect::<Vec<_>>();
    (trial_issuer != trial_host && site(&address.host) == site(host)).then(|| {
        advise(
            Claim::new(format!("the token is of {} and the host is {host}: two environments", address.host))
                .shown([scene.show_field(sent.view, sent.field, format!("issued by {}", address.host))]),
        )
        .or("wrong-issuer", "which issuer the server trusts")
        .likely()
    })
}
