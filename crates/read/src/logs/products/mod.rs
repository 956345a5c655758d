//! The log formats of products, one small file each: data only.
//!
//! A text format is a plan in the notation of [`Plan::of`]. A JSON format is a list of keys: a path of keys joined by
//! dots, `*` at its end for any further key, and the part that the value is, in the same notation.

mod aws;
mod caddy;
mod cloudflare;
mod envoy;
mod gitea;
mod google;
mod haproxy;
mod kubernetes;
mod node;
mod oauth2_proxy;
mod python;
mod squid;
mod tornado;
mod traefik;
mod usual;

use super::line::{Escape, Line};
use super::plan::Plan;
use std::sync::LazyLock;

/// A text format.
pub(crate) struct Text {
    /// The product.
    pub(crate) product: &'static str,
    /// Its layouts, the longest first.
    pub(crate) layouts: &'static [&'static str],
    /// How it spells values.
    pub(crate) escape: Escape,
    /// Whether it pads columns with spaces.
    pub(crate) loose: bool,
}

/// A JSON format.
pub(crate) struct Keys {
    /// The product; `None` for names that many share.
    pub(crate) product: Option<&'static str>,
    /// Keys that no other format has all of.
    pub(crate) signs: &'static [&'static str],
    /// What the keys mean.
    pub(crate) keys: &'static [(&'static str, &'static str)],
}

const TEXTS: [&Text; 17] = [
    &gitea::TEXT,
    &oauth2_proxy::TEXT,
    &envoy::TEXT,
    &haproxy::TEXT,
    &squid::TEXT,
    &aws::ALB,
    &aws::ELB,
    &aws::S3,
    &python::UVICORN,
    &python::UWSGI,
    &kubernetes::GIN,
    &node::HONO,
    &node::MORGAN,
    &node::NEXT,
    &tornado::MOONRAKER,
    &tornado::JUPYTER,
    &tornado::TORNADO,
];

/// JSON formats; the first whose signs are all there is taken.
pub(crate) const JSON: [&Keys; 7] = [
    &caddy::KEYS,
    &traefik::KEYS,
    &cloudflare::KEYS,
    &envoy::KEYS,
    &google::KEYS,
    &kubernetes::AUDIT,
    &usual::KEYS,
];

/// The text formats, ready to use.
pub(crate) struct Texts(Vec<Plan>);

impl Texts {
    /// All of them.
    pub(crate) fn shared() -> &'static Texts {
        static SHARED: LazyLock<Texts> = LazyLock::new(|| {
            let plans = TEXTS.iter().flat_map(|text| {
                text.layouts
                    .iter()
                    .map(|layout| Plan { loose: text.loose, ..Plan::of(layout, text.escape, text.product) })
            });
            Texts(plans.collect())
        });
        &SHARED
    }

    /// Takes a line apart by the first format that it fits.
    pub(crate) fn parse<'a>(&'a self, line: &'a [u8]) -> Option<Line<'a>> {
        self.0.iter().find_map(|plan| plan.parse(line))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::logs::part::Part;

    fn parse(line: &str) -> (String, u16, String, String) {
        let texts = Texts::shared();
        let parsed = texts.parse(line.as_bytes()).unwrap_or_else(|| panic!("{line}"));
        let text = |p| String::from_utf8_lossy(parsed.get(p).unwrap_or_default()).into_owned();
        let asked =
            if parsed.get(Part::Request).is_some() { text(Part::Request) } else { text(Part::Target) };
        (parsed.product.unwrap().to_owned(), parsed.status().unwrap_or(0), asked, text(Part::Remark))
    }

    #[test]
    fn every_product_reads_its_own_line() {
        for (line, product, status, asked, remark) in [
            (
                r#"[2016-04-15T20:17:00.310Z] "POST /api/v1/locations HTTP/2" 204 - 154 0 226 100 "10.0.35.28" "nsq2http" "cc21d9b0-cf5c-432b-8c7e-98aeb7988cd2" "locations" "tcp://10.0.2.1:80""#,
                "envoy",
                204,
                "POST /api/v1/locations HTTP/2",
                "-",
            ),
            (
                r#"[2026-11-22T17:14:41.310Z] "GET /x HTTP/1.1" 401 - jwt_authn_access_denied{Jwt_is_missing} - "-" 0 14 0 - "-" "curl/8.0" "id" "api.example.com" "-" - - 10.0.0.1:80 10.0.0.2:5000 - default"#,
                "envoy",
                401,
                "GET /x HTTP/1.1",
                "jwt_authn_access_denied{Jwt_is_missing}",
            ),
            (
                r#"192.0.2.1:33317 [06/Feb/2009:12:14:14.655] http-in static/<NOSRV> 10/-1/-1/-1/10 401 2750 - - LR-- 1/1/1/1/0 0/0 {1wt.eu} {} "GET /index.html HTTP/1.1""#,
                "haproxy",
                401,
                "GET /index.html HTTP/1.1",
                "LR--",
            ),
            (
                "1066036250.129      1 192.0.2.1 TCP_DENIED/407 1733 GET http://www.example.com/ - NONE/- text/html",
                "squid",
                407,
                "http://www.example.com/",
                "TCP_DENIED",
            ),
            (
                r#"https 2016-08-10T23:39:43.065466Z app/lb/1 192.0.2.1:2817 - -1 -1 -1 401 - 0 57 "GET https://www.example.com:443/ HTTP/1.1" "curl/7.46.0" ECDHE TLSv1.2 arn:x "Root=1" "www.example.com" "arn" 1 2016-08-10T23:39:43.065466Z "authenticate" "-" "AuthInvalidCookie" "-" "-" "-" "-""#,
                "aws-alb",
                401,
                "GET https://www.example.com:443/ HTTP/1.1",
                "AuthInvalidCookie",
            ),
            (
                r#"http 2016-08-10T22:08:42.945958Z app/lb/1 192.0.2.1:2817 10.0.0.1:80 0.000 0.001 0.000 200 200 34 366 "GET http://www.example.com:80/ HTTP/1.1" "curl/7.46.0" - - arn:x "Root=1" - -"#,
                "aws-alb",
                200,
                "GET http://www.example.com:80/ HTTP/1.1",
                "",
            ),
            (
                r#"2015-05-13T23:39:43.945958Z lb 192.0.2.1:2817 10.0.0.1:80 0.000073 0.001048 0.000057 401 401 0 29 "GET http://www.example.com:80/ HTTP/1.1" "curl/7.38.0" - -"#,
                "aws-elb",
                401,
                "GET http://www.example.com:80/ HTTP/1.1",
                "",
            ),
            (
                r#"b659 bucket [10/Feb/2012:16:42:07 -0500] 192.0.2.1 - EB35 REST.GET.OBJECT index "GET /index HTTP/1.1" 403 AccessDenied 368 368 10 9 "-" "S3Console/0.4""#,
                "aws-s3",
                403,
                "GET /index HTTP/1.1",
                "AccessDenied",
            ),
            (
                r#"INFO:     192.0.2.1:54321 - "GET /x HTTP/1.1" 401 Unauthorized"#,
                "uvicorn",
                401,
                "GET /x HTTP/1.1",
                "",
            ),
            (
                "[pid: 24386|app: 0|req: 1/2] 192.0.2.1 () {44 vars in 1322 bytes} [Tue Jan  3 05:01:31 2012] GET /c => generated 192 bytes in 21 msecs (HTTP/1.1 401) 4 headers in 188 bytes (1 switches on core 0)",
                "uwsgi",
                401,
                "/c",
                "",
            ),
            (
                r#"[GIN] 2023/01/01 - 12:00:00 | 401 |      12.345µs |       192.0.2.1 | GET      "/path?x=y""#,
                "gin",
                401,
                "/path?x=y",
                "",
            ),
            (
                "2026-11-22 11:26:40,102 [app.py:log_request()] - 401 GET /websocket (2001:db8::9) [No User] 12.44ms",
                "moonraker",
                401,
                "/websocket",
                "",
            ),
            (
                "2026-11-22 11:26:40,102 [app.py:log_request()] - 200 GET /server/info (192.0.2.7) [_TRUSTED_USER_] 3.20ms",
                "moonraker",
                200,
                "/server/info",
                "",
            ),
            (
                "[W 2026-11-22 10:00:00.123 JupyterHub log:191] 403 GET /hub/api/users (alice@192.0.2.7) 12.34ms",
                "jupyter",
                403,
                "/hub/api/users",
                "",
            ),
            ("[W 261122 10:00:00 web:2348] 401 GET /api (192.0.2.7) 0.91ms", "tornado", 401, "/api", ""),
            ("--> GET /api/auth/get-session 401 1ms", "hono", 401, "/api/auth/get-session", ""),
            ("GET /api/me 401 12 - 3.214 ms", "morgan", 401, "/api/me", ""),
            ("GET /api/me 401 3.214 ms - 12", "morgan", 401, "/api/me", ""),
            (" GET /api/me 401 in 12ms", "next", 401, "/api/me", ""),
        ] {
            assert_eq!(
                parse(line),
                (product.to_owned(), status, asked.to_owned(), remark.to_owned()),
                "{line}"
            );
        }
    }
}
