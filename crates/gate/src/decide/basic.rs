//! Basic: a password against what is stored of it. An unknown user's password is held against a decoy of the same kind, so
//! that neither answer nor time tells whether an account exists.

use super::{Case, Known, Outcome, failed, standing};
use crate::accounts::password::Hash;
use crate::state::Passed;
use why401_auth::Secret;
use why401_verify::{Pair, Refusal};

/// A password that has to be verified.
#[derive(Debug, Clone)]
pub(crate) struct Pending {
    user: String,
    password: Secret,
    hashes: Vec<Hash>,
    /// Whether the user is known; the work is the same if not.
    is_known: bool,
}

/// What verifying found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verified {
    /// The password of the stored hash at this place.
    Right(usize),
    /// Right but for characters around it.
    Stray,
    /// Another password.
    Wrong,
}

impl Pending {
    /// Computes the hashes: the slow part, with no state.
    pub(crate) fn run(&self) -> Verified {
        let given = self.password.expose();
        if let Some(place) = self.hashes.iter().position(|h| h.is(given)) {
            return Verified::Right(place);
        }
        let trimmed = trimmed(given);
        if trimmed.len() < given.len() && self.hashes.iter().any(|h| h.is(trimmed)) {
            return Verified::Stray;
        }
        Verified::Wrong
    }

    /// Whether it need not leave the thread that asks.
    fn is_quick(&self) -> bool {
        self.hashes.iter().all(Hash::is_quick)
    }
}

/// The password without the line break, quotes or spaces that come along when it is copied.
fn trimmed(given: &[u8]) -> &[u8] {
    let mut text = given;
    while let [rest @ .., b'\r' | b'\n' | b' ' | b'\t' | b'"' | b'\''] = text {
        text = rest;
    }
    while let [b'\r' | b'\n' | b' ' | b'\t' | b'"' | b'\'', rest @ ..] = text {
        text = rest;
    }
    text
}

pub(super) fn begin(case: &Case<'_>, pair: &Pair) -> Outcome {
    let Ok(user) = String::from_utf8(pair.user.clone()) else {
        let says = "the user name is not UTF-8, which the challenge asks for";
        return Outcome::Refused(Refusal::new("charset-mismatch", says));
    };
    let account = case.setup.store.find(&user);
    let is_valid = |until: Option<i64>| until.is_none_or(|until| until > case.asked.now);
    let valid = account.into_iter().flat_map(|a| &a.passwords).filter(|p| is_valid(p.until));
    let mut hashes: Vec<Hash> = valid.map(|p| p.hash.clone()).collect();
    let is_known = account.is_some_and(|a| !a.passwords.is_empty());
    if hashes.is_empty() {
        hashes.push(case.setup.store.decoy());
    }
    let pending = Pending { user, password: pair.password.clone(), hashes, is_known };
    if pending.is_quick() {
        return settle(case, &pending, pending.run()).into();
    }
    let marks = pending.marks(case);
    let memory = case.state.memory();
    let found = marks.iter().position(|mark| memory.passed.has(mark, case.asked.tick));
    drop(memory);
    match found {
        Some(place) => settle(case, &pending, Verified::Right(place)).into(),
        None => Outcome::Verify(Box::new(pending)),
    }
}

impl Pending {
    fn marks(&self, case: &Case<'_>) -> Vec<[u8; 32]> {
        let mark = |h: &Hash| Passed::mark(&case.state.key, &self.user, h.mark(), self.password.expose());
        self.hashes.iter().map(mark).collect()
    }
}

/// What follows from what verifying found.
pub(super) fn settle(case: &Case<'_>, pending: &Pending, outcome: Verified) -> Result<Known, Refusal> {
    let user = &pending.user;
    let standing = standing(case, user);
    let refused = |cause, says: String| {
        failed(case, user);
        Err(Refusal::new(cause, says))
    };
    if let Err(refusal) = &standing
        && refusal.cause == "account-locked"
    {
        return Err(refusal.clone());
    }
    match outcome {
        _ if !pending.is_known => refused("unknown-user", format!("no account is called {user}")),
        Verified::Wrong if std::str::from_utf8(pending.password.expose()).is_err() => {
            refused("charset-mismatch", "the password is not UTF-8, which the challenge asks for".to_owned())
        }
        // What is to be put right first; the answer is the same.
        Verified::Wrong if case.account.is_some_and(|a| a != user) => refused(
            "wrong-account",
            format!(
                "the address is {}'s and the credentials are {user}'s, whose password is another one",
                case.account.unwrap_or_default()
            ),
        ),
        Verified::Wrong => refused("wrong-password", format!("the password of {user} is another one")),
        Verified::Stray => refused(
            "stray-characters",
            format!("the password of {user} is right but for characters around it"),
        ),
        Verified::Right(place) => {
            if let Some(hash) = pending.hashes.get(place).filter(|h| !h.is_quick()) {
                let mark = Passed::mark(&case.state.key, user, hash.mark(), pending.password.expose());
                let lasts = case.setup.config.limits.remember_password;
                case.state.memory().passed.keep(mark, lasts, case.asked.tick);
            }
            standing?;
            if case.setup.config.lockout.is_some() {
                case.state.memory().lockouts.passed(user);
            }
            Ok(Known { user: user.clone(), ..Known::default() })
        }
    }
}
