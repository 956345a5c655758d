//! What the build drags in: licences that may be used, and crates that stay out.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "in a test a panic is the report"
)]

use serde_json::Value;
use std::process::Command;

/// Licences under which why401 can be given on as MIT OR Apache-2.0.
const LICENCES: &[&str] = &[
    "MIT",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "ISC",
    "Zlib",
    "Unlicense",
    "CC0-1.0",
    "Unicode-3.0",
    "0BSD",
    "BSL-1.0",
    "MIT-0",
    "OpenSSL",
    // A BSD licence by another name, of the bzip2 library.
    "bzip2-1.0.6",
];

/// Crates that stay out, and why.
const OUT: &[(&str, &str)] = &[
    ("rsa", "RUSTSEC-2023-0071: timing side channel"),
    ("ring", "a second cryptography library beside the one in use"),
    ("openssl-sys", "binds the machine's OpenSSL"),
    ("rust-crypto", "unmaintained, RUSTSEC-2016-0005"),
];

/// The platform that this is built on.
fn host() -> String {
    let told = Command::new("rustc").arg("-vV").output().unwrap().stdout;
    let told = String::from_utf8(told).unwrap();
    told.lines().find_map(|line| line.strip_prefix("host: ")).unwrap().to_owned()
}

#[test]
fn dependencies_keep_to_the_list() {
    let out = Command::new(env!("CARGO"))
        // What only other platforms need is not on this machine.
        .args(["metadata", "--format-version", "1", "--locked", "--offline", "--filter-platform", &host()])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let metadata: Value = serde_json::from_slice(&out.stdout).unwrap();
    for package in metadata["packages"].as_array().unwrap() {
        let name = package["name"].as_str().unwrap();
        let licence = package["license"].as_str().unwrap_or("");
        assert!(allowed(licence), "{name} is under {licence:?}");
    }
}

#[test]
fn what_stays_out_is_not_built() {
    // The lock file also lists what no feature that is on brings in.
    let out = Command::new(env!("CARGO"))
        .args(["tree", "--workspace", "--edges", "normal,build", "--target", &host(), "--prefix", "none"])
        .args(["--format", "{p}", "--locked", "--offline"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    for line in String::from_utf8(out.stdout).unwrap().lines() {
        let name = line.split(' ').next().unwrap();
        if let Some((_, why)) = OUT.iter().find(|(out, _)| *out == name) {
            panic!("{name} stays out: {why}");
        }
    }
}

/// Whether a licence expression can be met: every part joined by AND by one of its alternatives.
fn allowed(expression: &str) -> bool {
    let flat = expression.replace('/', " OR ").replace(['(', ')'], "");
    if flat.contains(" AND ") {
        return flat.split(" AND ").all(|part| part.split(" OR ").any(|l| LICENCES.contains(&l.trim())));
    }
    flat.split(" OR ").any(|l| LICENCES.contains(&l.trim()))
}
