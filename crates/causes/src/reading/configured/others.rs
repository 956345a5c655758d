//! What other products' configurations do to the field, line by line.
//!
//! HAProxy, `http-request del-header` and `set-header`; Traefik, Headers (`customRequestHeaders`, an empty value removes the
//! field), BasicAuth (`removeHeader`) and ForwardAuth (`authRequestHeaders`: if given, only these are handed on); Envoy,
//! `request_headers_to_remove`, jwt_authn `forward` (off by default: the token is removed once verified); Caddy,
//! `request_header` and `header_up` with a minus; Squid, `request_header_access`; Varnish, `unset req.http.…`; IIS URL
//! Rewrite, server variables.

use super::{Asked, Place, Reach};
use std::ops::Range;

/// A line as it reads with single blanks and in lower case, and what it does.
struct Rule {
    /// What the line begins with.
    begins: &'static str,
    /// What stands in it besides.
    has: &'static str,
    how: &'static str,
    mend: &'static str,
}

const RULES: &[Rule] = &[
    Rule {
        begins: "http-request del-header authorization",
        has: "",
        how: "removes the Authorization field",
        mend: "Remove `http-request del-header Authorization`, or make it conditional.",
    },
    Rule {
        begins: "http-request set-header authorization",
        has: "",
        how: "replaces the Authorization field",
        mend: "Remove `http-request set-header Authorization …` where the client's own credentials are wanted.",
    },
    Rule {
        begins: "request_header -authorization",
        has: "",
        how: "removes the Authorization field",
        mend: "Remove `request_header -Authorization`.",
    },
    Rule {
        begins: "header_up -authorization",
        has: "",
        how: "passes requests on without the Authorization field",
        mend: "Remove `header_up -Authorization` from reverse_proxy.",
    },
    Rule {
        begins: "request_header_access authorization deny",
        has: "",
        how: "removes the Authorization field",
        mend: "Remove `request_header_access Authorization deny`, or allow it for this destination before.",
    },
    Rule {
        begins: "unset req.http.authorization",
        has: "",
        how: "removes the Authorization field",
        mend: "Remove `unset req.http.Authorization;` for this path, and `return (pass)` instead.",
    },
    Rule {
        begins: "<set ",
        has: "name=\"http_authorization\" value=\"\"",
        how: "empties the Authorization field before the request is passed on",
        mend: "Remove this `<set name=\"HTTP_AUTHORIZATION\">` from the rewrite rule.",
    },
    Rule {
        begins: "removeheader: true",
        has: "",
        how: "removes the Authorization field once Traefik's own login has used it",
        mend: "Set `removeHeader: false` in the basicAuth middleware.",
    },
    Rule {
        begins: "traefik.http.middlewares.",
        has: "auth.removeheader=true",
        how: "removes the Authorization field once Traefik's own login has used it",
        mend: "Set `removeheader=false` on the middleware.",
    },
];

/// What takes the Authorization field away from a request.
pub(super) fn strips(text: &str, asked: &Asked) -> Vec<Place> {
    let lines: Vec<(Range<usize>, String)> = lines(text).collect();
    let conditional = |line: &str| line.contains(" if ") || line.contains(" unless ");
    let mut found = Vec::new();
    let mut before = "";
    for (i, (range, line)) in lines.iter().enumerate() {
        let rest = || lines.iter().skip(i + 1).take(20).map(|(_, l)| l.as_str());
        let of_rule =
            RULES.iter().find(|r| begins(line, r.begins) && line.contains(r.has)).map(|r| (r.how, r.mend));
        let known = of_rule.or_else(|| traefik(line, before)).or_else(|| listed(line, rest()));
        if let Some((how, mend)) = known {
            let guarded = conditional(line) || enclosed(&lines, i, asked);
            let reach = if guarded { Reach::Maybe } else { Reach::Here };
            found.push(Place { range: range.clone(), how, mend, reach });
        }
        before = line;
    }
    found.retain(|p| !for_other_path(&lines, p, asked));
    found
}

/// A rule of IIS that denies the user, or everybody (`<deny users="…"/>`, system.web `authorization`).
pub(super) fn denies(text: &str, user: &str) -> Option<Place> {
    let bare = user.rsplit('\\').next().unwrap_or(user).to_ascii_lowercase();
    lines(text).find_map(|(range, line)| {
        let users = line.strip_prefix("<deny ")?.split_once("users=\"")?.1.split('"').next()?;
        let named = users.split(',').map(str::trim).any(|u| u.rsplit('\\').next() == Some(bare.as_str()));
        named.then_some(Place {
            range,
            how: "denies this user",
            mend: "Remove the user from `<deny users>`, or put an `<allow users>` before it: the first rule that fits decides.",
            reach: Reach::Here,
        })
    })
}

/// IIS, `extendedProtection tokenChecking="Require"`.
pub(super) fn wants_binding(text: &str) -> Option<Place> {
    lines(text)
        .find(|(_, l)| l.contains("extendedprotection") && l.contains("tokenchecking=\"require\""))
        .map(|(range, _)| Place {
            range,
            how: "demands channel bindings (Extended Protection)",
            mend: "Set tokenChecking to `Allow`, or use a client that sends channel bindings.",
            reach: Reach::Here,
        })
}

/// Lines with their ranges, without indentation, remarks and superfluous blanks, in lower case.
fn lines(text: &str) -> impl Iterator<Item = (Range<usize>, String)> {
    let mut at = 0;
    text.split_inclusive('\n').filter_map(move |whole| {
        let start = at;
        at += whole.len();
        let bare = whole.trim_start();
        let from = start + whole.len() - bare.len();
        let bare = bare.trim_end();
        let item = bare.strip_prefix("- ").unwrap_or(bare).trim_start_matches('"');
        let shown = item.split_whitespace().collect::<Vec<_>>().join(" ").to_ascii_lowercase();
        (!shown.is_empty() && !shown.starts_with('#')).then(|| (from..from + bare.len(), shown))
    })
}

fn begins(line: &str, words: &str) -> bool {
    let ends =
        |rest: &str| rest.is_empty() || words.ends_with([' ', '.']) || rest.starts_with([' ', ';', ',']);
    line.strip_prefix(words).is_some_and(ends)
}

/// Below `customRequestHeaders`, an empty value takes the field away; as a label the name and the empty value are one.
fn traefik(line: &str, before: &str) -> Option<(&'static str, &'static str)> {
    let below = before.contains("customrequestheaders");
    let yaml = below && matches!(line, "authorization: \"\"" | "authorization: ''" | "authorization = \"\"");
    let label = line.trim_end_matches(['"', '\'']).ends_with("headers.customrequestheaders.authorization=");
    (yaml || label)
        .then_some(("removes the Authorization field", "Remove Authorization from customRequestHeaders."))
}

/// Lists: Envoy's of fields to remove, Traefik's of fields to hand on.
fn listed<'l>(line: &str, rest: impl Iterator<Item = &'l str>) -> Option<(&'static str, &'static str)> {
    let holds = |l: &str| l.contains("authorization");
    let mut items = rest.take_while(|l| !l.contains(": ") && !l.ends_with(':'));
    if line.starts_with("request_headers_to_remove:") && (holds(line) || items.any(holds)) {
        return Some((
            "removes the Authorization field",
            "Take authorization out of request_headers_to_remove.",
        ));
    }
    let handed = line.starts_with("authrequestheaders:") || line.contains("forwardauth.authrequestheaders=");
    (handed && !holds(line) && !items.any(holds)).then_some((
        "asks for permission (forwardAuth) without handing the Authorization field on",
        "Add Authorization to authRequestHeaders, or leave the list out: then all fields are handed on.",
    ))
}

/// Whether a block around the line is entered by a condition (`if (…) {`), or only one of several sections has it.
fn enclosed(lines: &[(Range<usize>, String)], at: usize, _: &Asked) -> bool {
    let mut depth = 0i32;
    for (_, line) in lines.iter().take(at).rev() {
        if line == "}" {
            depth += 1;
        } else if line.ends_with('{') {
            if depth == 0
                && (line.starts_with("if") || line.starts_with("} else") || line.starts_with("elsif"))
            {
                return true;
            }
            depth = (depth - 1).max(0);
        }
        // HAProxy's sections are not known to be those of the request where there are several.
        if line.starts_with("backend ") || line.starts_with("frontend ") {
            let kind = line.split(' ').next().unwrap_or_default();
            return lines.iter().filter(|(_, l)| begins(l, kind)).count() > 1;
        }
    }
    false
}

/// Caddy's blocks name the paths that they are for: `handle /api/* {`.
fn for_other_path(lines: &[(Range<usize>, String)], place: &Place, asked: &Asked) -> bool {
    let Some(at) = lines.iter().position(|(r, _)| *r == place.range) else { return false };
    let mut depth = 0i32;
    for (_, line) in lines.iter().take(at).rev() {
        if line == "}" {
            depth += 1;
        } else if let Some(head) = line.strip_suffix('{') {
            if depth > 0 {
                depth -= 1;
                continue;
            }
            let mut words = head.split_whitespace();
            let takes_path =
                matches!(words.next(), Some("handle" | "handle_path" | "route" | "reverse_proxy"));
            let path = words.next().filter(|p| p.starts_with('/'));
            let fits = |p: &str| match p.strip_suffix('*') {
                Some(prefix) => asked.path.to_ascii_lowercase().starts_with(prefix),
                None => asked.path.eq_ignore_ascii_case(p),
            };
            if takes_path && !asked.path.is_empty() && path.is_some_and(|p| !fits(p)) {
                return true;
            }
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str, path: &str) -> Vec<Reach> {
        let asked = Asked { path: path.to_owned(), ..Asked::default() };
        strips(text, &asked).into_iter().map(|p| p.reach).collect()
    }

    #[test]
    fn lines_that_take_the_field_away_are_known() {
        for text in [
            "backend app\n  http-request del-header Authorization\n",
            "middlewares:\n  x:\n    headers:\n      customRequestHeaders:\n        Authorization: \"\"\n",
            "labels:\n  - \"traefik.http.middlewares.x.headers.customrequestheaders.Authorization=\"\n",
            "- \"traefik.http.middlewares.x.basicauth.removeheader=true\"\n",
            "basicAuth:\n  users:\n    - x\n  removeHeader: true\n",
            "forwardAuth:\n  address: http://auth\n  authRequestHeaders:\n    - Cookie\n",
            "routes:\n- match: {}\n  request_headers_to_remove: [\"authorization\", \"cookie\"]\n",
            "request_headers_to_remove:\n- cookie\n- authorization\n",
            "reverse_proxy app:80 {\n\theader_up -Authorization\n}\n",
            "request_header_access Authorization deny all\n",
            "sub vcl_recv {\n  unset req.http.Authorization;\n}\n",
            "<serverVariables>\n<set name=\"HTTP_AUTHORIZATION\" value=\"\" />\n</serverVariables>\n",
        ] {
            assert_eq!(found(text, "/"), [Reach::Here], "{text}");
        }
        for text in [
            "# http-request del-header Authorization\n",
            "http-request del-header X-Authorization\n",
            "forwardAuth:\n  authRequestHeaders:\n    - Authorization\n",
            "customRequestHeaders:\n  Authorization: \"Basic x\"\n",
            "removeHeader: false\n",
            "request_headers_to_remove:\n- cookie\nroutes: authorization\n",
        ] {
            assert!(found(text, "/").is_empty(), "{text}");
        }
    }

    #[test]
    fn conditions_and_paths_count() {
        assert_eq!(
            found("backend a\nhttp-request del-header Authorization if internal\n", "/"),
            [Reach::Maybe]
        );
        assert_eq!(
            found("backend a\nserver x\nbackend b\nhttp-request del-header Authorization\n", "/"),
            [Reach::Maybe]
        );
        assert_eq!(
            found("sub vcl_recv {\nif (req.url ~ \"x\") {\nunset req.http.Authorization;\n}\n}\n", "/"),
            [Reach::Maybe]
        );
        let caddy = "handle /api/* {\nreverse_proxy app:80 {\nheader_up -Authorization\n}\n}\n";
        assert_eq!(found(caddy, "/api/x"), [Reach::Here]);
        assert!(found(caddy, "/x").is_empty());
    }

    #[test]
    fn users_that_are_denied_are_known() {
        assert!(
            denies("<authorization>\n<deny users=\"EXAMPLE\\alice, bob\" />\n</authorization>", "alice")
                .is_some()
        );
        assert!(denies("<deny users=\"?\" />", "alice").is_none());
    }
}
