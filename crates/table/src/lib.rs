//! The refusals as a table, so that other programs can go on from there: a row each, with its cause; as JSON lines or as
//! Parquet.

mod ndjson;
mod parquet;
mod row;

pub use ndjson::Ndjson;
pub use parquet::Parquet;
pub use row::Row;

use std::io;

/// Takes rows.
pub trait Table {
    /// Takes the next row.
    ///
    /// # Errors
    /// Where it cannot be written.
    fn row(&mut self, row: Row) -> io::Result<()>;

    /// Writes what is left.
    ///
    /// # Errors
    /// Where it cannot be written.
    fn finish(self: Box<Self>) -> io::Result<()>;
}
