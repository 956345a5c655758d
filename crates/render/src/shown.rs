//! The one boundary between text of the evidence and every renderer.

use why401_report::{
    Annotation, Diagnosis, Excerpt, ExchangeRow, Finding, Fix, Message, Overview, Problem, SourceReport,
};

/// Whether the secrets of excerpts are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Secrets {
    /// Each character of them is shown as `•`.
    Masked,
    /// They are shown, since the user asked for it.
    Shown,
}

/// A diagnosis that is safe to show: secrets masked, deceiving characters made visible.
///
/// Its texts hold no control characters, no bidirectional controls and nothing of zero width; its excerpts have no
/// secret ranges any more, and their marks fit the text as it is shown.
#[derive(Debug, Clone, PartialEq)]
pub struct Shown(Diagnosis);

impl Shown {
    /// Makes every text of a diagnosis safe to show.
    pub fn new(mut diagnosis: Diagnosis, secrets: Secrets) -> Self {
        diagnosis.sources.iter_mut().for_each(source);
        diagnosis.findings.iter_mut().for_each(|f| finding(f, secrets));
        if let Some(o) = &mut diagnosis.overview {
            texts(o.top_accounts.iter_mut().chain(&mut o.top_clients).map(|s| &mut s.name));
        }
        Shown(diagnosis)
    }

    /// The diagnosis itself, as safe.
    pub fn into_inner(self) -> Diagnosis {
        self.0
    }

    /// What was read.
    pub fn sources(&self) -> &[SourceReport] {
        &self.0.sources
    }

    /// Large logs at a glance, where there are any.
    pub fn overview(&self) -> Option<&Overview> {
        self.0.overview.as_ref()
    }

    /// What was found.
    pub fn findings(&self) -> &[Finding] {
        &self.0.findings
    }
}

fn source(s: &mut SourceReport) {
    texts([&mut s.name, &mut s.format].into_iter().chain(&mut s.layers));
    texts(s.first.as_mut().into_iter().chain(&mut s.last));
    texts(s.problems.iter_mut().map(|Problem { what, .. }| what));
}

fn finding(f: &mut Finding, secrets: Secrets) {
    whole_lines(&mut f.evidence);
    texts([&mut f.summary]);
    let optional = [&mut f.first, &mut f.last, &mut f.account, &mut f.client, &mut f.server, &mut f.resource];
    texts(optional.into_iter().flatten());
    for ExchangeRow { source, time, client, server, method, target, user, index: _, status: _ } in
        &mut f.exchanges
    {
        texts([time, client, server, method, target, user].into_iter().flatten().chain([source]));
    }
    texts(f.sequence.participants.iter_mut().filter_map(|p| p.name.as_mut()));
    for Message { time, what, carries, .. } in &mut f.sequence.messages {
        texts(carries.iter_mut().chain(time).chain([what]));
    }
    for Annotation { source, layer, excerpt, says, start: _, end: _, line: _ } in &mut f.evidence {
        texts([source, says].into_iter().chain(layer));
        *excerpt = shown_excerpt(excerpt, secrets);
    }
    for Fix { action, command, party: _ } in &mut f.fixes {
        texts([action].into_iter().chain(command));
    }
    texts(f.also_possible.iter_mut().map(|a| &mut a.settle));
}

/// Where one annotation shows a part of the line that another shows more of, both show the longer text.
fn whole_lines(evidence: &mut [Annotation]) {
    let place = |a: &Annotation| Some((a.source.clone(), a.layer.clone(), a.line?));
    let longer: Vec<Option<Excerpt>> = evidence
        .iter()
        .map(|part| {
            let same_line = |a: &&Annotation| place(a).is_some() && place(a) == place(part);
            evidence
                .iter()
                .filter(same_line)
                .filter_map(|a| within(part, a))
                .max_by_key(|e| e.unredacted().len())
        })
        .collect();
    for (a, excerpt) in evidence.iter_mut().zip(longer) {
        a.excerpt = excerpt.unwrap_or_else(|| a.excerpt.clone());
    }
}

/// The mark of `part` in the text of `whole`, where the offsets say that it is there and the text agrees.
fn within(part: &Annotation, whole: &Annotation) -> Option<Excerpt> {
    let begins = |a: &Annotation| a.start.checked_sub(a.excerpt.mark().start as u64);
    let at = usize::try_from(begins(part)?.checked_sub(begins(whole)?)?).ok()?;
    let (text, small) = (whole.excerpt.unredacted(), part.excerpt.unredacted());
    if small.len() >= text.len() || text.get(at..at + small.len()) != Some(small) {
        return None;
    }
    let mark = part.excerpt.mark();
    let secrets = part.excerpt.secrets().iter().map(|r| r.start + at..r.end + at);
    let all = whole.excerpt.secrets().iter().cloned().chain(secrets).collect();
    Some(Excerpt::new(text, mark.start + at..mark.end + at, all))
}

fn texts<'a>(all: impl IntoIterator<Item = &'a mut String>) {
    for text in all {
        if text.chars().any(deceives) {
            *text = visible(text);
        }
    }
}

fn shown_excerpt(excerpt: &Excerpt, secrets: Secrets) -> Excerpt {
    let text = excerpt.unredacted();
    let hidden = joined(match secrets {
        Secrets::Masked => excerpt.secrets().to_vec(),
        Secrets::Shown => Vec::new(),
    });
    let mark = excerpt.mark();
    let mut hidden = hidden.into_iter().peekable();
    let mut out = String::with_capacity(text.len());
    let (mut start, mut end) = (None, None);
    for (at, c) in text.char_indices() {
        if at >= mark.start {
            start.get_or_insert(out.len());
        }
        if at >= mark.end {
            end.get_or_insert(out.len());
        }
        while hidden.next_if(|r| r.end <= at).is_some() {}
        match hidden.peek() {
            Some(secret) if secret.start <= at => out.push('•'),
            _ => push_visible(&mut out, c),
        }
    }
    let (start, end) = (start.unwrap_or(out.len()), end.unwrap_or(out.len()));
    Excerpt::new(out, start..end, Vec::new())
}

/// Sorted, without empty ones and overlaps, so that one walk over the text suffices.
fn joined(mut ranges: Vec<std::ops::Range<usize>>) -> Vec<std::ops::Range<usize>> {
    ranges.retain(|r| r.start < r.end);
    ranges.sort_by_key(|r| r.start);
    ranges.dedup_by(|next, before| {
        let overlaps = next.start <= before.end;
        if overlaps {
            before.end = before.end.max(next.end);
        }
        overlaps
    });
    ranges
}

/// The text with every character that could deceive made visible.
///
/// C0 controls become their picture (`␛`, Unicode block Control Pictures), all else becomes `\u{202e}`.
pub fn visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    text.chars().for_each(|c| push_visible(&mut out, c));
    out
}

fn push_visible(out: &mut String, c: char) {
    match c {
        '\0'..='\x1f' => out.push(char::from_u32(0x2400 + c as u32).unwrap_or('�')),
        '\x7f' => out.push('␡'),
        c if deceives(c) => out.extend(c.escape_unicode()),
        c => out.push(c),
    }
}

/// Controls, format characters (general category Cf), separators that break lines, fillers and selectors that have no
/// width of their own (Unicode 16, `Default_Ignorable_Code_Point` and Cf), and private use, whose look nobody knows.
fn deceives(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{600}'..='\u{605}' | '\u{61c}' | '\u{6dd}' | '\u{70f}' | '\u{890}'..='\u{891}'
            | '\u{8e2}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
            | '\u{e000}'..='\u{f8ff}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
            | '\u{110bd}' | '\u{110cd}' | '\u{13430}'..='\u{1343f}' | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{10ffff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_deceive_is_made_visible() {
        assert_eq!(visible("a\u{1b}[31mb\r\n\t\0\x7f"), "a␛[31mb␍␊␉␀␡");
        assert_eq!(visible("x\u{202e}y\u{200b}\u{feff}\u{9b}"), "x\\u{202e}y\\u{200b}\\u{feff}\\u{9b}");
        assert_eq!(visible("päß — 日本 é"), "päß — 日本 é");
    }

    #[test]
    fn a_mark_still_fits_after_masking_and_escaping() {
        let e = Excerpt::new("\u{1b}Basic QTpC\r!", 7..11, vec![7..9, 8..11]);
        let e = shown_excerpt(&e, Secrets::Masked);
        assert_eq!(e.redacted(), "␛Basic ••••␍!");
        assert_eq!(e.mark_columns(), 7..11);
        let e = shown_excerpt(&Excerpt::new("\u{200b}ab", 3..5, vec![3..5]), Secrets::Shown);
        assert_eq!((e.redacted().as_str(), e.mark_columns()), ("\\u{200b}ab", 8..10));
    }

    #[test]
    fn a_part_of_a_line_is_shown_in_its_line() {
        let note = |text: &str, start: u64, mark: std::ops::Range<usize>| Annotation {
            source: "log".into(),
            layer: None,
            start,
            end: start + mark.len() as u64,
            line: Some(6),
            excerpt: Excerpt::new(text, mark, Vec::new()),
            says: String::new(),
        };
        let mut both = vec![note("GET / 401 -", 100, 0..3), note("401", 106, 0..3), note("402", 106, 0..3)];
        whole_lines(&mut both);
        assert_eq!((both[1].excerpt.unredacted(), both[1].excerpt.mark()), ("GET / 401 -", 6..9));
        assert_eq!(both[2].excerpt.unredacted(), "402");
    }

    #[test]
    fn a_mark_at_the_end_stays_there() {
        let e = shown_excerpt(&Excerpt::new("ab", 2..2, vec![0..2]), Secrets::Masked);
        assert_eq!(e.mark_columns(), 2..2);
    }
}
