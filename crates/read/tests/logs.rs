//! Logs from end to end: what others' and our own lines become.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "in a test a panic is the report"
)]

use std::path::PathBuf;
use why401_http::LoggedUser;
use why401_read::{Collected, read};
use why401_span::{Derived, SourceId};

fn collect(bytes: &[u8], format: Option<&str>, log_format: Option<&str>) -> (Collected, &'static str) {
    let mut sink = Collected::default();
    let read = read(SourceId(0), &mut &*bytes, format, log_format, &[], &mut sink).unwrap();
    (sink, read.name)
}

/// The folder of shared evidence beside the repository; tests that need it are skipped where it is absent.
fn shared() -> Option<PathBuf> {
    let found = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .flat_map(|dir| [dir.join("shared"), dir.join("../shared")])
        .find(|dir| dir.join("cases").is_dir());
    if found.is_none() {
        println!("skipped: no shared folder");
    }
    found
}

fn at(source: &[u8], derived: &Derived) -> Vec<u8> {
    let place = derived.whole().unwrap();
    assert!(place.exact);
    source[place.span.start as usize..place.span.end as usize].to_vec()
}

#[test]
fn a_hubs_line_is_read_with_every_place_exact() {
    let log = b"- customerabc [24/Oct/2012:17:31:26 +0200] \"POST /customerabc/customerabc.sms HTTP/1.1\" 200 171 \"\" 0\n- customerabc [24/Oct/2012:17:31:27 +0200] \"POST /customerabc/customerabc.sms HTTP/1.1\" 401 171 \"\" 0\n";
    let (got, format) = collect(log, None, None);
    assert_eq!((format, got.exchanges.len(), got.problems.len()), ("access-log", 2, 0));
    let e = &got.exchanges[1];
    let request = e.request.as_ref().unwrap();
    assert_eq!(
        (e.index, e.status(), request.target().as_ref()),
        (1, Some(401), "/customerabc/customerabc.sms")
    );
    assert_eq!(request.version, "1.1");
    let LoggedUser::Name(user) = &e.user else { panic!() };
    assert_eq!(at(log, user), b"customerabc");
    assert_eq!(at(log, &request.method), b"POST");
    assert_eq!(at(log, &e.response.as_ref().unwrap().line), b"401");
    assert_eq!(user.whole().unwrap().span.line, 2);
    assert_eq!(e.time.unwrap().at.to_string(), "2012-10-24T15:31:27Z");
    assert!(!e.shows.authorization && !e.shows.request_fields);
}

#[test]
fn users_of_every_spelling() {
    let rest = r#"[22/Nov/2026:17:14:41 +0000] "GET / HTTP/1.1" 401 0 "-" "curl/8.0""#;
    for (spelt, want) in [
        ("alice", Some("alice")),
        ("alice b smith", Some("alice b smith")),
        (r"a\x22b", Some("a\"b")),
        (r#"a\"b"#, Some("a\"b")),
        (r"LAB\\nina", Some(r"LAB\nina")),
        (r"LAB\nina", Some(r"LAB\nina")),
        ("alice@example.com", Some("alice@example.com")),
        (r"\xc3\xa9", Some("é")),
        ("-", None),
        ("\"\"", None),
    ] {
        let (got, _) = collect(format!("192.0.2.1 - {spelt} {rest}\n").as_bytes(), None, None);
        match (&got.exchanges[0].user, want) {
            (LoggedUser::Name(name), Some(want)) => assert_eq!(name.to_text(), want),
            (LoggedUser::Dash, None) => assert_eq!(spelt, "-"),
            (LoggedUser::Empty, None) => assert_eq!(spelt, "\"\""),
            other => panic!("{spelt}: {other:?}"),
        }
    }
}

#[test]
fn a_given_format_is_obeyed() {
    let log = b"401|alice|GET|/x|2026-11-22T17:14:41+00:00|Basic QTpC\n";
    let format = "$status|$remote_user|$request_method|$request_uri|$time_iso8601|$http_authorization";
    let (got, _) = collect(log, Some("access-log"), Some(format));
    let e = &got.exchanges[0];
    let request = e.request.as_ref().unwrap();
    assert_eq!(request.fields.text("authorization").as_deref(), Some("Basic QTpC"));
    assert!(e.shows.authorization);
    assert_eq!(e.log.as_ref().unwrap().product, Some("nginx"));
}

#[test]
fn iis_codes_and_utc() {
    let log = b"#Software: Microsoft Internet Information Services 10.0\n#Fields: date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) sc-status sc-substatus sc-win32-status\n2009-01-15 06:54:28 10.3.13.56 GET /x a=b 80 DE\\DS91FE 10.16.0.95 Mozilla/5.0+(X11) 401 2 2148074254\n#Fields: sc-status sc-win32-status sc-substatus cs-method cs-uri-stem date time\n403 5 16 GET /y 2009-01-15 06:54:29\n";
    let (got, format) = collect(log, None, None);
    assert_eq!((format, got.exchanges.len(), got.problems.len()), ("iis", 2, 0));
    let e = &got.exchanges[0];
    let words = e.log.as_ref().unwrap();
    assert_eq!((words.substatus, words.win32, words.product), (Some(2), Some(2_148_074_254), Some("iis")));
    assert_eq!(at(log, words.codes.as_ref().unwrap()), b"401 2 2148074254");
    let request = e.request.as_ref().unwrap();
    assert_eq!((request.target().as_ref(), request.line.to_text().as_ref()), ("/x?a=b", "GET /x?a=b"));
    assert_eq!(request.fields.text("user-agent").as_deref(), Some("Mozilla/5.0 (X11)"));
    assert!(e.time.unwrap().zoned);
    assert_eq!(got.exchanges[1].log.as_ref().unwrap().substatus, Some(16));
}

#[test]
fn error_log_statements_and_what_carries_them_on() {
    let log = b"[Sun Nov 22 17:15:23.630553 2026] [auth_basic:error] [pid 1:tid 2] [client 192.0.2.1:58118] AH01618: user bob not found: /basic/\n[Sun Nov 22 17:15:24 2026] [wsgi:error] [pid 1] [client 192.0.2.1:58119] Traceback (most recent call last):\n  File \"x.py\", line 1\nValueError: no\n";
    let (got, format) = collect(log, None, None);
    assert_eq!((format, got.statements.len(), got.problems.len()), ("error-log", 2, 0));
    let s = &got.statements[0];
    assert_eq!(
        (s.user.as_deref(), s.code.as_deref(), s.target.as_deref()),
        (Some("bob"), Some("AH01618"), Some("/basic/"))
    );
    assert_eq!(s.client.as_ref().unwrap().to_string(), "192.0.2.1:58118");
    assert!(!s.time.unwrap().zoned);
    assert!(got.statements[1].text.to_text().ends_with("line 1\nValueError: no"));
    assert_eq!(at(log, &got.statements[1].text), got.statements[1].text.as_bytes());
}

#[test]
fn wrapped_lines_keep_their_places() {
    let inner = r#"192.0.2.1 - bob [22/Nov/2026:17:14:41 +0000] "GET /a HTTP/1.1" 401 0 "-" "curl/8.0""#;
    let docker = format!(
        "{{\"log\":\"{}\\n\",\"stream\":\"stdout\",\"time\":\"2026-11-22T17:14:41.5Z\"}}\n",
        inner.replace('"', "\\\"")
    );
    for log in [
        docker.clone(),
        format!("Nov 22 17:14:41 web nginx[3]: {inner}\n"),
        format!("2026-11-22T17:14:41.123456789Z stdout F {inner}\n"),
        format!("{{\"message\":\"{}\",\"level\":\"info\"}}\n", inner.replace('"', "\\\"")),
        format!("web-1  | {inner}\n"),
    ] {
        let (got, _) = collect(log.as_bytes(), None, None);
        assert_eq!(got.exchanges.len(), 1, "{log}");
        let e = &got.exchanges[0];
        assert_eq!((e.status(), e.request.as_ref().unwrap().target().as_ref()), (Some(401), "/a"));
        let LoggedUser::Name(user) = &e.user else { panic!() };
        assert_eq!(at(log.as_bytes(), user), b"bob");
    }
}

#[test]
fn hostile_lines_cost_no_more_than_their_bytes() {
    let mut log = b"192.0.2.1 - - [22/Nov/2026:17:14:41 +0000] \"GET / HTTP/1.1\" 401 0\n".to_vec();
    for filler in [
        &b"x"[..],
        b"\"",
        b"[",
        b"\\",
        b"\" ",
        b", client: ",
        b"[22/Nov/2026:17:14:41 +0000] ",
        b"{\"a\":",
        b"\0",
    ] {
        log.extend(filler.iter().cycle().take(3_000_000));
        log.push(b'\n');
    }
    log.extend_from_slice(b"192.0.2.1 - - [22/Nov/2026:17:14:41 +0000] \"GET / HTTP/1.1\" 401 0\n");
    let (got, _) = collect(&log, Some("access-log"), None);
    assert_eq!(got.exchanges.len(), 2);
    assert!(got.problems.iter().any(|p| p.what.contains("only its first")));
}

#[test]
fn unreadable_lines_are_named_and_then_counted() {
    let mut log = "192.0.2.1 - - [22/Nov/2026:17:14:41 +0000] \"GET / HTTP/1.1\" 401 0\n".repeat(30);
    log.push_str(&"what is this\n".repeat(50));
    let (got, _) = collect(log.as_bytes(), None, None);
    assert_eq!((got.exchanges.len(), got.problems.len()), (30, 21));
    assert_eq!(got.problems[0].line, Some(31));
}

#[test]
fn shared_logs_are_read_whole() {
    let Some(shared) = shared() else { return };
    let mut seen = 0;
    for folder in ["cases", "lab"] {
        for case in std::fs::read_dir(shared.join(folder)).unwrap().flatten() {
            for (file, wanted) in [("access.log", "access-log"), ("iis.log", "iis")] {
                let Ok(bytes) = std::fs::read(case.path().join(file)) else { continue };
                let (got, format) = collect(&bytes, None, None);
                let lines =
                    bytes.split(|b| *b == b'\n').filter(|l| !l.is_empty() && !l.starts_with(b"#")).count();
                assert_eq!((format, got.exchanges.len(), got.problems.len()), (wanted, lines, 0), "{case:?}");
                seen += 1;
            }
        }
    }
    assert!(seen >= 12, "{seen}");
}

#[test]
fn shared_error_logs_of_the_lab_are_statements() {
    let Some(shared) = shared() else { return };
    for case in std::fs::read_dir(shared.join("lab")).unwrap().flatten() {
        let Ok(bytes) = std::fs::read(case.path().join("error.log")) else { continue };
        let (got, format) = collect(&bytes, None, None);
        let lines = bytes.split(|b| *b == b'\n').filter(|l| !l.is_empty()).count();
        assert_eq!((format, got.statements.len(), got.problems.len()), ("error-log", lines, 0), "{case:?}");
        assert!(got.statements.iter().all(|s| s.client.is_some() && s.product.is_some()), "{case:?}");
    }
}

#[test]
fn others_samples_are_read() {
    let Some(shared) = shared() else { return };
    let folder = shared.join("peers/logs-lnav");
    for (file, at_least) in [
        ("logfile_access_log.0", 3),
        ("logfile_bad_access_log.0", 3),
        ("logfile_caddy_log.1", 4),
        ("logfile_cloudflare.1", 4),
        ("logfile_cloudflare.json", 1),
        ("logfile_haproxy.0", 10),
        ("logfile_regexp_access_log.0", 2),
        ("logfile_shop_access_log.0", 4),
        ("logfile_w3c.0", 1),
        ("logfile_w3c.1", 1),
        ("logfile_w3c.2", 1),
        ("logfile_w3c.3", 3),
        ("logfile_w3c.4", 2),
        ("logfile_w3c.5", 1),
        ("logfile_w3c.6", 1),
        ("logfile_w3c_big.0", 10),
    ] {
        let bytes = std::fs::read(folder.join(file)).unwrap();
        let (got, format) = collect(&bytes, None, None);
        println!(
            "{file}: {format}, {} exchanges, {} statements, {:?}",
            got.exchanges.len(),
            got.statements.len(),
            got.problems
        );
        assert!(
            got.exchanges.len() >= at_least,
            "{file}: {} {format} {:?}",
            got.exchanges.len(),
            got.problems
        );
        let timed = got.exchanges.iter().filter(|e| e.time.is_some()).count();
        assert!(timed == got.exchanges.len() || file == "logfile_w3c.2", "{file}");
    }
}

#[test]
fn nginx_debug_lines_become_exchanges() {
    let log = b"2026/11/22 17:15:13 [debug] 1#1: *7 http request line: \"GET /a HTTP/1.1\"
2026/11/22 17:15:13 [debug] 1#1: *8 http request line: \"GET /b HTTP/1.1\"
2026/11/22 17:15:13 [debug] 1#1: *7 http header: \"Host: example.com\"
2026/11/22 17:15:13 [debug] 1#1: *7 http header done
2026/11/22 17:15:13 [debug] 1#1: *7 HTTP/1.1 401 Unauthorized\r
Server: nginx/1.22.1\r
WWW-Authenticate: Negotiate\r

2026/11/22 17:15:14 [debug] 1#1: *7 http request line: \"GET /a HTTP/1.1\"
2026/11/22 17:15:14 [debug] 1#1: *7 http header: \"Authorization: Negotiate TlRMTVNTUAABAAAA\"
";
    let (got, format) = collect(log, Some("error-log"), None);
    assert_eq!((format, got.exchanges.len(), got.problems.len()), ("error-log", 3, 0));
    let first = &got.exchanges[0];
    let (request, response) = (first.request.as_ref().unwrap(), first.response.as_ref().unwrap());
    assert_eq!((request.target().as_ref(), response.status), ("/a", 401));
    let challenge = &response.fields.get("www-authenticate").unwrap().value;
    assert_eq!((at(log, challenge), response.fields.0.len()), (b"Negotiate".to_vec(), 2));
    let second = got.exchanges.iter().find(|e| e.index == 1).unwrap();
    assert_eq!((second.connection, second.response.is_none()), (Some(7), true));
    assert_eq!(
        second.request.as_ref().unwrap().fields.text("authorization").as_deref(),
        Some("Negotiate TlRMTVNTUAABAAAA")
    );
    assert!(second.shows.authorization);
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(200))]

    #[test]
    fn random_bytes_never_panic(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..300)) {
        for format in ["access-log", "error-log", "json-log", "iis"] {
            collect(&bytes, Some(format), None);
        }
    }

    #[test]
    fn damaged_lines_never_panic_and_lose_no_other(which in 0usize..12, at in 0usize..300, len in 0usize..30, with in proptest::prelude::any::<u8>()) {
        let good = "192.0.2.9 - carol [22/Nov/2026:17:14:41 +0000] \"GET /last HTTP/1.1\" 401 0\n";
        let mut line = SAMPLES[which].as_bytes().to_vec();
        let (start, end) = (at.min(line.len()), (at + len).min(line.len()));
        line.splice(start..end, [if with == b'\n' { b' ' } else { with }]);
        line.push(b'\n');
        line.extend_from_slice(good.as_bytes());
        let (got, _) = collect(&line, Some("access-log"), None);
        let last = got.exchanges.iter().rev().find(|e| e.request.as_ref().is_some_and(|r| r.target() == "/last"));
        proptest::prop_assert!(last.is_some());
    }

    #[test]
    fn a_users_name_survives_apaches_escapes(name in "[ -~é]{1,20}") {
        let name = name.trim();
        let escaped = name.replace('\\', "\\\\").replace('"', "\\\"");
        let log = format!("192.0.2.1 - {escaped} [22/Nov/2026:17:14:41 +0000] \"GET / HTTP/1.1\" 401 0\n");
        let (got, _) = collect(log.as_bytes(), Some("access-log"), Some("common"));
        match &got.exchanges[0].user {
            LoggedUser::Name(read) => proptest::prop_assert_eq!(read.to_text(), name),
            LoggedUser::Dash => proptest::prop_assert_eq!(name, "-"),
            LoggedUser::Empty => proptest::prop_assert!(name.is_empty() || name == "\"\""),
            LoggedUser::NotLogged => proptest::prop_assert!(false),
        }
    }
}

const SAMPLES: [&str; 12] = [
    r#"192.0.2.1 - bob [22/Nov/2026:17:14:41 +0000] "GET /a HTTP/1.1" 401 0 "-" "curl/8.0""#,
    r#"[2026-11-22T17:14:41.310Z] "GET /x HTTP/1.1" 401 - via_upstream - "-" 0 14 0 - "-" "curl/8.0" "id" "api" "-""#,
    r#"192.0.2.1:33317 [06/Feb/2009:12:14:14.655] http-in static/<NOSRV> 10/-1/-1/-1/10 401 2750 - - LR-- 1/1/1/1/0 0/0 "GET / HTTP/1.1""#,
    "1066036250.129      1 192.0.2.1 TCP_DENIED/407 1733 GET http://www.example.com/ - NONE/- text/html",
    r#"{"status":401,"method":"GET","uri":"/","time":"2026-11-22T17:14:41Z","remote_addr":"192.0.2.1"}"#,
    r#"{"log":"192.0.2.1 - - [22/Nov/2026:17:14:41 +0000] \"GET / HTTP/1.1\" 401 0\n","stream":"stdout","time":"2026-11-22T17:14:41Z"}"#,
    "[Sun Nov 22 17:15:23.630553 2026] [auth_basic:error] [pid 1:tid 2] [client 192.0.2.1:58118] AH01618: user bob not found: /basic/",
    r#"2026/11/22 17:15:13 [error] 1#1: *39 user "alice": password mismatch, client: 192.0.2.1, server: , request: "GET / HTTP/1.1""#,
    "2026-11-22 17:15:13: (mod_auth.c.828) password doesn't match for /basic/ username: alice IP: 192.0.2.1",
    "Feb 05 09:14:22 node-3 kubelet[1187]: E0205 09:14:22.118402    1187 authentication.go:65] Unable to authenticate",
    "2009-01-15 06:54:30 10.3.13.56 GET /x - 80 DE\\alice 10.16.0.95 - 401 5 0",
    "<34>1 2003-10-11T22:14:15.003Z host nginx 12 ID47 [x@1 a=\"b\"] text",
];

/// Logs of real servers (Apache 2.4, nginx 1.22, lighttpd 1.4, HAProxy 2.6) that were asked by these users in turn.
const USERS: [&str; 14] = [
    "alice",
    "alice",
    "nobody",
    "alice b",
    "a\"b",
    r"LAB\nina",
    r"LAB\\alice",
    "",
    "al@example.com",
    "jürg",
    "x [22/Nov/2026",
    "tab\tin",
    " lead",
    "trail ",
];

fn fixture(name: &str) -> Vec<u8> {
    std::fs::read(format!("{}/tests/fixtures/logs/{name}.log", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

#[test]
fn users_of_real_servers_are_read_as_they_were_sent() {
    let apache = "%t|%>s|%u|%m|%U%q|%a|%{remote}p|%{Host}i|%{WWW-Authenticate}o|%{Authorization}i|%D";
    let nginx = "$status|$remote_user|$request_method|$request_uri|$time_iso8601|$http_host|$connection|\"$http_user_agent\"";
    for (name, given) in [
        ("apache-combined", None),
        ("apache-vhost", None),
        ("apache-own", Some(apache)),
        ("nginx-combined", None),
        ("nginx-own", Some(nginx)),
        ("nginx-json", None),
    ] {
        let bytes = fixture(name);
        let (got, format) = collect(&bytes, given.map(|_| "access-log"), given);
        let want = if name == "nginx-json" { "json-log" } else { "access-log" };
        assert_eq!((format, got.exchanges.len(), got.problems.len()), (want, 17, 0), "{name}");
        for (e, user) in got.exchanges.iter().zip(USERS) {
            // `\t` may be a tab of Apache's or a backslash of somebody's that does not escape.
            let user = if user.contains('\t') && !name.ends_with("own") && name.starts_with("apache") {
                r"tab\tin"
            } else {
                user
            };
            match &e.user {
                LoggedUser::Name(read) => assert_eq!(read.to_text(), user, "{name}"),
                LoggedUser::Dash => assert!(user.is_empty() && name.starts_with("nginx"), "{name}: {user}"),
                LoggedUser::Empty => assert!(user.is_empty() && name.starts_with("apache"), "{name}"),
                LoggedUser::NotLogged => panic!("{name}"),
            }
            assert!(e.time.unwrap().zoned);
            assert!(e.request.as_ref().unwrap().target().ends_with("/data.json?q=1"), "{name}");
        }
        let agent =
            got.exchanges[14].request.as_ref().unwrap().fields.text("user-agent").map(|a| a.into_owned());
        assert!(name == "apache-own" || agent.as_deref() == Some(r#"say "hi" \ there"#), "{name}: {agent:?}");
    }
    let (got, _) = collect(&fixture("apache-own"), Some("access-log"), Some(apache));
    let e = &got.exchanges[1];
    assert!(e.shows.authorization);
    assert_eq!(
        e.request.as_ref().unwrap().fields.text("authorization").as_deref(),
        Some("Basic YWxpY2U6d3Jvbmc=")
    );
    let challenge = e.response.as_ref().unwrap().fields.text("www-authenticate").unwrap().into_owned();
    assert_eq!(challenge, "Basic realm=\"lab\"");
}

#[test]
fn lighttpd_and_haproxy_log_no_refused_user() {
    let (got, _) = collect(&fixture("lighttpd-access"), None, None);
    assert_eq!((got.exchanges.len(), got.problems.len()), (17, 0));
    assert!(got.exchanges.iter().all(|e| e.log.as_ref().unwrap().product == Some("lighttpd")));
    assert!(got.exchanges[1..].iter().all(|e| e.user == LoggedUser::Dash));
    let host = got.exchanges[0].request.as_ref().unwrap().fields.text("host").unwrap().into_owned();
    assert_eq!(host, "www.example.com");
    let (got, _) = collect(&fixture("haproxy"), None, None);
    assert_eq!((got.exchanges.len(), got.problems.len()), (17, 0));
    let log = got.exchanges[1].log.as_ref().unwrap();
    assert_eq!((log.product, log.remark.as_ref().unwrap().to_text().as_ref()), (Some("haproxy"), "LR--"));
    assert!(
        got.exchanges
            .iter()
            .all(|e| e.user == LoggedUser::NotLogged && e.client.as_ref().unwrap().port.is_some())
    );
}

#[test]
fn error_logs_of_real_servers_name_the_users() {
    // Apache and lighttpd know `alice b`; the first of all users got in.
    let (got, format) = collect(&fixture("nginx-error"), None, None);
    assert_eq!((format, got.problems.len()), ("error-log", 0));
    let users: Vec<_> = got.statements.iter().filter_map(|s| s.user.as_deref()).collect();
    let want: Vec<_> = USERS[1..].iter().copied().filter(|u| !u.is_empty()).collect();
    assert_eq!(users, want);
    let (got, _) = collect(&fixture("lighttpd-error"), None, None);
    assert_eq!(got.statements.iter().filter(|s| s.user.is_some()).count(), 13);
    let (got, format) = collect(&fixture("apache-error"), None, None);
    assert_eq!((format, got.problems.len()), ("error-log", 0));
    let refused: Vec<_> = got
        .statements
        .iter()
        .filter(|s| matches!(s.code.as_deref(), Some("AH01617" | "AH01618")))
        .map(|s| (s.user.clone().unwrap(), s.target.clone().unwrap()))
        .collect();
    assert!(refused.len() >= 13, "{refused:?}");
    assert_eq!(refused[2], ("alice b".to_owned(), "/data.json".to_owned()));
}
