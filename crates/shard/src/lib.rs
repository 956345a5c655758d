//! A fold over logs in pieces, on as many machines as there are.
//!
//! A plan cuts logs into [`Split`]s; whoever folds some of them has a [`State`] for each lot of clients; [`Merge`] makes
//! one state of those of one lot, in any order and however often; [`whole`] makes one answer of all lots. Splits
//! and states are rows of a table, so that any engine can carry them: as JSON lines ([`lines`]) or as a stream of Arrow
//! ([`columns`]). States hold lines of the logs, so a [`Key`] seals them.

mod arrow;
pub mod columns;
pub mod lines;
mod merge;
mod row;
mod seal;
mod split;
mod state;

pub use merge::{Merge, Whole, whole};
pub use row::Row;
pub use seal::{Key, NotSealed, SHORTEST};
pub use split::{Plan, Split};
pub use state::{Fault, Source, State, Unreadable, VERSION};
