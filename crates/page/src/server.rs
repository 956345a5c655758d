//! Listens, lets in who may come in, and answers.

use crate::uploads::{Upload, Uploads};
use crate::{Part, Request, Response};
use serde_json::json;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// So many requests are answered at once.
const AT_ONCE: usize = 16;
/// Who sends nothing for so long is let go.
const PATIENCE: Duration = Duration::from_secs(30);
/// So much of a slice is handed over at once.
const PIECE: usize = 1 << 20;
/// Answers that are under way when the server ends are given so long.
const FAREWELL: Duration = Duration::from_secs(5);

const INDEX: &str = include_str!("../assets/index.html");
const SCRIPT: &str = include_str!("../assets/page.js");
const PAGE_STYLE: &str = include_str!("../assets/page.css");

/// What an upload may be answered with.
pub const FORMS: [&str; 6] = ["findings", "html", "markdown", "json", "bundle", "bundle-without-addresses"];

/// What is told while an upload is looked at.
#[derive(Debug, Clone, Copy)]
pub enum Told<'a> {
    /// So many per cent of it were read.
    Read(f64),
    /// A finding that is proved already, or what a server was asked, in a line.
    Line(&'a str),
    /// What the beginning alone leads to, a part of a page, and how many per cent of the upload that is.
    SoFar(&'a str, f64),
}

/// What stands behind the page.
pub trait Answers: Send + Sync + 'static {
    /// The diagnosis of an upload in the form asked for, one of [`FORMS`]; `findings` is a part of a page. What is known
    /// before goes to `told`.
    ///
    /// # Errors
    /// Why not, for the person.
    fn diagnose(
        &self,
        form: &str,
        parts: &[Part<'_>],
        told: &mut dyn FnMut(Told<'_>),
    ) -> Result<Response, String>;
}

/// The server.
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    secret: String,
    ended: Arc<AtomicBool>,
}

impl Server {
    /// Listens on a loopback address.
    ///
    /// # Errors
    /// Where the address is not loopback or cannot be listened on.
    pub fn listen(address: SocketAddr) -> io::Result<Server> {
        if !address.ip().is_loopback() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "the page is served on loopback only"));
        }
        let secret = drawn()?;
        let listener = TcpListener::bind(address)?;
        let address = listener.local_addr()?;
        Ok(Server { listener, address, secret, ended: Arc::default() })
    }

    /// The address with its secret, to be opened in a browser.
    pub fn url(&self) -> String {
        format!("http://{}/{}/", self.address, self.secret)
    }

    /// What ends [`Server::run`], for whoever hears the signal to end.
    pub fn end(&self) -> End {
        End { address: self.address, ended: self.ended.clone() }
    }

    /// Answers until [`End::now`]; what is under way then is answered still.
    ///
    /// # Errors
    /// Where nothing can be listened to any more.
    pub fn run(self, answers: impl Answers) -> io::Result<()> {
        let busy = Arc::new(AtomicUsize::new(0));
        let uploads = Uploads::default();
        let door = Arc::new(Door { address: self.address, secret: self.secret, answers, uploads });
        for stream in self.listener.incoming() {
            if self.ended.load(Ordering::SeqCst) {
                break;
            }
            let Ok(stream) = stream else { continue };
            let (busy, door) = (busy.clone(), door.clone());
            if busy.fetch_add(1, Ordering::SeqCst) >= AT_ONCE {
                busy.fetch_sub(1, Ordering::SeqCst);
                let _ = Response::text(503, "busy: try again in a moment").write(&mut &stream);
                continue;
            }
            std::thread::spawn(move || {
                let _ = door.serve(&stream);
                busy.fetch_sub(1, Ordering::SeqCst);
            });
        }
        let since = Instant::now();
        while busy.load(Ordering::SeqCst) > 0 && since.elapsed() < FAREWELL {
            std::thread::sleep(Duration::from_millis(10));
        }
        Ok(())
    }
}

/// Ends a server from another thread.
pub struct End {
    address: SocketAddr,
    ended: Arc<AtomicBool>,
}

impl End {
    /// Lets nobody in any more.
    pub fn now(&self) {
        self.ended.store(true, Ordering::SeqCst);
        // The server waits for somebody to come in.
        let _ = TcpStream::connect_timeout(&self.address, FAREWELL);
    }
}

struct Door<A> {
    address: SocketAddr,
    secret: String,
    answers: A,
    uploads: Uploads,
}

impl<A: Answers> Door<A> {
    fn serve(&self, stream: &TcpStream) -> io::Result<()> {
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        let mut from = BufReader::with_capacity(1 << 18, stream);
        let mut out = BufWriter::new(stream);
        let refusal = match Request::head(&mut from) {
            Ok(mut request) => match self.refuse(&request) {
                Some(refusal) => refusal,
                None if request.is_post_of("slice") => {
                    self.slice(&request, &mut from).unwrap_or_else(|refusal| refusal)
                }
                None => match request.content(&mut from) {
                    Ok(()) => return self.answer(request, stream, &mut out),
                    Err(refusal) => refusal,
                },
            },
            Err(refusal) => refusal,
        };
        refusal.write(&mut out)
    }

    /// Why this request is not let in.
    fn refuse(&self, request: &Request) -> Option<Response> {
        let no = |why: &str| Some(Response::text(403, why));
        let port = self.address.port();
        let ours = [self.address.to_string(), format!("localhost:{port}")];
        // A name that was rebound to loopback stands in Host as what it is.
        if !request.field("host").is_some_and(|h| ours.iter().any(|o| o == h)) {
            return no("this server answers by its own address only");
        }
        let foreign = |origin: &str| !ours.iter().any(|o| origin == format!("http://{o}"));
        let posted = request.method == "POST";
        let has_origin = request.fields.iter().any(|(n, _)| n == "origin");
        if (posted || has_origin) && request.field("origin").is_none_or(foreign) {
            return no("another page asked for this");
        }
        if request.field("sec-fetch-site").is_some_and(|s| !matches!(s, "same-origin" | "none")) {
            return no("another page asked for this");
        }
        let given = request.path.split('/').nth(1).unwrap_or_default();
        if !same(given, &self.secret) {
            return no("open the address that the terminal shows, with all of it");
        }
        None
    }

    fn answer(&self, request: Request, stream: &TcpStream, out: &mut impl Write) -> io::Result<()> {
        let path: String = request.path.splitn(3, '/').nth(2).unwrap_or_default().to_owned();
        let response = match (request.method.as_str(), path.as_str()) {
            ("GET", "") => page(&request)?,
            ("POST", form) if FORMS.contains(&form) => return self.form(form, request, stream, out),
            _ => Response::text(404, "no such page"),
        };
        response.write(out)
    }

    /// Takes a slice of an upload as it comes: `X-Upload`, `X-At`.
    fn slice(&self, request: &Request, from: &mut impl Read) -> Result<Response, Response> {
        let bad = || Response::text(400, "a slice of what?");
        let number = |name| request.field(name).and_then(|n| n.parse::<u64>().ok()).ok_or_else(bad);
        let (mut at, mut left) = (number("x-at")?, number("content-length")?);
        let content = self.uploads.find(request.field("x-upload").ok_or_else(bad)?)?;
        while left > 0 {
            let mut bytes = vec![0; usize::try_from(left).unwrap_or(usize::MAX).min(PIECE)];
            from.read_exact(&mut bytes).map_err(|_| {
                content.cut();
                Response::text(400, "cut off")
            })?;
            let length = bytes.len() as u64;
            content.add(at, bytes).map_err(|_| Response::text(400, "the slice does not fit"))?;
            (at, left) = (at + length, left - length);
        }
        Ok(Response::text(200, ""))
    }

    /// Answers an upload that is the content of the request, or that comes in slices beside it: `X-Upload`. It is read for
    /// as long as whoever asked waits for the answer.
    fn form(&self, form: &str, request: Request, stream: &TcpStream, out: &mut impl Write) -> io::Result<()> {
        let (sizes, upload) = match self.announced(&request) {
            Ok(announced) => announced,
            Err(refusal) => return refusal.write(out),
        };
        let content = upload.as_ref().map(|upload| &*upload.content);
        let given_up = AtomicBool::new(false);
        let mut parts = Vec::new();
        let mut start = 0;
        for (name, size) in &sizes {
            let place = (start, *size);
            parts.push(match content {
                Some(content) => Part::coming(name, content, place, &given_up),
                None => Part::here(name, &request.body, place, &given_up),
            });
            start += size;
        }
        std::thread::scope(|scope| {
            scope.spawn(|| {
                until_closed(stream);
                given_up.store(true, Ordering::Relaxed);
                content.inspect(|content| content.cut());
            });
            let _closed = Closed(stream);
            if form == "findings" {
                return self.findings(&parts, out);
            }
            let answer = self.answers.diagnose(form, &parts, &mut |_| {});
            answer.unwrap_or_else(|why| Response::text(422, &why)).write(out)
        })
    }

    fn announced(&self, request: &Request) -> Result<Announced<'_>, Response> {
        let sizes = request.parts()?;
        let all: u64 = sizes.iter().map(|(_, size)| size).sum();
        match request.field("x-upload") {
            Some(name) => Ok((sizes, Some(self.uploads.begin(name, all, PATIENCE)?))),
            None if request.body.len() as u64 == all => Ok((sizes, None)),
            None => Err(Response::text(400, "the sizes of the parts do not fit their content")),
        }
    }

    /// The findings as they come, a JSON text a line: `{"read": 40.5}`, `{"line": …}`, `{"so_far": …, "read": 4.1}` with a
    /// part of a page, and at the end `{"answer": …}` with another, or `{"failed": …}`.
    fn findings(&self, parts: &[Part<'_>], out: &mut impl Write) -> io::Result<()> {
        Response::ok("application/x-ndjson", Vec::new()).head(None, out)?;
        let mut line = |value: serde_json::Value| writeln!(out, "{value}").and_then(|()| out.flush());
        // Slices are sent once it is known that somebody waits for them; Chromium tells of an answer with its first bytes.
        line(json!({ "read": 0 }))?;
        let answer = self.answers.diagnose("findings", parts, &mut |told| {
            let _ = line(match told {
                Told::Read(percent) => json!({ "read": percent }),
                Told::Line(text) => json!({ "line": text }),
                Told::SoFar(page, percent) => json!({ "so_far": page, "read": percent }),
            });
        });
        line(match answer {
            Ok(response) => json!({ "answer": String::from_utf8_lossy(&response.body) }),
            Err(why) => json!({ "failed": why }),
        })
    }
}

/// What is uploaded: names and sizes, and the upload where it comes in slices.
type Announced<'a> = (Vec<(String, u64)>, Option<Upload<'a>>);

/// Waits until the other side closes the connection, or this one does: a browser says nothing more on a connection that it
/// waits for an answer on.
fn until_closed(mut stream: &TcpStream) {
    use io::ErrorKind::{Interrupted, TimedOut, WouldBlock};
    loop {
        match stream.read(&mut [0; 64]) {
            Ok(0) => return,
            Ok(_) => {}
            Err(e) if matches!(e.kind(), Interrupted | TimedOut | WouldBlock) => {}
            Err(_) => return,
        }
    }
}

/// Closes a connection when it is dropped, and so ends [`until_closed`].
struct Closed<'a>(&'a TcpStream);

impl Drop for Closed<'_> {
    fn drop(&mut self) {
        let _ = self.0.shutdown(Shutdown::Both);
    }
}

/// The page, with its style and script in it: one answer opens it.
fn page(request: &Request) -> io::Result<Response> {
    let nonce = drawn()?;
    let style = format!("{}{PAGE_STYLE}", why401_render::STYLE);
    let page = INDEX.replace("{nonce}", &nonce).replace("{style}", &style).replace("{script}", SCRIPT);
    // Who tells by whom it was led here was led by nobody else, or would be refused (Fetch Metadata, Sec-Fetch-Site). To
    // part the page from an opener that it cannot have costs Chromium a second process: it opens 60 to 80 ms later.
    let parted = request.field("sec-fetch-site").is_none();
    Ok(Response { nonce: Some(nonce), parted, ..Response::ok("text/html; charset=utf-8", page) })
}

/// 128 bits that nobody guesses.
fn drawn() -> io::Result<String> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|e| io::Error::other(e.to_string()))?;
    Ok(bytes.iter().map(|b| format!("{b:02x}")).collect())
}

/// Compares in a time that does not tell where they differ.
fn same(a: &str, b: &str) -> bool {
    a.len() == b.len() && a.bytes().zip(b.bytes()).fold(0, |d, (x, y)| d | (x ^ y)) == 0
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "in a test a panic is the report")]
mod tests;
