//! Where a command line begins: prompts of shells, and programs that are known without one.

use crate::http1::head;

/// Programs whose command lines are known without a prompt before them.
const PROGRAMS: &[&str] = &[
    "curl",
    "wget",
    "http",
    "https",
    "xh",
    "xhs",
    "git",
    "npm",
    "npx",
    "yarn",
    "pnpm",
    "pip",
    "pip3",
    "docker",
    "podman",
    "kubectl",
    "gh",
    "glab",
    "az",
    "aws",
    "gcloud",
    "helm",
    "twine",
    "mvn",
    "gradle",
    "nuget",
    "dotnet",
    "cargo",
    "composer",
    "terraform",
    "kinit",
    "klist",
    "svn",
    "hg",
    "ab",
    "hey",
    "openssl",
    "skopeo",
    "oras",
    "invoke-webrequest",
    "iwr",
    "invoke-restmethod",
    "irm",
    "uv",
    "poetry",
    "huggingface-cli",
    "certutil",
];

/// Second words of programs that are typed without options.
const VERBS: &[&str] = &[
    "login",
    "pull",
    "push",
    "install",
    "publish",
    "clone",
    "fetch",
    "whoami",
    "ci",
    "add",
    "upload",
    "deploy",
    "ls-remote",
];

/// The program of a word: its base name in lower case, without `.exe`.
pub(super) fn program_of(word: &str) -> String {
    let base = word.rsplit(['/', '\\']).next().unwrap_or(word).to_ascii_lowercase();
    base.strip_suffix(".exe").unwrap_or(&base).to_owned()
}

/// Whether a word is a known program, spelled as people type it (`HTTP` is a word of prose).
fn is_program(word: &str) -> bool {
    let program = program_of(word);
    let typed = word.contains(program.as_str())
        || program.contains('-')
        || word.ends_with(".exe")
        || matches!(program.as_str(), "iwr" | "irm");
    typed && PROGRAMS.contains(&program.as_str())
}

/// Where the command begins behind a prompt; `None` if the line is none.
///
/// Prompts are `$ `, `# `, `% `, `> `, `❯ `, `PS C:\> `, `C:\> `, `user@host:~$ `, `➜  dir `; behind the weaker ones,
/// and without any, only known programs count.
pub(super) fn begins(line: &str) -> Option<usize> {
    let indent = line.len() - line.trim_start().len();
    let text = line.get(indent..)?;
    let known_at = |at: usize| {
        let rest = line.get(at..)?;
        let spaces = rest.len() - rest.trim_start().len();
        let mut at = at + spaces;
        // `VAR=x sudo time curl`
        loop {
            let word = line.get(at..)?.split_whitespace().next()?;
            let skip = matches!(word, "sudo" | "time" | "exec" | "&" | "env")
                || word.split_once('=').is_some_and(|(n, _)| {
                    !n.is_empty()
                        && n.bytes().all(|c| c.is_ascii_uppercase() || c == b'_' || c.is_ascii_digit())
                });
            if !skip {
                return is_program(word).then_some(at);
            }
            at += word.len();
            at += line.get(at..)?.len() - line.get(at..)?.trim_start().len();
        }
    };
    if let Some(rest) = text.strip_prefix("$ ") {
        return (!rest.trim().is_empty()).then_some(indent + 2);
    }
    if text.starts_with("PS ")
        && let Some(end) = text.find("> ")
        && end < 200
    {
        return Some(indent + end + 2);
    }
    let drive = text.as_bytes();
    if drive.first().is_some_and(u8::is_ascii_alphabetic)
        && drive.get(1..3) == Some(b":\\")
        && let Some(end) = text.find('>')
        && text.get(..end).is_some_and(|p| !p.contains(['"', '\t', '<']))
    {
        return Some(indent + end + 1).filter(|_| text.len() > end + 1);
    }
    // `alice@host:~/dir$ curl`, `[alice@host dir]# curl`
    for end in ["$ ", "# ", "% "] {
        if let Some(at) = text.find(end)
            && at < 120
            && text.get(..at).is_some_and(|p| {
                let host = p.split_once(":~").or_else(|| p.split_once(":/")).is_some_and(|(host, _)| {
                    !host.is_empty()
                        && host.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '.' | '_'))
                });
                (p.contains('@') || host) && !p.contains("://") && p.split_whitespace().count() <= 3
            })
        {
            return Some(indent + at + 2);
        }
    }
    // `/ # curl`, `~ $ curl`, `/app # curl`: the prompt of a shell in a container.
    for end in [" $ ", " # ", " % "] {
        if let Some(at) = text.find(end)
            && at < 80
            && text.get(..at).is_some_and(|p| p.starts_with(['/', '~']) && !p.contains(' '))
            && let Some(at) = known_at(indent + at + end.len())
        {
            return Some(at);
        }
    }
    for weak in ["# ", "% ", "> ", "❯ ", "+ ", "➜ ", "λ ", "Running: ", "Run ", "Command: "] {
        if text.starts_with(weak) {
            if let Some(at) = known_at(indent + weak.len()) {
                // PowerShell points at a failed line so.
                let pointed = weak == "+ "
                    && line.get(at..).is_some_and(|c| c.to_ascii_lowercase().starts_with("invoke-"));
                return Some(at).filter(|_| !pointed);
            }
            // `% printf '%s' "$TOKEN" | docker login`
            let fed = text.split(" | ").skip(1).filter_map(|part| part.split_whitespace().next());
            if weak != "> " && fed.into_iter().any(is_program) {
                return Some(indent + weak.len());
            }
            if matches!(weak, "➜ " | "❯ " | "λ ") {
                // The theme's words (directory, branch) stand before the program.
                return text.match_indices(' ').find_map(|(i, _)| known_at(indent + i));
            }
        }
    }
    let at = known_at(indent)?;
    let words: Vec<&str> = line.get(at..)?.split_whitespace().collect();
    let (program, rest) = words.split_first()?;
    let path = program.contains(['/', '\\']);
    let argument = rest.iter().any(|w| (w.starts_with('-') && w.len() > 1) || w.contains("://"));
    // A sentence that begins with a program's name has no option as its second or third word.
    let early = rest
        .iter()
        .take(3)
        .any(|w| (w.starts_with('-') && w.len() > 1) || w.contains("://") || head::is_method(w.as_bytes()));
    let verb = rest.first().is_some_and(|v| VERBS.contains(v))
        && rest.len() <= 6
        && !line.trim_end().ends_with(['.', '?', ':']);
    (path || verb || (argument && early)).then_some(at).filter(|_| !rest.is_empty())
}

/// Whether the command line goes on in the next line.
pub(super) fn continues(line: &str) -> bool {
    let end = line.trim_end();
    end.ends_with('\\') && !end.ends_with("\\\\") || end.ends_with(" ^") || end.ends_with(" `")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prompts_of_many_shells_are_known() {
        for (line, program) in [
            ("$ curl https://x.example", "curl"),
            ("> curl -v --digest http://192.0.2.77:5985/wsman", "curl"),
            (r"PS C:\src\site> gh pr list", "gh"),
            (r"C:\Users\x>curl.exe -V", "curl"),
            ("alice@host:~/x$ TOKEN=1 wget http://x", "wget"),
            ("[root@host ~]# curl x.example", "curl"),
            ("% printf '%s' \"$T\" | helm registry login r.example -u ci", "printf"),
            ("/ # curl x.example", "curl"),
            ("~ $ wget x.example", "wget"),
            ("➜  samples git:(master) npm install", "npm"),
            ("/usr/bin/git push --force https://x", "git"),
            ("curl -v https://x.example", "curl"),
            ("+ sudo docker login registry.example.com", "docker"),
        ] {
            let at = begins(line).unwrap();
            assert_eq!(
                program_of(
                    line.get(at..).unwrap().split(' ').find(|w| !w.contains('=') && *w != "sudo").unwrap()
                ),
                program,
                "{line}"
            );
        }
        for none in [
            "> GET / HTTP/1.1",
            "> Host: x",
            "# Caddyfile",
            "curl is what I use",
            "git does not work",
            "* * *",
            "Price: 5$ each",
        ] {
            assert_eq!(begins(none), None, "{none}");
        }
    }

    #[test]
    fn programs_are_known_by_their_verbs() {
        assert_eq!(begins("docker login registry.example.com"), Some(0));
        assert_eq!(begins("git push was refused, what now?"), None);
        assert_eq!(begins("+ Invoke-RestMethod -Uri https://h/"), None);
    }
}
