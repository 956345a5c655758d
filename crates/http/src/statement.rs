//! What somebody said about a refusal outside the messages themselves.

use crate::{Moment, Peer};
use why401_span::{Derived, SourceId};

/// Who said it; decides what it can prove.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Speaker {
    /// The server's or application's own log.
    ServerLog,
    /// A client program: its standard error, its exception, curl's `*` lines.
    Client,
    /// The page that a browser shows for the refusal.
    Page,
    /// A person who describes what happens.
    Person,
    /// A configuration file or a part of one.
    Configuration,
}

/// A line (or paragraph) of a log, of a program's output, or of what a person wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// The evidence it was read from.
    pub source: SourceId,
    /// Who said it.
    pub speaker: Speaker,
    /// The words.
    pub text: Derived,
    /// When.
    pub time: Option<Moment>,
    /// The client that the words are about.
    pub client: Option<Peer>,
    /// The user that the words name.
    pub user: Option<String>,
    /// The method of the request that the words are about.
    pub method: Option<String>,
    /// The target of the request that the words are about.
    pub target: Option<String>,
    /// The status that the words name.
    pub status: Option<u16>,
    /// The server's own code for it: `AH01617`.
    pub code: Option<String>,
    /// The product whose format the line has: `apache`, `nginx` ... where that is certain.
    pub product: Option<&'static str>,
    /// The severity as logged, in lower case: `error`, `debug`.
    pub level: Option<String>,
    /// The exchange of the same source that the words were printed beside (curl's `*` lines), by its index.
    pub beside: Option<u64>,
}

impl Statement {
    /// Words of which nothing but the speaker is known.
    pub fn new(source: SourceId, speaker: Speaker, text: Derived) -> Self {
        Statement {
            source,
            speaker,
            text,
            time: None,
            client: None,
            user: None,
            method: None,
            target: None,
            status: None,
            code: None,
            product: None,
            level: None,
            beside: None,
        }
    }
}

/// Words of a log as they are spelt there, before a statement is made of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Words<'a> {
    /// The words.
    pub text: &'a [u8],
    /// When.
    pub time: Option<Moment>,
    /// The client that they are about, without its port.
    pub client: Option<&'a [u8]>,
    /// The user that they name.
    pub user: Option<&'a [u8]>,
}

impl Statement {
    /// Its words.
    pub fn words(&self) -> Words<'_> {
        Words {
            text: self.text.as_bytes(),
            time: self.time,
            client: self.client.as_ref().map(|c| c.host.as_bytes()),
            user: self.user.as_deref().map(str::as_bytes),
        }
    }
}
