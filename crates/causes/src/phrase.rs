//! Words of a text side by side, whatever stands between them.

/// A text as its words in lower case, one blank before and behind each: `" doesn t work "`.
pub(crate) fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push(' ');
    for c in text.chars() {
        if c.is_alphanumeric() {
            out.extend(c.to_lowercase());
        } else if !out.ends_with(' ') {
            out.push(' ');
        }
    }
    if !out.ends_with(' ') {
        out.push(' ');
    }
    out
}

/// Whether a phrase stands in a [`plain`] text; one that ends in `~` is the beginning of a word.
pub(crate) fn has(plain: &str, phrase: &str) -> bool {
    let (stem, open) = phrase.strip_suffix('~').map_or((phrase, false), |s| (s, true));
    memchr::memmem::find_iter(plain.as_bytes(), stem.as_bytes()).any(|at| {
        let before = at.checked_sub(1).and_then(|i| plain.as_bytes().get(i));
        let behind = plain.as_bytes().get(at + stem.len());
        before == Some(&b' ') && (open || behind == Some(&b' '))
    })
}

/// Whether any of the phrases stands there.
pub(crate) fn any(plain: &str, phrases: &[&str]) -> bool {
    phrases.iter().any(|p| has(plain, p))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phrases_are_found_as_words() {
        let text = plain("It doesn't work: the *proxy* (nginx/1.2) restarts.");
        assert_eq!(text, " it doesn t work the proxy nginx 1 2 restarts ");
        for phrase in ["it", "doesn t work", "restart~", "nginx 1"] {
            assert!(has(&text, phrase), "{phrase}");
        }
        for phrase in ["restart", "prox", "t work the pro", "ginx~"] {
            assert!(!has(&text, phrase), "{phrase}");
        }
        assert!(!has(&plain(""), "a"));
    }
}
