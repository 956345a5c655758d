//! `why401 probe` against servers on loopback that count what they are asked.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "in a test a panic is the report"
)]

mod as_curl;
mod causes;
mod content;
mod credentials;
mod harm;
mod lab;
mod ntlm;
mod server;
mod socks;
mod tokens;
mod trouble;

use serde_json::Value;
use std::process::{Command, Output, Stdio};

/// The password of all tests; it must never be shown.
pub(crate) const PASSWORD: &str = "Winter-42";

/// Runs `why401 probe` with these words, apart from this machine's proxies and stores.
pub(crate) fn command(words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_why401"));
    command.arg("probe").args(["--pause", "5"]).args(words).stdin(Stdio::null());
    for name in ["http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY"]
    {
        command.env_remove(name);
    }
    command
}

/// What it printed; no secret may be in it.
pub(crate) fn run(words: &[&str]) -> Output {
    let out = command(words).output().unwrap();
    let all = format!("{}{}", String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr));
    assert!(!all.contains(PASSWORD) && !all.contains("V2ludGVyLTQy"), "a password was printed: {all}");
    out
}

/// The diagnosis.
pub(crate) fn probe(words: &[&str]) -> Value {
    let words = [&["--format", "json"], words].concat();
    let out = run(&words);
    serde_json::from_slice(&out.stdout)
        .unwrap_or_else(|e| panic!("{e}: {}", String::from_utf8_lossy(&out.stderr)))
}

/// The cause named first and how surely; `none` where nothing was found.
pub(crate) fn first(report: &Value) -> (&str, &str) {
    let f = &report["findings"][0];
    (f["cause"].as_str().unwrap_or("none"), f["certainty"].as_str().unwrap_or(""))
}
