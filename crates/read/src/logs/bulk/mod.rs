//! Large logs: every line is looked at as far as the fold needs it, and only what became an example is read in full.
//!
//! Lines of the common log format as Apache and nginx write it are taken apart by `fast`; whatever that does not
//! understand goes to the readers of all formats, so both give the same.

mod fast;
mod filter;
mod scanner;
mod seen;

pub use filter::Filter;
pub use scanner::{Bulk, Place, Scanned, Scanner};
