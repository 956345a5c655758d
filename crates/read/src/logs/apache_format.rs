//! Apache httpd's `LogFormat` (<https://httpd.apache.org/docs/2.4/mod/mod_log_config.html>), which Tomcat's
//! `AccessLogValve` and lighttpd's `accesslog.format` take over.

use super::line::Escape;
use super::part::{Column, Part};
use super::plan::{Draft, Plan};

/// Makes a plan of a format string; backslashes before quotes, as the configuration file wants them, may be there.
/// `None` if it names no status or nothing at all.
pub(crate) fn compile(format: &str) -> Option<Plan> {
    let mut draft = Draft::default();
    let mut rest = format;
    let mut seen_status = false;
    while let Some(c) = rest.chars().next() {
        let behind = rest.get(c.len_utf8()..)?;
        match c {
            '\\' => {
                let escaped = behind.chars().next()?;
                let text = match escaped {
                    't' => "\t",
                    'n' => break,
                    _ => behind.get(..escaped.len_utf8())?,
                };
                draft.text(text.as_bytes());
                rest = behind.get(escaped.len_utf8()..)?;
            }
            '%' => {
                let directive = Directive::read(behind)?;
                seen_status |= directive.letter == "s";
                rest = behind.get(directive.len..)?;
                directive.enter(&mut draft);
            }
            _ => {
                draft.text(rest.get(..c.len_utf8())?.as_bytes());
                rest = behind;
            }
        }
    }
    seen_status.then(|| draft.plan(Escape::Backslash, Some("apache")))
}

/// What follows a percent sign.
struct Directive<'a> {
    /// `{Foobar}`
    argument: Option<&'a str>,
    /// `h`, `u`, `s`, `^FB` ...
    letter: &'a str,
    /// How long it is without the percent sign.
    len: usize,
}

impl<'a> Directive<'a> {
    /// Modifiers (`!`, `<`, `>`, status lists) come first, then an argument in braces, then the letter.
    fn read(text: &'a str) -> Option<Self> {
        let after = text.trim_start_matches(|c: char| c.is_ascii_digit() || "!,<>".contains(c));
        let (argument, after) = match after.strip_prefix('{') {
            Some(inside) => {
                let (argument, after) = inside.split_once('}')?;
                (Some(argument), after.trim_start_matches(['<', '>']))
            }
            None => (None, after),
        };
        let letters = if after.starts_with('^') { 3 } else { after.chars().next()?.len_utf8() };
        let letter = after.get(..letters)?;
        Some(Directive { argument, letter, len: text.len() - after.len() + letters })
    }

    fn enter(&self, draft: &mut Draft) {
        let column = match (self.letter, self.argument) {
            ("%", _) => return draft.text(b"%"),
            ("t", argument) => return enter_time(draft, argument),
            ("h" | "a", None) | ("a", Some("c")) => Column::Part(Part::Client),
            ("A", None) => Column::Part(Part::Server),
            ("u", None) => Column::Part(Part::User),
            ("r", None) => Column::Part(Part::Request),
            ("m", None) => Column::Part(Part::Method),
            ("U", None) => Column::Part(Part::Path),
            ("q", None) => Column::Part(Part::Query),
            ("H", None) => Column::Part(Part::Version),
            ("s", None) => Column::Part(Part::Status),
            ("b" | "B" | "O", None) => Column::Part(Part::Bytes),
            ("v" | "V", None) => Column::Part(Part::Host),
            ("p", None | Some("canonical" | "local")) => Column::Part(Part::ServerPort),
            ("p", Some("remote")) => Column::Part(Part::ClientPort),
            ("i", Some(name)) => Column::request_field(name),
            ("o", Some(name)) => Column::ResponseField(name.into()),
            _ => Column::Other,
        };
        draft.column(column);
    }
}

/// `%t` has its brackets with it; `%{...}t` is a date, a clock, both, or a count since 1970.
fn enter_time(draft: &mut Draft, format: Option<&str>) {
    let Some(format) = format else {
        draft.text(b"[");
        draft.column(Column::Part(Part::Time));
        return draft.text(b"]");
    };
    let format = format.trim_start_matches("begin:").trim_start_matches("end:");
    let has = |letters: &[char]| format.split('%').skip(1).any(|d| d.starts_with(letters));
    let whole = matches!(format, "" | "sec" | "msec" | "usec") || has(&['s', 'c', '+']);
    draft.column(match (whole, has(&['d', 'e', 'D', 'F', 'x']), has(&['H', 'T', 'I', 'X', 'R'])) {
        (true, ..) | (_, true, true) => Column::Part(Part::Time),
        (_, true, false) => Column::Part(Part::Date),
        (_, false, true) => Column::Part(Part::Clock),
        _ => Column::Other,
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(format: &str, line: &str, part: Part) -> Option<String> {
        let plan = compile(format)?;
        let line = plan.parse(line.as_bytes())?;
        line.get(part).map(|b| String::from_utf8_lossy(b).into_owned())
    }

    #[test]
    fn the_hubs_format() {
        let format = r#"%l %u %t \"%r\" %>s %b \"%{Referer}i\" %T"#;
        let line = r#"- customerabc [24/Oct/2012:17:31:26 +0200] "POST /customerabc/customerabc.sms HTTP/1.1" 200 171 "" 0"#;
        assert_eq!(part(format, line, Part::User).as_deref(), Some("customerabc"));
        assert_eq!(part(format, line, Part::Status).as_deref(), Some("200"));
        assert_eq!(part(format, line, Part::Referer).as_deref(), Some(""));
    }

    #[test]
    fn times_in_pieces_conditions_and_percent_signs() {
        let format = r#"%{%Y-%m-%d}t %{%H:%M:%S}t 100%% %!200,304{User-agent}i %{c}a:%{remote}p %m %U%q %>s %{Authorization}i"#;
        let line = "2026-11-22 17:14:41 100% curl/8.0 192.0.2.1:5000 GET /a?b=c 401 Basic QTpC";
        let plan = compile(format).unwrap();
        let read = plan.parse(line.as_bytes()).unwrap();
        assert_eq!(read.moment().unwrap().at.to_string(), "2026-11-22T17:14:41Z");
        assert_eq!(read.get(Part::ClientPort), Some(&b"5000"[..]));
        assert_eq!(read.get(Part::Agent), Some(&b"curl/8.0"[..]));
        assert_eq!(read.fields.len(), 1);
        assert_eq!(read.fields[0].value, b"Basic QTpC");
    }

    #[test]
    fn what_is_no_format_is_refused() {
        for format in ["", "%", "no percent", "%{unclosed", "%h %u", "%\u{e9}"] {
            assert_eq!(compile(format), None, "{format}");
        }
    }
}
