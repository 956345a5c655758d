//! HTTP/2 (RFC 9113) and its header compression (RFC 7541) watched from outside.
//!
//! Libraries that speak HTTP/2 end a connection at the first fault and keep no positions. A [`Watch`] goes on: joined in
//! the middle, with bytes missing, it reads what can be read and says what cannot be known. A field that refers to an
//! entry of the dynamic table that was never seen is told as unknown, never guessed.

mod frames;
mod hpack;
mod huffman;
mod table;
mod watch;

pub use hpack::{Decoder, Field};
pub use huffman::decode as huffman_decode;
pub use watch::{Event, Watch, error_name, is_front};

/// Who sent something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Side {
    /// The one that opened the connection.
    Client,
    /// The one that accepted it.
    Server,
}

/// What a client sends first (RFC 9113, section 3.4).
pub const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
