//! Cloudflare's HTTP requests data set (<https://developers.cloudflare.com/logs/reference/log-fields/zone/http_requests/>).

use super::Keys;

pub(super) const KEYS: Keys = Keys {
    product: Some("cloudflare"),
    signs: &["EdgeResponseStatus", "ClientRequestMethod"],
    keys: &[
        ("EdgeStartTimestamp", "time"),
        ("ClientIP", "client"),
        ("ClientSrcPort", "remote-port"),
        ("ClientRequestMethod", "method"),
        ("ClientRequestURI", "target"),
        ("ClientRequestPath", "target"),
        ("ClientRequestProtocol", "version"),
        ("ClientRequestScheme", "scheme"),
        ("ClientRequestHost", "host"),
        ("ClientRequestReferer", "referer"),
        ("ClientRequestUserAgent", "agent"),
        ("EdgeResponseStatus", "status"),
        ("EdgeResponseBytes", "bytes"),
        ("SecurityAction", "remark"),
        ("WAFAction", "remark"),
        ("RequestHeaders.*", ">*"),
        ("ResponseHeaders.*", "<*"),
    ],
};
