//! States that nobody reads but who has the key.
//!
//! A state holds lines of logs, and those hold tokens and passwords; engines write states to their disks. What opens them
//! is never written with them.

use crate::state::{SEALED, head};
use crate::{State, Unreadable};
use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::digest;
use std::fmt;

/// A key of fewer bytes may be found by trying.
pub const SHORTEST: usize = 32;
/// What is sealed cannot be made smaller by the engine, so it is before; the quickest way.
const LEVEL: i32 = 1;

/// Opens and closes states, by AES-256-GCM (RFC 5116 section 5.2) with random nonces.
pub struct Key(RandomizedNonceKey);

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key")
    }
}

/// A state that could not be sealed: there is no memory, or the system gives no random bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotSealed;

impl fmt::Display for NotSealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a state could not be sealed")
    }
}

impl Key {
    /// Of random characters, whatever they are; `None` if they are fewer than [`SHORTEST`].
    pub fn of(random: &[u8]) -> Option<Key> {
        if random.len() < SHORTEST {
            return None;
        }
        let mut named = digest::Context::new(&digest::SHA256);
        named.update(b"why401 state\0");
        named.update(random);
        RandomizedNonceKey::new(&AES_256_GCM, named.finish().as_ref()).ok().map(Key)
    }

    /// A state as bytes that this key opens.
    ///
    /// # Errors
    /// Where there is no memory, or the system gives no random bytes.
    pub fn seal(&self, state: State) -> Result<Vec<u8>, NotSealed> {
        let plain = state.body();
        let mut text = (plain.len() as u64).to_le_bytes().to_vec();
        text.append(&mut zstd::bulk::compress(&plain, LEVEL).map_err(|_| NotSealed)?);
        drop(plain);
        let mut out = head(SEALED);
        let nonce = self.0.seal_in_place_append_tag(Aad::from(&out), &mut text).map_err(|_| NotSealed)?;
        out.reserve_exact(NONCE_LEN + text.len());
        out.extend_from_slice(nonce.as_ref());
        out.append(&mut text);
        Ok(out)
    }

    /// What stands behind the head of a sealed state.
    pub(crate) fn open(&self, sealed: &[u8]) -> Result<Vec<u8>, Unreadable> {
        let (nonce, text) = sealed.split_first_chunk::<NONCE_LEN>().ok_or(Unreadable::Damaged)?;
        let mut text = text.to_vec();
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let opened = self.0.open_in_place(nonce, Aad::from(head(SEALED)), &mut text);
        let opened = opened.map_err(|_| Unreadable::OtherKey)?;
        // Whoever wrote it has the key, so what it says of its length is so.
        let (length, packed) = opened.split_first_chunk::<8>().ok_or(Unreadable::Damaged)?;
        let length = usize::try_from(u64::from_le_bytes(*length)).map_err(|_| Unreadable::Damaged)?;
        zstd::bulk::decompress(packed, length).map_err(|_| Unreadable::Damaged)
    }
}
