//! Where clients keep credentials: which hosts they have some for, and whose.
//!
//! npm, "npmrc" (credentials are scoped to a registry's address, `//host/path/:_authToken=`, and count for what lies below
//! it); Docker, `config.json` (`auths`); Maven, settings reference (a `<server>` counts for the repository or mirror of the
//! same `<id>`); NuGet, `packageSourceCredentials` (an element named like the source); pip, `index-url` (user and password
//! in the address); Kubernetes, kubeconfig (the user of the current context).

mod formats;

use super::{asked, files};
use crate::{Scene, Step};
use std::ops::Range;
use why401_http::{Fact, FactKind};

/// Entries read of one file at most.
const MOST: usize = 500;

/// An entry of a store.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    /// The host it is for, without its port, in lower case; `None` where the file does not tell.
    pub(crate) host: Option<String>,
    /// The path it is for.
    pub(crate) path: String,
    /// The user it names.
    pub(crate) login: Option<String>,
    /// Whether it holds something to log in with.
    pub(crate) complete: bool,
    /// Where it stands.
    pub(crate) range: Range<usize>,
    /// What the entry is called where it stands: the id of a server, the name of a source or user.
    pub(crate) name: String,
}

/// A store of credentials, taken apart.
#[derive(Debug)]
pub(crate) struct Store {
    /// What it is called: `.npmrc`.
    pub(crate) called: &'static str,
    /// How an entry for another host is made, in the product's own words; `HOST` stands for it.
    pub(crate) mend: &'static str,
    /// Its entries.
    pub(crate) entries: Vec<Entry>,
    /// Whether a helper program may have more than the file shows.
    pub(crate) helper: bool,
}

/// A line that gives a secret in a way that its program does not read, in any configuration of the evidence.
pub(crate) fn unread<'a>(scene: &Scene<'a>) -> Option<(&'a Fact, Range<usize>)> {
    let given = scene
        .case
        .facts
        .iter()
        .filter(|f| matches!(f.kind, FactKind::Configuration { .. } | FactKind::Pasted));
    given.take(MOST).find_map(|f| Some((f, formats::npmrc_of_scope(&f.text.to_text())?)))
}

impl Store {
    /// The store that a text is, if it is one.
    pub(crate) fn of(text: &str) -> Option<Store> {
        let mut store = if text.contains("\"auths\"") || text.contains("\"credsStore\"") {
            formats::docker(text)
        } else if text.contains("<packageSource") {
            formats::nuget(text)
        } else if text.contains("<settings") || (text.contains("<server>") && text.contains("<id>")) {
            formats::maven(text)
        } else if text.contains("current-context:") || text.contains("kind: Config") {
            formats::kubeconfig(text)
        } else if text.contains(":_auth") || text.contains(":_password") || text.contains("registry=") {
            formats::npmrc(text)
        } else if text.contains("index-url") {
            formats::pip(text)
        } else {
            return None;
        };
        store.entries.truncate(MOST);
        Some(store)
    }

    /// The entry that counts for a host and path. One of which the file does not tell whose it is may be for it, unless
    /// another names the host and has nothing.
    pub(crate) fn entry(&self, host: &str, path: &str) -> Option<&Entry> {
        let of_host =
            |e: &&Entry| e.host.as_deref() == Some(host) && path.starts_with(e.path.trim_end_matches('/'));
        let named = || self.entries.iter().filter(of_host);
        if named().next().is_some() {
            return named().find(|e| e.complete);
        }
        self.entries.iter().find(|e| e.complete && e.host.is_none())
    }
}

/// The stores of the evidence.
pub(crate) fn all<'a>(scene: &Scene<'a>) -> impl Iterator<Item = (&'a Fact, Store)> {
    files(scene).filter_map(|(fact, text, _)| Some((fact, Store::of(&text)?)))
}

/// A store without anything for the host of this request, where nothing else could have some.
pub(crate) fn lacks<'a>(scene: &Scene<'a>, step: &Step<'_>) -> Option<(&'a Fact, Store, String)> {
    let asked = asked(step);
    let host = asked.host?;
    let mut found = None;
    for (fact, store) in all(scene) {
        if store.helper || store.entries.is_empty() || store.entry(&host, &asked.path).is_some() {
            return None;
        }
        found = found.or(Some((fact, store)));
    }
    found.map(|(fact, store)| (fact, store, host))
}

/// The entry of a store with this login, which counts for the request.
pub(crate) fn of_login<'a>(
    scene: &Scene<'a>,
    step: &Step<'_>,
    login: &str,
) -> Option<(&'a Fact, Range<usize>)> {
    let asked = asked(step);
    all(scene).find_map(|(fact, store)| {
        let here = |e: &&Entry| match (&e.host, &asked.host) {
            (Some(entry), Some(host)) => entry == host,
            _ => true,
        };
        let entry = store.entries.iter().filter(here).find(|e| e.login.as_deref() == Some(login))?;
        Some((fact, entry.range.clone()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn summary(text: &str) -> Vec<(String, Option<String>, bool)> {
        let store = Store::of(text).map(|s| s.entries).unwrap_or_default();
        for e in &store {
            assert!(text.get(e.range.clone()).is_some_and(|t| !t.is_empty()), "{e:?}");
        }
        store.into_iter().map(|e| (e.host.unwrap_or_default() + &e.path, e.login, e.complete)).collect()
    }

    fn one(host: &str, login: Option<&str>, complete: bool) -> (String, Option<String>, bool) {
        (host.to_owned(), login.map(str::to_owned), complete)
    }

    #[test]
    fn entries_are_read() {
        let npm = "registry=https://npm.example.com/\n//npm.example.com/team/:_authToken=abc\n//b.example.com/:username=bob\n//b.example.com/:_password=eA==\n";
        assert_eq!(
            summary(npm),
            [one("npm.example.com/team/", None, true), one("b.example.com/", Some("bob"), true)]
        );
        let docker = "{\"auths\": {\"r.example.com:5000\": {\"auth\": \"YWxpY2U6eA==\"}, \"https://index.docker.io/v1/\": {}}, \"x\": {\"y\": \"z\"}}";
        assert_eq!(
            summary(docker),
            [one("r.example.com", Some("alice"), true), one("registry-1.docker.io", None, false)]
        );
        let maven = "<settings><servers><server><id>nexus</id><username>alice</username><password>x</password></server></servers><mirrors><mirror><id>central-mirror</id><url>https://repo.example.com/maven</url></mirror></mirrors></settings>";
        assert_eq!(summary(maven), [one("", Some("alice"), true), one("repo.example.com", None, false)]);
        let nuget = "<configuration>\n<packageSources>\n<add key=\"feed\" value=\"https://n.example.com/v3/index.json\" />\n<add key=\"other feed\" value=\"https://o.example.com/v3/index.json\" />\n</packageSources>\n<packageSourceCredentials>\n<other_x0020_feed>\n<add key=\"Username\" value=\"alice\" />\n<add key=\"ClearTextPassword\" value=\"x\" />\n</other_x0020_feed>\n</packageSourceCredentials>\n</configuration>";
        assert_eq!(
            summary(nuget),
            [one("n.example.com", None, false), one("o.example.com", Some("alice"), true)]
        );
        let pip = "[global]\nindex-url = https://alice:x@p.example.com/simple\nextra-index-url = https://q.example.com/simple\n";
        assert_eq!(
            summary(pip),
            [one("p.example.com", Some("alice"), true), one("q.example.com", None, false)]
        );
        let kube = "apiVersion: v1\nkind: Config\nclusters:\n- cluster:\n    server: https://k.example.com:6443\n  name: c\nusers:\n- name: admin\n  user: {}\n- name: ci\n  user:\n    token: abc\ncurrent-context: c\n";
        assert_eq!(summary(kube), [one("k.example.com", None, false), one("k.example.com", None, true)]);
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "(\"auths\"|<settings|<server>|<id>|</id>|registry=|//a/:_auth=|kind: Config\n|users:\n|- name:|index-url|[a-zé{}\":<>/ \n=]){0,40}") {
            for e in Store::of(&text).map(|s| s.entries).unwrap_or_default() {
                proptest::prop_assert!(e.range.end <= text.len());
            }
        }
    }
}
