//! Everything that the README shows is run: each `console` block's commands, against the output that it shows.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "in a test a panic is the report"
)]

use std::path::Path;
use std::process::Command;

#[test]
fn the_readme_shows_what_happens() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let readme = std::fs::read_to_string(root.join("README.md")).unwrap();
    let mut shown = 0;
    for block in readme.split("```console\n").skip(1) {
        let block = block.split("```").next().unwrap();
        for part in block.split("$ ").skip(1) {
            let (command, expected) = part.split_once('\n').unwrap_or((part, ""));
            // What builds and what runs all tests is run by whoever runs this.
            if command.starts_with("./test") || command.starts_with("cargo install") {
                continue;
            }
            let run = command.replace("cargo run --release -- ", "why401 ");
            let bin = Path::new(env!("CARGO_BIN_EXE_why401")).parent().unwrap();
            let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
            let out =
                Command::new("sh").arg("-c").arg(&run).current_dir(&root).env("PATH", path).output().unwrap();
            let got = String::from_utf8(out.stdout).unwrap() + &String::from_utf8(out.stderr).unwrap();
            shown += 1;
            match expected.split_once("...\n") {
                Some((start, _)) => assert!(got.starts_with(start), "{command}\n{got}"),
                None => assert_eq!(got.trim_end(), expected.trim_end(), "{command}"),
            }
        }
    }
    assert!(shown >= 3, "the README shows {shown} commands");
}
