//! Real tickets: a KDC, Apache with mod_auth_gssapi and curl on loopback, and the keytabs before and after the service got
//! a new key.

use crate::stage::{Stage, diagnose_with, have};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

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
        // The keys themselves are in no output.
        let key = fs::read(&new).unwrap();
        let hex: String = key.iter().rev().skip(4).take(16).rev().map(|b| format!("{b:02x}")).collect();
        assert!(!printed.contains(&hex));
    }
}
