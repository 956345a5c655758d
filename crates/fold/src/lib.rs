//! What a log of any length says of each account, client and resource, in memory that does not grow with its lines.
//!
//! A [`Part`] takes the requests of a stretch of the log, in order. Parts that touch are glued ([`Parts`]); whatever the
//! cuts between them and whatever the order of gluing, the answer is the same. That works because a part keeps what its
//! neighbours may want to know of it: at its front the first request of each conversation, at its end the refusals that
//! still wait for their answer.
//!
//! Two requests are steps of one handshake by the rules of `why401_history`, and if at most [`REACH`] requests
//! lie between them. What is refused is sorted into [`Kind`]s; of each, the number and the times are exact and a few
//! examples are kept by their place, to be read again in full.

mod alike;
mod chain;
mod chart;
mod choice;
mod event;
mod glue;
mod group;
mod hash;
mod head;
mod kinds;
mod lanes;
mod lots;
mod open;
mod part;
mod parts;
mod rows;
mod seen;
mod served;
mod sketch;
mod take;
pub mod wire;

pub use alike::Alike;
pub use chain::Chain;
pub use chart::{Bucket, Chart};
pub use choice::Wanted;
pub use event::Event;
pub use hash::Seed;
pub use kinds::Kind;
pub use lanes::{Lane, Pairs};
pub use lots::Inserted;
pub use open::ByAddress;
pub use part::{Account, Oddity, Part, REACH};
pub use parts::{Parts, Told};
pub use rows::{Known, Rows};
pub use seen::{Claimed, Seen};
pub use served::Served;
pub use sketch::Paths;
pub use take::Take;

#[cfg(test)]
mod tests;
