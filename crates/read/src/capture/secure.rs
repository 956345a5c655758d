//! A conversation inside TLS.

use super::conversation::Conversation;
use super::exchanges::{Exchanges, Place};
use crate::http1::Side;
use std::rc::Rc;
use why401_capture::Direction;
use why401_http::Moment;
use why401_span::Span;
use why401_tls::{Opened, Watch};

/// TLS, and what is said inside.
#[derive(Debug)]
pub(super) struct Secure {
    watch: Watch,
    inside: Conversation,
    /// Where the decrypted streams count from, once there is something of them.
    layers: [Option<Span>; 2],
    place: Place,
}

impl Secure {
    pub(super) fn new(place: Place, depth: u8) -> Self {
        let inside = Conversation::new(Place { encrypted: true, ..place.clone() }, depth + 1);
        Secure { watch: Watch::new(), inside, layers: [None; 2], place }
    }

    pub(super) fn bytes(&mut self, side: Side, bytes: &[u8], at: Option<Moment>, to: &mut Exchanges<'_>) {
        let keys = Rc::clone(&to.keys);
        let Secure { watch, inside, layers, place } = self;
        watch.bytes(tls_side(side), bytes, &keys, &mut |opened| match opened {
            Opened::Data { from, offset, bytes } => {
                let (layer, direction) = match (from, &mut *layers) {
                    (why401_tls::Side::Client, [client, _]) => (client, Direction::ToServer),
                    (why401_tls::Side::Server, [_, server]) => (server, Direction::ToClient),
                };
                let layer = *layer.get_or_insert_with(|| to.layer(place.layer_name(direction)));
                let span = Span { start: offset, end: offset + bytes.len() as u64, ..layer };
                inside.bytes(direction, bytes, span, at, to);
            }
            // An unknown number of bytes.
            Opened::Missing { from: why401_tls::Side::Client } => inside.gap(Direction::ToServer, 0, to),
            Opened::Missing { from: why401_tls::Side::Server } => inside.gap(Direction::ToClient, 0, to),
        });
    }

    pub(super) fn gap(&mut self, side: Side) {
        self.watch.gap(tls_side(side));
    }

    pub(super) fn end(&mut self, direction: Direction, to: &mut Exchanges<'_>) {
        self.inside.end(direction, to);
    }

    pub(super) fn finish(self, to: &mut Exchanges<'_>) {
        self.inside.finish(to);
    }
}

impl Place {
    fn layer_name(&self, direction: Direction) -> String {
        match direction {
            Direction::ToServer => format!("tls client {} to {}", self.client, self.server),
            Direction::ToClient => format!("tls server {} to {}", self.server, self.client),
        }
    }
}

fn tls_side(side: Side) -> why401_tls::Side {
    match side {
        Side::Client => why401_tls::Side::Client,
        Side::Server => why401_tls::Side::Server,
    }
}
