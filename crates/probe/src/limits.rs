//! What holds whatever the plan says, so that asking does no harm.

use crate::wish::{Ask, Carry, is_safe};
use std::time::Duration;
use why401_http::Exchange;

/// How often the given credentials may be sent: most systems lock an account after three to five failures.
pub const ATTEMPTS: u32 = 2;
/// How often made-up credentials may be sent, where they may at all.
pub const WRONG: u32 = 1;
/// How many requests may be sent in all.
pub const REQUESTS: u32 = 20;

/// The limits of one probe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Requests in all; never more than [`REQUESTS`].
    pub requests: u32,
    /// Requests that carry the given credentials; never more than [`ATTEMPTS`].
    pub attempts: u32,
    /// Whether a method that changes things may be sent more than once.
    pub allow_unsafe: bool,
    /// Whether credentials that are wrong on purpose may be sent.
    pub allow_wrong: bool,
    /// Rest between two requests.
    pub pause: Duration,
    /// How long all of it may take.
    pub time: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            requests: REQUESTS,
            attempts: ATTEMPTS,
            allow_unsafe: false,
            allow_wrong: false,
            pause: Duration::from_millis(200),
            time: Duration::from_secs(90),
        }
    }
}

/// What was spent of the limits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Spent {
    /// Requests that left.
    pub requests: u32,
    /// Those of them that carried the given credentials.
    pub attempts: u32,
    /// Those of them that carried made-up ones.
    pub wrong: u32,
    /// Those of them whose method changes things.
    pub changing: u32,
}

impl Spent {
    /// Counts a request that leaves.
    pub fn count(&mut self, ask: &Ask) {
        self.requests += ask.requests();
        self.attempts += u32::from(ask.carries());
        self.wrong += u32::from(ask.carry == Carry::Wrong);
        self.changing += u32::from(!is_safe(&ask.method));
    }
}

impl Limits {
    /// Whether the request may leave; else why not.
    ///
    /// # Errors
    /// The limit that it would break.
    pub fn permit(&self, spent: &Spent, ask: &Ask) -> Result<(), &'static str> {
        if spent.requests + ask.requests() > self.requests.min(REQUESTS) {
            return Err("as many requests as are allowed were sent");
        }
        if ask.carries() && spent.attempts >= self.attempts.min(ATTEMPTS) {
            return Err("the credentials were sent as often as is allowed, so as not to lock the account");
        }
        if ask.carry == Carry::Wrong && (!self.allow_wrong || spent.wrong >= WRONG) {
            return Err("made-up credentials are sent once, and only with --allow-wrong");
        }
        if !is_safe(&ask.method) && spent.changing > 0 && !self.allow_unsafe {
            return Err("its method may change things and is not repeated without --allow-unsafe");
        }
        Ok(())
    }
}

/// Why nothing more may be asked, if the answer says so: signs of a lock, or of asking too often.
pub fn stop_sign(answer: &Exchange) -> Option<String> {
    let response = answer.response.as_ref()?;
    if response.status == 429 {
        return Some("the server says that it is asked too often (429)".to_owned());
    }
    if response.status == 423 {
        return Some("the server says that this is locked (423)".to_owned());
    }
    if response.fields.has("retry-after") && response.status >= 400 {
        return Some("the server says to come back later (Retry-After)".to_owned());
    }
    if response.status < 400 {
        return None;
    }
    const WORDS: &[&str] = &[
        "account is locked",
        "account has been locked",
        "account locked",
        "account_locked",
        "accountlocked",
        "user is locked",
        "user locked",
        "locked out",
        "lockout",
        "temporarily locked",
        "temporarily blocked",
        "temporarily disabled",
        "too many failed",
        "too many login",
        "too many attempts",
        "too many requests",
        "too many authentication",
        "too many invalid",
        "attempts remaining",
        "attempts left",
        "rate limit",
        "ratelimit",
        "rate_limit",
        "throttl",
        "captcha",
    ];
    let text = response.body.text().to_ascii_lowercase();
    let fields =
        response.fields.iter().filter(|f| f.is("www-authenticate") || f.is("x-error") || f.is("reason"));
    let heads: String = fields.map(|f| f.text().to_ascii_lowercase() + "\n").collect();
    let line = response.line.to_text().to_ascii_lowercase();
    let word = WORDS.iter().find(|w| text.contains(**w) || heads.contains(**w) || line.contains(**w))?;
    Some(format!("the answer speaks of a lock or a limit ({word})"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wish::Wish;
    use why401_http::Address;

    fn ask(method: &str, carry: Carry) -> Ask {
        let mut wish = Wish::get(Address::parse("http://example.com/").unwrap());
        wish.method = method.to_owned();
        Ask::of(&wish, carry)
    }

    #[test]
    fn each_limit_holds_even_if_a_larger_one_is_asked_for() {
        let limits = Limits { requests: 1000, attempts: 1000, ..Limits::default() };
        let spent = |requests, attempts, changing| Spent { requests, attempts, changing, ..Spent::default() };
        let bare = ask("GET", Carry::Nothing);
        let with = ask("GET", Carry::Unasked("basic".into()));
        let post = ask("POST", Carry::Nothing);
        assert!(limits.permit(&spent(19, 2, 0), &bare).is_ok());
        assert!(limits.permit(&spent(20, 0, 0), &bare).is_err());
        assert!(limits.permit(&spent(1, 1, 0), &with).is_ok());
        assert!(limits.permit(&spent(2, 2, 0), &with).is_err());
        assert!(limits.permit(&spent(0, 0, 0), &post).is_ok());
        assert!(limits.permit(&spent(1, 0, 1), &post).is_err());
        // A handshake is two requests.
        let handshake = ask("GET", Carry::Answer("ntlm".into()));
        assert!(limits.permit(&spent(18, 1, 0), &handshake).is_ok());
        assert!(limits.permit(&spent(19, 1, 0), &handshake).is_err());
        assert!(limits.permit(&spent(2, 2, 0), &handshake).is_err());
        let wrong = ask("GET", Carry::Wrong);
        assert!(limits.permit(&spent(1, 0, 0), &wrong).is_err(), "only where it is allowed");
        let allowed = Limits { allow_unsafe: true, allow_wrong: true, ..limits };
        assert!(allowed.permit(&spent(1, 2, 0), &wrong).is_ok());
        assert!(allowed.permit(&Spent { wrong: 1, ..spent(2, 1, 0) }, &wrong).is_err());
        assert!(allowed.permit(&spent(1, 0, 1), &post).is_ok());
    }
}
