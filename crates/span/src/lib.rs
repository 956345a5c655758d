//! Where in the given bytes a thing stands, through every transformation.
//!
//! Evidence reaches a cause through many layers: TCP reassembly, TLS, de-chunking, JSON unescaping, the `> ` of a
//! curl transcript. Each layer makes a [`Derived`] buffer whose pieces remember the [`Span`] of the source that
//! they came from, so that a finding can always point at the bytes that the user gave.

mod derived;
mod secret;

pub use derived::{Builder, Derived, Located};
pub use secret::{Secret, mask};

/// One piece of evidence among those given, by its position in the list of sources.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct SourceId(pub u32);

/// A decompressed or decrypted stream inside a source, by its position in that source's list of layers.
///
/// Offsets that no longer exist in the source itself (a gzip body, a TLS stream) count from the start of such a
/// stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LayerId(pub u32);

/// A half-open range of bytes, `start..end`, in a source or in a layer of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Span {
    /// The source.
    pub source: SourceId,
    /// The stream inside the source that the offsets count in; `None` for the source itself.
    pub layer: Option<LayerId>,
    /// Offset of the first byte.
    pub start: u64,
    /// Offset behind the last byte.
    pub end: u64,
    /// 1-based number of the line that `start` stands on; 0 where lines do not exist or were not counted.
    ///
    /// Carried along, since a source of many gigabytes is not there any more when a finding is rendered.
    pub line: u32,
}

impl Span {
    /// The range `start..end` of the source itself, on no particular line.
    pub fn new(source: SourceId, start: u64, end: u64) -> Self {
        Span { source, layer: None, start, end: end.max(start), line: 0 }
    }

    /// The same range, known to begin on this 1-based line.
    pub fn on_line(self, line: u32) -> Self {
        Span { line, ..self }
    }

    /// The same range, counted in a layer of the source.
    pub fn in_layer(self, layer: LayerId) -> Self {
        Span { layer: Some(layer), ..self }
    }

    /// How many bytes it covers.
    pub fn len(&self) -> u64 {
        self.end.saturating_sub(self.start)
    }

    /// Whether it covers no byte.
    pub fn is_empty(&self) -> bool {
        self.end <= self.start
    }
}
