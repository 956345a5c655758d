//! The steps of one handshake: a request, its challenge, the answer to that, and so on.

use crate::correlate::time_of;
use crate::{Attempt, elsewhere};
use std::collections::{HashMap, HashSet};
use why401_auth::placeholder::Sureness;
use why401_auth::token::jwt;
use why401_auth::{percent, placeholder};
use why401_http::{FieldLine, Moment, query_of};

/// How long a client may take to answer a challenge and still be taken to answer it, in seconds. A person at a
/// browser's dialog needs time; a program needs milliseconds.
const ANSWER_WINDOW: f64 = 120.0;

/// How long a program takes to answer a renewed nonce, by a log of whole seconds.
const RENEWAL_WINDOW: f64 = 1.0;

/// How a chain ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// The last request was let in.
    LetIn,
    /// The last request was refused.
    Refused,
    /// The last request was neither: an error of the server, no answer.
    Otherwise,
}

/// Requests of one client for one resource, each answering the challenge before it. The last one decides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chain {
    /// The attempts by number; never empty.
    pub steps: Vec<usize>,
    /// How it ended.
    pub outcome: Outcome,
    /// How many chains like this it stands for.
    pub stands_for: u64,
    /// The refusal that it is a part of, by its number in the case; `None` where there is nothing to explain.
    pub refusal: Option<usize>,
}

impl Chain {
    /// The last step.
    pub fn last(&self) -> usize {
        self.steps.last().copied().unwrap_or_default()
    }

    /// The first step.
    pub fn first(&self) -> usize {
        self.steps.first().copied().unwrap_or_default()
    }
}

/// Puts attempts, given in order of time, together to chains.
pub(crate) fn chains(attempts: &[Attempt]) -> Vec<Chain> {
    let mut open: HashMap<String, usize> = HashMap::new();
    let mut admitted: HashSet<(String, String)> = HashSet::new();
    let mut chains: Vec<Chain> = Vec::new();
    // A request that an intermediary passed on is the same one seen again, no step of its own.
    for attempt in attempts.iter().filter(|a| a.forwarded_from.is_none()) {
        let key = conversation(attempt);
        let continued = open.get(&key).copied().filter(|&i| {
            chains.get(i).and_then(|chain| attempts.get(chain.last())).is_some_and(|before| {
                attempt.folded.is_some()
                    || answers(attempt, before)
                    || renewed_in_log(attempt, before, &admitted)
            })
        });
        if attempt.let_in()
            && let Some(who) = who(attempt)
        {
            admitted.insert(who);
        }
        let index = match continued {
            Some(i) => i,
            None => {
                chains.push(Chain {
                    steps: Vec::new(),
                    outcome: Outcome::Otherwise,
                    stands_for: 1,
                    refusal: None,
                });
                chains.len() - 1
            }
        };
        if let Some(chain) = chains.get_mut(index) {
            chain.steps.push(attempt.id);
            chain.stands_for = chain.stands_for.max(attempt.stands_for);
            chain.outcome = outcome(attempt);
        }
        open.insert(key, index);
    }
    elsewhere::answered(attempts, &mut chains);
    chains
}

fn outcome(attempt: &Attempt) -> Outcome {
    match attempt.status() {
        Some(401 | 403 | 407) => Outcome::Refused,
        _ if attempt.let_in() => Outcome::LetIn,
        _ => Outcome::Otherwise,
    }
}

/// The client and the name that it claims, where a log is all there is.
fn who(a: &Attempt) -> Option<(String, String)> {
    let name = a.logged_name().filter(|_| !a.shows_credentials())?;
    let agent = a.request_field("user-agent").map(|f| f.text().into_owned()).unwrap_or_default();
    Some((format!("{}\n{agent}", a.client()?.host), name.into_owned()))
}

/// A log shows no nonces. A name that this client was let in with before, refused once and let in again at once, is a
/// Digest nonce renewed (RFC 7616 section 3.3): nobody sets a password right that fast.
fn renewed_in_log(next: &Attempt, before: &Attempt, admitted: &HashSet<(String, String)>) -> bool {
    let at_once = matches!((before.time(), next.time()), (Some(b), Some(n)) if (0.0..=RENEWAL_WINDOW).contains(&n.seconds_since(&b)));
    before.status() == Some(401)
        && next.let_in()
        && at_once
        && who(before).is_some_and(|who| self::who(next).as_ref() == Some(&who) && admitted.contains(&who))
}

/// Who talks with whom about what: the client, the method and the path.
fn conversation(a: &Attempt) -> String {
    // The fold saw every line and knows what belongs together.
    if let Some(folded) = &a.folded {
        return format!("\n{}", folded.chain);
    }
    format!("{}\n{}\n{}", parties(a), a.method().unwrap_or_default(), a.path().unwrap_or_default())
}

/// Who talks with whom.
pub(crate) fn parties(a: &Attempt) -> String {
    let client = match a.client() {
        Some(peer) => peer.host.clone(),
        None => format!("source {}", a.view().source.0),
    };
    let server = a
        .request()
        .and_then(|r| r.authority())
        .or_else(|| a.server().map(|s| s.host.clone()))
        .unwrap_or_default();
    let port = a.server().and_then(|s| s.port).unwrap_or_default();
    let agent = a.request_field("user-agent").map(|f| f.text().into_owned()).unwrap_or_default();
    format!("{client}\n{agent}\n{port}\n{server}")
}

/// Whether `next` answers the refusal of `before`, so that the two are steps of one handshake.
fn answers(next: &Attempt, before: &Attempt) -> bool {
    // Who shows no time has the server's, by whole seconds.
    let time = |a: &Attempt| a.time().or_else(|| a.views.iter().find_map(time_of));
    if !matches!(before.status(), Some(401 | 407)) || !in_window(time(before), time(next)) {
        return false;
    }
    if before.forwarded_as == Some(next.id) || before.forwarded_from == Some(next.id) {
        return false;
    }
    match (credentials(before), credentials(next)) {
        (None, None) => logs_agree(before, next) || began_session(before, next),
        (None, Some(field)) => {
            !was_sent_elsewhere(before, field)
                && !client_was_invalid(before)
                && !was_called_again(next, before)
        }
        (Some(_), None) => false,
        (Some(b), Some(n)) => renews(b, n, before, next),
    }
}

/// Whether curl was called again with a user: it answers no 401 that asks for nothing. Who sends a token has got it meanwhile.
fn was_called_again(next: &Attempt, before: &Attempt) -> bool {
    let is_curl = next.request_field("user-agent").is_some_and(|f| f.text().starts_with("curl/"));
    let whole = before
        .views
        .iter()
        .any(|v| v.shows.response_fields && v.response.as_ref().is_some_and(|r| r.complete));
    let asks = before.response().is_some_and(|r| {
        r.fields.all("www-authenticate").chain(r.fields.all("proxy-authenticate")).next().is_some()
    });
    let is_basic = credentials(next)
        .is_some_and(|f| f.text().get(..6).is_some_and(|s| s.eq_ignore_ascii_case("basic ")));
    is_curl && is_basic && whole && !asks
}

/// Whether a token endpoint has looked at a form and not known its client (RFC 6749 section 5.2): it asked for nothing.
fn client_was_invalid(before: &Attempt) -> bool {
    let form = before
        .request_field("content-type")
        .is_some_and(|f| f.text().starts_with("application/x-www-form-urlencoded"));
    let asks = before.response().is_some_and(|r| r.fields.all("www-authenticate").next().is_some());
    form && !asks && before.response().is_some_and(|r| r.body.text().contains("invalid_client"))
}

/// Whether the secret of this field was sent before in another place, where it was not taken: then nobody was asked, but a
/// program was mended.
fn was_sent_elsewhere(before: &Attempt, field: &FieldLine) -> bool {
    let text = field.text();
    // What proves knowledge of a secret shows none: a Digest value repeats the query.
    let words: Vec<&str> = match text.split_once(' ') {
        Some((scheme, rest)) if !PROOFS.contains(&scheme.to_ascii_lowercase().as_str()) => {
            rest.split([' ', '"', ',', '=']).filter(|word| is_long(word)).collect()
        }
        _ => return false,
    };
    let Some(request) = before.request().filter(|_| !words.is_empty()) else { return false };
    let is_one = |value: &str| words.contains(&value);
    let target = request.target();
    let mut query = query_of(&target).unwrap_or_default().split('&').filter_map(|pair| pair.split_once('='));
    // Behind a scheme, perhaps: `X-Authorization: Bearer …`.
    let in_field = |f: &FieldLine| f.text().rsplit(' ').next().is_some_and(is_one);
    request.fields.iter().any(|f| !f.is("cookie") && in_field(f))
        || query.any(|(_, value)| {
            is_long(value) && is_one(&String::from_utf8_lossy(&percent::decode(value.as_bytes())))
        })
}

/// Schemes whose values are made of the request and a secret (RFC 7616, RFC 5849, Amazon's Signature Version 4, Hawk).
const PROOFS: &[&str] = &["digest", "oauth", "aws4-hmac-sha256", "hawk", "signature"];

/// Shorter words stand in two places by chance.
fn is_long(word: &str) -> bool {
    word.len() >= 12
}

/// Whether a word of a programming language stands where the token belongs: no token was there that could be renewed.
fn is_placeholder(value: &str) -> bool {
    let token = value.split_once(' ').map_or("", |(_, token)| token);
    placeholder::find(token.as_bytes()).is_some_and(|found| found.sure == Sureness::Sure)
}

/// Whether the client logged in between the two: the same request is let in with a cookie that it did not have before.
fn began_session(before: &Attempt, next: &Attempt) -> bool {
    let cookie = |a: &Attempt| a.request_field("cookie").map(|f| f.text().into_owned());
    next.let_in() && cookie(next).is_some_and(|new| cookie(before) != Some(new))
}

/// Where logs are all there is: `-` and then a name, or a challenge that was answered by what a log does not show.
fn logs_agree(before: &Attempt, next: &Attempt) -> bool {
    let handshake_step = |a: &Attempt| {
        // SEC_E_NO_CREDENTIALS and no error: the steps of an integrated handshake in an IIS log.
        a.view().log.as_ref().is_some_and(|l| {
            matches!(l.win32, Some(2_148_074_254))
                || l.substatus == Some(2)
                || (l.substatus, l.win32) == (Some(1), Some(0))
        })
    };
    if before.logged_name().is_some() || before.shows_credentials() {
        return false;
    }
    // Neither the log nor the transcript shows what was sent: that the client got in is all there is to go by.
    let unseen = before.logged_dash() || !next.shows_credentials();
    next.logged_name().is_some()
        || (unseen && next.let_in())
        || (before.logged_dash() && handshake_step(before))
}

fn renews(before_field: &FieldLine, next_field: &FieldLine, before: &Attempt, next: &Attempt) -> bool {
    let (b, n) = (before_field.text(), next_field.text());
    let scheme = |v: &str| v.split([' ', '\t']).next().unwrap_or_default().to_ascii_lowercase();
    let (bs, ns) = (scheme(&b), scheme(&n));
    let changed = b != n;
    match (bs.as_str(), ns.as_str()) {
        // The messages of one handshake (RFC 4559 section 5, MS-NTHT section 3).
        ("ntlm" | "negotiate", "ntlm" | "negotiate") => changed || left_http2(before, next),
        // A nonce renewed (RFC 7616 section 3.3): the next answer uses the nonce of this challenge.
        ("digest", "digest") => {
            changed
                && challenge_text(before).is_some_and(|c| {
                    nonce(&c).is_some_and(|fresh| nonce(&n).is_some_and(|used| used == fresh))
                })
        }
        // A proof renewed with the server's nonce (RFC 9449 section 8), or a token refreshed: only if it worked.
        ("bearer" | "dpop", "bearer" | "dpop") => {
            // The same token behind a scheme in other letters is the same token: it was not renewed.
            let token = |v: &str| v.split_whitespace().skip(1).map(str::to_owned).collect::<Vec<_>>();
            next.let_in()
                && !is_placeholder(&b)
                && !refused_for_itself(before_field, before)
                && !for_another(before_field, next_field)
                && (token(&b) != token(&n)
                    || next.request_field("dpop").map(|f| f.text())
                        != before.request_field("dpop").map(|f| f.text()))
        }
        // A helper that asks with the user name alone first (git), then with the password.
        ("basic", "basic") => changed && empty_password(&b),
        ("basic", _) => changed && next.let_in() && empty_password(&b),
        _ => false,
    }
}

/// Whether two tokens are for another service or from another issuer: the second is not the first one renewed.
fn for_another(before: &FieldLine, next: &FieldLine) -> bool {
    let read = |field: &FieldLine| {
        let value = field.value.as_bytes();
        let start = value.iter().position(|b| *b == b' ').map_or(0, |i| i + 1);
        value.get(start..).is_some_and(jwt::looks_like).then(|| jwt::read(value, start..value.len()))
    };
    let (Some(before), Some(next)) = (read(before), read(next)) else { return false };
    before.claims.is_some()
        && next.claims.is_some()
        && (before.aud() != next.aud() || before.iss() != next.iss())
}

/// Whether a token was refused that had not expired, by an answer that asks for nothing: it was not renewed, but mended.
fn refused_for_itself(field: &FieldLine, attempt: &Attempt) -> bool {
    let value = field.value.as_bytes();
    let start = value.iter().position(|b| *b == b' ').map_or(0, |i| i + 1);
    let Some(now) = attempt.views.iter().find_map(time_of) else { return false };
    let is_jwt = value.get(start..).is_some_and(jwt::looks_like);
    let asks = attempt.response().is_some_and(|r| r.fields.all("www-authenticate").next().is_some());
    if !is_jwt || asks {
        return false;
    }
    let token = jwt::read(value, start..value.len());
    token.exp().is_some_and(|end| end > now.at.as_second())
}

/// Whether the client begins its handshake again over HTTP/1.1: HTTP/2 has no connection that it could authenticate (curl
/// says "Forcing HTTP/1.1 for NTLM").
fn left_http2(before: &Attempt, next: &Attempt) -> bool {
    let version = |a: &Attempt| a.request().map(|r| r.version.clone()).unwrap_or_default();
    version(before).starts_with('2') && version(next).starts_with('1')
}

/// Whether a Basic value is a user name, a colon and nothing: its base64 text ends in an encoded colon.
fn empty_password(field: &str) -> bool {
    let value = field.split_whitespace().nth(1).unwrap_or_default();
    let basic = why401_auth::scheme::basic::read(value.as_bytes(), 0..value.len());
    !basic.user.is_empty() && basic.password.is_some_and(|p| p.is_empty())
}

fn nonce(text: &str) -> Option<&str> {
    let at = text.to_ascii_lowercase().find("nonce=").filter(|&i| {
        // not the end of cnonce=
        i == 0 || !text.get(i - 1..i).is_some_and(|c| c.eq_ignore_ascii_case("c"))
    });
    let at = match at {
        Some(at) => at,
        None => text.to_ascii_lowercase().find(" nonce=").map(|i| i + 1)?,
    };
    let value = text.get(at + 6..)?.trim_start_matches('"');
    value.split(['"', ',', ' ']).next()
}

fn challenge_text(attempt: &Attempt) -> Option<String> {
    let fields = &attempt.response()?.fields;
    let all: Vec<String> = fields
        .all("www-authenticate")
        .chain(fields.all("proxy-authenticate"))
        .map(|f| f.text().into_owned())
        .filter(|t| t.to_ascii_lowercase().contains("digest"))
        .collect();
    if all.is_empty() { None } else { Some(all.join(", ")) }
}

pub(crate) fn credentials(a: &Attempt) -> Option<&FieldLine> {
    let name = if a.status() == Some(407) { "proxy-authorization" } else { "authorization" };
    a.request_field(name)
        .or_else(|| a.request_field("authorization"))
        .or_else(|| a.request_field("proxy-authorization"))
}

pub(crate) fn in_window(before: Option<Moment>, next: Option<Moment>) -> bool {
    match (before, next) {
        (Some(b), Some(n)) => (-1.0..=ANSWER_WINDOW).contains(&n.seconds_since(&b)),
        _ => true,
    }
}
