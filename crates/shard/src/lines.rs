//! Splits as JSON lines.

use crate::Split;
use std::io::{self, BufRead, Write};

/// No line is longer.
const LONGEST: u64 = 1 << 20;

/// Writes a split as a line.
///
/// # Errors
/// Where it cannot be written.
pub fn write(split: &Split, out: &mut impl Write) -> io::Result<()> {
    serde_json::to_writer(&mut *out, split)?;
    out.write_all(b"\n")
}

/// Reads splits, a line each; empty lines are passed over.
///
/// # Errors
/// Where the bytes cannot be read, or a line is no split: then which one.
pub fn read(mut from: impl BufRead, mut take: impl FnMut(Split) -> io::Result<()>) -> io::Result<()> {
    let mut line = Vec::new();
    for number in 1u64.. {
        line.clear();
        if io::Read::take(&mut from, LONGEST).read_until(b'\n', &mut line)? == 0 {
            break;
        }
        if line.trim_ascii().is_empty() {
            continue;
        }
        let split = serde_json::from_slice(&line).map_err(|e| {
            io::Error::new(io::ErrorKind::InvalidData, format!("line {number} is no split: {e}"))
        })?;
        take(split)?;
    }
    Ok(())
}
