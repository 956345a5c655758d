//! The gate alone, for measurements: `cargo run --release -p why401-gate --example serve -- gate.toml`.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program")]

use std::path::PathBuf;

fn main() -> Result<(), String> {
    let path = std::env::args_os().nth(1).map(PathBuf::from).ok_or("which configuration?")?;
    let ready = |address, _| println!("listening on http://{address}/");
    why401_gate::run(&path, None, ready, |text| eprintln!("{text}"))
}
