//! Program text as tokens, in whatever language: words, strings and the rest. Enough to see what a call is given.

use std::ops::Range;

/// More of one text is not taken apart.
const MOST: usize = 20_000;

/// A token and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) range: Range<usize>,
}

/// What a token is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    /// A name or a number.
    Word(String),
    /// A string: what stands before its quote (`f`, `$`), the quote, what is inside.
    Text { prefix: String, quote: char, inside: String },
    /// Anything else but white space.
    Sign(char),
    /// The end of a line.
    Line,
}

impl Token {
    /// The name, if it is one.
    pub(super) fn word(&self) -> Option<&str> {
        match &self.kind {
            Kind::Word(word) => Some(word),
            _ => None,
        }
    }

    /// The inside of a string, if it is one.
    pub(super) fn text(&self) -> Option<&str> {
        match &self.kind {
            Kind::Text { inside, .. } => Some(inside),
            _ => None,
        }
    }

    /// Whether it is this sign.
    pub(super) fn is(&self, sign: char) -> bool {
        self.kind == Kind::Sign(sign)
    }
}

/// Takes a text apart. A quote that is not closed on its line is a sign of its own.
pub(super) fn of(text: &str) -> Vec<Token> {
    let mut tokens: Vec<Token> = Vec::new();
    let mut at = 0;
    while let Some(c) = text.get(at..).and_then(|t| t.chars().next()) {
        if tokens.len() >= MOST {
            break;
        }
        let rest = text.get(at..).unwrap_or_default();
        let start = at;
        // The fence of a block in Markdown is no string.
        if rest.starts_with("```") {
            at += rest.find('\n').unwrap_or(rest.len());
            continue;
        }
        let is_word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '$');
        if matches!(c, '"' | '\'' | '`')
            && let Some(len) = string(rest, c)
        {
            let inside = rest.get(1..len - 1).unwrap_or_default().to_owned();
            // A prefix is glued to its quote.
            let glued = tokens.last().filter(|t| t.range.end == at).and_then(Token::word);
            let prefix = glued.filter(|w| w.len() <= 2).map(str::to_owned);
            let from = match &prefix {
                Some(_) => tokens.pop().map_or(start, |t| t.range.start),
                None => start,
            };
            at += len;
            let kind = Kind::Text { prefix: prefix.unwrap_or_default(), quote: c, inside };
            tokens.push(Token { kind, range: from..at });
        } else if is_word(c) {
            let len = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
            at += len;
            let word = rest.get(..len).unwrap_or_default().to_owned();
            tokens.push(Token { kind: Kind::Word(word), range: start..at });
        } else {
            at += c.len_utf8();
            let kind = if c == '\n' { Kind::Line } else { Kind::Sign(c) };
            if c == '\n' || !c.is_whitespace() {
                tokens.push(Token { kind, range: start..at });
            }
        }
    }
    tokens
}

/// The length of the string that a text begins with, its quotes included.
fn string(text: &str, quote: char) -> Option<usize> {
    let mut escaped = false;
    for (i, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '\n' if quote != '`' => return None,
            c if c == quote => return Some(i + 1),
            _ => {}
        }
    }
    None
}

/// The arguments of the call whose opening parenthesis is `open`, apart; what follows the call.
pub(super) fn arguments(tokens: &[Token], open: usize) -> Option<(Vec<&[Token]>, usize)> {
    tokens.get(open).filter(|t| t.is('('))?;
    let mut found = Vec::new();
    let (mut depth, mut from) = (0_usize, open + 1);
    for (i, t) in tokens.iter().enumerate().skip(open) {
        match t.kind {
            Kind::Sign('(' | '[' | '{') => depth += 1,
            Kind::Sign(')' | ']' | '}') => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    found.push(tokens.get(from..i)?);
                    let without = |a: &&[Token]| a.iter().any(|t| t.kind != Kind::Line);
                    return Some((found.into_iter().filter(without).collect(), i + 1));
                }
            }
            Kind::Sign(',') if depth == 1 => {
                found.push(tokens.get(from..i)?);
                from = i + 1;
            }
            _ => {}
        }
    }
    None
}

/// The names of an object literal's own members.
pub(super) fn members(object: &[Token]) -> Vec<(&str, &Token)> {
    let mut depth = 0_usize;
    let mut found = Vec::new();
    // Named arguments are no object.
    if !object.iter().find(|t| t.kind != Kind::Line).is_some_and(|t| t.is('{')) {
        return found;
    }
    for (i, t) in object.iter().enumerate() {
        match t.kind {
            Kind::Sign('(' | '[' | '{') => depth += 1,
            Kind::Sign(')' | ']' | '}') => depth = depth.saturating_sub(1),
            _ => {}
        }
        let named = object.get(i + 1).is_some_and(|n| n.is(':') || n.is(',') || n.is('}'));
        if depth == 1
            && named
            && let Some(name) = t.word().or(t.text())
        {
            // `{ headers }` and `headers: …`, not a value.
            let before = object.get(..i).and_then(|b| b.iter().rev().find(|t| t.kind != Kind::Line));
            if before.is_some_and(|b| b.is('{') || b.is(',')) {
                found.push((name, t));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_words_and_signs_are_told_apart() {
        let tokens = of("h = f\"a {b}\" + it's, `x\ny`");
        let kinds: Vec<_> = tokens.iter().map(|t| t.kind.clone()).collect();
        assert_eq!(kinds.len(), 9);
        assert_eq!(kinds[2], Kind::Text { prefix: "f".into(), quote: '"', inside: "a {b}".into() });
        assert_eq!(kinds[5], Kind::Sign('\''));
        assert_eq!(kinds[8], Kind::Text { prefix: String::new(), quote: '`', inside: "x\ny".into() });
    }

    #[test]
    fn a_fence_begins_no_string() {
        let tokens = of("```php\n'a'\n```\nb `c`");
        let texts: Vec<_> = tokens.iter().filter_map(Token::text).collect();
        assert_eq!(texts, ["a", "c"]);
    }

    #[test]
    fn arguments_and_members_are_found() {
        let tokens = of("axios.post(url, { headers: { a: [1, 2] }, data }, c)");
        let (all, _) = arguments(&tokens, 3).unwrap();
        assert_eq!(all.len(), 3);
        let names: Vec<_> = members(all[1]).into_iter().map(|(n, _)| n).collect();
        assert_eq!(names, ["headers", "data"]);
        assert!(arguments(&tokens, 0).is_none());
        for broken in ["f(", "f({)", "'", "\"\\", "`"] {
            let tokens = of(broken);
            let _ = arguments(&tokens, 1);
            members(&tokens);
        }
    }
}
