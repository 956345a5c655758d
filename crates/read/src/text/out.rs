//! Where dialects put what they read, and what they tell each other.

use super::asked;
use super::command::Command;
use super::lines::Line;
use super::words;
use crate::Sink;
use crate::logs::InText;
use why401_http::{Exchange, Fact, FactKind, Request, Shows, Speaker, Statement};
use why401_span::{Builder, Derived, SourceId};

/// Everything of the messages, but perhaps not every message: what a person chose to paste.
pub(crate) const MESSAGES: Shows = Shows { every_request: false, ..Shows::EVERYTHING };

/// Responses only, such as `curl -i` and `wget -S` print.
pub(crate) const RESPONSES: Shows =
    Shows { response_fields: true, body: true, every_request: false, ..Shows::LOG_LINE };

/// A request and a status, no fields of either.
pub(crate) const LINES: Shows = Shows { every_request: false, ..Shows::LOG_LINE };

/// The sink, with what has been counted so far.
pub(crate) struct Out<'a> {
    pub(crate) sink: &'a mut dyn Sink,
    pub(crate) source: SourceId,
    /// Index of the next exchange.
    index: u64,
    connections: u64,
    /// The last command line, until something else has become of it.
    pub(crate) command: Option<Command>,
    /// The last request, until its answer comes.
    pub(crate) waiting: Option<Request>,
    /// What the words before named, until an exchange comes.
    pub(crate) told: Told,
    codes: Vec<String>,
    /// Readers of log lines.
    pub(crate) logs: InText,
}

/// What words named of a request whose fields are printed behind them.
#[derive(Debug, Default)]
pub(crate) struct Told {
    /// A status.
    pub(crate) status: Option<u16>,
    /// A method and a target.
    pub(crate) request: Option<(String, String)>,
}

/// As many codes of one source are told as facts.
const MOST_CODES: usize = 64;

impl<'a> Out<'a> {
    pub(crate) fn new(source: SourceId, sink: &'a mut dyn Sink) -> Self {
        Out {
            sink,
            source,
            index: 0,
            connections: 0,
            command: None,
            waiting: None,
            told: Told::default(),
            codes: Vec::new(),
            logs: InText::default(),
        }
    }

    /// An exchange of this source; it gets its index when it is given to [`Out::exchange`].
    pub(crate) fn new_exchange(&self, shows: Shows) -> Exchange {
        Exchange::new(self.source, self.index, shows)
    }

    /// The index that the next exchange gets.
    pub(crate) fn index(&self) -> u64 {
        self.index
    }

    /// Gives an exchange.
    pub(crate) fn exchange(&mut self, mut exchange: Exchange) {
        exchange.index = self.index;
        self.told = Told::default();
        self.index += 1;
        self.sink.exchange(exchange);
    }

    /// A number that no connection of this source has had.
    pub(crate) fn new_connection(&mut self) -> u64 {
        self.connections += 1;
        self.connections - 1
    }

    /// Gives the request that waits for an answer which does not come.
    pub(crate) fn flush(&mut self) {
        if let Some(request) = self.waiting.take() {
            let mut exchange = self.new_exchange(MESSAGES);
            exchange.request = Some(request);
            self.exchange(exchange);
        }
    }

    /// Gives an answer that stands alone the request that the command line above it makes.
    pub(crate) fn complete_by_command(&mut self, exchange: &mut Exchange) {
        let Some(command) = self.command.take_if(|c| c.asks()) else { return };
        if exchange.request.is_none() {
            let (request, known) = asked::request(&command);
            exchange.request = Some(request);
            exchange.shows.authorization = known;
            exchange.shows.cookies = known;
            exchange.shows.request_fields = known;
        }
    }

    /// Words, with the status, code and user that they name.
    pub(crate) fn words(&self, speaker: Speaker, text: Derived) -> Statement {
        let mut s = Statement::new(self.source, speaker, text);
        words::fill(&mut s);
        s
    }

    /// Gives a statement, and the codes in it as facts.
    pub(crate) fn say(&mut self, statement: Statement) {
        self.told.status = statement.status.or(self.told.status);
        if let (Some(method), Some(target)) = (&statement.method, &statement.target) {
            self.told.request = Some((method.clone(), target.clone()));
        }
        if statement.speaker != Speaker::ServerLog {
            for (range, code) in words::codes(&statement.text.to_text()) {
                if self.codes.len() < MOST_CODES && !self.codes.contains(&code) {
                    self.codes.push(code.clone());
                    let text = statement.text.slice(range);
                    self.sink.fact(Fact { source: self.source, text, kind: FactKind::Code(code) });
                }
            }
        }
        self.sink.statement(statement);
    }

    /// Gives the words of a line.
    pub(crate) fn say_line(&mut self, speaker: Speaker, line: &Line) {
        if !line.is_blank() {
            let s = self.words(speaker, line.text.trimmed());
            self.say(s);
        }
    }

    /// Gives context.
    pub(crate) fn fact(&mut self, text: Derived, kind: FactKind) {
        self.sink.fact(Fact { source: self.source, text, kind });
    }
}

/// Lines put together to one text, up to a limit.
#[derive(Debug, Default)]
pub(crate) struct Paragraph {
    text: Builder,
    /// Whether something was left out.
    pub(crate) cut: bool,
    /// Where the last line that is not blank ends.
    content: usize,
    pending: Option<Derived>,
}

/// More of one text is not kept.
pub(crate) const MOST_PARAGRAPH: usize = why401_http::BODY_EXCERPT;

impl Paragraph {
    /// Adds a line; its line break comes with the next one.
    pub(crate) fn push(&mut self, line: &Line) {
        if self.text.len() + line.text.len() > MOST_PARAGRAPH {
            let room = MOST_PARAGRAPH.saturating_sub(self.text.len() + 2);
            if room == 0 || self.cut {
                self.cut = true;
                return;
            }
            self.cut = true;
        }
        if let Some(eol) = self.pending.take() {
            self.text.push_part(&eol, 0..eol.len());
        }
        let room = MOST_PARAGRAPH.saturating_sub(self.text.len());
        self.text.push_part(&line.text, 0..line.text.len().min(room));
        self.pending = Some(line.eol.clone());
        if !line.is_blank() {
            self.content = self.text.len();
        }
    }

    /// How many bytes it has, line breaks included.
    pub(crate) fn len(&self) -> usize {
        self.text.len() + self.pending.as_ref().map_or(0, Derived::len)
    }

    /// Whether there is anything but blank lines.
    pub(crate) fn has_content(&self) -> bool {
        self.content > 0
    }

    /// The text without blank lines at its end.
    pub(crate) fn finish(self) -> Derived {
        let content = self.content;
        self.text.finish().slice(0..content)
    }

    /// The text with the last line break.
    pub(crate) fn finish_whole(mut self) -> Derived {
        if let Some(eol) = self.pending.take() {
            self.text.push_part(&eol, 0..eol.len());
        }
        self.text.finish()
    }
}
