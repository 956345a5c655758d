//! Error logs: what a server says, line by line.

mod apache;
mod nginx;
mod others;

use super::clf::is_address;
use super::escape;
use super::exchange::{Origin, split_port};
use super::line::Escape;
use why401_http::{Moment, Peer, Speaker, Statement, Words};
use why401_span::SourceId;

/// A line of an error log taken apart: slices of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Saying<'a> {
    /// The words, without what stands around them.
    pub(crate) text: &'a [u8],
    pub(crate) time: Option<Moment>,
    /// The client, with its port perhaps.
    pub(crate) client: Option<&'a [u8]>,
    pub(crate) user: Option<&'a [u8]>,
    /// A request line that is quoted.
    pub(crate) request: Option<&'a [u8]>,
    pub(crate) target: Option<&'a [u8]>,
    pub(crate) status: Option<u16>,
    pub(crate) code: Option<&'a [u8]>,
    pub(crate) level: Option<&'a [u8]>,
    pub(crate) product: Option<&'static str>,
    /// A number that the lines of one connection share.
    pub(crate) connection: Option<u64>,
}

/// Reads a line of any error log known here. `program` is what a syslog tag says.
pub(crate) fn parse<'a>(line: &'a [u8], program: Option<&[u8]>) -> Option<Saying<'a>> {
    // One `or_else` behind the other would copy what was found at each.
    let readers = [apache::parse, nginx::parse, others::lighttpd, others::squid, others::klog, others::juli];
    readers.iter().find_map(|read| read(line)).or_else(|| others::by_program(line, program))
}

/// Reads a line of an error log by itself, as far as [`Saying::words`] asks for it.
pub(crate) fn parse_words(line: &[u8]) -> Option<Saying<'_>> {
    let readers = [apache::words, nginx::words, others::lighttpd, others::squid, others::klog];
    readers.iter().find_map(|read| read(line)).or_else(|| others::by_program(line, None))
}

impl Saying<'_> {
    /// Its words, said at this time; `None` where they have to be looked at whole: a name that is spelt with escapes, a
    /// step of a connection.
    pub(crate) fn words(&self, time: Option<Moment>) -> Option<Words<'_>> {
        let is_step =
            self.connection.is_some() && self.level.is_some_and(|l| l.eq_ignore_ascii_case(b"debug"));
        if is_step || self.user.is_some_and(|user| user.contains(&b'\\')) {
            return None;
        }
        let client = self.client.map(|c| split_port(c).0);
        Some(Words { text: self.text, time, client, user: self.user })
    }

    /// The statement that it is; `whole` is the line and `origin` its place.
    pub(crate) fn statement(&self, source: SourceId, whole: &[u8], origin: &Origin<'_>) -> Statement {
        let mut statement = Statement::new(source, Speaker::ServerLog, origin.cut(whole, self.text));
        // nginx writes what it was sent as it came.
        let escape = if self.product == Some("nginx") { Escape::None } else { Escape::Backslash };
        let text = |part: &[u8]| escape::undo(origin.cut(whole, part), escape, false).to_text().into_owned();
        statement.time = self.time;
        statement.client = self.client.map(|c| {
            let (host, port) = split_port(c);
            Peer { host: String::from_utf8_lossy(host).into_owned(), port }
        });
        statement.user =
            self.user.map(|u| escape::undo(origin.cut(whole, u), escape, true).to_text().into_owned());
        if let Some(request) = self.request {
            let request = text(request);
            let (method, rest) = request.split_once(' ').unwrap_or((&request, ""));
            statement.method = Some(method.to_owned()).filter(|m| !m.is_empty());
            let end = rest.rfind(" HTTP/").unwrap_or(rest.len());
            statement.target = rest.get(..end).filter(|t| !t.is_empty()).map(str::to_owned);
        }
        if let Some(target) = self.target {
            statement.target = Some(text(target));
        }
        statement.status = self.status;
        statement.code = self.code.map(|c| String::from_utf8_lossy(c).into_owned());
        statement.product = self.product;
        statement.level = self.level.map(|l| String::from_utf8_lossy(l).to_ascii_lowercase());
        statement
    }
}

/// The part of `text` between `start` and the first `end` behind it.
fn between<'a>(text: &'a [u8], start: &[u8], end: &[u8]) -> Option<&'a [u8]> {
    let from = find(text, start)? + start.len();
    let rest = text.get(from..)?;
    rest.get(..find(rest, end)?)
}

/// Where `part` stands first in `text`, whose words are few.
fn find(text: &[u8], part: &[u8]) -> Option<usize> {
    let mut places = memchr::memchr_iter(*part.first()?, text);
    places.find(|at| text.get(*at..).is_some_and(|rest| rest.starts_with(part)))
}

/// Where `part` stands last in `text`. The words of a line are few: to get ready for a search would take longer than it.
fn rfind(text: &[u8], part: &[u8]) -> Option<usize> {
    let mut places = memchr::memrchr_iter(*part.first()?, text);
    places.find(|at| text.get(*at..).is_some_and(|rest| rest.starts_with(part)))
}

/// Whether this may be an address with or without a port.
fn is_peer(text: &[u8]) -> bool {
    is_address(text)
        || (!text.is_empty() && text.iter().all(|b| b.is_ascii_alphanumeric() || b".-_:".contains(b)))
}
