//! A file of options (`-K`): one a line, as words.

/// The words of the options in a file.
///
/// Source: curl's manual page on `--config`: `option value`, `option=value` or `option: value`, the dashes may be left
/// out; `#` begins a comment; a value in double quotes may hold blanks and `\\`, `\"`, `\t`, `\n`, `\r`, `\v`.
pub(super) fn words(text: &str) -> Vec<String> {
    let mut all = Vec::new();
    for line in text.lines().map(str::trim).filter(|l| !l.is_empty() && !l.starts_with('#')) {
        let dashed = line.starts_with('-');
        let ends = |c: char| c.is_whitespace() || (!dashed && matches!(c, '=' | ':'));
        let (name, rest) = line.find(ends).and_then(|at| line.split_at_checked(at)).unwrap_or((line, ""));
        all.push(if dashed { name.to_owned() } else { format!("--{name}") });
        let rest = rest.trim_start();
        let value = if dashed { rest } else { rest.strip_prefix(['=', ':']).unwrap_or(rest).trim_start() };
        match value.strip_prefix('"') {
            Some(quoted) => all.push(unquoted(quoted)),
            None => all.extend(value.split_whitespace().next().map(str::to_owned)),
        }
    }
    all
}

/// What stands up to the closing quote.
fn unquoted(text: &str) -> String {
    let mut value = String::new();
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        match c {
            '"' => break,
            '\\' => match rest.next() {
                Some('t') => value.push('\t'),
                Some('n') => value.push('\n'),
                Some('r') => value.push('\r'),
                Some('v') => value.push('\u{b}'),
                other => value.extend(other),
            },
            c => value.push(c),
        }
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_as_curl_reads_them() {
        let text = "# a comment\n\nurl = \"http://h.example/a b\"\n-u alice:pw\n--data a=1\nuser-agent: x y\nsilent\n\
                    header \"X-A: \\\"q\\\"\\t\\\\\"  # more\r\n";
        let expected = [
            "--url",
            "http://h.example/a b",
            "-u",
            "alice:pw",
            "--data",
            "a=1",
            "--user-agent",
            "x",
            "--silent",
            "--header",
            "X-A: \"q\"\t\\",
        ];
        assert_eq!(words(text), expected);
    }
}
