//! GET where POST is meant.

use crate::cause::{Answer, Claim, cause};
use crate::scene::same_server;
use crate::{Scene, Step};
use why401_report::Party;

cause! {
    /// The method is not the one that the resource takes, and the server answers that with 401.
    ///
    /// # What happened
    /// The rule of the resource allows, say, POST only, and a GET is answered as if the credentials were missing.
    ///
    /// # How it is decided
    /// The same resource and account accept another method, or the resource's rule says so.
    ///
    /// # Who acts
    /// Whoever writes the client.
    ///
    /// # What to do
    /// Use the method that works. A form that was sent as GET, a redirect that turned POST into GET and a link opened in a browser
    /// are the usual reasons.
    ///
    /// # Evidence needed
    /// A request for the same resource with another method that was let in.
    ///
    /// # Not to be confused with
    /// preflight-challenged: OPTIONS is the browser's own question.
    ///
    /// # References
    /// RFC 9110 section 15.5.6 (405 would be the right answer); Apache httpd, `<Limit>` and `<LimitExcept>`.
    pub WrongMethod = "wrong-method" in Request, Fault by Caller, over ["credentials-refused", "no-credentials", "acl-denied"]
}

impl WrongMethod {
    fn detect(scene: &Scene<'_>) -> Answer {
        let told = || scene.told("wrong-method", "the resource takes another method");
        let Some(step) = scene.refused().filter(|s| s.status() == Some(401)) else { return told() };
        let a = step.attempt;
        let (Some(method), Some(path)) = (a.method().map(|m| m.into_owned()), a.path()) else {
            return told();
        };
        if method == "OPTIONS" || method == "CONNECT" || method.is_empty() {
            return told();
        }
        let here = || {
            scene
                .case
                .index
                .of_path(path)
                .iter()
                .filter_map(|&i| scene.case.attempt(i))
                .filter(|b| same_server(a, b))
        };
        let mine = |b: &why401_history::Attempt| {
            b.user == a.user && b.carries_credentials() == a.carries_credentials()
        };
        let with = |b: &why401_history::Attempt| b.method().is_some_and(|m| m == method);
        let accepted = here()
            .filter(|b| b.served() && !with(b) && b.method().is_some_and(|m| m != "OPTIONS"))
            .find(|b| mine(b));
        // Nobody was ever let in with this method, and nobody refused with the other at the same time.
        // Of a large log the fold knows of all requests, not of examples alone.
        let works_too = a.folded.as_ref().is_some_and(|f| f.works.1) || here().any(|b| b.let_in() && with(b));
        let (Some(good), false) = (accepted, works_too) else {
            return not_allowed(scene, step, &method).filter(|_| !works_too).unwrap_or_else(told);
        };
        let refused_too = here().any(|b| b.status() == Some(401) && mine(b) && b.method() == good.method());
        let other = good.method().unwrap_or_default().into_owned();
        let claim = Claim::new(format!("{method} is refused here, and {other} for the same resource is let in"))
            .shown(super::client_changed::line(scene, a, "refused"))
            .shown(super::client_changed::line(scene, good, "let in"))
            .fix(Party::Caller, format!("Use {other} for this resource: a form sent by GET, a followed redirect or an opened link are the usual reasons for {method}."));
        let same_user = a.user.is_some() && a.user == good.user;
        if same_user && !refused_too {
            claim.confirmed()
        } else {
            claim.or("credentials-refused", "the same credentials with the other method").likely()
        }
    }
}

/// The answer lists the methods of the resource (RFC 9110 section 10.2.1), and this is none of them.
fn not_allowed(scene: &Scene<'_>, step: &Step<'_>, method: &str) -> Option<Answer> {
    let (view, field) = step.response_field("allow")?;
    let text = field.text();
    let methods: Vec<&str> = text.split(',').map(str::trim).filter(|m| !m.is_empty()).collect();
    if methods.is_empty() || methods.iter().any(|m| m.eq_ignore_ascii_case(method)) {
        return None;
    }
    let claim = Claim::new(format!("{method} was sent, and the resource takes {}", methods.join(", ")))
        .shown([scene.show_field(view, field, "the methods that it takes")])
        .fix(Party::Caller, format!("Use {} for this resource.", methods.join(" or ")))
        .or("credentials-refused", "the same credentials with the other method");
    Some(claim.likely())
}
