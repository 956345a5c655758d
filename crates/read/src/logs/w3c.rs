//! The W3C extended log file format (<https://www.w3.org/TR/WD-logfile>) as IIS, HTTP.sys, CloudFront and others
//! write it: `#Fields` names the columns, any number of times in one file.

use super::clf::is_address;
use super::line::{Escape, Line, number};
use super::part::{Column, Part};
use super::time;
use memchr::memchr;

/// The columns that hold now.
#[derive(Debug, Clone, Default)]
pub(crate) struct W3c {
    columns: Vec<Column>,
    local: bool,
    day: Option<i64>,
    product: Option<&'static str>,
    escape: Escape,
}

impl W3c {
    /// The columns of a `#Fields:` line; `None` if it names none.
    pub(crate) fn of_fields(line: &[u8]) -> Option<W3c> {
        let mut w3c = W3c::default();
        w3c.directive(line);
        (!w3c.columns.is_empty()).then_some(w3c)
    }

    /// Takes in a line that begins with `#`.
    pub(crate) fn directive(&mut self, line: &[u8]) {
        if let Some(fields) = after(line, b"#Fields:") {
            let names: Vec<_> = fields.split(u8::is_ascii_whitespace).filter(|n| !n.is_empty()).collect();
            let has = |name: &str| names.iter().any(|n| n.eq_ignore_ascii_case(name.as_bytes()));
            self.local = has("date-local") || has("time-local");
            self.columns = names.iter().map(|n| column(&String::from_utf8_lossy(n))).collect();
            self.product = match () {
                () if has("x-edge-location") => Some("cloudfront"),
                () if has("s-queuename") => Some("http.sys"),
                () if has("sc-substatus") || has("s-sitename") => Some("iis"),
                () => self.product,
            };
            self.escape = if has("x-edge-location") { Escape::Percent } else { Escape::Plus };
        } else if let Some(date) = after(line, b"#Date:").or_else(|| after(line, b"#Start-Date:")) {
            self.day = time::date(date).map(|(day, _)| day);
        } else if let Some(software) = after(line, b"#Software:")
            && software.starts_with(b"Microsoft Internet Information")
        {
            self.product = Some("iis");
        }
    }

    /// Takes a line apart by the columns; where they do not fit it, by how IIS orders them.
    pub(crate) fn parse<'a>(&'a self, bytes: &'a [u8]) -> Option<Line<'a>> {
        let values: Vec<_> = Values { rest: bytes, by_tabs: memchr(b'\t', bytes).is_some() }.collect();
        if values.len() != self.columns.len()
            && let Some(line) = iis_by_order(&values)
        {
            return Some(line);
        }
        if self.columns.is_empty() || values.len() < self.columns.len().min(4) {
            return None;
        }
        let mut line = Line {
            escape: self.escape,
            utc: !self.local,
            product: self.product,
            day: self.day,
            ..Line::default()
        };
        for (column, value) in self.columns.iter().zip(values) {
            line.put(column, value);
        }
        let told = [Part::Status, Part::Method, Part::Path, Part::Target];
        told.iter().any(|p| line.get(*p).is_some()).then_some(line)
    }
}

/// An IIS line without its `#Fields`, as people paste it: `date time [site [computer]] s-ip method stem query port
/// username c-ip [agent [referer]] status substatus win32 ...` is what IIS 6 to 10 write unless told otherwise
/// (<https://learn.microsoft.com/en-us/windows/win32/http/w3c-logging>).
pub(crate) fn headless(bytes: &[u8]) -> Option<Line<'_>> {
    if bytes.get(4) != Some(&b'-') || bytes.get(10) != Some(&b' ') {
        return None;
    }
    let values: Vec<_> = Values { rest: bytes, by_tabs: false }.collect();
    iis_by_order(&values)
}

fn iis_by_order<'a>(values: &[&'a [u8]]) -> Option<Line<'a>> {
    let at = |i: usize| values.get(i).copied();
    let mut line = Line { escape: Escape::Plus, utc: true, product: Some("iis"), ..Line::default() };
    let (date, clock) = (at(0)?, at(1)?);
    time::date(date).filter(|(_, len)| *len == date.len())?;
    time::clock(clock, 0, true)?;
    let method = (2..=5).find(|i| {
        at(*i).is_some_and(|m| {
            m.iter().all(|b| b.is_ascii_uppercase() || *b == b'_' || *b == b'-') && m != b"-"
        }) && at(i + 1).is_some_and(|stem| stem.starts_with(b"/") || stem == b"*")
    })?;
    let client = at(method + 5).filter(|c| is_address(c))?;
    let port = at(method + 3).filter(|p| number(p).is_some())?;
    let codes = (method + 6..values.len())
        .find(|i| values.get(*i..).is_some_and(|rest| rest.iter().all(|n| number(n).is_some())))?;
    let [status, substatus, win32, ..] = values.get(codes..)? else { return None };
    (status.len() == 3).then_some(())?;
    for (part, value) in [
        (Part::Date, Some(date)),
        (Part::Clock, Some(clock)),
        (Part::Server, at(method.checked_sub(1)?).filter(|s| is_address(s))),
        (Part::Method, at(method)),
        (Part::Path, at(method + 1)),
        (Part::Query, at(method + 2)),
        (Part::ServerPort, Some(port)),
        (Part::User, at(method + 4)),
        (Part::Client, Some(client)),
        (Part::Agent, (codes > method + 6).then(|| at(method + 6)).flatten()),
        (Part::Referer, (codes > method + 7).then(|| at(method + 7)).flatten()),
        (Part::Status, Some(status)),
        (Part::Substatus, Some(substatus)),
        (Part::Win32, Some(win32)),
    ] {
        if let Some(value) = value {
            line.set(part, value);
        }
    }
    Some(line)
}

/// The column of a W3C identifier: `cs(X)` is a request field, `sc(X)` a response field.
fn column(name: &str) -> Column {
    let lower = name.to_ascii_lowercase();
    let inside = |prefix: &str| {
        let start = lower.strip_prefix(prefix)?.strip_suffix(')')?;
        name.get(prefix.len()..prefix.len() + start.len())
    };
    if let Some(field) = inside("cs(") {
        return Column::request_field(field);
    }
    if let Some(field) = inside("sc(") {
        return Column::ResponseField(field.into());
    }
    Column::Part(match lower.as_str() {
        "date" | "date-local" => Part::Date,
        "time" | "time-local" => Part::Clock,
        "c-ip" => Part::Client,
        "c-port" => Part::ClientPort,
        "s-ip" => Part::Server,
        "s-port" => Part::ServerPort,
        "cs-username" | "c-auth-id" => Part::User,
        "cs-method" => Part::Method,
        "cs-uri-stem" => Part::Path,
        "cs-uri-query" => Part::Query,
        "cs-uri" => Part::Target,
        "cs-version" | "cs-protocol-version" => Part::Version,
        "cs-host" | "x-host-header" => Part::Host,
        "cs-protocol" => Part::Scheme,
        "sc-status" => Part::Status,
        "sc-substatus" => Part::Substatus,
        "sc-win32-status" => Part::Win32,
        "sc-bytes" | "bytes" => Part::Bytes,
        "s-reason" | "sc-action" | "x-edge-detailed-result-type" => Part::Remark,
        "x-forwarded-for" | "s-xff" => return Column::RequestField("X-Forwarded-For".into()),
        _ => return Column::Other,
    })
}

fn after<'a>(line: &'a [u8], directive: &[u8]) -> Option<&'a [u8]> {
    let (start, rest) = line.split_at_checked(directive.len())?;
    start.eq_ignore_ascii_case(directive).then(|| rest.trim_ascii())
}

/// The values of a line: between tabs, or between spaces with quoted strings in which `""` is a quote.
struct Values<'a> {
    rest: &'a [u8],
    by_tabs: bool,
}

impl<'a> Iterator for Values<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        if !self.by_tabs {
            self.rest = self.rest.trim_ascii_start();
        }
        if self.rest.is_empty() {
            return None;
        }
        if let Some(inside) = self.rest.strip_prefix(b"\"")
            && let Some(end) = closing_quote(inside)
        {
            self.rest = inside.get(end + 1..)?;
            if self.by_tabs {
                self.rest = self.rest.strip_prefix(b"\t").unwrap_or(self.rest);
            }
            return inside.get(..end);
        }
        let separator = if self.by_tabs { b'\t' } else { b' ' };
        let end = memchr(separator, self.rest).unwrap_or(self.rest.len());
        let value = self.rest.get(..end)?;
        self.rest = self.rest.get(end + 1..).unwrap_or_default();
        Some(value)
    }
}

/// The quote that has white space or nothing behind it.
fn closing_quote(inside: &[u8]) -> Option<usize> {
    memchr::memchr_iter(b'"', inside).find(|at| inside.get(at + 1).is_none_or(|b| matches!(b, b' ' | b'\t')))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn get(w3c: &W3c, line: &str, part: Part) -> Option<String> {
        w3c.parse(line.as_bytes())?.get(part).map(|v| String::from_utf8_lossy(v).into_owned())
    }

    #[test]
    fn columns_stand_in_any_order_and_change() {
        let mut w3c =
            W3c::of_fields(b"#Fields: time cs-username sc-status sc-substatus cs-uri-stem").unwrap();
        assert_eq!(get(&w3c, r"06:54:30 DE\DS91FE 401 5 /x", Part::User).as_deref(), Some(r"DE\DS91FE"));
        assert!(w3c.parse(b"06:54:30 - 401 5 /x").unwrap().moment().is_none());
        w3c.directive(b"#Date: 2009-01-15 06:54:28");
        let line = w3c.parse(b"06:54:30 - 401 5 /x").unwrap();
        assert_eq!(line.moment().unwrap().at.to_string(), "2009-01-15T06:54:30Z");
        w3c.directive(b"#Fields: cs-uri-stem sc-status cs(User-Agent)");
        assert_eq!(get(&w3c, "/y 200 Mozilla/5.0+(X11)", Part::Status).as_deref(), Some("200"));
    }

    #[test]
    fn a_pasted_line_needs_no_header() {
        for line in [
            r"2009-01-15 06:54:30 10.3.13.56 PROPPATCH /Exchange/x.EML - 80 DE\DS91FE 10.16.0.95 - 401 5 0",
            r"2009-01-15 06:54:30 W3SVC1 10.3.13.56 GET /x - 80 DE\DS91FE 10.16.0.95 Mozilla/4.0 401 5 0",
            r"2015-01-13 00:32:17 100.79.192.81 GET /x - 80 DE\DS91FE 157.55.39.146 Mozilla/5.0 - 401 5 2 1405 242 283",
        ] {
            let parsed = headless(line.as_bytes()).unwrap();
            assert_eq!(
                (parsed.get(Part::User), parsed.status()),
                (Some(&br"DE\DS91FE"[..]), Some(401)),
                "{line}"
            );
            assert_eq!(parsed.get(Part::Substatus), Some(&b"5"[..]));
        }
        assert!(headless(b"2026-11-22 17:14:41 INFO something else /x 1").is_none());
    }

    #[test]
    fn quoted_values_and_tabs() {
        let w3c = W3c::of_fields(b"#Fields: c-ip  cs-uri  sc-status  cs(Cookie)").unwrap();
        assert_eq!(
            get(&w3c, "192.0.2.1    /x   401   \"a=b; c=\"\"d\"\"\"", Part::Status).as_deref(),
            Some("401")
        );
        let w3c = W3c::of_fields(b"#Fields: date time x-edge-location c-ip cs-method cs-uri-stem sc-status")
            .unwrap();
        let line = "2026-11-22\t17:14:41\tFRA2\t192.0.2.1\tGET\t/a b\t401";
        assert_eq!(get(&w3c, line, Part::Path).as_deref(), Some("/a b"));
    }
}
