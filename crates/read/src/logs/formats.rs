//! The log formats by name, and how well a head fits each. All are read by the same reader.

use super::lines;
use super::reader::{Reading, Recogniser, read};
use super::wrapper;
use crate::Format;

/// Access logs in text.
pub(crate) const ACCESS_LOG: Format =
    Format { name: "access-log", fits: |head| Sample::of(head).fit(Kind::Access), read };
/// Error logs.
pub(crate) const ERROR_LOG: Format =
    Format { name: "error-log", fits: |head| Sample::of(head).fit(Kind::Error), read };
/// Logs of JSON lines.
pub(crate) const JSON_LOG: Format =
    Format { name: "json-log", fits: |head| Sample::of(head).fit(Kind::Json), read };
/// W3C extended logs, IIS' among them.
pub(crate) const IIS: Format = Format { name: "iis", fits: |head| Sample::of(head).fit(Kind::Columns), read };

/// How many lines of the head are looked at.
const LINES: usize = 60;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Access,
    Error,
    Json,
    Columns,
}

/// What the first lines are.
#[derive(Default)]
struct Sample {
    lines: u32,
    /// Whether the first line is none of a log.
    begins_otherwise: bool,
    access: u32,
    error: u32,
    json: u32,
    columns: u32,
    /// Of the JSON lines, those with nothing but words in them.
    words: u32,
    has_fields: bool,
}

/// Whether a JSON line has what every logger writes and no answer does: a level, a time, a stream.
fn is_logged(line: &[u8]) -> bool {
    const KEYS: [&[u8]; 8] = [
        b"level\"",
        b"severity\"",
        b"\"time",
        b"\"ts\"",
        b"timestamp\"",
        b"\"log\"",
        b"\"logger",
        b"\"stream\"",
    ];
    KEYS.iter().any(|key| memchr::memmem::find(line, key).is_some())
}

/// The lines of a head by which a format is told; the last one is left out where it may be cut off.
pub(crate) fn sampled(head: &[u8]) -> impl Iterator<Item = &[u8]> {
    let whole = match memchr::memrchr(b'\n', head) {
        Some(end) if head.len() >= crate::HEAD => head.get(..end).unwrap_or_default(),
        _ => head,
    };
    lines::of(whole).filter(|l| !l.trim_ascii().is_empty())
}

impl Sample {
    fn of(head: &[u8]) -> Sample {
        let mut sample = Sample::default();
        let mut recogniser = Recogniser::new(None);
        let head = head.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(head);
        for line in lines::of(head).filter(|l| !l.trim_ascii().is_empty()).take(LINES) {
            sample.line(line, &mut recogniser);
            // `# curl …` is no directive of a log: a root's prompt, or a heading.
            sample.begins_otherwise |= sample.known() == 0 && (sample.lines == 1 || line.starts_with(b"# "));
        }
        sample
    }

    fn line(&mut self, line: &[u8], recogniser: &mut Recogniser) {
        if recogniser.directive(line) {
            self.has_fields |= line.get(..8).is_some_and(|d| d.eq_ignore_ascii_case(b"#fields:"));
            return;
        }
        self.lines += 1;
        let mut inner = line;
        let mut program = None;
        let mut is_wrapped = false;
        while let Some(wrapped) = wrapper::strip(inner).filter(|_| !is_wrapped) {
            if wrapped.is_json {
                self.json += 1;
                return;
            }
            (inner, program, is_wrapped) = (wrapped.inner, wrapped.program, true);
        }
        match recogniser.recognise(inner, program) {
            Some(Reading::Access(_)) if inner.starts_with(b"{") => self.json += 1,
            Some(Reading::Access(line)) if line.utc => self.columns += 1,
            Some(Reading::Access(_)) => self.access += 1,
            Some(Reading::Said(_)) => self.error += 1,
            Some(Reading::Inside(_)) => {
                self.json += 1;
                self.words += u32::from(!is_logged(inner));
            }
            // What containers print besides.
            None if is_wrapped => self.error += 1,
            None => {}
        }
    }

    fn known(&self) -> u32 {
        self.access + self.error + self.columns + self.json
    }

    /// From 0 to 95: certain where columns are named, else by how many of the lines are of the kind that most are.
    fn fit(&self, kind: Kind) -> u8 {
        if self.has_fields {
            return if kind == Kind::Columns { 95 } else { 0 };
        }
        let (most, of_kind) = [
            (self.access, Kind::Access),
            (self.error, Kind::Error),
            (self.columns, Kind::Columns),
            (self.json, Kind::Json),
        ]
        .into_iter()
        .fold((0, Kind::Access), |best, next| if next.0 > best.0 { next } else { best });
        let known = self.known();
        // Words before a few lines of a log are somebody's, who shows the lines.
        let quoted = self.begins_otherwise && known * 2 <= self.lines;
        // One JSON object that holds only words is the content of an answer that somebody pasted.
        let is_answer = kind == Kind::Json && self.lines == 1 && self.words == 1;
        if is_answer || quoted || most == 0 || of_kind != kind || known * 10 < self.lines {
            return 0;
        }
        // A log that others' lines are mixed into is still a log; prose with a log line in it is not.
        30 + u8::try_from(60 * known / self.lines.max(1)).unwrap_or(60)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fits(head: &str) -> Vec<(&'static str, u8)> {
        [&ACCESS_LOG, &ERROR_LOG, &JSON_LOG, &IIS]
            .iter()
            .map(|f| (f.name, (f.fits)(head.as_bytes())))
            .filter(|(_, fit)| *fit > 0)
            .collect()
    }

    #[test]
    fn each_kind_is_told_by_its_lines() {
        let access = r#"192.0.2.1 - - [22/Nov/2026:17:14:41 +0000] "GET / HTTP/1.1" 401 179"#;
        assert_eq!(fits(access), [("access-log", 90)]);
        assert_eq!(fits("2026/11/22 17:15:13 [error] 1#1: *3 text"), [("error-log", 90)]);
        assert_eq!(fits("#Software: x\n#Fields: date time sc-status\n"), [("iis", 95)]);
        assert_eq!(fits(r#"{"status":401,"method":"GET","uri":"/"}"#), [("json-log", 90)]);
        assert_eq!(
            fits(r#"{"log":"text\n","stream":"stdout","time":"2026-11-22T17:14:41Z"}"#),
            [("json-log", 90)]
        );
    }

    #[test]
    fn others_evidence_is_left_to_others() {
        for text in [
            "",
            "GET / HTTP/1.1\r\nHost: example.com\r\n\r\nHTTP/1.1 401 Unauthorized\r\n",
            "* Connected to example.com\n> GET / HTTP/1.1\n< HTTP/1.1 401 Unauthorized\n",
            "2023-11-07 15:00:52,787 DEBUG [org.keycloak] (executor-thread-7) Failed to verify",
            "2022-02-18T11:36:54.335425Z\terror\tmodel\tFailed to fetch public key",
            "[06:40:15 INF] Failed to validate the token.",
            "My server says 401.3 since Monday.\nWhat can I do?",
            "{\n  \"log\": {\n    \"version\": \"1.2\"",
            "PermissionError: 403\n\nIn the log:\n2026/11/22 17:15:13 [error] 1#1: *3 text",
            "\u{0}\u{1}\u{2}",
        ] {
            assert_eq!(fits(text), [], "{text}");
        }
    }
}
