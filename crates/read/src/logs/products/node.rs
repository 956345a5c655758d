//! What servers of JavaScript print while somebody works on them: Hono's logger
//! (<https://github.com/honojs/hono/blob/main/src/middleware/logger/index.ts>), morgan's `tiny` and `dev`
//! (<https://github.com/expressjs/morgan/blob/master/index.js>) and Next.js. They show neither client nor user.

use super::Text;
use crate::logs::line::Escape;

pub(super) const HONO: Text = Text {
    product: "hono",
    layouts: &["--> {method} {target} {status} {}"],
    escape: Escape::None,
    loose: false,
};

pub(super) const MORGAN: Text = Text {
    product: "morgan",
    layouts: &["{method} {target} {status} {bytes} - {} ms", "{method} {target} {status} {} ms - {bytes}"],
    escape: Escape::None,
    loose: false,
};

pub(super) const NEXT: Text = Text {
    product: "next",
    layouts: &["{method} {target} {status} in {}"],
    escape: Escape::None,
    loose: true,
};
