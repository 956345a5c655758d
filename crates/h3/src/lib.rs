//! HTTP/3 (RFC 9114) and its header compression (RFC 9204) watched from outside.
//!
//! A [`Watch`] is given the streams of both sides, each in order and with what is missing in it. It goes on where a
//! library that speaks HTTP/3 would end the connection: what can be read is read, and a field that refers to an entry of
//! the dynamic table that was never seen is told as unknown, never guessed.

mod frames;
mod qpack;
mod sender;
mod stream;
mod watch;

pub use qpack::{Decoder, Section};
pub use stream::PUSHED;
pub use watch::{Event, Watch, error_name};
pub use why401_h2::{Field, Side};
