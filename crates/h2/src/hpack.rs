//! Header blocks to fields (RFC 7541), every one with its place.

use crate::huffman;
use crate::table::{Entry, Found, Table};
use std::ops::Range;
use why401_span::Derived;

/// A field as far as it is known.
///
/// A part that stands in the block in plain points at its own bytes, one that is Huffman-coded at the coded bytes, and
/// one that is referred to by its number at the bytes that refer to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// The name; `None` if it stands in a part of the dynamic table that was never seen.
    pub name: Option<Derived>,
    /// The value; `None` likewise.
    pub value: Option<Derived>,
}

/// Decodes the header blocks of one direction.
#[derive(Debug)]
pub struct Decoder {
    table: Table,
}

/// A block that decompresses to more is a bomb.
const LARGEST_LIST: usize = 1 << 20;

impl Default for Decoder {
    fn default() -> Self {
        Decoder::new()
    }
}

impl Decoder {
    /// A decoder at the start of a connection.
    pub fn new() -> Self {
        Decoder { table: Table::new() }
    }

    /// About how many bytes of memory the dynamic table takes.
    pub fn footprint(&self) -> usize {
        self.table.footprint()
    }

    /// A block was missed: what the dynamic table holds is not known any more.
    pub fn forget(&mut self) {
        self.table.forget();
    }

    /// Decodes a block: the fields, and whether it could be read to its end.
    pub fn block(&mut self, block: &Derived) -> (Vec<Field>, bool) {
        let mut reader = Reader { block, at: 0 };
        let (mut fields, mut size) = (Vec::new(), 0);
        while reader.at < block.len() {
            if size > LARGEST_LIST {
                self.forget();
                return (fields, false);
            }
            match self.field(&mut reader) {
                Some(Some(field)) => {
                    let len = |part: &Option<Derived>| part.as_ref().map_or(0, Derived::len);
                    size += len(&field.name) + len(&field.value) + 32;
                    fields.push(field);
                }
                Some(None) => {}
                None => {
                    // What the rest would have put into the table is not known.
                    self.forget();
                    return (fields, false);
                }
            }
        }
        (fields, true)
    }

    /// The next field; `Some(None)` for a change of the table's size, `None` for what is no representation.
    fn field(&mut self, r: &mut Reader<'_>) -> Option<Option<Field>> {
        let start = r.at;
        let first = r.peek()?;
        if first & 0x80 != 0 {
            let index = r.integer(7)?;
            let at = start..r.at;
            let part = |bytes: &[u8]| r.block.decoded(at.clone(), bytes);
            return Some(Some(match self.table.get(index) {
                Found::Entry(name, value) => Field { name: Some(part(name)), value: Some(part(value)) },
                Found::Unknown(name, value) => Field { name: name.map(part), value: value.map(part) },
                Found::None => return None,
            }));
        }
        if first & 0xe0 == 0x20 {
            let size = r.integer(5)?;
            self.table.resize(size);
            return Some(None);
        }
        let indexed = first & 0xc0 == 0x40;
        let index = r.integer(if indexed { 6 } else { 4 })?;
        let name = match index {
            0 => Some(r.string()?),
            _ => {
                let part = |bytes: &[u8]| r.block.decoded(start..r.at, bytes);
                match self.table.get(index) {
                    Found::Entry(name, _) => Some(part(name)),
                    Found::Unknown(name, _) => name.map(part),
                    Found::None => return None,
                }
            }
        };
        let value = Some(r.string()?);
        if indexed {
            let bytes = |part: &Option<Derived>| part.as_ref().map(|p| p.as_bytes().to_vec());
            self.table.insert(Entry { name: bytes(&name), value: bytes(&value) });
        }
        Some(Some(Field { name, value }))
    }
}

struct Reader<'a> {
    block: &'a Derived,
    at: usize,
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.block.as_bytes().get(self.at).copied()
    }

    fn u8(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at += 1;
        Some(byte)
    }

    /// RFC 7541, section 5.1.
    fn integer(&mut self, prefix: u32) -> Option<usize> {
        let mask = (1u8 << prefix) - 1;
        let mut value = usize::from(self.u8()? & mask);
        if value < usize::from(mask) {
            return Some(value);
        }
        for shift in [0, 7, 14, 21] {
            let byte = self.u8()?;
            value += usize::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }

    /// RFC 7541, section 5.2.
    fn string(&mut self) -> Option<Derived> {
        let coded = self.peek()? & 0x80 != 0;
        let len = self.integer(7)?;
        let range: Range<usize> = self.at..self.at.checked_add(len)?;
        let bytes = self.block.as_bytes().get(range.clone())?;
        self.at = range.end;
        Some(match coded {
            true => self.block.decoded(range, huffman::decode(bytes)?),
            false => self.block.slice(range),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use why401_span::{SourceId, Span};

    fn hex(text: &str) -> Derived {
        let digits: Vec<u8> =
            text.bytes().filter_map(|c| char::from(c).to_digit(16)).map(|d| d as u8).collect();
        let bytes: Vec<u8> = digits.chunks(2).map(|p| p[0] << 4 | p[1]).collect();
        Derived::exact(bytes, Span::new(SourceId(0), 1000, 1000))
    }

    fn text(fields: &[Field]) -> String {
        let part = |p: &Option<Derived>| p.as_ref().map_or("?".into(), |p| p.to_text().into_owned());
        fields.iter().map(|f| format!("{}={};", part(&f.name), part(&f.value))).collect()
    }

    /// RFC 7541, appendix C.4: three requests on one connection.
    #[test]
    fn the_requests_of_the_rfc() {
        let mut d = Decoder::new();
        let first = hex("8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff");
        let (fields, whole) = d.block(&first);
        assert!(whole);
        assert_eq!(text(&fields), ":method=GET;:scheme=http;:path=/;:authority=www.example.com;");
        let at = fields[3].value.as_ref().unwrap().whole().unwrap();
        assert_eq!((at.span.start, at.span.end, at.exact), (1005, 1017, false));
        let second = hex("8286 84be 5886 a8eb 1064 9cbf");
        let third = hex("8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf");
        assert_eq!(
            text(&d.block(&second).0),
            ":method=GET;:scheme=http;:path=/;:authority=www.example.com;cache-control=no-cache;"
        );
        assert_eq!(
            text(&d.block(&third).0),
            ":method=GET;:scheme=https;:path=/index.html;:authority=www.example.com;custom-key=custom-value;"
        );
        // The same, joined behind the first two.
        let mut late = Decoder::new();
        late.forget();
        let (fields, whole) = late.block(&third);
        assert!(whole);
        assert_eq!(text(&fields), ":method=GET;:scheme=https;:path=/index.html;?=?;custom-key=custom-value;");
        assert_eq!(text(&late.block(&hex("be")).0), "custom-key=custom-value;");
    }

    #[test]
    fn a_plain_string_points_at_its_own_bytes() {
        let block = hex("400a 6375 7374 6f6d 2d6b 6579 0d63 7573 746f 6d2d 6865 6164 6572");
        let (fields, _) = Decoder::new().block(&block);
        let at = fields[0].value.as_ref().unwrap().whole().unwrap();
        assert_eq!((at.span.start, at.span.end, at.exact), (1013, 1026, true));
    }

    #[test]
    fn a_reference_to_nothing_ends_the_block() {
        let (fields, whole) = Decoder::new().block(&hex("82be84"));
        assert_eq!((text(&fields).as_str(), whole), (":method=GET;", false));
    }
}
