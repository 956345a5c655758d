//! The catalogue: one file a cause, and how the right one is chosen.
//!
//! [`diagnose`] holds every refusal of a [`Case`](why401_history::Case) against every cause of [`CATALOGUE`]. A
//! cause looks at a [`Scene`] and gives an [`Answer`]; [`rank`] chooses among the
//! answers. There is no dispatcher: to add a cause, write its file in `catalogue/` and enter it in the list there.

mod account;
pub mod carried;
pub mod catalogue;
mod cause;
mod diagnose;
mod elsewhere;
mod gist;
mod heard;
mod login;
mod moved;
mod near;
mod phrase;
pub mod rank;
mod reading;
mod scene;
mod sequence;
mod shared;
mod shell;
mod show;
mod story;
mod told;

pub use catalogue::CATALOGUE;
pub use cause::{Answer, Cause, Claim, Group, Meta};
pub use diagnose::{Because, Explained, diagnose, explain_each, row};
pub use heard::Heard;
pub use scene::{Offered, Scene, Sent, Step};
