//! nginx: which server and location a request comes to, and what they do to its fields.
//!
//! Rules: nginx, "How nginx processes a request" (the choice of a server), ngx_http_core_module `location` (the longest
//! prefix, unless a regular expression matches; `=` and `^~` end the search) and `underscores_in_headers`,
//! ngx_http_proxy_module `proxy_set_header` (inherited only where a level has none of its own; a field whose value is an
//! empty string is not passed on) and `proxy_pass_request_headers`.

use super::tree::{Directive, braces, every, named};
use super::{Asked, Place, Reach, is_name_of};

/// Directives that give a field a value, with the name of the field that holds credentials.
const SETS: &[(&str, &str)] = &[
    ("proxy_set_header", "authorization"),
    ("grpc_set_header", "authorization"),
    ("fastcgi_param", "http_authorization"),
    ("uwsgi_param", "http_authorization"),
    ("scgi_param", "http_authorization"),
];

/// What takes the Authorization field away from a request.
pub(super) fn strips(text: &str, asked: &Asked) -> Vec<Place> {
    let all = braces(text);
    let mut found = Vec::new();
    for (server, reach) in servers(&all, asked) {
        let around = [&all[..], http(&all)];
        let inherited: Vec<&Directive> =
            around.into_iter().flatten().filter(|d| d.inner.is_empty()).collect();
        level(server, reach, &inherited, server, asked, &mut found);
    }
    found
}

/// nginx leaves fields with an underscore out unless told otherwise: where that is, by `server` or `proxy_pass`.
pub(super) fn underscores(text: &str, asked: &Asked) -> Option<Place> {
    let all = braces(text);
    let whole = every(&all);
    if whole.iter().any(|d| d.is("underscores_in_headers", &["on"])) {
        return None;
    }
    let off = whole.iter().find(|d| d.is("underscores_in_headers", &["off"]));
    let passes = || {
        let (server, _) = servers(&all, asked).into_iter().find(|(_, r)| *r == Reach::Here)?;
        every(server).into_iter().find(|d| d.name.ends_with("_pass"))
    };
    Some(Place {
        range: off.copied().or_else(passes)?.range.clone(),
        how: "leaves fields with an underscore in their names out (underscores_in_headers is off unless switched on)",
        mend: "Write `underscores_in_headers on;` in the server block, or give the field a name with hyphens.",
        reach: Reach::Here,
    })
}

fn http(all: &[Directive]) -> &[Directive] {
    named(all, "http").next().map_or(&[], |h| &h.inner)
}

/// The contents of the servers that the request may come to.
fn servers<'d>(all: &'d [Directive], asked: &Asked) -> Vec<(&'d [Directive], Reach)> {
    let servers: Vec<&Directive> =
        every(all).into_iter().filter(|d| d.name == "server" && !d.inner.is_empty()).collect();
    if servers.is_empty() {
        // Part of a server: its locations stand by themselves.
        return vec![(all, Reach::Here)];
    }
    let Some(host) = &asked.host else {
        let reach = if servers.len() == 1 { Reach::Here } else { Reach::Maybe };
        return servers.into_iter().map(|s| (&s.inner[..], reach)).collect();
    };
    let exact = |s: &&&Directive| names(s).any(|n| is_name_of(n, host));
    let regex = |s: &&&Directive| names(s).any(|n| n.starts_with('~'));
    let mut fitting: Vec<&Directive> = servers.iter().filter(exact).copied().collect();
    let mut sure = true;
    if fitting.is_empty() {
        fitting = servers.iter().filter(regex).copied().collect();
        sure = false;
    }
    if fitting.is_empty() {
        // The default server, else the first one; of a part of a configuration that is only likely.
        let default = |s: &&&Directive| {
            named(&s.inner, "listen").any(|l| l.args.iter().any(|a| a == "default_server" || a == "default"))
        };
        fitting = servers.iter().find(default).or(servers.first()).copied().into_iter().collect();
        let nameless = servers.iter().flat_map(|s| names(s)).all(|n| n == "_" || n == "localhost");
        sure = servers.len() == 1 && nameless;
    }
    let reach = if sure && fitting.len() == 1 { Reach::Here } else { Reach::Maybe };
    fitting.into_iter().map(|s| (&s.inner[..], reach)).collect()
}

fn names(server: &Directive) -> impl Iterator<Item = &String> {
    named(&server.inner, "server_name").flat_map(|n| n.args.iter())
}

/// One level and the location below it that the request comes to.
fn level<'d>(
    here: &'d [Directive],
    reach: Reach,
    inherited: &[&'d Directive],
    server: &'d [Directive],
    asked: &Asked,
    found: &mut Vec<Place>,
) {
    let mut effective: Vec<&'d Directive> = here.iter().filter(|d| d.inner.is_empty()).collect();
    let own = |name: &str| here.iter().any(|d| d.name == name);
    effective.extend(inherited.iter().filter(|d| !own(&d.name)));
    let chosen = locations(here, &asked.path);
    for (location, sure) in &chosen {
        let reach = if *sure { reach } else { reach.min(Reach::Maybe) };
        level(&location.inner, reach, &effective, server, asked, found);
    }
    if chosen.iter().any(|(_, sure)| *sure) {
        return;
    }
    for d in effective {
        found.extend(strip(d, reach));
        if d.name == "auth_request" && d.arg(0) != "off" {
            found.extend(sub_request(server, d.arg(0), reach));
        }
    }
    // A block of `if` is entered by a condition.
    for block in named(here, "if") {
        found.extend(block.inner.iter().filter_map(|d| strip(d, reach.min(Reach::Maybe))));
    }
}

fn strip(d: &Directive, reach: Reach) -> Option<Place> {
    let place = |how, mend| Place { range: d.range.clone(), how, mend, reach };
    if d.is("proxy_pass_request_headers", &["off"]) {
        return Some(place(
            "passes requests on without any of their fields",
            "Remove `proxy_pass_request_headers off;`, or add `proxy_set_header Authorization $http_authorization;`.",
        ));
    }
    let (name, _) = SETS.iter().find(|(name, field)| d.is(name, &[field]))?;
    if d.args.len() < 2 || !d.arg(1).is_empty() {
        return None;
    }
    Some(match *name {
        "proxy_set_header" | "grpc_set_header" => place(
            "passes requests on without the Authorization field",
            "Remove this line, or write `proxy_set_header Authorization $http_authorization;` in its place.",
        ),
        _ => place(
            "hides the Authorization field from the program",
            "Remove this line, or write `fastcgi_param HTTP_AUTHORIZATION $http_authorization;` in its place.",
        ),
    })
}

/// What the location of an `auth_request` does to the request that asks for permission.
fn sub_request(server: &[Directive], target: &str, reach: Reach) -> Option<Place> {
    let asked = locations(server, target.split('?').next().unwrap_or(target));
    let mut place = asked.into_iter().flat_map(|(l, _)| l.inner.iter()).find_map(|d| strip(d, reach))?;
    place.how = "asks for permission (auth_request) without handing the Authorization field on";
    place.mend =
        "Write `proxy_set_header Authorization $http_authorization;` in the location that auth_request asks.";
    Some(place)
}

/// The locations that a path may come to; the one that is sure stands alone.
fn locations<'d>(all: &'d [Directive], path: &str) -> Vec<(&'d Directive, bool)> {
    if path.is_empty() {
        return named(all, "location").map(|d| (d, false)).collect();
    }
    let mut longest: Option<(&Directive, usize)> = None;
    for d in named(all, "location") {
        match (d.arg(0), d.arg(1)) {
            ("=", exact) if exact == path => return vec![(d, true)],
            ("=" | "~" | "~*" | "@", _) => {}
            (first, second) => {
                let prefix = if first == "^~" { second } else { first };
                let longer = longest.is_none_or(|(_, len)| prefix.len() > len);
                if !prefix.starts_with('@') && path.starts_with(prefix) && longer {
                    longest = Some((d, prefix.len()));
                }
            }
        }
    }
    let mut found: Vec<(&Directive, bool)> = Vec::new();
    if longest.is_none_or(|(d, _)| d.arg(0) != "^~") {
        for d in named(all, "location").filter(|d| matches!(d.arg(0), "~" | "~*")) {
            match by_ending(d.arg(1), path) {
                Some(true) => {
                    found.push((d, found.is_empty()));
                    return found;
                }
                Some(false) => {}
                None => found.push((d, false)),
            }
        }
    }
    found.extend(longest.map(|(d, _)| (d, found.is_empty())));
    found
}

/// Regular expressions that only ask for an ending or a beginning: `\.php$`, `\.(gif|png)$`, `^/api/`.
fn by_ending(pattern: &str, path: &str) -> Option<bool> {
    let plain = |t: &str| t.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'/' | b'-' | b'_'));
    if let Some(prefix) = pattern.strip_prefix('^').filter(|p| plain(p)) {
        return Some(path.starts_with(prefix));
    }
    let ending = pattern.strip_prefix("\\.")?.strip_suffix('$')?;
    let Some((_, last)) = path.rsplit_once('.') else { return Some(false) };
    let alternatives = ending.strip_prefix('(').and_then(|e| e.strip_suffix(')')).unwrap_or(ending);
    alternatives.split('|').all(plain).then(|| alternatives.split('|').any(|a| a.eq_ignore_ascii_case(last)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reach(text: &str, host: &str, path: &str) -> Option<Reach> {
        let asked = Asked { host: Some(host.to_owned()), path: path.to_owned(), ..Asked::default() };
        strips(text, &asked).into_iter().map(|p| p.reach).max()
    }

    const TWO: &str = "http { server { server_name a.example.com; location / { proxy_pass http://x; } \
        location /api/ { proxy_set_header Authorization \"\"; proxy_pass http://x; } } \
        server { server_name *.example.org; proxy_set_header Authorization ''; location / { proxy_pass http://y; } } }";

    #[test]
    fn only_the_location_of_the_request_counts() {
        assert_eq!(reach(TWO, "a.example.com", "/api/x"), Some(Reach::Here));
        assert_eq!(reach(TWO, "a.example.com", "/x"), None);
        assert_eq!(reach(TWO, "b.example.org", "/x"), Some(Reach::Here));
    }

    #[test]
    fn what_a_level_sets_itself_is_not_inherited() {
        let text = "server { proxy_set_header Authorization \"\"; location / { proxy_set_header Host $host; proxy_pass http://x; } }";
        assert_eq!(reach(text, "a.example.com", "/"), None);
    }

    #[test]
    fn a_regular_expression_leaves_it_open() {
        let text = "location / { proxy_pass http://x; } location ~ ^/(a|b)/ { proxy_set_header Authorization \"\"; } location ~ \\.php$ { fastcgi_param HTTP_AUTHORIZATION \"\"; }";
        assert_eq!(reach(text, "a.example.com", "/x"), Some(Reach::Maybe));
        assert_eq!(
            reach("location ~ \\.php$ { fastcgi_param HTTP_AUTHORIZATION \"\"; }", "h", "/x.php"),
            Some(Reach::Here)
        );
        assert_eq!(reach("location ~ \\.php$ { fastcgi_param HTTP_AUTHORIZATION \"\"; }", "h", "/x"), None);
        assert_eq!(
            reach("location ~ ^/(a|b)/ { proxy_set_header Authorization \"\"; }", "h", "/a/"),
            Some(Reach::Maybe)
        );
    }

    #[test]
    fn the_service_that_auth_request_asks_gets_no_field() {
        let text = "server { location / { auth_request /auth; proxy_pass http://x; } location = /auth { internal; proxy_pass_request_headers off; proxy_pass http://a; } }";
        assert_eq!(reach(text, "a.example.com", "/x"), Some(Reach::Here));
    }

    #[test]
    fn fields_with_an_underscore_are_left_out() {
        let asked = Asked { host: Some("h".to_owned()), path: "/".to_owned(), ..Asked::default() };
        assert!(underscores("server { location / { proxy_pass http://x; } }", &asked).is_some());
        assert!(
            underscores("server { underscores_in_headers on; location / { proxy_pass http://x; } }", &asked)
                .is_none()
        );
    }
}
