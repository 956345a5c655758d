//! Whether Node can be told to preload something.

use std::ffi::OsString;
use std::path::Path;
use std::process::{Command, Stdio};

/// Programs that start no Node.
const OTHERS: &[&str] = &[
    "curl", "wget", "git", "python", "python3", "pip", "pip3", "http", "https", "java", "mvn", "gradle",
    "php", "ruby", "go", "cargo", "dotnet", "perl", "aws", "docker", "kubectl", "gh", "xh",
];

/// Whether the Node that would be found takes `--import` in `NODE_OPTIONS`: 18.19, 20.6 and later
/// (<https://nodejs.org/api/cli.html#--importmodule>). An older one would not start with it.
pub(super) fn takes_imports(command: &[OsString]) -> bool {
    let program = command.first().map(Path::new).and_then(Path::file_name).unwrap_or_default();
    if OTHERS.iter().any(|o| program == *o) {
        return false;
    }
    // The program itself may be a Node of its own.
    let node = if program == "node" { command.first().cloned() } else { None };
    let node = node.unwrap_or_else(|| "node".into());
    let out = Command::new(node)
        .arg("--version")
        .env_remove("NODE_OPTIONS")
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output();
    out.is_ok_and(|out| is_recent(&String::from_utf8_lossy(&out.stdout)))
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
