//! Caddy (<https://caddyserver.com/docs/caddyfile/directives/log>). It writes `REDACTED` for credentials and cookies.

use super::Keys;

pub(super) const KEYS: Keys = Keys {
    product: Some("caddy"),
    signs: &["request.uri", "request.proto", "status"],
    keys: &[
        ("ts", "time"),
        ("request.client_ip", "client"),
        ("request.remote_ip", "client"),
        ("request.remote_addr", "client"),
        ("request.remote_port", "remote-port"),
        ("request.method", "method"),
        ("request.host", "host"),
        ("request.uri", "target"),
        ("request.proto", "version"),
        ("request.headers.*", ">*"),
        ("resp_headers.*", "<*"),
        ("user_id", "user"),
        ("size", "bytes"),
        ("status", "status"),
    ],
};
