//! A TLS connection watched from outside.

mod open;

use crate::Side;
use crate::certificate::Certificate;
use crate::cipher::{Cipher, Sealed};
use crate::handshake::{Alert, ClientCertificate, Handshake};
use crate::hello::{client_hello, encrypted_extensions, server_hello};
use crate::keylog::KeyLog;
use crate::records::Records;
use crate::wire::Wire;

/// What was said inside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opened<'a> {
    /// The next bytes of one direction.
    Data {
        /// Who said it.
        from: Side,
        /// Offset of the first byte in what this side said inside, as far as it was decrypted.
        offset: u64,
        /// The bytes.
        bytes: &'a [u8],
    },
    /// Something, one cannot say how much, is missing here.
    Missing {
        /// Who said it.
        from: Side,
    },
}

const CHANGE_CIPHER_SPEC: u8 = 20;
const ALERT: u8 = 21;
const HANDSHAKE: u8 = 22;
const APPLICATION_DATA: u8 = 23;
/// Longer handshake messages are not put together; the largest are chains of certificates.
const LONGEST_MESSAGE: usize = 256 << 10;
/// Keys are updated after millions of records; nobody does it more often than this.
const MOST_UPDATES: u32 = 256;
/// How far the numbers of records that were lost are searched for.
const MOST_LOST: u64 = 512;
/// A header, one byte and a tag of eight.
const SHORTEST_RECORD: u64 = 14;
/// What a connection may cost in records that are tried with keys that do not fit, in KiB.
const MOST_TRIED: u64 = 100_000;
/// Records of early data that are kept; servers take little of it.
const MOST_EARLY: usize = 64;
/// What a name takes in memory beside its letters.
const NAME: usize = 40;
/// More alerts are nobody's intention.
const MOST_ALERTS: usize = 32;

/// The epochs of TLS 1.3, of which the first is the client's alone; behind `TRAFFIC` come its updates.
const EARLY: u32 = 0;
const HANDSHAKE_KEYS: u32 = 1;
const TRAFFIC: u32 = 2;

#[derive(Default)]
struct Sender {
    records: Records,
    /// The front of a handshake message.
    message: Vec<u8>,
    /// Whether its records are encrypted.
    sealed: bool,
    epoch: u32,
    sequence: u64,
    /// Keys by epoch: the current one and those that may follow.
    ciphers: Vec<(u32, Cipher)>,
    /// So many records may be missing, so that the next one's number is not known.
    lost: u64,
    offset: u64,
    /// Application data was lost since what was last handed over.
    missing: bool,
}

/// A TLS connection watched from outside.
#[derive(Default)]
pub struct Watch {
    handshake: Handshake,
    senders: [Sender; 2],
    client_random: Option<[u8; 32]>,
    server_random: [u8; 32],
    session_id: Vec<u8>,
    client_session_id: Vec<u8>,
    encrypt_then_mac: bool,
    scratch: Vec<u8>,
    /// Early data of the client (RFC 8446, section 2.3), until the server says whether it takes it.
    early: Vec<Vec<u8>>,
    early_accepted: bool,
    /// How much memory what the handshake shows takes, about.
    shown: usize,
    /// What was spent on keys that did not fit, in KiB.
    tried: u64,
}

impl Side {
    pub(crate) fn other(self) -> Side {
        match self {
            Side::Client => Side::Server,
            Side::Server => Side::Client,
        }
    }
}

impl Watch {
    /// A connection of which nothing was seen yet.
    pub fn new() -> Self {
        Watch::default()
    }

    /// What is known of the connection so far.
    pub fn handshake(&self) -> &Handshake {
        &self.handshake
    }

    /// What is known of the connection, to be added to by who carries the handshake otherwise than in records.
    pub(crate) fn handshake_mut(&mut self) -> &mut Handshake {
        &mut self.handshake
    }

    /// The next bytes of handshake messages that were carried otherwise than in records.
    pub(crate) fn carried(&mut self, from: Side, bytes: &[u8]) {
        self.messages(from, bytes);
    }

    /// By which the connection's secrets are found.
    pub(crate) fn client_random(&self) -> Option<&[u8; 32]> {
        self.client_random.as_ref()
    }

    /// Whether the server just said that it takes the client's early data; asked once.
    pub(crate) fn takes_early(&mut self) -> bool {
        std::mem::take(&mut self.early_accepted)
    }

    /// The next bytes of one direction.
    pub fn bytes(&mut self, from: Side, bytes: &[u8], keys: &KeyLog, out: &mut dyn FnMut(Opened<'_>)) {
        let mut records = std::mem::take(&mut self.sender(from).records);
        records.push(bytes, &mut |record| self.record(from, record, keys, out));
        if records.footprint() == 0 {
            self.scratch = Vec::new();
        }
        self.sender(from).records = records;
    }

    /// Gives the memory back that is not in use: a connection that is silent may be one of very many.
    pub fn spare(&mut self) {
        self.scratch = Vec::new();
        for sender in &mut self.senders {
            sender.records.spare();
            sender.message.shrink_to_fit();
        }
    }

    /// About how many bytes of memory is taken by what [`Watch::spare`] gives back.
    pub fn spare_footprint(&self) -> usize {
        self.scratch.capacity()
    }

    /// About how many bytes of memory is taken by what is kept beyond keys: messages and records that are not whole, and what
    /// certificates say.
    pub fn footprint(&self) -> usize {
        let begun = self.senders.iter().map(|s| s.records.footprint() + s.message.capacity()).sum::<usize>();
        begun + self.early.iter().map(Vec::capacity).sum::<usize>() + self.shown
    }

    /// So many bytes of one direction (0: an unknown number) are missing here.
    pub fn gap(&mut self, from: Side, len: u64) {
        let sender = self.sender(from);
        let records = std::mem::take(&mut sender.records);
        let front = records.partial().filter(|r| r.kind == HANDSHAKE && !sender.sealed);
        if let Some(front) = front {
            sender.message.extend_from_slice(front.body);
        }
        if let Some((1, body)) = message_head(&sender.message).map(|(kind, _, body)| (kind, body)) {
            let body = body.to_vec();
            self.client_hello(&body);
        }
        let sender = self.sender(from);
        sender.message.clear();
        sender.records = records;
        sender.records.gap();
        let lost = if len == 0 { MOST_LOST } else { len / SHORTEST_RECORD + 1 };
        (sender.lost, sender.missing) = ((sender.lost + lost).min(MOST_LOST), true);
    }

    fn sender(&mut self, side: Side) -> &mut Sender {
        let [client, server] = &mut self.senders;
        if side == Side::Client { client } else { server }
    }

    /// Takes a record; says whether it was one beyond doubt.
    fn record(
        &mut self,
        from: Side,
        record: Sealed<'_>,
        keys: &KeyLog,
        out: &mut dyn FnMut(Opened<'_>),
    ) -> bool {
        let tls13 = self.is_tls13();
        if record.kind == CHANGE_CIPHER_SPEC {
            if !tls13 {
                self.change_cipher(from, keys);
            }
            return true;
        }
        if record.kind == APPLICATION_DATA && self.handshake.version.is_none() {
            if self.client_random.is_none() || from == Side::Server {
                self.handshake.obstacle = Some("its handshake was not captured");
                self.handshake.unopened += 1;
            } else if self.early.len() < MOST_EARLY {
                self.early.push(record.body.to_vec());
            }
            return true;
        }
        let sender = self.sender(from);
        if !(sender.sealed || tls13 && record.kind == APPLICATION_DATA) {
            self.contents(from, record.kind, record.body, out);
            return true;
        }
        sender.sealed = true;
        let mut text = std::mem::take(&mut self.scratch);
        let opened = match tls13 {
            true => self.open_13(from, record, keys, &mut text),
            false => self.open_12(from, record, keys, &mut text),
        };
        match opened {
            Some(kind) => {
                self.handshake.opened += u64::from(kind == APPLICATION_DATA);
                self.contents(from, kind, &text, out);
            }
            None if record.kind == ALERT => self.alert(from, None, false),
            None => {
                // In TLS 1.3 the handshake looks alike.
                self.handshake.unopened += u64::from(record.kind == APPLICATION_DATA);
                self.sender(from).missing = true;
            }
        }
        self.scratch = text;
        if std::mem::take(&mut self.early_accepted) {
            for body in std::mem::take(&mut self.early) {
                self.record(Side::Client, Sealed { body: &body, ..record }, keys, out);
            }
        }
        opened.is_some()
    }

    fn is_tls13(&self) -> bool {
        self.handshake.version == Some(0x0304)
    }

    /// What stands in a record without its protection.
    fn contents(&mut self, from: Side, kind: u8, bytes: &[u8], out: &mut dyn FnMut(Opened<'_>)) {
        match kind {
            HANDSHAKE => self.messages(from, bytes),
            ALERT => {
                if let [level, description] = *bytes {
                    self.alert(from, Some(description), level == 2);
                }
            }
            APPLICATION_DATA if self.sender(from).sealed && !bytes.is_empty() => {
                let sender = self.sender(from);
                if std::mem::take(&mut sender.missing) {
                    out(Opened::Missing { from });
                }
                let offset = sender.offset;
                sender.offset += bytes.len() as u64;
                out(Opened::Data { from, offset, bytes });
            }
            _ => {}
        }
    }

    fn alert(&mut self, from: Side, description: Option<u8>, fatal: bool) {
        if self.handshake.alerts.len() < MOST_ALERTS {
            // In TLS 1.3 all but two end the connection, whatever their level says.
            let fatal = fatal || (self.is_tls13() && !matches!(description, Some(0 | 90) | None));
            self.handshake.alerts.push(Alert { from, description, fatal });
        }
    }

    /// Puts handshake messages together.
    fn messages(&mut self, from: Side, bytes: &[u8]) {
        let mut message = std::mem::take(&mut self.sender(from).message);
        message.extend_from_slice(bytes);
        let mut rest = message.as_slice();
        while let Some((kind, len, body)) = message_head(rest) {
            let Some(body) = body.get(..len) else { break };
            self.message(from, kind, body);
            rest = rest.get(4 + len..).unwrap_or_default();
        }
        let begun = rest.len();
        message.drain(..message.len() - begun);
        if begun > LONGEST_MESSAGE || begun == 0 {
            message = Vec::new();
        }
        self.sender(from).message = message;
    }

    fn message(&mut self, from: Side, kind: u8, body: &[u8]) {
        let tls13 = self.is_tls13();
        match (from, kind) {
            (Side::Client, 1) => self.client_hello(body),
            (Side::Server, 2) => self.server_hello(body),
            (Side::Client, 5) => self.epoch(from, HANDSHAKE_KEYS),
            (Side::Server, 8) => {
                let extensions = encrypted_extensions(body);
                self.handshake.alpn = extensions.alpn;
                if !extensions.early_data {
                    self.early.clear();
                }
                self.early_accepted = extensions.early_data;
            }
            (_, 11) => self.certificate(from, body),
            (Side::Server, 13) => self.handshake.client_certificate = ClientCertificate::Asked,
            (Side::Server, 14) if self.handshake.client_certificate == ClientCertificate::Unknown => {
                self.handshake.client_certificate = ClientCertificate::NotAsked;
            }
            (_, 20) => {
                if tls13 {
                    self.epoch(from, TRAFFIC);
                }
                if from == Side::Server
                    && tls13
                    && self.handshake.client_certificate == ClientCertificate::Unknown
                {
                    self.handshake.client_certificate = ClientCertificate::NotAsked;
                }
                self.handshake.established |= self.sender(from.other()).sealed;
            }
            (_, 24) if tls13 => {
                let epoch = self.sender(from).epoch + 1;
                self.epoch(from, epoch.min(MOST_UPDATES));
            }
            _ => {}
        }
    }

    fn client_hello(&mut self, body: &[u8]) {
        let Some(hello) = client_hello(body) else { return };
        self.shown =
            hello.alpn.iter().map(|name| name.len() + NAME).sum::<usize>() + hello.versions.len() * 2;
        self.client_random = Some(hello.random);
        self.client_session_id = hello.session_id;
        self.handshake.server_name = hello.server_name.or(self.handshake.server_name.take());
        self.handshake.alpn_offered = hello.alpn;
        self.handshake.versions_offered = hello.versions;
    }

    fn server_hello(&mut self, body: &[u8]) {
        let Some(hello) = server_hello(body) else { return };
        self.handshake.version = Some(hello.version);
        self.handshake.suite = Some(hello.suite);
        if hello.is_retry() {
            return;
        }
        self.server_random = hello.random;
        self.encrypt_then_mac = hello.encrypt_then_mac;
        self.handshake.alpn = hello.alpn;
        let same_session = !hello.session_id.is_empty() && hello.session_id == self.client_session_id;
        self.handshake.resumed = hello.pre_shared_key || (same_session && hello.version < 0x0304);
        self.session_id = hello.session_id;
        if self.is_tls13() {
            self.epoch(Side::Server, HANDSHAKE_KEYS);
            self.sender(Side::Server).sealed = true;
        }
    }

    fn certificate(&mut self, from: Side, body: &[u8]) {
        let mut w = Wire(body);
        let list = (|| {
            if self.is_tls13() {
                w.vector8()?;
            }
            w.vector24()
        })();
        let Some(mut list) = list else { return };
        let first = list.vector24().map(|der| Certificate::read(der.0));
        self.shown += first.iter().flatten().map(|c| body.len() + c.names.len() * NAME).sum::<usize>();
        match (from, first) {
            (Side::Server, first) => self.handshake.certificate = first.flatten(),
            (Side::Client, None) => self.handshake.client_certificate = ClientCertificate::NotGiven,
            (Side::Client, Some(first)) => {
                self.handshake.client_certificate = ClientCertificate::Given(first.map(Box::new));
            }
        }
    }

    /// From here on, one direction uses the keys of another epoch.
    fn epoch(&mut self, from: Side, epoch: u32) {
        let sender = self.sender(from);
        (sender.epoch, sender.sequence) = (epoch, 0);
        sender.ciphers.retain(|(e, _)| *e >= epoch);
    }
}

/// Type, length and what is there of the body of a handshake message.
fn message_head(bytes: &[u8]) -> Option<(u8, usize, &[u8])> {
    let mut w = Wire(bytes);
    let kind = w.u8()?;
    let len = w.u24()?;
    Some((kind, len, w.0))
}

impl std::fmt::Debug for Watch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Watch").field("handshake", &self.handshake).finish_non_exhaustive()
    }
}
