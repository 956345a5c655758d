//! End to end: real servers refuse real clients on loopback, the traffic is captured and logged, and each piece of
//! evidence, alone and together, must name the cause.
//!
//! `./test` installs what these need (Apache, nginx, curl, wget, tcpdump). Where a tool is missing, or packets may not be
//! captured, a test says so and passes.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "in a test a panic is the report"
)]

mod asked;
mod growing;
mod haproxy;
mod http3;
mod kerberos;
mod recorded;
mod scenarios;
mod stage;
mod tls;
mod two_sides;
