//! `why401 lab` from outside: as a program it keeps its promises, and for each cause a real client provokes it and why401
//! names it from the client's transcript, from the traffic and from the lab's own log.
#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::panic,
    clippy::print_stdout,
    reason = "in a test a panic is the report"
)]

mod promises;
mod round_trip;
mod running;
