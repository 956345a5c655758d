//! Apache httpd: which sections are about a request, and what they do to its fields.
//!
//! Rules: Apache httpd, "Configuration Sections" (`<Location>` by path, `<Directory>` by file, `<VirtualHost>` by
//! `ServerName` and `ServerAlias`), mod_headers `RequestHeader unset`, core `CGIPassAuth` (programs do not see the field
//! unless it is on), mod_wsgi `WSGIPassAuthorization` (the same for WSGI), mod_authz_core `Require`.

use super::tree::{Directive, lines};
use super::{Asked, Place, Reach, is_name_of};

/// A directive and how far its sections are about the request.
struct Placed<'d> {
    directive: &'d Directive,
    reach: Reach,
}

/// What takes the Authorization field away from a request.
pub(super) fn strips(text: &str, asked: &Asked) -> Vec<Place> {
    let all = lines(text);
    let placed = placed(&all, asked);
    let mut found: Vec<Place> = placed.iter().filter_map(strip).collect();
    found.extend(hidden_by_default(&placed, asked));
    found
}

/// A `Require user` that names others than this user.
pub(super) fn shuts_out(text: &str, asked: &Asked, user: &str) -> Option<Place> {
    let all = lines(text);
    let placed = placed(&all, asked);
    let rules: Vec<&Placed<'_>> =
        placed.iter().filter(|p| p.directive.name == "require" && p.reach == Reach::Here).collect();
    let by_name = |p: &&&Placed<'_>| p.directive.is("require", &["user"]);
    let names = |p: &Placed<'_>| p.directive.args.iter().skip(1).any(|a| a == user);
    // Any other rule may let the user in as well, unless all of them are wanted.
    if rules.len() != rules.iter().filter(by_name).count() || rules.iter().any(|p| names(p)) {
        return None;
    }
    rules.first().map(|p| Place {
        range: p.directive.range.clone(),
        how: "lets only users in that are named, and not this one",
        mend: "Add the user to this `Require user`, or write `Require valid-user`.",
        reach: Reach::Here,
    })
}

fn placed<'d>(all: &'d [Directive], asked: &Asked) -> Vec<Placed<'d>> {
    let hosts: Vec<&Directive> = all.iter().filter(|d| d.name == "virtualhost").collect();
    let mut out = Vec::new();
    let mut open: Vec<(&Directive, Reach)> = all.iter().rev().map(|d| (d, Reach::Here)).collect();
    while let Some((d, around)) = open.pop() {
        if d.inner.is_empty() {
            out.push(Placed { directive: d, reach: around });
            continue;
        }
        let reach = around.min(section(d, &hosts, asked, all));
        open.extend(d.inner.iter().rev().map(|i| (i, reach)));
    }
    out
}

fn section(d: &Directive, hosts: &[&Directive], asked: &Asked, all: &[Directive]) -> Reach {
    let first = d.arg(0);
    match d.name.as_str() {
        "ifmodule" | "ifdefine" | "ifversion" | "requireall" | "requireany" | "requirenone" => Reach::Here,
        "virtualhost" => virtual_host(d, hosts, asked),
        "location" if first == "~" => Reach::Maybe,
        "location" => prefix(first, &asked.path),
        "directory" => directory(first, asked, all),
        "limit" => of_method(d.args.iter().any(|m| m.eq_ignore_ascii_case(&asked.method)), asked),
        "limitexcept" => of_method(!d.args.iter().any(|m| m.eq_ignore_ascii_case(&asked.method)), asked),
        _ => Reach::Maybe,
    }
}

fn of_method(fits: bool, asked: &Asked) -> Reach {
    match (asked.method.is_empty(), fits) {
        (true, _) => Reach::Maybe,
        (_, true) => Reach::Here,
        (_, false) => Reach::Elsewhere,
    }
}

fn prefix(prefix: &str, path: &str) -> Reach {
    let bare = prefix.trim_end_matches('/');
    if path.is_empty() || prefix.contains(['*', '?', '[']) {
        return Reach::Maybe;
    }
    let below = path.strip_prefix(bare).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    if below { Reach::Here } else { Reach::Elsewhere }
}

/// A folder is that of the request where it holds the folder that the path is looked for in.
fn directory(folder: &str, asked: &Asked, all: &[Directive]) -> Reach {
    if folder == "/" {
        return Reach::Here;
    }
    let roots = super::tree::every(all);
    let root =
        roots.iter().find(|d| d.name == "documentroot").map(|d| d.arg(0).trim_end_matches('/').to_owned());
    match root {
        Some(root) if !folder.contains(['*', '~']) => {
            match prefix(folder, &format!("{root}{}", asked.path)) {
                Reach::Here => Reach::Here,
                // An alias may lead there all the same.
                _ => Reach::Maybe,
            }
        }
        _ => Reach::Maybe,
    }
}

fn virtual_host(d: &Directive, hosts: &[&Directive], asked: &Asked) -> Reach {
    let Some(host) = &asked.host else {
        return if hosts.len() == 1 { Reach::Here } else { Reach::Maybe };
    };
    let names = |d: &Directive| -> Vec<String> {
        let all = d.inner.iter().filter(|i| matches!(i.name.as_str(), "servername" | "serveralias"));
        // `ServerName https://www.example.com:443` has its scheme and port.
        all.flat_map(|i| i.args.iter())
            .map(|n| n.split("://").last().unwrap_or(n).split(':').next().unwrap_or(n).to_owned())
            .collect()
    };
    let fits = |d: &Directive| names(d).iter().any(|n| is_name_of(n, host));
    let fitting = hosts.iter().filter(|h| fits(h)).count();
    match (fits(d), fitting) {
        (true, 1) => Reach::Here,
        (true, _) => Reach::Maybe,
        (false, 0) if hosts.len() == 1 && names(d).is_empty() => Reach::Here,
        // The first one answers for names that none has.
        (false, 0) if hosts.first().is_some_and(|h| std::ptr::eq(*h, d)) => Reach::Maybe,
        (false, _) => Reach::Elsewhere,
    }
}

fn strip(p: &Placed<'_>) -> Option<Place> {
    let d = p.directive;
    let (how, mend) = if d.is("requestheader", &["unset", "authorization"]) {
        (
            "removes the Authorization field",
            "Remove `RequestHeader unset Authorization` where the program behind needs the field.",
        )
    } else if d.is("wsgipassauthorization", &["off"]) {
        ("hides the Authorization field from the program", "Set `WSGIPassAuthorization On`.")
    } else if d.is("cgipassauth", &["off"]) {
        ("hides the Authorization field from the program", "Set `CGIPassAuth On`.")
    } else {
        return None;
    };
    // `RequestHeader … env=…` and `expr=…` are conditions.
    let conditional = d.args.iter().any(|a| a.starts_with("env=") || a.starts_with("expr="));
    let reach = if conditional { p.reach.min(Reach::Maybe) } else { p.reach };
    Some(Place { range: d.range.clone(), how, mend, reach })
}

/// A program that does not see the field unless it is told so, and nobody tells.
fn hidden_by_default(placed: &[Placed<'_>], asked: &Asked) -> Option<Place> {
    let about = |p: &&Placed<'_>| p.reach != Reach::Elsewhere;
    let told = placed.iter().filter(about).any(|p| {
        let d = p.directive;
        let names = |a: &String| a.to_ascii_lowercase().contains("authorization");
        d.is("wsgipassauthorization", &["on"])
            || d.is("cgipassauth", &["on"])
            || (matches!(d.name.as_str(), "setenvif" | "setenvifnocase" | "rewriterule" | "rewritecond" | "requestheader" | "proxyfcgisetenvif")
                && d.args.iter().any(names))
            // Then Apache itself checks the credentials.
            || d.name == "authtype"
    });
    if told {
        return None;
    }
    placed.iter().filter(about).find_map(|p| {
        let d = p.directive;
        let here = || p.reach.min(prefix(d.arg(0), &asked.path));
        let fcgi = d.args.iter().any(|a| a.contains("fcgi://") || a.contains("fcgi:"));
        let (reach, how, mend) = match d.name.as_str() {
            "wsgiscriptalias" => (here(), "hands the request to mod_wsgi, which hides the Authorization field from the program unless told otherwise", "Set `WSGIPassAuthorization On` in the virtual host."),
            "scriptalias" => (here(), "hands the request to a CGI program, from which Apache hides the Authorization field unless told otherwise", "Set `CGIPassAuth On` in the folder of the program."),
            "sethandler" | "proxypassmatch" if fcgi => (p.reach.min(Reach::Maybe), "hands the request to FastCGI, from which Apache hides the Authorization field unless told otherwise", "Set `CGIPassAuth On`, or `SetEnvIf Authorization \"(.*)\" HTTP_AUTHORIZATION=$1`."),
            _ => return None,
        };
        (reach != Reach::Elsewhere).then(|| Place { range: d.range.clone(), how, mend, reach })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(host: &str, path: &str) -> Asked {
        Asked {
            host: Some(host.to_owned()),
            path: path.to_owned(),
            method: "GET".to_owned(),
            underscored: None,
        }
    }

    fn reach(text: &str, host: &str, path: &str) -> Option<Reach> {
        strips(text, &asked(host, path)).into_iter().map(|p| p.reach).max().filter(|r| *r != Reach::Elsewhere)
    }

    const TWO: &str = "<VirtualHost *:80>\nServerName a.example.com\nRequestHeader unset Authorization\n</VirtualHost>\n\
        <VirtualHost *:80>\nServerName b.example.com\n<Location /api>\nRequestHeader unset Authorization\n</Location>\n</VirtualHost>\n";

    #[test]
    fn only_the_sections_of_the_request_count() {
        assert_eq!(reach(TWO, "a.example.com", "/"), Some(Reach::Here));
        assert_eq!(reach(TWO, "b.example.com", "/api/x"), Some(Reach::Here));
        assert_eq!(reach(TWO, "b.example.com", "/apix"), None);
        assert_eq!(reach(TWO, "b.example.com", "/"), None);
        assert_eq!(
            reach("<LocationMatch ^/a>\nRequestHeader unset Authorization\n</LocationMatch>", "h", "/a"),
            Some(Reach::Maybe)
        );
    }

    #[test]
    fn a_program_does_not_see_the_field_unless_told() {
        let wsgi = "<VirtualHost *:80>\nWSGIScriptAlias / /srv/app.wsgi\n</VirtualHost>\n";
        assert_eq!(reach(wsgi, "h", "/x"), Some(Reach::Here));
        assert_eq!(reach(&format!("WSGIPassAuthorization On\n{wsgi}"), "h", "/x"), None);
        assert_eq!(reach(&format!("<Location />\nAuthType Basic\n</Location>\n{wsgi}"), "h", "/x"), None);
        assert_eq!(reach("ScriptAlias /cgi-bin/ /usr/lib/cgi-bin/\n", "h", "/x"), None);
    }

    #[test]
    fn users_that_are_not_named_are_shut_out() {
        let text = "<Location /x>\nAuthType Basic\nRequire user bob carol\n</Location>\n";
        assert!(shuts_out(text, &asked("h", "/x"), "alice").is_some());
        assert!(shuts_out(text, &asked("h", "/x"), "carol").is_none());
        assert!(shuts_out(text, &asked("h", "/y"), "alice").is_none());
        assert!(
            shuts_out(&text.replace("</L", "Require group staff\n</L"), &asked("h", "/x"), "alice").is_none()
        );
    }
}
