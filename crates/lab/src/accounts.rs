//! The accounts of the lab. Their passwords are printed on its index: they protect nothing.

use why401_auth::Secret;
use why401_auth::scheme::digest::Algorithm;
use why401_auth::scheme::digest_compute::stored;
use why401_verify::{Pair, Refusal, equal};

/// Alice's password.
pub(crate) const ALICE: &str = "Kiefer-88-Boot";
/// The secret access key of the access key id [`ACCESS_KEY`].
pub(crate) const SECRET_KEY: &str = "lab/secret/access/key/of/nobody/at/all01";
/// The access key id of signed requests.
pub(crate) const ACCESS_KEY: &str = "AKIALABLABLABLABLAB1";
/// The secret that webhooks and HTTP Message Signatures are signed with.
pub(crate) const SHARED_SECRET: &str = "shared-secret-of-the-lab";
/// An API key that is accepted.
pub(crate) const API_KEY: &str = "labkey-5f2b8d1c9a7e4c3b";

/// An account.
pub(crate) struct Account {
    pub(crate) name: &'static str,
    pub(crate) password: &'static str,
    /// The cause that it is refused for even with the right password, and what the server says.
    state: Option<(&'static str, &'static str)>,
}

/// All accounts.
pub(crate) const ACCOUNTS: &[Account] = &[
    Account { name: "alice", password: ALICE, state: None },
    Account { name: "bob", password: "Ahorn-17-Steg", state: None },
    Account { name: "zo\u{eb}", password: "Br\u{fc}cke-23", state: None },
    Account {
        name: "carol",
        password: "Birke-41-Ufer",
        state: Some(("account-locked", "Your account has been locked after too many failed login attempts")),
    },
    Account {
        name: "dave",
        password: "Linde-52-Wehr",
        state: Some(("account-disabled", "User account is disabled by the administrator")),
    },
    Account {
        name: "erin",
        password: "Erle-63-Furt",
        state: Some(("password-expired", "Your password has expired")),
    },
    Account {
        name: "frank",
        password: "Esche-74-Kai",
        state: Some(("second-factor-required", "Two-factor authentication is required for this account")),
    },
];

/// Verifies a pair against the accounts.
pub(crate) fn verify(pair: &Pair) -> Result<&'static Account, Refusal> {
    let Some(account) = ACCOUNTS.iter().find(|a| a.name.as_bytes() == pair.user) else {
        let charset = std::str::from_utf8(&pair.user).is_err();
        return match charset {
            true => Err(Refusal::new(
                "charset-mismatch",
                "the user name is not UTF-8, which the challenge asks for",
            )),
            false => Err(Refusal::new("unknown-user", "no account of that name")),
        };
    };
    if !equal(account.password.as_bytes(), pair.password.expose()) {
        return Err(wrong(account, pair.password.expose()));
    }
    match account.state {
        Some((cause, says)) => Err(Refusal::new(cause, says)),
        None => Ok(account),
    }
}

fn wrong(account: &Account, given: &[u8]) -> Refusal {
    let text = String::from_utf8_lossy(given);
    let trimmed = text.trim_matches(|c: char| {
        c.is_whitespace() || c.is_control() || matches!(c, '"' | '\'' | '\u{feff}' | '\u{200b}')
    });
    if trimmed == account.password {
        return Refusal::new("stray-characters", "the password is right but for characters around it");
    }
    if std::str::from_utf8(given).is_err() {
        return Refusal::new("charset-mismatch", "the password is not UTF-8, which the challenge asks for");
    }
    if text.eq_ignore_ascii_case(account.password) {
        return Refusal::new("near-miss-credentials", "the password is right but for letter case");
    }
    Refusal::new("wrong-password", format!("the password of {} is another one", account.name))
}

/// The accounts as Digest holds them.
pub(crate) fn digest(algorithm: Algorithm, realm: &str) -> impl Iterator<Item = (&'static str, Secret)> {
    ACCOUNTS.iter().map(move |a| {
        (a.name, stored(algorithm, a.name.as_bytes(), realm.as_bytes(), &Secret::new(a.password)))
    })
}

/// The password of a name, whatever its letter case.
pub(crate) fn password(name: &str) -> Option<Secret> {
    ACCOUNTS.iter().find(|a| a.name.eq_ignore_ascii_case(name)).map(|a| Secret::new(a.password))
}
