//! Nearly right.

use crate::cause::{Answer, Claim, cause};
use crate::near::{Slip, slip};
use crate::scene::same_server;
use crate::{Scene, Step};
use std::ops::Range;
use why401_http::FactKind;
use why401_report::Party;

cause! {
    /// The credentials differ from ones that work by a slip: Caps Lock, letter case, a typo, a look-alike character.
    ///
    /// # What happened
    /// Somebody meant the right user name and password and typed something else.
    ///
    /// # How it is decided
    /// Credentials that are accepted elsewhere in the evidence differ from the refused ones only by letter case, one or two
    /// letters, neighbouring keys, another keyboard layout, or letters that look alike.
    ///
    /// # Who acts
    /// The person whose credentials these are.
    ///
    /// # What to do
    /// Type again, with an eye on Caps Lock and the keyboard layout; or copy them from where they are kept.
    ///
    /// # Evidence needed
    /// Credentials that work, in the same evidence.
    ///
    /// # Not to be confused with
    /// wrong-password: nothing to compare with. stray-characters: something came along.
    ///
    /// # References
    /// RFC 8265 section 4 (how passwords are compared); Unicode Technical Standard 39, section 4 (confusable characters).
    pub NearMissCredentials = "near-miss-credentials" in Refused, Fault by AccountOwner,
        over ["credentials-refused", "wrong-password", "unknown-user", "credentials-changed", "account-locked"]
}

/// A command whose secret the shell changes before the program sees it: between double quotes and outside of quotes `$$`
/// is the number of the shell's process, and `$word` behind other characters a variable (POSIX Shell Command Language,
/// section 2.6).
fn by_shell(scene: &Scene<'_>) -> Option<Claim> {
    scene.case.facts.iter().find_map(|fact| {
        let FactKind::Command { program, .. } = &fact.kind else { return None };
        let windows = program.starts_with("invoke") || program == "iwr" || program == "irm";
        let text = fact.text.to_text();
        let at = changed_by_shell(&text).filter(|_| !windows)?;
        let claim =
            Claim::new("the shell takes a dollar sign in the secret for its own, so another one is sent")
                .shown([scene.show_part(fact.source, &fact.text, at, "the shell replaces this")])
                .fix(
                    Party::Caller,
                    "Put the secret between single quotes, or give it by a file or a variable.",
                );
        Some(claim.or("wrong-password", "the request as it was sent: curl -v"))
    })
}

/// Where a shell replaces part of a value that was meant to be sent as it is.
fn changed_by_shell(text: &str) -> Option<Range<usize>> {
    let mut single = false;
    let mut double = false;
    let mut before = ' ';
    for (i, c) in text.char_indices() {
        let next = text.get(i + c.len_utf8()..).and_then(|t| t.chars().next()).unwrap_or(' ');
        match c {
            '\'' if !double && before != '\\' => single = !single,
            '"' if !single && before != '\\' => double = !double,
            '$' if !single && before != '\\' => {
                let name = next.is_ascii_alphanumeric() || next == '_';
                if next == '$' || name && before.is_ascii_alphanumeric() {
                    return Some(i..i + 1 + next.len_utf8());
                }
            }
            _ => {}
        }
        before = c;
    }
    None
}

impl NearMissCredentials {
    fn detect(scene: &Scene<'_>) -> Answer {
        let told = || match by_shell(scene) {
            Some(claim) => claim.likely(),
            None => scene.told("near-miss-credentials", "the credentials are nearly right"),
        };
        let Some(step) = scene.refused() else { return told() };
        if let Some(sent) = step.credentials()
            && let Some(mine) = sent.basic().filter(|b| b.password.as_ref().is_some_and(|p| !p.is_empty()))
        {
            // The same credentials again tell nothing new.
            for other in scene.accepted_first(|a| same_server(a, step.attempt)) {
                let other = Step::of(other);
                let Some(theirs) = other.credentials() else { continue };
                let Some(good) = theirs.basic() else { continue };
                let (Some(p), Some(q)) = (&mine.password, &good.password) else { continue };
                let found = match (mine.user == good.user, p == q) {
                    (true, false) => slip(p.expose(), q.expose()).map(|s| ("password", s)),
                    (false, true) => slip(mine.user.expose(), good.user.expose()).map(|s| ("user name", s)),
                    (false, false) => {
                        slip(&both(mine.user.expose(), p.expose()), &both(good.user.expose(), q.expose()))
                            .filter(|s| *s == Slip::Case)
                            .map(|s| ("pair", s))
                    }
                    (true, true) => None,
                };
                if let Some((part, slip)) = found {
                    return advise(
                        Claim::new(format!(
                            "the {part} differs from one that is accepted by {}",
                            slip.in_words()
                        ))
                        .shown([scene.show_field(sent.view, sent.field, "refused")])
                        .shown([scene.show_field(
                            theirs.view,
                            theirs.field,
                            format!("accepted: the {part} differs by {}", slip.in_words()),
                        )]),
                    )
                    .confirmed();
                }
            }
            return told();
        }
        // A log shows names only.
        let Some(name) = step.attempt.logged_name() else { return told() };
        let named = scene.accepted_like(&name).filter_map(|a| a.logged_name().map(|n| (a, n)));
        let known = named.into_iter().find(|(_, n)| {
            *n != name && n.len() == name.len() && slip(name.as_bytes(), n.as_bytes()) == Some(Slip::Case)
        });
        let itself = scene.case.index.of_user(&name).iter().filter_map(|&i| scene.case.attempt(i));
        let itself_accepted = itself.into_iter().any(|a| a.let_in());
        match known {
            Some((other, good)) if !itself_accepted => {
                let mut claim = Claim::new(format!(
                    "{name} is refused and {good} is accepted: they differ only by letter case"
                ));
                for a in [step.attempt, other] {
                    if let Some((v, log)) = a.views.iter().find_map(|v| v.log.as_ref().map(|l| (v, l))) {
                        claim = claim.shown([scene.show_part(
                            v.source,
                            &log.line,
                            0..log.line.len(),
                            if a.id == other.id { "accepted" } else { "refused" },
                        )]);
                    }
                }
                advise(claim).or("wrong-password", "the server's error log").likely()
            }
            _ => told(),
        }
    }
}

fn both(user: &[u8], password: &[u8]) -> Vec<u8> {
    [user, b"\n", password].concat()
}

fn advise(claim: Claim) -> Claim {
    claim.fix(Party::AccountOwner, "Type user name and password again, with an eye on Caps Lock and the keyboard layout, or copy them from where they are kept.")
}
