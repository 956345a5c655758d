//! Bytes that only their owner may see.

use std::borrow::Cow;
use std::fmt;

/// Secret bytes: a password, a token, a signature. `Debug` tells their number and nothing else; they are reached
/// only through [`Secret::expose`], so that every place where they could leave can be found by that name.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct Secret(Vec<u8>);

impl Secret {
    /// Wraps bytes.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Secret(bytes.into())
    }

    /// The bytes themselves. Whoever calls this sees to it that they go nowhere.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// The bytes as text; what is not UTF-8 is shown as U+FFFD. The same care applies.
    pub fn expose_text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.0)
    }

    /// How many bytes.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no byte.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// As many asterisks as the text has characters.
    pub fn masked(&self) -> String {
        mask(&self.0)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret({} bytes)", self.0.len())
    }
}

/// As many asterisks as `bytes` has characters, so that what stands beneath still aligns.
pub fn mask(bytes: &[u8]) -> String {
    "*".repeat(String::from_utf8_lossy(bytes).chars().count())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_no_byte() {
        let secret = Secret::new(*b"hunter2");
        assert_eq!(format!("{secret:?}"), "Secret(7 bytes)");
        assert_eq!(secret.masked(), "*******");
        assert_eq!(mask("pässwort".as_bytes()).len(), 8);
    }
}
