//! It depends on where one comes from.

use crate::Scene;
use crate::cause::{Answer, Claim, cause};
use crate::reading::listed::{self, Listed};
use crate::scene::{same_client, same_server};
use std::collections::BTreeMap;
use std::net::IpAddr;
use why401_history::Attempt;
use why401_report::{Annotation, Party};

cause! {
    /// Access depends on the address of the client, and this one is not on the list.
    ///
    /// # What happened
    /// The server lets some addresses in without credentials and asks all others. The client comes from an address that is not on
    /// its list, often because a proxy or CDN stands between and its address is seen instead.
    ///
    /// # How it is decided
    /// The same resource is served without credentials to other addresses; or the server's log says so.
    ///
    /// # Who acts
    /// Who runs the server.
    ///
    /// # What to do
    /// Put the address on the list, or let the server see the client's real one: `mod_remoteip` (Apache), `set_real_ip_from` (nginx).
    ///
    /// # Evidence needed
    /// The access log with requests from both addresses.
    ///
    /// # Not to be confused with
    /// no-credentials: the others may have sent a token, which a log does not show.
    ///
    /// # References
    /// RFC 9110 section 15.5.4 (403 is the status meant for it); Apache httpd, `Require ip` and `Satisfy`; nginx, `allow`,
    /// `deny` and `satisfy`.
    pub AddressNotAllowed = "address-not-allowed" in Request, Fault by Server, over ["no-credentials", "forbidden", "credentials-refused"]
}

impl AddressNotAllowed {
    fn detect(scene: &Scene<'_>) -> Answer {
        let told = || match scene.told_claim("address-not-allowed", "this address is not allowed") {
            Some(claim) => advise(claim).as_told(),
            None => Answer::RuledOut,
        };
        let Some(step) = scene.refused().filter(|s| s.status() == Some(401)) else { return told() };
        let a = example(scene, step.attempt);
        let (Some(client), Some(path), false) = (a.client(), a.path(), a.carries_credentials()) else {
            return told();
        };
        let here = || {
            let near = scene.near(scene.case.index.of_path(path), a).iter();
            near.filter_map(|&i| scene.case.attempt(i))
                .filter(|b| same_server(a, b) && b.method() == a.method())
        };
        let by = |b: &'_ Attempt| b.client().map(|c| c.host.clone());
        let served = here().find(|b| {
            matches!(b.status(), Some(101 | 200..=299 | 304))
                && !b.carries_credentials()
                && b.client().is_some_and(|c| c.host != client.host)
        });
        // The list itself, where it was given along, and this address is not on it.
        let list = listed::of(scene).zip(client.host.parse::<IpAddr>().ok());
        let list = list.filter(|(list, address)| !list.has(*address)).map(|(list, _)| list);
        let Some(good) = served else {
            return list.map_or_else(told, |list| off_the_list(scene, a, &client.host, &list));
        };
        // How each address fared: refused, let in, let in without credentials.
        let mut fared: BTreeMap<String, (bool, bool, bool)> = BTreeMap::new();
        for b in here() {
            let Some(host) = by(b) else { continue };
            let (refused, let_in, without) = fared.entry(host).or_default();
            *refused |= b.status() == Some(401);
            *let_in |= b.let_in();
            *without |= b.let_in() && !b.carries_credentials();
        }
        let ever_in = fared.get(&client.host).is_some_and(|(_, let_in, _)| *let_in);
        // The list goes by address: none that was refused is let in at another time.
        let mixed = fared.values().any(|(refused, _, without)| *refused && *without);
        if ever_in || mixed {
            return told();
        }
        let claim = advise(
            Claim::new(format!(
                "{path} is served without credentials to {} and refused to {}",
                by(good).unwrap_or_default(),
                client.host
            ))
            .shown(super::client_changed::line(scene, good, "served, without a user"))
            .shown(super::client_changed::line(scene, a, "refused")),
        )
        .or("no-credentials", "whether the others sent a token or a cookie, which a log does not show");
        let on_it = |list: &Listed<'_>| {
            good.client().and_then(|c| c.host.parse().ok()).is_some_and(|address| list.has(address))
        };
        if let Some(list) = list.filter(on_it) {
            return claim.shown([show(scene, &list)]).confirmed();
        }
        let wholly_seen =
            a.shows_credentials() && good.shows_credentials() && good.request_field("cookie").is_none();
        let listed = scene.statements().any(|s| mentions_list(&s.text.to_text()))
            || scene.case.facts.iter().any(|f| mentions_list(&f.text.to_text()));
        // A list names few; where most addresses are served, what they sent is simply not shown.
        let seen = || {
            let let_in = fared.values().filter(|(_, let_in, _)| *let_in).count();
            let refused = fared.values().filter(|(refused, ..)| *refused).count();
            (let_in as u64, refused as u64)
        };
        let (let_in, refused) = a.folded.as_ref().and_then(|f| f.by_address).unwrap_or_else(seen);
        let most = let_in > 2 * refused;
        match (wholly_seen || listed, most) {
            (true, _) => claim.confirmed(),
            (false, false) => claim.likely(),
            (false, true) => claim.possible(),
        }
    }
}

/// The address is on none of the lists that are given along, and the request came without credentials.
fn off_the_list(scene: &Scene<'_>, attempt: &Attempt, host: &str, list: &Listed<'_>) -> Answer {
    let claim = advise(
        Claim::new(format!("{host} lies in none of the networks that are let in without a login"))
            .shown(super::client_changed::line(scene, attempt, "refused"))
            .shown([show(scene, list)]),
    )
    .or("no-credentials", "whether this client is meant to sign in");
    claim.likely()
}

fn show(scene: &Scene<'_>, list: &Listed<'_>) -> Annotation {
    scene.show_part(list.source, list.text, list.range.clone(), "the list of those who need no login")
}

/// The request to look at: of a large log the one whose resource is known to be served to other addresses.
fn example<'a>(scene: &Scene<'a>, a: &'a Attempt) -> &'a Attempt {
    let known = |b: &&Attempt| b.folded.as_ref().is_some_and(|f| f.by_address.is_some());
    let chains = scene.refusal.chains().iter().filter(|_| a.folded.is_some());
    let all = chains.filter_map(|chain| scene.case.attempt(chain.last()));
    all.filter(known).find(|b| b.status() == Some(401) && same_client(a, b)).unwrap_or(a)
}

/// Whether a text speaks of a list of addresses, as Apache, nginx and others write it.
fn mentions_list(text: &str) -> bool {
    let t = text.to_ascii_lowercase();
    ["satisfy any", "require ip", "allow from", "whitelist", "allowlist", "access list", "deny all"]
        .iter()
        .any(|w| t.contains(w))
}

fn advise(claim: Claim) -> Claim {
    claim.fix(
        Party::Server,
        "Put the client's address on the list, or let the server see the real one behind the proxy or CDN (Apache: RemoteIPHeader; nginx: set_real_ip_from and real_ip_header).",
    )
}
