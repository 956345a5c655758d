//! Configuration that takes the Authorization field away.

use crate::Scene;
use std::ops::Range;
use why401_http::{Fact, FactKind};

/// A line that takes the field away.
pub(crate) struct Stripped<'a> {
    pub(crate) fact: &'a Fact,
    pub(crate) range: Range<usize>,
    /// Completes "the configuration …".
    pub(crate) how: &'static str,
}

/// Directives in lower case with single blanks, and what they do: nginx, ngx_http_proxy_module (a field whose value is an
/// empty string is not passed on); Apache, mod_headers, `CGIPassAuth`; mod_wsgi, `WSGIPassAuthorization`; HAProxy,
/// `http-request del-header`.
const STRIPS: &[(&str, &str)] = &[
    ("proxy_set_header authorization \"\"", "passes requests on without the Authorization field"),
    ("proxy_set_header authorization ''", "passes requests on without the Authorization field"),
    ("fastcgi_param http_authorization \"\"", "hides the Authorization field from the program"),
    ("requestheader unset authorization", "removes the Authorization field"),
    ("wsgipassauthorization off", "hides the Authorization field from the program"),
    ("cgipassauth off", "hides the Authorization field from the program"),
    ("http-request del-header authorization", "removes the Authorization field"),
];

/// The first line of a configuration that takes the field away; comments do not count.
pub(crate) fn strips<'a>(scene: &Scene<'a>) -> Option<Stripped<'a>> {
    let configurations = scene.case.facts.iter().filter(|f| matches!(f.kind, FactKind::Configuration { .. }));
    configurations.into_iter().find_map(|fact| {
        let bytes = fact.text.as_bytes();
        let mut at = 0;
        for line in bytes.split(|b| *b == b'\n') {
            if let Some(how) = of_line(&String::from_utf8_lossy(line)) {
                let bare = line.trim_ascii_start();
                let start = at + line.len() - bare.len();
                return Some(Stripped { fact, range: start..start + bare.trim_ascii_end().len(), how });
            }
            at += line.len() + 1;
        }
        None
    })
}

/// Whether a configuration makes its server ask for a login itself.
pub(crate) fn asks(scene: &Scene<'_>) -> bool {
    const ASKS: &[&str] =
        &["auth_basic ", "auth_request ", "authtype ", "auth_digest ", "basicauth", "auth_jwt "];
    let configurations = scene.case.facts.iter().filter(|f| matches!(f.kind, FactKind::Configuration { .. }));
    configurations.into_iter().any(|fact| {
        let text = fact.text.to_text().to_ascii_lowercase();
        text.lines()
            .map(str::trim_start)
            .any(|line| ASKS.iter().any(|a| line.starts_with(a)) && !line.starts_with("auth_basic off"))
    })
}

/// What a line does to the field.
fn of_line(line: &str) -> Option<&'static str> {
    let line = line.split_whitespace().collect::<Vec<_>>().join(" ").to_ascii_lowercase();
    let ends = |rest: &str| rest.is_empty() || rest.starts_with([';', ' ']);
    STRIPS.iter().find(|(d, _)| line.strip_prefix(d).is_some_and(ends)).map(|(_, how)| *how)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_take_the_field_away_are_known() {
        for line in [
            "    proxy_set_header   Authorization \"\";",
            "RequestHeader unset Authorization",
            "\tWSGIPassAuthorization Off # default",
            "http-request del-header Authorization if internal",
        ] {
            assert!(of_line(line).is_some(), "{line}");
        }
        for line in [
            "# proxy_set_header Authorization \"\";",
            "proxy_set_header Authorization $http_authorization;",
            "RequestHeader unset Authorization-Extra",
            "WSGIPassAuthorization On",
        ] {
            assert!(of_line(line).is_none(), "{line}");
        }
    }
}
