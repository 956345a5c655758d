//! Splits and states as a stream of Apache Arrow (<https://arrow.apache.org/docs/format/Columnar.html#ipc-streaming-format>).
//!
//! Columns are found by name; further ones do not matter, nor does their order or how wide a number or a text is.
//! Streams may follow each other, so that files of states can be put together by `cat`.

use crate::arrow::batches;
use crate::{Row, Split};
use arrow_array::{ArrayRef, BinaryArray, Int32Array, Int64Array, RecordBatch, StringArray};
use arrow_ipc::writer::StreamWriter;
use arrow_schema::{ArrowError, DataType, Field, Schema};
use std::io::{self, BufRead, Write};
use std::sync::Arc;

fn in_words(error: ArrowError) -> io::Error {
    match error {
        ArrowError::IoError(_, error) => error,
        other => io::Error::other(format!("the stream of Arrow cannot be written: {other}")),
    }
}

/// Whether bytes may begin such a stream: the first message has a mark before it.
pub fn is_stream(head: &[u8]) -> bool {
    head.starts_with(&[0xff; 4])
}

/// A log of which the first bytes are at hand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// Where it is.
    pub path: String,
    /// Bytes of it as it lies there.
    pub size: u64,
    /// Its first bytes.
    pub head: Vec<u8>,
}

/// Reads the first bytes of logs (`path`, `size`, `head`) from streams of Arrow.
///
/// # Errors
/// Where the bytes are no such stream or end early, or a column is missing or of another kind.
pub fn read_heads(from: impl BufRead) -> io::Result<Vec<Head>> {
    let mut heads = Vec::new();
    batches(from, |batch| {
        (0..batch.rows).try_for_each(|row| {
            let head = batch.bytes("head", row)?.unwrap_or_default().to_vec();
            heads.push(Head { path: batch.text("path", row)?, size: batch.number("size", row)?, head });
            Ok(())
        })
    })?;
    Ok(heads)
}

/// Reads splits from streams of Arrow.
///
/// # Errors
/// Where the bytes are no such stream or end early, or a column is missing or of another kind.
pub fn read_splits(from: impl BufRead, mut take: impl FnMut(Split) -> io::Result<()>) -> io::Result<()> {
    batches(from, |batch| {
        let has_content = batch.has("content");
        (0..batch.rows).try_for_each(|row| {
            let content = if has_content { batch.bytes("content", row)? } else { None };
            take(Split {
                site: batch.text("site", row)?,
                source: batch.small("source", row)?,
                number: batch.small("number", row)?,
                path: batch.text("path", row)?,
                start: batch.number("start", row)?,
                end: batch.number("end", row)?,
                size: batch.number("size", row)?,
                codec: batch.text("codec", row)?,
                plan: batch.text("plan", row)?,
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
        (0..batch.rows).try_for_each(|row| batch.bytes("state", row)?.map_or(Ok(()), &mut take))
    })
}
