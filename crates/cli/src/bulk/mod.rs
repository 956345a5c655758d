//! Large logs: read from several places at once, folded, and only examples read in full.

mod again;
mod choose;
mod each;
mod file;
mod origin;
mod pipe;
mod progress;
mod share;
mod stream;
mod work;

pub(crate) use again::{Take, enter};
pub(crate) use choose::{LARGE, Log, UNFIT, choose, codec, coding, look_at};
pub(crate) use each::{Refused, each};
pub(crate) use origin::Origin;
pub(crate) use pipe::Pipe;
pub(crate) use progress::during;
pub(crate) use work::{Folded, Watch, fold, fold_split};
