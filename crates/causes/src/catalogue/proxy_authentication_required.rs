//! 407 is the proxy's 401.

use crate::Scene;
use crate::cause::{Answer, Claim, cause};
use why401_report::Party;

cause! {
    /// 407: the proxy on the way, not the origin, wants credentials.
    ///
    /// # What happened
    /// A proxy between client and server wants to know who asks before it passes anything on. The server itself has not
    /// seen the request.
    ///
    /// # How it is decided
    /// By the status, and by the `Proxy-Authenticate` field.
    ///
    /// # Who acts
    /// Whoever configures the client.
    ///
    /// # What to do
    /// Give the client the proxy's credentials, which are not the server's, or let it go around the proxy for this host.
    ///
    /// # Evidence needed
    /// The status line.
    ///
    /// # Not to be confused with
    /// A 401 of a gateway that stands before the origin (intermediary-challenged).
    ///
    /// # References
    /// RFC 9110 sections 11.7 and 15.5.8.
    pub ProxyAuthenticationRequired = "proxy-authentication-required" in Neighbour, Fault by Caller,
        over ["no-credentials", "credentials-refused"]
}

impl ProxyAuthenticationRequired {
    fn detect(scene: &Scene<'_>) -> Answer {
        let Some(step) = scene.focus().filter(|s| s.status() == Some(407) && !scene.let_in()) else {
            let told = || scene.told("proxy-authentication-required", "the proxy wants credentials");
            return match told() {
                Answer::RuledOut => in_words(scene).unwrap_or(Answer::RuledOut),
                told => told,
            };
        };
        let sent = step.sent.iter().find(|s| s.proxy);
        let mut claim = Claim::new(match sent {
            Some(_) => "the proxy, not the origin, refused the credentials that were sent to it",
            // Squid logs the name that it refuses.
            None if step.attempt.logged_name().is_some() => {
                "the proxy, not the origin, refused the credentials that were sent to it"
            }
            None => "the proxy, not the origin, wants credentials and got none",
        });
        if let Some((view, response)) = step.response() {
            claim = claim.shown([scene.show_status(view, response, "407 is the proxy's answer")]);
        }
        if let Some(offered) = step.offered.iter().find(|o| o.proxy) {
            claim = claim.shown([scene.show_field(offered.view, offered.field, "the proxy asks for this")]);
        }
        claim
            .fix_by(
                Party::Caller,
                "Give the client the proxy's own credentials, or let it reach this host without the proxy.",
                "curl -v --proxy-user USER --proxy-anyauth -x PROXY URL",
            )
            .confirmed()
    }
}

/// Somebody names the status, and no request shows it.
fn in_words(scene: &Scene<'_>) -> Option<Answer> {
    let said = scene.statements().find(|s| s.status == Some(407)).filter(|_| !scene.let_in())?;
    let claim = Claim::new("407 is a proxy's answer: it wants credentials of its own")
        .shown([scene.show_statement(said, "407")])
        .fix(
            Party::Caller,
            "Give the client the proxy's own credentials, or let it reach this host without the proxy.",
        );
    Some(claim.weighing(20).likely())
}
