//! It does no harm: each promise against a server that counts.

use crate::server::{Answer, Server, ok, refused};
use crate::{PASSWORD, command, probe, run};
use std::time::{Duration, Instant};

/// Answers that leave as much open as can be: nonces that are stale, schemes side by side, a non-ASCII password.
const EVERYTHING: &str = "Digest realm=\"x\", nonce=\"n\", qop=\"auth\", stale=true, Basic realm=\"x\"";

#[test]
fn the_credentials_are_sent_twice_at_most() {
    for challenge in [EVERYTHING, "Basic realm=x", "Bearer", "Basic realm=x, Digest realm=x, nonce=y"] {
        let (owned, user) = (challenge.to_owned(), format!("alice:{PASSWORD}é"));
        let server = Server::start(move |_, _| refused(&owned));
        run(&[
            "-u",
            &user,
            "--origin",
            "https://shop.example.com",
            &server.url("/v1/Data/x"),
            "--max-attempts",
            "50",
        ]);
        let seen = server.seen();
        let with = seen.iter().filter(|r| r.authorization().is_some()).count();
        assert!((1..=2).contains(&with), "{challenge}: {seen:?}");
        assert!(seen.len() <= 20, "{seen:?}");
    }
}

#[test]
fn the_credentials_of_a_curl_command_line_are_sent_twice_at_most() {
    let server = Server::start(|_, _| refused(EVERYTHING));
    let user = format!("alice:{PASSWORD}");
    for scheme in ["--basic", "--digest", "--anyauth"] {
        let before = server.seen().len();
        run(&["--", "curl", "-sL", scheme, "-u", &user, &server.url("/a")]);
        let with = server.seen().iter().skip(before).filter(|r| r.authorization().is_some()).count();
        assert!((1..=2).contains(&with), "{scheme}: {with}");
    }
}

#[test]
fn a_token_and_a_key_are_sent_twice_at_most() {
    for field in ["Authorization: Bearer abcdefghijklmnop0123", "X-Api-Key: abcdefghijklmnop0123"] {
        let server = Server::start(|_, _| refused("Bearer"));
        run(&["--field", field, &server.url("/v2/x")]);
        let seen = server.seen();
        let with =
            seen.iter().filter(|r| r.authorization().is_some() || r.field("x-api-key").is_some()).count();
        assert_eq!(with, 1, "{field}: {seen:?}");
    }
}

#[test]
fn a_secret_in_the_query_is_sent_twice_at_most() {
    let server = Server::start(|_, _| refused("Bearer"));
    let out = run(&[&server.url("/v1/x?api_key=0123456789abcdef0123456789abcdef")]);
    let with = server.seen().iter().filter(|r| r.target.contains("0123456789abcdef")).count();
    assert!((1..=2).contains(&with), "{:?}", server.seen());
    let all = format!("{}{}", String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr));
    assert!(!all.contains("0123456789abcdef"), "{all}");
}

#[test]
fn no_other_credentials_than_the_given_ones_are_ever_sent() {
    let server = Server::start(|_, _| refused("Basic realm=x"));
    run(&["-u", &format!("alice:{PASSWORD}"), &server.url("/x")]);
    for request in server.seen() {
        if let Some(value) = request.authorization() {
            assert_eq!(value, "Basic YWxpY2U6V2ludGVyLTQy");
        }
    }
    let bare = Server::start(|_, _| refused("Basic realm=x"));
    run(&[&bare.url("/x")]);
    assert!(bare.seen().iter().all(|r| r.authorization().is_none()));
}

#[test]
fn a_method_that_changes_things_is_sent_once() {
    for method in ["POST", "PUT", "DELETE", "PATCH", "FROB"] {
        let server = Server::start(|_, _| refused(EVERYTHING));
        let user = format!("alice:{PASSWORD}é");
        run(&["-u", &user, "-X", method, "-d", "a=1", &server.url("/v1/orders/")]);
        let seen = server.seen();
        assert_eq!(seen.iter().filter(|r| r.method == method).count(), 1, "{seen:?}");
        let harmless = seen.iter().filter(|r| r.method != method);
        assert!(
            harmless.clone().all(|r| ["GET", "HEAD", "OPTIONS"].contains(&r.method.as_str())),
            "{seen:?}"
        );
        assert!(harmless.clone().all(|r| r.body.is_empty()), "{seen:?}");
    }
}

#[test]
fn it_is_repeated_where_that_is_allowed() {
    let server = Server::start(|_, _| refused("Basic realm=x"));
    let user = format!("alice:{PASSWORD}é");
    run(&[
        "-u",
        &user,
        "--scheme",
        "basic",
        "-X",
        "POST",
        "-d",
        "a=1",
        "--allow-unsafe",
        &server.url("/v1/orders"),
    ]);
    assert_eq!(server.seen().iter().filter(|r| r.method == "POST").count(), 2);
}

#[test]
fn fewer_requests_can_be_asked_for() {
    let server = Server::start(|_, _| refused("Basic realm=x"));
    run(&["-u", &format!("alice:{PASSWORD}"), "--max-requests", "3", &server.url("/v1/x")]);
    assert_eq!(server.seen().len(), 3);
    run(&["-u", &format!("alice:{PASSWORD}"), "--max-attempts", "0", &server.url("/v1/x")]);
    assert!(server.seen().iter().skip(3).all(|r| r.authorization().is_none()));
}

#[test]
fn it_stops_at_signs_of_a_lock_or_a_limit() {
    let signs: [fn() -> Answer; 5] = [
        || Answer(429, Vec::new(), String::new()),
        || Answer(401, vec![("Retry-After", "30".to_owned())], String::new()),
        || Answer(403, Vec::new(), "{\"error\":\"Your account has been locked\"}".to_owned()),
        || Answer(401, Vec::new(), "Too many failed login attempts.".to_owned()),
        || Answer(423, Vec::new(), String::new()),
    ];
    for sign in signs {
        let server = Server::start(move |r, _| match r.authorization() {
            Some(_) => sign(),
            None => refused("Basic realm=x"),
        });
        run(&["-u", &format!("alice:{PASSWORD}é"), &server.url("/v1/x")]);
        assert_eq!(server.seen().len(), 2, "{:?}", server.seen());
    }
}

#[test]
fn the_plan_sends_nothing() {
    let server = Server::start(|_, _| ok());
    let out = run(&["--plan", "-u", &format!("alice:{PASSWORD}"), &server.url("/v1/x")]);
    assert_eq!(out.status.code(), Some(0));
    let text = String::from_utf8(out.stdout).unwrap();
    assert!(text.contains("Nothing is sent") && text.contains("/v1/x with alice's password"), "{text}");
    let json = probe(&["--plan", "--bearer-env", "PATH", &server.url("/v1/x")]);
    assert!(json["plan"].as_array().unwrap().len() > 2);
    assert!(server.seen().is_empty());
}

#[test]
fn credentials_do_not_follow_a_redirect_to_another_host() {
    let other = Server::start(|_, _| refused("Basic realm=other"));
    let to = format!("http://localhost:{}/x", other.port);
    let server = Server::start(move |_, _| Answer(302, vec![("Location", to.clone())], String::new()));
    let user = format!("alice:{PASSWORD}");
    run(&["-u", &user, &server.url("/x")]);
    run(&["--field", &format!("X-Api-Key: {PASSWORD}"), &server.url("/x")]);
    let seen = other.seen();
    assert!(!seen.is_empty());
    assert!(seen.iter().all(|r| r.authorization().is_none() && r.field("x-api-key").is_none()), "{seen:?}");
}

#[test]
fn all_of_it_takes_a_limited_time() {
    let server = Server::start(|_, _| {
        std::thread::sleep(Duration::from_secs(20));
        ok()
    });
    let since = Instant::now();
    let out = command(&["--max-time", "2", &server.url("/x")]).output().unwrap();
    assert!(since.elapsed() < Duration::from_secs(15), "{:?}", since.elapsed());
    assert_eq!((out.status.code(), out.stdout.len()), (Some(2), 0));
}

#[test]
fn it_rests_between_two_requests() {
    let server = Server::start(|_, _| refused("Basic realm=x"));
    let since = Instant::now();
    run(&["-u", &format!("alice:{PASSWORD}"), "--max-requests", "3", "--pause", "300", &server.url("/v1/x")]);
    assert!(since.elapsed() >= Duration::from_millis(600));
}

#[test]
fn the_source_counts_what_the_server_saw() {
    let server = Server::start(|_, _| refused("Basic realm=x"));
    let report = probe(&["-u", &format!("alice:{PASSWORD}"), &server.url("/v1/x")]);
    let source = &report["sources"][0];
    assert_eq!(
        (source["format"].as_str(), report["sources"].as_array().map(Vec::len)),
        (Some("probe"), Some(1))
    );
    assert_eq!(source["exchanges"].as_u64(), Some(server.seen().len() as u64));
    assert_eq!(report["findings"].as_array().map(Vec::len), Some(1), "{report}");
}

#[test]
fn made_up_credentials_are_sent_once_and_only_where_they_may_be() {
    let own = "Basic YWxpY2U6V2ludGVyLTQy";
    for (flag, expected) in [(None, 0), (Some("--allow-wrong"), 1)] {
        let server = Server::start(|_, _| refused("Basic realm=x"));
        let (user, url) = (format!("alice:{PASSWORD}"), server.url("/v1/x"));
        run(&[&["-u", &user, &url, "--field", "X-Api-Key: k-0123456789"][..], flag.as_slice()].concat());
        let seen = server.seen();
        let made_up: Vec<_> = seen.iter().filter(|r| r.authorization().is_some_and(|a| a != own)).collect();
        assert_eq!(made_up.len(), expected, "{seen:?}");
        assert!(made_up.iter().all(|r| r.field("x-api-key").is_none()), "no given credentials beside them");
        assert!(seen.iter().filter(|r| r.authorization() == Some(own)).count() <= 2 && seen.len() <= 20);
    }
    let server = Server::start(|_, _| refused("Basic realm=x"));
    run(&["-u", &format!("alice:{PASSWORD}"), "--allow-wrong", "-X", "POST", "-d", "a", &server.url("/x")]);
    assert!(server.seen().iter().all(|r| r.authorization().is_none_or(|a| a == own)));
}

#[test]
fn the_plan_tells_of_made_up_credentials() {
    let user = format!("alice:{PASSWORD}");
    let words = ["-u", &user, "--scheme", "basic", "--plan", "http://127.0.0.1:1/x"];
    let said = |words: &[&str]| String::from_utf8(run(words).stdout).unwrap();
    assert!(!said(&words).contains("made up"));
    let with = said(&[&words[..], &["--allow-wrong"]].concat());
    assert!(with.contains("with credentials that are made up") && with.contains("sent once"), "{with}");
}
