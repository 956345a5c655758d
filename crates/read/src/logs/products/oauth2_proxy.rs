//! OAuth2 Proxy's request log (<https://oauth2-proxy.github.io/oauth2-proxy/configuration/overview#request-log-format>):
//! with the request's id since 7.0, without it before.

use super::Text;
use crate::logs::line::Escape;

pub(super) const TEXT: Text = Text {
    product: "oauth2-proxy",
    layouts: &[
        r#"{client} - {} - {user} [{time}] {host} {method} {} "{target}" {version} "{>user-agent}" {status} {bytes} {}"#,
        r#"{client} - {user} [{time}] {host} {method} {} "{target}" {version} "{>user-agent}" {status} {bytes} {}"#,
    ],
    escape: Escape::None,
    loose: false,
};
