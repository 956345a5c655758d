//! The key of another house.

use crate::cause::{Answer, Claim, cause};
use crate::{Scene, Step};
use why401_auth::vendor::Environment;
use why401_auth::{Inside, vendor};
use why401_http::Address;
use why401_report::Party;

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
    /// The marks of keys are documented by each service; see `why401 decode`.
    pub WrongEnvironment = "wrong-environment" in Refused, Fault by Caller, over ["credentials-refused", "wrong-password", "unknown-user"]
}

/// Words that mark a host or a name as not the live one.
const TRIAL: &[&str] = &["sandbox", "test", "testing", "staging", "stage", "dev", "develop", "development", "qa", "uat", "demo", "preprod", "nonprod", "sbx", "stg"];

impl WrongEnvironment {
    fn detect(scene: &Scene<'_>) -> Answer {
        let told = || match scene.told_claim("wrong-environment", "the credentials are of another environment") {
            Some(claim) => advise(claim).as_told(),
            None => Answer::RuledOut,
        };
        let Some(step) = scene.refused().filter(|s| s.status() != Some(407)) else { return told() };
        let Some(host) = step.attempt.request().and_then(|r| r.authority()) else { return told() };
        let trial_host = is_trial(&host);
        marked_key(scene, step, &host, trial_host)
            .or_else(|| another_product(scene, step, &host))
            .or_else(|| user_of_trial(scene, step, &host, trial_host))
            .or_else(|| region(scene, step, &host))
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
        Environment::Test => ["live", "prod", "production"].iter().any(|w| host.to_ascii_lowercase().split(|c: char| !c.is_ascii_alphanumeric()).any(|p| p == *w)),
    };
    wrong.then(|| {
        advise(
            Claim::new(format!("a {} key of {} was sent to {host}", environment.name(), vendor.product))
                .shown([scene.show_field(sent.view, sent.field, format!("its mark says {}", environment.name()))]),
        )
        .confirmed()
    })
}

/// One service's key at another service's host.
fn another_product(scene: &Scene<'_>, step: &Step<'_>, host: &str) -> Option<Answer> {
    let (vendor, sent) = vendor_of(step)?;
    let word = |t: &str| t.split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default().to_ascii_lowercase();
    let mine = word(vendor.product);
    let lower = host.to_ascii_lowercase();
    let other = vendor::TABLE
        .iter()
        .map(|row| word(row.token.product))
        .find(|p| p.len() > 3 && *p != mine && lower.split('.').any(|label| label == p))?;
    (!lower.contains(&mine) && mine.len() > 3).then(|| {
        advise(
            Claim::new(format!("a key of {} was sent to a host of {other}", vendor.product))
                .shown([scene.show_field(sent.view, sent.field, format!("by its mark a key of {}", vendor.product))]),
        )
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
    if let Some(sent) = step.credentials().filter(|s| s.basic().is_some_and(|b| is_trial(&b.user_text()) && b.user_text().to_ascii_lowercase().contains("sandbox"))) {
        return Some(advise(Claim::new(summary()).shown([scene.show_field(sent.view, sent.field, says)])).likely());
    }
    let body = request.body.text();
    let lower = body.to_ascii_lowercase();
    let at = ["username=sandbox", "user=sandbox", "account=sandbox", "\"username\":\"sandbox\"", "\"username\": \"sandbox\""]
        .iter()
        .find_map(|p| lower.find(p).map(|i| i..i + p.len()))?;
    Some(
        advise(Claim::new(summary()).shown([scene.show_part(view.source, &request.body.bytes, at, says)]))
            .or("credentials-refused", "whether the key is the sandbox's too")
            .likely(),
    )
}

/// AWS: the region in the credential scope is another than the host's.
fn region(scene: &Scene<'_>, step: &Step<'_>, host: &str) -> Option<Answer> {
    let sent = step.credentials().filter(|s| s.scheme().starts_with("aws4-"))?;
    let credentials = sent.credentials()?;
    let scope = credentials.text("credential")?.into_owned();
    let region = scope.split('/').nth(2)?;
    let labels: Vec<&str> = host.split(['.', ':']).collect();
    let hosts_region = labels.iter().find(|l| l.matches('-').count() >= 2 && l.ends_with(|c: char| c.is_ascii_digit()))?;
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
    let site = |h: &str| h.split(':').next().unwrap_or(h).rsplit('.').take(2).map(str::to_owned).collect::<Vec<_>>();
    (trial_issuer != trial_host && site(&address.host) == site(host)).then(|| {
        advise(
            Claim::new(format!("the token is of {} and the host is {host}: two environments", address.host))
                .shown([scene.show_field(sent.view, sent.field, format!("issued by {}", address.host))]),
        )
        .or("wrong-issuer", "which issuer the server trusts")
        .likely()
    })
}
