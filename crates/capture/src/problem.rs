//! What could not be read.

use std::borrow::Cow;
use std::collections::HashMap;

/// Something that could not be read as it stands; reading went on behind it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Offset in the capture (in the decompressed capture if it is compressed) of the first one.
    pub offset: u64,
    /// What is wrong there.
    pub what: Cow<'static, str>,
    /// How often the same was met.
    pub count: u64,
}

/// All that could not be read: the same thing once, with a count.
#[derive(Debug, Default)]
pub(crate) struct Problems {
    all: Vec<Problem>,
    by_text: HashMap<Cow<'static, str>, usize>,
    limit: usize,
    further: u64,
}

impl Problems {
    pub(crate) fn new(limit: usize) -> Self {
        Problems { limit, ..Problems::default() }
    }

    pub(crate) fn add(&mut self, offset: u64, what: impl Into<Cow<'static, str>>) {
        let what = what.into();
        if let Some(known) = self.by_text.get(&what).and_then(|i| self.all.get_mut(*i)) {
            known.count += 1;
        } else if self.all.len() < self.limit {
            self.by_text.insert(what.clone(), self.all.len());
            self.all.push(Problem { offset, what, count: 1 });
        } else {
            self.further += 1;
        }
    }

    /// All so far, with a last entry for those that were only counted.
    pub(crate) fn list(&self) -> Vec<Problem> {
        let mut all = self.all.clone();
        if self.further > 0 {
            let what = "further problems, not listed".into();
            all.push(Problem { offset: 0, what, count: self.further });
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_problem_is_counted_and_many_are_cut_off() {
        let mut p = Problems::new(2);
        for (at, what) in [(5, "a"), (6, "b"), (7, "a"), (8, "c"), (9, "d")] {
            p.add(at, what);
        }
        let list = p.list();
        assert_eq!((list[0].offset, list[0].count), (5, 2));
        assert_eq!((list.len(), list[2].count), (3, 2));
    }
}
