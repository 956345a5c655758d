//! Known, but not allowed.

use crate::Scene;
use crate::cause::{Answer, Claim, cause};
use crate::reading::configured::{self, Found};
use crate::scene::{same_resource, same_server};
use why401_history::Attempt;
use why401_report::Party;

cause! {
    /// The user was authenticated but has no permission on the resource (IIS 401.3; elsewhere 403).
    ///
    /// # What happened
    /// The server knows who asks. That user, or the identity that the server itself runs as, may not read the file or use the
    /// resource.
    ///
    /// # How it is decided
    /// Substatus 401.3 or Win32 status 5, or a log or body that says so; the file and the identity where a Process Monitor trace gives
    /// them.
    ///
    /// # Who acts
    /// Who runs the server.
    ///
    /// # What to do
    /// Give the identity read access to the file and the folders above it: for IIS the application pool's identity and, with anonymous
    /// access, `IUSR`; for Apache the group or rule that `Require` names.
    ///
    /// # Evidence needed
    /// The full number (401.3), the error log, or a Process Monitor trace of the file.
    ///
    /// # Not to be confused with
    /// credentials-refused: the user was not known. forbidden: the status is 403.
    ///
    /// # References
    /// RFC 9110 section 15.5.4 (403 is the status meant for it); Microsoft, HTTP status codes in IIS (401.3); System Error
    /// Codes (5, ERROR_ACCESS_DENIED); Apache httpd, AH01631.
    pub AclDenied = "acl-denied" in Server, Fault by Server, over ["credentials-refused", "forbidden", "wrong-password"]
}

impl AclDenied {
    fn detect(scene: &Scene<'_>) -> Answer {
        if scene.let_in() {
            return Answer::RuledOut;
        }
        let log =
            scene.focus().and_then(|s| s.attempt.views.iter().find_map(|v| v.log.as_ref().map(|l| (v, l))));
        // 401.2 with Win32 status 5 is how IIS asks for credentials: nobody is known yet.
        if log.is_some_and(|(_, l)| l.substatus == Some(2)) {
            return Answer::RuledOut;
        }
        if let Some((view, log)) = log.filter(|(_, l)| {
            l.substatus == Some(3) || (l.win32 == Some(5) && l.substatus.is_none_or(|s| s < 4))
        }) {
            return advise(
                Claim::new("the user is known and has no permission on the file or folder (401.3)").shown([
                    scene.show_part(
                        view.source,
                        &log.line,
                        0..log.line.len(),
                        "substatus 3 or Win32 status 5: access denied",
                    ),
                ]),
            )
            .confirmed();
        }
        match scene.told_claim("acl-denied", "this identity has no permission on the resource") {
            Some(claim) => advise(claim).as_told(),
            None => configured(scene).or_else(|| others_may(scene)).unwrap_or(Answer::RuledOut),
        }
    }
}

/// A configuration given along lets others in. Apache answers that with 401 as well (mod_authz_core,
/// AuthzSendForbiddenOnFailure); whether the password was right, it does not show.
fn configured(scene: &Scene<'_>) -> Option<Answer> {
    let step = scene.refused().filter(|s| s.status() == Some(401))?;
    let user = step.attempt.user.as_deref()?;
    let found = configured::shuts_out(scene, step, user)?;
    let mut claim = Claim::new(format!("the request is {user}'s, and the configuration {}", found.place.how));
    if let Some(sent) = step.credentials() {
        claim = claim.shown([scene.show_field(sent.view, sent.field, "sent with this user")]);
    }
    let Found { fact, place } = found;
    Some(
        claim
            .shown([scene.show_part(fact.source, &fact.text, place.range, "lets others in")])
            .fix(Party::Server, place.mend)
            .seen_on_the_wire()
            .or("wrong-password", "the server's error log")
            .likely(),
    )
}

/// The server takes these credentials for other resources, and others' for this one.
fn others_may(scene: &Scene<'_>) -> Option<Answer> {
    let step = scene.refused().filter(|s| s.status() == Some(401))?;
    let sent = step.credentials().filter(|s| !s.proxy)?;
    let secret = sent.field.value.as_bytes();
    let of_server = |a: &&Attempt| a.served() && same_server(a, step.attempt);
    let elsewhere =
        scene.accepted_with(secret).filter(of_server).find(|a| a.path() != step.attempt.path())?;
    // Neither was it let in here before.
    if scene.accepted_with(secret).any(|a| same_resource(a, step.attempt)) {
        return None;
    }
    let (other, field) = scene.attempts().filter(of_server).find_map(|a| {
        let field = a.request_field("authorization").filter(|f| f.value.as_bytes() != secret)?;
        (same_resource(a, step.attempt) && a.method() == step.attempt.method()).then_some((a, field))
    })?;
    let claim = Claim::new("the server takes these credentials for other resources, and others' for this one: the permission is missing")
        .shown(elsewhere.response().map(|r| scene.show_status(elsewhere.view(), r, "let in with these, elsewhere")))
        .shown([scene.show_field(sent.view, sent.field, "the same, refused here")])
        .shown([scene.show_field(other.view(), field, "others, let in here")])
        .fix(Party::Server, "Give this user or token the right to this resource, or use an account that has it.")
        .or("scope-missing", "the rights that were given to the token")
        .or("token-revoked", "whether they are taken elsewhere still");
    Some(claim.likely())
}

fn advise(claim: Claim) -> Claim {
    claim.fix_by(
        Party::Server,
        "Give the identity that the server uses permission on the file and its folders (IIS: the application pool's identity, and IUSR for anonymous access).",
        "icacls PATH /grant \"IIS_IUSRS:(OI)(CI)RX\"",
    )
}
