//! What `gate messages` does: telling what is there, and handing it on to a file, a command or an address.

use super::drain::{Position, Reader, drain, position};
use super::frame::Frame;
use crate::config::{Config, Inbox};
use crate::files;
use serde_json::json;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;
use why401_auth::base64;

/// Where messages are handed on to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// A file: one JSON object a line, each receipt once.
    File(PathBuf),
    /// A command for the shell: the content on its standard input, the rest in `WHY401_RECEIPT`, `WHY401_ACCOUNT`,
    /// `WHY401_TARGET` and `WHY401_TIME`; exit status 0 means taken.
    Command(String),
    /// An `http://` address: each message is POSTed with its receipt as `Idempotency-Key`; 2xx means taken.
    Http(String),
}

fn inbox(config: &Path) -> Result<Inbox, String> {
    Config::load(config)?.inbox.ok_or_else(|| "the configuration has no section [inbox]".to_owned())
}

/// Writes a line for each message: receipt, time, account, address, bytes, and whether it was handed on.
///
/// # Errors
/// The journal cannot be read.
pub fn list(config: &Path, all: bool, out: &mut dyn Write) -> Result<(), String> {
    let inbox = inbox(config)?;
    let drained = position(&inbox.folder);
    let mut reader = Reader::new(&inbox.folder, if all { Position::default() } else { drained })?;
    while let Some((frame, behind)) = reader.next()? {
        let h = &frame.header;
        let state = if behind <= drained { "handed-on" } else { "waiting" };
        let line = writeln!(
            out,
            "{} {} {} {} {} {state}",
            h.receipt,
            h.time,
            h.account,
            h.target,
            frame.content.len()
        );
        line.map_err(|e| e.to_string())?;
    }
    Ok(())
}

/// Hands on all messages that wait, in order; returns how many. A delivery that fails is tried `retries` times more, with
/// longer and longer pauses; then the rest stays where it is.
///
/// # Errors
/// Which message could not be handed on, and why.
pub fn hand_on(config: &Path, target: &Target, retries: u32) -> Result<usize, String> {
    let inbox = inbox(config)?;
    let mut file = match target {
        Target::File(path) => Some(LineFile::open(path)?),
        _ => None,
    };
    drain(&inbox.folder, inbox.remember_keys, |frame| {
        let mut pause = Duration::from_millis(200);
        let mut attempt = 0;
        loop {
            let result = match (target, &mut file) {
                (Target::File(_), Some(file)) => file.add(frame).map_err(Trouble::Lasting),
                (Target::Command(command), _) => run(command, frame),
                (Target::Http(url), _) => post(url, frame),
                (Target::File(_), None) => Err(Trouble::Lasting("no file".to_owned())),
            };
            let why = match result {
                Ok(()) => return Ok(()),
                Err(Trouble::Passing(why)) if attempt < retries => {
                    std::thread::sleep(pause);
                    why
                }
                Err(Trouble::Passing(why) | Trouble::Lasting(why)) => {
                    return Err(format!("the message {} was not handed on: {why}", frame.header.receipt));
                }
            };
            drop(why);
            attempt += 1;
            pause = (pause * 2).min(Duration::from_secs(30));
        }
    })
}

enum Trouble {
    /// Trying again may help.
    Passing(String),
    /// It will not.
    Lasting(String),
}

/// A file of JSON lines that never holds a receipt twice, even if a drain was killed between a line and its record.
struct LineFile {
    file: std::fs::File,
    path: PathBuf,
    last: Option<String>,
}

impl LineFile {
    fn open(path: &Path) -> Result<LineFile, String> {
        let cannot = || files::cannot("write", path);
        let mut file = files::private().read(true).append(true).open(path).map_err(cannot())?;
        let length = file.metadata().map_err(cannot())?.len();
        let (mut whole, mut last) = (0, None);
        let mut reader = BufReader::new(&mut file);
        reader.seek(SeekFrom::Start(0)).map_err(cannot())?;
        let mut line = Vec::new();
        while reader.read_until(b'\n', &mut line).map_err(cannot())? > 0 && line.ends_with(b"\n") {
            whole += line.len() as u64;
            last = serde_json::from_slice::<serde_json::Value>(&line).ok();
            line.clear();
        }
        if whole < length {
            // The end of a line that a killed drain did not finish.
            file.set_len(whole).map_err(cannot())?;
        }
        let last = last.and_then(|l| l.get("receipt")?.as_str().map(str::to_owned));
        Ok(LineFile { file, path: path.to_owned(), last })
    }

    fn add(&mut self, frame: &Frame) -> Result<(), String> {
        let h = &frame.header;
        if self.last.as_ref() == Some(&h.receipt) {
            return Ok(());
        }
        let content = match std::str::from_utf8(&frame.content) {
            Ok(text) => json!({ "content": text }),
            Err(_) => json!({ "content_base64": base64::encode(&frame.content) }),
        };
        let mut line = json!({"receipt": h.receipt, "time": h.time, "account": h.account, "target": h.target,
            "content_type": h.content_type});
        if let (Some(line), Some(content)) = (line.as_object_mut(), content.as_object()) {
            line.extend(content.clone());
        }
        let written =
            self.file.write_all(format!("{line}\n").as_bytes()).and_then(|()| self.file.sync_data());
        written.map_err(files::cannot("write", &self.path))?;
        self.last = Some(h.receipt.clone());
        Ok(())
    }
}

fn run(command: &str, frame: &Frame) -> Result<(), Trouble> {
    let h = &frame.header;
    let trouble = |e: std::io::Error| Trouble::Passing(format!("the command cannot be run: {e}"));
    let mut child = Command::new("sh")
        .args(["-c", command])
        .env("WHY401_RECEIPT", &h.receipt)
        .env("WHY401_ACCOUNT", &h.account)
        .env("WHY401_TARGET", &h.target)
        .env("WHY401_TIME", h.time.to_string())
        .stdin(Stdio::piped())
        .spawn()
        .map_err(trouble)?;
    if let Some(mut input) = child.stdin.take() {
        // A command need not read all of it.
        let _ = input.write_all(&frame.content);
    }
    match child.wait().map_err(trouble)? {
        status if status.success() => Ok(()),
        status => Err(Trouble::Passing(format!("the command ended with {status}"))),
    }
}

const PATIENCE: Duration = Duration::from_secs(30);

fn post(url: &str, frame: &Frame) -> Result<(), Trouble> {
    let rest = url.strip_prefix("http://");
    let rest =
        rest.ok_or_else(|| Trouble::Lasting(format!("{url}: only http:// addresses are handed on to")))?;
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let path = if path.is_empty() { "/" } else { path };
    let has_port = authority.rsplit_once(':').is_some_and(|(_, p)| p.parse::<u16>().is_ok());
    let address = if has_port { authority.to_owned() } else { format!("{authority}:80") };
    let h = &frame.header;
    let mut head = format!(
        "POST {path} HTTP/1.1\r\nHost: {authority}\r\nConnection: close\r\nContent-Length: {}\r\nIdempotency-Key: {}\r\n",
        frame.content.len(),
        h.receipt
    );
    for (name, value) in [("X-Account", Some(&h.account)), ("Content-Type", h.content_type.as_ref())] {
        if let Some(value) = value.filter(|v| !v.chars().any(char::is_control)) {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
    }
    head.push_str("\r\n");
    let ask = || -> std::io::Result<Vec<u8>> {
        let mut stream = TcpStream::connect(&address)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        stream.write_all(head.as_bytes())?;
        stream.write_all(&frame.content)?;
        let mut answer = Vec::new();
        stream.take(64 * 1024).read_to_end(&mut answer)?;
        Ok(answer)
    };
    let answer = ask().map_err(|e| Trouble::Passing(format!("{address}: {e}")))?;
    let status = answer.get(9..12).and_then(|s| std::str::from_utf8(s).ok()?.parse::<u16>().ok());
    match status.filter(|_| answer.starts_with(b"HTTP/1.")) {
        Some(200..=299) => Ok(()),
        Some(status @ (408 | 425 | 429 | 500..=599)) => {
            Err(Trouble::Passing(format!("it answered {status}")))
        }
        Some(status) => Err(Trouble::Lasting(format!("it answered {status}"))),
        None => Err(Trouble::Passing("its answer is not HTTP".to_owned())),
    }
}
