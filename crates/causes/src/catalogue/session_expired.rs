//! A session cookie past its time.

mod in_log;

use super::session_missing::{self, cookie_name, deletes, is_session};
use crate::cause::{Answer, Claim, cause};
use crate::scene::{same_client, same_server};
use crate::{Scene, Step};
use why401_auth::token::jwt;
use why401_http::{Exchange, FieldLine};
use why401_report::Party;

cause! {
    /// The session cookie was sent and is no longer accepted.
    ///
    /// # What happened
    /// The session ended: its time was over, it was signed out elsewhere, or the server forgot it at a restart.
    ///
    /// # How it is decided
    /// The same cookie was accepted before, or the answer says expired or deletes it.
    ///
    /// # Who acts
    /// The person whose session it is: sign in again. A program should do that by itself.
    ///
    /// # What to do
    /// Sign in again. Let programs watch for this answer and sign in anew, once.
    ///
    /// # Evidence needed
    /// The request with its cookie, and an earlier one with the same cookie or the words of the answer.
    ///
    /// # Not to be confused with
    /// session-missing: the cookie is not in the request.
    ///
    /// # References
    /// RFC 6265 section 5.3 (expiry), section 3.1 (deleting a cookie).
    pub SessionExpired = "session-expired" in NotSent, Fault by AccountOwner,
        over ["no-credentials", "challenge-missing", "session-missing", "credentials-refused"]
}

impl SessionExpired {
    fn detect(scene: &Scene<'_>) -> Answer {
        let told = || match scene.told_claim("session-expired", "the session is over") {
            Some(claim) => advise(claim).as_told(),
            None => Answer::RuledOut,
        };
        let Some(step) = scene.refused() else { return told() };
        let Some((view, cookie)) = step.request_field("cookie") else {
            // A request that brings no session is refused for that, whatever a page says of it.
            if step.attempt.views.iter().any(|v| v.shows.cookies)
                && session_missing::given(scene, step).is_some()
            {
                return Answer::RuledOut;
            }
            return in_log::over(scene, step).unwrap_or_else(told);
        };
        if step.attempt.carries_credentials() {
            return Answer::RuledOut;
        }
        if let Some(answer) = over(scene, step, view, cookie) {
            return answer;
        }
        let accepted = scene
            .earlier()
            .filter(|a| a.let_in() && same_client(a, step.attempt) && same_server(a, step.attempt))
            .find(|a| {
                a.request_field("cookie").is_some_and(|f| f.value.as_bytes() == cookie.value.as_bytes())
            });
        if let Some(before) = accepted {
            let mut claim = Claim::new("the same session cookie was accepted before and is refused now")
                .shown([scene.show_field(view, cookie, "refused now")]);
            if let Some(field) = before.request_field("cookie") {
                claim = claim.shown([scene.show_field(before.view(), field, "accepted before")]);
            }
            // Another address may be served by another machine, or want more than the session.
            let same = before.path() == step.attempt.path();
            return if same {
                advise(claim).confirmed()
            } else {
                advise(claim).or("clock-skew", "the clocks of the machines behind the two addresses").likely()
            };
        }
        let sent = cookie.text().into_owned();
        // Who is given a new session has not lost the old one.
        let given =
            |r: &why401_http::Response| r.fields.all("set-cookie").any(|f| is_session(f) && !deletes(f));
        let deleted = step.response().filter(|(_, r)| !given(r)).and_then(|(v, r)| {
            r.fields
                .all("set-cookie")
                .find(|f| {
                    deletes(f)
                        && sent.split(';').any(|c| c.trim().starts_with(&format!("{}=", cookie_name(f))))
                })
                .map(|f| (v, f))
        });
        match deleted {
            Some((v, field)) => advise(
                Claim::new("the server deletes the session cookie that was sent: the session is over")
                    .shown([scene.show_field(view, cookie, "sent")])
                    .shown([scene.show_field(v, field, "and deleted")]),
            )
            .confirmed(),
            None => told(),
        }
    }
}

fn advise(claim: Claim) -> Claim {
    claim.fix(
        Party::AccountOwner,
        "Sign in again; let a program that uses the session do so by itself when it is refused.",
    )
}

/// A cookie that is a JWT and tells its own end.
fn over(scene: &Scene<'_>, step: &Step<'_>, view: &Exchange, cookie: &FieldLine) -> Option<Answer> {
    let text = cookie.text();
    let now = step.server_clock()?.at.as_second();
    let mut from = 0;
    let (range, exp) = text.split(';').find_map(|pair| {
        let start = from + pair.find('=').map_or(pair.len(), |i| i + 1);
        from += pair.len() + 1;
        let value = cookie.value.as_bytes().get(start..from - 1)?;
        let exp = jwt::looks_like(value).then(|| jwt::read(value, 0..value.len()).exp())??;
        Some((start..from - 1, exp))
    })?;
    if exp >= now {
        return None;
    }
    // The same without the cookie was let in: then it is the cookie.
    let without = scene.later().find(|a| {
        a.let_in()
            && a.method() == step.attempt.method()
            && a.path() == step.attempt.path()
            && a.request_field("cookie").is_none()
    });
    let when = jiff::Timestamp::from_second(exp).map(crate::show::clock).unwrap_or_default();
    let mut claim = Claim::new(format!("the session in the cookie was over at {when}"))
        .shown([scene.show_in_field(view, cookie, range, format!("exp is {when}"))]);
    if let Some((v, date)) = step.response_field("date") {
        claim = claim.shown([scene.show_field(v, date, "the server's clock")]);
    }
    if let Some(response) = without.and_then(|a| Some((a, a.response()?))) {
        claim = claim.shown([scene.show_status(response.0.view(), response.1, "let in without the cookie")]);
    }
    let claim = advise(claim);
    Some(if without.is_some() {
        claim.confirmed()
    } else {
        claim.or("credentials-refused", "the same request without the cookie").likely()
    })
}
