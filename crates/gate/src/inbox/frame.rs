//! One message in the journal: a mark, two lengths, a check sum over the rest, a header in JSON, the content. Whoever reads
//! takes whole frames whose check sum is right and nothing else.

use aws_lc_rs::digest;
use serde::{Deserialize, Serialize};
use std::io::Read;

const MARK: &[u8; 4] = b"w4m1";
/// Mark, length of the header (4), length of the content (8), check sum (16).
const FRONT: usize = 32;
const HEADER: usize = 64 * 1024;

/// The header of a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Header {
    pub(crate) receipt: String,
    pub(crate) time: jiff::Timestamp,
    pub(crate) account: String,
    pub(crate) target: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) content_type: Option<String>,
    /// A hash of account and `Idempotency-Key`, hexadecimal.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) key: Option<String>,
    /// A hash of the content, hexadecimal.
    pub(crate) content: String,
}

/// The first 16 bytes of a SHA-256, hexadecimal.
pub(crate) fn hash(parts: &[&[u8]]) -> String {
    sum(parts).iter().map(|b| format!("{b:02x}")).collect()
}

fn sum(parts: &[&[u8]]) -> [u8; 16] {
    let mut context = digest::Context::new(&digest::SHA256);
    for part in parts {
        context.update(&(part.len() as u64).to_be_bytes());
        context.update(part);
    }
    context.finish().as_ref().get(..16).and_then(|s| s.try_into().ok()).unwrap_or_default()
}

/// Adds a frame to `out`.
pub(crate) fn write(header: &Header, content: &[u8], out: &mut Vec<u8>) -> Result<(), String> {
    let header = serde_json::to_vec(header).map_err(|e| e.to_string())?;
    if header.len() > HEADER {
        return Err("the header of the message is too large".to_owned());
    }
    out.extend_from_slice(MARK);
    out.extend_from_slice(&(header.len() as u32).to_be_bytes());
    out.extend_from_slice(&(content.len() as u64).to_be_bytes());
    out.extend_from_slice(&sum(&[&header, content]));
    out.extend_from_slice(&header);
    out.extend_from_slice(content);
    Ok(())
}

/// A message as read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) header: Header,
    pub(crate) content: Vec<u8>,
    /// How many bytes of the journal it takes.
    pub(crate) size: u64,
}

/// The next frame; `None` where no whole frame follows. `most`: no content is larger than what is left of the file.
pub(crate) fn read(from: &mut impl Read, most: u64) -> Option<Frame> {
    let mut front = [0; FRONT];
    from.read_exact(&mut front).ok()?;
    let (mark, rest) = front.split_first_chunk::<4>()?;
    let (header, rest) = rest.split_first_chunk::<4>()?;
    let (content, check) = rest.split_first_chunk::<8>()?;
    let (header, content) = (u32::from_be_bytes(*header) as usize, u64::from_be_bytes(*content));
    let size = (FRONT as u64 + header as u64).checked_add(content)?;
    if mark != MARK || header > HEADER || size > most {
        return None;
    }
    let (mut head, mut body) = (vec![0; header], vec![0; usize::try_from(content).ok()?]);
    from.read_exact(&mut head).ok()?;
    from.read_exact(&mut body).ok()?;
    if sum(&[&head, &body]) != check {
        return None;
    }
    Some(Frame { header: serde_json::from_slice(&head).ok()?, content: body, size })
}
