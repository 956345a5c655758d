//! HTTP/1.1 by hand: every byte of an answer is the lab's own, so that it can break what a library would mend.

use crate::lab::{Lab, Session};
use crate::message::{Answer, Below, Request, reason};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::watch;
use tokio::time::timeout;

/// The largest head of a request, in bytes.
pub(crate) const HEAD_LIMIT: usize = 64 * 1024;
/// The largest content of a request, in bytes.
pub(crate) const BODY_LIMIT: usize = 1024 * 1024;
/// How long a connection may be idle, or a request may take to arrive.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);
/// How many fields a request may have.
const FIELDS: usize = 128;

/// Serves a connection until it is closed, broken, idle for too long, or the lab ends.
pub(crate) async fn serve<S: AsyncRead + AsyncWrite + Unpin>(
    mut stream: S,
    lab: &Lab,
    below: &Below,
    mut ending: watch::Receiver<bool>,
) {
    let mut session = Session::default();
    let mut buffer = Vec::new();
    loop {
        let read = tokio::select! {
            read = timeout(PATIENCE, next(&mut stream, &mut buffer, below)) => read,
            _ = ending.changed() => return,
        };
        let (answer, request, keep) = match read {
            Ok(Ok(Some((request, keep)))) => (lab.answer(&request, &mut session), Some(request), keep),
            Ok(Ok(None)) => return,
            Ok(Err(status)) => (Answer::text(status, format!("{}\n", reason(status))), None, false),
            // Silence between two requests is no mistake; a request that stops half-way is.
            Err(_) if buffer.is_empty() => return,
            Err(_) => (Answer::text(408, "the request took too long\n"), None, false),
        };
        let is_head = request.as_ref().is_some_and(|r| r.method == "HEAD");
        let keep = keep && !answer.close && !*ending.borrow();
        let bytes = write(&answer, is_head, keep);
        if let Some(request) = &request {
            lab.log(request, &answer, bytes.len());
        }
        let sent = timeout(PATIENCE, async {
            stream.write_all(&bytes).await?;
            stream.flush().await
        });
        if !matches!(sent.await, Ok(Ok(()))) || !keep {
            let _ = timeout(Duration::from_secs(2), stream.shutdown()).await;
            return;
        }
    }
}

/// The next request and whether the connection may go on; `None` at its end; the status to refuse it with.
async fn next<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    buffer: &mut Vec<u8>,
    below: &Below,
) -> Result<Option<(Request, bool)>, u16> {
    // What was searched before is not searched again, however slowly the head drips in.
    let mut searched: usize = 0;
    let head = loop {
        let from = searched.saturating_sub(3);
        match find(buffer.get(from..).unwrap_or_default(), b"\r\n\r\n") {
            Some(end) if from + end <= HEAD_LIMIT => break from + end + 4,
            None if buffer.len() <= HEAD_LIMIT => {}
            _ => return Err(431),
        }
        searched = buffer.len();
        if !fill(stream, buffer).await {
            return if buffer.is_empty() { Ok(None) } else { Err(400) };
        }
    };
    let mut request = parse(buffer.get(..head).unwrap_or_default(), below)?;
    let wants_continue = request.field("expect").is_some_and(|e| e.eq_ignore_ascii_case("100-continue"));
    if wants_continue && stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await.is_err() {
        return Ok(None);
    }
    buffer.drain(..head);
    let chunked = request.field("transfer-encoding");
    let lengths = request.values("content-length");
    match (chunked, lengths.as_slice()) {
        (None, []) => {}
        (None, [length]) => {
            let length = std::str::from_utf8(length)
                .ok()
                .and_then(|t| t.trim().parse::<usize>().ok())
                .ok_or(400u16)?;
            if length > BODY_LIMIT {
                return Err(413);
            }
            while buffer.len() < length {
                if !fill(stream, buffer).await {
                    return Err(400);
                }
            }
            request.body = buffer.drain(..length).collect();
        }
        (Some(coding), []) if coding.eq_ignore_ascii_case("chunked") => {
            request.body = chunks(stream, buffer).await?;
        }
        // Two framings in one message are how requests are smuggled (RFC 9112 section 11.2).
        _ => return Err(400),
    }
    let connection = request.field("connection").unwrap_or_default().to_ascii_lowercase();
    let keep = match request.version {
        "HTTP/1.0" => connection.contains("keep-alive"),
        _ => !connection.contains("close"),
    };
    Ok(Some((request, keep)))
}

async fn fill<S: AsyncRead + Unpin>(stream: &mut S, buffer: &mut Vec<u8>) -> bool {
    let mut piece = [0; 8192];
    match stream.read(&mut piece).await {
        Ok(n) if n > 0 => {
            buffer.extend_from_slice(piece.get(..n).unwrap_or_default());
            true
        }
        _ => false,
    }
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|w| w == what)
}

async fn chunks<S: AsyncRead + Unpin>(stream: &mut S, buffer: &mut Vec<u8>) -> Result<Vec<u8>, u16> {
    let mut body = Vec::new();
    loop {
        let line = loop {
            match find(buffer, b"\r\n") {
                Some(end) => break end,
                None if buffer.len() > 1024 => return Err(400),
                None if !fill(stream, buffer).await => return Err(400),
                None => {}
            }
        };
        let size: Vec<u8> = buffer.drain(..line + 2).take(line).collect();
        let size = std::str::from_utf8(&size).ok().and_then(|t| t.split(';').next());
        let size = size.and_then(|t| usize::from_str_radix(t.trim(), 16).ok()).ok_or(400u16)?;
        if body.len().saturating_add(size) > BODY_LIMIT {
            return Err(413);
        }
        while buffer.len() < size + 2 {
            if !fill(stream, buffer).await {
                return Err(400);
            }
        }
        if size == 0 {
            // Trailer fields are not wanted by anything here.
            return if buffer.starts_with(b"\r\n") {
                buffer.drain(..2);
                Ok(body)
            } else {
                Err(400)
            };
        }
        body.extend(buffer.drain(..size));
        if buffer.drain(..2).as_slice() != b"\r\n" {
            return Err(400);
        }
    }
}

fn parse(head: &[u8], below: &Below) -> Result<Request, u16> {
    let mut space = [httparse::EMPTY_HEADER; FIELDS];
    let mut parsed = httparse::Request::new(&mut space);
    match parsed.parse(head) {
        Ok(httparse::Status::Complete(_)) => {}
        Err(httparse::Error::TooManyHeaders) => return Err(431),
        _ => return Err(400),
    }
    let fields = parsed.headers.iter().map(|h| (h.name.to_owned(), h.value.to_vec())).collect();
    Ok(Request {
        method: parsed.method.unwrap_or_default().to_owned(),
        target: parsed.path.unwrap_or_default().to_owned(),
        version: if parsed.version == Some(0) { "HTTP/1.0" } else { "HTTP/1.1" },
        fields,
        body: Vec::new(),
        below: below.clone(),
    })
}

fn write(answer: &Answer, is_head: bool, keep: bool) -> Vec<u8> {
    let mut out = format!("HTTP/1.1 {} {}\r\n", answer.status, reason(answer.status)).into_bytes();
    for (name, value) in &answer.fields {
        out.extend_from_slice(name.as_bytes());
        out.extend_from_slice(b": ");
        // A line break would end the field: whatever a request made the lab repeat stays one line.
        out.extend(value.iter().filter(|b| !matches!(b, b'\r' | b'\n' | 0)));
        out.extend_from_slice(b"\r\n");
    }
    if answer.status != 204 {
        out.extend_from_slice(format!("Content-Length: {}\r\n", answer.body.len()).as_bytes());
    }
    if !keep {
        out.extend_from_slice(b"Connection: close\r\n");
    }
    out.extend_from_slice(b"\r\n");
    if !is_head && answer.status != 204 {
        out.extend_from_slice(&answer.body);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn below() -> Below {
        let address = std::net::SocketAddr::from(([127, 0, 0, 1], 1));
        Below { client: address, server: address, tls: None }
    }

    async fn read(pieces: &[&[u8]]) -> Result<Option<(Request, bool)>, u16> {
        let (mut client, mut server) = tokio::io::duplex(4096);
        let bytes = pieces.concat();
        let write = async move {
            let _ = client.write_all(&bytes).await;
        };
        let (mut buffer, below) = (Vec::new(), below());
        let (_, read) = tokio::join!(write, next(&mut server, &mut buffer, &below));
        read
    }

    fn block_on<T>(future: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
    }

    #[test]
    fn content_is_read_by_its_length_or_in_chunks() {
        let chunked =
            b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n2\r\nde\r\n0\r\n\r\n";
        let (request, keep) = block_on(read(&[chunked])).unwrap().unwrap();
        assert_eq!((request.body.as_slice(), keep), (&b"abcde"[..], true));
        let long = b"POST / HTTP/1.0\r\nContent-Length: 3\r\n\r\nabcde";
        let (request, keep) = block_on(read(&[long])).unwrap().unwrap();
        assert_eq!((request.body.as_slice(), keep), (&b"abc"[..], false));
        assert!(block_on(read(&[b"GET / HTTP/1.1\r\nHost: x\r\n"])).is_err());
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300), chunked: bool) {
            let head: &[u8] = if chunked { b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n" } else { b"" };
            let _ = block_on(read(&[head, &bytes]));
        }
    }
}
