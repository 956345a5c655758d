//! A server on loopback that counts and keeps what it is asked.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// A request as it came.
#[derive(Debug, Clone, Default)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) fields: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Request {
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_str())
    }

    pub(crate) fn authorization(&self) -> Option<&str> {
        self.field("authorization")
    }
}

/// An answer: status, fields, content.
pub(crate) struct Answer(pub(crate) u16, pub(crate) Vec<(&'static str, String)>, pub(crate) String);

pub(crate) fn refused(challenge: &str) -> Answer {
    Answer(401, vec![("WWW-Authenticate", challenge.to_owned())], "no".to_owned())
}

pub(crate) fn ok() -> Answer {
    Answer(200, Vec::new(), "{\"ok\":true}".to_owned())
}

pub(crate) struct Server {
    pub(crate) port: u16,
    seen: Arc<Mutex<Vec<Request>>>,
}

impl Server {
    /// Answers each request by `answer`, which gets the request and how many came before it.
    pub(crate) fn start(answer: impl Fn(&Request, usize) -> Answer + Send + Sync + 'static) -> Server {
        Server::at("127.0.0.1", 0, answer)
    }

    /// The same at another address of this machine and a port of one's choice.
    pub(crate) fn at(
        address: &str,
        port: u16,
        answer: impl Fn(&Request, usize) -> Answer + Send + Sync + 'static,
    ) -> Server {
        let listener = TcpListener::bind((address, port)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let answer = Arc::new(answer);
        let kept = Arc::clone(&seen);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (answer, kept) = (Arc::clone(&answer), Arc::clone(&kept));
                std::thread::spawn(move || serve(stream, &*answer, &kept));
            }
        });
        Server { port, seen }
    }

    pub(crate) fn seen(&self) -> Vec<Request> {
        self.seen.lock().unwrap().clone()
    }

    pub(crate) fn url(&self, target: &str) -> String {
        format!("http://127.0.0.1:{}{target}", self.port)
    }
}

fn serve(stream: TcpStream, answer: &dyn Fn(&Request, usize) -> Answer, seen: &Mutex<Vec<Request>>) {
    let mut to = stream.try_clone().unwrap();
    let mut from = BufReader::new(stream);
    while let Some(request) = read(&mut from) {
        let before = {
            let mut seen = seen.lock().unwrap();
            seen.push(request.clone());
            seen.len() - 1
        };
        let Answer(status, fields, body) = answer(&request, before);
        let mut head = format!("HTTP/1.1 {status} X\r\nContent-Length: {}\r\n", body.len());
        for (name, value) in fields {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str("\r\n");
        if request.method != "HEAD" {
            head.push_str(&body);
        }
        if to.write_all(head.as_bytes()).is_err() {
            return;
        }
    }
}

fn read(from: &mut impl BufRead) -> Option<Request> {
    let mut line = String::new();
    from.read_line(&mut line).ok().filter(|n| *n > 0)?;
    let mut words = line.split_whitespace();
    let mut request =
        Request { method: words.next()?.to_owned(), target: words.next()?.to_owned(), ..Request::default() };
    loop {
        let mut bytes = Vec::new();
        from.read_until(b'\n', &mut bytes).ok().filter(|n| *n > 0)?;
        let line: String = bytes.iter().map(|b| char::from(*b)).collect();
        let line = line.trim_end();
        if line.is_empty() {
            break;
        }
        let (name, value) = line.split_once(':')?;
        request.fields.push((name.to_owned(), value.trim().to_owned()));
    }
    let length = request.field("content-length").and_then(|l| l.parse().ok()).unwrap_or(0);
    request.body = vec![0; length];
    from.read_exact(&mut request.body).ok()?;
    Some(request)
}
