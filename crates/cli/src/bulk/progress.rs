//! How far the reading is, on a terminal only.

use super::work::Watch;
use std::io::{self, IsTerminal, Write};
use std::sync::Condvar;
use std::sync::Mutex;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// How often it is told.
const EVERY: Duration = Duration::from_millis(200);

/// Tells how far the reading of `bytes` is while `work` goes on; nothing where standard error is no terminal.
pub(crate) fn during<T: Send>(bytes: u64, watch: &Watch, work: impl FnOnce() -> T + Send) -> T {
    if !io::stderr().is_terminal() {
        return work();
    }
    let done = (Mutex::new(false), Condvar::new());
    std::thread::scope(|scope| {
        scope.spawn(|| tell(bytes, watch, &done));
        let result = work();
        if let Ok(mut ended) = done.0.lock() {
            *ended = true;
        }
        done.1.notify_all();
        result
    })
}

fn tell(bytes: u64, watch: &Watch, done: &(Mutex<bool>, Condvar)) {
    let begun = Instant::now();
    let Ok(mut ended) = done.0.lock() else { return };
    let mut told = false;
    while !*ended {
        let Ok((guard, _)) = done.1.wait_timeout(ended, EVERY) else { return };
        ended = guard;
        if !*ended {
            let read = watch.read.load(Ordering::Relaxed);
            let _ = write!(io::stderr(), "\r\x1b[K{}", line(read, bytes, begun.elapsed().as_secs_f64()));
            told = true;
        }
    }
    if told {
        let _ = write!(io::stderr(), "\r\x1b[K");
    }
}

/// `[#####-----]  50%  1.2 GB/s  3 s left`
fn line(read: u64, bytes: u64, seconds: f64) -> String {
    const WIDTH: usize = 30;
    let part = (read as f64 / bytes.max(1) as f64).min(1.0);
    let full = (part * WIDTH as f64) as usize;
    let rate = read as f64 / seconds.max(0.001);
    let left = (bytes.saturating_sub(read)) as f64 / rate.max(1.0);
    let rate = match rate {
        r if r >= 1e9 => format!("{:.1} GB/s", r / 1e9),
        r => format!("{:.0} MB/s", r / 1e6),
    };
    if bytes == 0 {
        return format!("{:.0} MB  {rate}", read as f64 / 1e6);
    }
    let bar = format!("{}{}", "#".repeat(full), "-".repeat(WIDTH - full));
    format!("[{bar}] {:3.0}%  {rate}  {:.0} s left", part * 100.0, left)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_tells_how_much_how_fast_and_how_long_still() {
        assert_eq!(
            line(500_000_000, 2_000_000_000, 0.5),
            format!("[{}{}]  25%  1.0 GB/s  2 s left", "#".repeat(7), "-".repeat(23))
        );
        // Of a pipe nobody knows the end.
        assert_eq!(line(80_000_000, 0, 2.0), "80 MB  40 MB/s");
    }
}
