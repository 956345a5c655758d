//! `why401 decode`: authentication fields taken apart.

use crate::args::{Args, Format};
use crate::{Status, output};
use std::io::{self, BufRead, IsTerminal, Read};
use why401_auth::decode::{Decoded, decode_line};
use why401_render::{html_of_text, visible};

/// So long a field is longer than any server takes.
const LONGEST: u64 = 16 * 1024 * 1024;

/// Prints each field of the command line, or of standard input, as soon as it is read.
///
/// # Errors
/// Where there is no field at all.
pub(crate) fn run(args: &Args, fields: &[String]) -> Result<Status, String> {
    let show = args.output.show_secrets;
    let mut printed = 0;
    let mut each = |line: &[u8]| -> Result<(), String> {
        let line = line.trim_ascii();
        if line.is_empty() {
            return Ok(());
        }
        output::print(&shown(args.output.format, &decode_line(line, show), printed > 0)?);
        printed += 1;
        Ok(())
    };
    if fields.is_empty() {
        if io::stdin().is_terminal() {
            return Err("decode: give a field, such as 'WWW-Authenticate: Basic realm=\"x\"'".to_owned());
        }
        let mut input = io::stdin().lock();
        let mut line = Vec::new();
        while (&mut input).take(LONGEST).read_until(b'\n', &mut line).map_err(|e| e.to_string())? > 0 {
            each(&line)?;
            line.clear();
        }
    }
    for field in fields {
        each(field.as_bytes())?;
    }
    if printed == 0 { Err("decode: there is no field".to_owned()) } else { Ok(Status::NoFault) }
}

fn shown(format: Format, decoded: &Decoded, another: bool) -> Result<String, String> {
    let text = || decoded.to_text().lines().map(|l| visible(l) + "\n").collect::<String>();
    Ok(match format {
        Format::Json | Format::Ndjson => {
            harmless(&serde_json::to_string(decoded).map_err(|e| e.to_string())?) + "\n"
        }
        Format::Html => html_of_text(&decoded.field, &text()),
        Format::Markdown => format!("~~~~text\n{}~~~~\n", text()),
        Format::Text if another => format!("\n{}", text()),
        Format::Text => text(),
    })
}

/// The same JSON with what deceives a terminal written as escapes: DEL, the controls of ISO 6429 above ASCII, and
/// bidirectional controls (Unicode Standard Annex 9), none of which JSON itself escapes.
fn harmless(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        match c {
            '\u{7f}'..='\u{9f}'
            | '\u{61c}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2066}'..='\u{2069}' => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    #[test]
    fn json_deceives_no_terminal_and_says_the_same() {
        let said = "a\u{9b}2J\u{202e}b\u{7f}ü";
        let json = serde_json::to_string(said).unwrap_or_default();
        let harmless = super::harmless(&json);
        assert_eq!(harmless, r#""a\u009b2J\u202eb\u007fü""#);
        assert_eq!(serde_json::from_str::<String>(&harmless).ok().as_deref(), Some(said));
    }
}
