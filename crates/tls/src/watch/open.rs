//! Which keys open a record.

use super::{APPLICATION_DATA, EARLY, HANDSHAKE_KEYS, MOST_TRIED, TRAFFIC, Watch};
use crate::Side;
use crate::cipher::{Cipher, Sealed, key_block_parts};
use crate::derive::{expand_label, prf};
use crate::handshake::NO_KEYS;
use crate::keylog::{KeyLog, Secrets};
use crate::suite::Suite;
use crate::wire::Wire;

impl Watch {
    fn secrets<'k>(&self, keys: &'k KeyLog) -> Option<Secrets<'k>> {
        keys.secrets(self.client_random.as_ref()?)
    }

    fn suite(&mut self) -> Option<Suite> {
        let suite = self.handshake.suite.and_then(Suite::of);
        if suite.is_none() {
            self.handshake.obstacle = Some("its cipher suite is not known here");
        }
        suite
    }

    /// TLS 1.2: what this side sends from here on has the keys of the handshake (RFC 5246, section 7.1).
    pub(super) fn change_cipher(&mut self, from: Side, keys: &KeyLog) {
        self.handshake.established |= self.sender(from.other()).sealed;
        let cipher = self.cipher_12(from, keys);
        let sender = self.sender(from);
        (sender.sealed, sender.sequence) = (true, 0);
        sender.ciphers = cipher.map(|c| (0, c)).into_iter().collect();
    }

    fn cipher_12(&mut self, from: Side, keys: &KeyLog) -> Option<Cipher> {
        if self.handshake.version != Some(0x0303) {
            self.handshake.obstacle = Some("only TLS 1.2 and 1.3 are decrypted");
            return None;
        }
        let suite = self.suite()?;
        let random = self.client_random?;
        let master = self.secrets(keys).and_then(|s| s.master).or_else(|| keys.session(&self.session_id));
        let Some(master) = master else {
            self.handshake.obstacle = Some(NO_KEYS);
            return None;
        };
        self.handshake.obstacle = None;
        let (mac, key, iv) = key_block_parts(suite);
        let len = 2 * (mac + key + iv);
        let block = prf(suite.hash, master, b"key expansion", &[&self.server_random, &random], len);
        let mut w = Wire(&block);
        let mut pair = |n| w.take(n).zip(w.take(n));
        let pick = |(client, server)| if from == Side::Client { client } else { server };
        let (mac, key, iv) = (pick(pair(mac)?), pick(pair(key)?), pick(pair(iv)?));
        Cipher::tls12(suite, mac, key, iv, self.encrypt_then_mac)
    }

    pub(super) fn open_12(
        &mut self,
        from: Side,
        record: Sealed<'_>,
        keys: &KeyLog,
        text: &mut Vec<u8>,
    ) -> Option<u8> {
        if self.sender(from).ciphers.is_empty() && self.sender(from).sequence == 0 {
            // The keys may have come later than the handshake.
            let cipher = self.cipher_12(from, keys)?;
            self.sender(from).ciphers = vec![(0, cipher)];
        }
        let mut tried = self.tried;
        let sender = self.sender(from);
        let (_, cipher) = sender.ciphers.first()?;
        let found = search(cipher, sender.sequence, sender.lost, record, text, &mut tried);
        if let Some((sequence, _)) = found {
            (sender.sequence, sender.lost) = (sequence + 1, 0);
        }
        self.tried = tried;
        found.map(|(_, kind)| kind)
    }

    /// The current epoch's keys, and if they do not fit those of the next ones: what would announce them may be
    /// missing, or be encrypted with keys that are.
    pub(super) fn open_13(
        &mut self,
        from: Side,
        record: Sealed<'_>,
        keys: &KeyLog,
        text: &mut Vec<u8>,
    ) -> Option<u8> {
        if record.kind != APPLICATION_DATA {
            return None;
        }
        let suite = self.suite()?;
        let Some(secrets) = self.secrets(keys) else {
            self.handshake.obstacle = Some(NO_KEYS);
            return None;
        };
        self.handshake.obstacle = None;
        let mut tried = self.tried;
        let sender = self.sender(from);
        let first = sender.epoch;
        let last = (first + 1).max(TRAFFIC);
        let mut found = None;
        for epoch in first..=last {
            if !sender.ciphers.iter().any(|(e, _)| *e == epoch)
                && let Some(cipher) = cipher_13(suite, secrets, from, epoch)
            {
                // One at a time is in use, and seldom two: there may be very many connections.
                sender.ciphers.reserve_exact(1);
                sender.ciphers.push((epoch, cipher));
            }
            let Some((_, cipher)) = sender.ciphers.iter().find(|(e, _)| *e == epoch) else { continue };
            let from = if epoch == first { sender.sequence } else { 0 };
            if let Some((sequence, kind)) = search(cipher, from, sender.lost, record, text, &mut tried) {
                (sender.epoch, sender.sequence, sender.lost) = (epoch, sequence + 1, 0);
                if epoch != first {
                    sender.ciphers.retain(|(e, _)| *e >= epoch);
                    sender.ciphers.shrink_to_fit();
                }
                found = Some(kind);
                break;
            }
        }
        self.tried = tried;
        found
    }
}

/// Opens a record with the number `first` or, where up to `lost` ones before it may be missing, one of the next.
fn search(
    cipher: &Cipher,
    first: u64,
    lost: u64,
    record: Sealed<'_>,
    text: &mut Vec<u8>,
    tried: &mut u64,
) -> Option<(u64, u8)> {
    for sequence in first..=first + lost {
        if let Some(kind) = cipher.open(sequence, record, text) {
            return Some((sequence, kind));
        }
        *tried += 1 + record.body.len() as u64 / 1024;
        if *tried > MOST_TRIED {
            break;
        }
    }
    None
}

fn cipher_13(suite: Suite, secrets: Secrets<'_>, from: Side, epoch: u32) -> Option<Cipher> {
    let pick = |[client, server]: [Option<_>; 2]| if from == Side::Client { client } else { server };
    let secret = match epoch {
        EARLY if from == Side::Client => secrets.early?,
        EARLY => return None,
        HANDSHAKE_KEYS => pick(secrets.handshake)?,
        TRAFFIC => pick(secrets.traffic)?,
        _ => {
            let mut secret = pick(secrets.traffic)?.to_vec();
            for _ in TRAFFIC..epoch {
                secret = expand_label(suite.hash, &secret, b"traffic upd", suite.hash.len());
            }
            return Cipher::tls13(suite, &secret);
        }
    };
    Cipher::tls13(suite, secret)
}
