//! Which resources ever let anybody in, without keeping their names.

use crate::hash::FIXED;
use crate::wire::{In, Key, Malformed, Wire};

/// So many bits: a quarter of a megabyte, which stays in the processor's cache.
const BITS: u64 = if cfg!(test) { 1 << 17 } else { 1 << 21 };
/// All bits of one path stand in one line of that cache.
const LINES: u64 = BITS / 512;

/// A Bloom filter of paths, and of methods with paths, that ever let anybody in: a no is certain.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Paths {
    /// None until there is a path: of parts that are shared out by client, most have none.
    lines: Vec<[u64; 8]>,
}

/// Those lines in which there is anything, each with its number.
impl Wire for Paths {
    fn put(&self, out: &mut Vec<u8>) {
        let lines = || (0u32..).zip(&self.lines).filter(|(_, line)| line.iter().any(|word| *word != 0));
        (lines().count() as u64).put(out);
        for (number, line) in lines() {
            number.put(out);
            line.iter().for_each(|word| Key(*word).put(out));
        }
    }
    fn get(from: &mut In<'_>) -> Result<Self, Malformed> {
        let mut paths = Paths::default();
        for _ in 0..u64::get(from)? {
            let number = u32::get(from)?;
            paths.make_room();
            let line = paths.lines.get_mut(number as usize).ok_or(Malformed)?;
            for word in line {
                *word = Key::get(from)?.0;
            }
        }
        Ok(paths)
    }
}

impl Paths {
    /// Something of the line of a path. Whoever asks for several at once waits for the memory once.
    #[inline]
    pub(crate) fn fetch(&self, path: u64) -> u64 {
        self.lines.get((path % LINES) as usize).and_then(|line| line.first()).copied().unwrap_or_default()
    }

    /// Whether both are known already. Nothing is decided in here, so that the lines of several paths are fetched
    /// together.
    #[inline]
    pub(crate) fn knows(&self, path: u64, resource: u64) -> bool {
        let line = self.lines.get((path % LINES) as usize);
        let is_set = |bit: usize| line.and_then(|l| l.get(bit / 64)).map_or(0, |word| word >> (bit % 64) & 1);
        let ([a, b], [c, d]) = (places(path), places(resource));
        is_set(a) & is_set(b) & is_set(c) & is_set(d) == 1
    }

    #[inline]
    pub(crate) fn add(&mut self, path: u64, resource: u64) {
        self.make_room();
        let Some(line) = self.lines.get_mut((path % LINES) as usize) else { return };
        for bit in places(path).into_iter().chain(places(resource)) {
            if let Some(word) = line.get_mut(bit / 64) {
                *word |= 1 << (bit % 64);
            }
        }
    }

    fn has(&self, path: u64, key: u64) -> bool {
        let line = self.lines.get((path % LINES) as usize);
        let is_set =
            |bit: usize| line.and_then(|l| l.get(bit / 64)).is_some_and(|word| word >> (bit % 64) & 1 == 1);
        places(key).into_iter().all(is_set)
    }

    fn make_room(&mut self) {
        if self.lines.is_empty() {
            self.lines.resize(LINES as usize, [0; 8]);
        }
    }

    pub(crate) fn absorb(&mut self, other: &Paths) {
        if !other.lines.is_empty() {
            self.make_room();
        }
        let words = self.lines.iter_mut().flatten().zip(other.lines.iter().flatten());
        words.for_each(|(to, from)| *to |= from);
    }

    /// Whether anybody may have been let in at this path; `false` is certain.
    pub fn let_in(&self, path: &[u8]) -> bool {
        let path = FIXED.key(path);
        self.has(path, path)
    }

    /// Whether anybody may have been let in at this path with this method; `false` is certain.
    pub fn let_in_with(&self, method: &[u8], path: &[u8]) -> bool {
        let path = FIXED.key(path);
        self.has(path, FIXED.of([FIXED.key(method), path]))
    }
}

/// Two bits of a line.
fn places(key: u64) -> [usize; 2] {
    [(key >> 40) as usize % 512, (key >> 51) as usize % 512]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chain::Keys;
    use crate::{Seed, Seen};

    #[test]
    fn what_was_let_in_is_never_denied() {
        let mut paths = Paths::default();
        for i in 0..1000 {
            let path = format!("/orders/{i}");
            let seen = Seen { method: b"GET", path: path.as_bytes(), ..Seen::default() };
            let keys = Keys::of(&seen, Seed(3));
            paths.add(keys.path, keys.resource);
        }
        assert!((0..1000).all(|i| paths.let_in_with(b"GET", format!("/orders/{i}").as_bytes())));
        let wrong = (1000..11_000).filter(|i| paths.let_in(format!("/orders/{i}").as_bytes())).count();
        assert!(wrong < 50, "{wrong}");
        assert!(!paths.let_in_with(b"POST", b"/orders/1"));
    }
}
