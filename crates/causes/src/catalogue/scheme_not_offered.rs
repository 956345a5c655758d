//! Another scheme than the server offers.

use super::layers_collide;
use crate::cause::{Answer, Claim, cause};
use crate::reading::token;
use crate::scene::same_server;
use crate::{Scene, Sent, Step};
use why401_http::FactKind;
use why401_report::Party;

cause! {
    /// The credentials use a scheme that the server does not offer.
    ///
    /// # What happened
    /// The client sent, say, Basic, and the challenges of the answer name only Token. The server did not look at the
    /// credentials at all.
    ///
    /// # How it is decided
    /// The scheme that was sent is in none of the challenges of the answer. IIS logs it as 401.2. Where none is offered: the
    /// same secret was let in behind another scheme, or its endpoint issued it for another one (`token_type`).
    ///
    /// # Who acts
    /// Whoever writes or configures the client; the server's operator, if the scheme should be offered.
    ///
    /// # What to do
    /// Use a scheme that is offered, with the kind of secret that belongs to it.
    ///
    /// # Evidence needed
    /// Request and answer.
    ///
    /// # Not to be confused with
    /// dropped-by-intermediary: what answered never saw the field. wrong-token-type: the scheme fits, the secret does not.
    ///
    /// # References
    /// RFC 9110 sections 11.1 and 11.6.1; Microsoft, HTTP status codes in IIS (401.2).
    pub SchemeNotOffered = "scheme-not-offered" in Unreadable, Fault by Caller,
        over ["credentials-refused", "no-credentials"]
}

/// Names of schemes that are one and the same in practice, as servers offer and take them.
const ALIKE: &[&[&str]] = &[
    // SPNEGO carries NTLM too (MS-SPNG).
    &["negotiate", "ntlm", "kerberos"],
    // A DPoP-bound token is refused as Bearer, but that is its own cause (RFC 9449 section 7.2).
    &["dpop", "bearer"],
    // The drafts of RFC 6750 called it OAuth2, and gateways still do (WSO2 API Manager).
    &["oauth2", "bearer"],
];

impl SchemeNotOffered {
    fn detect(scene: &Scene<'_>) -> Answer {
        let told = || scene.told("scheme-not-offered", "this scheme is not taken here");
        let Some(step) = scene.refused().filter(|s| matches!(s.status(), Some(401 | 407))) else {
            return other_scheme(scene).unwrap_or_else(told);
        };
        let Some(sent) = step.credentials().filter(|s| !s.scheme().is_empty()) else {
            return meant(scene, step).unwrap_or_else(told);
        };
        let offered: Vec<&str> = step
            .offered
            .iter()
            .filter(|o| o.proxy == sent.proxy)
            .flat_map(|o| o.parsed.value.iter().map(|c| c.scheme.name.as_str()))
            .filter(|name| !name.is_empty())
            .collect();
        let scheme = sent.scheme();
        let alike = |name: &str| {
            name == scheme
                || ALIKE.iter().any(|a| a.contains(&name) && a.contains(&scheme) && scheme != "dpop")
        };
        // SPNEGO carries NTLM, but whoever offers Negotiate alone reads no field that begins with NTLM.
        let bare = scheme == "ntlm" && offered.iter().all(|name| *name == "negotiate");
        if offered.is_empty() || (!bare && offered.iter().any(|name| alike(name))) {
            let by_another = || {
                taken_otherwise(scene, step, sent)
                    .or_else(|| issued_for_another(scene, step, sent))
                    .or_else(|| unheard_of(scene, sent))
            };
            return if offered.is_empty() { by_another().unwrap_or_else(told) } else { Answer::RuledOut };
        }
        if has_looked(step) {
            return Answer::RuledOut;
        }
        let mut names = offered.clone();
        names.dedup();
        let written = sent.credentials().map_or(scheme, |c| c.scheme.written.as_str());
        let mut claim =
            Claim::new(format!("{written} was sent, but the server offers only {}", names.join(", ")));
        if let Some(credentials) = sent.credentials() {
            claim = claim.shown([scene.show_in_field(
                sent.view,
                sent.field,
                credentials.scheme.range.clone(),
                "this scheme was sent",
            )]);
        }
        for (o, challenge) in step.challenges().take(3) {
            claim = claim.shown([scene.show_in_field(
                o.view,
                o.field,
                challenge.scheme.range.clone(),
                "this one is offered",
            )]);
        }
        claim = claim
            .fix(
                Party::Caller,
                format!(
                    "Send credentials for {}: the scheme and the secret that the service gives out for it.",
                    names.join(" or ")
                ),
            )
            .or(
                "dropped-by-intermediary",
                "whether the field reached what answered: a capture behind the proxy",
            );
        if bare {
            return claim.or("handshake-unfinished", "whether the client goes on with Negotiate").likely();
        }
        // Some services challenge with `Token` and take Bearer and OAuth all the same (Salesforce, REST API).
        let loose = matches!(scheme, "bearer" | "oauth") && offered.iter().all(|name| *name == "token");
        if loose && scene.is_product("salesforce") {
            return claim.or("session-expired", "a request with a new session").weighing(-5).likely();
        }
        // So do others with Basic: Artifactory takes access tokens as Bearer (JFrog, "Access Tokens"), and here another
        // request was let in with this scheme.
        let with_it = |a: &why401_history::Attempt| {
            let of_scheme = |f: &why401_http::FieldLine| {
                f.text().get(..scheme.len()).is_some_and(|s| s.eq_ignore_ascii_case(scheme))
            };
            a.let_in()
                && same_server(a, step.attempt)
                && a.request_field("authorization").is_some_and(of_scheme)
        };
        let takes_tokens = scheme == "bearer" && scene.is_product("artifactory");
        if takes_tokens || scene.attempts().take(LOOKS).any(with_it) {
            return claim
                .or("credentials-refused", "what the server takes beside what it offers")
                .weighing(-5)
                .likely();
        }
        // The answer itself gives the reason, whatever its challenge says.
        if scene.heard_of("method-retired").any(|h| h.attempt.is_some()) {
            return claim.or("method-retired", "what the service takes today").weighing(-5).likely();
        }
        // Who offers another scheme has let that one through, and it was refused behind.
        if layers_collide::has_two_answerers(scene, step) {
            return claim.or("layers-collide", "the refusals of both layers").weighing(-5).likely();
        }
        claim.confirmed()
    }
}

/// So many requests are looked at.
const LOOKS: usize = 200;

/// Jira and Confluence take Basic and ask for OAuth all the same; what became of the login they tell in a field of their
/// own (Atlassian, "Basic auth for REST APIs", CAPTCHA).
fn has_looked(step: &Step<'_>) -> bool {
    let told = step.response_field("x-seraph-loginreason").map(|(_, f)| f.text().to_ascii_uppercase());
    told.is_some_and(|reason| reason.contains("FAILED") || reason.contains("DENIED"))
}

/// The token endpoint names the scheme that its token goes with (RFC 6749 section 7.1, `token_type`), and the token was sent
/// with another one.
fn issued_for_another(scene: &Scene<'_>, step: &Step<'_>, sent: &Sent<'_>) -> Option<Answer> {
    let value = sent.value();
    let (scheme, secret) = value.split_once(' ').filter(|(_, secret)| secret.len() >= 16)?;
    let from = token::issued(scene).into_iter().find(|issued| issued.token == secret)?;
    let response = from.attempt.response()?;
    let kind = token::json(&response.body)?.get("token_type")?.as_str()?.to_owned();
    if kind.eq_ignore_ascii_case(scheme) || !kind.eq_ignore_ascii_case("bearer") || step.status() != Some(401)
    {
        return None;
    }
    let body = response.body.text();
    let at = body.find("\"token_type\"")?;
    let claim = Claim::new(format!("the token was issued as a {kind} token and sent as {scheme}"))
        .shown([scene.show_part(
            from.attempt.view().source,
            &response.body.bytes,
            at..at + "\"token_type\"".len(),
            "issued so",
        )])
        .shown([scene.show_field(sent.view, sent.field, "sent so")])
        .fix(Party::Caller, format!("Write `{kind}` before the token instead of `{scheme}`."))
        .or("wrong-token-type", "which tokens the service takes");
    Some(claim.weighing(6).likely())
}

/// A JWT behind a word that is no scheme anybody knows of: mostly the name that its owner gave the token.
fn unheard_of(scene: &Scene<'_>, sent: &Sent<'_>) -> Option<Answer> {
    let value = sent.value();
    let (word, secret) = value.split_once(' ').map(|(word, secret)| (word, secret.trim()))?;
    let is_word = word.len() > 2 && word.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    // The front of a JWT is the JSON object of its header (RFC 7515 section 7.1).
    let is_jwt = secret.starts_with("eyJ") && secret.split('.').count() == 3;
    if !is_word || !is_jwt || why401_auth::scheme::known(&word.to_ascii_lowercase()).is_some() {
        return None;
    }
    let credentials = sent.credentials()?;
    let shown = scene.show_in_field(
        sent.view,
        sent.field,
        credentials.scheme.range.clone(),
        "no scheme that is known anywhere",
    );
    let claim = Claim::new("what stands before the token is no scheme that is known: a JWT goes as Bearer")
        .shown([shown])
        .fix(Party::Caller, "Write the word Bearer and one space before the token (RFC 6750 section 2.1).")
        .or("credentials-refused", "whether this server reads a scheme of its own");
    Some(claim.weighing(6).likely())
}

/// The same secret was let in behind another scheme.
fn taken_otherwise(scene: &Scene<'_>, step: &Step<'_>, sent: &Sent<'_>) -> Option<Answer> {
    let value = sent.value();
    let (scheme, secret) = value.split_once(' ').filter(|(_, secret)| secret.len() >= 8)?;
    let good = scene.attempts().find_map(|a| {
        let field =
            a.request_field("authorization").filter(|_| a.let_in() && same_server(a, step.attempt))?;
        let text = field.text();
        let (other, same) = text.split_once(' ')?;
        (same == secret && other != scheme).then(|| (a, field, other.to_owned()))
    })?;
    let claim = Claim::new(format!("the secret was refused behind {scheme} and let in behind {}", good.2))
        .shown([scene.show_field(sent.view, sent.field, "refused")])
        .shown([scene.show_field(good.0.view(), good.1, "the same secret, let in")])
        .fix(Party::Caller, format!("Write `{}` before the secret instead of `{scheme}`.", good.2));
    if !good.2.eq_ignore_ascii_case(scheme) {
        return Some(claim.confirmed());
    }
    // RFC 9110 section 11.1: the name of a scheme is case-insensitive.
    let claim = claim.fix(Party::Server, "Compare the name of the scheme without regard to letter case.");
    Some(
        claim
            .or("server-misconfigured", "whether the server tells the letter case of a scheme apart")
            .likely(),
    )
}

/// Two schemes for one service among what was pasted: a command that is let in, and a setting or program that is not.
fn other_scheme(scene: &Scene<'_>) -> Option<Answer> {
    let let_in = scene.case.attempts.iter().any(|a| a.let_in() && a.views.iter().any(|v| v.log.is_none()));
    let mut told = scene.case.facts.iter().filter(|f| f.kind == FactKind::Pasted && let_in);
    let (fact, set, used) = told.find_map(|fact| {
        let text = fact.text.to_text();
        let (commands, settings): (Vec<_>, Vec<_>) =
            schemes(&text).into_iter().partition(|(_, _, command)| *command);
        let used = commands.first()?.1.clone();
        let (range, set, _) = settings.into_iter().find(|(_, s, _)| !s.eq_ignore_ascii_case(&used))?;
        Some((fact, (range, set), used))
    })?;
    let claim = Claim::new(format!("{used} is let in by hand, and {} is what is set", set.1))
        .shown([scene.show_part(fact.source, &fact.text, set.0, "another scheme")])
        .fix(Party::Caller, format!("Set {used} before the secret here too."))
        .or("credentials-refused", "whether both have the same secret");
    Some(claim.weighing(6).likely())
}

/// The schemes that stand behind `Authorization:` in a text, and whether in a command line.
fn schemes(text: &str) -> Vec<(std::ops::Range<usize>, String, bool)> {
    let lower = text.to_ascii_lowercase();
    let mut found = Vec::new();
    for (at, name) in lower.match_indices("authorization").take(20) {
        let from = at + name.len();
        let Some(rest) = text.get(from..) else { continue };
        let begin = rest.len() - rest.trim_start_matches(['"', '\'', ':', '=', ' ', '>']).len();
        let value = rest.get(begin..).unwrap_or_default();
        let len = value.find(|c: char| !(c.is_ascii_alphanumeric() || c == '-')).unwrap_or(value.len());
        let word = value.get(..len).unwrap_or_default();
        let secret =
            value.get(len..).and_then(|v| v.strip_prefix(' ')).map(str::trim_start).unwrap_or_default();
        let long = secret.split_whitespace().next().is_some_and(|w| w.len() >= 16);
        let given = long || secret.starts_with(['$', '{', '<', '"', '\'', '%']);
        if word.len() < 3 || !given || !rest.get(..begin).is_some_and(|r| r.contains([':', '='])) {
            continue;
        }
        let line = lower.get(..at).and_then(|t| t.lines().last()).unwrap_or_default();
        let command = ["curl", "http ", "wget", "-h "].iter().any(|c| line.contains(c));
        found.push((at..from + begin + len, word.to_owned(), command));
    }
    found
}

/// How programs and options name the scheme that they are to use, in lower case without white space or quotes, and the
/// scheme: requests and its plug-ins, httpx, exchangelib, vdirsyncer, curl, wget.
const MEANT: &[(&str, &str)] = &[
    ("httpntlmauth", "ntlm"),
    ("requests_ntlm", "ntlm"),
    ("auth_type=ntlm", "ntlm"),
    ("auth=ntlm", "ntlm"),
    ("--ntlm", "ntlm"),
    ("httpdigestauth", "digest"),
    ("digestauth(", "digest"),
    ("auth_type=digest", "digest"),
    ("auth=digest", "digest"),
    ("--digest", "digest"),
    ("httpkerberosauth", "negotiate"),
    ("httpnegotiateauth", "negotiate"),
    ("auth_type=gssapi", "negotiate"),
    ("--negotiate", "negotiate"),
    ("auth=basic", "basic"),
    ("auth_type=basic", "basic"),
    ("httpbasicauth(", "basic"),
];

/// A scheme that the program was told to use and that is not offered: so it sends nothing.
fn meant(scene: &Scene<'_>, step: &crate::Step<'_>) -> Option<Answer> {
    let offered: Vec<&str> =
        step.challenges().map(|(_, c)| c.scheme.name.as_str()).filter(|n| !n.is_empty()).collect();
    if offered.is_empty() || step.attempt.carries_credentials() {
        return None;
    }
    let facts = scene
        .case
        .facts
        .iter()
        .filter(|f| !matches!(f.kind, FactKind::Program | FactKind::Pasted))
        .map(|f| (f.source, &f.text));
    let said = scene.statements().map(|s| (s.source, &s.text));
    let (source, text, scheme) = said.chain(facts).find_map(|(source, text)| {
        let plain: String = text
            .to_text()
            .to_lowercase()
            .chars()
            .filter(|c| !c.is_whitespace() && !matches!(c, '"' | '\''))
            .collect();
        MEANT.iter().find(|(name, _)| plain.contains(name)).map(|(_, scheme)| (source, text, *scheme))
    })?;
    let alike =
        |name: &&str| **name == *scheme || ALIKE.iter().any(|a| a.contains(name) && a.contains(&scheme));
    if offered.iter().any(alike) {
        return None;
    }
    let claim =
        Claim::new(format!(
            "{scheme} is what the client was told to use, and the server offers only {}",
            offered.join(", ")
        ))
        .shown([scene.show_part(source, text, 0..text.len(), "this scheme is meant")])
        .shown(step.challenges().take(2).map(|(o, c)| {
            scene.show_in_field(o.view, o.field, c.scheme.range.clone(), "this one is offered")
        }))
        .fix(
            Party::Caller,
            format!(
                "Let the client use {}, or ask for an address that offers what is meant.",
                offered.join(" or ")
            ),
        )
        .or("no-credentials", "the request as it was sent: curl -v, or a capture");
    Some(claim.weighing(6).likely())
}
