//! HTTP/1 messages (RFC 9112), read as leniently as the worst client and the most careless paste demand.
//!
//! [`head`] has the start lines and field lines, [`content`] the codings of a body, [`chunks`] the chunked coding of
//! a body that is there in one piece, and [`Connection`] takes the two byte streams of a connection as they come,
//! with gaps, and gives pairs of request and response.

pub mod chunks;
pub mod content;
pub mod head;

mod connection;
mod raw;
mod side;

pub use connection::{Connection, Message, Pair, Side};
pub use raw::{Raw, RawPair};
