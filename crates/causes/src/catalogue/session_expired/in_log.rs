//! A log that shows a login, requests that are let in for a time, and then the same requests refused.

use super::advise;
use crate::catalogue::client_changed::line;
use crate::cause::{Answer, Claim};
use crate::{Scene, Step};
use why401_history::Attempt;

/// A session that is over sooner was not let in by time.
const SHORTEST: i64 = 5 * 60;

/// The words in the path of a call that begins a session.
const BEGINS: [&str; 5] = ["login", "ticket", "session", "signin", "authenticate"];

/// Whether a call begins a session: the content of a `POST` holds what a log does not show.
fn begins(a: &Attempt) -> bool {
    let post = a.method().is_some_and(|m| m == "POST");
    let named = |p: &str| {
        let p = p.to_ascii_lowercase();
        BEGINS.iter().any(|word| p.contains(word))
    };
    post && a.let_in() && a.path().is_some_and(named)
}

/// The same client was let in by name after its login, and since some moment the same address is refused without a name.
pub(super) fn over(scene: &Scene<'_>, step: &Step<'_>) -> Option<Answer> {
    if step.status() != Some(401) || !step.attempt.logged_dash() {
        return None;
    }
    let story = scene.client_story()?;
    let same = |a: &&&Attempt| a.path() == step.attempt.path() && a.user.is_some();
    let last = story.accepted_before.iter().rev().find(same)?;
    let login = story.accepted_before.iter().rev().find(|a| a.id < last.id && begins(a))?;
    let first = story.refused.iter().find(|a| a.path() == step.attempt.path())?;
    let (began, ended) = (login.time()?.at, first.time()?.at);
    let lasted = ended.duration_since(began).as_secs();
    // Whoever gets in again without a login has not lost a session.
    let again = story.accepted_after.iter().find(|a| begins(a) || a.user.is_some());
    if lasted < SHORTEST || again.is_some_and(|a| !begins(a)) {
        return None;
    }
    let minutes = lasted / 60;
    let claim = Claim::new(format!(
        "{minutes} minutes after its login the client is refused without a name: its session or ticket is over"
    ))
    .shown(line(scene, login, "the login"))
    .shown(line(scene, last, "let in with what it gave"))
    .shown(line(scene, first, "refused, and no name is logged any more"))
    .shown(again.and_then(|a| line(scene, a, "the next login")))
    .or("token-expired", "what the login gives out, and its lifetime")
    .or("session-missing", "the request as it was sent: does it still carry what the login gave?");
    Some(advise(claim).weighing(5).likely())
}
