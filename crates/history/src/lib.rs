//! What each account, client and resource did over time.
//!
//! A [`Collector`] takes what the readers yield, in any amount, and keeps what a diagnosis needs in bounded memory.
//! [`Collector::finish`] makes a [`Case`] of it: requests seen from several vantage points become one [`Attempt`],
//! the steps of a handshake one [`Chain`], refusals that are alike one [`Refusal`].

mod attempt;
mod case;
mod chain;
mod collector;
mod correlate;
mod elsewhere;
mod heard;
mod index;
mod login;
mod near;
mod refusal;
mod secured;
mod stood_for;
mod thin;
mod tries;
mod user;

pub use attempt::Attempt;
pub use case::Case;
pub use chain::{Chain, Outcome};
pub use collector::Collector;
pub use index::Index;
pub use refusal::{Refusal, Subject};
pub use thin::{Folded, Key, Whose};
pub use tries::Tries;
pub use user::named;
