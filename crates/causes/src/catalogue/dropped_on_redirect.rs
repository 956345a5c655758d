//! Credentials lost on the way to another address.

use crate::cause::{Answer, Claim, cause};
use crate::scene::same_client;
use crate::{Scene, Sent, Step};
use why401_history::Attempt;
use why401_http::{Address, FieldLine};
use why401_report::Party;

/// How long a client may take to follow a redirect, in seconds.
const FOLLOWING: f64 = 30.0;

cause! {
    /// The client sent its credentials, was redirected, and did not send them to the new address.
    ///
    /// # What happened
    /// The server answered a request that had credentials with a redirect. The client followed it without them, or with
    /// a part of them. Clients do that on purpose: a redirect to another origin must not carry a secret there.
    ///
    /// # How it is decided
    /// A 3xx answer to a request with an `Authorization` field, then a request to its `Location` without one, which was
    /// answered 401. In a log: a name and a redirect, and at once, each time, the same path without a name, refused.
    ///
    /// # Who acts
    /// Whoever configures the client; who runs the server, if it redirects where it need not.
    ///
    /// # What to do
    /// Ask the final address directly: take it from the `Location` field, with its scheme, host, port and trailing
    /// slash. Make a client send credentials to another host only where both are yours.
    ///
    /// # Evidence needed
    /// Both requests and the redirect between them.
    ///
    /// # Not to be confused with
    /// login-redirect: the redirect itself is the refusal. dropped-by-intermediary: the field left the client and did
    /// not arrive.
    ///
    /// # References
    /// RFC 9110 section 15.4 (automatic redirection, removal of Authorization); Fetch standard, HTTP-redirect fetch;
    /// curl's `--location-trusted`.
    pub DroppedOnRedirect = "dropped-on-redirect" in NotSent, Fault by Caller, over ["no-credentials", "plain-http"]
}

impl DroppedOnRedirect {
    fn detect(scene: &Scene<'_>) -> Answer {
        let Some(step) = scene
            .steps
            .first()
            .filter(|s| !scene.let_in() && (scene.is_unauthorized() || s.status() == Some(403)))
        else {
            return Answer::RuledOut;
        };
        // curl has passed on the password alone, without the user that the first address named.
        let nameless = step.credentials().and_then(Sent::basic).is_some_and(|b| b.user_text().is_empty());
        if step.attempt.request_field("authorization").is_some() && !nameless {
            return Answer::RuledOut;
        }
        let redirected =
            scene.earlier().take(8).find_map(|a| redirect_to(a, step.attempt).map(|location| (a, location)));
        if redirected.is_none()
            && let Some(answer) = logged(scene, step).or_else(|| again_and_again(scene, step))
        {
            return answer;
        }
        let Some((before, location)) = redirected else {
            return scene.told("dropped-on-redirect", "credentials were dropped on a redirect");
        };
        let before = Step::of(before);
        let Some((view, field)) = before.request_field("authorization") else { return Answer::RuledOut };
        let rest = if nameless { "sent them there without the user name" } else { "did not send them there" };
        let mut claim = Claim::new(format!(
            "the client sent its credentials, was redirected to {}, and {rest}",
            origin_of(&location.text()).unwrap_or_else(|| "another address".to_owned())
        ))
        .shown([scene.show_field(view, field, "sent with the first request")])
        .shown([scene.show_field(before.attempt.view(), location, "redirected here")]);
        if let Some((view, request)) = step.request() {
            let says = if nameless { "no user name any more" } else { "no Authorization field any more" };
            claim = claim.shown([scene.show_request(view, request, says)]);
        }
        // Which program, and since which version, does that on purpose.
        if let Some(habit) = scene.habit(&["drop", "redirect"])
            && let Some((view, agent)) = step.request_field("user-agent")
        {
            claim = claim.shown([scene.show_field(view, agent, habit)]);
        }
        claim = claim.fix_by(
            Party::Caller,
            format!(
                "Ask the final address directly, so that no redirect is needed: {}",
                location_shown(&location.text())
            ),
            ask_again(&before, &location.text()),
        );
        if step.attempt.shows_credentials() { claim.confirmed() } else { claim.likely() }
    }
}

/// The `Location` of `before`, if it is a redirect with credentials that leads to `after`.
fn redirect_to<'a>(before: &'a Attempt, after: &Attempt) -> Option<&'a FieldLine> {
    let sent_some = before.request_field("authorization").is_some() && same_client(before, after);
    if !matches!(before.status(), Some(301 | 302 | 303 | 307 | 308)) || !sent_some {
        return None;
    }
    if let (Some(b), Some(a)) = (before.time(), after.time())
        && a.seconds_since(&b) > FOLLOWING
    {
        return None;
    }
    let location = before.response_field("location")?;
    let text = location.text();
    let target = match Address::parse(&text) {
        Some(address) => {
            let host = after.request()?.authority()?.to_ascii_lowercase();
            let named = host == address.host || host == format!("{}:{}", address.host, address.port);
            named.then_some(address.target)?
        }
        None => text.into_owned(),
    };
    let wanted = target.split('#').next().unwrap_or(&target);
    let asked = after.target()?;
    // Programs print the whole address where the request line has only its path.
    let asked = Address::parse(&asked).map_or_else(|| asked.to_string(), |a| a.target);
    (asked == wanted).then_some(location)
}

/// The line that asks the final address, with credentials of the scheme that was sent.
fn ask_again(before: &Step<'_>, location: &str) -> String {
    let address = crate::shell::quote(location_shown(location));
    let scheme = before.credentials().and_then(|s| s.credentials()).map_or("", |c| c.scheme.written.as_str());
    match scheme.to_ascii_lowercase().as_str() {
        "basic" | "" => format!("curl -v -u USER {address}"),
        "digest" => format!("curl -v --digest -u USER {address}"),
        _ if scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') => {
            format!("curl -v -H \"Authorization: {scheme} $TOKEN\" {address}")
        }
        _ => format!("curl -v {address}"),
    }
}

/// A log shows no `Location`: a name, a redirect, and at once the same path, but for a slash, without a name.
fn logged(scene: &Scene<'_>, step: &Step<'_>) -> Option<Answer> {
    let after = step.attempt;
    let unnamed = after.logged_name().is_none() && !after.shows_credentials();
    let path = after.path().filter(|_| unnamed)?;
    // Where no name was logged, only a slash that was added tells that a client was sent on.
    let slash = |b: &Attempt| b.path().is_some_and(|p| p != path && !p.ends_with('/') && path.ends_with('/'));
    let before = scene.earlier().take(8).find(|b| {
        matches!(b.status(), Some(301 | 302 | 303 | 307 | 308))
            && (b.logged_name().is_some() || slash(b))
            && same_client(b, after)
            && b.path().is_some_and(|p| p.trim_end_matches('/') == path.trim_end_matches('/'))
            && matches!((b.time(), after.time()), (Some(x), Some(y)) if y.seconds_since(&x) <= FOLLOWING)
    })?;
    let (what, first, second) = if before.logged_name().is_some() {
        (
            "the request with a user name was redirected, and the one that followed had none",
            "with a name, redirected",
            "without a name, refused",
        )
    } else {
        (
            "the request was redirected to the address with a slash at its end, and refused there: clients drop credentials on redirects",
            "redirected",
            "refused there",
        )
    };
    Some(
        Claim::new(what)
            .shown(super::client_changed::line(scene, before, first))
            .shown(super::client_changed::line(scene, after, second))
            .fix(Party::Caller, "Ask the final address directly, so that no redirect is needed.")
            .or("no-credentials", "the requests as they were sent: curl -v, or a capture")
            .likely(),
    )
}

/// A log in which a client is redirected under its name, and asks for another path without one at once, more than once.
fn again_and_again(scene: &Scene<'_>, step: &Step<'_>) -> Option<Answer> {
    let unnamed = |a: &Attempt| a.logged_dash() && !a.shows_credentials();
    let after = step.attempt;
    if !unnamed(after) {
        return None;
    }
    let all: Vec<_> = scene.attempts().filter(|a| same_client(a, after)).take(scene.reach()).collect();
    let follows = |before: &Attempt, next: &Attempt| {
        let at_once = matches!((before.time(), next.time()), (Some(x), Some(y)) if (0.0..=AT_ONCE).contains(&y.seconds_since(&x)));
        let sent_on =
            matches!(before.status(), Some(301 | 302 | 303 | 307 | 308)) && before.logged_name().is_some();
        let refused = next.status() == Some(401) && unnamed(next) && next.path() == after.path();
        at_once && sent_on && refused && before.method() == next.method()
    };
    let pairs: Vec<_> =
        all.iter().zip(all.iter().skip(1)).filter(|(before, next)| follows(before, next)).collect();
    let (before, next) =
        *pairs.first().filter(|(b, _)| pairs.len() > 1 && pairs.iter().all(|(x, _)| x.path() == b.path()))?;
    Some(
        Claim::new("each time the client is redirected under its name, and asks without one where it was sent")
            .shown(super::client_changed::line(scene, before, "with a name, redirected"))
            .shown(super::client_changed::line(scene, next, "without a name, refused"))
            .fix(Party::Caller, "Ask the final address directly, or let the client keep its credentials on a redirect to the same host.")
            .or("no-credentials", "the requests as they were sent: curl -v, or a capture")
            .weighing(4)
            .likely(),
    )
}

/// How long a program takes to follow a redirect, by a log of whole seconds.
const AT_ONCE: f64 = 1.0;

fn origin_of(location: &str) -> Option<String> {
    let a = Address::parse(location)?;
    let own = (a.scheme == "http" && a.port == 80) || (a.scheme == "https" && a.port == 443);
    Some(if own {
        format!("{}://{}", a.scheme, a.host)
    } else {
        format!("{}://{}:{}", a.scheme, a.host, a.port)
    })
}

/// The address without a query, which may hold secrets.
fn location_shown(location: &str) -> &str {
    location.split('?').next().unwrap_or(location)
}
