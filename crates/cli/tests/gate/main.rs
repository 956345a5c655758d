//! `why401 gate` from outside: as a program in front of a real upstream, asked by a real curl; what it records as the cause of
//! a refusal is what why401 says of its logs, and what `gate why` says of the reference.
#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::panic,
    clippy::print_stdout,
    reason = "in a test a panic is the report"
)]

mod bad_input;
mod messages;
mod passing;
mod refusals;
mod running;
mod safety;
