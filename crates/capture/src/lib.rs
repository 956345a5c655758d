//! Packets to byte streams whose every byte knows where in the capture it stands.
//!
//! ```text
//! file ─> decompress ─> container ─> link ─> (tunnels) ─> IP ─> fragments ─> TCP ─> Sink
//!         gzip, zstd    pcap, pcapng                                         UDP
//! ```
//!
//! A [`Reader`] is fed the bytes of a file or a pipe and calls a [`Sink`] as soon as something is certain; it keeps no
//! more than its [`Limits`] say. [`read`] collects the connections of a capture that is in memory as a whole.
//!
//! What is missing is told as missing: bytes that the capture lost, or that were cut off, become a [`Gap`] in their
//! stream, and nothing is handed over in their place.

mod bytes;
mod collect;
mod container;
mod decompress;
mod dissect;
mod fragment;
mod ip;
mod limits;
mod link;
mod problem;
mod reader;
mod sink;
mod tcp;
mod told;
mod tunnel;

pub use collect::{Capture, Connection, Connections, KeptDatagram, Segment, Stream, read};
pub use decompress::Compression;
pub use limits::Limits;
pub use problem::Problem;
pub use reader::{Counts, Reader, detect};
pub use sink::{ConnectionId, Data, Datagram, Direction, End, Endpoints, Gap, Missing, Sink, Time};
pub use told::Told;
