//! Another client than before.

use crate::Scene;
use crate::cause::{Answer, Claim, cause};
use why401_history::Attempt;
use why401_report::{Annotation, Party};

cause! {
    /// Requests of one account worked until its client changed and have been refused since.
    ///
    /// # What happened
    /// A new version, a new program, another HTTP version, address or method: since then the requests are refused.
    ///
    /// # How it is decided
    /// The fields of the requests before and after: every success has the old value, every refusal the new one.
    ///
    /// # Who acts
    /// Whoever changed the client.
    ///
    /// # What to do
    /// Compare the new client's request with the old one's, field by field; go back to the old version until it is mended.
    ///
    /// # Evidence needed
    /// A log with the user agent, or requests, from before and after.
    ///
    /// # Not to be confused with
    /// credentials-changed: the client is the same. server-changed: everybody is refused.
    ///
    /// # References
    /// RFC 9110 section 10.1.5 (User-Agent).
    pub ClientChanged = "client-changed" in Server, Fault by Caller,
        over ["credentials-changed", "no-credentials", "credentials-refused"]
}

impl ClientChanged {
    fn detect(scene: &Scene<'_>) -> Answer {
        let told = || scene.told("client-changed", "the client changed");
        if scene.refused().is_none_or(|s| s.status() != Some(401)) {
            return told();
        }
        let story = match scene.account_story() {
            Some((_, story)) => story,
            None => match scene.client_story() {
                Some(story) => story,
                None => return told(),
            },
        };
        // Whoever tries by hand with another program gets in: it is this one that is refused.
        let by_others = || {
            let refused: Vec<String> = story.refused.iter().filter_map(|a| agent(a)).collect();
            let other = |a: &&Attempt| agent(a).is_some_and(|g| !refused.contains(&g));
            !refused.is_empty() && !story.accepted_before.is_empty() && story.accepted_after.iter().all(other)
        };
        let Some((before, first)) = story.turn().filter(|_| story.broke() || by_others()) else {
            return told();
        };
        if story.accepted_before.len() < 2 || story.refused.len() < 2 {
            return told();
        }
        // The accepted ones had credentials; otherwise it is the resource that differs, not the client.
        if before.user.is_none() && before.request_field("authorization").is_none() {
            return told();
        }
        // The same resource, or it is the resource that differs.
        let place = |a: &Attempt| a.path().map(|p| p.split('/').take(3).collect::<Vec<_>>().join("/"));
        if !story.accepted_before.iter().any(|a| place(a) == place(first)) {
            return told();
        }
        let traits: [(&str, Trait); 3] =
            [("client program", agent), ("HTTP version", version), ("client address", address)];
        let changed = traits.iter().find_map(|(name, of)| {
            let old: Vec<String> = story.accepted_before.iter().filter_map(|a| of(a)).collect();
            let new: Vec<String> = story.refused.iter().filter_map(|a| of(a)).collect();
            let apart = !old.is_empty() && !new.is_empty() && new.iter().all(|n| !old.contains(n));
            apart.then(|| {
                (*name, old.last().cloned().unwrap_or_default(), new.first().cloned().unwrap_or_default())
            })
        });
        let Some((name, old, new)) = changed else { return told() };
        let others = scene
            .later()
            .filter(|a| a.let_in() && a.client().map(|c| &c.host) != first.client().map(|c| &c.host))
            .find(|a| agent(a).is_some_and(|g| Some(g) == agent(before)));
        let mut claim = Claim::new(format!(
            "the {name} changed from {old} to {new}, and every request of the new one is refused"
        ))
        .shown(line(scene, before, "accepted, with the old one"))
        .shown(line(scene, first, "refused, with the new one"));
        if let Some(other) = others {
            claim = claim.shown(line(scene, other, "others with the old one go on working"));
        }
        claim = claim
            .fix(Party::Caller, format!("Compare what {new} sends with what {old} sent, field by field; go back until it is mended."))
            .or("credentials-changed", "whether the old client would still be let in")
            .or("no-credentials", "the new client's request as it was sent");
        let old: Vec<_> = story.accepted_before.iter().filter_map(|a| a.method()).collect();
        if story.refused.iter().filter_map(|a| a.method()).all(|m| !old.contains(&m)) {
            claim = claim.or("wrong-method", "which methods the server lets this account use here");
        }
        if others.is_some() && name == "client program" { claim.confirmed() } else { claim.likely() }
    }
}

/// A trait of the client that a request shows.
type Trait = fn(&Attempt) -> Option<String>;

/// A log line or request line with what it shows.
pub(super) fn line(scene: &Scene<'_>, a: &Attempt, says: &str) -> Option<Annotation> {
    a.views.iter().find_map(|v| match (&v.log, &v.response, &v.request) {
        (Some(_), Some(response), _) => Some(scene.show_status(v, response, says)),
        (Some(log), None, _) => Some(scene.show_part(v.source, &log.line, 0..log.line.len(), says)),
        (None, _, Some(request)) => Some(scene.show_request(v, request, says)),
        _ => None,
    })
}

fn agent(a: &Attempt) -> Option<String> {
    let agent = a.request_field("user-agent")?.text().into_owned();
    (agent.len() > 1).then(|| agent.split_whitespace().next().unwrap_or_default().to_owned())
}

fn version(a: &Attempt) -> Option<String> {
    a.request().map(|r| r.version.clone()).filter(|v| !v.is_empty())
}

fn address(a: &Attempt) -> Option<String> {
    a.client().map(|c| c.host.clone())
}
