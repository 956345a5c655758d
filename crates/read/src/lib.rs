//! One module an evidence format; the format is found by content, never by name alone.
//!
//! A format takes bytes and gives what it could read to a [`Sink`]. It knows nothing of causes. To add one, write a
//! module with a [`Format`] and enter it in [`FORMATS`].

pub mod capture;
mod compressed;
mod format;
mod har;
pub mod http1;
mod logs;
mod sink;
mod text;

pub use capture::Live;
pub use compressed::{Coding, LAYER, Plain};
pub use format::{FORMATS, Format, HEAD, Input, detect, read, read_buffered};
pub use logs::bulk;
pub use sink::{Alike, Collected, Likeness, Sink};
pub use text::{address, code, configuration};
pub use why401_tls::KeyLog;
