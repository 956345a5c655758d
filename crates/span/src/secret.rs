//! Values that must not be shown.

use std::fmt;

/// A value that shows its contents through neither `Debug` nor `Display`.
#[derive(Clone, PartialEq, Eq, Hash, Default)]
pub struct Secret<T>(T);

impl<T> Secret<T> {
    /// Wraps a value.
    pub fn new(value: T) -> Self {
        Secret(value)
    }

    /// The value itself, for comparing and decoding, never for output.
    pub fn expose(&self) -> &T {
        &self.0
    }
}

impl<T> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(•••)")
    }
}

/// The same text with every character in place of which `hide` says so shown as `•`, so that widths still align.
///
/// `hide` is asked with the byte offset of each character.
pub fn mask(text: &str, hide: impl Fn(usize) -> bool) -> String {
    text.char_indices().map(|(i, c)| if hide(i) { '•' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_a_secret_is_shown() {
        assert_eq!(format!("{:?}", Secret::new("hunter2")), "Secret(•••)");
    }

    #[test]
    fn masking_keeps_the_width() {
        assert_eq!(mask("Basic QTpC", |i| i >= 6), "Basic ••••");
    }
}
