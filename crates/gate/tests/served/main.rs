//! The gate as a server, from outside: HTTP/2 and TLS on both sides, traces, faults.
#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::panic,
    clippy::print_stdout,
    reason = "in a test a panic is the report"
)]

mod faults;
mod http2;
mod running;
mod traces;
mod upstream;
