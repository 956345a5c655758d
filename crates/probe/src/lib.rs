//! Asks a live server, by the fewest requests that tell the causes apart, and does no harm.
//!
//! A [`Wish`] says what is to be asked, with which credentials. [`plan::next`] is pure: from what is known and what is
//! allowed it says which request comes next and why. [`driver::run`] sends it with [`wire`], whose every byte is
//! recorded as evidence, asks the diagnosis what is still open, and goes on until nothing is or a limit is met.
//!
//! What holds whatever the plan says is in [`limits`]: it is asked again before each request leaves.

pub mod cookies;
pub mod curl;
pub mod driver;
pub mod experiment;
pub mod limits;
pub mod netrc;
pub mod plan;
pub mod published;
pub mod respond;
pub mod trouble;
pub mod wire;
pub mod wish;

pub use driver::{Event, Probed};
pub use limits::{Limits, Spent};
pub use plan::{Known, Next, Step};
pub use trouble::Trouble;
pub use wish::{Ask, Carry, Credentials, Version, Wish};
