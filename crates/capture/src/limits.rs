//! How much is kept in memory, and for how long.

/// How much is kept in memory, and for how long; what goes beyond is given up, counted and reported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// TCP connections followed at one time. The longest silent one makes room for a new one.
    pub connections: usize,
    /// Bytes of one stream that wait for missing bytes before them.
    pub waiting_per_stream: usize,
    /// Bytes of all streams together that wait for missing bytes.
    pub waiting: usize,
    /// Bytes of IP fragments that wait for the rest of their datagram.
    pub fragments: usize,
    /// Bytes that [`Connections`](crate::Connections) collects; further ones become gaps.
    pub collected: usize,
    /// Capture time, in nanoseconds, for which bytes are waited for that the receiver has already acknowledged (the
    /// capture has most likely lost them), that precede the first packet seen, or that follow a reset.
    /// `None`: until the connection ends or a limit is reached.
    pub patience: Option<u64>,
    /// Tunnels within tunnels.
    pub tunnels: u8,
    /// Different problems that are kept; further ones are only counted.
    pub problems: usize,
    /// How many times larger than the file its decompressed contents may be, once they exceed 64 MiB.
    pub expansion: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            connections: 65_536,
            waiting_per_stream: 4 << 20,
            waiting: 32 << 20,
            fragments: 4 << 20,
            collected: 100 << 20,
            patience: Some(1_000_000_000),
            tunnels: 8,
            problems: 200,
            expansion: 300,
        }
    }
}
