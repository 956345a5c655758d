//! A day of a hub, whole, cut, rotated and compressed; with its error log; logs of real servers.

use crate::hub::Hub;
use crate::{diagnose, findings};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

fn check(hub: &Hub, report: &Value) {
    let count = |cause: &str| {
        let of = findings(report).into_iter().filter(|f| f.0 == cause);
        of.map(|f| f.3).sum::<u64>()
    };
    let got = findings(report);
    let mut causes: Vec<&str> = got.iter().map(|f| f.0.as_str()).collect();
    causes.dedup();
    let want = [
        "auth-backend-down",
        "challenge-answered",
        "client-changed",
        "credentials-changed",
        "password-guessing",
    ];
    assert_eq!(causes, want, "{got:#?}");
    let of_account =
        |cause: &str, account: &str| got.iter().any(|f| f.0 == cause && f.1.as_deref() == Some(account));
    assert!(of_account("credentials-changed", "alice") && of_account("client-changed", "bob"), "{got:#?}");
    let minutes = |from: u32| u64::from((86_400 - from) / 60 - 15);
    assert_eq!(count("credentials-changed"), minutes(36_000));
    assert_eq!(count("client-changed"), minutes(43_200));
    assert_eq!(count("password-guessing"), 200);
    // The challenge and the error behind it.
    assert_eq!(count("auth-backend-down"), 2 * hub.of(503));
    assert_eq!(count("challenge-answered"), hub.of(201));
}

#[test]
fn all_of_a_day_is_found_and_nothing_else() {
    let hub = Hub::day();
    let folder = tempfile::tempdir().unwrap();
    let whole = folder.path().join("access.log");
    std::fs::write(&whole, &hub.log).unwrap();
    let report = diagnose(&[&whole], &[]);
    check(&hub, &report);
    let source = &report["sources"][0];
    let statuses: BTreeMap<u16, u64> = serde_json::from_value(source["statuses"].clone()).unwrap();
    assert_eq!(statuses, hub.statuses);
    assert_eq!(
        (source["first"].as_str(), source["last"].as_str()),
        (Some("2026-11-22T00:00:00Z"), Some("2026-11-22T23:59:56Z"))
    );
    let requests: u64 = hub.statuses.values().sum();
    assert_eq!(report["overview"]["requests"].as_u64(), Some(requests));
    // The same at a glance in a report.
    let (thousands, rest) = (requests / 1000, requests % 1000);
    for form in ["html", "markdown"] {
        let program = env!("CARGO_BIN_EXE_why401");
        let report = Command::new(program).args(["--format", form]).arg(&whole).output().unwrap().stdout;
        let report = String::from_utf8(report).unwrap();
        assert!(report.contains(&format!("{thousands},{rest:03} requests, ")), "{form}: {report}");
        assert_eq!(report.contains("Accounts with the most refusals"), form == "html", "{form}");
    }

    // The same day in pieces, compressed and named as rotation names them, found in a folder.
    let rotated = folder.path().join("rotated");
    std::fs::create_dir(&rotated).unwrap();
    let lines: Vec<&str> = hub.log.split_inclusive('\n').collect();
    let thirds: Vec<String> = lines.chunks(lines.len() / 3 + 1).map(<[&str]>::concat).collect();
    for (name, text, program) in [
        ("access.log.2", &thirds[0], "gzip"),
        ("access.log.1", &thirds[1], "bzip2"),
        ("access.log", &thirds[2], ""),
    ] {
        let path = rotated.join(name);
        std::fs::write(&path, text).unwrap();
        if !program.is_empty() {
            assert!(Command::new(program).arg(&path).status().unwrap().success());
        }
    }
    let pieces = diagnose(&[&rotated], &[]);
    check(&hub, &pieces);
    assert_eq!(findings(&pieces), findings(&report));

    // Only what is asked for.
    let alice = diagnose(&[&whole], &["--account", "alice"]);
    assert_eq!(findings(&alice).iter().map(|f| f.3).sum::<u64>(), 825);
    let before = diagnose(&[&whole], &["--until", "2026-11-22T10:00:00Z", "--client", "198.51.100.7"]);
    assert!(findings(&before).is_empty());
}

#[test]
fn an_error_log_beside_a_large_log_tells_of_the_same_refusals() {
    let hub = Hub::day();
    let folder = tempfile::tempdir().unwrap();
    let (access, error) = (folder.path().join("access.log"), folder.path().join("error.log"));
    std::fs::write(&access, &hub.log).unwrap();
    let mut words = String::new();
    for line in hub.log.lines().filter(|l| l.contains(" - alice [") && l.contains("\" 401 ")) {
        let (client, rest) = line.split_once(' ').unwrap();
        let time = rest.split(['[', ']']).nth(1).unwrap().get(12..20).unwrap();
        writeln!(
            words,
            "[Sun Nov 22 {time}.000001 2026] [auth_basic:error] [pid 1:tid 2] [client {client}:50000] AH01617: user alice: \
             authentication failure for \"/a\": Password Mismatch"
        )
        .unwrap();
    }
    assert!(words.lines().count() > 100);
    std::fs::write(&error, words).unwrap();
    let alone = diagnose(&[&access], &[]);
    let both = diagnose(&[&access, &error], &[]);
    let counts = |report: &Value| findings(report).iter().map(|f| f.3).sum::<u64>();
    assert_eq!(counts(&both), counts(&alone), "{:#?}", findings(&both));
    assert!(both["findings"].to_string().contains("AH01617"));
}

/// The logs were written by HAProxy 2.6, lighttpd 1.4.69, Caddy 2.6 and Squid 5.7 of Debian 12 as they log by default: three
/// times without credentials, with alice's, and with a wrong password.
#[test]
fn logs_of_real_servers_are_read() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/logs");
    for (name, refused, cause) in [
        // It logs no user at all.
        ("haproxy", "401", "credentials-refused"),
        // It logs no user that it refuses.
        ("lighttpd", "401", "no-credentials"),
        ("caddy", "401", "evidence-redacted"),
        ("squid", "407", "proxy-authentication-required"),
    ] {
        let report = diagnose(&[&folder.join(format!("{name}.log"))], &[]);
        let source = &report["sources"][0];
        assert_eq!(
            (&source["statuses"]["200"], &source["statuses"][refused]),
            (&3.into(), &6.into()),
            "{name}"
        );
        assert_eq!(source["problems"].as_array().map(Vec::len), Some(0), "{name}");
        let causes: Vec<String> = findings(&report).into_iter().map(|f| f.0).collect();
        assert!(causes.contains(&cause.to_owned()), "{name}: {causes:?}");
        assert!(!causes.contains(&"empty-credentials".to_owned()), "{name}: {causes:?}");
    }
}
