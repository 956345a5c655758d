//! Google Cloud's log entries with an `httpRequest`
//! (<https://cloud.google.com/logging/docs/reference/v2/rest/v2/LogEntry#HttpRequest>).

use super::Keys;

pub(super) const KEYS: Keys = Keys {
    product: None,
    signs: &["httpRequest.requestMethod"],
    keys: &[
        ("timestamp", "time"),
        ("httpRequest.remoteIp", "client"),
        ("httpRequest.serverIp", "server"),
        ("httpRequest.requestMethod", "method"),
        ("httpRequest.requestUrl", "target"),
        ("httpRequest.protocol", "version"),
        ("httpRequest.status", "status"),
        ("httpRequest.responseSize", "bytes"),
        ("httpRequest.userAgent", "agent"),
        ("httpRequest.referer", "referer"),
        ("jsonPayload.statusDetails", "remark"),
        ("protoPayload.status.message", "remark"),
    ],
};
