//! One request and its answer, as one vantage point saw them.

use crate::{Moment, Request, Response};
use why401_span::{Derived, SourceId};

/// One end of a connection. The name is what the evidence has: an IP address, or a host name.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Peer {
    /// IP address or host name.
    pub host: String,
    /// Port, where known.
    pub port: Option<u16>,
}

impl std::fmt::Display for Peer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.port {
            Some(port) if self.host.contains(':') => write!(f, "[{}]:{port}", self.host),
            Some(port) => write!(f, "{}:{port}", self.host),
            None => f.write_str(&self.host),
        }
    }
}

/// What a vantage point shows at all, so that absence is not taken for proof.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shows {
    /// The request's `Authorization` (and `Proxy-Authorization`) would be seen if it was sent.
    pub authorization: bool,
    /// The request's `Cookie` would be seen.
    pub cookies: bool,
    /// The request's other fields would be seen.
    pub request_fields: bool,
    /// The response's fields would be seen.
    pub response_fields: bool,
    /// The response's content would be seen.
    pub body: bool,
    /// Every request of the client would be seen (a capture at the wire), not only the ones that a program logged.
    pub every_request: bool,
}

impl Shows {
    /// All there is: a packet capture, a transcript of a client that prints everything it sends.
    pub const EVERYTHING: Shows = Shows {
        authorization: true,
        cookies: true,
        request_fields: true,
        response_fields: true,
        body: true,
        every_request: true,
    };

    /// A line of an access log: no fields but those that the format names.
    pub const LOG_LINE: Shows = Shows {
        authorization: false,
        cookies: false,
        request_fields: false,
        response_fields: false,
        body: false,
        every_request: true,
    };
}

/// What an access log says of the user: the name that the client claimed, never a verified one.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum LoggedUser {
    /// The format has no user.
    #[default]
    NotLogged,
    /// `-`: none was claimed, or the server does not log refused names.
    Dash,
    /// An empty name was claimed (`""` in Apache).
    Empty,
    /// This name was claimed.
    Name(Derived),
}

/// What a log line says beside request and answer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LogWords {
    /// The whole line.
    pub line: Derived,
    /// The product whose format it is: `apache`, `nginx`, `iis`, `haproxy` ... where that is certain.
    pub product: Option<&'static str>,
    /// IIS substatus: the 3 of 401.3.
    pub substatus: Option<u16>,
    /// IIS `sc-win32-status`.
    pub win32: Option<u32>,
    /// Status, substatus and Win32 status as they stand beside each other in the line: `401 2 5`.
    pub codes: Option<Derived>,
    /// HAProxy's termination state, a proxy's result code, an error text in the line.
    pub remark: Option<Derived>,
    /// The server behind a proxy that it passed the request on to, as the proxy names it.
    pub upstream: Option<Derived>,
    /// Bytes of the answer, as logged.
    pub bytes: Option<u64>,
}

/// One request and its answer, as one vantage point saw them. Either half may be missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exchange {
    /// The evidence it was read from.
    pub source: SourceId,
    /// Its position in that source, from 0.
    pub index: u64,
    /// What this vantage point shows at all.
    pub shows: Shows,
    /// When the request was sent or logged.
    pub time: Option<Moment>,
    /// Who asked.
    pub client: Option<Peer>,
    /// Who was asked: the address on the wire.
    pub server: Option<Peer>,
    /// Exchanges of one source with the same number went over the same connection.
    pub connection: Option<u64>,
    /// The request.
    pub request: Option<Request>,
    /// The final answer.
    pub response: Option<Response>,
    /// The user of an access log.
    pub user: LoggedUser,
    /// The rest of a log line; most other evidence has none.
    pub log: Option<Box<LogWords>>,
}

impl Exchange {
    /// An exchange of which nothing is known yet.
    pub fn new(source: SourceId, index: u64, shows: Shows) -> Self {
        Exchange {
            source,
            index,
            shows,
            time: None,
            client: None,
            server: None,
            connection: None,
            request: None,
            response: None,
            user: LoggedUser::NotLogged,
            log: None,
        }
    }

    /// The status code of the answer; `None` where there is no answer.
    pub fn status(&self) -> Option<u16> {
        self.response.as_ref().map(|r| r.status)
    }
}
