//! Messages of a stream of Arrow, read by hand.
//!
//! A stream may come from anybody. The reader of the crate that writes them panics on some that are damaged, and here is
//! little to read: flat columns of whole numbers, texts and bytes. Its generated tables, which check themselves, are used.

use arrow_ipc::{Endianness, MessageHeader, RecordBatch, Schema, Type, root_as_message};
use std::io::{self, BufRead, Read};

/// What describes a message is never longer.
const LONGEST: u32 = 1 << 24;

pub(crate) fn invalid(what: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what.into())
}

/// What is read of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Int32,
    Int64,
    /// Texts or bytes, with offsets of 32 bits.
    Bytes,
    /// With offsets of 64 bits.
    LargeBytes,
    /// Two buffers that nobody looks at.
    Other,
    /// None at all.
    Null,
}

/// Rows by column.
pub(crate) struct Batch<'a> {
    pub(crate) rows: u64,
    columns: Vec<Column<'a>>,
}

struct Column<'a> {
    name: &'a str,
    kind: Kind,
    /// A bit for each row, where any lacks a value.
    validity: Option<&'a [u8]>,
    offsets: &'a [u8],
    values: &'a [u8],
}

/// Reads streams that follow each other, and gives on the rows of each batch.
///
/// # Errors
/// Where the bytes are no such stream or end early; whatever `take` answers.
pub(crate) fn batches(
    mut from: impl BufRead,
    mut take: impl FnMut(&Batch<'_>) -> io::Result<()>,
) -> io::Result<()> {
    let mut schema: Option<Vec<(String, Kind)>> = None;
    let mut body = Vec::new();
    while !from.fill_buf()?.is_empty() {
        let mut mark = [0; 8];
        from.read_exact(&mut mark).map_err(|_| invalid("the stream of Arrow is cut off"))?;
        let [0xff, 0xff, 0xff, 0xff, a, b, c, d] = mark else {
            return Err(invalid("this is no stream of Arrow"));
        };
        let length = u32::from_le_bytes([a, b, c, d]);
        if length == 0 {
            schema = None;
            continue;
        }
        if length > LONGEST {
            return Err(invalid("a message of the stream of Arrow is damaged"));
        }
        let head = exactly(&mut from, length.into(), Vec::new())?;
        let message =
            root_as_message(&head).map_err(|_| invalid("a message of the stream of Arrow is damaged"))?;
        let length = u64::try_from(message.bodyLength()).map_err(|_| invalid("a message is damaged"))?;
        body.clear();
        body = exactly(&mut from, length, body)?;
        match (message.header_type(), &schema) {
            (MessageHeader::Schema, None) => schema = message.header_as_schema().map(kinds).transpose()?,
            (MessageHeader::RecordBatch, Some(kinds)) => {
                let of = message.header_as_record_batch().ok_or_else(|| invalid("a message is damaged"))?;
                take(&batch(of, kinds, &body)?)?;
            }
            _ => return Err(invalid("the stream of Arrow holds dictionaries, or messages in a wrong order")),
        }
    }
    Ok(())
}

/// So many bytes; memory grows only as they come.
fn exactly(from: &mut impl BufRead, length: u64, mut into: Vec<u8>) -> io::Result<Vec<u8>> {
    match from.take(length).read_to_end(&mut into)? as u64 == length {
        true => Ok(into),
        false => Err(invalid("the stream of Arrow is cut off")),
    }
}

fn kinds(schema: Schema<'_>) -> io::Result<Vec<(String, Kind)>> {
    if schema.endianness() != Endianness::Little {
        return Err(invalid("the stream of Arrow is of another byte order"));
    }
    let fields = schema.fields().into_iter().flatten();
    let kind = fields.map(|field| {
        let name = field.name().unwrap_or_default().to_owned();
        let kind = match field.type_type() {
            Type::Int => match field.type_as_int().map(|int| (int.bitWidth(), int.is_signed())) {
                Some((32, true)) => Kind::Int32,
                Some((64, true)) => Kind::Int64,
                _ => Kind::Other,
            },
            Type::Utf8 | Type::Binary => Kind::Bytes,
            Type::LargeUtf8 | Type::LargeBinary => Kind::LargeBytes,
            Type::Null => Kind::Null,
            Type::Bool
            | Type::FloatingPoint
            | Type::Decimal
            | Type::Date
            | Type::Time
            | Type::Timestamp
            | Type::Interval
            | Type::Duration
            | Type::FixedSizeBinary => Kind::Other,
            _ => return Err(invalid(format!("the column {name} is of a kind that is not read here"))),
        };
        match field.dictionary() {
            Some(_) => Err(invalid(format!("the column {name} has a dictionary, which is not read here"))),
            None => Ok((name, kind)),
        }
    });
    kind.collect()
}

fn batch<'a>(of: RecordBatch<'_>, kinds: &'a [(String, Kind)], body: &'a [u8]) -> io::Result<Batch<'a>> {
    if of.compression().is_some() {
        return Err(invalid("the stream of Arrow is compressed: it is read uncompressed"));
    }
    let damaged = || invalid("a batch of the stream of Arrow is damaged");
    let mut nodes = of.nodes().into_iter().flatten();
    let mut buffers = of.buffers().into_iter().flatten();
    let mut buffer = || {
        let place = buffers.next()?;
        let (start, length) = (usize::try_from(place.offset()).ok()?, usize::try_from(place.length()).ok()?);
        body.get(start..start.checked_add(length)?)
    };
    let mut column = |name: &'a str, kind: Kind| {
        let node = nodes.next()?;
        let mut column = Column { name, kind, validity: None, offsets: &[], values: &[] };
        if kind == Kind::Null {
            return Some(column);
        }
        column.validity = Some(buffer()?).filter(|bits| node.null_count() != 0 && !bits.is_empty());
        if matches!(kind, Kind::Bytes | Kind::LargeBytes) {
            column.offsets = buffer()?;
        }
        column.values = buffer()?;
        Some(column)
    };
    let columns = kinds.iter().map(|(name, kind)| column(name, *kind).ok_or_else(damaged));
    let columns = columns.collect::<io::Result<Vec<_>>>()?;
    Ok(Batch { rows: u64::try_from(of.length()).map_err(|_| damaged())?, columns })
}

impl<'a> Batch<'a> {
    pub(crate) fn has(&self, name: &str) -> bool {
        self.columns.iter().any(|c| c.name == name)
    }

    fn column(&self, name: &str) -> io::Result<&Column<'a>> {
        let found = self.columns.iter().find(|c| c.name == name);
        found.ok_or_else(|| invalid(format!("the column {name} is missing")))
    }

    /// A whole number from 0 on.
    pub(crate) fn number(&self, name: &str, row: u64) -> io::Result<u64> {
        let column = self.column(name)?;
        let value = match column.kind {
            Kind::Int32 => column.at(column.values, row).map(|b| i64::from(i32::from_le_bytes(b))),
            Kind::Int64 => column.at(column.values, row).map(i64::from_le_bytes),
            _ => None,
        };
        let value = value.filter(|_| column.has_value(row) == Some(true)).and_then(|n| u64::try_from(n).ok());
        value.ok_or_else(|| invalid(format!("row {row}: {name} is no whole number from 0 on (int or long)")))
    }

    /// A small whole number from 0 on.
    pub(crate) fn small(&self, name: &str, row: u64) -> io::Result<u32> {
        let large = |_| invalid(format!("row {row}: {name} is too large"));
        u32::try_from(self.number(name, row)?).map_err(large)
    }

    /// Bytes, if there are any.
    pub(crate) fn bytes(&self, name: &str, row: u64) -> io::Result<Option<&'a [u8]>> {
        let column = self.column(name)?;
        let wrong = || invalid(format!("row {row}: {name} is no text and no bytes"));
        if !column.has_value(row).ok_or_else(wrong)? {
            return Ok(None);
        }
        column.slice(row).map(Some).ok_or_else(wrong)
    }

    /// A text; an empty one where there is none.
    pub(crate) fn text(&self, name: &str, row: u64) -> io::Result<String> {
        let bytes = self.bytes(name, row)?.unwrap_or_default();
        let text = str::from_utf8(bytes).map_err(|_| invalid(format!("row {row}: {name} is no UTF-8")))?;
        Ok(text.to_owned())
    }
}

impl<'a> Column<'a> {
    /// Whether the row has a value; `None` where there is no such row.
    fn has_value(&self, row: u64) -> Option<bool> {
        // Without a buffer there is no telling how many rows there are.
        let Some(bits) = self.validity else { return (self.kind != Kind::Null).then_some(true) };
        let byte = bits.get(usize::try_from(row / 8).ok()?)?;
        Some(byte >> (row % 8) & 1 == 1)
    }

    fn at<const N: usize>(&self, within: &[u8], row: u64) -> Option<[u8; N]> {
        let start = usize::try_from(row).ok()?.checked_mul(N)?;
        within.get(start..)?.first_chunk().copied()
    }

    fn slice(&self, row: u64) -> Option<&'a [u8]> {
        let place = |row| match self.kind {
            Kind::Bytes => self.at(self.offsets, row).map(|b| i64::from(i32::from_le_bytes(b))),
            Kind::LargeBytes => self.at(self.offsets, row).map(i64::from_le_bytes),
            _ => None,
        };
        let (start, end) = (place(row)?, place(row.checked_add(1)?)?);
        self.values.get(usize::try_from(start).ok()?..usize::try_from(end).ok()?)
    }
}
