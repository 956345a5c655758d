//! The bytes of one direction to records (RFC 8446, section 5.1).

use crate::cipher::Sealed;

/// RFC 5246, section 6.2.3: no record is longer.
const LONGEST: usize = (1 << 14) + 2048;
const HEADER: usize = 5;

/// Cuts a stream into records, and finds its way again behind missing bytes.
#[derive(Debug, Default)]
pub(crate) struct Records {
    begun: Vec<u8>,
    lost: bool,
    /// Not TLS, or no more.
    over: bool,
}

fn header(at: &[u8]) -> Option<(u8, [u8; 2], usize)> {
    let [kind, major, minor, high, low] = *at.first_chunk::<HEADER>()?;
    Some((kind, [major, minor], usize::from(u16::from_be_bytes([high, low]))))
}

fn plausible(at: &[u8]) -> bool {
    header(at).is_some_and(|(kind, [major, minor], len)| {
        (20..=24).contains(&kind) && major == 3 && minor <= 4 && len > 0 && len <= LONGEST
    })
}

impl Records {
    /// Takes the next bytes and hands over every record that is whole; `take` says whether it was one, which counts
    /// where the way was lost.
    pub(crate) fn push(&mut self, mut bytes: &[u8], take: &mut dyn FnMut(Sealed<'_>) -> bool) {
        if self.over {
            return;
        }
        if !self.begun.is_empty() {
            // Only the rest of the record that has begun is copied.
            while !bytes.is_empty() && !self.begun.is_empty() {
                let wanted = match header(&self.begun) {
                    _ if self.lost => bytes.len(),
                    Some((_, _, len)) => (HEADER + len).saturating_sub(self.begun.len()),
                    None => HEADER - self.begun.len(),
                };
                let (more, rest) = bytes.split_at_checked(wanted).unwrap_or((bytes, &[]));
                self.begun.extend_from_slice(more);
                bytes = rest;
                let begun = std::mem::take(&mut self.begun);
                let used = self.whole(&begun, take);
                self.begun = begun;
                self.begun.drain(..used);
                if self.over {
                    return;
                }
            }
        }
        let used = self.whole(bytes, take);
        self.begun.extend_from_slice(bytes.get(used..).unwrap_or_default());
        if self.begun.is_empty() {
            // Of very many connections most are silent, behind a record that came whole.
            self.begun = Vec::new();
        }
    }

    /// How many bytes of memory the record takes that is not whole.
    pub(crate) fn footprint(&self) -> usize {
        self.begun.capacity()
    }

    /// Gives the memory back that is not in use.
    pub(crate) fn spare(&mut self) {
        self.begun.shrink_to_fit();
    }

    /// Bytes are missing: where the next record begins has to be found.
    pub(crate) fn gap(&mut self) {
        self.begun.clear();
        self.lost = true;
    }

    /// What of a record is there that is not whole.
    pub(crate) fn partial(&self) -> Option<Sealed<'_>> {
        let (kind, version, _) = header(&self.begun)?;
        Some(Sealed { kind, version, body: self.begun.get(HEADER..)? })
    }

    fn whole(&mut self, bytes: &[u8], take: &mut dyn FnMut(Sealed<'_>) -> bool) -> usize {
        let mut at = 0;
        while let Some(rest) = bytes.get(at..).filter(|r| r.len() >= HEADER) {
            if !plausible(rest) {
                if !self.lost {
                    // What was TLS so far goes on otherwise only if bytes are missing.
                    self.over = true;
                    return bytes.len();
                }
                at += 1;
                continue;
            }
            let Some((kind, version, len)) = header(rest) else { break };
            let Some(body) = rest.get(HEADER..HEADER + len) else {
                break;
            };
            let next = rest.get(HEADER + len..).unwrap_or_default();
            let followed = next.len() < HEADER || plausible(next);
            if self.lost && !(followed && take(Sealed { kind, version, body })) {
                at += 1;
                continue;
            }
            if !self.lost {
                take(Sealed { kind, version, body });
            }
            self.lost = false;
            at += HEADER + len;
        }
        at
    }
}
