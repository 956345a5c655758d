//! An NTLM handshake spread over connections.

use crate::cause::{Answer, Claim, cause};
use crate::reading::gss::{self, Message};
use crate::reading::{at_most, settle, token};
use crate::{Scene, Step};
use why401_history::Attempt;
use why401_http::LogWords;
use why401_report::{Annotation, Certainty, Party};
use why401_span::{Derived, SourceId};

/// `SEC_E_INVALID_TOKEN`: a type 3 message on a connection that has seen no type 1 (Microsoft, COM error codes).
const INVALID_TOKEN: u32 = 0x8009_0308;

cause! {
    /// The NTLM handshake did not stay on one connection.
    ///
    /// # What happened
    /// NTLM authenticates a connection, not a request: the three messages of the handshake must go over one and the same
    /// TCP connection to the server. A pool, a load balancer, a proxy that opens a new connection for each request, or
    /// HTTP/2 tore it apart, so the server got an answer to a challenge that it had given on another connection.
    ///
    /// # How it is decided
    /// Type 1 and type 3 on different connections (or from different client ports), or an answer with type 2 that closes
    /// the connection: certain. IIS's Win32 status 2148074248 (SEC_E_INVALID_TOKEN), or NTLM over HTTP/2: likely.
    ///
    /// # Who acts
    /// Who runs the proxy, load balancer or gateway; whoever writes the client, if none is there.
    ///
    /// # What to do
    /// Keep one connection to the server for each connection of a client (`keepalive` with `proxy_http_version 1.1` and
    /// an NTLM-aware module in nginx, `option http-keep-alive` without connection sharing in HAProxy), or use Kerberos
    /// or Basic over TLS, which do not depend on connections.
    ///
    /// # Evidence needed
    /// A capture that shows the connections, on the server's side of whatever stands between.
    ///
    /// # Not to be confused with
    /// handshake-unfinished: the client sent no type 3 at all. wrong-password: a type 3 on the same connection, refused.
    ///
    /// # References
    /// MS-NTHT section 2.1 and 3; RFC 4559 section 6 (connections and proxies); RFC 9113 section 9.2.
    pub NtlmConnectionBroken = "ntlm-connection-broken" in Handshake, Fault by Intermediary,
        over ["credentials-refused", "handshake-unfinished", "wrong-password", "kerberos-fell-back-to-ntlm"]
}

impl NtlmConnectionBroken {
    fn detect(scene: &Scene<'_>) -> Answer {
        if !token::is_refused(scene) {
            return Answer::RuledOut;
        }
        let told = scene.told_claim("ntlm-connection-broken", "the handshake did not stay on one connection");
        let answer = settle(scene.refused().and_then(|step| look(scene, step)), told, advise);
        match answer {
            Answer::RuledOut if in_the_dark(scene) => Answer::Undecidable(
                "a capture that shows over which connections the messages of the handshake went",
            ),
            answer => answer,
        }
    }
}

fn look(scene: &Scene<'_>, step: &Step<'_>) -> Option<Claim> {
    // A middle step may follow the last type 1 by itself, so the newest type 1 counts.
    let numbered = || scene.steps.iter().filter_map(|s| Some((s, number(s)?)));
    let challenged = scene.steps.iter().rev().find(|s| answered_with_challenge(s));
    let last = numbered().rfind(|(_, n)| *n == 3).map(|(s, _)| s);
    if let Some(claim) = last.and_then(|three| spread(scene, three)) {
        return Some(claim);
    }
    let claim = match (challenged, last) {
        (Some(two), Some(three)) => moved(scene, two, three)
            .or_else(|| moved_behind(scene, two, three))
            .or_else(|| closed(scene, two))
            .or_else(|| over_http2(scene, three)),
        (Some(two), None) => closed(scene, two),
        (None, Some(three)) => over_http2(scene, three).or_else(|| without_a_start(scene, three)),
        (None, None) => refused_and_closed(scene, step),
    };
    claim.or_else(|| by_status(scene, step))
}

/// Whether a whole handshake was refused and nothing shows its connections.
fn in_the_dark(scene: &Scene<'_>) -> bool {
    let known = |s: &Step<'_>| {
        s.attempt.connection().is_some() || s.attempt.client().is_some_and(|c| c.port.is_some())
    };
    scene.refused().is_some_and(|s| number(s) == Some(3) && !known(s))
        && scene.steps.iter().any(answered_with_challenge)
}

/// The number of the NTLM message that a step sends.
fn number(step: &Step<'_>) -> Option<u32> {
    match gss::of_request(step)?.1 {
        Message::Ntlm(ntlm) => Some(ntlm.number()),
        _ => None,
    }
}

fn answered_with_challenge(step: &Step<'_>) -> bool {
    matches!(gss::of_answer(step), Some((_, _, Message::Ntlm(ntlm))) if ntlm.number() == 2)
}

/// Type 2 came over one connection and type 3 went over another.
fn moved(scene: &Scene<'_>, two: &Step<'_>, three: &Step<'_>) -> Option<Claim> {
    let how = match (two.attempt.connection(), three.attempt.connection()) {
        (Some((s, a)), Some((t, b))) if s == t => (a != b).then(|| "on another connection".to_owned())?,
        _ => {
            let port = |a: &Attempt| a.client().and_then(|c| c.port);
            let (a, b) = (port(two.attempt)?, port(three.attempt)?);
            (a != b).then(|| format!("from port {b} instead of {a}"))?
        }
    };
    let claim = Claim::new(format!(
        "the server's NTLM challenge was answered {how}: the handshake must stay on one connection"
    ));
    Some(claim.shown(shown_answer(scene, two)).shown(shown_request(
        scene,
        three,
        "answered here, on another connection",
    )))
}

/// Type 3 stayed on the connection of the client, and what stands between passed it on over another one.
fn moved_behind(scene: &Scene<'_>, two: &Step<'_>, three: &Step<'_>) -> Option<Claim> {
    let behind = |s: &Step<'_>| scene.case.attempt(s.attempt.forwarded_as?).map(Step::of);
    moved(scene, &behind(two)?, &behind(three)?)
}

/// The server behind the proxy that a step went to, with the line that says so.
fn upstream<'a>(step: &Step<'a>) -> Option<(SourceId, &'a LogWords, &'a Derived)> {
    let mut logs = step.attempt.views.iter().filter_map(|v| Some((v.source, v.log.as_deref()?)));
    logs.find_map(|(source, log)| Some((source, log, log.upstream.as_ref()?)))
}

/// The proxy's own log: the messages of one handshake went to different servers.
fn spread(scene: &Scene<'_>, three: &Step<'_>) -> Option<Claim> {
    let (three_source, three_log, to) = upstream(three)?;
    let one = scene.steps.iter().rev().find(|s| number(s) == Some(1))?;
    let (source, log, from) = upstream(one)?;
    // nginx lists all that it tried, with commas between.
    let is_one = |upstream: &Derived| !upstream.as_bytes().contains(&b',');
    if from.as_bytes() == to.as_bytes() || !is_one(from) || !is_one(to) {
        return None;
    }
    let names = (from.to_text().into_owned(), to.to_text().into_owned());
    let claim = Claim::new(format!(
        "the handshake began at {} and ended at {}: NTLM authenticates one connection, and these are two",
        names.0, names.1
    ));
    Some(claim.shown([
        shown_name(scene, (source, log), &names.0, "the first message went here"),
        shown_name(scene, (three_source, three_log), &names.1, "and the last one here"),
    ]))
}

fn shown_name(scene: &Scene<'_>, (source, log): (SourceId, &LogWords), name: &str, says: &str) -> Annotation {
    let at = log.line.to_text().find(name).unwrap_or(0);
    scene.show_part(source, &log.line, at..at + name.len(), says)
}

/// The answer that carries type 2 ends its connection.
fn closed(scene: &Scene<'_>, two: &Step<'_>) -> Option<Claim> {
    let (view, field) = closing(two)?;
    let claim = Claim::new(
        "the connection was closed together with the server's NTLM challenge, so nothing can answer it",
    );
    Some(claim.shown(shown_answer(scene, two)).shown([scene.show_field(
        view,
        field,
        "and the connection ends here",
    )]))
}

fn closing<'a>(step: &Step<'a>) -> Option<(&'a why401_http::Exchange, &'a why401_http::FieldLine)> {
    ["connection", "proxy-connection"].iter().find_map(|name| {
        let (view, field) = step.response_field(name)?;
        let says_close = field.text().split(',').any(|t| t.trim().eq_ignore_ascii_case("close"));
        says_close.then_some((view, field))
    })
}

fn over_http2(scene: &Scene<'_>, three: &Step<'_>) -> Option<Claim> {
    let (_, request) = three.request()?;
    if !request.version.starts_with('2') && !request.version.starts_with('3') {
        return None;
    }
    let claim = Claim::new(format!(
        "NTLM was tried over HTTP/{}, where requests of many share one connection",
        request.version
    ))
    .shown(shown_request(scene, three, "type 3 over a connection that is shared"))
    .or("wrong-password", "the same login with HTTP/1.1");
    Some(at_most(claim, Certainty::Likely))
}

/// A type 3 whose handshake began nowhere in evidence that shows every request.
fn without_a_start(scene: &Scene<'_>, three: &Step<'_>) -> Option<Claim> {
    let connection = three.attempt.connection()?;
    let every = three.attempt.views.iter().all(|v| v.shows.every_request);
    let here = scene
        .attempts()
        .take(5_000)
        .filter(|a| a.id < three.attempt.id && a.connection() == Some(connection));
    let began = here.map(Step::of).any(|s| answered_with_challenge(&s));
    let elsewhere = crate::reading::before(scene, three.attempt)
        .take(64)
        .map(Step::of)
        .any(|s| answered_with_challenge(&s));
    if !every || began || !elsewhere {
        return None;
    }
    let claim =
        Claim::new("the last message of an NTLM handshake came over a connection on which it had not begun")
            .shown(shown_request(scene, three, "type 3, and no type 2 on this connection"));
    Some(claim)
}

/// Type 1 refused without a type 2, and the connection closed: this server would not have kept it.
fn refused_and_closed(scene: &Scene<'_>, step: &Step<'_>) -> Option<Claim> {
    let one = scene
        .steps
        .iter()
        .rev()
        .find(|s| number(s) == Some(1))
        .filter(|s| s.attempt.id == step.attempt.id)?;
    let (view, field) = closing(one)?;
    let claim = Claim::new("the server closes the connection that the NTLM handshake began on")
        .shown([scene.show_field(view, field, "the connection ends here")])
        .or("scheme-not-offered", "the challenges of the answer: NTLM must be among them");
    Some(at_most(claim, Certainty::Possible))
}

/// IIS's own status for a message that fits no handshake.
fn by_status(scene: &Scene<'_>, step: &Step<'_>) -> Option<Claim> {
    let (view, log) = step.attempt.views.iter().find_map(|v| v.log.as_ref().map(|l| (v, l)))?;
    if log.win32 != Some(INVALID_TOKEN) || step.status() != Some(401) {
        return None;
    }
    let code = INVALID_TOKEN.to_string();
    let line = log.line.to_text();
    let mark = line.find(&code).map_or(0..line.len(), |i| i..i + code.len());
    let claim = Claim::new("the server could not use the message (SEC_E_INVALID_TOKEN): mostly the handshake's messages came over different connections")
        .shown([scene.show_part(view.source, &log.line, mark, "SEC_E_INVALID_TOKEN")])
        .or("kerberos-refused", "whether the client sent a Kerberos ticket or NTLM: a capture at the server shows it");
    Some(at_most(claim, Certainty::Likely))
}

fn shown_answer(scene: &Scene<'_>, step: &Step<'_>) -> Option<Annotation> {
    let (offered, challenge, _) = gss::of_answer(step)?;
    Some(scene.show_in_field(
        offered.view,
        offered.field,
        challenge.range.clone(),
        "type 2: the server's challenge",
    ))
}

fn shown_request(scene: &Scene<'_>, step: &Step<'_>, says: &str) -> Option<Annotation> {
    let (sent, _) = gss::of_request(step)?;
    Some(scene.show_field(sent.view, sent.field, says))
}

fn advise(claim: Claim) -> Claim {
    claim
        .fix(
            Party::Intermediary,
            "Keep one connection to the server for each connection of a client, for as long as it lasts; do not share or close it during the handshake.",
        )
        .fix(Party::Caller, "Without a proxy in between: keep the connection open between the messages, over HTTP/1.1, and use one connection per login.")
}
