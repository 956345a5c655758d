//! Each store as its program writes it.

use super::{Entry, MOST, Store};
use std::ops::Range;

/// Host and path of an address with or without scheme, in lower case as far as the host goes.
fn place(address: &str) -> (String, String) {
    let rest = address.split("://").last().unwrap_or(address).trim_start_matches('/');
    let (authority, path) = rest.find('/').map_or((rest, ""), |i| rest.split_at(i));
    let host = authority.rsplit('@').next().unwrap_or(authority);
    let bare =
        host.rsplit_once(':').filter(|(_, p)| p.bytes().all(|b| b.is_ascii_digit())).map_or(host, |(h, _)| h);
    (bare.to_ascii_lowercase(), path.to_owned())
}

/// Lines with where they stand, without blanks around them.
fn lines(text: &str) -> impl Iterator<Item = (Range<usize>, &str)> {
    let mut at = 0;
    text.split_inclusive('\n').map(move |whole| {
        let start = at + (whole.len() - whole.trim_start().len());
        at += whole.len();
        let bare = whole.trim();
        (start..start + bare.len(), bare)
    })
}

/// Where an `.npmrc` gives a secret under a scope's name (`@scope:_auth=`), which npm does not read (npm, "npmrc").
pub(crate) fn npmrc_of_scope(text: &str) -> Option<Range<usize>> {
    lines(text).find_map(|(range, line)| {
        let (key, _) = line.split_once('=')?;
        let (scope, what) = key.trim().split_once(':')?;
        let secret = matches!(what, "_auth" | "_authToken" | "_password" | "username");
        (scope.starts_with('@') && secret).then_some(range)
    })
}

pub(super) fn npmrc(text: &str) -> Store {
    let mut entries: Vec<Entry> = Vec::new();
    for (range, line) in lines(text).filter(|(_, l)| l.starts_with("//")) {
        let Some((key, value)) = line.split_once('=') else { continue };
        let Some((address, what)) = key.trim().rsplit_once(':') else { continue };
        let (host, path) = place(address);
        let login = (what == "username").then(|| value.trim().to_owned());
        let complete = matches!(what, "_authToken" | "_auth" | "_password");
        match entries.iter_mut().find(|e| e.host.as_deref() == Some(&host) && e.path == path) {
            Some(known) => {
                known.login = known.login.take().or(login);
                known.complete |= complete;
            }
            None => entries.push(Entry {
                name: address.to_owned(),
                host: Some(host),
                path,
                login,
                complete,
                range,
            }),
        }
    }
    Store {
        called: ".npmrc",
        mend: "Add a line for this registry's address: `//HOST/:_authToken=…` (npm login --registry=https://HOST/ writes it).",
        entries,
        helper: false,
    }
}

pub(super) fn docker(text: &str) -> Store {
    let mut entries = Vec::new();
    let start = text.find("\"auths\"").map_or(text.len(), |i| i + 7);
    let (mut depth, mut at) = (0_i32, start);
    let bytes = text.as_bytes();
    while let Some(&b) = bytes.get(at) {
        match b {
            b'{' => depth += 1,
            b'}' => depth -= 1,
            b'"' => {
                let len = bytes.get(at + 1..).and_then(|r| r.iter().position(|c| *c == b'"')).unwrap_or(0);
                let string = text.get(at + 1..at + 1 + len).unwrap_or_default();
                let is_key = text.get(at + len + 2..).is_some_and(|r| r.trim_start().starts_with(':'));
                if depth == 1 && is_key {
                    let (host, path) = place(string);
                    let complete = false;
                    entries.push(Entry {
                        name: string.to_owned(),
                        host: Some(host),
                        path,
                        complete,
                        range: at..at + len + 2,
                        login: None,
                    });
                } else if depth == 2
                    && !is_key
                    && let Some(entry) = entries.last_mut()
                {
                    entry.complete |= !string.is_empty();
                    let pair = why401_auth::scheme::basic::read(string.as_bytes(), 0..string.len());
                    if pair.password.is_some() {
                        entry.login = Some(pair.user_text().into_owned());
                    }
                }
                at += len + 1;
            }
            _ => {}
        }
        at += 1;
        if depth <= 0 && b == b'}' {
            break;
        }
    }
    // The index of Docker Hub stands for the registry itself.
    for entry in &mut entries {
        if entry.host.as_deref() == Some("index.docker.io") {
            entry.host = Some("registry-1.docker.io".to_owned());
        }
        entry.path = String::new();
    }
    let helper = text.contains("\"credsStore\"") || text.contains("\"credHelpers\"");
    Store { called: "Docker's config.json", mend: "Run `docker login HOST`.", entries, helper }
}

/// The contents of every element of that name, with where it begins.
fn elements<'t>(text: &'t str, name: &str) -> Vec<(usize, &'t str)> {
    let (open, close) = (format!("<{name}>"), format!("</{name}>"));
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(start) = text.get(at..).and_then(|r| r.find(&open)).map(|i| at + i + open.len()) {
        let Some(len) = text.get(start..).and_then(|r| r.find(&close)) else { break };
        found.push((start, text.get(start..start + len).unwrap_or_default()));
        at = start + len + close.len();
        if found.len() >= MOST {
            break;
        }
    }
    found
}

fn value<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    elements(text, name).first().map(|(_, v)| v.trim())
}

pub(super) fn maven(text: &str) -> Store {
    let addresses: Vec<(&str, &str)> = ["mirror", "repository", "pluginRepository"]
        .iter()
        .flat_map(|name| elements(text, name))
        .filter_map(|(_, e)| Some((value(e, "id")?, value(e, "url")?)))
        .collect();
    let entry = |(start, element): (usize, &str)| {
        let id = value(element, "id")?;
        let at = start + element.find(id)?;
        let host = addresses.iter().find(|(i, _)| *i == id).map(|(_, url)| place(url).0);
        let login = value(element, "username").map(str::to_owned);
        let complete =
            ["password", "privateKey", "configuration"].iter().any(|n| value(element, n).is_some());
        Some(Entry {
            name: id.to_owned(),
            host,
            path: String::new(),
            login,
            complete,
            range: at..at + id.len(),
        })
    };
    let mut entries: Vec<Entry> = elements(text, "server").into_iter().filter_map(entry).collect();
    // A repository that no server is named like.
    for (id, url) in &addresses {
        if !entries.iter().any(|e| e.name == *id)
            && let Some(at) = text.find(url)
        {
            let host = Some(place(url).0);
            entries.push(Entry {
                name: (*id).to_owned(),
                host,
                range: at..at + url.len(),
                ..Entry::default()
            });
        }
    }
    Store {
        called: "settings.xml",
        mend: "Add a `<server>` whose `<id>` is that of the repository or mirror (not its address).",
        entries,
        helper: false,
    }
}

pub(super) fn nuget(text: &str) -> Store {
    let attribute = |tag: &str, name: &str| {
        let rest = tag.split_once(&format!("{name}=\""))?.1;
        rest.split('"').next().map(str::to_owned)
    };
    let credentials = elements(text, "packageSourceCredentials").first().map_or("", |(_, t)| *t);
    let mut entries = Vec::new();
    for (start, sources) in elements(text, "packageSources") {
        for (range, line) in lines(sources).filter(|(_, l)| l.starts_with("<add ")) {
            let (Some(key), Some(address)) = (attribute(line, "key"), attribute(line, "value")) else {
                continue;
            };
            // A space in the name of a source is written _x0020_ as the name of an element.
            let own = elements(credentials, &key.replace(' ', "_x0020_")).first().map(|(_, t)| *t);
            let login = own.and_then(|o| {
                lines(o)
                    .find(|(_, l)| l.contains("key=\"Username\""))
                    .and_then(|(_, l)| attribute(l, "value"))
            });
            entries.push(Entry {
                host: Some(place(&address).0),
                path: String::new(),
                login,
                complete: own.is_some_and(|o| o.contains("Password\"")),
                range: start + range.start..start + range.end,
                name: key,
            });
        }
    }
    Store {
        called: "nuget.config",
        mend: "Add credentials under the name of this source: `dotnet nuget update source NAME --username … --password …`.",
        entries,
        helper: false,
    }
}

pub(super) fn pip(text: &str) -> Store {
    let entries = lines(text).filter(|(_, l)| !l.starts_with(['#', ';'])).filter_map(|(range, line)| {
        let at = line.find("https://").or_else(|| line.find("http://"))?;
        let address = line.get(at..)?.split_whitespace().next()?;
        let userinfo = address.split_once("://")?.1.split('/').next()?.rsplit_once('@').map(|(u, _)| u);
        let (host, path) = place(address);
        let login = userinfo.map(|u| u.split(':').next().unwrap_or(u).to_owned());
        let path = if line.contains("index-url") { String::new() } else { path };
        Some(Entry { name: host.clone(), host: Some(host), path, login, complete: userinfo.is_some(), range })
    });
    Store {
        called: "pip.conf",
        mend: "Put user and password into the index-url (percent-encoded), into a .netrc for this host, or into the keyring.",
        entries: entries.collect(),
        helper: false,
    }
}

pub(super) fn kubeconfig(text: &str) -> Store {
    let mut entries: Vec<Entry> = Vec::new();
    let mut servers = Vec::new();
    let mut section = "";
    let mut name: Option<(String, Range<usize>)> = None;
    let mut complete = false;
    let holds = ["token:", "tokenFile:", "client-certificate", "exec:", "auth-provider:", "password:"];
    let mut done = |name: &mut Option<(String, Range<usize>)>, complete: bool| {
        if let Some((name, range)) = name.take() {
            entries.push(Entry { name, range, complete, ..Entry::default() });
        }
    };
    for whole in text.split_inclusive('\n').scan(0, |at, l| {
        *at += l.len();
        Some((*at - l.len(), l))
    }) {
        let (start, line) = whole;
        let bare = line.trim().trim_start_matches("- ");
        let from = start + line.find(bare).unwrap_or(0);
        if !line.starts_with([' ', '-', '\t', '#', '\n', '\r']) {
            done(&mut name, complete);
            section = bare.split(':').next().unwrap_or_default();
            continue;
        }
        match section {
            "clusters" => servers.extend(bare.strip_prefix("server:").map(|s| place(s.trim()).0)),
            "users" => {
                if line.trim_start().starts_with("- ") {
                    done(&mut name, complete);
                    complete = false;
                    name = Some((String::new(), from..from + bare.len()));
                }
                if let (Some(named), Some((known, range))) = (bare.strip_prefix("name:"), name.as_mut()) {
                    *known = named.trim().trim_matches('"').to_owned();
                    *range = from..from + bare.len();
                }
                complete |=
                    holds.iter().any(|h| bare.starts_with(h) && bare.len() > h.len() || bare == "exec:");
            }
            _ => {}
        }
    }
    done(&mut name, complete);
    // One cluster: then all users are for it.
    if let [only] = servers.as_slice() {
        entries.iter_mut().for_each(|e| e.host = Some(only.clone()));
    }
    Store {
        called: "the kubeconfig",
        mend: "Give the user of the current context a token, a certificate or an exec plugin (`kubectl config view --minify` shows which it is).",
        entries,
        helper: false,
    }
}
