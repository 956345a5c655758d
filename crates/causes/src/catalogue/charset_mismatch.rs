//! Letters that two sides spell otherwise.

use crate::Scene;
use crate::cause::{Answer, Claim, cause};
use why401_auth::scheme::basic::{Basic, Charset};
use why401_report::Party;

cause! {
    /// User name or password has non-ASCII characters, encoded otherwise than the server expects.
    ///
    /// # What happened
    /// A name or password with letters such as ä or é was encoded in one charset and is compared in another, so the same
    /// password is other bytes.
    ///
    /// # How it is decided
    /// Bytes outside ASCII in the decoded value. Certain where the challenge says `charset="UTF-8"` and the bytes are not
    /// UTF-8, or where the same text in the other encoding was accepted; otherwise likely.
    ///
    /// # Who acts
    /// Whoever writes the client.
    ///
    /// # What to do
    /// Encode as the challenge says (UTF-8), or, if it says nothing, as the server's operator says; a password of ASCII
    /// letters works everywhere.
    ///
    /// # Evidence needed
    /// The request as it was sent, and the challenge.
    ///
    /// # Not to be confused with
    /// wrong-password: with ASCII letters only, the charset plays no part.
    ///
    /// # References
    /// RFC 7617 sections 2 and 2.1 (charset); RFC 7616 section 4.
    pub CharsetMismatch = "charset-mismatch" in Unreadable, Fault by Caller,
        over ["credentials-refused", "wrong-password", "unknown-user", "near-miss-credentials"]
}

impl CharsetMismatch {
    fn detect(scene: &Scene<'_>) -> Answer {
        let told = || scene.told("charset-mismatch", "the charset of the credentials is wrong");
        let Some(step) = scene.refused() else { return told() };
        let Some(sent) = step.credentials() else { return told() };
        if let Some(claim) = squeezed(scene, sent) {
            return claim.confirmed();
        }
        let Some(basic) = sent.basic().filter(|b| !matches!(b.charset, Charset::Ascii) && b.is_well_formed())
        else {
            return Answer::RuledOut;
        };
        let demanded = step.challenge("basic").and_then(|(o, c)| c.param("charset").map(|p| (o, p)));
        let mut claim = Claim::new(format!("user name or password has letters outside ASCII, encoded as {}", basic.charset.name()))
            .shown([scene.show_field(sent.view, sent.field, format!("decodes to text that is {}", basic.charset.name()))])
            .fix(Party::Caller, "Encode user name and password as the server expects (UTF-8 where the challenge says charset=\"UTF-8\"), or use a password of ASCII letters.")
            .or("wrong-password", "the same password in the other encoding, or one of ASCII letters");
        let says_utf8 = demanded.as_ref().is_some_and(|(_, p)| p.bytes().eq_ignore_ascii_case(b"utf-8"));
        if let Some((offered, param)) = demanded {
            claim = claim.shown([scene.show_in_field(
                offered.view,
                offered.field,
                param.range(),
                "the server reads this charset",
            )]);
        }
        let accepted = scene.attempts().filter(|a| a.let_in()).any(|a| {
            crate::Step::of(a)
                .credentials()
                .and_then(|s| s.basic().map(|b| same_in_other_charset(b, basic)))
                .unwrap_or(false)
        });
        match (basic.charset, says_utf8, accepted) {
            (_, _, true) => claim.confirmed(),
            (Charset::Other, true, _) => claim.confirmed(),
            // UTF-8 where UTF-8 is asked for is as it should be.
            (Charset::Utf8, true, _) => Answer::RuledOut,
            (Charset::Other, false, _) => claim.likely(),
            (Charset::Utf8, false, _) => claim.possible(),
            (Charset::Ascii, ..) => Answer::RuledOut,
        }
    }
}

/// Whether two pairs are the same text in two charsets: the same letters of ASCII, and between them others that are UTF-8
/// in one and are not in the other, where each takes one byte (ISO-8859-1, windows-1252, code page 850 and the like).
fn same_in_other_charset(a: &Basic, b: &Basic) -> bool {
    let (x, y) = (a.text.expose(), b.text.expose());
    match (std::str::from_utf8(x), std::str::from_utf8(y)) {
        (Ok(utf8), Err(_)) => spelt_alike(utf8, y),
        (Err(_), Ok(utf8)) => spelt_alike(utf8, x),
        _ => false,
    }
}

fn spelt_alike(utf8: &str, single: &[u8]) -> bool {
    utf8.chars().count() == single.len()
        && utf8
            .chars()
            .zip(single)
            .all(|(c, b)| if c.is_ascii() { u32::from(c) == u32::from(*b) } else { !b.is_ascii() })
}

/// A pair in ASCII that has question marks where an accepted one has letters outside ASCII: these were lost before it was
/// encoded.
fn squeezed(scene: &Scene<'_>, sent: &crate::Sent<'_>) -> Option<Claim> {
    let basic = sent.basic().filter(|b| b.charset == Charset::Ascii && b.text.expose().contains(&b'?'))?;
    let lost = |good: &Basic| {
        let whole = String::from_utf8_lossy(good.text.expose());
        let mine = basic.text.expose();
        whole.chars().count() == mine.len()
            && !whole.is_ascii()
            && whole
                .chars()
                .zip(mine)
                .all(|(c, b)| if c.is_ascii() { c == char::from(*b) } else { *b == b'?' })
    };
    let good = scene
        .attempts()
        .filter(|a| a.let_in())
        .find(|a| crate::Step::of(a).credentials().and_then(crate::Sent::basic).is_some_and(lost))?;
    let claim = Claim::new(
        "question marks were sent where the accepted credentials have letters outside ASCII",
    )
    .shown([scene.show_field(sent.view, sent.field, "letters were lost")])
    .shown(good.request_field("authorization").map(|f| scene.show_field(good.view(), f, "let in with them")))
    .fix(
        Party::Caller,
        "Encode user name and password in UTF-8 before the base64, or use a password of ASCII letters.",
    );
    Some(claim)
}
