//! The credentials as fields: what a request carries in answer to a challenge, or unasked.

mod aws;
mod digest;
mod ntlm;

pub use digest::best as best_digest;

use crate::wish::{Ask, Carry, Credentials, Wish};
use why401_auth::{Challenge, base64};

/// What the answers need that no library may make up.
#[derive(Debug, Clone)]
pub struct Chance {
    /// A client nonce for Digest, never used before.
    pub cnonce: String,
    /// The time, for signatures.
    pub now: jiff::Timestamp,
}

/// What a made-up user, or token, begins with.
const MADE_UP: &str = "why401-";

/// The fields by which `ask` carries the credentials of `wish`; `challenges` are those of the last answer.
///
/// # Errors
/// Why these credentials cannot be carried so, in words for the user.
pub fn fields(
    wish: &Wish,
    ask: &Ask,
    challenges: &[Challenge],
    chance: &Chance,
) -> Result<Vec<(String, Vec<u8>)>, String> {
    let authorization = |value: Vec<u8>| Ok(vec![("Authorization".to_owned(), value)]);
    match (&ask.carry, &wish.credentials) {
        (Carry::Nothing, _) | (_, Credentials::None | Credentials::Fields) => Ok(Vec::new()),
        (Carry::Wrong, Credentials::Password { .. }) => {
            let password: String = chance.cnonce.chars().rev().collect();
            authorization(basic(format!("{MADE_UP}{}:{password}", chance.cnonce).as_bytes()))
        }
        (Carry::Wrong, Credentials::Bearer(_)) => {
            authorization(format!("Bearer {MADE_UP}{}", chance.cnonce).into_bytes())
        }
        (Carry::Wrong, Credentials::Aws(_)) => Err("no keys are made up".to_owned()),
        (Carry::Latin1, Credentials::Password { user, password }) => {
            let text = format!("{user}:{}", password.expose_text());
            let latin1: Option<Vec<u8>> = text.chars().map(|c| u8::try_from(u32::from(c)).ok()).collect();
            let bytes = latin1.ok_or("user or password has letters that ISO-8859-1 has not")?;
            authorization(basic(&bytes))
        }
        (Carry::Answer(scheme), Credentials::Password { user, password }) if scheme == "digest" => {
            let challenge = best_digest(challenges)
                .ok_or("no Digest challenge is there that can be answered (unknown algorithm or qop)")?;
            authorization(digest::answer(&challenge, user, password, ask, wish, &chance.cnonce)?)
        }
        // The first step of a handshake names nobody; the password answers the challenge that comes of it.
        (Carry::Answer(scheme), Credentials::Password { .. }) if scheme == "ntlm" => {
            authorization(ntlm_message(&ntlm::negotiate()))
        }
        (Carry::Answer(_) | Carry::Unasked(_), Credentials::Password { user, password }) => {
            authorization(basic(&[user.as_bytes(), b":", password.expose()].concat()))
        }
        (_, Credentials::Bearer(token)) => authorization([b"Bearer ", token.expose()].concat()),
        (_, Credentials::Aws(keys)) => aws::fields(keys, wish, ask, chance.now),
    }
}

/// The value of `Authorization` that ends a handshake of NTLM; `None` where the server went no further with it.
///
/// # Errors
/// Why these credentials cannot be carried so, in words for the user.
pub fn ntlm_answer(
    wish: &Wish,
    challenges: &[Challenge],
    own_challenge: [u8; 8],
    now: jiff::Timestamp,
) -> Result<Option<Vec<u8>>, String> {
    let (Some(asked), Credentials::Password { user, password }) =
        (ntlm::Asked::of(challenges), &wish.credentials)
    else {
        return Ok(None);
    };
    ntlm::authenticate(&asked, user, password, own_challenge, now).map(|m| Some(ntlm_message(&m)))
}

fn ntlm_message(message: &[u8]) -> Vec<u8> {
    format!("NTLM {}", base64::encode(message)).into_bytes()
}

fn basic(pair: &[u8]) -> Vec<u8> {
    format!("Basic {}", base64::encode(pair)).into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use why401_auth::{Secret, parse_challenges};
    use why401_http::Address;

    fn chance() -> Chance {
        Chance { cnonce: "0a4f113b".to_owned(), now: jiff::Timestamp::UNIX_EPOCH }
    }

    fn wish(user: &str, password: &str) -> Wish {
        Wish {
            credentials: Credentials::Password { user: user.to_owned(), password: Secret::new(password) },
            ..Wish::get(Address::parse("http://www.nowhere.org/dir/index.html").unwrap())
        }
    }

    fn value(w: &Wish, carry: Carry, challenge: &str) -> String {
        let ask = Ask::of(w, carry);
        let challenges = parse_challenges(challenge.as_bytes()).value;
        let fields = fields(w, &ask, &challenges, &chance()).unwrap();
        String::from_utf8_lossy(&fields[0].1).into_owned()
    }

    #[test]
    fn basic_is_sent_in_either_charset() {
        let w = wish("test", "123£");
        assert_eq!(value(&w, Carry::Unasked("basic".into()), ""), "Basic dGVzdDoxMjPCow==");
        assert_eq!(value(&w, Carry::Latin1, ""), "Basic dGVzdDoxMjOj");
    }

    #[test]
    fn digest_answers_as_rfc_2617_shows() {
        let w = wish("Mufasa", "Circle Of Life");
        let challenge = r#"Digest realm="testrealm@host.com", qop="auth,auth-int", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", opaque="5ccc069c403ebaf9f0171e9517f40e41""#;
        let got = value(&w, Carry::Answer("digest".into()), challenge);
        assert!(got.contains("response=\"6629fae49393a05397450978507c4ef1\""), "{got}");
        assert!(got.contains("qop=auth, nc=00000001, cnonce=\"0a4f113b\""), "{got}");
    }

    #[test]
    fn the_strongest_digest_that_is_known_is_taken() {
        let both = r#"Digest realm="a", nonce="b", algorithm=MD5, Digest realm="a", nonce="c", algorithm=SHA-256, Digest realm="a", nonce="d", algorithm=SHA3"#;
        assert_eq!(
            best_digest(&parse_challenges(both.as_bytes()).value).unwrap().nonce.as_deref(),
            Some("c")
        );
    }

    #[test]
    fn a_signature_is_the_one_of_the_published_suite() {
        // The `get-vanilla` request of the AWS Signature Version 4 test suite.
        let keys = crate::wish::Aws {
            id: "AKIDEXAMPLE".to_owned(),
            secret: Secret::new("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"),
            token: None,
            region: "us-east-1".to_owned(),
            service: "service".to_owned(),
        };
        let mut w = Wish::get(Address::parse("http://example.amazonaws.com/").unwrap());
        w.credentials = Credentials::Aws(Box::new(keys));
        let chance = Chance { now: "2015-08-30T12:36:00Z".parse().unwrap(), ..chance() };
        let got = fields(&w, &Ask::of(&w, Carry::Unasked("aws".into())), &[], &chance).unwrap();
        let authorization = String::from_utf8(got.last().unwrap().1.clone()).unwrap();
        assert!(
            authorization
                .ends_with("Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
            "{authorization}"
        );
    }
}
