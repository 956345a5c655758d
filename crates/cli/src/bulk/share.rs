//! Who reads what: logs and stretches of them, shared out so that nobody waits.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

/// So much is read at once: little enough to stay in the processor's cache until it is looked at.
pub(crate) const RANGE: u64 = 96 * 1024;
/// What is left of a log is worth sharing from this size on. A part more is first requests of conversations that are kept,
/// accounts that are met again, and all of it glued: as measured, that takes as long as to read 20 MB.
const WORTH: u64 = 16 * 1024 * 1024;
/// The first requests of conversations that a part keeps take as long as to read so much of it.
const FRONT: u64 = 6 * 1024 * 1024;

/// A log to be read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Job {
    /// Its position in order of time.
    pub(crate) order: usize,
    /// Where to begin, and where to end.
    pub(crate) start: u64,
    pub(crate) end: u64,
    /// Whether it can be read from several places at once.
    pub(crate) divisible: bool,
}

/// A stretch of a log, by its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stretch {
    number: usize,
    /// The log.
    pub(crate) order: usize,
    /// Where it begins.
    pub(crate) start: u64,
    /// Whether it is to be read as a stream, to its end.
    pub(crate) whole: bool,
}

#[derive(Debug)]
struct Open {
    order: usize,
    next: u64,
    end: u64,
    divisible: bool,
}

/// Shares the work out.
#[derive(Debug)]
pub(crate) struct Share(Mutex<(VecDeque<Job>, Vec<Open>)>);

impl Share {
    pub(crate) fn new(jobs: impl IntoIterator<Item = Job>) -> Share {
        Share(Mutex::new((jobs.into_iter().collect(), Vec::new())))
    }

    /// Something to begin with: a log that nobody has begun, else half of what is left of another's.
    pub(crate) fn begin(&self) -> Option<Stretch> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (jobs, open) = &mut *state;
        let number = open.len();
        if let Some(job) = jobs.pop_front() {
            open.push(Open { order: job.order, next: job.start, end: job.end, divisible: job.divisible });
            return Some(Stretch { number, order: job.order, start: job.start, whole: !job.divisible });
        }
        let left = |o: &Open| if o.divisible { o.end - o.next } else { 0 };
        let from = open.iter_mut().max_by_key(|o| left(o)).filter(|o| left(o) > WORTH)?;
        let start = from.next + (from.end - from.next + FRONT) / 2;
        let taken = Open { order: from.order, next: start, end: from.end, divisible: true };
        let order = from.order;
        from.end = start;
        open.push(taken);
        Some(Stretch { number, order, start, whole: false })
    }

    /// The next range of a stretch; `None` at its end.
    pub(crate) fn next(&self, stretch: Stretch) -> Option<(u64, u64)> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let open = state.1.get_mut(stretch.number)?;
        let from = open.next;
        open.next = (from + RANGE).min(open.end);
        (from < open.next).then_some((from, open.next))
    }

    /// Where a stretch ended in the end.
    pub(crate) fn end(&self, stretch: Stretch) -> u64 {
        let state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.1.get(stretch.number).map_or(0, |o| o.end)
    }
}
