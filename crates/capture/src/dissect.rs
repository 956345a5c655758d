//! One packet on its way from the link to the stream or datagram that it belongs to.

use crate::bytes::Bytes;
use crate::fragment::Fragments;
use crate::limits::Limits;
use crate::problem::Problems;
use crate::sink::{Sink, Time};
use crate::tcp::Flows;
use std::borrow::Cow;
use why401_span::Span;

/// What is left of a packet at some point of the way.
#[derive(Clone, Copy)]
pub(crate) struct Packet<'a> {
    pub(crate) bytes: Bytes<'a>,
    /// How many bytes of the packet behind `bytes` were not captured, as far as the container knows.
    pub(crate) missing: usize,
    pub(crate) time: Option<Time>,
    /// How many tunnels it was taken out of.
    pub(crate) tunnels: u8,
    /// Whether it was put together of IP fragments.
    pub(crate) fragmented: bool,
}

/// What is kept from packet to packet.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) limits: Limits,
    pub(crate) problems: Problems,
    pub(crate) fragments: Fragments,
    pub(crate) flows: Flows,
    /// The source and layer that offsets count in.
    pub(crate) base: Span,
}

/// Takes packets apart and hands over what they carry.
pub(crate) struct Dissector<'a, S: ?Sized> {
    pub(crate) state: &'a mut State,
    pub(crate) sink: &'a mut S,
}

impl<S: Sink + ?Sized> Dissector<'_, S> {
    pub(crate) fn problem(&mut self, at: u64, what: impl Into<Cow<'static, str>>) {
        self.state.problems.add(at, what);
    }

    /// A packet inside a packet.
    pub(crate) fn tunnelled<'p>(
        &mut self,
        p: Packet<'p>,
        read: impl FnOnce(&mut Self, Packet<'p>) -> Option<()>,
    ) -> Option<()> {
        if p.tunnels >= self.state.limits.tunnels {
            self.problem(p.bytes.offset(), "too many tunnels within tunnels");
            return Some(());
        }
        read(self, Packet { tunnels: p.tunnels + 1, ..p })
    }
}

impl State {
    pub(crate) fn new(limits: Limits, base: Span) -> Self {
        State {
            problems: Problems::new(limits.problems),
            fragments: Fragments::default(),
            flows: Flows::new(),
            limits,
            base,
        }
    }
}
