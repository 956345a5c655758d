//! The messages of one refusal, in the order in which they were sent.

use serde::Serialize;

/// Who takes part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Who asks.
    Client,
    /// Who passes on: a proxy, a gateway, a CDN.
    Intermediary,
    /// Who answers.
    Origin,
}

/// One of those who take part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Participant {
    /// What it does.
    pub role: Role,
    /// Its host, where the evidence names it.
    pub name: Option<String>,
}

/// A request or an answer.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Message {
    /// When, RFC 3339.
    pub time: Option<String>,
    /// Position among the participants.
    pub from: usize,
    /// Position among the participants.
    pub to: usize,
    /// Method and path, or the status.
    pub what: String,
    /// Whether this answer refuses.
    pub refused: bool,
    /// What it carries that has to do with authentication, masked; says so where nothing was sent or nothing is shown.
    pub carries: Vec<String>,
}

/// The messages between client, intermediaries and origins.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Sequence {
    /// From the left to the right.
    pub participants: Vec<Participant>,
    /// In order.
    pub messages: Vec<Message>,
    /// How many further requests there were.
    pub left_out: usize,
}
