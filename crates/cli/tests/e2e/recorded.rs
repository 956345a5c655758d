//! `why401 run`: real clients through the recorder, over HTTP and HTTPS; what is named, and what is left as it was.

use crate::stage::{Server, Stage, have};
use serde_json::Value;
use std::fs;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

const BASIC: &str = "auth_basic Members; auth_basic_user_file users;";

/// Runs a program under the recorder; the diagnosis goes to a file.
pub(crate) fn record(stage: &Stage, options: &[&str], program: &[&str]) -> (Output, Value) {
    let report = stage.path("report.json");
    let _ = fs::remove_file(&report);
    let out = command(stage, options, program).output().unwrap();
    let report = fs::read(&report).ok().and_then(|text| serde_json::from_slice(&text).ok());
    (out, report.unwrap_or_default())
}

fn command(stage: &Stage, options: &[&str], program: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_why401"));
    command.args(["run", "--format", "json", "--report"]).arg(stage.path("report.json"));
    if stage.path("ca.pem").exists() && !options.contains(&"--no-ca") {
        command.arg("--cacert").arg(stage.path("ca.pem"));
    }
    command.args(options.iter().filter(|o| **o != "--no-ca")).arg("--").args(program);
    for name in ["http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY"]
    {
        command.env_remove(name);
    }
    command.env("HOME", stage.path("")).stdin(Stdio::null());
    command
}

fn cause(report: &Value) -> &str {
    report["findings"][0]["cause"].as_str().unwrap_or("none")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Both servers of a stage that ask for Basic: plain, and with TLS.
fn both(stage: &mut Stage) -> [(Server, &'static str); 2] {
    [(stage.nginx(BASIC), "http"), (stage.nginx_tls(BASIC), "https")]
}

/// Each client asks both servers with a wrong password (or none); the program ends as it would by itself.
fn client(tools: &[&str], arguments: impl Fn(&str) -> Vec<String>, status: i32, expected: &str) {
    if !have(&[tools, &["nginx", "openssl"]].concat()) {
        return;
    }
    let mut stage = Stage::new();
    for (server, scheme) in both(&mut stage) {
        let url = format!("{scheme}://localhost:{}/data.json", server.port);
        let words = arguments(&url);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let (out, report) = record(&stage, &[], &words);
        assert_eq!(out.status.code(), Some(status), "{words:?}: {}", text(&out.stderr));
        assert_eq!(cause(&report), expected, "{words:?}: {report} {}", text(&out.stderr));
        assert_eq!(report["sources"][0]["format"], "recording");
    }
}

fn words(all: &[&str], url: &str) -> Vec<String> {
    all.iter().map(|w| w.replace("URL", url)).collect()
}

#[test]
fn curl() {
    client(
        &["curl"],
        |u| words(&["curl", "-sS", "-o", "/dev/null", "-u", "alice:wrong-1", "URL"], u),
        0,
        "credentials-refused",
    );
}

#[test]
fn wget() {
    client(
        &["wget"],
        |u| words(&["wget", "-qO-", "--user=alice", "--password=wrong-1", "URL"], u),
        6,
        "credentials-refused",
    );
}

#[test]
fn python_urllib() {
    let code = "import urllib.request as u, urllib.error as e\ntry: u.urlopen('URL')\nexcept e.HTTPError as x: print(x.code)";
    client(&["python3"], |u| words(&["/usr/bin/python3", "-c", code], u), 0, "no-credentials");
}

#[test]
fn python_requests() {
    let with = Command::new("python3").args(["-c", "import requests"]).stderr(Stdio::null()).status();
    if !with.is_ok_and(|s| s.success()) {
        println!("skipped: requests is not installed");
        return;
    }
    let code = "import requests; print(requests.get('URL', auth=('alice', 'wrong-1')).status_code)";
    client(&[], |u| words(&["python3", "-c", code], u), 0, "credentials-refused");
}

#[test]
fn node_fetch_and_https() {
    let fetch =
        "fetch('URL', { headers: { authorization: 'Bearer null' } }).then((r) => console.log(r.status))";
    for host in ["localhost", "127.0.0.1"] {
        let at = |u: &str| u.replace("localhost", host);
        client(&["node"], |u| words(&["node", "-e", fetch], &at(u)), 0, "placeholder-credentials");
    }
    let get = "const u = new globalThis['U' + 'RL']('URL'); require(u.protocol.slice(0, -1)).get(u, (r) => { r.resume(); console.log(r.statusCode); r.on('end', () => process.exit(0)) })";
    client(&["node"], |u| words(&["node", "-e", get], u), 0, "no-credentials");
}

#[test]
fn git() {
    let with = Command::new("git").arg("--version").output();
    if with.is_err() {
        println!("skipped: git is not installed");
        return;
    }
    client(
        &[],
        |u| words(&["git", "-c", "core.askPass=", "ls-remote", &u.replace("://", "://alice:wrong-1@")], u),
        128,
        "credentials-refused",
    );
}

#[test]
fn java() {
    let code = "import java.net.*; public class J { public static void main(String[] a) throws Exception { System.out.println(((HttpURLConnection) new URL(a[0]).openConnection()).getResponseCode()); } }";
    if !have(&["java"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("J.java");
    fs::write(&file, code).unwrap();
    client(&["java"], |u| words(&["java", file.to_str().unwrap(), "URL"], u), 0, "no-credentials");
}

#[test]
fn http_2_passes_as_it_is() {
    if !have(&["curl", "nginx", "openssl"]) {
        return;
    }
    let mut stage = Stage::new();
    let server = stage.nginx_tls(BASIC);
    let url = format!("https://localhost:{}/data.json", server.port);
    let (out, report) = record(
        &stage,
        &[],
        &["curl", "-sS", "-w", "%{http_version}", "-o", "/dev/null", "-u", "alice:Winter-42", &url],
    );
    assert_eq!(text(&out.stdout), "2");
    assert_eq!(report["sources"][0]["statuses"], serde_json::json!({ "200": 1 }), "{report}");
    assert_eq!(cause(&report), "none");
    let log = fs::read_to_string(server.access).unwrap();
    assert!(log.contains("alice") && log.contains("HTTP/2.0\" 200"), "{log}");
}

#[test]
fn a_har_that_it_saves_diagnoses_the_same_and_is_for_its_owner_alone() {
    if !have(&["curl", "nginx", "openssl"]) {
        return;
    }
    let mut stage = Stage::new();
    let server = stage.nginx_tls(BASIC);
    let url = format!("https://localhost:{}/data.json", server.port);
    let har = stage.path("session.har");
    let (_, report) = record(
        &stage,
        &["--save", har.to_str().unwrap()],
        &["curl", "-s", "-H", "Authorization: Bearer undefined", &url],
    );
    let mode = std::os::unix::fs::PermissionsExt::mode(&fs::metadata(&har).unwrap().permissions());
    assert_eq!(mode & 0o077, 0);
    let again = crate::stage::diagnose(&[&har]);
    assert_eq!(cause(&report), "placeholder-credentials");
    let essence = |r: &Value| {
        let f = &r["findings"][0];
        [&f["cause"], &f["certainty"], &f["summary"], &f["party"], &f["account"]].map(Value::to_string)
    };
    assert_eq!(essence(&report), essence(&again));
}

#[test]
fn output_and_exit_status_are_the_programs_own() {
    let stage = Stage::new();
    for status in [0, 1, 2, 7, 255] {
        let (out, _) = record(&stage, &[], &["sh", "-c", &format!("echo out; echo err >&2; exit {status}")]);
        assert_eq!((out.status.code(), text(&out.stdout).as_str()), (Some(status), "out\n"));
        assert!(text(&out.stderr).starts_with("err\n"));
        assert!(text(&out.stderr).contains("nothing was recorded"));
    }
    let (out, _) = record(&stage, &[], &["sh", "-c", "kill -9 $$"]);
    assert_eq!(out.status.code(), Some(137));
    let (out, _) = record(&stage, &[], &["/no/such/program"]);
    assert_eq!((out.status.code(), out.stdout.len()), (Some(2), 0));
    assert!(text(&out.stderr).contains("/no/such/program"));
}

#[test]
fn signals_reach_the_program() {
    let stage = Stage::new();
    let script = "trap 'echo got it; exit 5' TERM; echo ready; while :; do sleep 0.1; done";
    let mut child = command(&stage, &[], &["sh", "-c", script])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut from = std::io::BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    std::io::BufRead::read_line(&mut from, &mut line).unwrap();
    Command::new("kill").arg(child.id().to_string()).status().unwrap();
    std::io::Read::read_to_string(&mut from, &mut line).unwrap();
    assert_eq!((child.wait().unwrap().code(), line.as_str()), (Some(5), "ready\ngot it\n"));
}

#[test]
fn a_signal_that_is_ignored_stays_so_for_the_program() {
    let stage = Stage::new();
    let own = command(&stage, &[], &["sh", "-c", "kill -HUP $$; echo alive"]);
    let mut nohup = Command::new("sh");
    nohup.args(["-c", "trap '' HUP; exec \"$@\"", "-"]).arg(own.get_program()).args(own.get_args());
    let out = nohup.stdin(Stdio::null()).output().unwrap();
    assert_eq!(text(&out.stdout), "alive\n", "{}", text(&out.stderr));
}

#[test]
fn a_certificate_that_does_not_verify_does_not_verify_through_the_recorder_either() {
    if !have(&["curl", "nginx", "openssl"]) {
        return;
    }
    let mut stage = Stage::new();
    let server = stage.nginx_tls(BASIC);
    let url = format!("https://localhost:{}/data.json", server.port);
    let (out, _) = record(&stage, &["--no-ca"], &["curl", "-s", &url]);
    assert_eq!(out.status.code(), Some(60));
    assert!(text(&out.stderr).contains("nobody that is trusted here"), "{}", text(&out.stderr));
    // Who does not verify goes on, and is recorded.
    let (out, report) = record(&stage, &["--no-ca"], &["curl", "-sk", "-o", "/dev/null", &url]);
    assert_eq!((out.status.code(), cause(&report)), (Some(0), "no-credentials"));
}

#[test]
fn a_program_that_does_not_trust_the_recorder_is_told_of() {
    if !have(&["curl", "nginx", "openssl"]) {
        return;
    }
    let mut stage = Stage::new();
    let server = stage.nginx_tls(BASIC);
    let url = format!("https://localhost:{}/data.json", server.port);
    let own = stage.path("ca.pem");
    let (out, _) = record(&stage, &[], &["curl", "-s", "--cacert", own.to_str().unwrap(), &url]);
    assert_eq!(out.status.code(), Some(60));
    let said = text(&out.stderr);
    assert!(said.contains("does not trust the recorder at localhost"), "{said}");
}

#[test]
fn the_environments_own_proxy_is_gone_through() {
    if !have(&["curl", "nginx", "openssl"]) {
        return;
    }
    let mut stage = Stage::new();
    let server = stage.nginx_tls(BASIC);
    // A recorder stands for the proxy: one run inside another.
    let url = format!("https://localhost:{}/data.json", server.port);
    let ca = stage.path("ca.pem");
    let inner = [
        env!("CARGO_BIN_EXE_why401"),
        "run",
        "--cacert",
        ca.to_str().unwrap(),
        "--",
        "curl",
        "-sS",
        "-o",
        "/dev/null",
        "-u",
        "alice:wrong-1",
        &url,
    ];
    let (out, report) = record(&stage, &[], &inner);
    assert_eq!(out.status.code(), Some(0), "{}", text(&out.stderr));
    assert_eq!(cause(&report), "credentials-refused", "{}", text(&out.stderr));
    assert!(text(&out.stderr).contains("credentials-refused"), "{}", text(&out.stderr));
}

#[test]
fn a_proxy_that_asks_for_a_login_is_named() {
    if !have(&["curl"]) {
        return;
    }
    let stage = Stage::new();
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let proxy = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let _ = std::io::Read::read(&mut stream, &mut [0; 4096]);
            let answer =
                "HTTP/1.1 407 No\r\nProxy-Authenticate: Basic realm=\"proxy\"\r\nContent-Length: 2\r\n\r\nno";
            let _ = std::io::Write::write_all(&mut stream, answer.as_bytes());
        }
    });
    for url in ["http://example.com/", "https://example.com/"] {
        let report = stage.path("report.json");
        let _ = fs::remove_file(&report);
        let mut command = command(&stage, &[], &["curl", "-sS", url]);
        let out = command.env("http_proxy", &proxy).env("https_proxy", &proxy).output().unwrap();
        let report: Value = serde_json::from_slice(&fs::read(&report).unwrap()).unwrap();
        assert_eq!(cause(&report), "proxy-authentication-required", "{}", text(&out.stderr));
    }
}

#[test]
fn large_and_chunked_content_passes_unchanged_in_both_directions() {
    if !have(&["curl", "nginx", "openssl"]) {
        return;
    }
    let mut stage = Stage::new();
    let block = "client_max_body_size 50m; dav_methods PUT; create_full_put_path on;";
    let servers = [(stage.nginx(block), "http"), (stage.nginx_tls(block), "https")];
    let content: Vec<u8> = (0..5_000_000_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let file = stage.path("content");
    fs::write(&file, &content).unwrap();
    Command::new("chmod").arg("777").arg(stage.path("www")).status().unwrap();
    for (server, scheme) in servers {
        let url = format!("{scheme}://localhost:{}/{scheme}.bin", server.port);
        for how in [&["-H", "Transfer-Encoding: chunked"][..], &["--http1.1"], &[]] {
            let words = [&["curl", "-sS", "-T", file.to_str().unwrap()], how, &[url.as_str()]].concat();
            let (out, _) = record(&stage, &[], &words);
            assert_eq!(out.status.code(), Some(0), "{words:?} {}", text(&out.stderr));
            let (out, _) = record(&stage, &[], &["curl", "-sS", &url]);
            assert!(out.stdout == content, "{words:?}: {} bytes came back", out.stdout.len());
        }
    }
}

#[test]
fn nothing_is_left_behind_even_if_it_is_killed() {
    let stage = Stage::new();
    let folder = stage.path("tmp");
    fs::create_dir(&folder).unwrap();
    let mut child = command(&stage, &[], &["sh", "-c", "echo $SSL_CERT_FILE; sleep 20"])
        .env("TMPDIR", &folder)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    std::io::BufRead::read_line(&mut std::io::BufReader::new(child.stdout.take().unwrap()), &mut line)
        .unwrap();
    let bundle = fs::read_to_string(line.trim()).unwrap();
    assert!(bundle.contains("BEGIN CERTIFICATE") && !bundle.contains("PRIVATE KEY"));
    child.kill().unwrap();
    child.wait().unwrap();
    let since = Instant::now();
    while fs::metadata(line.trim()).is_ok() && since.elapsed() < Duration::from_secs(5) {
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(fs::metadata(line.trim()).is_err(), "{line}");
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 0);
}
