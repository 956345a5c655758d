//! Each refusal with a real curl: the status, what the gate records, what `gate why` says, what why401 says of the gate's
//! logs and of curl's transcript.

use crate::running::{Gate, config, diagnosed, named, upstream};

struct Row {
    name: &'static str,
    arguments: &'static [&'static str],
    path: &'static str,
    status: u16,
    cause: &'static str,
    /// What curl's transcript shows by itself; `None`: not the cause.
    transcript: Option<&'static str>,
    /// What the combined log shows by itself.
    combined: Option<&'static str>,
}

const ROWS: &[Row] = &[
    Row {
        name: "nothing sent",
        arguments: &[],
        path: "/alice/alice.sms",
        status: 401,
        cause: "no-credentials",
        transcript: Some("no-credentials"),
        combined: Some("no-credentials"),
    },
    Row {
        name: "wrong password",
        arguments: &["-u", "alice:wrong"],
        path: "/alice/alice.sms",
        status: 401,
        cause: "wrong-password",
        transcript: Some("credentials-refused"),
        combined: Some("credentials-refused"),
    },
    Row {
        name: "unknown user",
        arguments: &["-u", "nobody:x"],
        path: "/nobody/nobody.sms",
        status: 401,
        cause: "unknown-user",
        transcript: Some("credentials-refused"),
        combined: Some("credentials-refused"),
    },
    // Nobody's credentials are not another account's.
    Row {
        name: "unknown user at another's address",
        arguments: &["-u", "nobody:x"],
        path: "/alice/alice.sms",
        status: 401,
        cause: "unknown-user",
        transcript: None,
        combined: Some("wrong-account"),
    },
    Row {
        name: "wrong password at another's address",
        arguments: &["-u", "bob:wrong"],
        path: "/alice/alice.sms",
        status: 401,
        cause: "wrong-account",
        transcript: Some("wrong-account"),
        combined: Some("wrong-account"),
    },
    Row {
        name: "disabled",
        arguments: &["-u", "dave:secret"],
        path: "/dave/dave.sms",
        status: 401,
        cause: "account-disabled",
        transcript: Some("credentials-refused"),
        combined: Some("credentials-refused"),
    },
    Row {
        name: "expired",
        arguments: &["-u", "erin:secret"],
        path: "/erin/erin.sms",
        status: 401,
        cause: "password-expired",
        transcript: Some("credentials-refused"),
        combined: Some("credentials-refused"),
    },
    Row {
        name: "another account's address",
        arguments: &["-u", "alice:secret"],
        path: "/bob/bob.sms",
        status: 403,
        cause: "wrong-account",
        transcript: None,
        combined: None,
    },
    Row {
        name: "method",
        arguments: &["-u", "alice:secret", "-X", "GET"],
        path: "/alice/alice.sms",
        status: 405,
        cause: "wrong-method",
        transcript: None,
        combined: None,
    },
    Row {
        name: "address not allowed",
        arguments: &["-u", "alice:secret"],
        path: "/inside",
        status: 403,
        cause: "address-not-allowed",
        transcript: None,
        combined: None,
    },
    Row {
        name: "no permission",
        arguments: &["-u", "alice:secret"],
        path: "/admin",
        status: 403,
        cause: "acl-denied",
        transcript: None,
        combined: None,
    },
    Row {
        name: "scheme not offered",
        arguments: &["-H", "Authorization: Bearer undefined"],
        path: "/key",
        status: 401,
        cause: "scheme-not-offered",
        transcript: None,
        combined: None,
    },
    Row {
        name: "API key unknown",
        arguments: &["-H", "X-Api-Key: w401_nokeyofours00000000"],
        path: "/key",
        status: 401,
        cause: "credentials-refused",
        transcript: None,
        combined: None,
    },
    Row {
        name: "bare secret",
        arguments: &["-H", "Authorization: 7Fjfp0ZBr1KtDRbnfVdmIw"],
        path: "/alice/alice.sms",
        status: 401,
        cause: "scheme-missing",
        transcript: Some("scheme-missing"),
        combined: None,
    },
    Row {
        name: "Basic not base64",
        arguments: &["-H", "Authorization: Basic alice:secret"],
        path: "/alice/alice.sms",
        status: 401,
        cause: "basic-malformed",
        transcript: Some("basic-malformed"),
        combined: None,
    },
    Row {
        name: "doubled",
        arguments: &["-H", "Authorization: Basic Basic YTpi"],
        path: "/alice/alice.sms",
        status: 401,
        cause: "scheme-doubled",
        transcript: Some("scheme-doubled"),
        combined: None,
    },
    Row {
        name: "field misspelt",
        arguments: &["-H", "Authorisation: Basic YTpi"],
        path: "/alice/alice.sms",
        status: 401,
        cause: "wrong-field",
        transcript: Some("wrong-field"),
        combined: None,
    },
    Row {
        name: "line break behind the password",
        arguments: &["-H", "Authorization: Basic YWxpY2U6c2VjcmV0Cg=="],
        path: "/alice/alice.sms",
        status: 401,
        cause: "stray-characters",
        transcript: Some("stray-characters"),
        combined: None,
    },
    Row {
        name: "Digest, wrong password",
        arguments: &["--digest", "-u", "dora:wrong"],
        path: "/digest",
        status: 401,
        cause: "wrong-password",
        transcript: None,
        combined: None,
    },
    Row {
        name: "wrong address",
        arguments: &["-u", "alice:secret"],
        path: "/nowhere",
        status: 404,
        cause: "wrong-address",
        transcript: None,
        combined: None,
    },
    Row {
        name: "plain http",
        arguments: &["-u", "alice:secret"],
        path: "/tls",
        status: 403,
        cause: "plain-http",
        transcript: None,
        combined: None,
    },
];

fn rules() -> String {
    let upstream = upstream();
    config(&format!(
        "[server]\ntrusted_proxies = [\"203.0.113.1\"]\n[[site]]\nrealm = \"messages\"\nupstream = \"{upstream}\"\n\
         [[site.rule]]\npath = \"/{{account}}/{{account}}.sms\"\nmethods = [\"POST\"]\n\
         [[site.rule]]\npath = \"/inside\"\nallow = [\"10.0.0.0/8\"]\n\
         [[site.rule]]\npath = \"/admin\"\ngroups = [\"admins\"]\n\
         [[site.rule]]\npath = \"/key\"\nschemes = [\"key\"]\n\
         [[site.rule]]\npath = \"/digest\"\nschemes = [\"digest\"]\n\
         [[site.rule]]\npath = \"/tls\"\ntls = true\n"
    ))
}

#[test]
fn every_refusal_is_recorded_and_diagnosed_by_its_cause() {
    let folder = tempfile::tempdir().unwrap();
    let mut gate = Gate::start_in(folder, &rules());
    for name in ["dave", "erin", "dora"] {
        let out = gate.ask(&["account", "add", name], "secret\n");
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    }
    assert!(gate.ask(&["account", "disable", "dave"], "").status.success());
    assert!(gate.ask(&["account", "expire", "erin"], "").status.success());
    // The running gate sees them; a reload is the sure way.
    gate.signal("-HUP");
    std::thread::sleep(std::time::Duration::from_millis(500));
    let mut wrong = Vec::new();
    let mut seen = 0;
    for row in ROWS {
        let is_post = !row.arguments.contains(&"GET");
        let mut arguments = row.arguments.to_vec();
        if is_post && row.path.ends_with(".sms") {
            arguments.extend(["-d", "hello"]);
        }
        let before = std::fs::read(gate.path("access.log")).unwrap_or_default().len();
        let transcript = gate.curl(&arguments, row.path);
        seen += if row.name.starts_with("Digest") { 2 } else { 1 };
        let line = gate.logged(seen).pop().unwrap();
        let mut check = |what: &str, found: &str, expected: &str| {
            if found != expected {
                wrong.push(format!("{}: {what}: {found}, not {expected}", row.name));
            }
        };
        check("status", &line["status"].to_string(), &row.status.to_string());
        check("recorded", line["cause"].as_str().unwrap_or("-"), row.cause);
        let reference = line["reference"].as_str().unwrap_or("-").to_owned();
        if !transcript.contains(&reference) {
            check("the client got its reference", "no", "yes");
        }
        let why = gate.ask(&["why", &reference, "--format", "json"], "");
        check("gate why", &named(&why.stdout), row.cause);
        check("JSON log", &diagnosed(format!("{line}\n").as_bytes()), row.cause);
        if let Some(expected) = row.transcript {
            check("transcript", &diagnosed(transcript.as_bytes()), expected);
        }
        if let Some(expected) = row.combined {
            std::thread::sleep(std::time::Duration::from_millis(30));
            let log = std::fs::read(gate.path("access.log")).unwrap();
            check("combined log", &diagnosed(&log[before..]), expected);
        }
        for secret in ["secret", "wrong\""] {
            if line.to_string().contains(&format!(":{secret}")) {
                check("a secret in the log", "yes", "no");
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(gate.end("-TERM"), Some(0));
}

#[test]
fn a_refusal_tells_a_client_nothing_but_a_reference() {
    let gate = Gate::start(&rules());
    let shape = |user: &str| {
        let out = gate.curl(&["-u", user, "-d", "x"], "/alice/alice.sms");
        let reference = out.split("reference: ").nth(1).unwrap()[..12].to_owned();
        let received =
            out.lines().filter(|l| l.starts_with("< ") || !l.starts_with(['*', '>', '{', '}', '<']));
        received.collect::<Vec<_>>().join("\n").replace(&reference, "REFERENCE")
    };
    let (unknown, wrong) = (shape("nobody:x"), shape("alice:x"));
    assert_eq!(unknown, wrong);
    let json = gate.curl(&["-u", "alice:x", "-d", "x", "-H", "Accept: application/json"], "/alice/alice.sms");
    assert!(json.contains("application/problem+json") && json.contains("\"status\":401"), "{json}");
    assert!(!json.contains("password"));
    // The reference alone is enough where the gate was started by the same person.
    let reference = gate.logged(2)[1]["reference"].as_str().unwrap().to_owned();
    let out = std::process::Command::new(crate::running::WHY401)
        .args(["gate", "why", &reference.to_lowercase(), "--format", "json"])
        .current_dir("/")
        .env("XDG_STATE_HOME", gate.path("state"))
        .output()
        .unwrap();
    assert_eq!(named(&out.stdout), "wrong-password");
    let why = gate.ask(&["why", "000000000000"], "");
    assert_eq!(why.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&why.stderr).contains("not in the journal"));
}

#[test]
fn a_lock_is_seen_in_the_log_only_and_lifted_by_hand() {
    let gate =
        Gate::start(&format!("[lockout]\nfailures = 3\nwithin = \"1m\"\nlasts = \"10m\"\n{}", rules()));
    let status = |password: &str| {
        let out = gate.curl(&["-u", &format!("alice:{password}"), "-d", "x"], "/alice/alice.sms");
        out.split("< HTTP/1.1 ").nth(1).unwrap()[..3].to_owned()
    };
    for _ in 0..3 {
        assert_eq!(status("wrong"), "401");
    }
    assert_eq!(status("secret"), "401");
    assert_eq!(gate.logged(4)[3]["cause"], "account-locked");
    assert!(gate.ask(&["account", "unlock", "alice"], "").status.success());
    let begun = std::time::Instant::now();
    while status("secret") != "200" {
        assert!(begun.elapsed().as_secs() < 10, "the lock is not lifted");
        std::thread::sleep(std::time::Duration::from_millis(200));
    }
}
