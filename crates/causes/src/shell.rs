//! Text of the evidence inside a command that somebody may copy into a shell.

/// The text as one word for a POSIX shell, whatever it holds; control characters are left out.
pub(crate) fn quote(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-._~/:@%+=,".contains(c);
    let safe: String = text.chars().filter(|c| !c.is_control()).collect();
    if !safe.is_empty() && safe.chars().all(plain) {
        return safe;
    }
    format!("'{}'", safe.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::quote;

    #[test]
    fn no_text_leaves_its_quotes() {
        assert_eq!(quote("https://example.com/a"), "https://example.com/a");
        assert_eq!(quote("https://example.com/$(rm -rf ~)"), "'https://example.com/$(rm -rf ~)'");
        assert_eq!(quote("a'; b"), r"'a'\''; b'");
        assert_eq!(quote("a\nb"), "ab");
    }
}
