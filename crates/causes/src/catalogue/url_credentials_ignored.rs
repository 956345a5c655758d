//! Credentials in an address that nobody read.

use crate::cause::{Answer, Claim, cause};
use crate::{Scene, Step};
use why401_history::Attempt;
use why401_http::{Address, Fact, FactKind, Userinfo};
use why401_report::Party;

cause! {
    /// user:password@ in the address was not turned into an Authorization field.
    ///
    /// # What happened
    /// The address as given holds a user (and perhaps a password), and the client did not send them. Many clients ignore
    /// that part, some refuse it, and some take only the user and look for the password elsewhere.
    ///
    /// # How it is decided
    /// The address as given holds userinfo and the request on the wire has no Authorization field.
    ///
    /// # Who acts
    /// Whoever writes or configures the client.
    ///
    /// # What to do
    /// Give the credentials by the client's own option (`curl -u`), or by a field.
    ///
    /// # Evidence needed
    /// The address as it was given, and the request as it was sent.
    ///
    /// # Not to be confused with
    /// no-credentials: none were given at all.
    ///
    /// # References
    /// RFC 9110 section 4.2.4 (userinfo is deprecated); RFC 3986 section 3.2.1; Fetch standard (a URL that includes
    /// credentials is an error).
    pub UrlCredentialsIgnored = "url-credentials-ignored" in NotSent, Fault by Caller, over ["no-credentials"]
}

impl UrlCredentialsIgnored {
    fn detect(scene: &Scene<'_>) -> Answer {
        let told = || scene.told("url-credentials-ignored", "credentials in an address are not used");
        let Some(step) = scene.refused() else { return told() };
        let host = step.attempt.request().and_then(|r| r.authority()).unwrap_or_default();
        let given = scene.case.facts.iter().find_map(|f| userinfo(f, &host).map(|u| (f, u)));
        if step.attempt.carries_credentials() {
            return Answer::RuledOut;
        }
        let Some((fact, userinfo)) = given else { return printed(scene, step).unwrap_or_else(told) };
        // Whoever is let in by this name was asked with the address; the refused one was asked otherwise.
        let used = |a: &Attempt| a.let_in() && a.logged_name().is_some_and(|n| n == userinfo.user.as_str());
        if !step.attempt.shows_credentials() && scene.later().take(scene.reach()).any(used) {
            return told();
        }
        // What is offered is nothing that a password in an address is meant for, or that few clients speak.
        if !step.offered.is_empty() && !step.offers_password() {
            return told();
        }
        let what = if userinfo.password.is_some() { "a user and a password" } else { "a user name" };
        let mut claim = Claim::new(format!(
            "the address as given holds {what}, and the request has no Authorization field"
        ))
        .shown([scene.show_fact(fact, "given in the address")]);
        if let Some((view, request)) = step.request() {
            claim = claim.shown([scene.show_request(view, request, "sent without an Authorization field")]);
        }
        if let Some(habit) = scene.habit(&["user:password@"])
            && let Some((view, agent)) = step.request_field("user-agent")
        {
            claim = claim.shown([scene.show_field(view, agent, habit)]);
        }
        claim = claim.fix_by(
            Party::Caller,
            "Give user and password by the client's own option instead of in the address.",
            "curl -v -u USER URL",
        );
        if step.attempt.shows_credentials() {
            claim.confirmed()
        } else {
            claim.or("no-credentials", "the request as it was sent").likely()
        }
    }
}

/// The userinfo of an address of this host.
fn userinfo<'f>(fact: &'f Fact, host: &str) -> Option<&'f Userinfo> {
    let name = |h: &str| h.split(':').next().unwrap_or_default().to_ascii_lowercase();
    let here = |address: &str| match Address::parse(address) {
        Some(a) => host.is_empty() || name(&a.host) == name(host),
        None => true,
    };
    match &fact.kind {
        FactKind::Command { userinfo, user: None, addresses, .. } => {
            userinfo.as_ref().filter(|_| addresses.is_empty() || addresses.iter().any(|a| here(a)))
        }
        FactKind::Address { userinfo, address } => userinfo.as_ref().filter(|_| here(address)),
        _ => None,
    }
}

/// A program prints the address that it asks, with a user in it, and no user arrived.
fn printed(scene: &Scene<'_>, step: &Step<'_>) -> Option<Answer> {
    let path = step.attempt.path().filter(|p| p.len() > 1)?;
    let (statement, range) = scene.statements().find_map(|s| {
        let text = s.text.to_text();
        text.match_indices("://").take(10).find_map(|(at, mark)| {
            let rest = text.get(at + mark.len()..)?;
            let end = rest
                .find(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '<' | '>'))
                .unwrap_or(rest.len());
            let address = rest.get(..end)?;
            let authority = address.split('/').next()?;
            let user = authority.split_once('@')?.0;
            (user.contains(':') && address.contains(path))
                .then_some((s, at + mark.len()..at + mark.len() + user.len()))
        })
    })?;
    let mut claim = Claim::new("the program prints an address with a user in it, and its request shows none")
        .shown([scene.show_part(statement.source, &statement.text, range, "given in the address")]);
    if let Some((view, log)) = step.attempt.views.iter().find_map(|v| Some((v, v.log.as_ref()?))) {
        claim = claim.shown([scene.show_part(view.source, &log.line, 0..log.line.len(), "no user arrived")]);
    }
    let claim = claim
        .fix(Party::Caller, "Give user and password by the client's own option instead of in the address.");
    Some(claim.or("no-credentials", "the request as it was sent").weighing(6).likely())
}
