//! Awake between a request and its answer: whoever sleeps is woken too late.

use crate::long::is_possible;
use std::cell::Cell;
use std::rc::Rc;
use std::time::{Duration, Instant};
use tokio::sync::Notify;

/// How long after the last bytes the sockets are asked without a pause. Small exchanges follow each other within less; what
/// takes longer does not notice the tenth of a millisecond that a sleeping thread takes to be woken.
const AWAKE: Duration = Duration::from_micros(250);

/// From so many bytes on more are on their way already, and those who exchange them need the processor: a full record of TLS
/// (RFC 8446 section 5.1).
pub(crate) const MANY: usize = 1 << 14;

/// Whether bytes have passed just now.
#[derive(Clone, Default)]
pub(crate) struct Attention(Rc<Inner>);

#[derive(Default)]
struct Inner {
    last: Cell<Option<Instant>>,
    passed: Notify,
}

impl Attention {
    /// So many bytes have passed at once: more are near.
    pub(crate) fn passed(&self, bytes: usize) {
        if bytes >= MANY {
            return self.0.last.set(None);
        }
        self.0.last.set(Some(Instant::now()));
        self.0.passed.notify_one();
    }

    /// Keeps the thread awake while bytes pass, where another processor is there for those who exchange them, and calls `idle`
    /// each time that nothing more comes.
    pub(crate) async fn keep(self, idle: impl Fn()) {
        if !is_possible() {
            return;
        }
        loop {
            self.0.passed.notified().await;
            while self.0.last.get().is_some_and(|last| last.elapsed() < AWAKE) {
                // With something ready to run, the runtime asks the sockets and does not wait for them.
                tokio::task::yield_now().await;
                // Whom the scheduler put on this processor goes first.
                std::thread::yield_now();
            }
            idle();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_keeps_awake_lets_others_run_and_never_ends_by_itself() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let attention = Attention::default();
        attention.passed(1);
        let times = Cell::new(0);
        let ended = runtime.block_on(async {
            let waited = tokio::time::timeout(
                Duration::from_millis(20),
                attention.clone().keep(|| times.set(times.get() + 1)),
            );
            waited.await.is_ok()
        });
        assert_eq!((ended, times.get()), if is_possible() { (false, 1) } else { (true, 0) });
    }
}
