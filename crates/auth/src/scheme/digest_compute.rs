//! Computing a Digest response (RFC 7616 section 3.4), to tell whether credentials fit a password and a request.

use super::digest::{Algorithm, DigestCredentials, Hash};
use crate::Secret;
use crate::syntax::hex;

/// Everything that goes into a response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Input<'a> {
    /// The algorithm.
    pub algorithm: Algorithm,
    /// The user name's bytes, not hashed.
    pub username: &'a [u8],
    /// The realm.
    pub realm: &'a [u8],
    /// The password.
    pub password: Secret,
    /// The method of the request.
    pub method: &'a [u8],
    /// The uri as in the credentials.
    pub uri: &'a [u8],
    /// The nonce.
    pub nonce: &'a [u8],
    /// `nc` as written, `cnonce` and `qop`; `None` for the form of RFC 2069.
    pub protection: Option<Protection<'a>>,
}

/// What `qop` brings along.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Protection<'a> {
    /// The nonce count as written.
    pub nc: &'a [u8],
    /// The client's nonce.
    pub cnonce: &'a [u8],
    /// `auth` or `auth-int`.
    pub qop: &'a [u8],
    /// The content of the request, for `auth-int`.
    pub body: &'a [u8],
}

fn hash(hash: Hash, parts: &[&[u8]]) -> String {
    use sha2::Digest;
    fn run<D: Digest>(parts: &[&[u8]]) -> String {
        let mut digest = D::new();
        for (i, part) in parts.iter().enumerate() {
            if i > 0 {
                digest.update(b":");
            }
            digest.update(part);
        }
        hex(&digest.finalize())
    }
    match hash {
        Hash::Md5 => run::<md5::Md5>(parts),
        Hash::Sha256 => run::<sha2::Sha256>(parts),
        Hash::Sha512_256 => run::<sha2::Sha512_256>(parts),
    }
}

/// The hash of `user:realm:password` (HA1 without the session's part), as password files of Digest hold it.
pub fn stored(algorithm: Algorithm, username: &[u8], realm: &[u8], password: &Secret) -> Secret {
    Secret::new(hash(algorithm.hash, &[username, realm, password.expose()]))
}

/// The response that belongs to `input`.
pub fn response(input: &Input<'_>) -> Secret {
    respond(&stored(input.algorithm, input.username, input.realm, &input.password), input)
}

/// The response, given the stored hash in place of user name, realm and password of `input`.
pub fn respond(stored: &Secret, input: &Input<'_>) -> Secret {
    let run = |parts: &[&[u8]]| hash(input.algorithm.hash, parts);
    let cnonce = input.protection.map_or(&b""[..], |p| p.cnonce);
    let ha1 = if input.algorithm.session {
        Secret::new(run(&[stored.expose(), input.nonce, cnonce]))
    } else {
        stored.clone()
    };
    let ha2 = match input.protection {
        Some(p) if p.qop.eq_ignore_ascii_case(b"auth-int") => {
            let body = run(&[p.body]);
            run(&[input.method, input.uri, body.as_bytes()])
        }
        _ => run(&[input.method, input.uri]),
    };
    Secret::new(match input.protection {
        Some(p) => run(&[ha1.expose(), input.nonce, p.nc, p.cnonce, p.qop, ha2.as_bytes()]),
        None => run(&[ha1.expose(), input.nonce, ha2.as_bytes()]),
    })
}

/// The hashed user name (RFC 7616 section 3.4.4).
pub fn userhash(algorithm: Algorithm, username: &[u8], realm: &[u8]) -> String {
    hash(algorithm.hash, &[username, realm])
}

/// What [`verify`] found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// The response is the one that belongs to the password and the request.
    Right,
    /// It is another one.
    Wrong,
    /// A parameter that is needed is missing, or the algorithm is not known.
    Undecidable,
}

/// Whether the credentials' response fits `password` and a request with `method` and content `body`. The `uri` is
/// the one of the credentials; whether that is the request's target is another question.
/// `username` replaces the one in the credentials, as a hashed one must be replaced.
pub fn verify(
    credentials: &DigestCredentials,
    username: Option<&str>,
    password: &Secret,
    method: &str,
    body: &[u8],
) -> Verdict {
    let name = match (username, credentials.userhash) {
        (Some(name), _) => Some(name),
        (None, false) => credentials.username.as_deref(),
        (None, true) => None,
    };
    let parts = (
        credentials.algorithm,
        name,
        &credentials.realm,
        &credentials.nonce,
        &credentials.uri,
        &credentials.response,
    );
    let (Some(algorithm), Some(name), Some(realm), Some(nonce), Some(uri), Some(given)) = parts else {
        return Verdict::Undecidable;
    };
    let nc = credentials.nc.clone().unwrap_or_default();
    let cnonce = credentials.cnonce.clone().unwrap_or_default();
    let protection = credentials.qop.as_ref().map(|qop| Protection {
        nc: nc.as_bytes(),
        cnonce: cnonce.as_bytes(),
        qop: qop.as_bytes(),
        body,
    });
    let input = Input {
        algorithm,
        username: name.as_bytes(),
        realm: realm.as_bytes(),
        password: password.clone(),
        method: method.as_bytes(),
        uri: uri.as_bytes(),
        nonce: nonce.as_bytes(),
        protection,
    };
    if response(&input).expose().eq_ignore_ascii_case(given.expose()) {
        Verdict::Right
    } else {
        Verdict::Wrong
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scheme::digest;

    fn verdict(value: &str, user: Option<&str>, password: &str) -> Verdict {
        let read = crate::parse_credentials(value.as_bytes());
        assert!(read.strict_ok(), "{:?}", read.problems);
        let credentials = digest::credentials(&read.value[0]);
        assert_eq!(credentials.problems, []);
        assert_eq!(verify(&credentials, user, &Secret::new("another"), "GET", b""), Verdict::Wrong);
        verify(&credentials, user, &Secret::new(password), "GET", b"")
    }

    #[test]
    fn examples_of_rfc_7616_section_3_9_1() {
        for (algorithm, response) in [
            ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
            ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
        ] {
            let value = format!(
                "Digest username=\"Mufasa\", realm=\"http-auth@example.org\", uri=\"/dir/index.html\", algorithm={algorithm}, \
                 nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", nc=00000001, \
                 cnonce=\"f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ\", qop=auth, response=\"{response}\", \
                 opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\""
            );
            assert_eq!(verdict(&value, None, "Circle of Life"), Verdict::Right);
        }
    }

    /// The hashes that the RFC prints are wrong: these are those of erratum 4897.
    #[test]
    fn example_of_rfc_7616_section_3_9_2_corrected() {
        let algorithm = Algorithm::of("SHA-512-256").unwrap();
        let user = "J\u{e4}s\u{f8}n Doe";
        let hashed = userhash(algorithm, user.as_bytes(), b"api@example.org");
        assert_eq!(hashed, "793263caabb707a56211940d90411ea4a575adeccb7e360aeb624ed06ece9b0b");
        for (name, hash) in [
            (format!("username=\"{hashed}\""), true),
            ("username*=UTF-8''J%C3%A4s%C3%B8n%20Doe".into(), false),
        ] {
            let value = format!(
                "Digest {name}, realm=\"api@example.org\", uri=\"/doe.json\", algorithm=SHA-512-256, \
                 nonce=\"5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK\", nc=00000001, \
                 cnonce=\"NTg6RKcb9boFIAS3KrFK9BGeh+iDa/sm6jUMp2wds69v\", qop=auth, \
                 response=\"3798d4131c277846293534c3edc11bd8a5e4cdcbff78b05db9d95eeb1cec68a5\", \
                 opaque=\"HRPCssKJSGjCrkzDg8OhwpzCiGPChXYjwrI2QmXDnsOS\", userhash={hash}"
            );
            assert_eq!(verdict(&value, hash.then_some(user), "Secret, or not?"), Verdict::Right);
        }
    }

    #[test]
    fn without_the_user_name_a_hashed_one_cannot_be_verified() {
        let value =
            "Digest username=\"00\", realm=\"r\", nonce=\"n\", uri=\"/\", response=\"00\", userhash=true";
        let read = crate::parse_credentials(value.as_bytes());
        let credentials = digest::credentials(&read.value[0]);
        assert_eq!(verify(&credentials, None, &Secret::new("x"), "GET", b""), Verdict::Undecidable);
    }

    #[test]
    fn what_does_not_fit_the_challenge_is_named() {
        let challenge = crate::parse_challenges(
            b"Digest realm=\"a\", nonce=\"n\", algorithm=SHA-256, qop=\"auth\", opaque=\"o\"",
        );
        let answer = crate::parse_credentials(b"Digest username=\"u\", realm=\"b\", nonce=\"n\", uri=\"/\", response=\"0\", qop=auth-int, nc=00000001, cnonce=\"c\"");
        let (challenge, answer) =
            (digest::challenge(&challenge.value[0]), digest::credentials(&answer.value[0]));
        assert_eq!(digest::differences(&challenge, &answer), ["realm", "opaque", "algorithm", "qop"]);
    }
}
