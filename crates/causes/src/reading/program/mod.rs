//! Program text that was pasted: slips in how it sets the credentials.
//!
//! What is seen here is what the text says, not what was sent: never more than likely, and nothing where the request
//! itself is shown.

mod calls;
mod checks;
mod pull_secrets;
mod tokens;
mod values;

use crate::Scene;
use crate::cause::Claim;
use std::ops::Range;
use why401_http::{Fact, FactKind};
use why401_report::{Certainty, Party};

/// A slip.
#[derive(Debug)]
pub(crate) struct Slip {
    /// The cause that it is.
    cause: &'static str,
    /// Where it stands.
    range: Range<usize>,
    certainty: Certainty,
    /// One sentence.
    what: String,
    fix: &'static str,
    party: Party,
}

impl Slip {
    fn new(cause: &'static str, range: Range<usize>, what: impl Into<String>, fix: &'static str) -> Slip {
        Slip { cause, range, certainty: Certainty::Likely, what: what.into(), fix, party: Party::Caller }
    }

    fn by(self, party: Party) -> Slip {
        Slip { party, ..self }
    }

    fn possible(self) -> Slip {
        Slip { certainty: Certainty::Possible, ..self }
    }
}

/// The claim of a cause that rests on program text; its certainty is set.
pub(crate) fn claim(scene: &Scene<'_>, cause: &str) -> Option<Claim> {
    if scene.let_in() {
        return None;
    }
    let (fact, slip) = programs(scene).find_map(|(i, fact)| {
        let slip = scene.slips().iter().find(|(at, s)| *at == i && s.cause == cause).map(|(_, s)| s)?;
        Some((fact, slip))
    })?;
    // What a client sends, the request itself shows better.
    let shown = |s: &crate::Step<'_>| s.attempt.shows_credentials() || s.attempt.carries_credentials();
    if slip.party == Party::Caller && scene.refused().is_some_and(shown) {
        return None;
    }
    if slip.party == Party::Server && scene.refused().is_none() && !scene.is_told_by_a_person(None) {
        return None;
    }
    let mut claim = Claim::new(slip.what.clone())
        .shown([scene.show_part(fact.source, &fact.text, slip.range.clone(), "written here")])
        .fix(slip.party, slip.fix)
        .or("credentials-refused", "the request as it was sent: curl -v, or a capture")
        .weighing(3);
    claim.certainty = slip.certainty;
    Some(claim)
}

fn programs<'a>(scene: &Scene<'a>) -> impl Iterator<Item = (usize, &'a Fact)> + use<'a> {
    let facts = scene.case.facts.iter().enumerate();
    facts.filter(|(_, f)| matches!(f.kind, FactKind::Program | FactKind::Pasted))
}

/// The slips in all program text of the evidence, each with the number of its fact.
pub(crate) fn all(scene: &Scene<'_>) -> Vec<(usize, Slip)> {
    let of = |(i, fact): (usize, &Fact)| {
        let text = fact.text.to_text();
        let found = match fact.kind {
            FactKind::Program => slips(&text),
            _ if checks::concerns(&text) => checks::slips(&tokens::of(&text)),
            _ if pull_secrets::concerns(&text) => pull_secrets::slips(&text).into_iter().collect(),
            _ => Vec::new(),
        };
        found.into_iter().map(move |slip| (i, slip)).collect::<Vec<_>>()
    };
    programs(scene).flat_map(of).collect()
}

fn slips(text: &str) -> Vec<Slip> {
    let tokens = tokens::of(text);
    let mut found = values::slips(&tokens);
    found.extend(calls::slips(&tokens));
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Vec<&'static str> {
        slips(text).iter().map(|s| s.cause).collect()
    }

    #[test]
    fn slips_in_the_value_are_seen() {
        for (text, cause) in [
            ("headers = {'Authorization': 'Bearer' + token}", "scheme-missing"),
            ("headers: { Authorization: `Bearer${token}` }", "scheme-missing"),
            ("req.Header.Set(\"Authorization\", accessToken)", "scheme-missing"),
            ("headers = {\"Authorization\": api_key}", "scheme-missing"),
            ("headers: { 'Authorization': 'Bearer ${token}' }", "placeholder-credentials"),
            ("headers = {\"Authorization\": \"Bearer {token}\"}", "placeholder-credentials"),
            ("h.put(\"Authorization\", \"Basic \" + user + \":\" + password);", "basic-malformed"),
            ("'Authorization': 'Basic ' + btoa(user + pass)", "basic-malformed"),
            ("headers = {'Authorization': 'Basic ' + str(base64.b64encode(b'a:b'))}", "basic-malformed"),
            ("headers = {'Authorization': f'Basic {base64.b64encode(pair)}'}", "basic-malformed"),
            (
                "c.setRequestProperty(\"Authorization\", \"Basic \" + Base64.encodeToString(b, Base64.DEFAULT));",
                "stray-characters",
            ),
            ("'headers' => [ 'Authorization' => 'Bearer {$myToken}' ]", "placeholder-credentials"),
            ("headers = {\"Authorizationapikey\": \"apikey \" + k}", "wrong-field"),
            ("headers = {'Authorisation': 'Bearer ' + token}", "wrong-field"),
            (
                "client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue(\"Bearer\", \"Bearer \" + t);",
                "scheme-doubled",
            ),
            (
                "const token = `Bearer ${jwt}`;\nheaders: { Authorization: `Bearer ${token}` }",
                "scheme-doubled",
            ),
        ] {
            assert_eq!(of(text), [cause], "{text}");
        }
    }

    #[test]
    fn slips_in_the_call_are_seen() {
        for (text, cause) in [
            ("axios.post(url, { headers: { Authorization: `Bearer ${t}` } })", "wrong-field"),
            ("axios.put(url, config)\n", "wrong-field"),
            ("axios.get(url, { Authorization: `Bearer ${t}` })", "wrong-field"),
            ("fetch(url, { method: 'GET', Authorization: 'Bearer ' + t })", "wrong-field"),
            ("fetch(url, { header: { Authorization: 'Bearer ' + t } })", "wrong-field"),
            ("fetch(url, { mode: 'no-cors', headers: { Authorization: 'Bearer ' + t } })", "no-credentials"),
            (
                "new WebSocket(u, { headers: { a: b } })\nWebSocket connection to 'wss://e.example/' failed",
                "no-credentials",
            ),
            ("r = requests.get(url, headers)", "wrong-field"),
            (
                "$client->request('GET', $u, ['debug' => true], ['headers' => ['Authorization' => \"Bearer {$t}\"]])",
                "no-credentials",
            ),
            ("r = requests.post(url, data=headers)", "wrong-field"),
            ("curl_setopt($c, CURLOPT_HTTPHEADER, ['Authorization' => 'Bearer ' . $t]);", "wrong-field"),
            (
                "h = {'Authorization': 'Bearer ' + t}\nrequests.get(url, headers=h, auth=(u, p))",
                "overridden-by-client",
            ),
        ] {
            assert_eq!(of(text), [cause], "{text}");
        }
    }

    #[test]
    fn what_is_right_is_not_blamed() {
        for text in [
            "headers = {'Authorization': 'Bearer ' + token}\nrequests.get(url, headers=headers)",
            "headers = {\"Authorization\": f\"Bearer {token}\"}",
            "headers = {\"Authorization\": \"Bearer {}\".format(token)}",
            "headers = {\"Authorization\": \"Bearer %s\" % token}",
            "axios.post(url, data, { headers: { Authorization: `Bearer ${t}` } })",
            "axios.post(url, {}, config)",
            "axios.get(url, { headers: { Authorization: authHeader } })",
            "headers: { Authorization: getAuthorization() }",
            "'Authorization': 'Basic ' + btoa(user + ':' + pass)",
            "'Authorization': 'Basic ' + Buffer.from(`${u}:${p}`).toString('base64')",
            "String auth = \"Basic \" + encoded; c.addHeader(\"Authorization\", auth);",
            "request.AddHeader(\"Authorization\", $\"Bearer {token}\");",
            "curl_setopt($c, CURLOPT_HTTPHEADER, ['Authorization: Bearer ' . $t]);",
            "proxy_set_header Authorization $http_authorization;",
            "Authorization: Bearer abc",
            "the Authorization header, and why it's there",
            "'Authorization': 'Bearer ' + token, 'X': 1",
            "new AuthenticationHeaderValue(\"Bearer\", token)",
            "final r = await http.get(Uri.parse(u), headers: {'Authorization': 'Bearer $token'});",
        ] {
            assert!(of(text).is_empty(), "{text}: {:?}", slips(text));
        }
    }
}
