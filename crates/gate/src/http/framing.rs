//! How long content is, and taking it apart piece by piece (RFC 9112 sections 6 and 7).

use super::head::Bad;
use super::trailers::Trailers;

/// How the end of content is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Framing {
    /// There is none.
    None,
    /// By its length.
    Length(u64),
    /// By the chunk of size 0.
    Chunked,
    /// By the end of the connection; responses only.
    Close,
}

impl Framing {
    /// Content of that length.
    pub(crate) fn length(length: u64) -> Framing {
        if length == 0 { Framing::None } else { Framing::Length(length) }
    }
}

/// Takes content out of what arrives. Chunks are strict: digits, CR LF and nothing else; extensions are dropped.
#[derive(Debug, Clone)]
pub(crate) struct Content {
    state: State,
    /// The trailer section as far as it has come.
    section: Vec<u8>,
    trailers: Trailers,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Length(u64),
    Size,
    Data(u64),
    DataEnd,
    Trailers,
    Close,
    Done,
}

/// The longest line of a chunk's size with its extensions, and the longest trailer section, in bytes.
const LINE: usize = 256;
const TRAILERS: usize = 8192;

impl Content {
    /// Content of that framing.
    pub(crate) fn new(framing: Framing) -> Content {
        Content {
            state: match framing {
                Framing::None => State::Done,
                Framing::Length(length) => State::Length(length),
                Framing::Chunked => State::Size,
                Framing::Close => State::Close,
            },
            section: Vec::new(),
            trailers: Trailers::default(),
        }
    }

    /// The trailers, once all has been taken.
    pub(crate) fn trailers(&self) -> &Trailers {
        &self.trailers
    }

    /// Whether all of it has been taken.
    pub(crate) fn is_done(&self) -> bool {
        self.state == State::Done
    }

    /// The connection has ended: whether that is the end of the content too.
    pub(crate) fn may_end(&self) -> bool {
        matches!(self.state, State::Done | State::Close)
    }

    /// Moves content from the front of `input` to the end of `out`; what is left in `input` is either not content any more
    /// or not yet complete.
    pub(crate) fn take(&mut self, input: &mut Vec<u8>, out: &mut Vec<u8>) -> Result<(), Bad> {
        let mut at = 0;
        let result = self.step(input, &mut at, out);
        if at >= input.len() {
            input.clear();
        } else if at > 0 {
            input.drain(..at);
        }
        result
    }

    fn step(&mut self, input: &[u8], at: &mut usize, out: &mut Vec<u8>) -> Result<(), Bad> {
        const BAD: Bad = Bad::new(400, "a chunk is malformed");
        loop {
            let rest = input.get(*at..).unwrap_or_default();
            match self.state {
                State::Done => return Ok(()),
                State::Close => {
                    out.extend_from_slice(rest);
                    *at = input.len();
                    return Ok(());
                }
                State::Length(left) | State::Data(left) => {
                    let piece = rest.get(..rest.len().min(usize::try_from(left).unwrap_or(usize::MAX)));
                    let piece = piece.unwrap_or_default();
                    out.extend_from_slice(piece);
                    *at += piece.len();
                    let left = left - piece.len() as u64;
                    let chunked = matches!(self.state, State::Data(_));
                    self.state = match (left, chunked) {
                        (0, true) => State::DataEnd,
                        (0, false) => State::Done,
                        (left, true) => State::Data(left),
                        (left, false) => State::Length(left),
                    };
                    if left > 0 {
                        return Ok(());
                    }
                }
                State::DataEnd => match rest {
                    [b'\r', b'\n', ..] => {
                        *at += 2;
                        self.state = State::Size;
                    }
                    [] | [b'\r'] => return Ok(()),
                    _ => return Err(BAD),
                },
                State::Size => {
                    let Some(line) = line(rest, LINE).map_err(|()| BAD)? else { return Ok(()) };
                    *at += line.len() + 2;
                    let digits = line.split(|b| *b == b';').next().unwrap_or_default();
                    let behind = line.get(digits.len()..).unwrap_or_default();
                    // White space before an extension is what servers differ in.
                    let size = std::str::from_utf8(digits).ok().filter(|d| (1..=15).contains(&d.len()));
                    let size = size.filter(|d| d.bytes().all(|b| b.is_ascii_hexdigit()));
                    let size = size.and_then(|d| u64::from_str_radix(d, 16).ok()).ok_or(BAD)?;
                    if behind.iter().any(|b| *b < 0x20 && *b != b'\t') {
                        return Err(BAD);
                    }
                    self.state = if size == 0 { State::Trailers } else { State::Data(size) };
                }
                State::Trailers => {
                    let Some(line) = line(rest, TRAILERS).map_err(|()| BAD)? else { return Ok(()) };
                    *at += line.len() + 2;
                    self.section.extend_from_slice(line);
                    self.section.extend_from_slice(b"\r\n");
                    if self.section.len() > TRAILERS {
                        return Err(Bad::new(431, "the trailer section is too large"));
                    }
                    if line.is_empty() {
                        self.state = State::Done;
                        self.trailers = Trailers::read(&std::mem::take(&mut self.section))?;
                    }
                }
            }
        }
    }
}

/// A complete line without its CR LF; `Ok(None)` while it is not complete.
fn line(bytes: &[u8], most: usize) -> Result<Option<&[u8]>, ()> {
    match memchr::memchr(b'\n', bytes) {
        Some(end) if end > most => Err(()),
        Some(end) => match bytes.get(..end).and_then(|l| l.strip_suffix(b"\r")) {
            Some(line) if !line.contains(&b'\r') => Ok(Some(line)),
            _ => Err(()),
        },
        None if bytes.len() > most => Err(()),
        None => Ok(None),
    }
}

/// Adds a chunk to `out`.
pub(crate) fn chunk(piece: &[u8], out: &mut Vec<u8>) {
    if !piece.is_empty() {
        out.extend_from_slice(format!("{:x}\r\n", piece.len()).as_bytes());
        out.extend_from_slice(piece);
        out.extend_from_slice(b"\r\n");
    }
}

/// Adds the last chunk to `out`.
pub(crate) fn last(trailers: &Trailers, out: &mut Vec<u8>) {
    out.extend_from_slice(b"0\r\n");
    for (name, value) in trailers.fields() {
        out.extend_from_slice(name.as_bytes());
        out.extend_from_slice(b": ");
        out.extend_from_slice(value);
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(b"\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(bytes: &[u8], step: usize) -> Result<(Vec<u8>, bool, Vec<u8>), u16> {
        let (mut content, mut input, mut out) = (Content::new(Framing::Chunked), Vec::new(), Vec::new());
        for piece in bytes.chunks(step) {
            input.extend_from_slice(piece);
            content.take(&mut input, &mut out).map_err(|b| b.status)?;
        }
        Ok((out, content.is_done(), input))
    }

    #[test]
    fn chunks_are_joined_however_they_arrive() {
        for step in 1..40 {
            let bytes = b"3;x=y\r\nabc\r\n2\r\nde\r\n0\r\nTrailer: x\r\n\r\nGET";
            assert_eq!(read(bytes, step), Ok((b"abcde".to_vec(), true, b"GET".to_vec())), "{step}");
        }
    }

    #[test]
    fn bad_chunks_are_refused() {
        for bytes in [
            &b"3\nabc\r\n0\r\n\r\n"[..],
            b"+3\r\nabc\r\n",
            b"0x3\r\nabc\r\n",
            b" 3\r\nabc\r\n",
            b"3 \r\nabc\r\n",
            b"3\r\nabcd\r\n",
            b"\r\n",
            b"ffffffffffffffffff\r\n",
            b"-1\r\n",
            b"3\rx\r\nabc\r\n",
        ] {
            assert_eq!(read(bytes, 64), Err(400), "{}", String::from_utf8_lossy(bytes));
        }
        assert_eq!(read(&[b'1'; 300], 64), Err(400));
    }

    proptest! {
        #[test]
        fn what_was_chunked_is_read_again(pieces in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..50), 0..8), step in 1usize..30) {
            let mut bytes = Vec::new();
            pieces.iter().for_each(|p| chunk(p, &mut bytes));
            last(&Trailers::default(), &mut bytes);
            prop_assert_eq!(read(&bytes, step), Ok((pieces.concat(), true, Vec::new())));
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300), step in 1usize..30) {
            let _ = read(&bytes, step);
        }
    }
}
