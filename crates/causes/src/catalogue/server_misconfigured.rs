//! A server that cannot check anybody.

use super::auth_backend_down::first_challenge;
use crate::Scene;
use crate::cause::{Answer, Claim, cause};
use crate::scene::same_client;
use why401_history::Attempt;
use why401_report::Party;

cause! {
    /// The server cannot check anybody: password file missing or unreadable, no provider, broken rule, no keytab.
    ///
    /// # What happened
    /// The server asks for credentials and has nothing to check them against, or cannot read what it has.
    ///
    /// # How it is decided
    /// The server's log or body says so. Broken server sides often do not show as 401: Apache with its password file missing answers
    /// 401 and then 500, nginx 403. Where a name has several addresses, the very same request that one of them refuses and
    /// another lets in shows that their back ends differ.
    ///
    /// # Who acts
    /// Who runs the server.
    ///
    /// # What to do
    /// Look at the line of the error log: it names the file, the directive or the module.
    ///
    /// # Evidence needed
    /// The server's error log.
    ///
    /// # Not to be confused with
    /// auth-backend-down: rightly set up, and not reached at present.
    ///
    /// # References
    /// RFC 9110 section 15.6.1 (500); Apache httpd, AH01620 and AH01665; nginx, `auth_basic_user_file`; Microsoft, HTTP
    /// status codes in IIS (401.2).
    pub ServerMisconfigured = "server-misconfigured" in Server, Fault by Server,
        over ["credentials-refused", "no-credentials", "challenge-missing", "acl-denied", "forbidden", "wrong-password", "unknown-user"]
}

impl ServerMisconfigured {
    fn detect(scene: &Scene<'_>) -> Answer {
        if scene.let_in() {
            return Answer::RuledOut;
        }
        if let Some(claim) =
            scene.told_claim("server-misconfigured", "the server cannot check the credentials")
        {
            return advise(claim).as_told();
        }
        if let Some(answer) = no_module(scene)
            .or_else(|| one_of_several(scene))
            .or_else(|| one_back_end(scene))
            .or_else(|| unread_hash(scene))
        {
            return answer;
        }
        let Some(last) = scene.last().filter(|s| s.status() == Some(500)) else { return Answer::RuledOut };
        let asked = scene.steps.iter().any(|s| s.status() == Some(401));
        match (asked && last.attempt.carries_credentials(), last.response()) {
            (true, Some((view, response))) => advise(
                Claim::new("the server asked for credentials, got them, and failed with 500: it could not check them")
                    .shown(first_challenge(scene))
                    .shown([scene.show_status(view, response, "and then failed")]),
            )
            .or("auth-backend-down", "the server's error log of this second")
            .likely(),
            _ => Answer::RuledOut,
        }
    }
}

/// Hashes of password files that some servers do not read: what marks the server, what it reads, and its page.
const UNREAD: [(&[&str], &str); 2] = [
    // CNCF Distribution, "htpasswd": "The only supported password format is bcrypt".
    (&["registry:2", "registry:3", "registry_auth_htpasswd"], "the registry"),
    // Prometheus, "HTTPS and authentication": passwords hashed with bcrypt.
    (&["basic_auth_users"], "Prometheus"),
];

/// A password file whose entry the server cannot read: it takes bcrypt and no other hash.
fn unread_hash(scene: &Scene<'_>) -> Option<Answer> {
    let texts: Vec<_> = scene.texts().collect();
    let (_, who) = UNREAD.iter().find(|(marks, _)| {
        texts.iter().any(|(_, t)| {
            let text = t.to_text().to_ascii_lowercase();
            marks.iter().any(|m| text.contains(m))
        })
    })?;
    let (source, text, at) = texts.iter().find_map(|(source, text)| {
        let plain = text.to_text();
        let at = [":$apr1$", ":{SHA}", ":$1$", ":$5$", ":$6$"]
            .iter()
            .find_map(|m| Some((plain.find(m)? + 1, m.len() - 1)))?;
        Some((*source, *text, at))
    })?;
    let claim =
        Claim::new(format!("the password file has a hash that {who} does not read: it takes bcrypt only"))
            .shown([scene.show_part(source, text, at.0..at.0 + at.1, "no bcrypt")])
            .fix_by(Party::Server, "Make the entry anew with bcrypt.", "htpasswd -B -c FILE USER")
            .or("wrong-password", "the same password with an entry in bcrypt");
    Some(claim.weighing(10).likely())
}

/// IIS refuses for want of credentials (401.2) and offers no scheme: the module that would is not installed.
fn no_module(scene: &Scene<'_>) -> Option<Answer> {
    let step =
        scene.refused().filter(|s| s.status() == Some(401) && s.offered.is_empty() && s.answer_is_whole())?;
    let (view, server) = step.response_field("server")?;
    if !server.text().to_ascii_lowercase().contains("microsoft-iis") {
        return None;
    }
    let on = |t: &str| {
        let t = t.to_ascii_lowercase();
        [
            "windowsauthentication enabled=\"true\"",
            "basicauthentication enabled=\"true\"",
            "digestauthentication enabled=\"true\"",
        ]
        .iter()
        .any(|w| t.contains(w))
    };
    let fact = scene.case.facts.iter().find(|f| on(&f.text.to_text()));
    let statement = scene.statements().find(|s| on(&s.text.to_text()));
    let shown = fact
        .map(|f| scene.show_fact(f, "switched on here"))
        .or(statement.map(|s| scene.show_statement(s, "switched on here")))?;
    let (rv, response) = step.response()?;
    Some(
        advise(
            Claim::new("authentication is switched on in the configuration, and the answer offers no scheme: the module is not installed")
                .shown([shown])
                .shown([scene.show_status(rv, response, "no WWW-Authenticate in this answer")])
                .shown([scene.show_field(view, server, "IIS")]),
        )
        .fix_by(Party::Server, "Install the role service for the scheme.", "Install-WindowsFeature Web-Windows-Auth")
        .or("challenge-missing", "whether something behind IIS took the field away")
        .likely(),
    )
}

/// The same request is accepted by one server and refused by another that is called nearly the same: several of one kind,
/// whose keys or settings differ.
fn one_of_several(scene: &Scene<'_>) -> Option<Answer> {
    let step = scene.refused().filter(|s| s.status() == Some(401))?;
    let host = |a: &why401_history::Attempt| a.authority().map(|h| h.to_string());
    let here = host(step.attempt)?;
    let other = scene.attempts().find(|a| {
        a.let_in()
            && a.path() == step.attempt.path()
            && same_client(a, step.attempt)
            && host(a).is_some_and(|there| are_siblings(&here, &there))
            && a.request_field("authorization").map(|f| f.text())
                == step.request_field("authorization").map(|(_, f)| f.text())
    })?;
    let (view, response) = step.response()?;
    let claim = Claim::new(format!(
        "{} accepts the same request that {here} refuses: servers of one kind, whose keys or settings differ",
        host(other).unwrap_or_default()
    ))
    .shown([scene.show_part(
        view.source,
        &response.body.bytes,
        0..response.body.bytes.len().min(80),
        "refused",
    )])
    .fix(
        Party::Server,
        "Give all of them the same keys for signing and verifying tokens, and the same settings.",
    )
    .or("bad-signature", "the keys that each of the servers verifies with")
    .or("auth-backend-down", "the log of the server that refuses");
    Some(claim.likely())
}

/// One name, several addresses: the very same request is let in at one of them and refused at another.
fn one_back_end(scene: &Scene<'_>) -> Option<Answer> {
    let step = scene.refused().filter(|s| s.status() == Some(401))?;
    let (view, response) = step.response()?;
    let here = &step.attempt.server()?.host;
    let (other, there) = scene.attempts().find_map(|a| {
        let there = a.server().map(|p| &p.host).filter(|there| *there != here)?;
        let fits = a.let_in() && a.authority() == step.attempt.authority() && same_client(a, step.attempt);
        (fits && is_the_same_request(a, step.attempt)).then_some((a, there))
    })?;
    let name = step.attempt.authority()?;
    let mut claim = Claim::new(format!(
        "{name} has several back ends that differ: the one at {there} lets the same request in, the one at {here} refuses it"
    ))
    .shown([scene.show_status(view, response, format!("refused by {here}"))]);
    if let Some(accepted) = other.response() {
        claim = claim.shown([scene.show_status(other.view(), accepted, format!("let in by {there}"))]);
    }
    let claim = claim
        .fix(
            Party::Server,
            format!("Give the back end at {here} the configuration, keys and accounts of the others; until then take it out of the name's addresses."),
        )
        .or("auth-backend-down", format!("the error log of the back end at {here}"));
    Some(claim.weighing(10).likely())
}

/// The same method, address, fields and content: what differs is not the request.
fn is_the_same_request(a: &Attempt, b: &Attempt) -> bool {
    let (Some(x), Some(y)) = (a.request(), b.request()) else { return false };
    let fields = |r: &why401_http::Request| -> Vec<_> {
        r.fields.iter().map(|f| (f.name.to_text().to_ascii_lowercase(), f.text().into_owned())).collect()
    };
    a.method() == b.method()
        && a.target() == b.target()
        && fields(x) == fields(y)
        && x.body.bytes.as_bytes() == y.body.bytes.as_bytes()
}

/// Hosts of one kind: the same port, and addresses of one network or names that differ in a number.
fn are_siblings(a: &str, b: &str) -> bool {
    let split = |h: &str| {
        h.rsplit_once(':').map_or((h.to_owned(), String::new()), |(h, p)| (h.to_owned(), p.to_owned()))
    };
    let ((a, p), (b, q)) = (split(a), split(b));
    let bare = |h: &str| h.chars().filter(|c| !c.is_ascii_digit()).collect::<String>();
    let network = |h: &str| {
        h.parse::<std::net::Ipv4Addr>().ok().map(|i| {
            let [x, y, ..] = i.octets();
            [x, y]
        })
    };
    let alike = match (network(&a), network(&b)) {
        (Some(x), Some(y)) => x == y,
        (None, None) => bare(&a) == bare(&b),
        _ => false,
    };
    a != b && p == q && alike
}

fn advise(claim: Claim) -> Claim {
    claim.fix(
        Party::Server,
        "Look at the server's error log of this time: it names the file, directive or module that fails.",
    )
}
