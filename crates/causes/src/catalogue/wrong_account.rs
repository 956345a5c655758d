//! One account's credentials at another's address.

use crate::cause::{Answer, Claim, cause};
use crate::{Scene, Step};
use why401_http::FactKind;
use why401_report::{Certainty, Party};

cause! {
    /// The credentials are one account's and the address is another's.
    ///
    /// # What happened
    /// The address holds the name of an account, and somebody else's credentials were sent to it: a copied configuration with one
    /// of the two not changed.
    ///
    /// # How it is decided
    /// The address names an account (as in `/customerabc/customerabc.sms`) that is not the user name sent, and that is known as an
    /// account elsewhere in the evidence, or stands in the address twice.
    ///
    /// # Who acts
    /// Whoever configures the client.
    ///
    /// # What to do
    /// Make address and credentials those of one account.
    ///
    /// # Evidence needed
    /// The request line and the user name.
    ///
    /// # Not to be confused with
    /// acl-denied: the account may not use a resource that is not its own by name. unknown-user: the server says that the user
    /// is no account at all, so the credentials are nobody's.
    ///
    /// # References
    /// RFC 9110 section 11.5 (protection spaces).
    pub WrongAccount = "wrong-account" in Refused, Fault by Caller, over ["credentials-refused", "wrong-password", "unknown-user", "overridden-by-client"]
}

/// Segments that stand twice in a path for other reasons than an account.
const COMMON: &[&str] = &[
    "test", "api", "index", "login", "app", "main", "data", "files", "docs", "admin", "auth", "web", "rest",
];

/// Segments behind which an account's name stands by custom.
const BEFORE_NAMES: &[&str] =
    &["users", "user", "accounts", "account", "home", "customers", "customer", "tenants", "u"];

impl WrongAccount {
    fn detect(scene: &Scene<'_>) -> Answer {
        let told = || scene.told("wrong-account", "the credentials are another account's");
        let Some(step) = scene.refused() else { return told() };
        let Some(user) = step.attempt.user.clone() else { return told() };
        let path = step.attempt.path().unwrap_or_default();
        let stems: Vec<&str> =
            path.split('/').filter(|s| !s.is_empty()).map(|s| s.split('.').next().unwrap_or(s)).collect();
        if stems.iter().any(|s| same(s, &user)) {
            return Answer::RuledOut;
        }
        if let Some(answer) = intended(scene, step, &user, &stems) {
            return answer;
        }
        let named = |s: &&str| s.len() > 2 && s.bytes().any(|b| b.is_ascii_alphabetic());
        // A folder and a file in it that bear one name: /customerabc/customerabc.sms.
        let folder = |s: &&str| path.split('/').any(|segment| segment == *s);
        let twice = stems
            .windows(2)
            .find(|w| matches!(w, [a, b] if a == b && named(a) && !COMMON.contains(a)))
            .and_then(|w| w.first().copied())
            .filter(folder);
        let known = stems.iter().copied().filter(named).find(|s| {
            scene.case.index.of_user(s).iter().filter_map(|&i| scene.case.attempt(i)).any(|a| {
                a.let_in()
                    && a.path().is_some_and(|p| {
                        p.split('/').any(|seg| same(seg.split('.').next().unwrap_or(seg), s))
                    })
            })
        });
        let customary = stems
            .windows(2)
            .find(|w| matches!(w, [a, b] if BEFORE_NAMES.contains(a) && named(b) && !b.contains('-')))
            .and_then(|w| w.last().copied())
            .or_else(|| stems.first().and_then(|s| s.strip_prefix('~')));
        let Some(owner) = twice.or(known).or(customary.filter(|c| *c != "me" && *c != "self")) else {
            return told();
        };
        let claim = show(
            scene,
            step,
            owner,
            Claim::new(format!("the address is {owner}'s and the credentials are {user}'s")),
        )
        .fix(Party::Caller, "Make address and credentials those of one account.");
        // Credentials of nobody are not another account's.
        let is_nobody = scene
            .told_claim("unknown-user", "there is no such user")
            .is_some_and(|c| c.certainty == Certainty::Certain);
        match (twice.is_some(), known.is_some()) {
            _ if is_nobody => claim.or("unknown-user", "the list of accounts").possible(),
            (true, _) => claim.confirmed(),
            (_, true) => claim.or("acl-denied", "whether this account may use the other's address").likely(),
            _ => claim.or("wrong-password", "the server's error log").possible(),
        }
    }
}

/// Somebody else was meant, and the address is theirs.
fn intended(scene: &Scene<'_>, step: &Step<'_>, user: &str, stems: &[&str]) -> Option<Answer> {
    let (fact, meant) = scene.case.facts.iter().find_map(|f| match &f.kind {
        FactKind::Intended { user: Some(meant), .. } => Some((f, meant.as_str())),
        _ => None,
    })?;
    let owner = stems.iter().find(|s| same(s, meant) && !same(meant, user))?;
    let claim = Claim::new(format!(
        "{meant} was meant and the address is {meant}'s, but the credentials are {user}'s"
    ));
    let claim = show(scene, step, owner, claim)
        .shown([scene.show_fact(fact, "this user was meant")])
        .fix(Party::Caller, "Send the credentials of the account whose address it is.");
    Some(claim.confirmed())
}

fn same(segment: &str, user: &str) -> bool {
    let bare = user.rsplit('\\').next().unwrap_or(user).split('@').next().unwrap_or(user);
    segment.trim_start_matches('~').eq_ignore_ascii_case(bare) || segment.eq_ignore_ascii_case(user)
}

fn show(scene: &Scene<'_>, step: &Step<'_>, owner: &str, mut claim: Claim) -> Claim {
    if let Some((view, request)) = step.request() {
        let line = request.line.to_text();
        let mark = line.find(owner).map_or(0..line.len(), |i| i..i + owner.len());
        claim = claim.shown([scene.show_part(
            view.source,
            &request.line,
            mark,
            "the address names this account",
        )]);
    }
    if let Some(sent) = step.credentials() {
        claim =
            claim.shown([scene.show_field(sent.view, sent.field, "the credentials are another account's")]);
    }
    claim
}
