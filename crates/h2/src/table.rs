//! The tables that header fields are referred to by (RFC 7541, section 2.3).

use std::collections::VecDeque;

/// RFC 7541, appendix A.
const STATIC: [(&str, &str); 61] = [
    (":authority", ""),
    (":method", "GET"),
    (":method", "POST"),
    (":path", "/"),
    (":path", "/index.html"),
    (":scheme", "http"),
    (":scheme", "https"),
    (":status", "200"),
    (":status", "204"),
    (":status", "206"),
    (":status", "304"),
    (":status", "400"),
    (":status", "404"),
    (":status", "500"),
    ("accept-charset", ""),
    ("accept-encoding", "gzip, deflate"),
    ("accept-language", ""),
    ("accept-ranges", ""),
    ("accept", ""),
    ("access-control-allow-origin", ""),
    ("age", ""),
    ("allow", ""),
    ("authorization", ""),
    ("cache-control", ""),
    ("content-disposition", ""),
    ("content-encoding", ""),
    ("content-language", ""),
    ("content-length", ""),
    ("content-location", ""),
    ("content-range", ""),
    ("content-type", ""),
    ("cookie", ""),
    ("date", ""),
    ("etag", ""),
    ("expect", ""),
    ("expires", ""),
    ("from", ""),
    ("host", ""),
    ("if-match", ""),
    ("if-modified-since", ""),
    ("if-none-match", ""),
    ("if-range", ""),
    ("if-unmodified-since", ""),
    ("last-modified", ""),
    ("link", ""),
    ("location", ""),
    ("max-forwards", ""),
    ("proxy-authenticate", ""),
    ("proxy-authorization", ""),
    ("range", ""),
    ("referer", ""),
    ("refresh", ""),
    ("retry-after", ""),
    ("server", ""),
    ("set-cookie", ""),
    ("strict-transport-security", ""),
    ("transfer-encoding", ""),
    ("user-agent", ""),
    ("vary", ""),
    ("via", ""),
    ("www-authenticate", ""),
];

/// An entry as far as it is known: of one made with a name that was not, only the value is.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) name: Option<Vec<u8>>,
    pub(crate) value: Option<Vec<u8>>,
}

/// What an index stands for.
pub(crate) enum Found<'a> {
    Entry(&'a [u8], &'a [u8]),
    /// An entry of which parts, or that as a whole, were never seen.
    Unknown(Option<&'a [u8]>, Option<&'a [u8]>),
    /// There is no such entry.
    None,
}

/// The dynamic table of one direction.
#[derive(Debug)]
pub(crate) struct Table {
    /// Newest first.
    entries: VecDeque<Entry>,
    size: usize,
    most: usize,
    /// Whether there may be older entries that were never seen.
    unknown_before: bool,
}

/// RFC 9113, section 6.5.2: what SETTINGS_HEADER_TABLE_SIZE is unless it is set.
const DEFAULT_SIZE: usize = 4096;
/// Larger tables are not kept whole; nobody uses them.
const LARGEST: usize = 1 << 18;
/// Of a table whose size was never seen, more is kept than most have; what is too old is never referred to.
const UNKNOWN_SIZE: usize = 1 << 16;

impl Table {
    /// The table at the start of a connection.
    pub(crate) fn new() -> Self {
        Table { entries: VecDeque::new(), size: 0, most: DEFAULT_SIZE, unknown_before: false }
    }

    /// From here on, what is in the table is not known.
    pub(crate) fn forget(&mut self) {
        *self = Table { most: self.most.max(UNKNOWN_SIZE), unknown_before: true, ..Table::new() };
    }

    pub(crate) fn get(&self, index: usize) -> Found<'_> {
        let Some(index) = index.checked_sub(1) else { return Found::None };
        if let Some((name, value)) = STATIC.get(index) {
            return Found::Entry(name.as_bytes(), value.as_bytes());
        }
        match self.entries.get(index - STATIC.len()) {
            Some(Entry { name: Some(name), value: Some(value) }) => Found::Entry(name, value),
            Some(Entry { name, value }) => Found::Unknown(name.as_deref(), value.as_deref()),
            None if self.unknown_before => Found::Unknown(None, None),
            None => Found::None,
        }
    }

    /// RFC 7541, section 4.1.
    fn cost(entry: &Entry) -> usize {
        let len = |part: &Option<Vec<u8>>| part.as_ref().map_or(0, Vec::len);
        len(&entry.name) + len(&entry.value) + 32
    }

    pub(crate) fn insert(&mut self, entry: Entry) {
        self.size += Self::cost(&entry);
        self.entries.push_front(entry);
        self.evict();
    }

    /// About how many bytes of memory it takes: an entry costs more than the RFC counts (section 4.1).
    pub(crate) fn footprint(&self) -> usize {
        const BESIDE: usize = 80;
        self.size + self.entries.len() * BESIDE
    }

    /// The sender changes the size (RFC 7541, section 6.3).
    pub(crate) fn resize(&mut self, most: usize) {
        self.most = most.min(LARGEST);
        self.evict();
    }

    fn evict(&mut self) {
        while self.size > self.most
            && let Some(oldest) = self.entries.pop_back()
        {
            self.size -= Self::cost(&oldest);
        }
    }
}
