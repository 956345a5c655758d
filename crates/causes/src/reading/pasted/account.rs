//! Finds what rules look for in a person's sentences.

use super::{Rule, Told};
use crate::phrase;
use std::ops::Range;

/// More sentences of one text are not read.
const MOST: usize = 400;
/// Longer sentences are program text or logs, in bytes.
const LONGEST: usize = 600;

/// Where a sentence stands, and its words.
type Sentence = (Range<usize>, String);

/// What is told in these texts: of each rule the first place that fits.
pub(super) fn read(texts: &[(usize, String)], rules: impl Iterator<Item = &'static Rule>) -> Vec<Told> {
    let around: String = texts.iter().map(|(_, t)| phrase::plain(t)).collect();
    let told: Vec<(usize, Vec<Sentence>)> = texts
        .iter()
        .map(|(fact, text)| {
            let sentences = sentences(text).map(|r| (r.clone(), text.get(r).map(phrase::plain)));
            let plain = sentences.filter_map(|(r, plain)| Some((r, plain?)));
            (*fact, plain.take(MOST).collect())
        })
        .collect();
    let mut found = Vec::new();
    for rule in rules {
        if !rule.around.iter().all(|group| phrase::any(&around, group)) {
            continue;
        }
        let place = told.iter().find_map(|(fact, sentences)| Some((*fact, place(rule, sentences)?)));
        if let Some((fact, range)) = place {
            found.push(Told { cause: rule.cause, fact, range, rule });
        }
    }
    found
}

/// The sentence, or the two, in which a rule finds all that it looks for.
fn place(rule: &Rule, sentences: &[Sentence]) -> Option<Range<usize>> {
    let fits = |plain: &str| rule.near.iter().all(|group| phrase::any(plain, group));
    let free = |plain: &str| !phrase::any(plain, rule.not);
    let one = sentences.iter().find(|(_, plain)| fits(plain) && free(plain)).map(|(r, _)| r.clone());
    one.or_else(|| {
        sentences.windows(2).find_map(|pair| {
            let [(first, a), (second, b)] = pair else { return None };
            let both = format!("{a}{b}");
            (fits(&both) && free(&both)).then_some(first.start..second.end)
        })
    })
}

/// Sentences: to a full stop and the like with a blank behind it, to an empty line, to a line that begins a list item.
fn sentences(text: &str) -> impl Iterator<Item = Range<usize>> + '_ {
    let mut ends: Vec<usize> = Vec::new();
    let bytes = text.as_bytes();
    for (i, b) in bytes.iter().enumerate() {
        let next = bytes.get(i + 1);
        let blank = next.is_none_or(u8::is_ascii_whitespace);
        let stop = matches!(b, b'.' | b'!' | b'?') && blank;
        let line = *b == b'\n'
            && next.is_none_or(|n| matches!(n, b'\n' | b'\r' | b'-' | b'*' | b'#' | b'>' | b'$' | b' '));
        // A line of program text or of a log is no sentence's beginning.
        let code = *b == b'\n'
            && bytes.get(i.wrapping_sub(1)).is_some_and(|c| matches!(c, b';' | b'{' | b'}' | b')' | b':'));
        if stop || line || code {
            ends.push(i + 1);
        }
    }
    ends.push(text.len());
    let mut from = 0;
    ends.into_iter().filter_map(move |end| {
        let start = std::mem::replace(&mut from, end);
        let part = text.get(start..end)?;
        let begin = start + part.len() - part.trim_start().len();
        let end = start + part.trim_end().len();
        // Lines of a transcript are nobody's words.
        let shown = |l: &str| ["< ", "> ", "* ", "HTTP/", "{", "<"].iter().any(|m| l.starts_with(m));
        let spoken = begin < end && !text.get(begin..end).is_some_and(shown);
        (spoken && end - begin <= LONGEST).then_some(begin..end)
    })
}

#[cfg(test)]
mod tests {
    use super::super::rules;
    use super::*;

    fn causes(text: &str) -> Vec<&'static str> {
        let mut all: Vec<_> =
            read(&[(0, text.to_owned())], rules::all()).into_iter().map(|t| t.cause).collect();
        all.dedup();
        all
    }

    #[test]
    fn sentences_end_where_people_end_them() {
        let text = "It works. Then 1.2 fails\nfor me!\n\n- a list\nlocation / {\n}";
        let found: Vec<_> = sentences(text).filter_map(|r| text.get(r)).collect();
        assert_eq!(found, ["It works.", "Then 1.2 fails\nfor me!", "- a list\nlocation / {", "}"]);
        assert_eq!(sentences("").count(), 0);
        assert_eq!(sentences(" . \n\n").count(), 1);
    }

    #[test]
    fn accounts_are_understood() {
        let missed: Vec<_> = CASES.iter().filter(|(text, cause)| !causes(text).contains(cause)).collect();
        assert!(missed.is_empty(), "{missed:#?}");
    }

    #[test]
    fn other_accounts_tell_nothing() {
        for text in [
            "I get 401 from the API. What am I doing wrong?",
            "The clocks are in sync, I checked the time.",
            "The proxy works fine, and so does the application. Thanks for the great work!",
            "User name and password are correct.",
            "We use nginx with basic auth. Every request is refused with 401.",
        ] {
            assert!(causes(text).is_empty(), "{text}: {:?}", causes(text));
        }
    }

    const CASES: &[(&str, &str)] = &[
        (
            "I get the popup for nginx and then every request is 401. If I deactivate auth in nginx it loads correctly.",
            "layers-collide",
        ),
        (
            "The login of the proxy is sent on to the application in the same Authorization header.",
            "layers-collide",
        ),
        (
            "The header arrives with the dev server, but behind Apache the Authorization header is empty.",
            "dropped-by-intermediary",
        ),
        (
            "Calling the service directly on port 8080 with the token works. Through the nginx proxy I get 401.",
            "dropped-by-intermediary",
        ),
        (
            "From another machine it works, but when browsing on the server itself I am prompted three times. Windows authentication, IIS 8.",
            "loopback-check",
        ),
        (
            "The site works by IP address, with the host name IE keeps prompting. IIS with Windows authentication.",
            "kerberos-refused",
        ),
        ("After the redirect from http to https the Authorization header is gone.", "dropped-on-redirect"),
        ("With the trailing slash it works, without it I get 401.", "dropped-on-redirect"),
        (
            "I changed the password of the service account yesterday. Since then every run fails with 401.",
            "credentials-changed",
        ),
        (
            "Login answers 200, but the next request is 401: the session cookie is not sent.",
            "session-missing",
        ),
        (
            "Login works fine, then the following calls are 401. We run three replicas and the session is in memory.",
            "session-missing",
        ),
        ("The camera's clock is 7 minutes ahead of the server.", "clock-skew"),
        (
            "It works on the internal network, from the internet I get 401; allow 10.0.0.0/8 is set.",
            "address-not-allowed",
        ),
        ("It works after clearing the cookies, or in a private window. Else I get 401.", "session-expired"),
        (
            "My account has 2FA enabled and I use my normal password. The answer is 401.",
            "second-factor-required",
        ),
        (
            "Sometimes it works, sometimes 401, with the same token. There are two replicas behind the load balancer.",
            "server-misconfigured",
        ),
    ];
}
