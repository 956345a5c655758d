//! A request of the gate's own, as for a key set: one connection, one answer, both small.

use super::tls::Tls;
use crate::config::UpstreamTls;
use crate::http::Head;
use crate::http::framing::Content;
use crate::http::head::end;
use crate::serve::io::{fill, write};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// How long all of it may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// An answer is no larger.
const MOST: usize = 1 << 20;

/// An address with `http://` or `https://`.
#[derive(Debug, Clone)]
pub(crate) struct Address {
    /// As in `Host`.
    authority: String,
    host: String,
    port: u16,
    path: String,
    tls: Option<Tls>,
}

impl Address {
    /// Takes an address apart.
    ///
    /// # Errors
    /// It is none.
    pub(crate) fn parse(url: &str) -> Result<Address, String> {
        let (is_tls, rest) = match (url.strip_prefix("https://"), url.strip_prefix("http://")) {
            (Some(rest), _) => (true, rest),
            (_, Some(rest)) => (false, rest),
            _ => return Err("it does not begin with https:// or http://".to_owned()),
        };
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let (host, port) = match authority.rsplit_once(':').map(|(host, port)| (host, port.parse())) {
            Some((host, Ok(port))) => (host, port),
            _ => (authority, if is_tls { 443 } else { 80 }),
        };
        if host.is_empty() || !url.bytes().all(|b| (0x21..0x7f).contains(&b)) {
            return Err("it has no host, or characters that no address has".to_owned());
        }
        let tls = is_tls.then(|| Tls::new(host, &UpstreamTls::default(), "http/1.1")).transpose()?;
        let path = if path.is_empty() { "/" } else { path };
        let (authority, host, path) = (authority.to_owned(), host.to_owned(), path.to_owned());
        Ok(Address { authority, host, port, path, tls })
    }

    /// Asks, and returns the content of an answer with 2xx; `fields` are lines that end with CR LF.
    ///
    /// # Errors
    /// Why there is none.
    pub(crate) async fn ask(&self, method: &str, fields: &str, content: &[u8]) -> Result<Vec<u8>, String> {
        let length = match content.len() {
            0 => String::new(),
            length => format!("Content-Length: {length}\r\n"),
        };
        let head = format!(
            "{method} {} HTTP/1.1\r\nHost: {}\r\n{fields}{length}Connection: close\r\n\r\n",
            self.path, self.authority
        );
        let all = [head.as_bytes(), content].concat();
        let asked = async {
            let host = self.host.trim_matches(['[', ']']);
            let stream = TcpStream::connect((host, self.port)).await.map_err(|e| e.to_string())?;
            match &self.tls {
                None => exchange(stream, &all, method).await,
                Some(tls) => exchange(tls.connect(stream).await?, &all, method).await,
            }
        };
        timeout(PATIENCE, asked).await.unwrap_or_else(|_| Err("no answer in time".to_owned()))
    }
}

async fn exchange<S: AsyncRead + AsyncWrite + Unpin>(
    mut io: S,
    all: &[u8],
    method: &str,
) -> Result<Vec<u8>, String> {
    write(&mut io, all, PATIENCE).await.map_err(|e| e.to_string())?;
    let mut buffer = Vec::new();
    let at = loop {
        if let Some(at) = end(&buffer, 0) {
            break at;
        }
        if buffer.len() > 64 * 1024 || fill(&mut io, &mut buffer).await.map_err(|e| e.to_string())? == 0 {
            return Err("its answer has no head".to_owned());
        }
    };
    let rest = buffer.split_off(at);
    let head = Head::response(std::mem::replace(&mut buffer, rest)).map_err(|b| b.says.to_owned())?;
    if !(200..300).contains(&head.status()) {
        return Err(format!("it answered {}", head.status()));
    }
    let mut content = Content::new(head.response_framing(method).map_err(|b| b.says.to_owned())?);
    let mut body = Vec::new();
    loop {
        content.take(&mut buffer, &mut body).map_err(|b| b.says.to_owned())?;
        if content.is_done() {
            return Ok(body);
        }
        if body.len() > MOST {
            return Err("it is larger than a mebibyte".to_owned());
        }
        if fill(&mut io, &mut buffer).await.unwrap_or(0) == 0 {
            return if content.may_end() { Ok(body) } else { Err("its content is cut off".to_owned()) };
        }
    }
}
