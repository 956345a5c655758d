//! Large error logs, alone and beside a large access log.

use crate::hub::Hub;
use crate::{diagnose, findings};
use serde_json::Value;
use std::fmt::Write as _;

/// Lines of an error log, one a second from midnight on; each fourth is about no refusal.
fn lines(count: u32, of: impl Fn(&str, u32, bool) -> String) -> String {
    let mut log = String::new();
    for i in 0..count {
        let time = format!("{:02}:{:02}:{:02}", i / 3600, i / 60 % 60, i % 60);
        writeln!(log, "{}", of(&time, i, i % 4 != 3)).unwrap();
    }
    log
}

fn apache(time: &str, i: u32, refused: bool) -> String {
    let client = format!("[client 192.0.2.{}:{}]", i % 30, 40_000 + i % 20_000);
    let said = match refused {
        true => format!(
            "[auth_basic:error] [pid 1:tid {i}] {client} AH01617: user user{}: authentication failure for \"/v1/orders/{i}\": Password Mismatch",
            i % 30
        ),
        false => {
            format!("[core:info] [pid 1:tid {i}] {client} AH00128: File does not exist: /var/www/{i}.ico")
        }
    };
    format!("[Sun Nov 22 {time}.000001 2026] {said}")
}

fn nginx(time: &str, i: u32, refused: bool) -> String {
    let said = match refused {
        true => format!("user \"user{}\": password mismatch", i % 30),
        false => format!("open() \"/var/www/{i}.ico\" failed (2: No such file or directory)"),
    };
    format!(
        "2026/11/22 {time} [error] 7#7: *{i} {said}, client: 192.0.2.{}, server: shop.example.com, request: \"GET /v1/orders/{i} HTTP/1.1\", host: \"shop.example.com\"",
        i % 30
    )
}

#[test]
fn how_large_an_error_log_is_changes_no_finding() {
    let folder = tempfile::tempdir().unwrap();
    let told = |report: &Value| -> Vec<String> {
        let all = report["findings"].as_array().unwrap().iter();
        let of = |f: &Value| ["cause", "certainty", "party", "summary"].map(|k| f[k].to_string()).join(" ");
        all.map(of).collect()
    };
    for (name, line) in [("apache", apache as fn(&str, u32, bool) -> String), ("nginx", nginx)] {
        let diagnosed = |count: u32| {
            let path = folder.path().join(format!("{name}.{count}"));
            std::fs::write(&path, lines(count, line)).unwrap();
            diagnose(&[&path], &[])
        };
        let (small, large) = (diagnosed(2_000), diagnosed(40_000));
        assert_eq!(told(&small), told(&large), "{name}");
        assert!(!told(&large).is_empty(), "{name}");
        let found = &large["findings"][0];
        assert_eq!(
            (found["cause"].as_str(), found["count"].as_u64()),
            (Some("wrong-password"), Some(30_000))
        );
        // The last line but one, at 39,998 seconds.
        let last = found["last"].as_str().unwrap();
        assert!(found["first"].as_str().unwrap().starts_with("2026-11-22T00:00:00"), "{name}");
        assert!(last.starts_with("2026-11-22T11:06:38"), "{name}: {last}");
        let over_time: Vec<u64> = serde_json::from_value(found["series"]["counts"].clone()).unwrap();
        let (most, least) = (over_time.iter().max().unwrap(), over_time.iter().rev().skip(1).min().unwrap());
        assert!(over_time.iter().sum::<u64>() == 30_000 && most - least < 10, "{name}: {over_time:?}");
    }
}

#[test]
fn words_of_a_large_error_log_sharpen_what_a_large_access_log_shows() {
    let hub = Hub::day();
    let folder = tempfile::tempdir().unwrap();
    let (access, error) = (folder.path().join("access.log"), folder.path().join("error.log"));
    std::fs::write(&access, &hub.log).unwrap();
    // More of other words than are kept stand before and among those about alice.
    let mut words = lines(25_000, |time, i, _| apache(time, i, false));
    for line in hub.log.lines().filter(|l| l.contains(" - alice [") && l.contains("\" 401 ")) {
        let (client, rest) = line.split_once(' ').unwrap();
        let time = rest.split(['[', ']']).nth(1).unwrap().get(12..20).unwrap();
        for other in 0..5 {
            writeln!(words, "{}", apache(time, other, false)).unwrap();
        }
        writeln!(
            words,
            "[Sun Nov 22 {time}.000001 2026] [auth_basic:error] [pid 1:tid 2] [client {client}:50000] AH01617: user alice: \
             authentication failure for \"/a\": Password Mismatch"
        )
        .unwrap();
    }
    std::fs::write(&error, words).unwrap();
    let (alone, both) = (diagnose(&[&access], &[]), diagnose(&[&access, &error], &[]));
    let counts = |report: &Value| findings(report).iter().map(|f| f.3).sum::<u64>();
    assert_eq!(counts(&both), counts(&alone), "{:#?}", findings(&both));
    let all = both["findings"].as_array().unwrap();
    let alice = all.iter().find(|f| f["account"] == "alice").unwrap();
    assert!(alice.to_string().contains("AH01617"), "{alice:#}");
}

#[test]
fn each_of_very_many_refusals_is_explained_by_what_is_said_of_its_own_account_and_counts_once() {
    let (mut access, mut error) = (String::new(), String::new());
    for i in 0..8_000u32 {
        let (user, time) = (i % 400, format!("{:02}:{:02}:{:02}", i / 3600, i / 60 % 60, i % 60));
        let status = if i < 2_000 { 401 } else { 200 };
        // Who is refused at first has another name than who works later.
        let name = if status == 401 { format!("user{user}") } else { format!("other{user}") };
        writeln!(
            access,
            "192.0.{}.{} - {name} [22/Nov/2026:{time} +0000] \"GET /v1/orders/{i} HTTP/1.1\" {status} 1 \"https://shop.example.com/of/the/day\" \"Mozilla/5.0 (X11; Linux x86_64; rv:115.0) Gecko/20100101 Firefox/115.0\"",
            user / 200,
            user % 200
        )
        .unwrap();
        if status == 401 {
            let said = match user % 4 {
                0 => format!("AH01618: user {name} not found: /v1/orders/{i}"),
                _ => format!(
                    "AH01617: user {name}: authentication failure for \"/v1/orders/{i}\": Password Mismatch"
                ),
            };
            writeln!(
                error,
                "[Sun Nov 22 {time}.000001 2026] [auth_basic:error] [pid 1:tid 2] [client 192.0.{}.{}:50000] {said}",
                user / 200,
                user % 200
            )
            .unwrap();
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let (a, e) = (folder.path().join("access.log"), folder.path().join("error.log"));
    std::fs::write(&a, &access).unwrap();
    std::fs::write(&e, &error).unwrap();
    let report = diagnose(&[&a, &e], &[]);
    assert!(report["overview"].is_object());
    let count = |cause: &str| findings(&report).iter().filter(|f| f.0 == cause).map(|f| f.3).sum::<u64>();
    let all = findings(&report);
    assert_eq!((count("wrong-password"), count("unknown-user")), (1_500, 500), "{all:?}");
    assert_eq!(all.iter().map(|f| f.3).sum::<u64>(), 2_000, "{all:?}");
}
