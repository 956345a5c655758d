//! Gitea's router log (<https://docs.gitea.com/administration/logging-config>): as Macaron wrote it to 1.14, and since. It shows
//! no user.

use super::Text;
use crate::logs::line::Escape;

pub(super) const TEXT: Text = Text {
    product: "gitea",
    layouts: &[
        "[Macaron] {time}: Completed {method} {target} {status} {} in {}",
        "{time} [{}] router: completed {method} {target} for {client:port}, {status} {} in {}",
    ],
    escape: Escape::None,
    loose: false,
};
