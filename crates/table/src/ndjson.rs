//! A JSON text a line (<https://github.com/ndjson/ndjson-spec>).

use crate::{Row, Table};
use std::io::{self, Write};

/// Writes rows as JSON lines.
pub struct Ndjson<W> {
    to: W,
}

impl<W: Write> Ndjson<W> {
    /// To a writer, best a buffered one.
    pub fn new(to: W) -> Self {
        Ndjson { to }
    }
}

impl<W: Write> Table for Ndjson<W> {
    fn row(&mut self, row: Row) -> io::Result<()> {
        serde_json::to_writer(&mut self.to, &row)?;
        self.to.write_all(b"\n")
    }

    fn finish(mut self: Box<Self>) -> io::Result<()> {
        self.to.flush()
    }
}
