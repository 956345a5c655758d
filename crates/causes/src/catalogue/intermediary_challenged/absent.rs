//! The origin's own log is given along, and has no line of the refused request.

use super::advise;
use crate::Scene;
use crate::cause::Claim;
use crate::reading::pasted;

/// How people say that the log has every request, or has not this one, in lower case.
const SAYS: &[&str] = &[
    "line for every request",
    "line for each request",
    "line per request",
    "logs every request",
    "log every request",
    "logs each request",
    "logs all requests",
    "every request is logged",
    "all requests are logged",
    "no such request",
    "has no line of",
    "has no line for",
    "no line of the refused",
    "nothing in its log",
    "nothing in the app's log",
    "nothing in the application's log",
    "request never reach",
    "requests never reach",
    "request does not reach",
    "request doesn't reach",
    "requests do not reach",
    "requests don't reach",
];

/// What a line of a log has that tells of a request.
const METHODS: &[&str] = &["GET ", "POST ", "PUT ", "HEAD ", "DELETE ", "PATCH ", "OPTIONS "];

/// The claim, where somebody says so and what is pasted bears it out: the log tells of other requests, and of this one with
/// 401 nowhere.
pub(super) fn from_its_log(scene: &Scene<'_>) -> Option<Claim> {
    let step = scene.refused().filter(|s| s.status() == Some(401))?;
    if step.attempt.views.iter().any(|v| v.log.is_some()) {
        return None;
    }
    let (view, response) = step.response()?;
    let path = step.attempt.path().filter(|p| p.len() > 1)?;
    // What is told of a log stands beside the transcript; the transcript itself has the refused request.
    let texts = || pasted::texts(scene).filter(|f| f.source != view.source);
    let (fact, range) = texts().find_map(|fact| {
        let lower = fact.text.to_text().to_ascii_lowercase();
        let (at, len) = SAYS.iter().find_map(|w| lower.find(w).map(|at| (at, w.len())))?;
        Some((fact, at..at + len))
    })?;
    let text = fact.text.to_text();
    let is_told = |line: &str| METHODS.iter().any(|m| line.contains(m)) && !line.contains("curl ");
    let others = text.lines().filter(|l| is_told(l) && !l.contains("401")).count();
    let own = text.lines().any(|l| is_told(l) && l.contains(path) && l.contains("401"));
    (others > 0 && !own).then(|| {
        advise(
            Claim::new(
                "the origin's own log has no line of the refused request: something in front of it answered",
            )
            .shown([scene.show_status(view, response, "refused")])
            .shown([scene.show_part(
                fact.source,
                &fact.text,
                range,
                "told of the log, which has other requests",
            )]),
        )
        .or("credentials-refused", "whether the log has refused requests as well, and of this time")
        .weighing(15)
    })
}
