//! Error logs that repeat themselves, by blocks: several threads take lines apart, one takes what they say in order.
//!
//! What a line says depends on those before it only where it is not said again; so any thread may find out what it has in
//! common with others, and the answer is the same however the log was cut and whoever was quicker.

use super::lines::{LONGEST, Lines, Raw};
use super::reader::{Out, Recogniser};
use super::{said, wrapper};
use crate::{Alike, Likeness};
use memchr::{memchr, memchr_iter, memrchr};
use std::collections::VecDeque;
use std::io::{self, BufRead, Cursor, Read};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use why401_http::Moment;

/// About so large is a block: it stays in the caches of processors until its lines were told of.
const BLOCK: usize = if cfg!(test) { 1024 } else { 256 * 1024 };
/// About so long is a line of an error log.
const LINE: usize = 128;
/// So many blocks are under way for each thread.
const UNDER_WAY: usize = 3;

/// A line of a block.
struct Told {
    /// Where it ends in the block.
    end: usize,
    /// What its words have in common with others, and when they were said, if it is of an error log and looks usual.
    words: Option<(Alike, Option<Moment>)>,
}

/// Whole lines.
struct Block {
    text: Vec<u8>,
    /// Whether some thread takes it apart.
    taken: AtomicBool,
}

impl Block {
    /// Takes it apart, unless somebody does.
    fn told(&self, likeness: &Likeness) -> Option<Vec<Told>> {
        (!self.taken.swap(true, Ordering::Relaxed)).then(|| self.take_apart(likeness))
    }

    fn take_apart(&self, likeness: &Likeness) -> Vec<Told> {
        let mut start = 0;
        let rest = (!self.text.ends_with(b"\n")).then_some(self.text.len());
        // To ask an iterator how many there are would be to look for them twice.
        let mut told = Vec::with_capacity(self.text.len() / LINE);
        for end in memchr_iter(b'\n', &self.text).chain(rest) {
            let line = self.text.get(start..end).unwrap_or_default();
            let line = if let [line @ .., b'\r'] = line { line } else { line };
            told.push(Told { end, words: words(line, likeness) });
            start = end + 1;
        }
        told
    }
}

/// What the words of a line have in common with others, where [`Out::line`] would take it for a line of an error log
/// after another one, and its words for such as may be counted.
fn words(line: &[u8], likeness: &Likeness) -> Option<(Alike, Option<Moment>)> {
    if matches!(line.first()?, 0 | b'#' | b'{') || wrapper::strip(line).is_some() {
        return None;
    }
    let said = said::parse_words(line)?;
    let words = said.words(said.time)?;
    Some((likeness(&words), words.time))
}

/// A block under way, and what comes of it.
struct UnderWay {
    block: Arc<Block>,
    told: Option<Vec<Told>>,
    from_others: Receiver<Vec<Told>>,
}

type Job = (Arc<Block>, Sender<Vec<Told>>);

/// What comes next of a source.
enum Next {
    Block(Vec<u8>),
    /// A line longer than a block: its beginning.
    Long(Vec<u8>),
    /// Nothing for now.
    Pause,
    End,
}

/// Reads the rest of a log, from behind the line number `number`, which ends at `offset`.
///
/// # Errors
/// Where the source cannot be read.
pub(super) fn read(
    source: &mut dyn BufRead,
    (offset, number): (u64, u32),
    likeness: &Likeness,
    recogniser: &mut Recogniser,
    out: &mut Out<'_>,
) -> io::Result<()> {
    let threads = std::thread::available_parallelism().map_or(1, |n| n.get().min(8));
    let (jobs, to_do) = channel::<Job>();
    let to_do = Mutex::new(to_do);
    std::thread::scope(|scope| {
        for _ in 1..threads {
            scope.spawn(|| work(&to_do, likeness));
        }
        let mut reading = Reader {
            likeness,
            recogniser,
            out,
            offset,
            number,
            under_way: VecDeque::new(),
            free: Vec::new(),
        };
        // The others end when nobody can give them anything to do.
        reading.read(source, jobs, threads * UNDER_WAY)
    })
}

fn work(to_do: &Mutex<Receiver<Job>>, likeness: &Likeness) {
    loop {
        let next = to_do.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok((block, done)) = next else { return };
        if let Some(told) = block.told(likeness) {
            // Whoever reads may have ended with an error.
            let _ = done.send(told);
        }
    }
}

struct Reader<'a, 's> {
    likeness: &'a Likeness,
    recogniser: &'a mut Recogniser,
    out: &'a mut Out<'s>,
    /// Where the first block under way begins, and the line before it.
    offset: u64,
    number: u32,
    under_way: VecDeque<UnderWay>,
    /// Room of blocks that were told of.
    free: Vec<Vec<u8>>,
}

impl Reader<'_, '_> {
    fn read(&mut self, source: &mut dyn BufRead, jobs: Sender<Job>, most: usize) -> io::Result<()> {
        let mut rest = Vec::new();
        loop {
            match next(source, &mut rest, self.free.pop().unwrap_or_default())? {
                Next::Block(text) => {
                    let block = Arc::new(Block { text, taken: AtomicBool::new(false) });
                    let (done, from_others) = channel();
                    // Where nobody takes it, it is taken apart here.
                    let _ = jobs.send((Arc::clone(&block), done));
                    self.under_way.push_back(UnderWay { block, told: None, from_others });
                    if self.under_way.len() >= most {
                        self.tell();
                    }
                }
                Next::Long(begin) => {
                    self.tell_all();
                    let mut whole = Cursor::new(begin).chain(&mut *source);
                    let mut lines = Lines::behind(&mut whole, (self.offset, self.number));
                    if let Some(raw) = lines.next()? {
                        self.out.line(raw, self.recogniser);
                    }
                    (self.offset, self.number) = lines.place();
                }
                Next::Pause => {
                    self.tell_all();
                    // The beginning of a line may carry on what was said.
                    if rest.is_empty() {
                        self.out.flush();
                    }
                }
                Next::End => {
                    self.tell_all();
                    return Ok(());
                }
            }
        }
    }

    fn tell_all(&mut self) {
        while !self.under_way.is_empty() {
            self.tell();
        }
    }

    /// Tells of the first block under way. While another thread takes it apart, there are others.
    fn tell(&mut self) {
        let Some(mut first) = self.under_way.pop_front() else { return };
        first.told = first.told.or_else(|| first.block.told(self.likeness));
        if first.told.is_none() {
            let mut others = self.under_way.iter_mut().filter(|other| other.told.is_none());
            others.find_map(|other| {
                other.told = other.block.told(self.likeness);
                other.told.as_ref().map(|_| ())
            });
        }
        let told = first.told.or_else(|| first.from_others.recv().ok());
        let told = told.unwrap_or_else(|| first.block.take_apart(self.likeness));
        let mut start = 0;
        for Told { end, words } in told {
            self.number = self.number.saturating_add(1);
            if !words.is_some_and(|(alike, time)| self.out.repeats(&alike, time, self.recogniser)) {
                let line = first.block.text.get(start..end).unwrap_or_default();
                let bytes = line.strip_suffix(b"\r").unwrap_or(line);
                let offset = self.offset + start as u64;
                self.out.line(Raw { bytes, offset, number: self.number, cut_from: None }, self.recogniser);
            }
            start = end + 1;
        }
        self.offset += first.block.text.len() as u64;
        if let Ok(Block { mut text, .. }) = Arc::try_unwrap(first.block) {
            text.clear();
            self.free.push(text);
        }
    }
}

/// The next lines of a source, as far as they come whole; `rest` is the beginning of a line that was read before.
fn next(source: &mut dyn BufRead, rest: &mut Vec<u8>, mut block: Vec<u8>) -> io::Result<Next> {
    block.append(rest);
    let mut has_line = false;
    while !(has_line && block.len() >= BLOCK) {
        let piece = match source.fill_buf() {
            Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
            Err(e) if e.kind() == io::ErrorKind::WouldBlock && has_line => break,
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => {
                *rest = block;
                return Ok(Next::Pause);
            }
            piece => piece?,
        };
        if piece.is_empty() {
            return Ok(if block.is_empty() { Next::End } else { Next::Block(block) });
        }
        let piece = piece.get(..BLOCK).unwrap_or(piece);
        has_line |= memchr(b'\n', piece).is_some();
        block.extend_from_slice(piece);
        let taken = piece.len();
        source.consume(taken);
        if !has_line && block.len() > LONGEST / 2 {
            return Ok(Next::Long(block));
        }
    }
    let whole = memrchr(b'\n', &block).map_or(block.len(), |at| at + 1);
    rest.extend_from_slice(block.get(whole..).unwrap_or_default());
    block.truncate(whole);
    Ok(Next::Block(block))
}

#[cfg(test)]
#[allow(clippy::indexing_slicing, reason = "in a test a panic is the report")]
mod tests {
    use crate::{Alike, Input, Likeness, Sink};
    use proptest::prelude::*;
    use std::collections::HashMap;
    use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
    use std::io::BufReader;
    use std::sync::Arc;
    use why401_http::{Exchange, Fact, Moment, Statement, Words};
    use why401_report::Problem;
    use why401_span::{LayerId, SourceId};

    fn alike(words: &Words<'_>) -> Alike {
        let of = BuildHasherDefault::<DefaultHasher>::default();
        [of.hash_one((words.text, words.client, words.user)), 0, 0, 0]
    }

    /// Keeps all that it is told, in order, and counts what is said again.
    #[derive(Default)]
    struct Heard {
        by_blocks: bool,
        known: HashMap<u64, usize>,
        told: Vec<String>,
    }

    impl Sink for Heard {
        fn exchange(&mut self, exchange: Exchange) {
            self.told.push(format!("{exchange:?}"));
        }
        fn statement(&mut self, statement: Statement) {
            self.known.insert(alike(&statement.words())[0], self.told.len());
            self.told.push(format!("{statement:?}"));
        }
        fn repeated(&mut self, words: &Words<'_>) -> bool {
            self.repeated_alike(&alike(words), words.time)
        }
        fn likeness(&self) -> Option<Likeness> {
            self.by_blocks.then(|| Arc::new(alike) as Likeness)
        }
        fn repeated_alike(&mut self, alike: &Alike, time: Option<Moment>) -> bool {
            let known = self.known.get(&alike[0]);
            if let Some(at) = known {
                self.told.push(format!("again {at} {time:?}"));
            }
            known.is_some()
        }
        fn fact(&mut self, fact: Fact) {
            self.told.push(format!("{fact:?}"));
        }
        fn problem(&mut self, problem: Problem) {
            self.told.push(format!("{problem:?}"));
        }
        fn layer(&mut self, _: String) -> LayerId {
            LayerId(0)
        }
    }

    fn told(log: &[u8], piece: usize, by_blocks: bool) -> Vec<String> {
        let mut heard = Heard { by_blocks, ..Heard::default() };
        let mut bytes = BufReader::with_capacity(piece, log);
        let input = Input { source: SourceId(0), bytes: &mut bytes, log_format: None, keys: &[] };
        crate::logs::reader::read(input, &mut heard).unwrap();
        heard.told
    }

    const AGAIN: &str = "[Sun Nov 22 17:15:23 2026] [auth_basic:error] [pid 1] [client 192.0.2.1:5] AH01618: user bob not found: /";

    fn line() -> impl Strategy<Value = String> {
        let apache = (0..60u32, 0..3u32, "[a-c\\\\]{1,2}").prop_map(|(second, client, user)| {
            format!("[Sun Nov 22 17:15:{second:02} 2026] [auth_basic:error] [pid 1] [client 192.0.2.{client}:5{second}] AH01618: user {user} not found: /\n")
        });
        let nginx = (0..60u32, 0..3u32, 0..9u32).prop_map(|(second, client, id)| {
            format!("2026/11/22 17:15:{second:02} [error] 7#7: *{id} user \"a\": password mismatch, client: 192.0.2.{client}, server: , request: \"GET / HTTP/1.1\"\r\n")
        });
        let others = prop_oneof![
            Just("\n".to_owned()),
            Just("\0\0[Sun Nov 22 17:15:23 2026] [core:error] [pid 1] x\n".to_owned()),
            Just("#Fields: date time\n".to_owned()),
            Just("  at Some.Method(File.java:12)\n".to_owned()),
            Just("<34>Oct 11 22:14:15 host app[12]: text\n".to_owned()),
            Just(
                "{\"log\":\"text\\n\",\"stream\":\"stdout\",\"time\":\"2026-11-22T17:14:41.123Z\"}\n"
                    .to_owned()
            ),
            Just("192.0.2.1 - - [22/Nov/2026:17:14:41 +0000] \"GET / HTTP/1.1\" 401 179\n".to_owned()),
            Just("2026/11/22 17:15:13 [debug] 7#7: *3 http header done, client: 192.0.2.1\n".to_owned()),
            (1000..3000usize).prop_map(|n| format!("{}\n", "x".repeat(n))),
            "[ -~]{0,30}\n",
        ];
        prop_oneof![6 => apache, 4 => nginx, 3 => others, 3 => Just(format!("{AGAIN}\n"))]
    }

    proptest! {
        #[test]
        fn the_answer_is_that_of_reading_line_by_line(lines in proptest::collection::vec(line(), 0..200), piece in 1..3000usize, cut in 0..100usize) {
            // As many that say the same as it takes to be read by blocks.
            let mut log = format!("{AGAIN}\n").repeat(24) + &lines.concat();
            log.truncate(log.len() - cut);
            prop_assert_eq!(told(log.as_bytes(), piece, true), told(log.as_bytes(), 4096, false));
        }
    }

    #[test]
    fn a_line_longer_than_a_block_loses_nothing_behind_it() {
        let mut log = format!("{AGAIN}\n").repeat(24).into_bytes();
        log.extend(std::iter::repeat_n(b'y', 3 * super::LONGEST));
        log.extend(format!("\n{AGAIN}\n{AGAIN} x\n").into_bytes());
        let by_blocks = told(&log, 300_000, true);
        assert!(by_blocks.len() > 20 && by_blocks == told(&log, 4096, false));
    }
}
