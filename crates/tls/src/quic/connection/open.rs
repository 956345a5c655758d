//! Which keys open a packet.

use super::{LONGEST_ID, Level, Long, MOST_EARLY, QuicConnection, QuicEvent, Sender, event, index};
use crate::handshake::NO_KEYS;
use crate::keylog::{KeyLog, Secrets};
use crate::quic::protect::{INITIAL_SUITE, initial};
use crate::quic::traffic::{Budget, Traffic};
use crate::quic::version::{Kind, Version};
use crate::suite::Suite;
use crate::{Side, Watch};

impl QuicConnection {
    pub(super) fn long(
        &mut self,
        from: Side,
        packet: Long<'_>,
        keys: &KeyLog,
        text: &mut Vec<u8>,
        out: &mut dyn FnMut(QuicEvent<'_>),
    ) {
        let Long { version, kind, header, sealed, .. } = packet;
        let opened = match kind {
            Kind::Initial => self.initial(from, packet, text),
            // Its token is for the client, and the ID in it is met again in the client's next packet.
            Kind::Retry => None,
            Kind::Handshake => {
                self.need_secrets();
                let secret = secret_of(keys, &self.tls, |s| *s.handshake.get(index(from))?);
                let suite = self.tls.handshake().suite;
                let (sender, budget) = parts(&mut self.senders, &mut self.budget, from);
                let Level { keys, largest, .. } = &mut sender.handshake;
                open_with(keys, secret, suite, version, budget, &mut |keys, budget| {
                    keys.open(header, sealed, largest, budget, text)
                })
            }
            Kind::ZeroRtt => {
                let secret = secret_of(keys, &self.tls, |s| s.early);
                let (sender, budget) = parts(&mut self.senders, &mut self.budget, from);
                let largest = &mut sender.application.largest;
                // The suite is that of an earlier connection, which need not be known.
                open_with(&mut sender.early, secret, None, version, budget, &mut |keys, budget| {
                    keys.open(header, sealed, largest, budget, text)
                })
            }
        };
        if opened.is_none() {
            return;
        }
        self.learn_id(from, packet.source);
        if from == Side::Server {
            // RFC 9368: the server may choose another version than the one that the client began with.
            self.version = version;
        }
        match kind {
            Kind::ZeroRtt if self.early.len() < MOST_EARLY => self.early.push(text.clone()),
            Kind::ZeroRtt => {}
            _ => self.frames(from, kind, text, out),
        }
        if self.tls.takes_early() {
            for text in std::mem::take(&mut self.early) {
                self.tls.handshake_mut().opened += 1;
                self.frames(Side::Client, Kind::ZeroRtt, &text, out);
            }
        }
    }

    fn initial(&mut self, from: Side, packet: Long<'_>, text: &mut Vec<u8>) -> Option<()> {
        let Long { version, header, sealed, .. } = packet;
        let (sender, budget) = parts(&mut self.senders, &mut self.budget, from);
        let Level { keys, largest, .. } = &mut sender.initial;
        if version == self.version
            && let Some(keys) = keys
            && keys.open(header, sealed, largest, budget, text).is_some()
        {
            return Some(());
        }
        // Behind a Retry packet the keys follow from the ID that it gave; those of the version that a server chose
        // from the first ID of all.
        let first = self.senders.get(1)?.ids.first()?.clone();
        let id = if from == Side::Client { packet.destination } else { &first };
        let (mask, seal) = initial(version, id, from)?;
        let suite = Suite::of(INITIAL_SUITE)?;
        let mut keys = Traffic::of(mask, seal, suite, version);
        let mut largest = self.sender(from).initial.largest;
        keys.open(header, sealed, &mut largest, &mut Budget::default(), text)?;
        if from == Side::Client && version == self.version {
            // The ClientHello comes once more.
            self.tls = Watch::new();
            self.senders.iter_mut().for_each(|sender| sender.initial = Level::default());
        }
        self.sender(from).initial.largest = largest;
        self.version = version;
        let id = id.to_vec();
        self.keys_of(version, &id)
    }

    pub(super) fn short(
        &mut self,
        from: Side,
        packet: &[u8],
        keys: &KeyLog,
        text: &mut Vec<u8>,
        out: &mut dyn FnMut(QuicEvent<'_>),
    ) {
        self.need_secrets();
        if from == Side::Client {
            self.tls.handshake_mut().established = true;
        }
        let secret = secret_of(keys, &self.tls, |s| *s.traffic.get(index(from))?);
        let suite = self.tls.handshake().suite;
        let lengths = self.id_lengths(from);
        let version = self.version;
        let (sender, budget) = parts(&mut self.senders, &mut self.budget, from);
        let Level { keys, largest, .. } = &mut sender.application;
        let has_secret = secret.is_some();
        let mut len = None;
        let opened = open_with(keys, secret, suite, version, budget, &mut |keys, budget| {
            lengths.iter().find_map(|id| {
                let (header, sealed) = packet.split_at_checked(1 + id)?;
                keys.open(header, sealed, largest, budget, text)?;
                len = Some(*id);
                Some(())
            })
        });
        let handshake = self.tls.handshake_mut();
        if opened.is_none() {
            handshake.unopened += 1;
            if !has_secret {
                handshake.obstacle = Some(NO_KEYS);
            }
            return;
        }
        handshake.opened += 1;
        if let Some(known) = self.id_len.get_mut(index(from)) {
            *known = len;
        }
        self.frames(from, Kind::ZeroRtt, text, out);
        let streams = &mut self.sender(from).streams;
        streams.packet(&mut |stream, piece| out(event(from, stream, piece)));
    }

    /// How long the ID may be that a side sends to, the likeliest first.
    fn id_lengths(&self, from: Side) -> Vec<usize> {
        let last = self.id_len.get(index(from)).copied().flatten();
        let known = self.senders.get(index(from.other())).map(|s| s.ids.as_slice()).unwrap_or_default();
        // The first that is known of a server's was made by the client.
        let known = known.get(usize::from(from == Side::Client)..).unwrap_or_default();
        let mut lengths: Vec<usize> = last.into_iter().chain(known.iter().rev().map(Vec::len)).collect();
        if lengths.is_empty() {
            lengths.extend(0..=LONGEST_ID);
        }
        let mut seen = [false; LONGEST_ID + 1];
        lengths.retain(|len| seen.get_mut(*len).is_some_and(|seen| !std::mem::replace(seen, true)));
        lengths
    }

    /// Keys are wanted: of a ClientHello that was not captured whole the front has to do.
    fn need_secrets(&mut self) {
        if self.tls.client_random().is_none() && !self.front_taken {
            self.front_taken = true;
            self.tls.gap(Side::Client, 1);
        }
    }
}

fn parts<'a>(
    senders: &'a mut [Sender; 2],
    budget: &'a mut Budget,
    from: Side,
) -> (&'a mut Sender, &'a mut Budget) {
    let [client, server] = senders;
    (if from == Side::Client { client } else { server }, budget)
}

fn secret_of<'k>(
    keys: &'k KeyLog,
    tls: &Watch,
    which: impl FnOnce(Secrets<'k>) -> Option<&'k [u8]>,
) -> Option<&'k [u8]> {
    keys.secrets(tls.client_random()?).and_then(which)
}

/// Opens a packet with the keys that are known, or with those that follow from the secret: by each suite that it may be
/// for, where the server's choice was not seen.
fn open_with(
    known: &mut Option<Traffic>,
    secret: Option<&[u8]>,
    suite: Option<u16>,
    version: &'static Version,
    budget: &mut Budget,
    open: &mut dyn FnMut(&mut Traffic, &mut Budget) -> Option<()>,
) -> Option<()> {
    if let Some(keys) = known {
        return open(keys, budget);
    }
    let secret = secret?;
    // Those of TLS 1.3 whose hash is as long as the secret.
    let likely: &[u16] = match (suite, secret.len()) {
        (Some(suite), _) => &[suite],
        (None, 32) => &[0x1301, 0x1303, 0x1304],
        (None, _) => &[0x1302],
    };
    for suite in likely {
        let Some(suite) = Suite::of(*suite).filter(|suite| suite.hash.len() == secret.len()) else {
            continue;
        };
        let mut keys = Traffic::new(suite, secret, version)?;
        if open(&mut keys, budget).is_some() {
            *known = Some(keys);
            return Some(());
        }
        if !budget.spend(0) {
            return None;
        }
    }
    None
}
