//! What an attacker tries: requests that two servers read in two ways, paths that go around a rule, telling users apart by time.

use crate::running::{Gate, config, upstream};
use std::time::Instant;

const ALICE: &str = "Authorization: Basic YWxpY2U6c2VjcmV0\r\n";

fn gate() -> Gate {
    let upstream = upstream();
    Gate::start(&config(&format!(
        "[[site]]\nupstream = \"{upstream}\"\n[[site.rule]]\npath = \"/public/**\"\nschemes = []\n[[site.rule]]\npath = \"/**\"\ngroups = [\"admins\"]\n[[site.rule]]\npath = \"/never\"\n"
    )))
}

#[test]
fn smuggled_requests_are_refused_and_the_connection_ends() {
    let gate = gate();
    let smuggled = "GET /public/smuggled HTTP/1.1\r\nHost: x\r\n\r\n";
    for head in [
        "POST /public/a HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST /public/a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
        "POST /public/a HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nContent-Length: 44\r\n\r\n",
        "POST /public/a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\n\r\n",
        "POST /public/a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
        "POST /public/a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0 \r\n\r\n",
        "POST /public/a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\nx\r\n0\r\n\r\n",
        "POST /public/a HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "GET /public/a HTTP/1.1\r\nHost: x\r\nA: b\r\n folded\r\n\r\n",
        "GET /public/a HTTP/1.1\r\nHost: x\nA: b\r\n\r\n",
        "GET /public/a HTTP/1.1\n\n",
        "GET /public/a HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
        "GET /public/a HTTP/1.1\r\n\r\n",
        "GET /public/a HTTP/1.1\r\nHost: x@y\r\n\r\n",
        "GET http://y/public/a HTTP/1.1\r\nHost: x\r\n\r\n",
        "\r\n\r\n",
    ] {
        let out = gate.raw(format!("{head}{smuggled}").as_bytes());
        assert_eq!(out.matches("HTTP/1.1 ").count(), 1, "{head:?}: {out}");
        assert!(out.starts_with("HTTP/1.1 4") || out.starts_with("HTTP/1.1 5"), "{head:?}: {out}");
        assert!(!out.contains("smuggled"), "{head:?}: {out}");
    }
}

#[test]
fn no_path_goes_around_a_rule() {
    let gate = gate();
    for path in [
        "/public/../admin",
        "/public/%2e%2e/admin",
        "/public/..;/admin",
        "/public/%2e%2e%2fadmin",
        "/public//admin",
        "/public/..%5cadmin",
        "/public/\\..\\admin",
        "/public/%00/admin",
        "/public/./admin",
    ] {
        let out = gate.raw(format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").as_bytes());
        assert!(out.starts_with("HTTP/1.1 400"), "{path}: {out}");
    }
    let out =
        gate.raw(format!("GET /admin HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{ALICE}\r\n").as_bytes());
    assert!(out.starts_with("HTTP/1.1 403"), "{out}");
}

/// With bcrypt an unknown user takes as long as a known one: the medians of many interleaved attempts lie close together.
#[test]
fn time_does_not_tell_whether_a_user_exists() {
    let folder = tempfile::tempdir().unwrap();
    let upstream = upstream();
    let text = format!(
        "[accounts]\nhtpasswd = \"bcrypt\"\n[[site]]\nupstream = \"{upstream}\"\n[[site.rule]]\npath = \"/**\"\n"
    );
    // Cost 8, so that the hash is what takes the time.
    std::fs::write(
        folder.path().join("bcrypt"),
        "bob:$2y$08$1GnB0X3wH5YrldSdssDnzOU0WMFXcCu60ndRxYSxxG5sSdFJFpJiG\n",
    )
    .unwrap();
    let gate = Gate::start_in(folder, &text);
    let time = |field: &str| {
        let begun = Instant::now();
        let out = gate.raw(
            format!("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Basic {field}\r\n\r\n")
                .as_bytes(),
        );
        assert!(out.starts_with("HTTP/1.1 401"), "{out}");
        begun.elapsed()
    };
    // bob:wrong, nob:wrong
    let (mut known, mut unknown) = (Vec::new(), Vec::new());
    for _ in 0..15 {
        known.push(time("Ym9iOndyb25n"));
        unknown.push(time("bm9iOndyb25n"));
    }
    known.sort();
    unknown.sort();
    let (known, unknown) = (known[7].as_secs_f64(), unknown[7].as_secs_f64());
    println!("known {known:.4} s, unknown {unknown:.4} s");
    assert!(known / unknown < 2.0 && unknown / known < 2.0, "known {known}, unknown {unknown}");
}
