//! Too many requests.

use crate::Scene;
use crate::cause::{Answer, Claim, cause};
use crate::scene::{same_client, same_resource};
use why401_history::Attempt;
use why401_http::Speaker;
use why401_report::Party;

cause! {
    /// The 401 stands for too many requests.
    ///
    /// # What happened
    /// A limit was reached, and this service says 401 where 429 would be right.
    ///
    /// # How it is decided
    /// The answer says so (Retry-After, body), or good requests without earlier failures are refused in a burst and accepted again
    /// after a pause.
    ///
    /// # Who acts
    /// Whoever writes the client.
    ///
    /// # What to do
    /// Ask less often; wait as long as the answer says; keep what was answered.
    ///
    /// # Evidence needed
    /// The answer's fields and body, or the requests before and after.
    ///
    /// # Not to be confused with
    /// account-locked: failures came before.
    ///
    /// # References
    /// RFC 6585 section 4 (429); RFC 9110 section 10.2.3 (Retry-After).
    pub RateLimited = "rate-limited" in Server, Fault by Caller, over ["credentials-refused", "token-revoked", "token-expired", "credentials-changed", "no-credentials"]
}

/// So many good requests in the burst before it was refused.
const BURST: usize = 5;

impl RateLimited {
    fn detect(scene: &Scene<'_>) -> Answer {
        if scene.let_in() {
            return Answer::RuledOut;
        }
        let told = scene.told_claim("rate-limited", "there were too many requests");
        let waits = scene.refused().filter(|s| s.status() == Some(401));
        if let Some((view, field)) = waits.and_then(|s| s.response_field("retry-after")) {
            return advise(
                Claim::new(
                    "the answer names a time to wait (Retry-After), so the 401 stands for too many requests",
                )
                .shown([scene.show_field(view, field, "try again then")]),
            )
            .confirmed();
        }
        if let Some(claim) = told {
            return advise(claim).as_told();
        }
        if let Some(claim) = polled(scene) {
            return advise(claim).likely();
        }
        let Some(step) = scene.refused() else { return Answer::RuledOut };
        let exhausted = ["x-ratelimit-remaining", "ratelimit-remaining", "x-rate-limit-remaining"]
            .iter()
            .find_map(|n| step.response_field(n))
            .filter(|(_, f)| f.text().trim() == "0");
        if let Some((view, field)) = exhausted {
            return advise(
                Claim::new("the answer says that no request is left in this period")
                    .shown([scene.show_field(view, field, "none left")]),
            )
            .or("credentials-refused", "the same request after a pause")
            .likely();
        }
        burst(scene).or_else(|| so_many_a_period(scene)).unwrap_or(Answer::RuledOut)
    }
}

/// The same credentials accepted many times at once, refused, and accepted again after a pause.
fn burst(scene: &Scene<'_>) -> Option<Answer> {
    let step = scene.refused()?;
    let secret = step.attempt.request_field("authorization")?.value.as_bytes();
    let before = scene.earlier_with(secret).take_while(|a| a.let_in()).take(BURST).count();
    let after = scene.later_accepted_with(secret).next()?;
    (before >= BURST).then(|| {
        let mut claim = Claim::new(
            "the same credentials were accepted in a burst, then refused, and accepted again after a pause",
        );
        if let Some(r) = after.response() {
            claim = claim.shown([scene.show_status(after.view(), r, "accepted again")]);
        }
        advise(claim).or("auth-backend-down", "the server's log of that moment").likely()
    })
}

/// The same number of requests let in, then refused, and after a pause the same again.
fn so_many_a_period(scene: &Scene<'_>) -> Option<Answer> {
    /// So many requests around the refusal are looked at.
    const NEAR: usize = 5_000;
    /// Fewer may be let in as often by chance.
    const LEAST: usize = 5;
    /// Limits are for an hour, a day or longer where a client finds them by counting, in seconds.
    const PERIOD: f64 = 3_600.0;
    let step = scene.refused().filter(|s| s.status() == Some(401))?;
    let own = |a: &&Attempt| same_client(a, step.attempt) && same_resource(a, step.attempt);
    // Runs of requests that were let in, each ended by a refusal: its first request, and how many.
    let mut runs: Vec<(&Attempt, usize)> = Vec::new();
    let mut run: Option<(&Attempt, usize)> = None;
    for a in scene.attempts().filter(own).take(NEAR) {
        match (a.served(), a.status()) {
            (true, _) => run = Some(run.map_or((a, 1), |(first, n)| (first, n + 1))),
            (false, Some(401 | 429)) => runs.extend(run.take()),
            _ => return None,
        }
    }
    let [(_, many), (again, _), ..] = runs.as_slice() else { return None };
    let apart = runs.windows(2).all(|pair| match pair {
        [(a, n), (b, m)] => {
            let pause = a.time().zip(b.time()).map(|(a, b)| b.seconds_since(&a));
            n == m && pause.is_some_and(|p| p >= PERIOD)
        }
        _ => false,
    });
    if *many < LEAST || !apart {
        return None;
    }
    let claim = Claim::new(format!(
        "{many} requests are let in, then all are refused, and later as many again: a limit for a period"
    ))
    .shown(super::client_changed::line(scene, step.attempt, "refused"))
    .shown(super::client_changed::line(scene, again, "let in again, without anything having changed"));
    Some(advise(claim).or("token-expired", "how long a token lives, and whether one is got anew").likely())
}

/// A person tells of frequent calls, and that it came back without anything having been changed.
fn polled(scene: &Scene<'_>) -> Option<Claim> {
    const OFTEN: &[&str] = &[
        "refresh rate",
        "polling",
        " poll ",
        "every second",
        "every few seconds",
        "interval",
        "rate limit",
        "requests per",
        "calls that work",
        "calls work",
        "calls, then",
        "requests work",
        "requests, then",
    ];
    const BACK: &[&str] = &[
        "by itself",
        "on its own",
        "came back",
        "comes back",
        "works again",
        "worked again",
        "next day",
        "next hour",
        "after midnight",
    ];
    let persons = || scene.statements().filter(|s| s.speaker == Speaker::Person);
    let tells = |list: &[&str]| {
        persons().find(|s| {
            let text = s.text.to_text().to_lowercase();
            list.iter().any(|w| text.contains(w))
        })
    };
    let (often, back) = (tells(OFTEN)?, tells(BACK)?);
    Some(
        Claim::new("calls are made often, and it comes back by itself: as with a limit on requests")
            .shown([scene.show_statement(often, "so often")])
            .shown([scene.show_statement(back, "and back without a change")])
            .or("credentials-refused", "the same request once, after a long pause"),
    )
}

fn advise(claim: Claim) -> Claim {
    claim.fix(Party::Caller, "Ask less often: wait as the answer says, keep what was answered, and spread what runs at fixed times.")
}
