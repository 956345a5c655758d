//! A conversation inside TLS.

use super::conversation::Conversation;
use super::exchanges::{Exchanges, Place};
use super::held::Weight;
use super::unread::Protocol;
use crate::http1::Side;
use jiff::Timestamp;
use std::rc::Rc;
use why401_capture::Direction;
use why401_http::{AskedCertificate, FactKind, Moment, Secured, ShownCertificate};
use why401_span::{Derived, Span};
use why401_tls::{Certificate, ClientCertificate, Handshake, Opened, Watch};

/// TLS, and what is said inside.
#[derive(Debug)]
pub(super) struct Secure {
    watch: Watch,
    inside: Conversation,
    /// Where the decrypted streams count from, once there is something of them.
    layers: [Option<Span>; 2],
    place: Place,
    /// The packet that began it.
    begun: Option<(Span, Option<Moment>)>,
    /// The packet that brought the latest thing worth telling.
    telling: Option<Span>,
}

impl Secure {
    pub(super) fn new(place: Place, depth: u8) -> Self {
        let inside = Conversation::new(Place { encrypted: true, ..place.clone() }, depth + 1);
        Secure { watch: Watch::new(), inside, layers: [None; 2], place, begun: None, telling: None }
    }

    pub(super) fn bytes(
        &mut self,
        side: Side,
        bytes: &[u8],
        origin: Span,
        at: Option<Moment>,
        to: &mut Exchanges<'_>,
    ) {
        let keys = Rc::clone(&to.keys);
        let Secure { watch, inside, layers, place, .. } = self;
        let before = worth_telling(watch.handshake());
        watch.bytes(tls_side(side), bytes, &keys, &mut |opened| match opened {
            Opened::Data { from, offset, bytes } => {
                let (layer, direction) = match (from, &mut *layers) {
                    (why401_tls::Side::Client, [client, _]) => (client, Direction::ToServer),
                    (why401_tls::Side::Server, [_, server]) => (server, Direction::ToClient),
                };
                let layer = *layer.get_or_insert_with(|| to.layer(|| place.layer_name("tls", direction)));
                let span = Span { start: offset, end: offset + bytes.len() as u64, ..layer };
                inside.bytes(direction, bytes, span, at, to);
            }
            // An unknown number of bytes.
            Opened::Missing { from: why401_tls::Side::Client } => inside.gap(Direction::ToServer, 0, to),
            Opened::Missing { from: why401_tls::Side::Server } => inside.gap(Direction::ToClient, 0, to),
        });
        self.begun.get_or_insert((origin, at));
        if worth_telling(watch.handshake()) != before {
            self.telling = Some(origin);
        }
    }

    pub(super) fn gap(&mut self, side: Side, len: u64) {
        self.watch.gap(tls_side(side), len);
    }

    pub(super) fn end(&mut self, direction: Direction, to: &mut Exchanges<'_>) {
        self.inside.end(direction, to);
    }

    pub(super) fn let_go(&mut self, to: &mut Exchanges<'_>) {
        self.watch.spare();
        self.inside.let_go(to);
    }

    pub(super) fn weight(&self) -> Weight {
        // With keys of two epochs in both directions.
        const BASE: usize = 3 << 10;
        let inside = self.inside.weight();
        let said = inside.said + self.watch.spare_footprint();
        Weight { said, rest: inside.rest + BASE + self.watch.footprint() }
    }

    pub(super) fn finish(self, to: &mut Exchanges<'_>) {
        let Some(begun) = self.begun else { return };
        let unread = self.unread();
        tell(self.watch.handshake(), &self.place, begun, self.telling, unread, Protocol::Tls, to);
        self.inside.finish(to);
    }

    fn unread(&self) -> Option<String> {
        let handshake = self.watch.handshake();
        let read = self.layers.iter().any(Option::is_some);
        let why = handshake.obstacle.unwrap_or(KEYS_DO_NOT_FIT);
        (!read && handshake.unopened > 0).then(|| why.to_owned())
    }
}

/// Why a connection with keys could not be read.
pub(super) const KEYS_DO_NOT_FIT: &str = "the keys given do not fit, or parts of it are missing";

/// Tells of a connection as a whole: of its handshake, and whether it could be read.
pub(super) fn tell(
    handshake: &Handshake,
    place: &Place,
    (begun, time): (Span, Option<Moment>),
    telling: Option<Span>,
    unread: Option<String>,
    protocol: Protocol,
    to: &mut Exchanges<'_>,
) {
    let secured = secured(handshake, place, time, unread);
    let host = match &secured.server_name {
        Some(name) => format!("{name} ({})", place.server),
        None => place.server.to_string(),
    };
    if let Some(why) = &secured.unread {
        let keys = handshake.lacks_keys();
        to.unread(protocol, host, format!("{why}{}", visible(&secured)), begun, keys);
    } else if let Some(alert) = secured.distrusting_alert().filter(|_| !secured.established) {
        let client = &place.client.host;
        let what = format!(
            "{client} does not accept the certificate of {host} ({alert}): no request was sent on that connection"
        );
        to.problem(begun, &what);
    }
    let text = Derived::enclosed(summary(&secured), telling.unwrap_or(begun));
    to.fact(text, FactKind::Tls(Box::new(secured)));
}

/// What is visible from outside of a connection that could not be read.
fn visible(s: &Secured) -> String {
    let certificate = match s.client_certificate {
        AskedCertificate::NotGiven => "; the server asked for a client certificate and got none",
        AskedCertificate::Given(_) => "; the client showed a certificate",
        _ => "",
    };
    certificate.to_owned()
}

/// What changes when something worth telling happens.
pub(super) fn worth_telling(h: &Handshake) -> (usize, u8) {
    let stage = match h.client_certificate {
        ClientCertificate::Unknown | ClientCertificate::NotAsked => 0,
        ClientCertificate::Asked => 1,
        ClientCertificate::NotGiven | ClientCertificate::Given(_) => 2,
    };
    (h.alerts.iter().filter(|a| a.description.is_some() && a.name() != Some(GOODBYE)).count(), stage)
}

/// The alert by which a connection ends in order.
const GOODBYE: &str = "close_notify";

fn secured(h: &Handshake, place: &Place, time: Option<Moment>, unread: Option<String>) -> Secured {
    // One that is encrypted is most likely a goodbye as well.
    let told = h.alerts.iter().filter(|a| a.name() != Some(GOODBYE));
    let alerts = told.filter_map(|a| Some((a, a.description?))).map(|(a, number)| {
        let name = a.name().map_or_else(|| format!("alert {number}"), str::to_owned);
        (a.from == why401_tls::Side::Client, name)
    });
    Secured {
        connection: place.connection,
        client: place.client.clone(),
        server: place.server.clone(),
        time,
        server_name: h.server_name.clone(),
        version: h.version.and_then(why401_tls::version_name),
        protocol: h.alpn.clone(),
        server_certificate: h.certificate.as_ref().map(shown),
        client_certificate: match &h.client_certificate {
            ClientCertificate::Unknown => AskedCertificate::Unknown,
            ClientCertificate::NotAsked => AskedCertificate::NotAsked,
            ClientCertificate::Asked => AskedCertificate::Asked,
            ClientCertificate::NotGiven => AskedCertificate::NotGiven,
            ClientCertificate::Given(c) => AskedCertificate::Given(c.as_ref().map(|c| Box::new(shown(c)))),
        },
        alerts: alerts.collect(),
        established: h.established,
        unread,
    }
}

fn shown(c: &Certificate) -> ShownCertificate {
    let time = |seconds: Option<i64>| Timestamp::from_second(seconds?).ok();
    ShownCertificate {
        subject: c.subject.clone(),
        issuer: c.issuer.clone(),
        names: c.names.clone(),
        not_before: time(c.not_before),
        not_after: time(c.not_after),
    }
}

/// The connection in one line: what a finding shows as the text of its packet.
fn summary(s: &Secured) -> String {
    let mut text = s.version.unwrap_or("TLS").to_owned();
    text.extend(s.server_name.as_ref().map(|name| format!(" to {name}")));
    text += match &s.client_certificate {
        AskedCertificate::Unknown | AskedCertificate::NotAsked => "",
        AskedCertificate::Asked => ", client certificate asked for",
        AskedCertificate::NotGiven => ", client certificate asked for and none given",
        AskedCertificate::Given(_) => ", client certificate given",
    };
    for (by_client, name) in &s.alerts {
        text += &format!(", {} sent {name}", if *by_client { "client" } else { "server" });
    }
    text
}

impl Place {
    /// What the decrypted bytes of one direction are called.
    pub(super) fn layer_name(&self, protocol: &str, direction: Direction) -> String {
        match direction {
            Direction::ToServer => format!("{protocol} client {} to {}", self.client, self.server),
            Direction::ToClient => format!("{protocol} server {} to {}", self.server, self.client),
        }
    }
}

fn tls_side(side: Side) -> why401_tls::Side {
    match side {
        Side::Client => why401_tls::Side::Client,
        Side::Server => why401_tls::Side::Server,
    }
}
