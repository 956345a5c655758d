//! The stations, in the groups of the catalogue.

mod handshakes;
mod healthy;
mod neighbours;
mod not_sent;
mod refused;
mod request;
mod server;
mod tokens;
mod unreadable;

use crate::station::Station;

pub(crate) use neighbours::proxy;

/// Every group with its title.
pub(crate) static GROUPS: &[(&str, &[Station])] = &[
    ("Nothing is wrong", healthy::STATIONS),
    ("No usable credentials reached the server", not_sent::STATIONS),
    ("Credentials that no server could read", unreadable::STATIONS),
    ("Credentials that the server read and refused", refused::STATIONS),
    ("Tokens", tokens::STATIONS),
    ("Handshakes", handshakes::STATIONS),
    ("The request rather than the credentials", request::STATIONS),
    ("The server, or what stands before it", server::STATIONS),
    ("Neighbours of the 401", neighbours::STATIONS),
];
