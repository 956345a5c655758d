//! HAProxy with `option httplog` (<https://docs.haproxy.org/2.6/configuration.html#8.2.3>). The remark is the
//! termination state; `LR--` says that HAProxy itself answered.

use super::Text;
use crate::logs::line::Escape;

pub(super) const TEXT: Text = Text {
    product: "haproxy",
    layouts: &[
        r#"{client:port} [{time}] {} {upstream} {} {status} {bytes} {} {} {remark} {} {} "{request}""#,
    ],
    escape: Escape::None,
    loose: false,
};
