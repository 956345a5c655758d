//! A secret's file or variable, shown character by character by who looked for what is wrong with it: `repr`, `cat -A`,
//! `od -c`, `xxd`, `hexdump -C`, and `wc -c` beside the text itself (GNU coreutils, `cat`, `od` and `wc`; Python, `repr`).

use super::lines_at;
use crate::Scene;
use std::ops::Range;
use why401_http::FactKind;
use why401_report::Annotation;

/// So many texts, and lines of one, are looked through.
const TEXTS: usize = 50;
const LINES: usize = 2_000;
/// So many lines behind a command are its output.
const OUTPUT: usize = 6;

/// Words in the name of a file or variable that holds a part of a login.
const OF_LOGIN: &[&str] = &["pass", "pwd", "token", "secret", "key", "cred", "user", "login", "auth"];
/// Files of keys in lines of their own: there a line break belongs to the end (RFC 7468).
const IN_LINES: &[&str] =
    &[".pem", "rsa", "ed25519", ".crt", ".cer", ".pub", "known_hosts", "htpasswd", ".netrc"];

/// How a command shows what it reads.
#[derive(Clone, Copy, PartialEq)]
enum Shows {
    /// As a string in a program's notation.
    Notation,
    /// With `$` at the end of each line.
    Ends,
    /// As characters, `\n` for a line feed.
    Characters,
    /// In hexadecimal.
    Hex,
    /// How many bytes it is.
    Count,
}

/// Where a shown secret ends in a line break.
pub(crate) fn line_end(scene: &Scene<'_>) -> Option<(Annotation, &'static str)> {
    // What was sent is seen itself.
    if scene.refused().is_some_and(|s| s.attempt.carries_credentials()) {
        return None;
    }
    let given = scene.case.facts.iter().filter(|f| f.kind == FactKind::Pasted).take(TEXTS);
    given.into_iter().find_map(|fact| {
        let range = in_text(&fact.text.to_text())?;
        let what = "it ends in a line break, as the bytes of its file or variable show";
        Some((scene.show_part(fact.source, &fact.text, range, "what this shows ends in a line break"), what))
    })
}

fn in_text(text: &str) -> Option<Range<usize>> {
    let mut lines = lines_at(text, LINES);
    lines.iter_mut().for_each(|(_, line)| *line = line.trim_end_matches(['\n', '\r']));
    // The command is shown and not its output, which is the secret.
    lines.iter().enumerate().find_map(|(i, (start, command))| {
        let shows = command_of(command)?;
        let output = lines.get(i + 1..)?.iter().take(OUTPUT);
        let mut output = output.take_while(|(_, l)| !l.trim().is_empty() && !l.starts_with("$ "));
        let ends = output.any(|(_, line)| match shows {
            Shows::Notation => is_notation(line),
            Shows::Ends => is_one_word(line.strip_suffix('$').unwrap_or_default()),
            Shows::Characters => line.starts_with("0000") && line.trim_end().ends_with("\\n"),
            Shows::Hex => ends_in_0a(line),
            Shows::Count => counts_one_more(line, &lines),
        });
        ends.then(|| *start..*start + command.len())
    })
}

/// What the command of a line shows, if it is about a part of a login.
fn command_of(line: &str) -> Option<Shows> {
    let lower = line.to_ascii_lowercase();
    if !OF_LOGIN.iter().any(|w| lower.contains(w)) || IN_LINES.iter().any(|w| lower.contains(w)) {
        return None;
    }
    let words: Vec<&str> = line.split_whitespace().collect();
    let runs = |name: &str| words.iter().position(|w| *w == name);
    let option = |at: usize, of: &[&str]| words.get(at + 1).is_some_and(|w| of.contains(w));
    if lower.contains("repr(") || lower.contains("json.stringify(") || lower.contains("json.dumps(") {
        return Some(Shows::Notation);
    }
    let cat = ["-A", "-e", "-vet", "-vE", "-E", "-et", "-ve", "--show-all", "--show-ends"];
    if runs("cat").is_some_and(|at| option(at, &cat)) {
        return Some(Shows::Ends);
    }
    if runs("od").is_some_and(|at| option(at, &["-c", "-An", "-ac"])) {
        return Some(Shows::Characters);
    }
    if runs("xxd").is_some() || runs("hexdump").is_some_and(|at| option(at, &["-C"])) {
        return Some(Shows::Hex);
    }
    runs("wc").filter(|at| option(*at, &["-c", "--bytes"])).map(|_| Shows::Count)
}

/// `'word\n'`, `b"word\r\n"`
fn is_notation(line: &str) -> bool {
    let line = line.trim().trim_start_matches(['b', 'u']);
    ['\'', '"'].iter().any(|quote| {
        let inside = line.strip_prefix(*quote).and_then(|l| l.strip_suffix(*quote));
        inside.and_then(|i| i.strip_suffix("\\n")).is_some_and(|i| is_one_word(i.trim_end_matches("\\r")))
    })
}

fn is_one_word(word: &str) -> bool {
    word.len() >= 4 && !word.contains(char::is_whitespace)
}

/// `00000000: 6162 6364 0a   abcd.` and `00000000  61 62 63 64 0a  |abcd.|`: one line, whose last byte is a line feed.
fn ends_in_0a(line: &str) -> bool {
    let mut words = line.split_whitespace();
    let begins = words.next().is_some_and(|w| w.trim_end_matches(':').len() == 8 && w.starts_with("0000"));
    // At most 16 bytes stand on a line, and what they look like behind them.
    let is_hex = |w: &&str| matches!(w.len(), 2 | 4) && w.bytes().all(|b| b.is_ascii_hexdigit());
    let last = words.take(16).take_while(is_hex).last();
    begins && last.is_some_and(|w| w.ends_with("0a"))
}

/// `11 FILE`, where the text of the same file was shown and has ten characters.
fn counts_one_more(line: &str, lines: &[(usize, &str)]) -> bool {
    let mut words = line.split_whitespace();
    let (Some(count), Some(file)) = (words.next().and_then(|w| w.parse::<usize>().ok()), words.next()) else {
        return false;
    };
    let shown = lines.iter().enumerate().find_map(|(i, (_, line))| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let cat = words.iter().position(|w| *w == "cat").and_then(|at| words.get(at + 1));
        cat.filter(|name| **name == file).and_then(|_| lines.get(i + 1))
    });
    shown.is_some_and(|(_, text)| is_one_word(text) && text.len() + 1 == count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_break_is_seen_in_every_way_of_showing_it() {
        for text in [
            "$ python3 -c 'print(repr(open(\"/run/secrets/db_password\").read()))'\n'Ulme77xy\\n'\n",
            ">>> repr(token)\n\"'abcd1234\\\\n'\"\n'abcd1234\\n'\n",
            "$ cat -A /run/secrets/api_token\nUlme77xy$\n",
            "$ od -c password.txt\n0000000   U   l   m   e   7   7  \\n\n0000007\n",
            "$ xxd password.txt\n00000000: 556c 6d65 3737 0a                        Ulme77.\n",
            "$ hexdump -C secret\n00000000  55 6c 6d 65 37 37 0a                              |Ulme77.|\n00000007\n",
            "$ cat db_password\nUlme77xy\n$ wc -c db_password\n9 db_password\n",
        ] {
            assert!(in_text(text).is_some(), "{text}");
        }
        for none in [
            "$ python3 -c 'print(repr(open(\"/run/secrets/db_password\").read()))'\n'Ulme77xy'\n",
            "$ cat -A /run/secrets/api_token\nUlme77xy\n",
            "$ cat -A notes.txt\nUlme77xy$\n",
            "$ cat -A secret_key.pem\nMIIEvQ77xy$\n",
            "$ xxd password.txt\n00000000: 556c 6d65 3737                           Ulme77\n",
            "$ cat db_password\nUlme77xy\n$ wc -c db_password\n8 db_password\n",
        ] {
            assert!(in_text(none).is_none(), "{none}");
        }
    }
}
