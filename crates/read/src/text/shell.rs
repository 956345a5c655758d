//! The words of a command line, as far as a shell's quoting goes.

use std::ops::Range;

/// A word of a command line.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Word {
    /// The word, unquoted.
    pub(crate) value: String,
    /// Where it stands in the line.
    pub(crate) range: Range<usize>,
    /// Whether the shell puts something else in its place (`$TOKEN`, `$(pass show x)`), so that the value is not known.
    pub(crate) expands: bool,
    /// Whether it is an operator (`|`, `&&`, `;`, `>`).
    pub(crate) operator: bool,
}

/// More words of one line are not looked at.
const MOST_WORDS: usize = 2000;

/// Takes a command line apart. Quotes that are not closed end with the line.
pub(crate) fn words(line: &str) -> Vec<Word> {
    let mut words = Vec::new();
    let mut chars = line.char_indices().peekable();
    while let Some(&(start, c)) = chars.peek() {
        if words.len() >= MOST_WORDS {
            break;
        }
        if c.is_whitespace() {
            chars.next();
            continue;
        }
        if matches!(c, '|' | ';' | '&' | '>' | '<') {
            let mut value = String::new();
            while let Some((_, c)) = chars.next_if(|(_, c)| matches!(c, '|' | ';' | '&' | '>' | '<')) {
                value.push(c);
            }
            let range = start..start + value.len();
            words.push(Word { value, range, expands: false, operator: true });
            continue;
        }
        words.push(word(line, start, &mut chars));
    }
    words
}

fn word(line: &str, start: usize, chars: &mut std::iter::Peekable<std::str::CharIndices<'_>>) -> Word {
    let mut value = String::new();
    let mut expands = false;
    let mut quote = None;
    let mut end = line.len();
    while let Some(&(at, c)) = chars.peek() {
        match quote {
            None if c.is_whitespace() || matches!(c, '|' | ';' | '<' | '>') => {
                end = at;
                break;
            }
            // An ampersand in an address that nobody quoted is meant as part of it.
            None if c == '&' && !value.contains("://") => {
                end = at;
                break;
            }
            None if matches!(c, '\'' | '"') => quote = Some(c),
            Some(q) if c == q => quote = None,
            Some('"') | None if c == '\\' => {
                chars.next();
                let next = chars.peek().map(|(_, c)| *c);
                match next {
                    // `$'..\n'` aside, a backslash takes the meaning from these only; `C:\dir` keeps its own.
                    Some(n)
                        if matches!(n, '"' | '\\' | '$' | '`')
                            || (quote.is_none()
                                && matches!(n, ' ' | '\'' | '&' | '?' | '!' | '(' | ')' | ';' | '|')) =>
                    {
                        value.push(n)
                    }
                    Some('\n') => {}
                    Some(n) => {
                        value.push('\\');
                        value.push(n);
                    }
                    None => break,
                }
            }
            Some('\'') => value.push(c),
            _ => {
                let next = line.get(at + c.len_utf8()..).and_then(|r| r.chars().next());
                expands |= c == '`'
                    || (c == '$'
                        && next
                            .is_some_and(|n| n.is_alphabetic() || matches!(n, '{' | '(' | '_' | '@' | '*')));
                value.push(c);
            }
        }
        chars.next();
    }
    Word { value, range: start..end, expands, operator: false }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(line: &str) -> Vec<String> {
        words(line).into_iter().map(|w| w.value).collect()
    }

    #[test]
    fn quotes_of_every_kind_are_undone() {
        assert_eq!(
            values(r#"curl -u 'alice:p w' -H "X: \"a\"" https://h/?a=1&b=2 | jq ."#),
            ["curl", "-u", "alice:p w", "-H", "X: \"a\"", "https://h/?a=1&b=2", "|", "jq", "."]
        );
        assert_eq!(values(r"dir C:\Users\x a\ b"), ["dir", r"C:\Users\x", "a b"]);
        assert_eq!(values("echo 'open"), ["echo", "open"]);
    }

    #[test]
    fn what_a_shell_replaces_is_marked() {
        let all = words(r#"a "$TOKEN" '$TOKEN' $(pass) 5$ "${X}""#);
        let marked: Vec<_> = all.iter().map(|w| w.expands).collect();
        assert_eq!(marked, [false, true, false, true, false, true]);
        assert_eq!(all[1].range, 2..10);
    }
}
