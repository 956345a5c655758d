//! Who is given requests.

use crate::{Part, Seen};

/// Takes the requests of a log in order, and its other lines.
pub trait Take {
    /// Takes a request. `line` is its 1-based line.
    fn take(&mut self, seen: &Seen<'_>, line: u32);

    /// Takes requests in order, each with its 1-based line.
    fn take_all(&mut self, requests: &[(Seen<'_>, u32)]) {
        requests.iter().for_each(|(seen, line)| self.take(seen, *line));
    }

    /// Takes a line that is no request.
    fn odd(&mut self, text: &[u8], offset: u64, line: u32);
}

impl Take for Part {
    fn take(&mut self, seen: &Seen<'_>, line: u32) {
        self.take(seen, line);
    }

    #[inline]
    fn take_all(&mut self, requests: &[(Seen<'_>, u32)]) {
        self.take_all(requests);
    }

    fn odd(&mut self, text: &[u8], offset: u64, line: u32) {
        self.odd(text, offset, line);
    }
}
