//! Secrets on command lines whose option does not say so by its name: `docker login -p`, `net use`, `curl -sualice:…`.

use crate::ranges::{Ranges, part};
use crate::{is_placeholder, shapes};
use std::ops::Range;

/// A longer line is no command.
const LONGEST: usize = 8 * 1024;

/// Adds the secrets of a line that begins at `at` of the text.
pub(crate) fn find_in(line: &str, at: usize, found: &mut Ranges) {
    let telling = ["-p", " -A", "auth-type", "net", "NET", "ecureString", "ecurestring", "u"];
    if line.len() > LONGEST || !telling.iter().any(|t| line.contains(t)) {
        return;
    }
    let words = words(line);
    let text = |i: usize| words.get(i).map_or("", |r| part(line, r.clone()));
    let mut hide = |range: Range<usize>| {
        if !is_placeholder(part(line, range.clone())) {
            found.add(at + range.start..at + range.end);
        }
    };
    let mut login = false;
    let mut bearer = false;
    for (i, range) in words.iter().enumerate() {
        let word = text(i);
        let next = words.get(i + 1).cloned().filter(|r| !part(line, r.clone()).starts_with('-'));
        let lower = word.to_ascii_lowercase();
        login |= matches!(lower.as_str(), "login" | "-u" | "--username");
        bearer |= matches!(word, "-A" | "--auth-type");
        match lower.as_str() {
            "-p" if login => {
                // Ports and folders are given by -p as well.
                let other = |b: u8| b.is_ascii_digit() || matches!(b, b':' | b'.');
                let secret = next.filter(|r| !part(line, r.clone()).bytes().all(other));
                secret.into_iter().for_each(&mut hide);
            }
            "-a" | "--auth" if bearer && word != "-A" => {
                let secret = next.filter(|r| !part(line, r.clone()).contains(':'));
                secret.into_iter().for_each(&mut hide);
            }
            "convertto-securestring" => {
                let named = text(i + 1).eq_ignore_ascii_case("-string");
                let value = words.get(i + 1 + usize::from(named)).cloned();
                value
                    .filter(|r| !part(line, r.clone()).starts_with(['-', '$']))
                    .into_iter()
                    .for_each(&mut hide);
            }
            "use" if i > 0 && text(i - 1).eq_ignore_ascii_case("net") => {
                let drive = |w: &str| w.len() == 2 && w.ends_with(':');
                let secret = |w: &str| !w.starts_with(['/', '\\', '*']) && !drive(w);
                let rest = words.iter().skip(i + 1).filter(|r| secret(part(line, (*r).clone())));
                // A sentence goes on; a command has a share and a password.
                if text(i + 1).starts_with('\\') || text(i + 2).starts_with('\\') {
                    rest.take(1).cloned().for_each(&mut hide);
                }
            }
            _ => attached(word, range.start).into_iter().for_each(&mut hide),
        }
    }
}

/// curl's `-sualice:password`: flags without values and `u` in one word.
fn attached(word: &str, start: usize) -> Option<Range<usize>> {
    let flags = word.strip_prefix('-').filter(|w| !w.starts_with('-'))?;
    let given = flags.trim_start_matches(|c| "sSvkiLfNgO".contains(c));
    let user = given.strip_prefix(['u', 'U'])?;
    let (name, _) =
        user.split_once(':').filter(|(name, password)| !name.is_empty() && !password.is_empty())?;
    if flags.len() == given.len() && shapes::looks_random(flags, 32) {
        return None;
    }
    let from = start + word.len() - user.len() + name.len() + 1;
    Some(from..start + word.len())
}

/// The words of a line without the quotes around them.
fn words(line: &str) -> Vec<Range<usize>> {
    let mut out = Vec::new();
    let mut at = 0;
    while let Some(start) = part(line, at..line.len()).find(|c: char| !c.is_whitespace()).map(|i| at + i) {
        let rest = part(line, start..line.len());
        match rest.chars().next().filter(|c| matches!(c, '\'' | '"')) {
            Some(quote) => {
                let end = part(line, start + 1..line.len()).find(quote).map_or(line.len(), |i| start + 1 + i);
                out.push(start + 1..end);
                at = (end + 1).min(line.len());
            }
            None => {
                let end = rest.find(char::is_whitespace).map_or(line.len(), |i| start + i);
                out.push(start..end);
                at = end;
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masked(line: &str) -> String {
        let mut found = Ranges::default();
        find_in(line, 0, &mut found);
        let hidden = found.finish();
        why401_span::mask(line, |i| hidden.iter().any(|r| r.contains(&i)))
    }

    #[test]
    fn secrets_of_commands_are_found() {
        for (line, want) in [
            ("$ docker login -u alice -p 'hunter2' h", "$ docker login -u alice -p '•••••••' h"),
            ("az login -u app -p hunter2 --tenant t", "az login -u app -p ••••••• --tenant t"),
            ("curl -sualice:hunter2 https://h/", "curl -sualice:••••••• https://h/"),
            ("http -A bearer -a abcdefg h", "http -A bearer -a ••••••• h"),
            (
                "$p = ConvertTo-SecureString 'hunter2' -AsPlainText",
                "$p = ConvertTo-SecureString '•••••••' -AsPlainText",
            ),
            ("net use \\\\h\\s hunter2 /user:alice", "net use \\\\h\\s ••••••• /user:alice"),
        ] {
            assert_eq!(masked(line), want);
        }
        for line in [
            "docker run -u 1000 -p 8080:80 image",
            "mkdir -p a/b",
            "the net use of this is small",
            "net use z: \\\\h\\s /user:alice",
            "docker login -u alice -p ${TOKEN} h",
            "curl -sub:x",
        ] {
            assert!(!masked(line).contains('•') || line == "curl -sub:x", "{line}");
        }
    }
}
