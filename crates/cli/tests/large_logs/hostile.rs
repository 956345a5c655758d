//! Lines that are none, holes, a gzip that was cut off, names that imitate lines.

use crate::hub::Hub;
use crate::{diagnose, findings};
use std::fmt::Write as _;
use std::io::Write as _;
use std::process::Command;

#[test]
fn what_can_be_read_is_read() {
    let hub = Hub::day();
    let folder = tempfile::tempdir().unwrap();
    let half = hub.log.len() / 2;
    let half = half + hub.log[half..].find('\n').unwrap() + 1;
    let (before, after) = hub.log.split_at(half);
    let path = folder.path().join("access.log");
    let mut file = std::fs::File::create(&path).unwrap();
    file.write_all(before.as_bytes()).unwrap();
    // A hole that rotation left, a line without end, a line that is none, words of the server, another format.
    file.write_all(&vec![0; 3_000_000]).unwrap();
    let noise = format!(
        "{}\n\u{1b}[31mnot a line\n2026/11/22 17:15:13 [error] 1#1: *3 user \"eve\": password mismatch, client: 192.0.2.77, server: x, request: \"GET /eve HTTP/1.1\"\n\
         www.example.com:443 192.0.2.99 - carol [22/Nov/2026:17:14:41 +0000] \"GET /\\x22 HTTP/1.1\" 200 1\n",
        "x".repeat(3_000_000)
    );
    file.write_all(format!("{}{noise}", &after[..after.find('\n').unwrap() + 1]).as_bytes()).unwrap();
    file.write_all(&after.as_bytes()[after.find('\n').unwrap() + 1..]).unwrap();
    drop(file);
    let report = diagnose(&[&path], &[]);
    let source = &report["sources"][0];
    assert_eq!(
        source["exchanges"].as_u64(),
        Some(hub.statuses.values().sum::<u64>() + 1),
        "{}",
        source["problems"]
    );
    assert_eq!(source["statuses"]["401"].as_u64(), Some(hub.of(401)));
    assert!(
        source["problems"]
            .as_array()
            .unwrap()
            .iter()
            .any(|p| p["what"].as_str().unwrap().contains("not a line"))
    );
    assert!(!report.to_string().contains("\\u001b"));

    // A gzip that was cut off.
    assert!(Command::new("gzip").arg(&path).status().unwrap().success());
    let gz = folder.path().join("access.log.gz");
    let bytes = std::fs::read(&gz).unwrap();
    std::fs::write(&gz, &bytes[..bytes.len() * 2 / 3]).unwrap();
    let report = diagnose(&[&gz], &[]);
    let source = &report["sources"][0];
    assert!(source["exchanges"].as_u64().unwrap() > 10_000);
    assert!(source["problems"].to_string().contains("cut off"), "{}", source["problems"]);
}

#[test]
fn names_that_imitate_lines_stay_names() {
    let mut log = String::new();
    for i in 0..60_000u32 {
        let user = if i % 100 == 0 {
            r#"x [22/Nov/2026:00:00:00 +0000] \"GET / HTTP/1.1\" 200 1"#.to_owned()
        } else {
            format!("user{}", i % 7)
        };
        let status = if i % 100 == 0 { 401 } else { 200 };
        writeln!(
            log,
            "192.0.2.1 - {user} [22/Nov/2026:{:02}:{:02}:00 +0000] \"GET /a%0a{} HTTP/1.1\" {status} 1 \"-\" \"curl/8.5.0\"",
            i / 2600,
            i / 44 % 60,
            i % 9
        )
        .unwrap();
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("access.log");
    std::fs::write(&path, &log).unwrap();
    let report = diagnose(&[&path], &[]);
    assert_eq!(report["sources"][0]["statuses"]["401"].as_u64(), Some(600));
    assert_eq!(findings(&report).iter().map(|f| f.3).sum::<u64>(), 600);
}
