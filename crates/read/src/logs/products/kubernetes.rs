//! Kubernetes' audit log (<https://kubernetes.io/docs/reference/config-api/apiserver-audit.v1/>), whose verbs are its
//! own and no methods, and the Go framework Gin that many services in a cluster are made with.

use super::{Keys, Text};
use crate::logs::line::Escape;

pub(super) const AUDIT: Keys = Keys {
    product: Some("kubernetes"),
    signs: &["auditID", "requestURI"],
    keys: &[
        ("requestReceivedTimestamp", "time"),
        ("sourceIPs", "client"),
        ("user.username", "user"),
        ("requestURI", "target"),
        ("userAgent", "agent"),
        ("responseStatus.code", "status"),
        ("responseStatus.message", "remark"),
        ("responseStatus.reason", "remark"),
    ],
};

pub(super) const GIN: Text = Text {
    product: "gin",
    layouts: &[r#"[GIN] {} - {} | {status} | {} | {client} | {method} "{target}""#],
    escape: Escape::None,
    loose: true,
};
