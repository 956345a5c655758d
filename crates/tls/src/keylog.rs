//! Key logs as `SSLKEYLOGFILE` has browsers, curl and others write them.
//!
//! Source: RFC 9850, and before it NSS's `key_log_format`.

mod kept;

use kept::Kept;
use std::fmt;
use std::io::{self, BufRead, Read};
use std::sync::Arc;

/// The secrets of one connection.
#[derive(Clone, Copy, Default)]
pub(crate) struct Secrets<'a> {
    /// TLS 1.2 and older.
    pub(crate) master: Option<&'a [u8]>,
    pub(crate) early: Option<&'a [u8]>,
    pub(crate) handshake: [Option<&'a [u8]>; 2],
    pub(crate) traffic: [Option<&'a [u8]>; 2],
}

/// The secrets of many connections, found by the random bytes of their ClientHello.
///
/// Of a log that holds more than memory should, the latest are kept (of TLS 1.3 no fewer than 110,000 connections with secrets
/// of 32 bytes, 77,000 with those of 48), and the others counted.
#[derive(Clone, Default)]
pub struct KeyLog {
    own: Kept,
    given: Vec<Arc<KeyLog>>,
}

/// A secret is as long as a hash, or 48 bytes for a master secret.
const LONGEST_SECRET: usize = 64;
/// No line of a key log is longer.
const LONGEST_LINE: u64 = 1024;

impl KeyLog {
    /// One that knows what these know, and can be added to.
    pub fn over(given: &[Arc<KeyLog>]) -> KeyLog {
        KeyLog { own: Kept::default(), given: given.to_vec() }
    }

    /// The secrets of a key log of this text.
    pub fn of(text: &[u8]) -> KeyLog {
        let mut log = KeyLog::default();
        log.add(text);
        log
    }

    /// Adds the secrets of a key log; what is not a line of one is passed over. Gives how many were found.
    pub fn add(&mut self, text: &[u8]) -> usize {
        text.split(|c| *c == b'\n' || *c == b'\r').filter_map(|line| self.line(line)).count()
    }

    /// The same of a key log of any length.
    ///
    /// # Errors
    /// Where its bytes cannot be had.
    pub fn read(&mut self, from: &mut dyn BufRead) -> io::Result<usize> {
        let (mut line, mut found) = (Vec::new(), 0);
        while Read::take(&mut *from, LONGEST_LINE).read_until(b'\n', &mut line)? > 0 {
            found += self.add(&line);
            line.clear();
        }
        Ok(found)
    }

    /// Whether it holds nothing.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// For how many connections it holds secrets.
    pub fn len(&self) -> usize {
        self.own.len() + self.given.iter().map(|log| log.len()).sum::<usize>()
    }

    /// For how many connections it held secrets that it let go of, since there were more than are kept.
    pub fn let_go(&self) -> u64 {
        self.own.let_go() + self.given.iter().map(|log| log.let_go()).sum::<u64>()
    }

    pub(crate) fn secrets(&self, client_random: &[u8; 32]) -> Option<Secrets<'_>> {
        let Some(known) = self.own.get(client_random) else {
            return self.given.iter().find_map(|log| log.secrets(client_random));
        };
        let mut secrets = Secrets::default();
        for (label, secret) in known {
            let place = match label {
                Label::Master => &mut secrets.master,
                Label::Early => &mut secrets.early,
                Label::ClientHandshake => &mut secrets.handshake[0],
                Label::ServerHandshake => &mut secrets.handshake[1],
                Label::ClientTraffic => &mut secrets.traffic[0],
                Label::ServerTraffic => &mut secrets.traffic[1],
                Label::Session => continue,
            };
            place.get_or_insert(secret);
        }
        Some(secrets)
    }

    /// The master secret by session ID, as `openssl s_client` prints it.
    pub(crate) fn session(&self, id: &[u8]) -> Option<&[u8]> {
        let own = self.own.get(&session(id)?);
        let own = own.into_iter().flatten().find(|(label, _)| *label == Label::Session);
        own.map(|(_, secret)| secret).or_else(|| self.given.iter().find_map(|log| log.session(id)))
    }

    fn line(&mut self, line: &[u8]) -> Option<()> {
        let mut words = line.split(|c| *c == b' ' || *c == b'\t').filter(|w| !w.is_empty());
        let (label, random, secret) = (words.next()?, words.next()?, words.next()?);
        let (mut name, mut bytes) = ([0; 32], [0; LONGEST_SECRET]);
        if label == b"RSA" {
            let id = hex(random.strip_prefix(b"Session-ID:")?, &mut name)?;
            let master = hex(secret.strip_prefix(b"Master-Key:")?, &mut bytes)?;
            self.own.add(session(id)?, Label::Session, master);
            return Some(());
        }
        let label = Label::of(label)?;
        let random: &[u8; 32] = hex(random, &mut name)?.try_into().ok()?;
        let secret = hex(secret, &mut bytes).filter(|s| !s.is_empty())?;
        self.own.add(*random, label, secret);
        Some(())
    }
}

/// A session ID, which is no longer than a random (RFC 5246, section 7.4.1.2), in its place.
fn session(id: &[u8]) -> Option<[u8; 32]> {
    let mut place = [0; 32];
    place.get_mut(..id.len()).filter(|_| !id.is_empty())?.copy_from_slice(id);
    Some(place)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Label {
    /// A master secret by session ID.
    Session,
    Master,
    Early,
    ClientHandshake,
    ServerHandshake,
    ClientTraffic,
    ServerTraffic,
}

impl Label {
    /// The one that is kept as this number.
    fn numbered(number: u8) -> Option<Label> {
        const ALL: [Label; 7] = [
            Label::Session,
            Label::Master,
            Label::Early,
            Label::ClientHandshake,
            Label::ServerHandshake,
            Label::ClientTraffic,
            Label::ServerTraffic,
        ];
        ALL.get(usize::from(number)).copied()
    }

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

/// The bytes that a text spells, where they fit.
fn hex<'a>(text: &[u8], into: &'a mut [u8]) -> Option<&'a [u8]> {
    let digit = |c: &u8| char::from(*c).to_digit(16).map(|d| d as u8);
    let into = into.get_mut(..text.len() / 2).filter(|_| text.len().is_multiple_of(2))?;
    for (byte, pair) in into.iter_mut().zip(text.chunks(2)) {
        let [high, low] = pair else { return None };
        *byte = digit(high)? << 4 | digit(low)?;
    }
    Some(into)
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
        assert_eq!(secrets.master, Some(&[0xcd; 48][..]));
        assert_eq!(secrets.traffic[1], Some(&[0xef; 32][..]));
        assert!(!format!("{log:?}").contains("cd"));
        let over = KeyLog::over(&[Arc::new(log)]);
        assert_eq!((over.len(), over.secrets(&[0xab; 32]).unwrap().master.map(<[u8]>::len)), (1, Some(48)));
    }

    #[test]
    fn a_log_is_read_line_by_line_whatever_stands_in_it() {
        let line = format!("CLIENT_TRAFFIC_SECRET_0 {} {}\r\n", "ab".repeat(32), "cd".repeat(32));
        let session = format!("RSA Session-ID:{} Master-Key:{}\n", "07".repeat(32), "ef".repeat(48));
        let text =
            [&[b'x'; 10_000][..], b"\n", line.as_bytes(), session.as_bytes(), b"CLIENT_RANDOM ab"].concat();
        let mut log = KeyLog::default();
        assert_eq!(log.read(&mut text.as_slice()).unwrap(), 2);
        assert_eq!(log.session(&[7; 32]), Some(&[0xef; 48][..]));
        assert_eq!(log.session(&[7; 31]), None);
        assert_eq!(log.len(), 2);
    }
}
