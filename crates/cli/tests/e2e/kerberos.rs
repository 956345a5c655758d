//! Real tickets: a KDC, Apache with mod_auth_gssapi and curl on loopback, and the keytabs before and after the service got
//! a new key.

use crate::stage::{Stage, diagnose_with, have};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const MODULE: &str = "/usr/lib/apache2/modules/mod_auth_gssapi.so";
const REALM: &str = "EXAMPLE.COM";

/// Runs a Kerberos program in its realm.
fn krb5(stage: &Stage, script: &str) {
    let out = Command::new("sh").args(["-c", script]).envs(environment(stage)).output().unwrap();
    assert!(out.status.success(), "{script}: {}", String::from_utf8_lossy(&out.stderr));
}

fn environment(stage: &Stage) -> [(&'static str, PathBuf); 3] {
    let cache = PathBuf::from(format!("FILE:{}", stage.path("cc").display()));
    [
        ("KRB5_CONFIG", stage.path("krb5.conf")),
        ("KRB5_KDC_PROFILE", stage.path("kdc.conf")),
        ("KRB5CCNAME", cache),
    ]
}

/// A realm whose keys are of this type, with alice, who has a ticket for herself, and `HTTP/localhost`, whose key was made
/// anew: `old.keytab` has the one before, `new.keytab` the one of today.
fn realm(stage: &mut Stage, etype: &str) -> u16 {
    let port = stage.free_port();
    let root = stage.path("").display().to_string();
    let client = format!(
        "[libdefaults]\n default_realm = {REALM}\n dns_lookup_kdc = false\n dns_canonicalize_hostname = false\n rdns = false\n \
         permitted_enctypes = {etype}\n[realms]\n {REALM} = {{\n  kdc = 127.0.0.1:{port}\n }}\n"
    );
    let kdc = format!(
        "[kdcdefaults]\n kdc_listen = 127.0.0.1:{port}\n kdc_tcp_listen = 127.0.0.1:{port}\n[realms]\n {REALM} = {{\n  \
         database_name = {root}/principal\n  key_stash_file = {root}/stash\n  acl_file = {root}/acl\n  \
         supported_enctypes = {etype}:normal\n }}\n"
    );
    fs::write(stage.path("krb5.conf"), client).unwrap();
    fs::write(stage.path("kdc.conf"), kdc).unwrap();
    krb5(stage, &format!("kdb5_util create -s -r {REALM} -P Master-42"));
    for query in [
        "addprinc -pw Winter-42 alice".to_owned(),
        "addprinc -randkey HTTP/localhost".to_owned(),
        format!("ktadd -k {root}/old.keytab HTTP/localhost"),
        format!("ktadd -k {root}/new.keytab HTTP/localhost"),
    ] {
        krb5(stage, &format!("kadmin.local -q '{query}'"));
    }
    krb5(stage, &format!("chmod 644 {root}/*.keytab"));
    let mut command = Command::new("/usr/sbin/krb5kdc");
    command.arg("-n").envs(environment(stage));
    stage.start(command, port);
    krb5(stage, "echo Winter-42 | kinit alice");
    port
}

/// What is told of the refusal with this keytab at hand, and all that was printed.
fn told(capture: &Path, keytab: &Path) -> (String, String, String) {
    let report = diagnose_with(&["--keytab", keytab.to_str().unwrap()], &[capture]);
    let f = &report["findings"][0];
    let text = |v: &serde_json::Value| v.as_str().unwrap_or_default().to_owned();
    (text(&f["cause"]), text(&f["summary"]), report.to_string())
}

#[test]
fn a_ticket_that_the_keytab_of_the_service_is_too_old_for() {
    if !have(&["apache2", "curl", "tcpdump", "krb5kdc", "kinit", "kadmin.local"])
        || !Path::new(MODULE).exists()
    {
        return;
    }
    for etype in ["aes256-cts-hmac-sha1-96", "aes128-cts-hmac-sha256-128"] {
        let mut stage = Stage::new();
        realm(&mut stage, etype);
        let (old, new) = (stage.path("old.keytab"), stage.path("new.keytab"));
        let apache = stage.apache(&format!(
            "AuthType GSSAPI\nAuthName Members\nGssapiCredStore keytab:{}\nRequire valid-user",
            old.display()
        ));
        let capture = stage.capture(&[apache.port], |s| {
            let ask = format!("curl -s --negotiate -u : http://localhost:{}/data.json || true", apache.port);
            krb5(s, &ask);
        });
        let Some(capture) = capture else { return };
        let (cause, summary, _) = told(&capture, &old);
        assert_eq!(cause, "kerberos-refused");
        let says = "the ticket was made with key version 3 and the keytab has only version 2";
        assert!(summary.contains(says), "{summary}");
        let (cause, summary, printed) = told(&capture, &new);
        assert_eq!(cause, "kerberos-refused");
        let says = "the keytab given opens it: it is of alice@EXAMPLE.COM, valid from";
        assert!(summary.contains(says), "{summary}");
        assert!(summary.contains("so the service that refused it has another keytab"), "{summary}");
        assert!(summary.contains("the client made its authenticator at "), "{summary}");
        // MIT's KDC writes a PAC since 1.20: for whom, when, and its signatures.
        let says = "its PAC: made for alice, who proved itself at ";
        assert!(printed.contains(says), "{printed}");
        let says = "signed with the service's key; it holds client, ";
        assert!(printed.contains(says) && !summary.contains("its PAC"), "{printed}");
        // The same answers from a server whose clock is years behind the client's.
        let behind = stage.path("behind.pcap");
        fs::write(&behind, with_the_year_2020(fs::read(&capture).unwrap())).unwrap();
        let (cause, summary, _) = told(&behind, &new);
        assert_eq!(cause, "clock-skew");
        assert!(summary.starts_with("the client made its authenticator at "), "{summary}");
        // The keys themselves are in no output.
        let key = fs::read(&new).unwrap();
        let hex: String = key.iter().rev().skip(4).take(16).rev().map(|b| format!("{b:02x}")).collect();
        assert!(!printed.contains(&hex));
    }
}

/// Every `Date` in a capture, in another year: `Date: Sun, 22 Nov 2026`.
fn with_the_year_2020(mut capture: Vec<u8>) -> Vec<u8> {
    let places: Vec<usize> =
        capture.windows(6).enumerate().filter(|(_, w)| w == b"Date: ").map(|(at, _)| at).collect();
    for at in places {
        capture[at + 18..at + 22].copy_from_slice(b"2020");
    }
    capture
}

/// Runs curl behind the recorder, with alice's tickets; its exit status, what it printed, and the diagnosis.
fn recorded(stage: &Stage, how: &str, url: &str) -> (Option<i32>, String, serde_json::Value) {
    let report = stage.path("report.json");
    let mut why401 = Command::new(env!("CARGO_BIN_EXE_why401"));
    why401.args(["run", "--format", "json", "--report"]).arg(&report);
    why401.args(["--", "curl", "-s", "-f", how, "-u", ":", url]).envs(environment(stage));
    for name in ["http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY"]
    {
        why401.env_remove(name);
    }
    let out = why401.stdin(Stdio::null()).output().unwrap();
    let printed = String::from_utf8_lossy(&out.stdout).into_owned();
    let text = fs::read(&report).unwrap();
    (out.status.code(), printed, serde_json::from_slice(&text).unwrap())
}

#[test]
fn a_program_with_a_ticket_is_let_in_behind_the_recorder_and_refused_as_without_it() {
    if !have(&["apache2", "curl", "krb5kdc", "kinit", "kadmin.local"]) || !Path::new(MODULE).exists() {
        return;
    }
    let mut stage = Stage::new();
    realm(&mut stage, "aes256-cts-hmac-sha1-96");
    let site = |stage: &mut Stage, keytab: &str| {
        let keytab = stage.path(keytab).display().to_string();
        let auth = "AuthType GSSAPI\nAuthName Members\nRequire valid-user";
        let apache = stage.apache(&format!("{auth}\nGssapiCredStore keytab:{keytab}"));
        format!("http://localhost:{}/data.json", apache.port)
    };
    let (right, old) = (site(&mut stage, "new.keytab"), site(&mut stage, "old.keytab"));
    let first =
        |report: &serde_json::Value| report["findings"][0]["cause"].as_str().unwrap_or("none").to_owned();

    // With --negotiate curl does not wait to be asked, with --anyauth it does.
    for (how, statuses, cause) in
        [("--negotiate", "{\"200\":1}", "none"), ("--anyauth", "{\"200\":1,\"401\":1}", "challenge-answered")]
    {
        let (status, printed, report) = recorded(&stage, how, &right);
        assert_eq!((status, printed.as_str()), (Some(0), "{\"ok\":true}\n"), "{report}");
        assert_eq!(report["sources"][0]["statuses"].to_string(), statuses, "{report}");
        assert_eq!(first(&report), cause, "{report}");
    }

    let (status, printed, report) = recorded(&stage, "--negotiate", &old);
    assert_eq!((status, printed.as_str()), (Some(22), ""), "{report}");
    assert_eq!(first(&report), "kerberos-refused", "{report}");

    // Without a ticket, curl has nothing to answer with.
    krb5(&stage, "kdestroy");
    let (status, _, report) = recorded(&stage, "--negotiate", &right);
    assert_eq!(status, Some(22), "{report}");
    let cause = first(&report);
    assert!(["kerberos-ticket-unavailable", "no-credentials"].contains(&cause.as_str()), "{report}");
}
