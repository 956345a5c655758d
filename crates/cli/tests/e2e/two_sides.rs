//! A real proxy between a client and an origin: what left the client and never arrived, or arrived changed, is proved by
//! holding both sides against each other.

use crate::stage::{Stage, diagnose, expect, have};
use std::path::PathBuf;

const TOOLS: &[&str] = &["apache2", "nginx", "curl", "tcpdump", "openssl"];
const BASIC: &str = "AuthType Basic\nAuthName Members\nAuthUserFile users\nRequire valid-user";

/// Captures at the client and at the origin, and the origin's access log, with an nginx in between that does this.
fn through(directives: &str) -> Option<(Stage, PathBuf, PathBuf, PathBuf)> {
    let mut stage = Stage::new();
    let apache = stage.apache(BASIC);
    let nginx =
        stage.nginx(&format!("location / {{ proxy_pass http://127.0.0.1:{}; {directives} }}", apache.port));
    let capture = stage.capture(&[apache.port, nginx.port], |s| {
        let url = format!("http://127.0.0.1:{}/data.json", nginx.port);
        s.run("curl.txt", "curl", &["-sv", "-u", "alice:Winter-42", &url]);
    })?;
    let client = stage.part(&capture, "client.pcap", nginx.port);
    let origin = stage.part(&capture, "origin.pcap", apache.port);
    Some((stage, client, origin, apache.access))
}

#[test]
fn a_field_that_left_and_never_arrived() {
    if !have(TOOLS) {
        return;
    }
    let Some((stage, client, origin, log)) = through("proxy_set_header Authorization \"\";") else { return };
    expect(&[&client, &origin], "dropped-by-intermediary", "certain");
    expect(&[&origin, &client], "dropped-by-intermediary", "certain");
    // The transcript of the client serves as well as a capture beside it.
    expect(&[&stage.path("curl.txt"), &origin], "dropped-by-intermediary", "certain");
    // A log shows less: whether a user came along.
    let report = diagnose(&[&client, &log]);
    assert_eq!(report["findings"][0]["cause"], "dropped-by-intermediary", "{report}");
    // One side alone proves nothing of the kind.
    let alone = diagnose(&[&client]);
    assert_ne!(alone["findings"][0]["cause"], "dropped-by-intermediary");
}

#[test]
fn a_field_that_arrived_changed() {
    if !have(TOOLS) {
        return;
    }
    let Some((_stage, client, origin, _)) = through("proxy_set_header Authorization \"Basic bm9ib2R5Og==\";")
    else {
        return;
    };
    let report = diagnose(&[&client, &origin]);
    let first = &report["findings"][0];
    assert_eq!(
        (&first["cause"], &first["certainty"]),
        (&"dropped-by-intermediary".into(), &"certain".into()),
        "{report}"
    );
    assert!(first["summary"].as_str().unwrap().contains("replaced"), "{first}");
}

#[test]
fn a_proxy_that_passes_everything_on_is_not_to_blame() {
    if !have(TOOLS) {
        return;
    }
    let Some((_stage, client, origin, log)) = through("") else { return };
    for files in [vec![&client, &origin], vec![&client, &origin, &log]] {
        let files: Vec<_> = files.into_iter().map(PathBuf::as_path).collect();
        let report = diagnose(&files);
        let faults =
            report["findings"].as_array().unwrap().iter().filter(|f| f["verdict"] == "fault").count();
        assert_eq!(faults, 0, "{report}");
    }
}
