//! A log format that the user gives, in whatever shape they have it at hand.

use super::line::Escape;
use super::plan::Plan;
use super::w3c::W3c;
use super::{apache_format, nginx_format};

/// How lines are to be read.
#[derive(Debug, Clone)]
pub(crate) enum Given {
    /// By a plan.
    Plan(Plan),
    /// By W3C columns.
    Columns(W3c),
}

/// Understands Apache's format strings and `LogFormat` lines, nginx's and `log_format` blocks, Apache's nicknames and
/// a W3C `#Fields:` line. `None` for anything else.
pub(crate) fn compile(text: &str) -> Option<Given> {
    let text = text.trim();
    let format = match text {
        "common" => r#"%h %l %u %t "%r" %>s %b"#,
        "combined" => r#"%h %l %u %t "%r" %>s %b "%{Referer}i" "%{User-Agent}i""#,
        "vhost_common" => r#"%v %h %l %u %t "%r" %>s %b"#,
        "vhost_combined" => r#"%v:%p %h %l %u %t "%r" %>s %O "%{Referer}i" "%{User-Agent}i""#,
        "combinedio" => r#"%h %l %u %t "%r" %>s %b "%{Referer}i" "%{User-Agent}i" %I %O"#,
        other => other,
    };
    if format.starts_with("#Fields:") {
        return W3c::of_fields(format.as_bytes()).map(Given::Columns);
    }
    if let Some((strings, escape)) = nginx_block(format) {
        return nginx_format::compile(&strings, escape).map(Given::Plan);
    }
    if let Some(quoted) = apache_line(format) {
        return apache_format::compile(quoted).map(Given::Plan);
    }
    let is_nginx = format.contains("$status") || format.contains("${status}");
    let plan = match is_nginx {
        true => nginx_format::compile(format, Escape::Backslash),
        false => apache_format::compile(format),
    };
    plan.map(Given::Plan)
}

/// The strings of `log_format name [escape=...] '...' '...';` joined.
fn nginx_block(text: &str) -> Option<(String, Escape)> {
    let rest = text.strip_prefix("log_format")?;
    let open = rest.find(['\'', '"'])?;
    let (head, strings) = rest.split_at_checked(open)?;
    let escape = match head.split_once("escape=").map(|(_, e)| e.trim()) {
        Some("json") => Escape::Json,
        Some("none") => Escape::None,
        _ => Escape::Backslash,
    };
    let mut joined = String::new();
    let mut rest = strings;
    while let Some(quote) = rest.chars().next().filter(|c| matches!(c, '\'' | '"')) {
        let (string, behind) = rest.get(1..)?.split_once(quote)?;
        joined.push_str(string);
        rest = behind.trim_start();
    }
    Some((joined, escape))
}

/// The string of `LogFormat "..." nickname` or `CustomLog file "..."`, backslashes still in it.
fn apache_line(text: &str) -> Option<&str> {
    let lower = text.to_ascii_lowercase();
    if !lower.starts_with("logformat") && !lower.starts_with("customlog") {
        return None;
    }
    let (_, rest) = text.split_once('"')?;
    let end = rest.match_indices('"').find(|(at, _)| !rest.get(..*at).is_some_and(|s| s.ends_with('\\')))?.0;
    rest.get(..end)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::logs::part::Part;

    fn user(format: &str, line: &str) -> Option<String> {
        let Given::Plan(plan) = compile(format)? else { return None };
        let line = plan.parse(line.as_bytes())?;
        line.get(Part::User).map(|u| String::from_utf8_lossy(u).into_owned())
    }

    #[test]
    fn all_shapes_of_a_format() {
        let line = r#"192.0.2.1 - alice [22/Nov/2026:17:14:41 +0000] "GET / HTTP/1.1" 401 179"#;
        let block = "log_format main '$remote_addr - $remote_user [$time_local] '\n    '\"$request\" $status $body_bytes_sent';";
        for format in ["common", r#"LogFormat "%h %l %u %t \"%r\" %>s %b" common"#, block] {
            assert_eq!(user(format, line).as_deref(), Some("alice"), "{format}");
        }
        let json = r#"log_format j escape=json '{"u":"$remote_user","s":$status}';"#;
        assert_eq!(user(json, r#"{"u":"a\"b","s":401}"#).as_deref(), Some(r#"a\"b"#));
    }

    #[test]
    fn nonsense_is_none() {
        for format in ["", "nonsense", "log_format", "LogFormat", "log_format x 'y", "#Fields:"] {
            assert!(compile(format).is_none(), "{format}");
        }
    }
}
