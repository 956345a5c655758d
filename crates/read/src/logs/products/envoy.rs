//! Envoy (<https://www.envoyproxy.io/docs/envoy/latest/configuration/observability/access_log/usage>) and Istio
//! (<https://istio.io/latest/docs/tasks/observability/logs/access-log/>).

use super::{Keys, Text};
use crate::logs::line::Escape;

pub(super) const TEXT: Text = Text {
    product: "envoy",
    layouts: &[
        // Istio's default, which tells why the proxy itself refused.
        r#"[{time}] "{request}" {status} {} {remark} {} "{}" {} {bytes} {} {} "{>X-Forwarded-For}" "{agent}" "{}" "{host}" "{}""#,
        r#"[{time}] "{request}" {status} {remark} {} {bytes} {} {} "{>X-Forwarded-For}" "{agent}" "{}" "{host}" "{}""#,
    ],
    escape: Escape::None,
    loose: false,
};

pub(super) const KEYS: Keys = Keys {
    product: Some("envoy"),
    signs: &["response_code", "response_flags"],
    keys: &[
        ("start_time", "time"),
        ("downstream_remote_address", "client:port"),
        ("method", "method"),
        ("path", "target"),
        ("protocol", "version"),
        ("authority", "host"),
        ("response_code", "status"),
        ("response_code_details", "remark"),
        ("bytes_sent", "bytes"),
        ("user_agent", "agent"),
        ("upstream_host", "upstream"),
        ("x_forwarded_for", ">X-Forwarded-For"),
    ],
};
