//! What a refused client gets to see: the status, the challenge, and a reference. Why, only the operator learns.

use crate::config::Body;
use crate::decide::Refused;
use crate::http::{Answer, Head, answer::status_text};

/// The answer of a refusal. Its content is the same for every cause of one status.
pub(crate) fn answer(refused: &Refused, reference: &str, form: Body, head: Option<&Head>) -> Answer {
    let (status, reason) = status_text(refused.status);
    let wants_json = match form {
        Body::Text => false,
        Body::Json => true,
        Body::Auto => head.is_some_and(|h| {
            h.all("accept").any(|a| memchr::memmem::find(&a.to_ascii_lowercase(), b"json").is_some())
        }),
    };
    let mut answer = match wants_json {
        true => {
            let body = format!(
                "{{\"type\":\"about:blank\",\"title\":\"{reason}\",\"status\":{status},\"reference\":\"{reference}\"}}\n"
            );
            Answer { status: refused.status, body: body.into_bytes(), ..Answer::default() }
                .with("Content-Type", "application/problem+json")
        }
        false => Answer::text(refused.status, format!("{status} {reason}\nreference: {reference}\n")),
    };
    let name = if refused.status == 407 { "Proxy-Authenticate" } else { "WWW-Authenticate" };
    for challenge in &refused.challenges {
        answer = answer.with(name, challenge.clone());
    }
    if let Some(allow) = &refused.allow {
        answer = answer.with("Allow", allow.clone());
    }
    if let Some(seconds) = refused.retry_after {
        answer = answer.with("Retry-After", seconds.to_string());
    }
    answer.with("Cache-Control", "no-store")
}

/// A reference: 60 random bits in Crockford's base 32, which nobody misreads on the telephone.
pub(crate) fn reference(random: u64) -> String {
    const DIGITS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    let digit = |i: u64| DIGITS.get((random >> (5 * i) & 31) as usize).copied().unwrap_or(b'0');
    (0..12).map(|i| char::from(digit(i))).collect()
}

/// What somebody typed, as a reference: lower case and the letters that look like digits are taken.
pub(crate) fn typed(text: &str) -> Option<String> {
    let read: String = text
        .trim()
        .to_ascii_uppercase()
        .chars()
        .filter(|c| *c != '-')
        .map(|c| match c {
            'O' => '0',
            'I' | 'L' => '1',
            c => c,
        })
        .collect();
    (read.len() == 12 && read.bytes().all(|b| b.is_ascii_alphanumeric())).then_some(read)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cause_of_a_status_looks_the_same() {
        let texts: Vec<Vec<u8>> = ["unknown-user", "wrong-password", "account-locked"]
            .map(|cause| {
                let refused = Refused::new(401, cause, format!("says {cause}"));
                let mut out = Vec::new();
                answer(&refused, "0123456789AB", Body::Auto, None).write(false, true, &mut out);
                out
            })
            .to_vec();
        assert!(texts.iter().all(|t| *t == texts[0]));
        assert!(!String::from_utf8_lossy(&texts[0]).contains("says"));
    }

    #[test]
    fn references_are_read_as_people_type_them() {
        let made = reference(0x0fed_cba9_8765_4321);
        assert_eq!(typed(&made.to_lowercase()), Some(made.clone()));
        assert_eq!(typed(" 0123-4567-89ab "), Some("0123456789AB".to_owned()));
        assert_eq!(typed("O123456789AL"), Some("0123456789A1".to_owned()));
        assert_eq!(typed("../../etc/pa"), None);
    }
}
