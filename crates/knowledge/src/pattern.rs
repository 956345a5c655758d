//! How a wording is held against the words of a text.

use crate::index::Seen;

// A gap ends at the end of a line: what stands on two lines of a log or of a message's fields is not one sentence.
/// At most so many words fill a gap: a token or a path has many.
const GAP_WORDS: usize = 48;
/// At most so many pieces divided by white space fill a gap.
const GAP_PIECES: usize = 10;

/// Whether a word is what is demanded: the word of this number, or any number where that is 0.
fn fits(atom: u32, word: &Seen) -> bool {
    if atom == 0 { word.number } else { word.id == atom }
}

fn run_fits(run: &[u32], words: &[Seen], at: usize) -> bool {
    words
        .get(at..at + run.len())
        .is_some_and(|here| run.iter().zip(here).all(|(atom, word)| fits(*atom, word)))
}

/// Whether the text fits with run `run` of a wording at word `at`; if so, the range of bytes from first to last word.
///
/// Each gap is filled by as few words as possible, without going back, so the cost is bounded by the length
/// of the wording and of its gaps.
pub(crate) fn fit<'t>(
    runs: impl DoubleEndedIterator<Item = &'t [u32]> + ExactSizeIterator + Clone,
    words: &[Seen],
    run: usize,
    at: usize,
) -> Option<std::ops::Range<usize>> {
    let (left, mut right) = (runs.clone().take(run), runs.skip(run));
    let anchor = right.next()?;
    if !run_fits(anchor, words, at) {
        return None;
    }
    let mut end = at + anchor.len();
    for run in right {
        end = next_run(run, words, end)? + run.len();
    }
    let mut start = at;
    for run in left.rev() {
        start = previous_run(run, words, start)?;
    }
    Some(words.get(start)?.start..words.get(end.checked_sub(1)?)?.end)
}

fn next_run(run: &[u32], words: &[Seen], from: usize) -> Option<usize> {
    let mut pieces = 0;
    for at in from..=from + GAP_WORDS {
        if words.get(at)?.lined {
            return None;
        }
        if run_fits(run, words, at) {
            return Some(at);
        }
        pieces += usize::from(words.get(at)?.spaced || at == from);
        if pieces > GAP_PIECES {
            return None;
        }
    }
    None
}

fn previous_run(run: &[u32], words: &[Seen], before: usize) -> Option<usize> {
    let mut pieces = 0;
    let nearest = before.checked_sub(run.len())?;
    for at in (nearest.saturating_sub(GAP_WORDS)..=nearest).rev() {
        if words.get(at + run.len())?.lined {
            return None;
        }
        if run_fits(run, words, at) {
            return Some(at);
        }
        pieces += usize::from(words.get(at + run.len())?.spaced);
        if pieces > GAP_PIECES {
            return None;
        }
    }
    None
}
