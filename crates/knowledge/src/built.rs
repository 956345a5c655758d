//! The data files, embedded, as `build.rs` made them.

use std::borrow::Cow;

use crate::place::Places;
use crate::tables::{Anchor, Entry, Tables, Wordings};

include!(concat!(env!("OUT_DIR"), "/built.rs"));
