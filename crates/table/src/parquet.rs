//! Apache Parquet (<https://parquet.apache.org/docs/file-format/>).

use crate::{Row, Table};
use parquet::basic::{LogicalType, Repetition, TimeUnit, Type as Physical};
use parquet::data_type::{ByteArray, ByteArrayType, DataType, Int32Type, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::types::{Type, TypePtr};
use serde::Serialize;
use std::io::{self, Write};
use std::sync::Arc;

/// So many rows are held, and written together.
const GROUP: usize = 64 * 1024;

/// Writes rows as a Parquet file.
pub struct Parquet<W: Write + Send> {
    to: SerializedFileWriter<W>,
    rows: Vec<Row>,
}

impl<W: Write + Send> Parquet<W> {
    /// To a writer, best a buffered one.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn new(to: W) -> io::Result<Self> {
        let schema = schema().map_err(io::Error::other)?;
        let properties = Arc::new(WriterProperties::builder().set_created_by("why401".to_owned()).build());
        let to = SerializedFileWriter::new(to, schema, properties).map_err(io::Error::other)?;
        Ok(Parquet { to, rows: Vec::new() })
    }

    fn group(&mut self) -> Result<(), ParquetError> {
        let rows = std::mem::take(&mut self.rows);
        let mut columns = Columns { group: self.to.next_row_group()?, rows: &rows };
        columns.texts(|r| Some(&r.source))?;
        columns.numbers(|r| r.index)?;
        columns.numbers(|r| r.line)?;
        columns.column::<Int64Type>(|r| r.time.map(jiff::Timestamp::as_millisecond))?;
        columns.texts(|r| r.client.as_deref())?;
        columns.texts(|r| r.server.as_deref())?;
        columns.texts(|r| r.method.as_deref())?;
        columns.texts(|r| r.target.as_deref())?;
        columns.column::<Int32Type>(|r| r.status.map(i32::from))?;
        columns.texts(|r| r.user.as_deref())?;
        columns.texts(|r| r.cause)?;
        columns.words(|r| r.verdict.as_ref())?;
        columns.words(|r| r.certainty.as_ref())?;
        columns.words(|r| r.party.as_ref())?;
        columns.numbers(|r| Some(r.count))?;
        columns.group.close()?;
        Ok(())
    }
}

impl<W: Write + Send> Table for Parquet<W> {
    fn row(&mut self, row: Row) -> io::Result<()> {
        self.rows.push(row);
        if self.rows.len() >= GROUP { self.group().map_err(io::Error::other) } else { Ok(()) }
    }

    fn finish(mut self: Box<Self>) -> io::Result<()> {
        if !self.rows.is_empty() {
            self.group().map_err(io::Error::other)?;
        }
        self.to.close().map(|_| ()).map_err(io::Error::other)
    }
}

/// The columns, in the order of [`Row`]; each may lack a value.
fn schema() -> Result<TypePtr, ParquetError> {
    let column = |name: &str, physical: Physical, logical: Option<LogicalType>| {
        let column = Type::primitive_type_builder(name, physical).with_repetition(Repetition::OPTIONAL);
        column.with_logical_type(logical).build().map(Arc::new)
    };
    let text = |name: &str| column(name, Physical::BYTE_ARRAY, Some(LogicalType::String));
    let number = |name: &str| column(name, Physical::INT64, None);
    let time = LogicalType::timestamp(true, TimeUnit::MILLIS);
    let columns = vec![
        text("source")?,
        number("index")?,
        number("line")?,
        column("time", Physical::INT64, Some(time))?,
        text("client")?,
        text("server")?,
        text("method")?,
        text("target")?,
        column("status", Physical::INT32, None)?,
        text("user")?,
        text("cause")?,
        text("verdict")?,
        text("certainty")?,
        text("party")?,
        number("count")?,
    ];
    Ok(Arc::new(Type::group_type_builder("refusal").with_fields(columns).build()?))
}

/// Rows on their way into columns, one after the other.
struct Columns<'a, W: Write + Send> {
    group: SerializedRowGroupWriter<'a, W>,
    rows: &'a [Row],
}

impl<W: Write + Send> Columns<'_, W> {
    /// The next column. A level of 1 tells that there is a value, 0 that there is none.
    fn column<T: DataType>(&mut self, pick: impl Fn(&Row) -> Option<T::T>) -> Result<(), ParquetError> {
        let Some(mut column) = self.group.next_column()? else { return Ok(()) };
        let picked: Vec<Option<T::T>> = self.rows.iter().map(pick).collect();
        let levels: Vec<i16> = picked.iter().map(|v| i16::from(v.is_some())).collect();
        let values: Vec<T::T> = picked.into_iter().flatten().collect();
        column.typed::<T>().write_batch(&values, Some(&levels), None)?;
        column.close()
    }

    fn texts(&mut self, pick: impl Fn(&Row) -> Option<&str>) -> Result<(), ParquetError> {
        self.column::<ByteArrayType>(|row| pick(row).map(ByteArray::from))
    }

    fn numbers<N: TryInto<i64>>(&mut self, pick: impl Fn(&Row) -> Option<N>) -> Result<(), ParquetError> {
        self.column::<Int64Type>(|row| pick(row).and_then(|n| n.try_into().ok()))
    }

    /// A word as the JSON spells it.
    fn words<T: Serialize>(&mut self, pick: impl Fn(&Row) -> Option<&T>) -> Result<(), ParquetError> {
        self.column::<ByteArrayType>(|row| {
            let word = serde_json::to_value(pick(row)?).ok()?;
            word.as_str().map(ByteArray::from)
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "in a test a panic is the report")]
mod tests {
    use super::*;
    use parquet::file::reader::{FileReader, SerializedFileReader};
    use why401_report::{Certainty, Party, Verdict};

    #[test]
    fn rows_are_read_back_as_they_were_written() {
        let row = Row {
            source: "access.log".into(),
            index: Some(7),
            line: Some(8),
            time: Some("2026-11-22T10:00:00.5Z".parse().unwrap()),
            client: Some("192.0.2.1".into()),
            server: None,
            method: Some("GET".into()),
            target: Some("/a".into()),
            status: Some(401),
            user: None,
            cause: Some("no-credentials"),
            verdict: Some(Verdict::Fault),
            certainty: Some(Certainty::Certain),
            party: Some(Party::Caller),
            count: 1,
        };
        let mut file = Vec::new();
        let mut table = Box::new(Parquet::new(&mut file).unwrap());
        for index in 0..GROUP as u64 + 3 {
            table.row(Row { index: Some(index), ..row.clone() }).unwrap();
        }
        table.finish().unwrap();
        let mut kept = tempfile::tempfile().unwrap();
        kept.write_all(&file).unwrap();
        let reader = SerializedFileReader::new(kept).unwrap();
        assert_eq!(reader.metadata().num_row_groups(), 2);
        let last = reader.get_row_iter(None).unwrap().last().unwrap().unwrap();
        let told = last.to_string();
        for part in [
            "source: \"access.log\"",
            &format!("index: {}", GROUP + 2),
            "time: 2026-11-22 10:00:00.500",
            "server: null",
            "status: 401",
            "cause: \"no-credentials\", verdict: \"fault\", certainty: \"certain\", party: \"caller\", count: 1",
        ] {
            assert!(told.contains(part), "{part} in {told}");
        }
        assert!(file.len() < 40 * GROUP, "{} bytes", file.len());
    }
}
