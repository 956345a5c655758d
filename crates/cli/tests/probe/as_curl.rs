//! What curl itself sends with the same options, request beside request.

use crate::run;
use crate::server::{Request, Server, ok};
use std::fs;
use std::process::Command;

/// What the server gets from curl and from `probe`, by the same words; `{}` in them is the server's port.
fn both(words: &[&str]) -> (Request, Request, String) {
    let ask = |program: &mut Command, server: &Server| {
        let words = words.iter().map(|w| w.replace("{}", &server.port.to_string()));
        let out = program.args(words).env("NO_PROXY", "*").output().unwrap();
        let said = String::from_utf8_lossy(&out.stderr).into_owned();
        let seen = server.seen();
        // Where there are credentials, what is sent with them is what was meant.
        let with = seen.iter().find(|r| r.field("cookie").is_some() || r.authorization().is_some());
        (with.or(seen.first()).cloned().unwrap_or_else(|| panic!("{words:?}: {said}", words = program)), said)
    };
    let curls = ask(Command::new("curl").args(["-s", "-o", "/dev/null"]), &Server::start(|_, _| ok()));
    let mut own = crate::command(&["--", "curl", "-s"]);
    let (ours, said) = ask(&mut own, &Server::start(|_, _| ok()));
    (curls.0, ours, said)
}

#[test]
fn the_request_is_the_one_that_curl_sends() {
    if Command::new("curl").arg("--version").output().is_err() {
        println!("skipped: curl is not installed; ./test installs it");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let jar = folder.path().join("jar");
    let text = "127.0.0.1\tFALSE\t/\tFALSE\t0\tsid\t1\n127.0.0.1\tFALSE\t/x\tFALSE\t0\tdeep\t2\n\
                127.0.0.1\tFALSE\t/\tTRUE\t9999999999\tlasting\t3\nother.example\tTRUE\t/\tFALSE\t0\tother\t4\n\
                h.example\tFALSE\t/\tFALSE\t0\tnamed\t5\n127.0.0.1\tFALSE\t/\tFALSE\t1\tpast\t6\n";
    fs::write(&jar, text).unwrap();
    let jar = jar.to_str().unwrap();
    let url = |target: &str| format!("http://127.0.0.1:{{}}{target}");
    let lines: Vec<Vec<String>> = [
        vec!["", "/a/../b/./c/.."],
        vec!["--path-as-is", "/a/../b/./c/.."],
        vec!["", "/%2e%2e/a//../b?x=/../y"],
        vec!["-g", "/{a,b}[1-3]"],
        vec!["", "/{a,b}/[07-10]"],
        vec!["", "/ä?ö"],
        vec!["--compressed -H Accept-Encoding:x", "/"],
        vec!["--request-target /else", "/"],
        vec!["-b a=1 -b b=2", "/"],
        vec!["-b a=1 -H Cookie:c=3", "/"],
        vec!["-4", "/"],
    ]
    .into_iter()
    .map(|w| w[0].split_whitespace().map(str::to_owned).chain([url(w[1])]).collect())
    .chain([
        vec!["-b".to_owned(), jar.to_owned(), url("/x/y")],
        vec!["-b".to_owned(), jar.to_owned(), "-b".to_owned(), "k=v".to_owned(), url("/")],
        vec!["-j".to_owned(), "-b".to_owned(), jar.to_owned(), url("/")],
        vec![
            "-b".to_owned(),
            jar.to_owned(),
            "--connect-to".to_owned(),
            "h.example:80:127.0.0.1:{}".to_owned(),
            "http://h.example/".to_owned(),
        ],
        vec!["--connect-to".to_owned(), "::127.0.0.1:{}".to_owned(), "http://any.example/a".to_owned()],
        vec!["--resolve".to_owned(), "*:{}:127.0.0.1".to_owned(), "http://any.example:{}/a".to_owned()],
    ])
    .collect();
    for line in lines {
        let words: Vec<&str> = line.iter().map(String::as_str).collect();
        let (curls, ours, said) = both(&words);
        assert_eq!((&curls.method, &curls.target), (&ours.method, &ours.target), "{words:?}");
        for name in ["cookie", "accept-encoding", "authorization"] {
            assert_eq!(curls.field(name), ours.field(name), "{words:?}: {name}");
        }
        let host = |r: &Request| r.field("host").unwrap().split(':').next().unwrap().to_owned();
        assert_eq!(host(&curls), host(&ours), "{words:?}");
        let several = words.last().unwrap().contains("[07");
        assert_eq!(said.contains("is left out"), several, "{words:?}: {said}");
    }
}

#[test]
fn compressed_answers_are_asked_for_as_far_as_they_are_read() {
    let server = Server::start(|_, _| ok());
    run(&["--", "curl", "--compressed", &server.url("/")]);
    assert_eq!(server.seen()[0].field("accept-encoding"), Some("deflate, gzip, br"));
}

#[test]
fn cookies_that_answers_set_are_sent_back_where_curl_would() {
    let server = Server::start(|r, _| match r.target.as_str() {
        "/start" => crate::server::Answer(
            302,
            vec![("Location", "/in".to_owned()), ("Set-Cookie", "sid=Winter-42; Path=/".to_owned())],
            String::new(),
        ),
        _ if r.field("cookie") == Some("sid=Winter-42") => ok(),
        _ => crate::server::refused("Basic realm=x"),
    });
    let url = server.url("/start");
    let with = run(&["--", "curl", "-L", "-c", "/dev/null", &url]);
    assert_eq!(with.status.code(), Some(0), "{}", String::from_utf8_lossy(&with.stderr));
    let without = run(&["--", "curl", "-L", &url]);
    assert_eq!(without.status.code(), Some(1), "{}", String::from_utf8_lossy(&without.stderr));
}

#[test]
fn what_is_left_out_is_named_wherever_one_looks() {
    let server = Server::start(|_, _| crate::server::refused("Basic realm=x"));
    let url = server.url("/");
    let left = ["--interface", "--pinnedpubkey", "--frob (unknown here)"];
    let words = ["--", "curl", "--interface", "lo", "--pinnedpubkey", "sha256//x", "--frob", &url];
    let json = crate::probe(&words);
    let problems = json["sources"][0]["problems"].to_string();
    let plan = run(&[&["--plan"], &words[..]].concat());
    let plan = String::from_utf8_lossy(&plan.stdout).into_owned();
    let as_json = run(&[&["--plan", "--format", "json"], &words[..]].concat());
    let as_json: serde_json::Value = serde_json::from_slice(&as_json.stdout).unwrap();
    let text = run(&words);
    let (shown, said) = (String::from_utf8_lossy(&text.stdout), String::from_utf8_lossy(&text.stderr));
    for option in left {
        let what = format!("curl's {option} is left out");
        for place in [
            &problems,
            &plan,
            &as_json["left_out"].to_string(),
            &shown.replace("\n  ", " "),
            &said.to_string(),
        ] {
            assert!(place.contains(&what), "{what}: {place}");
        }
    }
    assert!(shown.contains("3 things were not done"), "{shown}");
    let braces = run(&["--", "curl", "http://h.example/{"]);
    assert_eq!((braces.status.code(), braces.stdout.len()), (Some(2), 0));
}
