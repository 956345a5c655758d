//! Traefik's JSON access log (<https://doc.traefik.io/traefik/observability/access-logs/>).

use super::Keys;

pub(super) const KEYS: Keys = Keys {
    product: Some("traefik"),
    signs: &["DownstreamStatus", "RequestMethod"],
    keys: &[
        ("StartUTC", "time"),
        ("time", "time"),
        ("ClientHost", "client"),
        ("ClientPort", "remote-port"),
        ("ClientUsername", "user"),
        ("RequestMethod", "method"),
        ("RequestPath", "target"),
        ("RequestProtocol", "version"),
        ("RequestScheme", "scheme"),
        ("RequestHost", "host"),
        ("DownstreamStatus", "status"),
        ("DownstreamContentSize", "bytes"),
        ("request_*", ">*"),
        ("downstream_*", "<*"),
    ],
};
