//! Configurations as trees of directives: nginx and Caddy with braces, Apache with sections.

use std::ops::Range;

/// Deeper blocks are read as if they ended there.
const DEEPEST: usize = 40;

/// A directive, with what stands between its braces or tags.
#[derive(Debug, Default)]
pub(crate) struct Directive {
    /// Its name in lower case.
    pub(crate) name: String,
    /// Its arguments without their quotes.
    pub(crate) args: Vec<String>,
    /// Where it stands: name and arguments.
    pub(crate) range: Range<usize>,
    /// What it encloses.
    pub(crate) inner: Vec<Directive>,
}

impl Directive {
    /// An argument.
    pub(crate) fn arg(&self, at: usize) -> &str {
        self.args.get(at).map_or("", String::as_str)
    }

    /// Whether it is one of that name with these first arguments, letter case aside.
    pub(crate) fn is(&self, name: &str, args: &[&str]) -> bool {
        self.name == name && args.iter().enumerate().all(|(i, a)| self.arg(i).eq_ignore_ascii_case(a))
    }
}

/// The directives directly among these.
pub(crate) fn named<'d>(all: &'d [Directive], name: &'d str) -> impl Iterator<Item = &'d Directive> {
    all.iter().filter(move |d| d.name == name)
}

/// Every directive of a tree.
pub(crate) fn every<'d>(all: &'d [Directive]) -> Vec<&'d Directive> {
    let mut found: Vec<&Directive> = Vec::new();
    let mut open: Vec<&'d Directive> = all.iter().rev().collect();
    while let Some(d) = open.pop() {
        found.push(d);
        open.extend(d.inner.iter().rev());
    }
    found
}

/// Puts directives into the blocks that are open.
#[derive(Default)]
struct Grower {
    /// The blocks that are open, the outermost first; the first one is the file.
    open: Vec<Directive>,
}

impl Grower {
    fn new() -> Grower {
        Grower { open: vec![Directive::default()] }
    }

    fn add(&mut self, directive: Directive) {
        if let Some(block) = self.open.last_mut() {
            block.inner.push(directive);
        }
    }

    fn begin(&mut self, directive: Directive) {
        self.open.push(directive);
        if self.open.len() > DEEPEST {
            self.end();
        }
    }

    fn end(&mut self) {
        if self.open.len() > 1
            && let Some(block) = self.open.pop()
        {
            self.add(block);
        }
    }

    fn finish(mut self) -> Vec<Directive> {
        while self.open.len() > 1 {
            self.end();
        }
        self.open.pop().map(|file| file.inner).unwrap_or_default()
    }
}

/// A directive of words that begin at `start`.
fn directive(words: Vec<(Range<usize>, String)>) -> Option<Directive> {
    let start = words.first()?.0.start;
    let end = words.last()?.0.end;
    let mut words = words.into_iter().map(|(_, w)| w);
    let name = words.next()?.to_ascii_lowercase();
    Some(Directive { name, args: words.collect(), range: start..end, inner: Vec::new() })
}

/// nginx: words, `;` behind a directive, braces around a block, `#` before a remark (nginx, "Configuration File's
/// Structure").
pub(crate) fn braces(text: &str) -> Vec<Directive> {
    let mut grower = Grower::new();
    let mut words: Vec<(Range<usize>, String)> = Vec::new();
    let mut at = 0;
    let bytes = text.as_bytes();
    while let Some(&b) = bytes.get(at) {
        match b {
            b'#' => at += line_rest(bytes, at),
            b';' => {
                if let Some(d) = directive(std::mem::take(&mut words)) {
                    grower.add(d);
                }
                at += 1;
            }
            b'{' => {
                grower.begin(directive(std::mem::take(&mut words)).unwrap_or_default());
                at += 1;
            }
            b'}' => {
                if let Some(d) = directive(std::mem::take(&mut words)) {
                    grower.add(d);
                }
                grower.end();
                at += 1;
            }
            _ if b.is_ascii_whitespace() => at += 1,
            _ => {
                let (range, word) = word(text, at, b" \t\r\n;{}");
                at = range.end.max(at + 1);
                words.push((range, word));
            }
        }
    }
    if let Some(d) = directive(words) {
        grower.add(d);
    }
    grower.finish()
}

/// Apache: a directive a line, `<Name arguments>` and `</Name>` around a section; a backslash at the end of a line goes on
/// with the next (Apache httpd, "Configuration Files"). Also Caddy and HAProxy, whose lines are directives too: a line that
/// ends in `{` begins a block.
pub(crate) fn lines(text: &str) -> Vec<Directive> {
    let mut grower = Grower::new();
    let bytes = text.as_bytes();
    let mut at = 0;
    let mut words: Vec<(Range<usize>, String)> = Vec::new();
    while at < bytes.len() {
        match bytes.get(at) {
            Some(b'#') if words.is_empty() => at += line_rest(bytes, at),
            Some(b'\\') if matches!(bytes.get(at + 1), Some(b'\n')) => at += 2,
            Some(b'\n') | None => {
                line(std::mem::take(&mut words), &mut grower);
                at += 1;
            }
            Some(b) if b.is_ascii_whitespace() => at += 1,
            Some(_) => {
                let (range, word) = word(text, at, b" \t\r\n");
                at = range.end.max(at + 1);
                words.push((range, word));
            }
        }
    }
    line(words, &mut grower);
    grower.finish()
}

fn line(mut words: Vec<(Range<usize>, String)>, grower: &mut Grower) {
    let Some((_, first)) = words.first_mut() else { return };
    if first.starts_with("</") || first == "}" {
        return grower.end();
    }
    let section = first.starts_with('<');
    if section {
        *first = first.trim_start_matches('<').trim_end_matches('>').to_owned();
        if let Some((_, last)) = words.last_mut() {
            *last = last.trim_end_matches('>').trim_matches('"').to_owned();
        }
        words.retain(|(_, w)| !w.is_empty());
    }
    let block = words.len() > 1 && words.last().is_some_and(|(_, w)| w == "{");
    if block {
        words.pop();
    }
    let Some(d) = directive(words) else { return };
    if section || block { grower.begin(d) } else { grower.add(d) }
}

/// The word that begins at `at`, without its quotes.
fn word(text: &str, at: usize, ends: &[u8]) -> (Range<usize>, String) {
    let bytes = text.as_bytes();
    let quote = bytes.get(at).copied().filter(|q| matches!(q, b'"' | b'\''));
    let mut end = at + usize::from(quote.is_some());
    while let Some(&b) = bytes.get(end) {
        match quote {
            Some(q) if b == q => break,
            Some(_) if b == b'\\' => end += 1,
            None if ends.contains(&b) => break,
            _ => {}
        }
        end += 1;
    }
    let inside = at + usize::from(quote.is_some())..end.min(bytes.len());
    let end = (end + usize::from(quote.is_some())).min(bytes.len());
    let word = bytes.get(inside).map(|w| String::from_utf8_lossy(w).into_owned()).unwrap_or_default();
    (at..end, word)
}

fn line_rest(bytes: &[u8], at: usize) -> usize {
    let rest = bytes.get(at..).unwrap_or_default();
    rest.iter().position(|b| *b == b'\n').unwrap_or(rest.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn braces_nest_and_remarks_do_not_count() {
        let text =
            "http { # a { remark\n server { server_name a.example.com \"b c\"; location /x { deny all; } } }";
        let all = braces(text);
        let server = all.first().and_then(|h| h.inner.first()).map(|s| (s.name.as_str(), s.inner.len()));
        assert_eq!(server, Some(("server", 2)));
        let name = every(&all).into_iter().find(|d| d.name == "server_name").map(|d| d.args.clone());
        assert_eq!(name, Some(vec!["a.example.com".to_owned(), "b c".to_owned()]));
    }

    #[test]
    fn sections_nest_and_lines_go_on() {
        let text = "<VirtualHost *:80>\n ServerName a.example.com\n <Location \"/x\">\n Require user \\\n  bob\n </Location>\n</VirtualHost>\n";
        let all = lines(text);
        let require = every(&all).into_iter().find(|d| d.name == "require").map(|d| d.args.clone());
        assert_eq!(require, Some(vec!["user".to_owned(), "bob".to_owned()]));
        assert_eq!(all.len(), 1);
        let location = every(&all).into_iter().find(|d| d.name == "location").map(|d| d.arg(0).to_owned());
        assert_eq!(location.as_deref(), Some("/x"));
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "[a-z<>/{};#\"'\\\\ \n]{0,200}") {
            for d in every(&braces(&text)).into_iter().chain(every(&lines(&text))) {
                proptest::prop_assert!(d.range.end <= text.len());
            }
        }
    }
}
