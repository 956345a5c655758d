//! What the fold wants to know of a request: slices of its line.

/// Whom a log line names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Claimed<'a> {
    /// The format has no user.
    #[default]
    NotLogged,
    /// `-`.
    Dash,
    /// An empty name.
    Empty,
    /// This name.
    Name(&'a [u8]),
}

/// A request and its answer as a log line shows them; all texts as they are spelt there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Seen<'a> {
    /// Who asked; empty if the line does not tell.
    pub client: &'a [u8],
    /// Whom the line names.
    pub user: Claimed<'a>,
    /// The status; 0 if there is none.
    pub status: u16,
    /// Milliseconds since 1970.
    pub time: Option<i64>,
    /// The method.
    pub method: &'a [u8],
    /// The target without its query.
    pub path: &'a [u8],
    /// The user agent.
    pub agent: &'a [u8],
    /// The HTTP version.
    pub version: &'a [u8],
    /// Who was asked, where the line tells.
    pub host: &'a [u8],
    /// Further codes of the answer (IIS: substatus and Win32 status), 0 if none.
    pub code: u64,
    /// Whether the codes say that this is a step of an integrated handshake (IIS: 401.2, `SEC_E_NO_CREDENTIALS`).
    pub handshake: bool,
    /// Whether the line names the cause of its answer, as those of `why401 gate` do.
    pub names_cause: bool,
    /// Offset of the line in its source.
    pub offset: u64,
    /// The line itself, where it cannot be read again by its offset; else empty.
    pub text: &'a [u8],
}

impl Seen<'_> {
    /// Whether a name is given.
    pub fn is_named(&self) -> bool {
        matches!(self.user, Claimed::Name(_))
    }

    /// Whether the answer lets the request in as far as authentication goes; as `why401_history::Attempt::let_in`
    /// decides where nothing but the status is known.
    #[inline]
    pub fn let_in(&self) -> bool {
        match self.status {
            404..=406 | 409 | 410 | 412 | 415 | 416 => !self.names_cause,
            101 | 200..=399 | 422 => true,
            _ => false,
        }
    }

    /// Of a request that names nobody: whether it was refused with 401. `None` where it was not served either.
    #[inline]
    pub(crate) fn open(&self) -> Option<bool> {
        match (self.user, self.status) {
            (Claimed::Name(_) | Claimed::Empty, _) => None,
            (_, 401) => Some(true),
            (_, 101 | 200..=299 | 304) => Some(false),
            _ => None,
        }
    }

    /// Whether a chain with this in it has to be explained; as `why401_history::Case` decides.
    #[inline]
    pub fn wants_explanation(&self) -> bool {
        match self.status {
            401 | 403 | 407 | 495 | 496 => true,
            400..=599 if self.names_cause => true,
            400 | 500 | 502 | 503 | 504 => self.is_named(),
            _ => false,
        }
    }
}
