//! What may stand in many texts, in little memory.

/// So many bytes in a row are looked at.
const LEN: usize = 4;
/// As many bits as there are numbers of this many bits.
const BITS: u32 = 24;

/// Which runs of four bytes stand somewhere in texts.
pub(crate) struct Grams(Vec<u64>);

impl Default for Grams {
    fn default() -> Self {
        Grams(vec![0; 1 << (BITS - 6)])
    }
}

impl Grams {
    /// Takes a text in.
    pub(crate) fn add(&mut self, text: &str) {
        for (word, bit) in places(text) {
            if let Some(word) = self.0.get_mut(word) {
                *word |= bit;
            }
        }
    }

    /// Whether these bytes may stand in one of the texts; `false` is certain.
    pub(crate) fn may_hold(&self, bytes: &str) -> bool {
        places(bytes).all(|(word, bit)| self.0.get(word).is_some_and(|word| word & bit != 0))
    }
}

/// The bit of each run (Knuth's multiplicative hashing).
fn places(text: &str) -> impl Iterator<Item = (usize, u64)> {
    text.as_bytes().windows(LEN).filter_map(<[u8]>::first_chunk::<LEN>).map(|run| {
        let place = u32::from_le_bytes(*run).wrapping_mul(0x9e37_79b1) >> (32 - BITS);
        (place as usize >> 6, 1 << (place & 63))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ranges::part;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_stands_in_a_text_is_never_denied(texts in proptest::collection::vec(".{0,40}", 1..4), pick: usize) {
            let mut grams = Grams::default();
            texts.iter().for_each(|text| grams.add(text));
            let text = &texts[pick % texts.len()];
            let starts: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
            for start in starts {
                prop_assert!(grams.may_hold(part(text, start..text.len())));
            }
        }
    }

    #[test]
    fn what_does_not_stand_there_is_denied() {
        let mut grams = Grams::default();
        grams.add("the credentials of alice were refused");
        assert!(grams.may_hold("alice") && grams.may_hold("of"));
        assert!(!grams.may_hold("hunter2") && !grams.may_hold("alicia"));
    }
}
