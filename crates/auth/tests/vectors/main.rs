//! Others' cases and the examples of specifications.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::panic,
    reason = "in a test a panic is the report, and it may print"
)]

mod fields;
mod messages;
mod shared;
mod sigv4;
mod tokens;
