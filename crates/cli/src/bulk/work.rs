//! Threads that read logs and fold what they read.

use super::choose::Log;
use super::file::block;
use super::pipe::Pipe;
use super::share::{Job, Share, Stretch};
use super::stream::{Blocks, Lines};
use std::hash::BuildHasher;
use std::io::{self, Read};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use why401_fold::{Part, Parts, Seed, Told};
use why401_read::Plain;
use why401_read::bulk::{Filter, Scanner};

/// How far the reading is, for who watches it, and whether it shall stop.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    /// Bytes of the files that were read.
    pub(crate) read: AtomicU64,
    /// Whether to stop here and say what is known.
    stop: Arc<AtomicBool>,
}

impl Watch {
    /// One that an interrupt stops; a second interrupt ends the program.
    pub(crate) fn interruptible() -> Watch {
        use signal_hook::consts::SIGINT;
        use signal_hook::flag::{register, register_conditional_shutdown};
        let watch = Watch::default();
        // Where no handler can be set, an interrupt ends the program as ever.
        let _ = register_conditional_shutdown(SIGINT, 130, Arc::clone(&watch.stop))
            .and_then(|_| register(SIGINT, Arc::clone(&watch.stop)));
        watch
    }

    /// What is set when it shall stop.
    pub(crate) fn stop(self) -> Arc<AtomicBool> {
        self.stop
    }

    pub(crate) fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}

/// What the logs say together, and what could not be read of each.
pub(crate) struct Folded {
    pub(crate) told: Told,
    /// By position in order of time: where, and why.
    pub(crate) faults: Vec<(usize, u64, String)>,
    /// Bytes of standard input.
    pub(crate) piped: u64,
    /// What keys were made with.
    pub(crate) seed: Seed,
}

/// Reads all logs, given in order of time; standard input, where it is one of them, from `pipe`.
pub(crate) fn fold(logs: &[Log<'_>], pipe: Option<Pipe>, filter: &Filter, watch: &Watch) -> Folded {
    let job = |(order, log): (usize, &Log<'_>)| Job {
        order,
        start: 0,
        end: log.size,
        divisible: log.is_divisible(),
    };
    let work = Work {
        logs,
        before: 0,
        keeps_text: false,
        filter,
        watch,
        share: Share::new(logs.iter().enumerate().map(job)),
        seed: Seed(std::hash::RandomState::new().hash_one(logs.len())),
        parts: Mutex::default(),
        faults: Mutex::default(),
        pipe: Mutex::new(pipe.map(|pipe| pipe.until(&watch.stop))),
        piped: AtomicU64::new(0),
    };
    let threads = std::thread::available_parallelism().map_or(1, |n| n.get().min(16));
    std::thread::scope(|scope| {
        for _ in 1..threads {
            scope.spawn(|| work.run());
        }
        work.run();
    });
    let parts = work.parts.into_inner().unwrap_or_else(PoisonError::into_inner);
    let faults = work.faults.into_inner().unwrap_or_else(PoisonError::into_inner);
    Folded { told: parts.finish(), faults, piped: work.piped.into_inner(), seed: work.seed }
}

/// Reads a stretch of a log, the one at `source` in order of time, on one thread, and keeps the lines that matter; what
/// could not be read, and where.
pub(crate) fn fold_split(
    log: &Log<'_>,
    source: u32,
    (start, end): (u64, u64),
    filter: &Filter,
    seed: Seed,
) -> (Parts, Vec<(u64, String)>) {
    let watch = Watch::default();
    let job = Job { order: 0, start, end, divisible: log.is_divisible() };
    let work = Work {
        logs: std::slice::from_ref(log),
        before: source as usize,
        keeps_text: true,
        filter,
        watch: &watch,
        share: Share::new([job]),
        seed,
        parts: Mutex::default(),
        faults: Mutex::default(),
        pipe: Mutex::default(),
        piped: AtomicU64::new(0),
    };
    work.run();
    let faults = work.faults.into_inner().unwrap_or_else(PoisonError::into_inner);
    let faults = faults.into_iter().map(|(_, at, what)| (at, what)).collect();
    (work.parts.into_inner().unwrap_or_else(PoisonError::into_inner), faults)
}

struct Work<'a> {
    logs: &'a [Log<'a>],
    /// How many logs come before these in order of time.
    before: usize,
    /// Whether lines are kept that could be read again.
    keeps_text: bool,
    filter: &'a Filter,
    watch: &'a Watch,
    share: Share,
    seed: Seed,
    parts: Mutex<Parts>,
    faults: Mutex<Vec<(usize, u64, String)>>,
    pipe: Mutex<Option<Pipe>>,
    piped: AtomicU64,
}

impl Work<'_> {
    fn run(&self) {
        let mut buffer = Vec::new();
        while let Some(stretch) = self.share.begin() {
            let Some(log) = self.logs.get(stretch.order) else { continue };
            let read = match stretch.whole {
                true => self.stream(log, stretch),
                false => self.stretch(log, stretch, &mut buffer),
            };
            match read {
                Ok(part) => self.parts.lock().unwrap_or_else(PoisonError::into_inner).insert(part),
                Err((at, error)) => self.fault(stretch.order, at, error.to_string()),
            }
        }
    }

    fn fault(&self, order: usize, at: u64, what: String) {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner).push((order, at, what));
    }

    fn part(&self, order: usize, offset: u64, keeps_text: bool) -> Part {
        let source = u32::try_from(self.before + order).unwrap_or(u32::MAX);
        Part::new(self.seed, source, offset, keeps_text)
    }

    /// Reads a stretch of a log that lies there as it is.
    fn stretch(
        &self,
        log: &Log<'_>,
        stretch: Stretch,
        buffer: &mut Vec<u8>,
    ) -> Result<Part, (u64, io::Error)> {
        let file = log.origin.open().map_err(|e| (stretch.start, e))?;
        let mut scanner = log.bulk.scanner(self.filter);
        let mut part: Option<Part> = None;
        let keep = self.keeps_text;
        let mut lines = 0;
        while let Some(range) = self.share.next(stretch) {
            if self.watch.is_stopped() {
                break;
            }
            let read = block(&file, range, log.size, buffer).map_err(|e| (range.0, e))?;
            self.watch.read.fetch_add(range.1 - range.0, Ordering::Relaxed);
            let Some(block) = read else { continue };
            let part = part.get_or_insert_with(|| self.part(stretch.order, block.start, keep));
            let text = buffer.get(block.lines.clone()).unwrap_or_default();
            let mut added = scanner.block(text, block.start, lines, keep, part).lines;
            if let Some((kept, from)) = &block.long {
                added += self.long(&mut scanner, kept, *from, lines + added, keep, part);
            }
            lines = lines.saturating_add(added);
            part.advance(block.end, u64::from(added));
        }
        let mut part = part.unwrap_or_else(|| self.part(stretch.order, stretch.start, keep));
        if self.share.end(stretch) == log.size {
            part.close();
        }
        Ok(part)
    }

    /// Reads a log from its front to its end.
    fn stream(&self, log: &Log<'_>, stretch: Stretch) -> Result<Part, (u64, io::Error)> {
        let pipe = self.pipe.lock().unwrap_or_else(PoisonError::into_inner).take_if(|_| log.is_piped());
        let keep = self.keeps_text || pipe.is_some() || log.coding.is_some();
        let piped = pipe.is_some().then_some(&self.piped);
        let from: Box<dyn Read + '_> = match pipe {
            Some(pipe) => Box::new(pipe),
            None => log.origin.open().map_err(|e| (0, e))?.into_reader(),
        };
        let file = Watched { from, read: &self.watch.read, piped };
        let mut part = self.part(stretch.order, 0, keep);
        let mut scanner = log.bulk.scanner(self.filter);
        match log.coding {
            Some(coding) => {
                let mut blocks = Blocks::new(Plain::new(coding, file).map_err(|e| (0, e))?);
                self.blocks(&mut blocks, &mut scanner, keep, &mut part).map_err(|e| (0, e))?;
                if let Some((at, what)) = blocks.source().fault() {
                    self.fault(stretch.order, at, what);
                }
            }
            None => {
                let mut blocks = Blocks::new(file);
                self.blocks(&mut blocks, &mut scanner, keep, &mut part).map_err(|e| (0, e))?;
            }
        }
        part.close();
        Ok(part)
    }

    fn blocks<R: Read>(
        &self,
        blocks: &mut Blocks<R>,
        scanner: &mut Scanner,
        keep: bool,
        part: &mut Part,
    ) -> io::Result<()> {
        let mut lines = 0u32;
        while !self.watch.is_stopped() {
            let added = match blocks.next()? {
                None => break,
                Some(Lines::Whole(text, offset)) => scanner.block(text, offset, lines, keep, part).lines,
                Some(Lines::Long(kept, offset)) => self.long(scanner, &kept, offset, lines, keep, part),
            };
            lines = lines.saturating_add(added);
            part.advance(blocks.position(), u64::from(added));
        }
        Ok(())
    }

    /// Reads what is kept of a very long line.
    fn long(
        &self,
        scanner: &mut Scanner,
        kept: &[u8],
        at: u64,
        lines: u32,
        keep: bool,
        part: &mut Part,
    ) -> u32 {
        let kept = kept.trim_ascii_end();
        scanner.block(kept, at, lines, keep, part).lines.max(1)
    }
}

/// A source whose reading is watched.
struct Watched<'a> {
    from: Box<dyn Read + 'a>,
    read: &'a AtomicU64,
    piped: Option<&'a AtomicU64>,
}

impl Read for Watched<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.from.read(into)?;
        for counter in [Some(self.read), self.piped].into_iter().flatten() {
            counter.fetch_add(count as u64, Ordering::Relaxed);
        }
        Ok(count)
    }
}
