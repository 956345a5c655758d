//! Splits and states as a stream of Apache Arrow (<https://arrow.apache.org/docs/format/Columnar.html#ipc-streaming-format>).
//!
//! Columns are found by name; further ones do not matter, nor does their order or how wide a number or a text is.
//! Streams may follow each other, so that files of states can be put together by `cat`.

use crate::{Row, Split};
use arrow_array::cast::AsArray;
use arrow_array::types::{Int32Type, Int64Type};
use arrow_array::{Array, ArrayRef, BinaryArray, Int32Array, Int64Array, RecordBatch, StringArray};
use arrow_ipc::reader::StreamReader;
use arrow_ipc::writer::StreamWriter;
use arrow_schema::{ArrowError, DataType, Field, Schema};
use std::io::{self, BufRead, Write};
use std::sync::Arc;

fn in_words(error: ArrowError) -> io::Error {
    match error {
        ArrowError::IoError(_, error) => error,
        other => {
            io::Error::new(io::ErrorKind::InvalidData, format!("the stream of Arrow cannot be read: {other}"))
        }
    }
}

/// Whether bytes may begin such a stream: the first message has a mark before it.
pub fn is_stream(head: &[u8]) -> bool {
    head.starts_with(&[0xff; 4])
}

fn batches(mut from: impl BufRead, mut take: impl FnMut(&RecordBatch) -> io::Result<()>) -> io::Result<()> {
    while !from.fill_buf()?.is_empty() {
        for batch in StreamReader::try_new(&mut from, None).map_err(in_words)? {
            take(&batch.map_err(in_words)?)?;
        }
    }
    Ok(())
}

/// The columns of a batch, by name.
struct Columns<'a>(&'a RecordBatch);

impl<'a> Columns<'a> {
    fn column(&self, name: &str) -> io::Result<&'a ArrayRef> {
        let missing = || io::Error::new(io::ErrorKind::InvalidData, format!("the column {name} is missing"));
        self.0.column_by_name(name).ok_or_else(missing)
    }

    fn number(&self, name: &str, row: usize) -> io::Result<u64> {
        let column = self.column(name)?;
        let signed = match column.data_type() {
            _ if column.is_null(row) => None,
            DataType::Int32 => Some(i64::from(column.as_primitive::<Int32Type>().value(row))),
            DataType::Int64 => Some(column.as_primitive::<Int64Type>().value(row)),
            _ => None,
        };
        let wrong = || {
            let what = format!("row {row}: {name} is no whole number from 0 on (int or long)");
            io::Error::new(io::ErrorKind::InvalidData, what)
        };
        signed.and_then(|n| u64::try_from(n).ok()).ok_or_else(wrong)
    }

    fn small(&self, name: &str, row: usize) -> io::Result<u32> {
        let large = || io::Error::new(io::ErrorKind::InvalidData, format!("row {row}: {name} is too large"));
        u32::try_from(self.number(name, row)?).map_err(|_| large())
    }

    fn text(&self, name: &str, row: usize) -> io::Result<String> {
        let column = self.column(name)?;
        match column.data_type() {
            _ if column.is_null(row) => Ok(String::new()),
            DataType::Utf8 => Ok(column.as_string::<i32>().value(row).to_owned()),
            DataType::LargeUtf8 => Ok(column.as_string::<i64>().value(row).to_owned()),
            other => {
                Err(io::Error::new(io::ErrorKind::InvalidData, format!("{name} is no text, but {other}")))
            }
        }
    }

    fn bytes(&self, name: &str, row: usize) -> io::Result<Option<&'a [u8]>> {
        let column = self.column(name)?;
        match column.data_type() {
            _ if column.is_null(row) => Ok(None),
            DataType::Binary => Ok(Some(column.as_binary::<i32>().value(row))),
            DataType::LargeBinary => Ok(Some(column.as_binary::<i64>().value(row))),
            other => {
                Err(io::Error::new(io::ErrorKind::InvalidData, format!("{name} is no bytes, but {other}")))
            }
        }
    }
}

/// Reads splits from streams of Arrow.
///
/// # Errors
/// Where the bytes are no such stream or end early, or a column is missing or of another kind.
pub fn read_splits(from: impl BufRead, mut take: impl FnMut(Split) -> io::Result<()>) -> io::Result<()> {
    batches(from, |batch| {
        let columns = Columns(batch);
        let has_content = batch.column_by_name("content").is_some();
        (0..batch.num_rows()).try_for_each(|row| {
            let content = if has_content { columns.bytes("content", row)? } else { None };
            take(Split {
                site: columns.text("site", row)?,
                source: columns.small("source", row)?,
                number: columns.small("number", row)?,
                path: columns.text("path", row)?,
                start: columns.number("start", row)?,
                end: columns.number("end", row)?,
                size: columns.number("size", row)?,
                codec: columns.text("codec", row)?,
                plan: columns.text("plan", row)?,
                content: content.map(<[u8]>::to_vec),
            })
        })
    })
}

/// Writes splits as a stream of Arrow.
///
/// # Errors
/// Where it cannot be written.
pub fn write_splits(splits: &[Split], out: impl Write) -> io::Result<()> {
    let texts = |pick: fn(&Split) -> &str| -> ArrayRef {
        Arc::new(splits.iter().map(|s| Some(pick(s))).collect::<StringArray>())
    };
    let numbers = |pick: fn(&Split) -> u64| -> ArrayRef {
        Arc::new(splits.iter().map(|s| i64::try_from(pick(s)).ok()).collect::<Int64Array>())
    };
    let small = |pick: fn(&Split) -> u32| -> ArrayRef {
        Arc::new(splits.iter().map(|s| i32::try_from(pick(s)).ok()).collect::<Int32Array>())
    };
    let batch = RecordBatch::try_from_iter([
        ("site", texts(|s| &s.site)),
        ("source", small(|s| s.source)),
        ("number", small(|s| s.number)),
        ("path", texts(|s| &s.path)),
        ("start", numbers(|s| s.start)),
        ("end", numbers(|s| s.end)),
        ("size", numbers(|s| s.size)),
        ("codec", texts(|s| &s.codec)),
        ("plan", texts(|s| &s.plan)),
    ])
    .map_err(in_words)?;
    let mut writer = StreamWriter::try_new(out, &batch.schema()).map_err(in_words)?;
    writer.write(&batch).and_then(|()| writer.finish()).map_err(in_words)
}

/// Writes states as a stream of Arrow, each as soon as it is there.
pub struct States<W: Write> {
    writer: StreamWriter<W>,
    schema: Arc<Schema>,
}

impl<W: Write> States<W> {
    /// To a writer.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn new(out: W) -> io::Result<States<W>> {
        let column = |name: &str, of: DataType| Field::new(name, of, true);
        let schema = Arc::new(Schema::new(vec![
            column("site", DataType::Utf8),
            column("client", DataType::Int32),
            column("source", DataType::Int32),
            column("start", DataType::Int64),
            column("first", DataType::Int64),
            column("last", DataType::Int64),
            column("version", DataType::Int32),
            column("state", DataType::Binary),
        ]));
        let writer = StreamWriter::try_new(out, &schema).map_err(in_words)?;
        Ok(States { writer, schema })
    }

    /// Writes a state, as a batch by itself: states may be large.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn write(&mut self, row: &Row) -> io::Result<()> {
        if i32::try_from(row.state.len()).is_err() {
            let what = "a state is larger than 2 GiB: plan with more lots of clients (--lots)";
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, what));
        }
        let small = |n: u32| -> ArrayRef { Arc::new(Int32Array::from(vec![i32::try_from(n).ok()])) };
        let number = |n: Option<i64>| -> ArrayRef { Arc::new(Int64Array::from(vec![n])) };
        let columns: Vec<ArrayRef> = vec![
            Arc::new(StringArray::from(vec![row.site.as_str()])),
            small(row.client),
            small(row.source),
            number(i64::try_from(row.start).ok()),
            number(row.first),
            number(row.last),
            small(row.version.into()),
            Arc::new(BinaryArray::from(vec![row.state.as_slice()])),
        ];
        let batch = RecordBatch::try_new(Arc::clone(&self.schema), columns).map_err(in_words)?;
        self.writer.write(&batch).map_err(in_words)
    }

    /// Ends the stream.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn finish(mut self) -> io::Result<()> {
        self.writer.finish().and_then(|()| self.writer.flush()).map_err(in_words)
    }
}

/// Reads states from streams of Arrow: the bytes of each.
///
/// # Errors
/// Where the bytes are no such stream or end early, or there is no column `state`.
pub fn read_states(from: impl BufRead, mut take: impl FnMut(&[u8]) -> io::Result<()>) -> io::Result<()> {
    batches(from, |batch| {
        let columns = Columns(batch);
        (0..batch.num_rows()).try_for_each(|row| columns.bytes("state", row)?.map_or(Ok(()), &mut take))
    })
}
