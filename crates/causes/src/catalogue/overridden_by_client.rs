//! Other credentials than the ones given.

use crate::cause::{Answer, Claim, cause};
use crate::reading::configured::stores;
use crate::reading::token;
use crate::{Scene, Sent};
use why401_auth::percent;
use why401_history::Attempt;
use why401_http::{FactKind, Speaker};
use why401_report::Party;

cause! {
    /// The client library replaced the credentials that its user gave with those of another store.
    ///
    /// # What happened
    /// A `.netrc`, a credential helper, an environment variable or a saved session took precedence over what was given.
    ///
    /// # How it is decided
    /// The credentials on the wire are not the ones given, and are those of the other store; or the client says itself
    /// which store it used.
    ///
    /// # Who acts
    /// Whoever configures the client.
    ///
    /// # What to do
    /// Remove or correct the entry in the other store, or tell the client not to use it.
    ///
    /// # Evidence needed
    /// The command or code, the request as it was sent, and the other store.
    ///
    /// # Not to be confused with
    /// credentials-refused: the credentials given were sent.
    ///
    /// # References
    /// RFC 9110 section 11.6.2 (Authorization); requests, "netrc authentication" (a matching entry overrides an explicit
    /// Authorization field); gh, environment variables (GH_TOKEN and GITHUB_TOKEN take precedence over stored credentials).
    pub OverriddenByClient = "overridden-by-client" in NotSent, Fault by Caller,
        over ["credentials-refused", "wrong-password", "unknown-user", "token-revoked", "token-expired"]
}

impl OverriddenByClient {
    fn detect(scene: &Scene<'_>) -> Answer {
        let told =
            || match printed(scene).or_else(|| without_netrc(scene)).or_else(|| named_in_address(scene)) {
                Some(claim) => claim.likely(),
                None => scene.told("overridden-by-client", "credentials of another store took precedence"),
            };
        let Some(step) = scene.refused() else { return told() };
        let Some(sent) = step.credentials() else { return told() };
        if let Some(answer) = another_scheme(scene, sent) {
            return answer;
        }
        let given = scene.case.facts.iter().find_map(|f| match &f.kind {
            FactKind::Command { user: Some(user), .. } => {
                Some((f, user.split(':').next().unwrap_or(user).to_owned()))
            }
            FactKind::Command { userinfo: Some(u), .. } => Some((f, u.user.clone())),
            FactKind::Intended { user: Some(user), .. } => Some((f, user.clone())),
            _ => None,
        });
        let bearer_given = scene.case.facts.iter().find(|f| match &f.kind {
            FactKind::Command { fields, .. } => fields.iter().any(|(name, value)| {
                name.eq_ignore_ascii_case("authorization")
                    && !value.expose().to_ascii_lowercase().starts_with("basic")
            }),
            _ => false,
        });
        // Where several commands were given, one of them may have given just these.
        let used_is_given = |used: &str| {
            scene.case.facts.iter().any(|f| match &f.kind {
                FactKind::Command { user: Some(user), .. } => user.split(':').next() == Some(used),
                FactKind::Command { userinfo: Some(u), .. } => u.user == used,
                _ => false,
            })
        };
        let used = sent.basic().map(|b| b.user_text().into_owned());
        let here = step.request().and_then(|(_, r)| r.authority()).map(|a| match a.rsplit_once(':') {
            Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) => host.to_owned(),
            _ => a,
        });
        let netrc = scene.case.facts.iter().find(|f| match &f.kind {
            // An entry for another machine was not the one used; `default` is for all others.
            FactKind::Netrc { machine, login: Some(login), .. } => {
                used.as_deref() == Some(login)
                    && machine
                        .as_ref()
                        .is_none_or(|m| here.as_ref().is_none_or(|h| h.eq_ignore_ascii_case(m)))
            }
            _ => false,
        });
        let (summary, first) = match (&given, &used, bearer_given) {
            (Some((fact, user)), Some(used), _)
                if !same_user(user, used) && !user.is_empty() && !used.is_empty() && !used_is_given(used) =>
            {
                (format!("{user} was given, and the request carries the credentials of {used}"), *fact)
            }
            (_, Some(used), Some(fact)) => (
                format!(
                    "another Authorization field was given, and the request carries Basic credentials of {used}"
                ),
                fact,
            ),
            _ => match netrc.filter(|_| token_given(scene)) {
                Some(entry) => (
                    "a token was given, and the request carries the Basic credentials of the .netrc"
                        .to_owned(),
                    entry,
                ),
                None => {
                    let found = a_key_was_given(scene, sent).or_else(|| by_shown_netrc(scene, sent));
                    return found.unwrap_or_else(told);
                }
            },
        };
        let mut claim = Claim::new(summary)
            .shown([scene.show_fact(first, "given here")])
            .shown([scene.show_field(sent.view, sent.field, "sent instead")])
            .fix(Party::Caller, "Find the store that the client took these from (.netrc, credential helper, environment variable, saved session) and correct or remove its entry for this host.");
        let stored = used.as_deref().and_then(|used| stores::of_login(scene, step, used));
        match (netrc, stored) {
            (Some(entry), _) => {
                claim = claim.shown([scene.show_fact(entry, "this entry was used")]);
                claim.confirmed()
            }
            (None, Some((fact, range))) => claim
                .shown([scene.show_part(fact.source, &fact.text, range, "this entry was used")])
                .confirmed(),
            (None, None) => {
                claim.or("wrong-account", "whether these were given for this request after all").likely()
            }
        }
    }
}

/// Whether two spellings are of one user: addresses have names percent-encoded (RFC 3986 section 3.2.1).
fn same_user(given: &str, used: &str) -> bool {
    percent::decode(given.as_bytes()) == percent::decode(used.as_bytes())
}

/// Whether program text or a person's words give a token.
fn token_given(scene: &Scene<'_>) -> bool {
    const GIVES: &[&str] = &[
        "oauth_token",
        "private_token",
        "job_token",
        "access_token",
        "api_token",
        "token=",
        "api_key=",
        "apikey=",
        "api_key:",
        "apikey:",
        "token_auth",
        "bearer",
        "--token",
        "--api-key",
        "--access-token",
    ];
    let gives = |text: &str| GIVES.iter().any(|g| text.contains(g));
    let commands = scene.case.facts.iter().filter(|f| matches!(f.kind, FactKind::Command { .. }));
    if commands.take(100).any(|f| gives(&f.text.to_text().to_ascii_lowercase())) {
        return true;
    }
    scene.statements().any(|s| {
        let text = s.text.to_text().to_ascii_lowercase();
        let field = text.contains("authorization") && text.contains("token") || called_with_a_secret(&text);
        s.speaker != Speaker::ServerLog && (field || gives(&text))
    })
}

/// Whether a call has nothing but one long literal of letters and digits, or of what stands for them: `Client("3f0c…")`.
fn called_with_a_secret(text: &str) -> bool {
    text.match_indices('(').take(50).any(|(at, _)| {
        let literal = text.get(at + 1..).and_then(|rest| rest.strip_prefix(['"', '\'']));
        let Some((secret, behind)) = literal.and_then(|l| l.split_once(['"', '\''])) else { return false };
        let key = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'*' | b'_' | b'-');
        secret.len() >= 20 && secret.bytes().all(key) && behind.starts_with(')')
    })
}

/// Without the request itself: a command or print-out with the Basic pair of a `.netrc` entry, where a token was given.
fn printed(scene: &Scene<'_>) -> Option<Claim> {
    let (entry, login) = scene.case.facts.iter().find_map(|f| match &f.kind {
        FactKind::Netrc { login: Some(login), .. } => Some((f, login)),
        _ => None,
    })?;
    let (sent, _) = scene.case.facts.iter().find_map(|f| match &f.kind {
        FactKind::Command { fields, .. } => fields
            .iter()
            .find(|(name, value)| is_basic_of(name, value.expose(), login))
            .map(|field| (f, field)),
        _ => None,
    })?;
    let given = scene.statements().find(|s| {
        let text = s.text.to_text().to_ascii_lowercase();
        text.contains("authorization") && (text.contains("bearer") || text.contains("token"))
    })?;
    Some(
        Claim::new(format!("a token was given, and the request carries the Basic credentials of {login} in the .netrc"))
            .shown([scene.show_statement(given, "given here")])
            .shown([scene.show_fact(sent, "sent instead")])
            .shown([scene.show_fact(entry, "this entry was used")])
            .fix(Party::Caller, "Tell the client not to read the .netrc (trust_env=False in requests and httpx), or remove its entry for this host."),
    )
}

/// It works once the `.netrc` is out of the way (`NETRC=/dev/null`, `trust_env`), which has an entry.
fn without_netrc(scene: &Scene<'_>) -> Option<Claim> {
    let entry = scene.case.facts.iter().find(|f| matches!(f.kind, FactKind::Netrc { .. }))?;
    let mut texts = scene.texts();
    let (source, text, range) = texts.find_map(|(source, text)| {
        let plain = text.to_text().to_ascii_lowercase();
        let mark = ["netrc=/dev/null", "trust_env = false", "trust_env=false"]
            .into_iter()
            .find(|m| plain.contains(m))?;
        let at = plain.find(mark)?;
        Some((source, text, at..at + mark.len()))
    })?;
    Some(
        Claim::new("it works without the .netrc, which has an entry")
            .shown([scene.show_fact(entry, "this entry takes the place of what was given")])
            .shown([scene.show_part(source, text, range, "without it")])
            .fix(Party::Caller, "Remove the entry for this host, or let the program read no .netrc (NETRC=/dev/null; trust_env=False in requests).")
            .or("wrong-account", "whose credentials the entry holds"),
    )
}

/// Somebody's address names one user, and the request arrived as another one, who stands in a `.netrc`.
fn named_in_address(scene: &Scene<'_>) -> Option<Claim> {
    let step = scene.refused()?;
    let used = step.attempt.logged_name()?.into_owned();
    let stored = scene.texts().find(|(_, text)| {
        let text = text.to_text();
        text.contains(&format!("login {used}")) || (text.contains(".netrc") && text.contains(&used))
    })?;
    let (source, text, at, user) = scene.texts().find_map(|(source, text)| {
        let plain = text.to_text();
        let (from, _) = plain.match_indices("://").find(|(at, _)| user_of(&plain, at + 3).is_some())?;
        let user = user_of(&plain, from + 3)?.to_owned();
        (user != used).then(|| (source, text, from + 3..from + 3 + user.len(), user))
    })?;
    let line = step.attempt.views.iter().find_map(|v| v.log.as_ref().map(|_| v));
    let mut claim = Claim::new(format!("the address names {user}, and the request arrived as {used}"))
        .shown([scene.show_part(source, text, at, "given here")])
        .shown([scene.show_part(
            stored.0,
            stored.1,
            0..stored.1.to_text().len().min(80),
            "this entry was used",
        )])
        .fix(Party::Caller, "Remove the entry of the .netrc for this host, or let the client read none.")
        .weighing(6);
    if line.is_some() {
        claim = claim.shown(super::client_changed::line(scene, step.attempt, "arrived so"));
    }
    Some(claim)
}

/// The entry of a `.netrc` that was shown is for the user whose Basic credentials were sent, while the program was to send
/// something else (requests, "netrc Authentication": it takes the place of what was given).
fn by_shown_netrc(scene: &Scene<'_>, sent: &Sent<'_>) -> Option<Answer> {
    let user = sent.basic()?.user_text().into_owned();
    let texts: Vec<_> = scene.texts().collect();
    let find = |mark: &str| {
        texts.iter().find_map(|(source, text)| {
            let at = text.to_text().find(mark)?;
            Some((*source, *text, at..at + mark.trim_end().len()))
        })
    };
    let named = find(".netrc").filter(|_| !user.is_empty())?;
    let entry = find(&format!("login {user} ")).or_else(|| find(&format!("login {user}\n")));
    // An entry of somebody else was not the one that was used.
    if entry.is_none()
        && find("login ").is_some()
        && (find("machine ").is_some() || find("default ").is_some())
    {
        return None;
    }
    if let (Some((source, text, range)), Some(issued)) = (&entry, given_out(scene, sent)) {
        let claim = Claim::new(format!(
            "a token was given out, and the next request carries the Basic credentials of {user}, who stands in a .netrc"
        ))
        .shown(issued.response().map(|r| scene.show_status(issued.view(), r, "a token was given out here")))
        .shown([scene.show_part(*source, text, range.clone(), "this entry was used")])
        .shown([scene.show_field(sent.view, sent.field, "sent instead")])
        .fix(Party::Caller, "Remove the entry of the .netrc for this host (or its default entry), or let the client read none.");
        // An entry for another host was not the one.
        let host = scene.focus().and_then(|s| s.request()?.1.authority());
        let host = host.map(|h| h.split(':').next().unwrap_or_default().to_owned());
        let of_host = host.is_some_and(|h| find(&format!("machine {h}")).is_some());
        return Some(if of_host {
            claim.confirmed()
        } else {
            claim.or("wrong-account", "for which host the entry of the .netrc is").likely()
        });
    }
    // What the program was to send: a field with another scheme.
    let (given_in, given_text, given) = texts.iter().find_map(|(source, text)| {
        let plain = text.to_text().to_ascii_lowercase();
        let at = plain.find("\"authorization\":").or_else(|| plain.find("'authorization':"))?;
        let value = plain.get(at + "'authorization':".len()..)?.trim_start();
        let value = value.trim_start_matches(['f', '\'', '"', '`']);
        (!value.starts_with("basic")).then(|| (*source, *text, at..at + "'authorization'".len()))
    })?;
    let summary = match entry {
        Some(_) => format!(
            "the program was to send a field of its own, and the Basic credentials of {user} went out, who stands in a .netrc"
        ),
        None => format!(
            "the program was to send a field of its own, and Basic credentials of {user} went out; there is a .netrc, which takes precedence"
        ),
    };
    let (source, text, range) = entry.clone().unwrap_or(named);
    let says = if entry.is_some() { "this entry was used" } else { "a .netrc is there" };
    let mut claim = Claim::new(summary)
        .shown([scene.show_part(given_in, given_text, given, "given here")])
        .shown([scene.show_part(source, text, range, says)])
        .shown([scene.show_field(sent.view, sent.field, "sent instead")])
        .fix(Party::Caller, "Remove the entry of the .netrc for this host (or its default entry), or let the client read none (requests: trust_env=False).");
    if entry.is_none() {
        claim = claim
            .or("scheme-not-offered", "the entry of the .netrc for this host: is it the one that was sent?");
    }
    Some(claim.weighing(6).likely())
}

/// The request by which this client was given a token just before, with another login than the one it sends now.
fn given_out<'a>(scene: &Scene<'a>, sent: &Sent<'_>) -> Option<&'a Attempt> {
    let user = sent.basic()?.user_text().into_owned();
    let issued = token::issued(scene).into_iter().map(|i| i.attempt);
    let names = |a: &Attempt| {
        let body = a.request().map(|r| r.body.bytes.to_text().into_owned()).unwrap_or_default();
        a.user.as_deref() == Some(&user) || body.contains(&user)
    };
    issued.filter(|a| a.id < scene.focus().map_or(0, |s| s.attempt.id) && !names(a)).last()
}

/// The user name of an address whose authority begins here.
fn user_of(text: &str, from: usize) -> Option<&str> {
    let authority = text.get(from..)?.split(['/', ' ', '"', '\'', '\n', '>']).next()?;
    let (userinfo, _) = authority.split_once('@')?;
    userinfo.split(':').next().filter(|user| !user.is_empty() && !user.starts_with('$'))
}

fn is_basic_of(name: &str, value: &str, login: &str) -> bool {
    name.eq_ignore_ascii_case("authorization")
        && why401_auth::parse_credentials(value.as_bytes()).value.first().is_some_and(|c| {
            matches!(why401_auth::inside::of(value.as_bytes(), c), why401_auth::Inside::Basic(b) if b.user_text() == login)
        })
}

/// Names of a library's argument for a key or token.
const ARGUMENTS: &[&str] = &["api_key", "apikey", "api_token", "access_token", "auth_token", "token"];

/// A program hands a key to its library, and the request carries somebody's user name and password, whom it does not name.
fn a_key_was_given(scene: &Scene<'_>, sent: &Sent<'_>) -> Option<Answer> {
    let user = sent.basic()?.user_text().into_owned();
    let texts: Vec<_> = scene.texts().collect();
    if user.is_empty() || texts.iter().any(|(_, text)| names(&text.to_text(), &user)) {
        return None;
    }
    let (source, text, range) = texts.iter().find_map(|(source, text)| {
        let plain = text.to_text();
        let range = ARGUMENTS.iter().find_map(|name| argument(&plain, name))?;
        Some((*source, *text, range))
    })?;
    let claim = Claim::new(format!("the program gives its library a key, and the request carries Basic credentials of {user}"))
        .shown([scene.show_part(source, text, range, "given here")])
        .shown([scene.show_field(sent.view, sent.field, "sent instead")])
        .fix(Party::Caller, "Look for an entry for this host in ~/.netrc (_netrc on Windows): many libraries let it take the place of what they were given (requests: trust_env=False).")
        .or("scheme-not-offered", "whether the library turns the key into Basic credentials by itself");
    Some(claim.likely())
}

/// Whether a name stands in a text by itself, and not as a part of another one.
fn names(text: &str, name: &str) -> bool {
    let part = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || matches!(c, '_' | '-'));
    text.match_indices(name).take(20).any(|(at, _)| {
        let (before, behind) =
            (text.get(..at).unwrap_or_default(), text.get(at + name.len()..).unwrap_or_default());
        !part(before.chars().next_back()) && !part(behind.chars().next())
    })
}

/// A name with a literal text for a value: `api_key='…'`.
fn argument(text: &str, name: &str) -> Option<std::ops::Range<usize>> {
    text.match_indices(name).take(20).find_map(|(at, _)| {
        let before = text.get(..at)?.chars().next_back();
        let rest = text.get(at + name.len()..)?;
        let value = rest.trim_start().strip_prefix(['=', ':'])?.trim_start().strip_prefix(['"', '\''])?;
        let long = value.find(['"', '\''])? >= 8;
        let end = text.len() - value.len() + value.find(['"', '\''])?;
        (long && before.is_none_or(|c| !c.is_alphanumeric() && c != '_')).then_some(at..end)
    })
}

/// Another scheme than the one meant. Why the client took it, the evidence does not say.
fn another_scheme(scene: &Scene<'_>, sent: &Sent<'_>) -> Option<Answer> {
    let (fact, meant) = scene.case.facts.iter().find_map(|f| match &f.kind {
        FactKind::Intended { scheme: Some(scheme), .. } => Some((f, scheme.trim().to_ascii_lowercase())),
        _ => None,
    })?;
    let written = &sent.credentials()?.scheme.written;
    // SPNEGO carries Kerberos and NTLM (RFC 4559 section 4).
    let carries = sent.scheme() == "negotiate" && matches!(meant.as_str(), "kerberos" | "ntlm" | "spnego");
    if meant == sent.scheme() || carries {
        return None;
    }
    let claim = Claim::new(format!("the request carries {written} credentials, and another scheme was meant"))
        .shown([scene.show_fact(fact, "this scheme was meant")])
        .shown([scene.show_field(sent.view, sent.field, "sent instead")])
        .fix(Party::Caller, "Find where the client got this scheme from (.netrc, credential helper, environment variable, a default of the library) and set the one that is meant.");
    Some(
        claim
            .or("scheme-not-offered", "the challenges of the answer: does the server offer what was meant?")
            .likely(),
    )
}
