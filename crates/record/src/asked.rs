//! Whether Node can be told to preload something. It is asked for its version while other things are got ready.

use std::ffi::OsString;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// Programs that start no Node.
const OTHERS: &[&str] = &[
    "curl", "wget", "git", "python", "python3", "pip", "pip3", "http", "https", "java", "mvn", "gradle",
    "php", "ruby", "go", "cargo", "dotnet", "perl", "aws", "docker", "kubectl", "gh", "xh",
];

/// The Node that would be found, asked for its version.
pub(crate) struct Node(Option<Child>);

impl Node {
    /// Asks, where the program may start one.
    pub(crate) fn ask(command: &[OsString]) -> Node {
        let program = command.first().map(Path::new).and_then(Path::file_name).unwrap_or_default();
        if OTHERS.iter().any(|o| program == *o) {
            return Node(None);
        }
        // The program itself may be a Node of its own.
        let node = if program == "node" { command.first().cloned() } else { None };
        let asked = Command::new(node.unwrap_or_else(|| "node".into()))
            .arg("--version")
            .env_remove("NODE_OPTIONS")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn();
        Node(asked.ok())
    }

    /// Whether it takes `--import` in `NODE_OPTIONS`: 18.19, 20.6 and later
    /// (<https://nodejs.org/api/cli.html#--importmodule>). An older one would not start with it.
    pub(crate) fn takes_imports(self) -> bool {
        let out = self.0.map(Child::wait_with_output);
        out.is_some_and(|out| out.is_ok_and(|out| is_recent(&String::from_utf8_lossy(&out.stdout))))
    }
}

fn is_recent(version: &str) -> bool {
    let mut numbers =
        version.trim().trim_start_matches('v').split('.').map(|n| n.parse::<u32>().unwrap_or(0));
    let (major, minor) = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    match major {
        18 => minor >= 19,
        20 => minor >= 6,
        _ => major > 20,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_that_take_it_are_told_from_others() {
        for (version, takes) in [
            ("v20.20.2\n", true),
            ("v18.18.0", false),
            ("v18.19.1", true),
            ("v19.9.0", false),
            ("v22.1.0", true),
            ("", false),
        ] {
            assert_eq!(is_recent(version), takes, "{version}");
        }
    }
}
