//! A gate on a thread of this process, clients and upstreams.

use bytes::Bytes;
use h2::client::SendRequest;
use http::{HeaderMap, Request, Response};
use serde_json::Value;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;
use std::sync::mpsc;
use std::time::{Duration, Instant};
use tokio::net::{TcpListener, TcpStream};

/// alice's password is `secret`.
pub(crate) const USERS: &str = "alice:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=\n";
/// Her credentials.
pub(crate) const ALICE: &str = "Basic YWxpY2U6c2VjcmV0";

/// A running gate and its folder.
pub(crate) struct Gate {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) address: SocketAddr,
    pub(crate) is_tls: bool,
}

impl Gate {
    /// Starts a gate on a free port; logs and users go before `config`.
    pub(crate) fn start(config: &str) -> Gate {
        Gate::start_in(tempfile::tempdir().unwrap(), config)
    }

    /// The same, in a folder that may hold more files.
    pub(crate) fn start_in(folder: tempfile::TempDir, config: &str) -> Gate {
        let path = folder.path().join("gate.toml");
        let front = "[log]\njson = \"gate.json\"\n[accounts]\nhtpasswd = \"users\"\n";
        std::fs::write(&path, format!("{front}{config}")).unwrap();
        std::fs::write(folder.path().join("users"), USERS).unwrap();
        let (tell, told) = mpsc::channel();
        std::thread::spawn(move || {
            let ready = |address, is_tls| tell.send((address, is_tls)).unwrap();
            why401_gate::run(&path, Some("127.0.0.1:0".parse().unwrap()), ready, |text| println!("{text}"))
                .unwrap();
        });
        let (address, is_tls) = told.recv_timeout(Duration::from_secs(10)).unwrap();
        Gate { folder, address, is_tls }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Runs curl; what it prints with `-v`.
    pub(crate) fn curl(&self, arguments: &[&str], path: &str) -> String {
        tokio::task::block_in_place(|| self.curl_now(arguments, path))
    }

    fn curl_now(&self, arguments: &[&str], path: &str) -> String {
        let scheme = if self.is_tls { "https" } else { "http" };
        let out = Command::new("curl")
            .args(["-sS", "-v", "--max-time", "20"])
            .args(arguments)
            .arg(format!("{scheme}://{}{path}", self.address))
            .current_dir(self.folder.path())
            .env_remove("http_proxy")
            .output()
            .unwrap();
        String::from_utf8_lossy(&[out.stderr, out.stdout].concat()).into_owned()
    }

    /// The lines of the JSON log, once there are so many.
    pub(crate) fn logged(&self, count: usize) -> Vec<Value> {
        let begun = Instant::now();
        loop {
            let text = std::fs::read_to_string(self.path("gate.json")).unwrap_or_default();
            let lines: Vec<Value> = text.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
            if lines.len() >= count {
                return lines;
            }
            assert!(begun.elapsed() < Duration::from_secs(10), "only {} lines: {text}", lines.len());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// A connection of HTTP/2 without TLS.
    pub(crate) async fn connect(&self) -> SendRequest<Bytes> {
        let stream = TcpStream::connect(self.address).await.unwrap();
        let (sender, connection) = h2::client::handshake(stream).await.unwrap();
        tokio::spawn(async move {
            let _ = connection.await;
        });
        sender.ready().await.unwrap()
    }
}

/// Runs a test that needs a runtime.
pub(crate) fn run<F: Future>(test: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async { tokio::time::timeout(Duration::from_secs(60), test).await.unwrap() })
}

/// A request of alice's.
pub(crate) fn asked(method: &str, path: &str) -> Request<()> {
    let request = Request::builder().method(method).uri(format!("http://gate.example{path}"));
    request.header("authorization", ALICE).body(()).unwrap()
}

/// Sends a request with this content and reads the answer to its end.
pub(crate) async fn exchange(
    sender: &mut SendRequest<Bytes>,
    request: Request<()>,
    content: Option<(&[u8], HeaderMap)>,
) -> Result<(Response<()>, Vec<u8>, HeaderMap), h2::Error> {
    let (answer, mut stream) = sender.send_request(request, content.is_none())?;
    let sent = tokio::spawn({
        let content = content.map(|(c, t)| (c.to_vec(), t));
        async move {
            let Some((content, trailers)) = content else { return };
            let mut left = Bytes::from(content);
            while !left.is_empty() {
                stream.reserve_capacity(left.len());
                let room = std::future::poll_fn(|context| stream.poll_capacity(context)).await;
                let Some(Ok(room)) = room else { return };
                let _ = stream.send_data(left.split_to(room.min(left.len())), false);
            }
            let _ = stream.send_trailers(trailers);
        }
    });
    let (head, mut body) = answer.await?.into_parts();
    let mut all = Vec::new();
    while let Some(piece) = body.data().await {
        let piece = piece?;
        all.extend_from_slice(&piece);
        body.flow_control().release_capacity(piece.len())?;
    }
    let trailers = body.trailers().await?.unwrap_or_default();
    sent.abort();
    Ok((Response::from_parts(head, ()), all, trailers))
}

/// An upstream of HTTP/2 that answers at once (on `/late` at the end), echoes what it gets as it comes, and ends with its trailers and one of its
/// own. The fields that reached it come back as `x-seen`.
pub(crate) async fn echo() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            tokio::spawn(async move {
                let mut connection = h2::server::handshake(stream).await.unwrap();
                while let Some(Ok((request, respond))) = connection.accept().await {
                    tokio::spawn(echoed(request, respond));
                }
            });
        }
    });
    address
}

async fn echoed(request: Request<h2::RecvStream>, mut respond: h2::server::SendResponse<Bytes>) {
    let (head, mut body) = request.into_parts();
    let seen: Vec<String> =
        head.headers.iter().map(|(n, v)| format!("{n}: {}", String::from_utf8_lossy(v.as_bytes()))).collect();
    let answer = Response::builder()
        .header("x-seen", seen.join(" | "))
        .header("x-line", format!("{} {}", head.method, head.uri))
        .body(())
        .unwrap();
    let mut first = Vec::new();
    if head.uri.path() == "/late" {
        while let Some(Ok(piece)) = body.data().await {
            let _ = body.flow_control().release_capacity(piece.len());
            first.push(piece);
        }
    }
    let Ok(mut out) = respond.send_response(answer, false) else { return };
    let mut first = first.into_iter();
    loop {
        let mut piece = match first.next() {
            Some(piece) => piece,
            None => match body.data().await {
                Some(Ok(piece)) => piece,
                _ => break,
            },
        };
        let _ = body.flow_control().release_capacity(piece.len());
        while !piece.is_empty() {
            out.reserve_capacity(piece.len());
            let Some(Ok(room)) = std::future::poll_fn(|context| out.poll_capacity(context)).await else {
                return;
            };
            let _ = out.send_data(piece.split_to(room.min(piece.len())), false);
        }
    }
    let mut trailers = body.trailers().await.ok().flatten().unwrap_or_default();
    trailers.insert("x-end", "reached".parse().unwrap());
    let _ = out.send_trailers(trailers);
}
