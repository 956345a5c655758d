//! HAR 1.2 (<http://www.softwareishard.com/blog/har-12-spec/>) as browsers, proxies and clients write it, read as a
//! stream: one entry at a time, whatever the size of the whole.
//!
//! The outer shape does not matter: an object with `log`, a bare list of entries, a single entry, or any of them
//! inside something else.

mod entry;
mod exchange;
mod json;
mod recorder;

use self::entry::{Entry, Message};
use self::json::{Json, Stop};
use self::recorder::{Recorder, Seen};
use crate::{Format, Input, Sink};
use std::io;
use why401_http::{Exchange, Shows, Statement};
use why401_report::Problem;
use why401_span::SourceId;

/// HTTP archives.
pub(crate) const HAR: Format = Format { name: "har", fits, read };

/// How deep entries may be hidden in other objects.
const DEPTH: usize = 12;
/// How many exchanges, and how many bytes of them, are held back until it is known what the HAR shows.
const HELD: usize = 2000;
const HELD_BYTES: usize = 24 * 1024 * 1024;
/// How many problems are named.
const PROBLEMS: u32 = 20;

fn fits(head: &[u8]) -> u8 {
    let head = head.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(head).trim_ascii_start();
    if !head.starts_with(b"{") && !head.starts_with(b"[") {
        return 0;
    }
    let has = |key: &str| memchr::memmem::find(head, key.as_bytes()).is_some();
    let log = has("\"log\"") && (has("\"entries\"") || has("\"creator\""));
    let entry =
        has("\"request\"") && (has("\"startedDateTime\"") || has("\"response\"") && has("\"headers\""));
    match (log, entry) {
        (true, true) => 98,
        (true, false) => 92,
        (false, true) => 91,
        (false, false) => 0,
    }
}

fn read(input: Input<'_>, sink: &mut dyn Sink) -> io::Result<()> {
    let source = input.source;
    let mut reader = Reader {
        json: Json::new(input.bytes, source),
        out: Out {
            source,
            sink,
            index: 0,
            seen: Seen::default(),
            held: Vec::new(),
            held_bytes: 0,
            settled: false,
        },
        first_key: None,
    };
    let result = reader.document();
    reader.out.release();
    result
}

struct Reader<'r, 's> {
    json: Json<'r>,
    out: Out<'s>,
    /// The key that entries of this HAR begin with: where to go on after a fault.
    first_key: Option<String>,
}

impl Reader<'_, '_> {
    /// Reads values until the end. After a fault it goes on at the next entry.
    fn document(&mut self) -> io::Result<()> {
        let mut faults = 0;
        loop {
            match self.next_value() {
                Ok(true) => {}
                Ok(false) => return Ok(()),
                Err(Stop::Io(error)) => return Err(error),
                Err(Stop::End) => {
                    self.problem("the file ends in the middle: the export was cut off".to_owned());
                    return Ok(());
                }
                Err(Stop::Unexpected(byte)) => {
                    faults += 1;
                    if faults <= PROBLEMS {
                        self.problem(format!("no JSON: unexpected '{}'", byte.escape_ascii()));
                    }
                    let key = self.first_key.clone().unwrap_or_else(|| "request".to_owned());
                    if !self.json.find_key(&key)? {
                        return Ok(());
                    }
                    if let Err(Stop::Io(error)) = self.members(Some(key), 0) {
                        return Err(error);
                    }
                }
            }
        }
    }

    /// One value at the top; closing brackets that a fault left over are passed over. False at the end.
    fn next_value(&mut self) -> Result<bool, Stop> {
        match self.json.peek()? {
            None => Ok(false),
            Some(b'}' | b']') => {
                self.json.pass();
                Ok(true)
            }
            Some(_) => self.value(0).map(|()| true),
        }
    }

    fn value(&mut self, depth: usize) -> Result<(), Stop> {
        match self.json.expect()? {
            b'{' if depth < DEPTH => {
                self.json.pass();
                self.members(None, depth)
            }
            b'[' if depth < DEPTH => {
                self.json.pass();
                while !self.json.eat(b']')? {
                    self.value(depth + 1)?;
                }
                Ok(())
            }
            _ => self.json.skip(),
        }
    }

    /// The members of an object behind its brace (or behind its first key), which may be an entry.
    fn members(&mut self, first: Option<String>, depth: usize) -> Result<(), Stop> {
        let mut entry = Entry::default();
        let mut name = first.clone();
        let result = self.fill(&mut entry, first, depth, &mut name);
        entry.complete = result.is_ok();
        if entry.is_some() {
            self.first_key = self.first_key.take().or(name);
            self.out.entry(entry);
        }
        result
    }

    fn fill(
        &mut self,
        entry: &mut Entry,
        first: Option<String>,
        depth: usize,
        name: &mut Option<String>,
    ) -> Result<(), Stop> {
        let mut next = first;
        loop {
            let key = match next.take() {
                Some(key) => key,
                None => match self.json.key()? {
                    Some(key) => key,
                    None => return Ok(()),
                },
            };
            name.get_or_insert_with(|| key.clone());
            if matches!(key.as_str(), "creator" | "browser") && self.json.expect()? == b'{' {
                self.recorder()?;
            } else if !entry.member(&key, &mut self.json)? {
                if entry.is_some() || key == "pages" {
                    self.json.skip()?;
                } else {
                    self.value(depth + 1)?;
                }
            }
        }
    }

    /// `creator` says who wrote it; `browser` counts where that is no name known here.
    fn recorder(&mut self) -> Result<(), Stop> {
        self.json.pass();
        while let Some(key) = self.json.key()? {
            let value = self.json.scalar(200)?.value;
            if key == "name" && self.out.seen.recorder == Recorder::Unknown {
                self.out.seen.recorder = Recorder::of(&value.to_text());
            }
        }
        Ok(())
    }

    fn problem(&mut self, what: String) {
        let (offset, line) = self.json.place();
        self.out.sink.problem(Problem { offset, line: Some(line), what });
    }
}

/// An exchange that waits until it is known what the HAR shows.
struct Held {
    exchange: Exchange,
    said: Option<Statement>,
    /// Whether its list of fields is the one that was sent.
    has_host: bool,
}

struct Out<'s> {
    source: SourceId,
    sink: &'s mut dyn Sink,
    index: u64,
    seen: Seen,
    held: Vec<Held>,
    held_bytes: usize,
    settled: bool,
}

impl Out<'_> {
    fn entry(&mut self, entry: Entry) {
        self.seen.note(&entry);
        let has_host = has_host(entry.request.as_ref());
        let (exchange, said) = exchange::exchange(entry, self.source, self.index, self.seen.recorder);
        self.index += 1;
        self.held_bytes += size(&exchange);
        self.held.push(Held { exchange, said, has_host });
        if self.settled || self.seen.is_settled() || self.held.len() >= HELD || self.held_bytes >= HELD_BYTES
        {
            self.settled = true;
            self.release();
        }
    }

    fn release(&mut self) {
        for Held { mut exchange, said, has_host } in self.held.drain(..) {
            exchange.shows = shows(&self.seen, &exchange, has_host);
            self.sink.exchange(exchange);
            if let Some(said) = said {
                self.sink.statement(said);
            }
        }
        self.held_bytes = 0;
    }
}

fn has_host(request: Option<&Message>) -> bool {
    request.is_some_and(|r| r.fields.has("host") || r.fields.has(":authority"))
}

fn shows(seen: &Seen, exchange: &Exchange, has_host: bool) -> Shows {
    let mut shows = seen.shows(has_host);
    if let Some(request) = &exchange.request {
        shows.request_fields &= request.complete;
        shows.authorization &= request.complete;
        shows.cookies &= request.complete;
    }
    // Where the browser hid a failed exchange from itself, nothing of the answer is shown.
    let response = exchange.response.as_ref();
    shows.response_fields = response.is_some_and(|r| r.status != 0);
    shows.body = response.is_some_and(|r| !r.body.bytes.is_empty() || r.body.complete);
    shows
}

/// About how many bytes of memory an exchange takes.
fn size(exchange: &Exchange) -> usize {
    let fields = |f: &why401_http::Fields| f.iter().map(|f| f.value.len() + 300).sum::<usize>();
    let request = exchange.request.as_ref().map_or(0, |r| fields(&r.fields) + 2 * r.body.bytes.len());
    // A refusal's text is in pieces, one or two an escape.
    let pieces = exchange.status().is_none_or(|s| !(200..400).contains(&s));
    let times = if pieces { 24 } else { 2 };
    let response = exchange.response.as_ref().map_or(0, |r| fields(&r.fields) + times * r.body.bytes.len());
    2000 + request + response
}
