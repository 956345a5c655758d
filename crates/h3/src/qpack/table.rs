//! The dynamic table of one direction, and the instructions that fill it (RFC 9204, sections 3.2 and 4.3).

use super::fixed;
use super::reader::{Reader, Text};
use std::collections::VecDeque;

#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) name: Vec<u8>,
    pub(crate) value: Vec<u8>,
}

/// What the encoder inserted, as far as it was seen.
#[derive(Debug, Default)]
pub(crate) struct Table {
    /// Oldest first; the newest has the absolute index `inserted - 1`.
    entries: VecDeque<Entry>,
    size: u64,
    capacity: u64,
    inserted: u64,
    /// An instruction of which more is to come.
    begun: Vec<u8>,
    lost: bool,
}

/// Larger tables are not kept whole; nobody uses them.
const LARGEST: u64 = 1 << 18;
/// What was evicted is kept a while longer: here sections may be read later than their receiver read them. References are
/// absolute, so nothing is mistaken for it.
const EVICTED: u64 = 1 << 14;
/// Longer instructions are nobody's.
const LONGEST: usize = 128 << 10;

impl Table {
    /// Instructions were missed. The ones behind them cannot be told apart, and how many entries there are is not known
    /// any more: what refers to this table is unknown from here on.
    pub(crate) fn forget(&mut self) {
        *self = Table { lost: true, ..Table::default() };
    }

    pub(crate) fn is_lost(&self) -> bool {
        self.lost
    }

    /// How many entries were inserted so far.
    pub(crate) fn inserted(&self) -> u64 {
        self.inserted
    }

    /// The entry of this absolute index (RFC 9204, section 3.2.4), unless it was evicted or never seen.
    pub(crate) fn get(&self, index: u64) -> Option<&Entry> {
        let back = self.inserted.checked_sub(index)?;
        let at = (self.entries.len() as u64).checked_sub(back)?;
        self.entries.get(usize::try_from(at).ok()?)
    }

    /// About how many bytes of memory it takes.
    pub(crate) fn footprint(&self) -> usize {
        const BESIDE: usize = 80;
        self.size as usize + self.entries.len() * BESIDE + self.begun.capacity()
    }

    /// The next bytes of the encoder stream.
    pub(crate) fn instructions(&mut self, bytes: &[u8]) {
        if self.lost {
            return;
        }
        let mut begun = std::mem::take(&mut self.begun);
        begun.extend_from_slice(bytes);
        let mut reader = Reader::new(&begun);
        let mut whole = 0;
        while let Some(instruction) = Instruction::read(&mut reader) {
            if self.obey(instruction, &begun).is_none() {
                return self.forget();
            }
            whole = reader.at;
        }
        begun.drain(..whole);
        if begun.len() > LONGEST {
            return self.forget();
        }
        self.begun = begun;
    }

    fn obey(&mut self, instruction: Instruction, bytes: &[u8]) -> Option<()> {
        let newest = |back: u64| self.inserted.checked_sub(1)?.checked_sub(back);
        let entry = match instruction {
            Instruction::Capacity(capacity) => {
                self.capacity = capacity;
                self.evict();
                return Some(());
            }
            Instruction::StaticName(index, value) => {
                Entry { name: fixed::get(index)?.0.to_vec(), value: value.decode(bytes)? }
            }
            Instruction::DynamicName(back, value) => {
                Entry { name: self.get(newest(back)?)?.name.clone(), value: value.decode(bytes)? }
            }
            Instruction::LiteralName(name, value) => {
                Entry { name: name.decode(bytes)?, value: value.decode(bytes)? }
            }
            Instruction::Duplicate(back) => self.get(newest(back)?)?.clone(),
        };
        self.size += cost(&entry);
        self.inserted += 1;
        self.entries.push_back(entry);
        self.evict();
        Some(())
    }

    fn evict(&mut self) {
        while self.size > self.capacity.min(LARGEST) + EVICTED
            && let Some(oldest) = self.entries.pop_front()
        {
            self.size -= cost(&oldest);
        }
    }
}

/// RFC 9204, section 3.2.1.
fn cost(entry: &Entry) -> u64 {
    (entry.name.len() + entry.value.len() + 32) as u64
}

/// RFC 9204, section 4.3. Entries of the dynamic table are named by how many were inserted after them.
enum Instruction {
    Capacity(u64),
    StaticName(u64, Text),
    DynamicName(u64, Text),
    LiteralName(Text, Text),
    Duplicate(u64),
}

impl Instruction {
    /// The next one, if it is there whole.
    fn read(r: &mut Reader<'_>) -> Option<Instruction> {
        let first = r.peek()?;
        Some(match first {
            0xc0.. => Instruction::StaticName(r.integer(6)?, r.string(7)?),
            0x80.. => Instruction::DynamicName(r.integer(6)?, r.string(7)?),
            0x40.. => Instruction::LiteralName(r.string(5)?, r.string(7)?),
            0x20.. => Instruction::Capacity(r.integer(5)?),
            _ => Instruction::Duplicate(r.integer(5)?),
        })
    }
}
