//! Nearly the right address.

mod image;

use crate::Scene;
use crate::cause::{Answer, Claim, cause};
use crate::scene::same_client;
use why401_history::Attempt;
use why401_report::Party;

cause! {
    /// The address is not the one meant: a typo, letter case, trailing slash, other host, port or version leads to a protected place.
    ///
    /// # What happened
    /// The request went to an address that is protected otherwise, or that does not exist, close to the one that was meant.
    ///
    /// # How it is decided
    /// A close address that the same client uses with success, or that needs no credentials. Of images: Docker Hub was
    /// asked for a name that begins with another registry's host.
    ///
    /// # Who acts
    /// Whoever writes or configures the client.
    ///
    /// # What to do
    /// Compare the address with the documented one, letter by letter.
    ///
    /// # Evidence needed
    /// A request to the right address in the same evidence.
    ///
    /// # Not to be confused with
    /// resource-hidden: the name of the thing is wrong, and the server hides whether it exists.
    ///
    /// # References
    /// RFC 3986 section 6.2 (comparing addresses).
    pub WrongAddress = "wrong-address" in Request, Fault by Caller, over ["credentials-refused", "no-credentials", "intermediary-challenged"]
}

impl WrongAddress {
    fn detect(scene: &Scene<'_>) -> Answer {
        let told = || match scene.told_claim("wrong-address", "another address is meant") {
            Some(claim) => claim
                .fix(
                    Party::Caller,
                    "Compare the address that the client uses with the documented one, letter by letter.",
                )
                .as_told(),
            None => Answer::RuledOut,
        };
        if let Some(claim) = image::at_another_registry(scene) {
            return claim.weighing(14).likely();
        }
        let Some(step) = scene.refused().filter(|s| s.status() == Some(401)) else { return told() };
        let a = step.attempt;
        let Some(path) = a.path().filter(|p| p.len() > 1) else { return told() };
        // Where it was ever let in, the address is right.
        // Of a large log the fold knows of all requests, not of examples alone.
        let works = a.folded.as_ref().is_some_and(|f| f.works.0);
        if works
            || scene
                .case
                .index
                .of_path(path)
                .iter()
                .filter_map(|&i| scene.case.attempt(i))
                .any(Attempt::let_in)
        {
            return told();
        }
        let near = scene
            .case
            .index
            .paths()
            .take(2000)
            .filter_map(|(other, ids)| closeness(path, other).map(|c| (c, other, ids)))
            .filter_map(|(c, other, ids)| {
                let good = ids.iter().filter_map(|&i| scene.case.attempt(i)).find(|b| {
                    b.served()
                        && b.method() == a.method()
                        && same_client(a, b)
                        && (b.user == a.user || a.user.is_none() || (c <= 1 && needs_none(b)))
                        && (c < 3 || same_credentials(a, b))
                })?;
                Some((c, other.to_owned(), good))
            })
            .min_by_key(|(c, ..)| *c);
        let Some((closeness, other, good)) = near else { return told() };
        // With credentials there and none here, it is the credentials that differ.
        let unlike = good.carries_credentials() && closeness > 1
            || a.shows_credentials() && !good.shows_credentials() && good.view().log.is_none();
        if unlike && !a.carries_credentials() {
            return told();
        }
        let claim =
            Claim::new(format!("{path} is refused, and {other}, which the same client uses too, is let in"))
                .shown(super::client_changed::line(scene, a, "refused"))
                .shown(super::client_changed::line(scene, good, "let in"))
                .fix(Party::Caller, format!("Use {other}."))
                .or("acl-denied", "whether this account may use the address at all");
        if closeness <= 1 { claim.confirmed() } else { claim.likely() }
    }
}

/// Whether the request was let in without credentials, in evidence that would show them.
fn needs_none(b: &Attempt) -> bool {
    b.shows_credentials() && !b.carries_credentials()
}

/// Whether both carry the same Authorization, to the same host.
fn same_credentials(a: &Attempt, b: &Attempt) -> bool {
    let of = |x: &Attempt| x.request_field("authorization").map(|f| f.text().into_owned());
    let host = |x: &Attempt| x.request().and_then(|r| r.authority());
    of(a).is_some() && of(a) == of(b) && host(a) == host(b)
}

/// How close two paths are: 0 a trailing slash, 1 letter case, 2 a letter or two, 3 a segment in front (`/api`); `None` if
/// they are not, or differ by numbers, which name other things of one kind.
fn closeness(a: &str, b: &str) -> Option<u8> {
    if a == b {
        return None;
    }
    if (a.ends_with('/') || b.ends_with('/')) && a.trim_end_matches('/') == b.trim_end_matches('/') {
        return Some(0);
    }
    if a.eq_ignore_ascii_case(b) {
        return Some(1);
    }
    if in_front(a, b) || in_front(b, a) {
        return Some(3);
    }
    let letters = |t: &str| t.chars().filter(|c| !c.is_ascii_digit()).collect::<String>();
    let slashes = |t: &str| t.bytes().filter(|b| *b == b'/').count();
    // What tells most of them apart first: every refused path is held against very many others.
    let same_shape = a.len() >= 8
        && a.len().abs_diff(b.len()) <= 8
        && a.bytes().filter(u8::is_ascii_digit).eq(b.bytes().filter(u8::is_ascii_digit))
        && slashes(a) == slashes(b);
    (same_shape && crate::near::slip(letters(a).as_bytes(), letters(b).as_bytes()).is_some()).then_some(2)
}

/// Whether the longer path is the other with one segment before it.
fn in_front(longer: &str, path: &str) -> bool {
    let first = longer.strip_suffix(path).and_then(|first| first.strip_prefix('/'));
    path.matches('/').count() > 1 && first.is_some_and(|first| !first.is_empty() && !first.contains('/'))
}
