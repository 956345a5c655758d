//! Encoded field sections (RFC 9204, section 4.5).

use super::fixed;
use super::reader::{Reader, Text};
use super::table::Table;
use std::ops::Range;
use why401_h2::Field;
use why401_span::Derived;

/// Decodes the field sections that one side sends.
#[derive(Debug, Default)]
pub struct Decoder {
    table: Table,
    /// What the other side allows the table to hold, in entries of the smallest size; `None` until it said so.
    most_entries: Option<u64>,
}

/// What came of a section.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Section {
    /// The fields, and whether it was read to its end.
    Fields(Vec<Field>, bool),
    /// It refers to what did not come yet.
    Blocked,
}

/// A section that decompresses to more is a bomb.
const LARGEST_LIST: usize = 1 << 20;
/// What an entry costs beside its bytes (RFC 9204, section 3.2.1).
const SMALLEST_ENTRY: u64 = 32;

/// What a section's references count from (RFC 9204, section 4.5.1).
struct Prefix {
    required: u64,
    base: u64,
}

enum Index {
    Static(u64),
    /// Absolute; `None` if it cannot be known, or is none.
    Dynamic(Option<u64>),
}

impl Decoder {
    /// About how many bytes of memory the dynamic table takes.
    pub fn footprint(&self) -> usize {
        self.table.footprint()
    }

    /// A decoder at the start of a connection.
    pub fn new() -> Self {
        Decoder::default()
    }

    /// The other side's SETTINGS_QPACK_MAX_TABLE_CAPACITY (RFC 9204, section 5), 0 where its SETTINGS do not name it.
    pub fn allow(&mut self, capacity: u64) {
        self.most_entries = Some(capacity / SMALLEST_ENTRY);
    }

    /// The next bytes of the encoder stream.
    pub fn instructions(&mut self, bytes: &[u8]) {
        self.table.instructions(bytes);
    }

    /// Bytes of the encoder stream were missed: what the dynamic table holds is not known any more.
    pub fn forget(&mut self) {
        self.table.forget();
    }

    /// Whether the contents of the dynamic table are not known any more.
    pub fn is_lost(&self) -> bool {
        self.table.is_lost()
    }

    /// Decodes a section, unless it has to wait for what it refers to.
    pub fn section(&self, section: &Derived) -> Section {
        let encoded = Reader::new(section.as_bytes()).integer(8);
        let waits = match (encoded, self.table.is_lost(), self.most_entries) {
            (None | Some(0), ..) | (_, true, _) => false,
            (Some(_), false, None) => true,
            (Some(encoded), false, Some(_)) => {
                self.required(encoded).is_some_and(|required| required > self.table.inserted())
            }
        };
        if waits {
            return Section::Blocked;
        }
        let (fields, whole) = self.as_known(section);
        Section::Fields(fields, whole)
    }

    /// Decodes a section by what is known now: the fields, and whether it was read to its end.
    pub fn as_known(&self, section: &Derived) -> (Vec<Field>, bool) {
        let mut reader = Reader::new(section.as_bytes());
        let Some(prefix) = self.prefix(&mut reader) else { return (Vec::new(), false) };
        let (mut fields, mut size) = (Vec::new(), 0);
        while reader.at < section.len() {
            let field = self.field(&mut reader, section, prefix.as_ref());
            let Some(field) = field.filter(|_| size <= LARGEST_LIST) else { return (fields, false) };
            let len = |part: &Option<Derived>| part.as_ref().map_or(0, Derived::len);
            size += len(&field.name) + len(&field.value) + SMALLEST_ENTRY as usize;
            fields.push(field);
        }
        (fields, true)
    }

    /// RFC 9204, section 4.5.1.1; `None` if it cannot be known, or there is no such number.
    fn required(&self, encoded: u64) -> Option<u64> {
        if encoded == 0 {
            return Some(0);
        }
        let most = self.most_entries.filter(|most| *most > 0 && !self.table.is_lost())?;
        let range = 2 * most;
        (encoded <= range).then_some(())?;
        let largest = self.table.inserted() + most;
        let required = largest / range * range + encoded - 1;
        let required = if required <= largest { Some(required) } else { required.checked_sub(range) };
        required.filter(|required| *required > 0)
    }

    /// `None` if it is cut; `Some(None)` if what its references count from is not known.
    fn prefix(&self, r: &mut Reader<'_>) -> Option<Option<Prefix>> {
        let encoded = r.integer(8)?;
        let sign = r.peek()? & 0x80 != 0;
        let delta = r.integer(7)?;
        Some(self.required(encoded).and_then(|required| {
            let base = if sign { required.checked_sub(delta + 1)? } else { required.checked_add(delta)? };
            Some(Prefix { required, base })
        }))
    }

    /// The next field; `None` for what is no representation.
    fn field(&self, r: &mut Reader<'_>, section: &Derived, prefix: Option<&Prefix>) -> Option<Field> {
        let start = r.at;
        let first = r.peek()?;
        // References count backwards from the base, and behind it forwards.
        let known = |index: Option<u64>| index.filter(|i| prefix.is_some_and(|p| *i < p.required));
        let before = |i: u64| Index::Dynamic(known(prefix.and_then(|p| p.base.checked_sub(i + 1))));
        let behind = |i: u64| Index::Dynamic(known(prefix.and_then(|p| p.base.checked_add(i))));
        let either = |is_static: bool, i: u64| if is_static { Index::Static(i) } else { before(i) };
        let (index, has_value) = match first {
            0x80.. => (either(first & 0x40 != 0, r.integer(6)?), true),
            0x40.. => (either(first & 0x10 != 0, r.integer(4)?), false),
            0x20.. => {
                let name = r.string(3)?;
                let value = r.string(7)?;
                return Some(Field {
                    name: Some(part(&name, section)?),
                    value: Some(part(&value, section)?),
                });
            }
            0x10.. => (behind(r.integer(4)?), true),
            _ => (behind(r.integer(3)?), false),
        };
        let (name, value) = self.entry(&index, start..r.at, section)?;
        let value = if has_value { value } else { Some(part(&r.string(7)?, section)?) };
        Some(Field { name, value })
    }

    /// Name and value of an entry, as far as they are known; `None` if the static table has no such entry.
    fn entry(
        &self,
        index: &Index,
        at: Range<usize>,
        section: &Derived,
    ) -> Option<(Option<Derived>, Option<Derived>)> {
        let refer = |bytes: &[u8]| Some(section.decoded(at.clone(), bytes));
        Some(match index {
            Index::Static(index) => {
                let (name, value) = fixed::get(*index)?;
                (refer(name), refer(value))
            }
            Index::Dynamic(index) => match index.and_then(|index| self.table.get(index)) {
                Some(entry) => (refer(&entry.name), refer(&entry.value)),
                None => (None, None),
            },
        })
    }
}

/// A string with its place: in plain its own bytes, else those of its code.
fn part(text: &Text, section: &Derived) -> Option<Derived> {
    let range = text.range.clone();
    Some(match text.coded {
        true => section.decoded(range, text.decode(section.as_bytes())?),
        false => section.slice(range),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use why401_span::{SourceId, Span};

    fn bytes(text: &str) -> Vec<u8> {
        let digits: Vec<u8> =
            text.bytes().filter_map(|c| char::from(c).to_digit(16)).map(|d| d as u8).collect();
        digits.chunks(2).map(|p| p[0] << 4 | p[1]).collect()
    }

    fn hex(text: &str) -> Derived {
        Derived::exact(bytes(text), Span::new(SourceId(0), 1000, 1000))
    }

    fn text(fields: &[Field]) -> String {
        let part = |p: &Option<Derived>| p.as_ref().map_or("?".into(), |p| p.to_text().into_owned());
        fields.iter().map(|f| format!("{}={};", part(&f.name), part(&f.value))).collect()
    }

    fn read(d: &Decoder, section: &str) -> String {
        match d.section(&hex(section)) {
            Section::Fields(fields, whole) => format!("{}{}", text(&fields), if whole { "" } else { "cut" }),
            Section::Blocked => "blocked".into(),
        }
    }

    /// RFC 9204, appendix B.
    #[test]
    fn the_examples_of_the_rfc() {
        let mut d = Decoder::new();
        d.allow(220);
        assert_eq!(read(&d, "0000 510b 2f69 6e64 6578 2e68 746d 6c"), ":path=/index.html;");
        let second = "0381 10 11";
        assert_eq!(read(&d, second), "blocked");
        d.instructions(&bytes("3fbd01 c00f 7777 772e 6578 616d 706c 652e 636f 6d"));
        assert_eq!(read(&d, second), "blocked");
        d.instructions(&bytes("c10c 2f73 616d 706c 652f 7061 7468"));
        assert_eq!(read(&d, second), ":authority=www.example.com;:path=/sample/path;");
        // An instruction in two parts.
        d.instructions(&bytes("4a63 7573 746f 6d2d 6b65 790c 6375 73"));
        d.instructions(&bytes("746f 6d2d 7661 6c75 65"));
        let third = "0500 80 c1 81";
        assert_eq!(read(&d, third), "blocked");
        d.instructions(&bytes("02"));
        assert_eq!(read(&d, third), ":authority=www.example.com;:path=/;custom-key=custom-value;");
        d.instructions(&bytes("810d 6375 7374 6f6d 2d76 616c 7565 32"));
        assert_eq!(d.table.inserted(), 5);
        assert_eq!(d.table.get(4).unwrap().value, b"custom-value2");
        // What B.5 evicts is still known to who reads late.
        assert_eq!(d.table.get(0).unwrap().name, b":authority");
    }

    #[test]
    fn a_reference_points_at_itself_and_a_plain_string_at_its_bytes() {
        let Section::Fields(fields, _) =
            Decoder::new().section(&hex("0000 510b 2f69 6e64 6578 2e68 746d 6c"))
        else {
            panic!()
        };
        let name = fields[0].name.as_ref().unwrap().whole().unwrap();
        let value = fields[0].value.as_ref().unwrap().whole().unwrap();
        assert_eq!((name.span.start, name.span.end, name.exact), (1002, 1003, false));
        assert_eq!((value.span.start, value.span.end, value.exact), (1004, 1015, true));
    }

    #[test]
    fn what_was_never_seen_is_unknown() {
        let mut d = Decoder::new();
        // The other side's SETTINGS did not come: what references count from is not known.
        assert_eq!(read(&d, "0381 10 d9"), "blocked");
        assert_eq!(text(&d.as_known(&hex("0381 10 d9")).0), "?=?;:status=200;");
        d.allow(220);
        d.instructions(&bytes("3fbd01 c00f 7777 772e 6578 616d 706c 652e 636f 6d"));
        // One of the two inserts came.
        assert_eq!(text(&d.as_known(&hex("0381 10 11 d9")).0), ":authority=www.example.com;?=?;:status=200;");
        d.forget();
        assert_eq!(read(&d, "0381 10 d9 4001 61"), "?=?;:status=200;?=a;");
        d.instructions(&bytes("c00f 7777 772e 6578 616d 706c 652e 636f 6d"));
        assert_eq!(read(&d, "0200 80"), "?=?;");
    }

    #[test]
    fn what_is_no_representation_ends_the_section() {
        let d = Decoder::new();
        assert_eq!(read(&d, "0000 d9 ff7f d9"), ":status=200;cut");
        assert_eq!(read(&d, "0000 d9 27"), ":status=200;cut");
        assert_eq!(read(&d, "00"), "cut");
    }

    #[test]
    fn the_count_of_inserts_wraps_around() {
        let mut d = Decoder::new();
        d.allow(128);
        d.instructions(&bytes("3f61"));
        for n in 0..100u8 {
            d.instructions(&[0xc0, 1, b'a' + n % 26]);
            // Four entries at most: the count is sent modulo eight.
            let section = [(n + 1) % 8 + 1, 0, 0x80];
            let (fields, whole) = d.as_known(&Derived::exact(section, Span::new(SourceId(0), 0, 0)));
            assert_eq!((text(&fields), whole), (format!(":authority={};", char::from(b'a' + n % 26)), true));
        }
    }

    proptest! {
        #[test]
        fn anything_is_read_without_a_fault(
            instructions in proptest::collection::vec(any::<u8>(), 0..300),
            section in proptest::collection::vec(any::<u8>(), 0..100),
            cut in 0usize..300,
            capacity in 0u64..500,
        ) {
            let (mut d, mut parts) = (Decoder::new(), Decoder::new());
            d.allow(capacity);
            parts.allow(capacity);
            d.instructions(&instructions);
            let (front, rest) = instructions.split_at(cut.min(instructions.len()));
            parts.instructions(front);
            parts.instructions(rest);
            let section = Derived::exact(section, Span::new(SourceId(0), 0, 0));
            prop_assert_eq!(d.section(&section), parts.section(&section));
            let (fields, _) = d.as_known(&section);
            for place in fields.iter().flat_map(|f| [&f.name, &f.value]).flatten().filter_map(Derived::whole) {
                prop_assert!(place.span.end <= section.len() as u64);
            }
        }
    }
}
