//! HAProxy that asks for Basic itself (`http-request auth`): asked by `probe`, and by curl under `run`.

use crate::asked::probe;
use crate::recorded::record;
use crate::stage::{Stage, have};
use std::fs;
use std::process::Command;

/// HAProxy that lets alice in; source: <https://docs.haproxy.org/2.6/configuration.html#4.2-http-request%20auth>.
fn haproxy(stage: &mut Stage) -> String {
    let port = stage.free_port();
    let conf = format!(
        "defaults\n mode http\n timeout connect 5s\n timeout client 30s\n timeout server 30s\nuserlist members\n \
         user alice insecure-password Winter-42\nfrontend front\n bind 127.0.0.1:{port}\n \
         http-request auth realm Members unless {{ http_auth(members) }}\n \
         http-request return status 200 content-type application/json string \"{{}}\"\n"
    );
    let path = stage.path("haproxy.cfg");
    fs::write(&path, conf).unwrap();
    let mut command = Command::new("/usr/sbin/haproxy");
    command.arg("-db").arg("-f").arg(&path);
    stage.start(command, port);
    format!("http://127.0.0.1:{port}/data.json")
}

/// What is given, what is named, and the exit status of `probe`.
const CASES: [(&[&str], &str, i32); 3] = [
    (&[], "no-credentials", 1),
    (&["-u", "alice:wrong-1"], "credentials-refused", 1),
    (&["-u", "alice:Winter-42"], "challenge-answered", 0),
];

#[test]
fn haproxy_is_asked() {
    if !have(&["haproxy", "openssl"]) {
        return;
    }
    let mut stage = Stage::new();
    let url = haproxy(&mut stage);
    for (given, cause, status) in CASES {
        let (ended, report, said) = probe(&stage, &[given, &[&url]].concat());
        let named = report["findings"][0]["cause"].as_str().unwrap_or("none");
        assert_eq!((ended, named), (Some(status), cause), "{given:?} {said}");
    }
}

#[test]
fn haproxy_refuses_curl_under_the_recorder() {
    if !have(&["haproxy", "curl", "openssl"]) {
        return;
    }
    let mut stage = Stage::new();
    let url = haproxy(&mut stage);
    for (given, cause, _) in CASES {
        // curl does not wait to be asked, so that there is no challenge to answer.
        let cause = if cause == "challenge-answered" { "none" } else { cause };
        let (out, report) =
            record(&stage, &[], &[&["curl", "-s", "-o", "/dev/null"], given, &[&url]].concat());
        let named = report["findings"][0]["cause"].as_str().unwrap_or("none");
        assert_eq!((out.status.code(), named), (Some(0), cause), "{given:?} {report}");
    }
}
