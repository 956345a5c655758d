//! What the lab knows while it runs, and how a request finds its answer.

use crate::keys::Keys;
use crate::log::Logs;
use crate::memory::Memory;
use crate::message::{Answer, Request};
use crate::station::{self, Call};
use crate::tls::Authority;
use crate::{index, mint, quirk};
use std::sync::{Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};
use why401_verify::digest::Nonces;

/// What lasts as long as the lab.
pub(crate) struct Lab {
    pub(crate) authority: Authority,
    pub(crate) keys: Keys,
    /// Nonces of Digest and DPoP that live for minutes.
    pub(crate) nonces: Nonces,
    memory: Mutex<Memory>,
    logs: Logs,
}

/// What lasts as long as one connection.
#[derive(Debug, Default)]
pub(crate) struct Session {
    /// The challenge of an NTLM handshake that is under way.
    pub(crate) ntlm: Option<[u8; 8]>,
}

impl Lab {
    pub(crate) fn new(authority: Authority, logs: Logs) -> Lab {
        let keys = Keys::default();
        let nonces = Nonces::new(&crate::keys::random::<32>(), 300);
        Lab { authority, keys, nonces, memory: Mutex::new(Memory::default()), logs }
    }

    /// The present, in seconds since 1970.
    #[allow(clippy::disallowed_methods, reason = "a server has a clock; what verifies is given the time")]
    pub(crate) fn now(&self) -> i64 {
        SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |d| i64::try_from(d.as_secs()).unwrap_or(i64::MAX))
    }

    /// What experiments with several requests remember.
    pub(crate) fn remember<T>(&self, with: impl FnOnce(&mut Memory) -> T) -> T {
        with(&mut self.memory.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Writes an exchange to the logs.
    pub(crate) fn log(&self, request: &Request, answer: &Answer, sent: usize) {
        self.logs.write(request, answer, sent, self.now());
    }

    /// The answer to a request.
    pub(crate) fn answer(&self, request: &Request, session: &mut Session) -> Answer {
        let mut call = Call { lab: self, request, session, rest: "" };
        let answer = if request.is_for_a_proxy() {
            crate::stations::proxy(&mut call)
        } else {
            match request.path() {
                "/" => index::page(request),
                "/index.json" => index::json(),
                path => match mint::answer(&call, path) {
                    Some(answer) => answer,
                    None => match station::find(path) {
                        Some((station, rest)) => {
                            call.rest = rest;
                            (station.serve)(&mut call)
                        }
                        None => Answer::text(404, "nothing stands here: / lists what does\n"),
                    },
                },
            }
        };
        quirk::dress(answer, request, self.now())
    }
}
