//! The `.netrc` (as curl reads it): which login and password are for a host.

use why401_auth::Secret;

/// The login and password for a host, by a machine's own entry or else by `default`; `login` picks among several.
pub fn find(text: &str, host: &str, login: Option<&str>) -> Option<(String, Secret)> {
    let mut entries: Vec<(Option<String>, Option<String>, Option<String>)> = Vec::new();
    let mut words = words(text).into_iter();
    while let Some(word) = words.next() {
        match word.as_str() {
            "machine" => entries.push((words.next(), None, None)),
            "default" => entries.push((None, None, None)),
            "login" => {
                let value = words.next();
                entries.iter_mut().last().into_iter().for_each(|e| e.1 = value.clone());
            }
            "password" => {
                let value = words.next();
                entries.iter_mut().last().into_iter().for_each(|e| e.2 = value.clone());
            }
            "account" => {
                words.next();
            }
            _ => {}
        }
    }
    let fits = |e: &&(Option<String>, Option<String>, Option<String>)| {
        login.is_none_or(|l| e.1.as_deref() == Some(l)) && e.2.is_some()
    };
    let own =
        entries.iter().filter(|e| e.0.as_deref().is_some_and(|m| m.eq_ignore_ascii_case(host))).find(fits);
    let entry = own.or_else(|| entries.iter().filter(|e| e.0.is_none()).find(fits))?;
    Some((entry.1.clone().unwrap_or_default(), Secret::new(entry.2.clone()?)))
}

/// Words, some of them in quotes; `#` begins a comment, `macdef` a macro that ends with an empty line.
fn words(text: &str) -> Vec<String> {
    let mut out = Vec::new();
    let mut in_macro = false;
    for line in text.lines() {
        if in_macro {
            in_macro = !line.trim().is_empty();
            continue;
        }
        let mut chars = line.chars().peekable();
        while let Some(c) = chars.next() {
            match c {
                c if c.is_whitespace() => {}
                '#' => break,
                '"' => {
                    let mut word = String::new();
                    while let Some(c) = chars.next().filter(|c| *c != '"') {
                        word.push(if c == '\\' { chars.next().unwrap_or(c) } else { c });
                    }
                    out.push(word);
                }
                c => {
                    let mut word = String::from(c);
                    while let Some(c) = chars.next_if(|c| !c.is_whitespace()) {
                        word.push(c);
                    }
                    in_macro = word == "macdef";
                    out.push(word);
                }
            }
        }
        if in_macro {
            out.pop();
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machines_own_entry_comes_before_the_default() {
        let text = "machine other.example.com login bob password b\n# machine example.com login x password y\nmachine example.com\n  login alice\n  password \"a \\\"b\"\ndefault login anonymous password me\n";
        let found = |host, login| find(text, host, login).map(|(l, p)| (l, p.expose_text().into_owned()));
        assert_eq!(found("example.com", None), Some(("alice".to_owned(), "a \"b".to_owned())));
        assert_eq!(found("EXAMPLE.com", Some("alice")).map(|f| f.0), Some("alice".to_owned()));
        assert_eq!(found("example.net", None).map(|f| f.0), Some("anonymous".to_owned()));
        assert_eq!(found("example.net", Some("carol")), None);
    }
}
