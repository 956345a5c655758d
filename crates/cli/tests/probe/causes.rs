//! Faults of servers and clients, each found by asking.

use crate::server::{Answer, Server, ok, refused};
use crate::{PASSWORD, first, probe, run};

fn user() -> String {
    format!("alice:{PASSWORD}")
}

#[test]
fn nothing_was_sent() {
    let server = Server::start(|_, _| refused("Basic realm=x"));
    assert_eq!(first(&probe(&[&server.url("/x")])), ("no-credentials", "certain"));
    assert_eq!(server.seen().len(), 1, "one request is enough");
}

#[test]
fn the_handshake_is_healthy() {
    let server =
        Server::start(|r, _| if r.authorization().is_some() { ok() } else { refused("Basic realm=x") });
    assert_eq!(first(&probe(&["-u", &user(), &server.url("/x")])).0, "challenge-answered");
    assert_eq!(server.seen().len(), 2, "two requests are enough");
}

#[test]
fn nothing_is_refused() {
    let server = Server::start(|_, _| ok());
    let out = run(&[&server.url("/x")]);
    assert_eq!(out.status.code(), Some(0));
    assert_eq!(server.seen().len(), 1);
}

#[test]
fn the_server_offers_another_scheme() {
    let server = Server::start(|_, _| refused("Bearer realm=\"api\""));
    assert_eq!(first(&probe(&["-u", &user(), &server.url("/x")])), ("scheme-not-offered", "certain"));
}

#[test]
fn the_server_says_wrong_token() {
    let server = Server::start(|r, _| match r.authorization() {
        Some(_) => refused("Bearer error=\"invalid_token\", error_description=\"The token expired\""),
        None => refused("Bearer"),
    });
    let report = probe(&["--field", "Authorization: Bearer abcdef0123456789abcdef", &server.url("/x")]);
    assert_eq!(first(&report).0, "token-expired");
}

#[test]
fn the_other_charset_is_accepted() {
    // alice:Winter-42é in ISO-8859-1.
    let server = Server::start(|r, _| match r.authorization() {
        Some("Basic YWxpY2U6V2ludGVyLTQy6Q==") => ok(),
        _ => refused("Basic realm=x"),
    });
    let report = probe(&["-u", &format!("{}é", user()), &server.url("/x")]);
    assert_eq!(first(&report), ("charset-mismatch", "certain"));
    assert_eq!(server.seen().len(), 3);
}

#[test]
fn the_address_lacks_its_slash() {
    let server = Server::start(|r, _| if r.target == "/v/data/" { ok() } else { refused("Basic realm=x") });
    let report = probe(&["-u", &user(), &server.url("/v/data")]);
    assert_eq!(first(&report), ("wrong-address", "certain"));
    assert!(report["findings"][0]["summary"].as_str().unwrap().contains("/v/data/"), "{report}");
}

#[test]
fn the_resource_takes_another_method() {
    let server = Server::start(|r, _| match (r.method.as_str(), r.authorization()) {
        ("OPTIONS", _) => Answer(200, vec![("Allow", "GET, OPTIONS".to_owned())], String::new()),
        ("GET", Some(_)) => ok(),
        _ => refused("Basic realm=x"),
    });
    let report =
        probe(&["-u", &user(), "--scheme", "basic", "-X", "POST", "-d", "a=1", &server.url("/orders")]);
    assert_eq!(first(&report).0, "wrong-method");
}

#[test]
fn a_preflight_is_asked_for_credentials() {
    let server = Server::start(|_, _| refused("Bearer"));
    let origin = "https://shop.example.com";
    let words = ["--origin", origin, "--field", "Authorization: Bearer abcdef0123456789", &server.url("/x")];
    let report = probe(&words);
    let causes: Vec<&str> =
        report["findings"].as_array().unwrap().iter().filter_map(|f| f["cause"].as_str()).collect();
    assert!(causes.contains(&"preflight-challenged"), "{causes:?}");
    let seen = server.seen();
    assert_eq!(
        (seen[0].method.as_str(), seen[0].field("access-control-request-headers")),
        ("OPTIONS", Some("authorization"))
    );
}

#[test]
fn the_credentials_are_lost_on_a_redirect() {
    let other = Server::start(|_, _| refused("Basic realm=other"));
    let to = format!("http://localhost:{}/x", other.port);
    let server = Server::start(move |_, _| Answer(302, vec![("Location", to.clone())], String::new()));
    let report = probe(&["-u", &user(), &server.url("/x")]);
    assert_eq!(first(&report), ("dropped-on-redirect", "certain"));
}

#[test]
fn an_address_is_evidence_among_others() {
    let server = Server::start(|_, _| refused("Basic realm=x"));
    let out = std::process::Command::new(env!("CARGO_BIN_EXE_why401"))
        .args(["--format", "json", &server.url("/x")])
        .env("NO_PROXY", "*")
        .output()
        .unwrap();
    let report: serde_json::Value = serde_json::from_slice(&out.stdout).unwrap();
    assert_eq!(
        (first(&report).0, report["sources"][0]["format"].as_str()),
        ("no-credentials", Some("probe"))
    );
}

#[test]
fn one_back_end_among_several_is_broken() {
    let broken = Server::start(|_, _| refused("Basic realm=x"));
    let port = broken.port;
    let good = Server::at("127.0.0.2", port, |r, _| {
        if r.authorization().is_some() { ok() } else { refused("Basic realm=x") }
    });
    let resolve = format!("api.example.com:{port}:127.0.0.1,127.0.0.2");
    let url = format!("http://api.example.com:{port}/x");
    let report = probe(&["--resolve", &resolve, "-u", &user(), &url]);
    assert_eq!(first(&report), ("server-misconfigured", "likely"), "{report}");
    let summary = report["findings"][0]["summary"].as_str().unwrap();
    assert!(summary.contains("127.0.0.2 lets the same request in"), "{summary}");
    let with = |s: &Server| s.seen().iter().filter(|r| r.authorization().is_some()).count();
    assert_eq!((with(&broken), with(&good)), (1, 1));
}

#[test]
fn back_ends_that_agree_are_not_blamed() {
    let one = Server::start(|_, _| refused("Basic realm=x"));
    let other = Server::at("127.0.0.2", one.port, |_, _| refused("Basic realm=x"));
    let resolve = format!("api.example.com:{}:127.0.0.1,127.0.0.2", one.port);
    let url = format!("http://api.example.com:{}/x", other.port);
    let report = probe(&["--resolve", &resolve, "-u", &user(), &url]);
    assert_eq!(first(&report).0, "credentials-refused", "{report}");
}

#[test]
fn a_made_up_address_gets_the_same_answer() {
    let is_open = |report: &serde_json::Value| {
        let also = report["findings"][0]["also_possible"].as_array().unwrap().clone();
        also.iter().any(|a| a["cause"] == "resource-hidden")
    };
    let alike = Server::start(|r, _| {
        let body = format!("no access to {}", r.target);
        Answer(401, vec![("WWW-Authenticate", "Basic realm=x".to_owned())], body)
    });
    let report = probe(&["-u", &user(), &alike.url("/repos/alice/secret")]);
    assert_eq!(first(&report).0, "credentials-refused");
    assert!(is_open(&report), "{report}");
    let told = Server::start(|r, _| match r.target.contains("why401-") {
        true => Answer(404, Vec::new(), "nothing here".to_owned()),
        false => refused("Basic realm=x"),
    });
    let report = probe(&["-u", &user(), &told.url("/repos/alice/secret")]);
    assert!(told.seen().iter().any(|r| r.target.contains("why401-")));
    assert!(!is_open(&report), "{report}");
}

#[test]
fn made_up_credentials_tell_whether_the_given_ones_are_known() {
    let alike = Server::start(|_, _| refused("Basic realm=x"));
    let report = probe(&["-u", &user(), "--allow-wrong", &alike.url("/x")]);
    assert_eq!(first(&report).0, "credentials-refused");
    let summary = |r: &serde_json::Value| r["findings"][0]["summary"].as_str().unwrap().to_owned();
    assert!(summary(&report).contains("made-up credentials get the same answer"), "{report}");
    assert_eq!(report["findings"].as_array().unwrap().len(), 1, "{report}");
    let known = Server::start(|r, _| match r.authorization() {
        Some("Basic YWxpY2U6V2ludGVyLTQy") => {
            Answer(401, vec![("WWW-Authenticate", "Basic realm=x".to_owned())], "code 7".to_owned())
        }
        _ => refused("Basic realm=x"),
    });
    let report = probe(&["-u", &user(), "--allow-wrong", &known.url("/x")]);
    assert!(summary(&report).contains("made-up credentials get another answer"), "{report}");
}
