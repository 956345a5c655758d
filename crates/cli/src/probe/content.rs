//! The content of the request, and what of it goes into the address.

use super::args::Probe;
use crate::evidence::in_words;
use std::io::Read;
use std::path::Path;
use why401_auth::Secret;
use why401_http::{Address, path_of};
use why401_probe::curl::{Data, Line, multipart};

/// What is sent behind the fields.
pub(super) enum Content {
    /// Nothing.
    None,
    /// A file as it is, to be put where the address says.
    File(Vec<u8>),
    /// Data of a form or of a program, and their media type.
    Data(Vec<u8>, String),
}

/// Reads the content, and lengthens the address by what belongs there (curl's `-G`, `--url-query`, `-T`).
///
/// # Errors
/// A file that cannot be read, or two kinds of content at once.
pub(super) fn of(probe: &Probe, line: &Line, address: &mut Address) -> Result<Content, String> {
    let mut data = Vec::new();
    for piece in &line.data {
        add(piece, &mut data)?;
    }
    if let Some(text) = &probe.data {
        add(&Data::And, &mut data)?;
        add(&own(text), &mut data)?;
    }
    for piece in &line.query {
        let mut more = Vec::new();
        add(piece, &mut more)?;
        lengthen(address, &more);
    }
    let given = !line.data.is_empty() || probe.data.is_some();
    let kinds = [given && !line.data_in_query, !line.form.is_empty(), line.upload.is_some()];
    if kinds.iter().filter(|k| **k).count() > 1 {
        return Err("one content at a time: data (-d), a form (-F), or a file (-T)".to_owned());
    }
    if line.data_in_query {
        lengthen(address, &data);
    } else if given {
        return Ok(Content::Data(data, "application/x-www-form-urlencoded".to_owned()));
    }
    if let Some(path) = &line.upload {
        // curl puts a file under its own name where the address ends in a slash.
        if address.target.ends_with('/') && !matches!(path.as_str(), "-" | ".") {
            let name = path.rsplit('/').next().unwrap_or_default();
            address.target.push_str(&why401_auth::percent::encode(name.as_bytes()));
        }
        return read(Path::new(if path == "." { "-" } else { path })).map(Content::File);
    }
    if line.form.is_empty() {
        return Ok(Content::None);
    }
    let mut parts = Vec::new();
    for part in &line.form {
        let mut held = Vec::new();
        add(&part.content, &mut held)?;
        parts.push((part, held));
    }
    let (bytes, kind) = multipart(&parts);
    Ok(Content::Data(bytes, kind))
}

fn lengthen(address: &mut Address, query: &[u8]) {
    if query.is_empty() {
        return;
    }
    let has_query = path_of(&address.target).len() < address.target.len();
    address.target.push(if has_query { '&' } else { '?' });
    // A line break or a blank would end the address.
    let plain = |b: &u8| b.is_ascii_graphic();
    for byte in query {
        match plain(byte) {
            true => address.target.push(char::from(*byte)),
            false => address.target.push_str(&why401_auth::percent::encode(&[*byte])),
        }
    }
}

fn own(text: &str) -> Data {
    match text.strip_prefix('@') {
        Some(path) => Data::File { path: path.to_owned(), strip: false },
        None => Data::Text(Secret::new(text)),
    }
}

fn add(piece: &Data, to: &mut Vec<u8>) -> Result<(), String> {
    match piece {
        Data::And if to.is_empty() => {}
        Data::And => to.push(b'&'),
        Data::Text(text) => to.extend(text.expose()),
        Data::File { path, strip } => {
            let bytes = read(Path::new(path))?;
            to.extend(bytes.into_iter().filter(|b| !*strip || !matches!(b, b'\r' | b'\n' | 0)));
        }
        Data::Encoded { before, path } => {
            to.extend(before.bytes());
            to.extend(why401_auth::percent::encode(&read(Path::new(path))?).into_bytes());
        }
    }
    Ok(())
}

/// What a file holds; `-` is standard input.
///
/// # Errors
/// Where it cannot be read.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, String> {
    let said = |e: std::io::Error| format!("{}: {}", path.display(), in_words(&e));
    if path.as_os_str() == "-" {
        let mut bytes = Vec::new();
        std::io::stdin().read_to_end(&mut bytes).map_err(said)?;
        return Ok(bytes);
    }
    std::fs::read(path).map_err(said)
}
