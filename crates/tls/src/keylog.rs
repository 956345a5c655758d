//! Key logs as `SSLKEYLOGFILE` has browsers, curl and others write them.
//!
//! Source: RFC 9850, and before it NSS's `key_log_format`.

use std::collections::HashMap;
use std::fmt;

/// The secrets of one connection.
#[derive(Clone, Default)]
pub(crate) struct Secrets {
    /// TLS 1.2 and older.
    pub(crate) master: Option<Vec<u8>>,
    pub(crate) early: Option<Vec<u8>>,
    pub(crate) handshake: [Option<Vec<u8>>; 2],
    pub(crate) traffic: [Option<Vec<u8>>; 2],
}

/// The secrets of many connections, found by the random bytes of their ClientHello.
#[derive(Clone, Default)]
pub struct KeyLog {
    by_random: HashMap<[u8; 32], Secrets>,
    by_session: HashMap<Vec<u8>, Vec<u8>>,
}

/// A secret is as long as a hash, or 48 bytes for a master secret.
const LONGEST_SECRET: usize = 64;

impl KeyLog {
    /// Adds the secrets of a key log; what is not a line of one is passed over. Gives how many were found.
    pub fn add(&mut self, text: &[u8]) -> usize {
        text.split(|c| *c == b'\n' || *c == b'\r').filter_map(|line| self.line(line)).count()
    }

    /// Whether it holds nothing.
    pub fn is_empty(&self) -> bool {
        self.by_random.is_empty() && self.by_session.is_empty()
    }

    /// For how many connections it holds secrets.
    pub fn len(&self) -> usize {
        self.by_random.len() + self.by_session.len()
    }

    pub(crate) fn secrets(&self, client_random: &[u8; 32]) -> Option<&Secrets> {
        self.by_random.get(client_random)
    }

    /// The master secret by session ID, as `openssl s_client` prints it.
    pub(crate) fn session(&self, id: &[u8]) -> Option<&Vec<u8>> {
        self.by_session.get(id)
    }

    fn line(&mut self, line: &[u8]) -> Option<()> {
        let mut words = line.split(|c| *c == b' ' || *c == b'\t').filter(|w| !w.is_empty());
        let (label, random, secret) = (words.next()?, words.next()?, words.next()?);
        if label == b"RSA" {
            let id = hex(random.strip_prefix(b"Session-ID:")?)?;
            let master = hex(secret.strip_prefix(b"Master-Key:")?)?;
            self.by_session.insert(id, master);
            return Some(());
        }
        let label = Label::of(label)?;
        let random: [u8; 32] = hex(random)?.try_into().ok()?;
        let secret = hex(secret).filter(|s| !s.is_empty())?;
        let secrets = self.by_random.entry(random).or_default();
        *match label {
            Label::Master => &mut secrets.master,
            Label::Early => &mut secrets.early,
            Label::ClientHandshake => &mut secrets.handshake[0],
            Label::ServerHandshake => &mut secrets.handshake[1],
            Label::ClientTraffic => &mut secrets.traffic[0],
            Label::ServerTraffic => &mut secrets.traffic[1],
        } = Some(secret);
        Some(())
    }
}

#[derive(Clone, Copy)]
enum Label {
    Master,
    Early,
    ClientHandshake,
    ServerHandshake,
    ClientTraffic,
    ServerTraffic,
}

impl Label {
    fn of(label: &[u8]) -> Option<Label> {
        Some(match label {
            b"CLIENT_RANDOM" => Label::Master,
            b"CLIENT_EARLY_TRAFFIC_SECRET" => Label::Early,
            b"CLIENT_HANDSHAKE_TRAFFIC_SECRET" => Label::ClientHandshake,
            b"SERVER_HANDSHAKE_TRAFFIC_SECRET" => Label::ServerHandshake,
            b"CLIENT_TRAFFIC_SECRET_0" => Label::ClientTraffic,
            b"SERVER_TRAFFIC_SECRET_0" => Label::ServerTraffic,
            _ => return None,
        })
    }
}

fn hex(text: &[u8]) -> Option<Vec<u8>> {
    if text.len() > 2 * LONGEST_SECRET || !text.len().is_multiple_of(2) {
        return None;
    }
    let digit = |c: &u8| char::from(*c).to_digit(16).map(|d| d as u8);
    let byte = |pair: &[u8]| match pair {
        [high, low] => Some(digit(high)? << 4 | digit(low)?),
        _ => None,
    };
    text.chunks(2).map(byte).collect()
}

/// Shows how many, never which.
impl fmt::Debug for KeyLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyLog({} connections)", self.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_a_key_log_are_found_among_others() {
        let random = "ab".repeat(32);
        let text =
            format!("# made by hand\r\nCLIENT_RANDOM {random} {}\nCLIENT_RANDOM zz yy\nx\n", "cd".repeat(48));
        let mut log = KeyLog::default();
        assert_eq!(log.add(text.as_bytes()), 1);
        assert_eq!(log.add(format!("SERVER_TRAFFIC_SECRET_0 {random} {}", "ef".repeat(32)).as_bytes()), 1);
        let secrets = log.secrets(&[0xab; 32]).unwrap();
        assert_eq!(secrets.master.as_deref(), Some(&[0xcd; 48][..]));
        assert_eq!(secrets.traffic[1].as_deref(), Some(&[0xef; 32][..]));
        assert!(!format!("{log:?}").contains("cd"));
    }
}
