//! Patterns of paths: `/{account}/{account}.sms`, `/v1/*/status`, `/files/**`.

use std::str::FromStr;

/// A pattern, segment by segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pattern {
    written: String,
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Literal(String),
    /// Text before and behind a name in braces or an asterisk.
    Hole {
        before: String,
        account: bool,
        behind: String,
    },
    Rest,
}

/// What matched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Matched<'a> {
    /// The account that the path names.
    pub(crate) account: Option<&'a str>,
}

impl FromStr for Pattern {
    type Err = String;

    fn from_str(text: &str) -> Result<Pattern, String> {
        let path = text.strip_prefix('/').ok_or_else(|| format!("{text:?} does not begin with a slash"))?;
        let count = path.split('/').count();
        let parts = path.split('/').enumerate().map(|(i, segment)| part(segment, i + 1 == count));
        let parts = parts.collect::<Result<_, _>>().map_err(|why| format!("{text:?}: {why}"))?;
        Ok(Pattern { written: text.to_owned(), parts })
    }
}

fn part(segment: &str, is_last: bool) -> Result<Part, String> {
    if segment == "**" {
        return if is_last {
            Ok(Part::Rest)
        } else {
            Err("** stands for the rest: it must be last".to_owned())
        };
    }
    let (before, hole, behind) = match (segment.find('{'), segment.find('*')) {
        (Some(open), None) => {
            let close = segment.find('}').filter(|c| *c > open).ok_or("a brace is not closed")?;
            (segment.get(..open), segment.get(open + 1..close), segment.get(close + 1..))
        }
        (None, Some(star)) => (segment.get(..star), Some(""), segment.get(star + 1..)),
        (Some(_), Some(_)) => return Err("one segment has one name or one asterisk".to_owned()),
        (None, None) if segment.contains('}') => return Err("a brace is not opened".to_owned()),
        (None, None) => return Ok(Part::Literal(segment.to_owned())),
    };
    let (before, hole, behind) =
        (before.unwrap_or_default(), hole.unwrap_or_default(), behind.unwrap_or_default());
    if behind.contains(['{', '}', '*']) {
        return Err("one segment has one name or one asterisk".to_owned());
    }
    if hole.is_empty() && segment.contains('{') {
        return Err("the braces hold no name".to_owned());
    }
    Ok(Part::Hole { before: before.to_owned(), account: hole == "account", behind: behind.to_owned() })
}

impl Pattern {
    /// As written.
    pub(crate) fn written(&self) -> &str {
        &self.written
    }

    /// Whether it names the account.
    pub(crate) fn names_account(&self) -> bool {
        self.parts.iter().any(|p| matches!(p, Part::Hole { account: true, .. }))
    }

    /// Holds it against the segments of a path. Every `{account}` must be the same text.
    pub(crate) fn matches<'a>(&self, segments: &'a [String]) -> Option<Matched<'a>> {
        let mut account: Option<&'a str> = None;
        let mut rest = segments.iter();
        for part in &self.parts {
            if *part == Part::Rest {
                return Some(Matched { account });
            }
            let segment = rest.next()?;
            match part {
                Part::Literal(text) if text == segment => {}
                Part::Hole { before, account: is_account, behind } => {
                    let inside = segment.strip_prefix(before.as_str())?.strip_suffix(behind.as_str())?;
                    if inside.is_empty() {
                        return None;
                    }
                    if *is_account && *account.get_or_insert(inside) != inside {
                        return None;
                    }
                }
                _ => return None,
            }
        }
        rest.next().is_none().then_some(Matched { account })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(pattern: &str, path: &str) -> Option<String> {
        let segments: Vec<String> = path.trim_start_matches('/').split('/').map(str::to_owned).collect();
        let pattern: Pattern = pattern.parse().unwrap();
        pattern.matches(&segments).map(|m| m.account.unwrap_or("-").to_owned())
    }

    #[test]
    fn the_account_is_taken_out_of_the_path() {
        for (pattern, path, expected) in [
            ("/{account}/{account}.sms", "/abc/abc.sms", Some("abc")),
            ("/{account}/{account}.sms", "/abc/abd.sms", None),
            ("/{account}/{account}.sms", "/abc/.sms", None),
            ("/{account}/{account}.sms", "/abc/abc.sms/x", None),
            ("/v1/*/status", "/v1/x/status", Some("-")),
            ("/v1/*/status", "/v1//status", None),
            ("/files/**", "/files/a/b", Some("-")),
            ("/files/**", "/files", Some("-")),
            ("/files/**", "/filesx", None),
            ("/**", "/", Some("-")),
            ("/", "/", Some("-")),
            ("/a/", "/a", None),
            ("/user-{account}.json", "/user-bob.json", Some("bob")),
        ] {
            assert_eq!(account(pattern, path).as_deref(), expected, "{pattern} {path}");
        }
    }

    #[test]
    fn what_means_nothing_is_told() {
        for text in ["a", "/**/b", "/{a", "/a}", "/{}", "/{a}{b}", "/*{a}", "/**x"] {
            assert!(text.parse::<Pattern>().is_err(), "{text}");
        }
    }
}
