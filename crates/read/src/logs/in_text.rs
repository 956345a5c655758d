//! Log lines that stand in a text of another kind.

use super::exchange::{Maker, Origin};
use super::reader::{Reading, Recogniser};
use why401_http::{Exchange, Statement};
use why401_span::{Derived, SourceId};

/// What one log line tells.
pub(crate) enum Told {
    /// A request and its answer.
    Exchange(Box<Exchange>),
    /// Words of a server.
    Statement(Box<Statement>),
}

/// Reads log lines that stand in a text of another kind.
#[derive(Default)]
pub(crate) struct InText(Recogniser);

impl InText {
    /// What a line tells; `None` if it is no line of a log known here.
    pub(crate) fn line(&self, text: &Derived, source: SourceId, index: u64) -> Option<Told> {
        let bytes = text.as_bytes();
        // What has no digit has neither a time nor a status.
        if bytes.len() < 16 || bytes.starts_with(b"{") || !bytes.iter().take(4096).any(u8::is_ascii_digit) {
            return None;
        }
        let origin = Origin::Derived(text);
        match self.0.recognise(bytes, None)? {
            Reading::Access(line) => {
                let exchange = Maker { whole: bytes, origin }.exchange(&line, source, index);
                exchange.status().map(|_| Told::Exchange(Box::new(exchange)))
            }
            Reading::Said(said) => Some(Told::Statement(Box::new(said.statement(source, bytes, &origin)))),
            Reading::Inside(_) => None,
        }
    }
}
