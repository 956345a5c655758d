//! One scenario a test.

use crate::stage::{Stage, expect, first, have};

const BASIC: &str = "AuthType Basic\nAuthName Members\nAuthUserFile users\nRequire valid-user";
const TOOLS: &[&str] = &["apache2", "nginx", "curl", "wget", "tcpdump", "openssl"];

fn url(port: u16) -> String {
    format!("http://127.0.0.1:{port}/data.json")
}

#[test]
fn a_wrong_password_at_apache() {
    if !have(TOOLS) {
        return;
    }
    let mut stage = Stage::new();
    let apache = stage.apache(BASIC);
    let capture = stage.capture(&[apache.port], |s| {
        s.run("curl.txt", "curl", &["-sv", "-u", "alice:Summer-41", &url(apache.port)]);
    });
    let transcript = stage.path("curl.txt");
    expect(&[&transcript], "credentials-refused", "likely");
    expect(&[&apache.error], "wrong-password", "certain");
    expect(&[&apache.access], "credentials-refused", "likely");
    // The log of the server settles what the transcript leaves open.
    expect(&[&transcript, &apache.access, &apache.error], "wrong-password", "certain");
    if let Some(capture) = capture {
        expect(&[&capture], "credentials-refused", "likely");
        expect(&[&capture, &apache.error], "wrong-password", "certain");
    }
}

#[test]
fn a_user_that_nginx_does_not_know() {
    if !have(TOOLS) {
        return;
    }
    let mut stage = Stage::new();
    let users = stage.path("users").display().to_string();
    let nginx = stage.nginx(&format!("auth_basic Members; auth_basic_user_file {users};"));
    stage.run("curl.txt", "curl", &["-sv", "-u", "bob:Winter-42", &url(nginx.port)]);
    expect(&[&nginx.error], "unknown-user", "certain");
    expect(&[&stage.path("curl.txt"), &nginx.access, &nginx.error], "unknown-user", "certain");
}

#[test]
fn no_credentials_at_all() {
    if !have(TOOLS) {
        return;
    }
    let mut stage = Stage::new();
    let apache = stage.apache(BASIC);
    let capture = stage.capture(&[apache.port], |s| {
        s.run("curl.txt", "curl", &["-sv", &url(apache.port)]);
    });
    expect(&[&stage.path("curl.txt")], "no-credentials", "certain");
    expect(&[&apache.access], "no-credentials", "likely");
    if let Some(capture) = capture {
        expect(&[&capture], "no-credentials", "certain");
    }
}

#[test]
fn wget_answers_the_challenge_and_nothing_is_wrong() {
    if !have(TOOLS) {
        return;
    }
    let mut stage = Stage::new();
    let apache = stage.apache(BASIC);
    let capture = stage.capture(&[apache.port], |s| {
        let args = ["-d", "-O", "/dev/null", "--user=alice", "--password=Winter-42", &url(apache.port)];
        s.run("wget.txt", "wget", &args);
    });
    expect(&[&stage.path("wget.txt")], "challenge-answered", "certain");
    expect(&[&apache.access], "challenge-answered", "certain");
    if let Some(capture) = capture {
        expect(&[&capture], "challenge-answered", "certain");
    }
}

#[test]
fn a_digest_handshake_of_curl_is_healthy() {
    if !have(TOOLS) {
        return;
    }
    let mut stage = Stage::new();
    let ha1 = stage.run(
        "ha1",
        "sh",
        &["-c", "printf 'alice:Members:Winter-42' | openssl dgst -md5 -r | cut -d' ' -f1"],
    );
    let ha1 = std::fs::read_to_string(ha1).unwrap();
    std::fs::write(stage.path("digest"), format!("alice:Members:{ha1}")).unwrap();
    let apache = stage.apache("AuthType Digest\nAuthName Members\nAuthUserFile digest\nRequire valid-user");
    stage.run("curl.txt", "curl", &["-sv", "--digest", "-u", "alice:Winter-42", &url(apache.port)]);
    expect(&[&stage.path("curl.txt")], "challenge-answered", "certain");
    expect(&[&apache.access], "challenge-answered", "certain");
}

#[test]
fn a_proxy_that_drops_the_field_is_seen_on_both_its_sides() {
    if !have(TOOLS) {
        return;
    }
    let mut stage = Stage::new();
    let apache = stage.apache(BASIC);
    let pass = format!(
        "location / {{ proxy_pass http://127.0.0.1:{}; proxy_set_header Authorization \"\"; }}",
        apache.port
    );
    let nginx = stage.nginx(&pass);
    let capture = stage.capture(&[apache.port, nginx.port], |s| {
        s.run("curl.txt", "curl", &["-sv", "-u", "alice:Winter-42", &url(nginx.port)]);
    });
    if let Some(capture) = capture {
        expect(&[&capture], "dropped-by-intermediary", "certain");
    }
    // The origin's log shows no user for a request that left the client with one.
    let (cause, _) = first(&[&stage.path("curl.txt"), &apache.access]);
    assert!(["dropped-by-intermediary", "credentials-refused"].contains(&cause.as_str()), "{cause}");
}

#[test]
fn credentials_stay_behind_on_a_redirect_to_another_port() {
    if !have(TOOLS) {
        return;
    }
    let mut stage = Stage::new();
    let apache = stage.apache(BASIC);
    let nginx = stage.nginx(&format!("return 301 http://127.0.0.1:{}$request_uri;", apache.port));
    let capture = stage.capture(&[apache.port, nginx.port], |s| {
        s.run("curl.txt", "curl", &["-svL", "-u", "alice:Winter-42", &url(nginx.port)]);
    });
    expect(&[&stage.path("curl.txt")], "dropped-on-redirect", "certain");
    if let Some(capture) = capture {
        expect(&[&capture], "dropped-on-redirect", "certain");
    }
}

#[test]
fn a_line_break_from_echo() {
    if !have(TOOLS) {
        return;
    }
    let mut stage = Stage::new();
    let apache = stage.apache(BASIC);
    let field = "Authorization: Basic YWxpY2U6V2ludGVyLTQyCg==";
    stage.run("curl.txt", "curl", &["-sv", "-H", field, &url(apache.port)]);
    expect(&[&stage.path("curl.txt")], "stray-characters", "certain");
}

#[test]
fn a_password_file_that_is_not_there() {
    if !have(TOOLS) {
        return;
    }
    let mut stage = Stage::new();
    let apache = stage.apache("AuthType Basic\nAuthName Members\nAuthUserFile missing\nRequire valid-user");
    stage.run("curl.txt", "curl", &["-sv", "-u", "alice:Winter-42", &url(apache.port)]);
    expect(&[&apache.error], "server-misconfigured", "certain");
}

#[test]
fn a_preflight_is_asked_for_credentials() {
    if !have(TOOLS) {
        return;
    }
    let mut stage = Stage::new();
    let apache = stage.apache(BASIC);
    let args = [
        "-sv",
        "-X",
        "OPTIONS",
        "-H",
        "Origin: https://shop.example.com",
        "-H",
        "Access-Control-Request-Method: GET",
        &url(apache.port),
    ];
    stage.run("curl.txt", "curl", &args);
    expect(&[&stage.path("curl.txt")], "preflight-challenged", "certain");
}

#[test]
fn a_typing_error_beside_the_right_password() {
    if !have(TOOLS) {
        return;
    }
    let mut stage = Stage::new();
    let apache = stage.apache(BASIC);
    let capture = stage.capture(&[apache.port], |s| {
        s.run("one.txt", "curl", &["-sv", "-u", "alice:Wniter-42", &url(apache.port)]);
        s.run("two.txt", "curl", &["-sv", "-u", "alice:Winter-42", &url(apache.port)]);
    });
    if let Some(capture) = capture {
        expect(&[&capture], "near-miss-credentials", "certain");
    }
}
