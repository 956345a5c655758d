//! A Digest response over something else.

use crate::cause::{Answer, Claim, cause};
use crate::reading::{at_most, before, quoted, settle, token};
use crate::scene::{same_client, same_server};
use crate::{Scene, Sent, Step};
use std::ops::Range;
use why401_auth::Inside;
use why401_auth::scheme::digest::{self, DigestChallenge, DigestCredentials};
use why401_history::Attempt;
use why401_http::{Request, path_of};
use why401_report::{Annotation, Certainty, Party};

cause! {
    /// The Digest response was computed over something else than was sent or asked.
    ///
    /// # What happened
    /// A Digest response is a hash over the method, the target and what the challenge gave. Where one of these is not
    /// the same at the server, the hash cannot be right, however right the password is: a proxy rewrote the path or the
    /// method, the client left the query out, or it took another realm, algorithm, qop or opaque than it was given.
    ///
    /// # How it is decided
    /// The `uri` of the credentials against the request line, the other parameters against the challenge with the same
    /// nonce, the same credentials on two sides of a proxy: certain. Apache answers a different `uri` with 400.
    ///
    /// # Who acts
    /// Whoever writes or configures the client; who runs the proxy, where it rewrote the path or the method.
    ///
    /// # What to do
    /// Let the proxy pass the path as it is (publish the same path outside and inside), or authenticate at the proxy.
    /// In the client: `uri` is the request target with its query as it is sent; realm, nonce, opaque and algorithm are
    /// the challenge's, unchanged.
    ///
    /// # Evidence needed
    /// The request line with the Digest field, and the challenge that it answers.
    ///
    /// # Not to be confused with
    /// wrong-password: everything fits and the hash is wrong. A server that logs "password mismatch" sees no difference
    /// between the two.
    ///
    /// # References
    /// RFC 7616 sections 3.4 and 3.4.6 (uri and the target); Apache mod_auth_digest (AH01786).
    pub DigestMismatch = "digest-mismatch" in Handshake, Fault by Caller,
        over ["credentials-refused", "wrong-password", "digest-nonce-stale", "unknown-user"]
}

impl DigestMismatch {
    fn detect(scene: &Scene<'_>) -> Answer {
        if !token::is_refused(scene) {
            return Answer::RuledOut;
        }
        let told = scene
            .told_claim("digest-mismatch", "the Digest response is for another request than the one it got")
            .map(party_of_log);
        // Apache answers a different uri with 400, after the 401 that asked.
        let bad = scene.last().filter(|s| s.status() == Some(400) && !scene.let_in());
        let found = bad.and_then(|step| look(scene, step)).or_else(|| look(scene, scene.refused()?));
        settle(found, told, advise)
    }
}

/// Where the log shows two different paths, it was mostly a proxy that changed it: a client computes the response from
/// the target that it sends.
fn party_of_log(claim: Claim) -> Claim {
    claim.or(
        "wrong-password",
        "the request line beside its Digest field: if uri and target agree, the password is wrong",
    )
}

/// What does not fit.
struct Mismatch {
    says: String,
    shown: Vec<Annotation>,
    party: Option<Party>,
    certainty: Certainty,
}

fn look(scene: &Scene<'_>, step: &Step<'_>) -> Option<Claim> {
    let sent = step.credentials()?;
    let Inside::Digest(credentials) = &sent.inside else { return None };
    // Clients of RTSP give the address of the whole presentation for its parts as well, and cameras take it.
    let rtsp = step.request().is_some_and(|(_, r)| r.version.starts_with("RTSP"));
    let found = other_side(scene, step, sent)
        .or_else(|| cut_by_proxy(scene, step, sent, credentials))
        .or_else(|| target(scene, step, sent, credentials))
        .filter(|_| !rtsp)
        .or_else(|| used_before(scene, step, sent, credentials))
        .or_else(|| counted_wrong(scene, step, sent, credentials))
        .or_else(|| parameters(scene, step, sent, credentials))
        .or_else(|| length(scene, sent, credentials))
        .or_else(|| old_form(scene, step, sent, credentials))?;
    let mut claim = Claim::new(found.says).shown(found.shown);
    claim.party = found.party;
    if let Some((view, response)) = step.response() {
        claim = claim.shown([scene.show_status(view, response, "refused")]);
    }
    Some(at_most(claim, found.certainty))
}

/// The first use of a nonce is counted as 00000001 (RFC 7616 section 3.4).
fn counted_wrong(
    scene: &Scene<'_>,
    step: &Step<'_>,
    sent: &Sent<'_>,
    credentials: &DigestCredentials,
) -> Option<Mismatch> {
    let nonce = credentials.nonce.as_deref()?;
    let param = sent.credentials()?.param("nc")?.range();
    let text = sent.field.text();
    let nc = text.get(param.clone())?.rsplit('=').next()?.trim_matches('"');
    let count = u32::from_str_radix(nc, 16).ok()?;
    let used = before(scene, step.attempt)
        .take(200)
        .any(|a| a.request_field("authorization").is_some_and(|f| f.text().contains(nonce)));
    let given = before(scene, step.attempt).take(200).map(Step::of).any(|s| {
        s.challenges().any(|(_, c)| c.is("digest") && digest::challenge(c).nonce.as_deref() == Some(nonce))
    });
    (count > 1 && given && !used).then(|| Mismatch {
        says: format!("the first use of the nonce is counted as nc={nc}, and counts begin with 00000001"),
        shown: vec![scene.show_in_field(sent.view, sent.field, param, "not the first")],
        party: None,
        certainty: Certainty::Likely,
    })
}

/// The response of an earlier request beside another nc or cnonce, over which it is computed (RFC 7616 section 3.4.1).
fn used_before(
    scene: &Scene<'_>,
    step: &Step<'_>,
    sent: &Sent<'_>,
    credentials: &DigestCredentials,
) -> Option<Mismatch> {
    credentials.nonce.as_deref()?;
    let own = sent.credentials()?;
    let response = own.text("response").filter(|r| r.len() >= 32)?;
    let other = before(scene, step.attempt).take(64).find_map(|a| {
        let earlier = Step::of(a);
        let there = earlier.credentials()?.credentials()?;
        let moved = ["nc", "cnonce"].iter().any(|n| there.text(n) != own.text(n));
        (there.text("response")? == response && moved)
            .then(|| a.request_field("authorization"))?
            .map(|f| (a, f))
    })?;
    Some(Mismatch {
        says: "the response is that of an earlier request, and nc or cnonce are others: it was not computed anew".to_owned(),
        shown: vec![
            scene.show_field(other.0.view(), other.1, "computed for this"),
            scene.show_field(sent.view, sent.field, "sent again beside another count"),
        ],
        party: None,
        certainty: Certainty::Certain,
    })
}

/// The same credentials beside another method or target: something in between changed it.
fn other_side(scene: &Scene<'_>, step: &Step<'_>, sent: &Sent<'_>) -> Option<Mismatch> {
    let (_, here) = step.request()?;
    let name = sent.field.name.to_text();
    let linked = [step.attempt.forwarded_as, step.attempt.forwarded_from]
        .into_iter()
        .flatten()
        .filter_map(|i| scene.case.attempt(i));
    let later = scene.case.attempts.iter().skip(step.attempt.id.saturating_add(1));
    let near = before(scene, step.attempt).take(64).chain(later.take(64));
    let other = linked.chain(near).find(|a| {
        a.request_field(&name).is_some_and(|f| f.value.as_bytes() == sent.field.value.as_bytes())
            && differs(a, here)
    })?;
    let there = other.request()?;
    let what = if there.method() == here.method() { "path" } else { "method" };
    let (from, to) = if what == "path" {
        (there.target().into_owned(), here.target().into_owned())
    } else {
        (there.method().into_owned(), here.method().into_owned())
    };
    let (from, to) = if outer_first(step, other) { (from, to) } else { (to, from) };
    Some(Mismatch {
        says: format!(
            "a proxy changed the {what} on the way, from {} to {}, and the Digest response is for the former",
            quoted(&from),
            quoted(&to)
        ),
        shown: vec![
            scene.show_request(other.view(), there, "on one side of the proxy"),
            scene.show_request(step.attempt.view(), here, "on the other side, with the same credentials"),
        ],
        party: Some(Party::Intermediary),
        certainty: Certainty::Certain,
    })
}

/// A log of the same moment, behind the proxy, has the end of the path that the response is for.
fn cut_by_proxy(
    scene: &Scene<'_>,
    step: &Step<'_>,
    sent: &Sent<'_>,
    credentials: &DigestCredentials,
) -> Option<Mismatch> {
    /// A log has whole seconds, and the one behind is written a moment later.
    const APART: f64 = 2.0;
    let uri = credentials.uri.as_deref()?;
    let path = why401_http::path_of(path_and_query(uri)).to_owned();
    let at = step.server_clock()?;
    let arrived = scene.case.attempts.iter().take(1_000).find(|a| {
        let there = a.path();
        let tail = there.is_some_and(|t| t.len() > 1 && t.len() < path.len() && path.ends_with(t));
        let near = a.time().is_some_and(|t| t.seconds_since(&at).abs() <= APART);
        let same = a.method() == step.attempt.method() && a.status() == step.status();
        tail && near && same && a.views.iter().any(|v| v.log.is_some())
    })?;
    let there = arrived.path()?.to_owned();
    let line = super::client_changed::line(scene, arrived, "arrived like this")?;
    Some(Mismatch {
        says: format!(
            "the Digest response is for {}, and a log of the same moment has {}: something in between changed the path",
            quoted(&path),
            quoted(&there)
        ),
        shown: vec![
            scene.show_in_field(sent.view, sent.field, param_range(sent, "uri"), "computed for this"),
            line,
        ],
        party: Some(Party::Intermediary),
        certainty: Certainty::Likely,
    })
}

/// Whether `other` is the request as the client sent it.
fn outer_first(step: &Step<'_>, other: &Attempt) -> bool {
    match (step.attempt.forwarded_from, step.attempt.forwarded_as) {
        (Some(id), _) if id == other.id => true,
        (_, Some(id)) if id == other.id => false,
        _ => other.id < step.attempt.id,
    }
}

fn differs(a: &Attempt, here: &Request) -> bool {
    a.request().is_some_and(|r| {
        r.method() != here.method() || path_and_query(&r.target()) != path_and_query(&here.target())
    })
}

/// The `uri` against the request line.
fn target(
    scene: &Scene<'_>,
    step: &Step<'_>,
    sent: &Sent<'_>,
    credentials: &DigestCredentials,
) -> Option<Mismatch> {
    let (view, request) = step.request()?;
    let uri = credentials.uri.as_deref()?;
    let target = request.target();
    let absolute = uri.contains("://") && target.starts_with('/');
    if absolute && path_and_query(uri) == path_and_query(&target) {
        return Some(Mismatch {
            says: format!(
                "the Digest response is for the whole address {}, and the request line has {} only",
                quoted(uri),
                quoted(&target)
            ),
            shown: vec![
                scene.show_in_field(sent.view, sent.field, param_range(sent, "uri"), "computed for this"),
                scene.show_request(view, request, "the target of the request"),
            ],
            party: None,
            certainty: Certainty::Likely,
        });
    }
    if target.is_empty() || path_and_query(uri) == path_and_query(&target) || uri == target {
        return None;
    }
    // What a server that decodes both would find equal.
    let decoded = |t: &str| why401_auth::percent::decode(path_and_query(t).as_bytes());
    let spelling = decoded(uri) == decoded(&target);
    let query = path_of(uri) == path_of(&target);
    let passed_on = [
        "via",
        "x-forwarded-for",
        "forwarded",
        "x-forwarded-host",
        "x-forwarded-prefix",
        "x-original-uri",
        "x-real-ip",
    ]
    .iter()
    .any(|n| request.fields.has(n));
    let what = match (spelling, query) {
        (true, _) => "spelt otherwise than",
        (_, true) => "without the same query as",
        _ => "another than",
    };
    Some(Mismatch {
        says: format!(
            "the Digest response is for {}, {what} the target of the request, {}",
            quoted(uri),
            quoted(&target)
        ),
        shown: vec![
            scene.show_in_field(sent.view, sent.field, param_range(sent, "uri"), "computed for this target"),
            scene.show_request(view, request, "the target of the request"),
        ],
        party: passed_on.then_some(Party::Intermediary),
        certainty: if spelling { Certainty::Likely } else { Certainty::Certain },
    })
}

/// The other parameters against the challenge that gave the nonce.
fn parameters(
    scene: &Scene<'_>,
    step: &Step<'_>,
    sent: &Sent<'_>,
    credentials: &DigestCredentials,
) -> Option<Mismatch> {
    let nonce = credentials.nonce.as_deref()?;
    let answered = before(scene, step.attempt)
        .take(200)
        .filter(|a| same_server(a, step.attempt) && same_client(a, step.attempt));
    // A server may offer one nonce with several algorithms: the client picks one.
    let (given, challenges) = answered.map(Step::of).find_map(|s| {
        let fit: Vec<(Annotation, DigestChallenge)> = s
            .challenges()
            .filter(|(_, c)| c.is("digest"))
            .map(|(o, c)| {
                (scene.show_in_field(o.view, o.field, c.range.clone(), "the challenge"), digest::challenge(c))
            })
            .collect();
        let asks_this = fit.iter().any(|(_, d)| d.nonce.as_deref() == Some(nonce));
        asks_this.then_some((fit.first().map(|(a, _)| a.clone()), fit))
    })?;
    let differences = |d: &DigestChallenge| {
        digest::differences(d, credentials).into_iter().filter(|n| *n != "nonce").collect::<Vec<_>>()
    };
    let best = challenges
        .iter()
        .filter(|(_, d)| d.nonce.as_deref() == Some(nonce))
        .min_by_key(|(_, d)| differences(d).len())?;
    let names = differences(&best.1);
    let first = *names.first()?;
    let (asked, got) = match first {
        "realm" => (best.1.realm.clone(), credentials.realm.clone()),
        "algorithm" => (
            best.1.algorithm.map(|a| a.name().to_owned()),
            credentials.algorithm.map(|a| a.name().to_owned()),
        ),
        "qop" => (Some(best.1.qop.join(", ")), credentials.qop.clone()),
        _ => (None, None),
    };
    let says = match (asked, got) {
        (Some(asked), got) => format!(
            "the challenge says {first} {}, and the client answered with {}",
            quoted(&asked),
            got.map_or_else(|| "none".to_owned(), |g| quoted(&g))
        ),
        _ => format!("the client did not send {first} back as the challenge gave it"),
    };
    let mut shown: Vec<Annotation> = given.into_iter().collect();
    shown.push(scene.show_in_field(
        sent.view,
        sent.field,
        param_range(sent, first),
        format!("{first}: not what was asked"),
    ));
    Some(Mismatch { says, shown, party: None, certainty: Certainty::Certain })
}

/// The form of RFC 2069, without `qop`, where the challenge names some: RFC 2617 section 3.2.2 left it to servers whether they
/// take it, RFC 7616 section 3.4 does not know it any more.
fn old_form(
    scene: &Scene<'_>,
    step: &Step<'_>,
    sent: &Sent<'_>,
    credentials: &DigestCredentials,
) -> Option<Mismatch> {
    let nonce = credentials.nonce.as_deref()?;
    let asks = |s: &Step<'_>| {
        let mut digests = s.challenges().filter(|(_, c)| c.is("digest")).map(|(_, c)| digest::challenge(c));
        digests.any(|d| d.nonce.as_deref() == Some(nonce) && !d.qop.is_empty())
    };
    if credentials.qop.is_some() || !before(scene, step.attempt).take(64).any(|a| asks(&Step::of(a))) {
        return None;
    }
    let user = credentials.username.as_ref()?;
    let accepted = scene.attempts().find_map(|a| {
        let other = Step::of(a);
        let theirs = other.credentials().filter(|_| a.let_in() && same_server(a, step.attempt))?;
        let Inside::Digest(digest) = &theirs.inside else { return None };
        digest.qop.as_ref().filter(|_| digest.username.as_ref() == Some(user))?;
        Some(scene.show_field(theirs.view, theirs.field, "the same user with qop, let in"))
    });
    let certainty = if accepted.is_some() { Certainty::Likely } else { Certainty::Possible };
    let own = scene.show_field(sent.view, sent.field, "without qop, nc and cnonce");
    Some(Mismatch {
        says: "the challenge names qop, and the client answered in the old form without it, which this server may not take"
            .to_owned(),
        shown: std::iter::once(own).chain(accepted).collect(),
        party: None,
        certainty,
    })
}

/// A response that is too short or too long for its algorithm.
fn length(scene: &Scene<'_>, sent: &Sent<'_>, credentials: &DigestCredentials) -> Option<Mismatch> {
    let (response, algorithm) = (credentials.response.as_ref()?, credentials.algorithm?);
    if response.len() == algorithm.hash.digits() {
        return None;
    }
    Some(Mismatch {
        says: format!(
            "the response has {} digits, and {} gives {}: it was computed with another algorithm",
            response.len(),
            algorithm.name(),
            algorithm.hash.digits()
        ),
        shown: vec![scene.show_in_field(
            sent.view,
            sent.field,
            param_range(sent, "response"),
            "of another length than its algorithm gives",
        )],
        party: None,
        certainty: Certainty::Certain,
    })
}

fn path_and_query(target: &str) -> &str {
    match target.split_once("://") {
        Some((_, rest)) => rest.find('/').and_then(|i| rest.get(i..)).unwrap_or("/"),
        None => target,
    }
}

fn param_range(sent: &Sent<'_>, name: &str) -> Range<usize> {
    sent.credentials().and_then(|c| c.param(name)).map_or(0..sent.field.value.len(), |p| p.range())
}

fn advise(claim: Claim) -> Claim {
    if claim.party == Some(Party::Intermediary) {
        return claim.fix(
            Party::Intermediary,
            "Pass method and path on as the client sent them (publish the same path outside and inside), or authenticate at the proxy.",
        );
    }
    claim
        .fix(Party::Caller, "Compute the response over the request target as it is sent, query included, and over realm, nonce, opaque, qop and algorithm of the challenge, unchanged.")
        .fix(Party::Intermediary, "If a proxy stands between, let it pass method and path on unchanged.")
}
