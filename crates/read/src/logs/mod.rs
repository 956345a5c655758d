//! Logs: access logs of every server, error logs, in text and JSON, plain or wrapped by syslog and containers.
//!
//! [`reader`] takes lines and gives each to the readers of formats until one knows it; what a reader gives is a
//! [`line::Line`] of slices. A product is added by one small file in [`products`].

mod apache_format;
mod blocks;
pub mod bulk;
mod captured;
mod clf;
mod escape;
mod exchange;
mod formats;
mod given;
mod in_text;
mod json;
mod line;
mod lines;
mod nginx_debug;
mod nginx_format;
mod part;
mod plan;
mod products;
mod reader;
mod said;
mod time;
mod w3c;
mod wrapper;

pub(crate) use formats::{ACCESS_LOG, ERROR_LOG, IIS, JSON_LOG};
pub(crate) use in_text::{InText, Told};

/// An ISO 8601 time of another format than a log.
pub(crate) fn moment(text: &[u8]) -> Option<why401_http::Moment> {
    time::whole(text, false)
}

/// What the escape of a JSON string that `text` begins with stands for, and its length.
pub(crate) fn unescape(text: &[u8]) -> Option<(usize, Vec<u8>)> {
    escape::json(text)
}
