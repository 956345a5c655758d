//! Field sections to fields (RFC 9204), every one with its place.
//!
//! The entries of the dynamic table come on a stream of their own, so that a section may come before what it refers to:
//! it is *blocked* then. References are absolute in the end, so a section that was missed changes nothing for others.

mod fixed;
mod reader;
mod section;
mod table;

pub use section::{Decoder, Section};
