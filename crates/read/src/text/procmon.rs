//! Process Monitor's CSV: the rows that were denied, with the file and the identity.

use super::lines::{Line, Lines};
use super::out::Out;
use crate::{Format, Input, Sink};
use std::io;
use why401_http::{Speaker, Statement};

/// What Process Monitor saves as CSV.
pub(crate) const PROCMON: Format = Format { name: "procmon", fits, read };

fn fits(head: &[u8]) -> u8 {
    let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
    let first = head.split(|c| *c == b'\n').next().unwrap_or_default();
    let has = |name: &str| memchr::memmem::find(first, name.as_bytes()).is_some();
    if has("\"Process Name\"") && has("\"Operation\"") && has("\"Result\"") { 95 } else { 0 }
}

/// Results that mean a refusal.
const DENIED: &[&str] = &["ACCESS DENIED", "LOGON FAILURE", "PRIVILEGE NOT HELD", "BAD IMPERSONATION"];

/// As many denied rows are told one by one.
const MOST_ROWS: usize = 2000;

fn read(input: Input<'_>, sink: &mut dyn Sink) -> io::Result<()> {
    let mut lines = Lines::new(input.source, input.bytes)?;
    let mut out = Out::new(input.source, sink);
    let mut columns = Vec::new();
    let mut told = 0;
    while let Some(line) = lines.next(out.sink)? {
        let text = line.str();
        if columns.is_empty() {
            columns = cells(&text);
            continue;
        }
        if told >= MOST_ROWS || !DENIED.iter().any(|d| text.contains(d)) {
            continue;
        }
        if let Some(statement) = row(&line, &columns, &out) {
            told += 1;
            out.say(statement);
        }
    }
    Ok(())
}

fn row(line: &Line, columns: &[String], out: &Out<'_>) -> Option<Statement> {
    let cells = cells(&line.str());
    let cell = |name: &str| columns.iter().position(|c| c == name).and_then(|i| cells.get(i));
    cell("Result").filter(|r| DENIED.contains(&r.as_str()))?;
    let mut statement = Statement::new(out.source, Speaker::ServerLog, line.text.clone());
    statement.product = Some("procmon");
    // Impersonation is told in the details only; without it the process acts as its own user.
    let impersonating = cell("Detail").and_then(|d| d.split_once("Impersonating: ")).map(|(_, u)| u);
    let user = impersonating.map(|u| u.split([',', ';']).next().unwrap_or(u).trim().to_owned());
    statement.user = user.or_else(|| cell("User").cloned()).filter(|u| !u.is_empty());
    statement.code = cell("Result").cloned();
    Some(statement)
}

/// The cells of a row of CSV (RFC 4180).
fn cells(row: &str) -> Vec<String> {
    let mut cells = Vec::new();
    let mut cell = String::new();
    let mut quoted = false;
    let mut chars = row.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => {
                chars.next();
                cell.push('"');
            }
            '"' => quoted = !quoted,
            ',' if !quoted => cells.push(std::mem::take(&mut cell)),
            c => cell.push(c),
        }
    }
    cells.push(cell);
    cells
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Collected;
    use why401_span::SourceId;

    #[test]
    fn denied_rows_name_the_file_and_the_identity() {
        let csv = "\u{feff}\"Time of Day\",\"Process Name\",\"PID\",\"Operation\",\"Path\",\"Result\",\"Detail\"\r\n\
            \"9:00:00.1\",\"w3wp.exe\",\"7\",\"CreateFile\",\"C:\\x\\web.config\",\"SUCCESS\",\"\"\r\n\
            \"9:00:00.2\",\"w3wp.exe\",\"7\",\"CreateFile\",\"C:\\x\\a \"\"b\"\".htm\",\"ACCESS DENIED\",\"Desired Access: Read, Impersonating: NT AUTHORITY\\IUSR\"\r\n";
        assert_eq!(fits(csv.as_bytes()), 95);
        let mut sink = Collected::default();
        let mut bytes = csv.as_bytes();
        let input = Input { source: SourceId(0), bytes: &mut bytes, log_format: None, keys: &[] };
        read(input, &mut sink).unwrap();
        let [denied] = &sink.statements[..] else { panic!("{:?}", sink.statements) };
        assert_eq!(
            (denied.user.as_deref(), denied.code.as_deref()),
            (Some("NT AUTHORITY\\IUSR"), Some("ACCESS DENIED"))
        );
        assert!(denied.text.to_text().contains("C:\\x\\a"));
    }
}
