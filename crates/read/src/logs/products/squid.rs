//! Squid's native access log (<https://wiki.squid-cache.org/Features/LogFormat>). The remark is the result code.

use super::Text;
use crate::logs::line::Escape;

pub(super) const TEXT: Text = Text {
    product: "squid",
    layouts: &["{time} {} {client} {remark}/{status} {bytes} {method} {target} {user} {}/{} {}"],
    escape: Escape::Percent,
    loose: true,
};
