//! An address that is not on a list, among very many requests.

use crate::{diagnose, findings};
use std::fmt::Write as _;

/// The requests of a site that asks for credentials only whoever comes from elsewhere, and of others that it refuses for
/// reasons of their own.
fn log() -> String {
    let mut log = String::new();
    for i in 0..24_000u32 {
        let at = format!("22/Nov/2026:{:02}:{:02}:{:02} +0000", i / 1200, i / 20 % 60, i % 20 * 3);
        let (client, user, path, status) = match i % 20 {
            // Asked for credentials, wherever it goes.
            4 | 11 => ("198.51.100.9".to_owned(), "-", format!("/page{}", i / 20 % 12), 401),
            // Sessions end, and some begin again.
            5 => (
                format!("192.0.2.{}", i / 20 % 40),
                "-",
                "/account".to_owned(),
                if i % 3000 < 2000 { 200 } else { 401 },
            ),
            // A guesser, and one that looks for what nobody is served.
            6 => ("203.0.113.1".to_owned(), "name", format!("/page{}", i / 20 % 12), 401),
            7 => ("203.0.114.2".to_owned(), "-", format!("/.env{}", i / 20 % 700), 401),
            // Many accounts with an old password, so that resources are told apart no more.
            8 => (format!("192.0.2.{}", 50 + i / 20 % 200), "user", "/mail".to_owned(), 401),
            n => (format!("192.0.2.{}", n % 2), "-", format!("/page{}", i / 7 % 200), 200),
        };
        let user = match user {
            "name" => format!("name{i}"),
            "user" => format!("user{}", i / 20 % 200),
            user => user.to_owned(),
        };
        writeln!(
            log,
            "{client} - {user} [{at}] \"GET {path} HTTP/1.1\" {status} 1 \"https://www.example.com/\" \"curl/8.5.0\""
        )
        .unwrap();
    }
    log
}

#[test]
fn an_address_that_is_not_on_the_list_is_found_among_very_many_and_nobody_else_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("access.log");
    std::fs::write(&path, log()).unwrap();
    let report = diagnose(&[&path], &[]);
    assert!(report["overview"].is_object());
    let all = findings(&report);
    let listed: Vec<_> = all.iter().filter(|(cause, ..)| cause == "address-not-allowed").collect();
    let client = Some("198.51.100.9".to_owned());
    assert_eq!(listed, [&("address-not-allowed".to_owned(), None, client, 2400)], "{all:?}");
}
