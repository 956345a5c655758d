//! QUIC (RFC 9000, RFC 9001, RFC 9369) watched from outside.
//!
//! ```text
//! datagram ──> packet ──> protect ──> frames ──> assembly ──> handshake messages (CRYPTO), streams (STREAM)
//!              where each  keys        what each  what belongs
//!              one ends    open it     says       behind what
//! ```
//!
//! The first packets of a connection are protected by keys that anybody can derive: they tell which server was asked. The
//! secrets of all others are found in a key log by the ClientHello's random bytes.

mod assembly;
mod connection;
#[cfg(any(test, feature = "forge"))]
pub mod forge;
mod frames;
mod packet;
mod protect;
mod streams;
#[cfg(test)]
mod tests;
mod traffic;
mod version;

pub use connection::{QuicConnection, QuicEvent};
pub use packet::{QuicDestination, is_quic_initial, quic_destination};
