use super::*;
use crate::accounts::Account;
use std::path::Path;
use why401_auth::base64;

/// A gate without sockets and files: `users` is an htpasswd file.
struct Bench {
    setup: Setup,
    state: State,
    now: i64,
    /// How far the machine's clock was set ahead meanwhile.
    jumped: i64,
}

const ALICE: &str = "alice:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=\n";
/// bcrypt with cost 4, of `secret`.
const BOB: &str = "bob:$2y$04$1GnB0X3wH5YrldSdssDnzOU0WMFXcCu60ndRxYSxxG5sSdFJFpJiG\n";

impl Bench {
    fn new(config: &str, users: &str) -> Bench {
        let text = format!("[accounts]\nhtpasswd = \"u\"\nhtdigest = \"d\"\ndatabase = \"x\"\n{config}");
        let config = Config::parse(&text, Path::new("gate.toml")).unwrap();
        let setup = Setup {
            pools: Arc::default(),
            config: Arc::new(config),
            store: Arc::new(Store::of_htpasswd(users)),
            keys: Arc::default(),
            tls: None,
        };
        Bench { setup, state: State::new([7; 32]), now: 1_000_000, jumped: 0 }
    }

    fn verdict(&self, line: &str, fields: &str, client: &str) -> Verdict {
        let head = format!("{line} HTTP/1.1\r\nHost: example.com\r\n{fields}\r\n");
        let head = Head::request(head.into_bytes()).unwrap();
        let target = Target::of(&head).unwrap();
        let asked = Asked {
            head: &head,
            target: &target,
            client: client.parse().unwrap(),
            is_tls: false,
            certificate: &Certificate::Absent,
            now: self.now,
            tick: u64::try_from(self.now - self.jumped).unwrap() * 1000,
        };
        match begin(&asked, &self.setup, &self.state) {
            Step::Done(verdict) => verdict,
            Step::Verify(pending) => finish(&asked, &self.setup, &self.state, &pending, pending.run()),
        }
    }

    /// Status and cause; 200 where it is let in.
    fn ask(&self, line: &str, fields: &str) -> (u16, &'static str) {
        told(&self.verdict(line, fields, "192.0.2.7"))
    }
}

fn told(verdict: &Verdict) -> (u16, &'static str) {
    verdict.refused.as_ref().map_or((200, "-"), |r| (r.status, r.cause.unwrap_or("none")))
}

fn basic(user: &str, password: &str) -> String {
    format!("Authorization: Basic {}\r\n", base64::encode(format!("{user}:{password}").as_bytes()))
}

const SITE: &str = "[[site]]\nhosts = [\"example.com\"]\nrealm = \"r\"\nupstream = \"http://127.0.0.1:1\"\n";

#[test]
fn each_refusal_has_its_status_and_its_cause() {
    let config = format!(
        "{SITE}[[site.rule]]\npath = \"/{{account}}/{{account}}.sms\"\nmethods = [\"POST\"]\n[[site.rule]]\npath = \"/admin/**\"\ngroups = [\"admins\"]\n[[site.rule]]\npath = \"/inside\"\nallow = [\"10.0.0.0/8\"]\n[[site.rule]]\npath = \"/preflight\"\npreflight = true\n[[site.rule]]\npath = \"/open\"\nschemes = []\n[[site.rule]]\npath = \"/tls\"\n"
    );
    let bench = Bench::new(&config, &[ALICE, BOB].concat());
    let (alice, bob) = (basic("alice", "secret"), basic("bob", "secret"));
    let sms = "POST /alice/alice.sms";
    let preflight = "Origin: https://example.org\r\nAccess-Control-Request-Method: POST\r\n";
    for (line, fields, expected) in [
        (sms, alice.as_str(), (200, "-")),
        ("POST /bob/bob.sms", &bob, (200, "-")),
        (sms, "", (401, "no-credentials")),
        (sms, &basic("alice", "wrong"), (401, "wrong-password")),
        ("POST /bob/bob.sms", &basic("bob", "wrong"), (401, "wrong-password")),
        (sms, &basic("nobody", "secret"), (401, "unknown-user")),
        (sms, &basic("alice", "secret\n"), (401, "stray-characters")),
        (sms, &basic("alice", "${PASSWORD}"), (401, "placeholder-credentials")),
        (sms, &basic("", ""), (401, "empty-credentials")),
        (sms, &bob, (403, "wrong-account")),
        (sms, &basic("bob", "wrong"), (401, "wrong-account")),
        (sms, "Authorization: Basic alice:secret\r\n", (401, "basic-malformed")),
        (sms, "Authorization: Bearer abcdefghijklmnop\r\n", (401, "scheme-not-offered")),
        (sms, "Authorization: Basic Basic YTpi\r\n", (401, "scheme-doubled")),
        (sms, &[alice.as_str(), bob.as_str()].concat(), (401, "duplicate-credentials")),
        (sms, "X-Api-Key: abc\r\n", (401, "wrong-field")),
        ("POST /alice/alice.sms?token=x", "", (401, "wrong-field")),
        ("GET /alice/alice.sms", &alice, (405, "wrong-method")),
        ("OPTIONS /alice/alice.sms", preflight, (401, "preflight-challenged")),
        ("OPTIONS /preflight", preflight, (200, "-")),
        ("OPTIONS /preflight", "", (401, "no-credentials")),
        ("POST /alice/bob.sms", &alice, (404, "wrong-address")),
        ("GET /admin/x", &alice, (403, "acl-denied")),
        ("GET /inside", &alice, (403, "address-not-allowed")),
        ("GET /open", "", (200, "-")),
        ("GET /", &alice, (404, "wrong-address")),
    ] {
        assert_eq!(bench.ask(line, fields), expected, "{line} {fields}");
    }
    let verdict = bench.verdict("GET /alice/alice.sms", "", "192.0.2.7");
    assert_eq!(verdict.refused.unwrap().allow.as_deref(), Some("POST"));
    let verdict = bench.verdict(sms, &alice, "192.0.2.7");
    assert_eq!((verdict.user.as_deref(), verdict.account.as_deref()), (Some("alice"), Some("alice")));
}

#[test]
fn address_and_credentials_are_joined_by_satisfy() {
    let rule = "allow = [\"192.0.2.0/24\"]\ndeny = [\"192.0.2.66\"]\n";
    let config = format!(
        "{SITE}[[site.rule]]\npath = \"/any\"\nsatisfy = \"any\"\n{rule}[[site.rule]]\npath = \"/all\"\n{rule}"
    );
    let bench = Bench::new(&config, ALICE);
    let alice = basic("alice", "secret");
    for (path, fields, client, expected) in [
        ("/any", "", "192.0.2.7", 200),
        ("/any", "", "198.51.100.1", 401),
        ("/any", alice.as_str(), "198.51.100.1", 200),
        ("/any", &alice, "192.0.2.66", 403),
        ("/all", "", "192.0.2.7", 401),
        ("/all", &alice, "192.0.2.7", 200),
        ("/all", &alice, "198.51.100.1", 403),
        ("/all", &alice, "192.0.2.66", 403),
    ] {
        let verdict = bench.verdict(&format!("GET {path}"), fields, client);
        assert_eq!(told(&verdict).0, expected, "{path} {client} {fields}");
    }
}

#[test]
fn an_account_is_locked_and_looks_as_before_from_outside() {
    let config = format!(
        "[lockout]\nfailures = 3\nwithin = \"1m\"\nlasts = \"10m\"\n{SITE}[[site.rule]]\npath = \"/**\"\n"
    );
    let mut bench = Bench::new(&config, ALICE);
    let (right, wrong) = (basic("alice", "secret"), basic("alice", "wrong"));
    let before = bench.verdict("GET /", &wrong, "192.0.2.7").refused.unwrap();
    for _ in 0..2 {
        bench.ask("GET /", &wrong);
    }
    let locked = bench.verdict("GET /", &right, "192.0.2.7").refused.unwrap();
    assert_eq!((locked.status, locked.cause), (401, Some("account-locked")));
    assert_eq!(locked.challenges, before.challenges);
    // A name that no account has is locked in the same way.
    for _ in 0..3 {
        bench.ask("GET /", &basic("nobody", "x"));
    }
    assert_eq!(bench.ask("GET /", &basic("nobody", "x")).1, "account-locked");
    bench.now += 601;
    assert_eq!(bench.ask("GET /", &right), (200, "-"));
}

#[test]
fn limits_are_told_with_when_to_come_back() {
    let config = format!(
        "[limits]\nper_address = \"3/30s\"\nper_account = \"2/60s\"\nfailures_per_address = \"2/60s\"\n{SITE}[[site.rule]]\npath = \"/**\"\n"
    );
    let bench = Bench::new(&config, ALICE);
    let (right, wrong) = (basic("alice", "secret"), basic("alice", "wrong"));
    assert_eq!(bench.ask("GET /", &right), (200, "-"));
    assert_eq!(bench.ask("GET /", &right), (200, "-"));
    assert_eq!(bench.ask("GET /", &right), (429, "rate-limited"));
    let refused = bench.verdict("GET /", &right, "192.0.2.7").refused.unwrap();
    assert_eq!((refused.cause, refused.retry_after), (Some("rate-limited"), Some(10)));
    let other = |fields: &str| told(&bench.verdict("GET /", fields, "198.51.100.1"));
    assert_eq!(other(&wrong), (401, "wrong-password"));
    assert_eq!(other(&wrong), (401, "wrong-password"));
    assert_eq!(other(&right), (429, "password-guessing"));
}

#[test]
fn a_verified_password_is_remembered_and_a_changed_one_is_not() {
    let config = format!("{SITE}[[site.rule]]\npath = \"/**\"\n");
    let mut bench = Bench::new(&config, BOB);
    let hashed = |bench: &Bench, password: &str| {
        let text = format!("GET / HTTP/1.1\r\nHost: example.com\r\n{}\r\n", basic("bob", password));
        let head = Head::request(text.into_bytes()).unwrap();
        let target = Target::of(&head).unwrap();
        let (client, certificate) = ("192.0.2.7".parse().unwrap(), &Certificate::Absent);
        let asked = Asked {
            head: &head,
            target: &target,
            client,
            is_tls: false,
            certificate,
            now: bench.now,
            tick: 1,
        };
        match begin(&asked, &bench.setup, &bench.state) {
            Step::Done(verdict) => (false, told(&verdict)),
            Step::Verify(pending) => {
                (true, told(&finish(&asked, &bench.setup, &bench.state, &pending, pending.run())))
            }
        }
    };
    assert_eq!(hashed(&bench, "secret"), (true, (200, "-")));
    assert_eq!(hashed(&bench, "secret"), (false, (200, "-")));
    assert_eq!(hashed(&bench, "other"), (true, (401, "wrong-password")));
    // Another hash of another password: what was remembered does not count.
    bench.setup.store =
        Arc::new(Store::of_htpasswd("bob:$2y$04$abcdefghijklmnopqrstuu5Lo0g67CiD3M4RpN1BmBb4Crp5w7dbK\n"));
    assert_eq!(hashed(&bench, "secret"), (true, (401, "wrong-password")));
}

#[test]
fn an_unknown_user_costs_a_hash_of_the_same_kind() {
    let config = format!("{SITE}[[site.rule]]\npath = \"/**\"\n");
    let bench = Bench::new(&config, BOB);
    let text = format!("GET / HTTP/1.1\r\nHost: example.com\r\n{}\r\n", basic("nobody", "secret"));
    let head = Head::request(text.into_bytes()).unwrap();
    let target = Target::of(&head).unwrap();
    let (client, certificate) = ("192.0.2.7".parse().unwrap(), &Certificate::Absent);
    let asked = Asked { head: &head, target: &target, client, is_tls: false, certificate, now: 1, tick: 1 };
    let Step::Verify(pending) = begin(&asked, &bench.setup, &bench.state) else { panic!("no hash") };
    // The decoy is bob's hash, and bob's password does not open it.
    let verdict = finish(&asked, &bench.setup, &bench.state, &pending, pending.run());
    assert_eq!(told(&verdict), (401, "unknown-user"));
}

#[test]
fn the_standing_of_an_account_counts_only_with_the_right_password() {
    let config = format!("{SITE}[[site.rule]]\npath = \"/**\"\n");
    let mut bench = Bench::new(&config, ALICE);
    for (change, expected) in [
        ((|a: &mut Account| a.disabled = true) as fn(&mut Account), "account-disabled"),
        (|a| a.expires = Some(1), "password-expired"),
    ] {
        let mut store = Store::of_htpasswd(ALICE);
        store.alter("alice", change);
        bench.setup.store = Arc::new(store);
        assert_eq!(bench.ask("GET /", &basic("alice", "secret")), (401, expected));
        assert_eq!(bench.ask("GET /", &basic("alice", "wrong")), (401, "wrong-password"));
    }
}

#[test]
fn digest_is_verified_and_each_count_is_taken_once() {
    use why401_auth::Secret;
    use why401_auth::scheme::digest::Algorithm;
    use why401_auth::scheme::digest_compute::{Input, Protection, response, stored};
    let config = format!("{SITE}[[site.rule]]\npath = \"/**\"\nschemes = [\"digest\"]\n");
    let mut bench = Bench::new(&config, "");
    let hash = stored(Algorithm::DEFAULT, b"alice", b"r", &Secret::new("secret"));
    let mut store = Store::of_htpasswd("");
    store.alter("alice", |a| {
        a.digests.push(crate::accounts::Ha1 { realm: "r".to_owned(), algorithm: Algorithm::DEFAULT, hash })
    });
    bench.setup.store = Arc::new(store);
    let refused = bench.verdict("GET /x", "", "192.0.2.7").refused.unwrap();
    let challenge = &refused.challenges[0];
    let nonce = challenge.split("nonce=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let fields = |user: &str, password: &str, uri: &str, nc: &str| {
        let made = response(&Input {
            algorithm: Algorithm::DEFAULT,
            username: user.as_bytes(),
            realm: b"r",
            password: Secret::new(password),
            method: b"GET",
            uri: uri.as_bytes(),
            nonce: nonce.as_bytes(),
            protection: Some(Protection { nc: nc.as_bytes(), cnonce: b"c", qop: b"auth", body: b"" }),
        });
        format!(
            "Authorization: Digest username=\"{user}\", realm=\"r\", nonce=\"{nonce}\", uri=\"{uri}\", nc={nc}, cnonce=\"c\", qop=auth, opaque=\"why401\", response=\"{}\"\r\n",
            made.expose_text()
        )
    };
    assert_eq!(bench.ask("GET /x", &fields("alice", "secret", "/x", "00000001")), (200, "-"));
    assert_eq!(
        bench.ask("GET /x", &fields("alice", "secret", "/x", "00000001")),
        (401, "digest-nonce-stale")
    );
    assert_eq!(bench.ask("GET /x", &fields("alice", "secret", "/x", "00000002")), (200, "-"));
    assert_eq!(bench.ask("GET /y", &fields("alice", "secret", "/x", "00000003")), (401, "digest-mismatch"));
    assert_eq!(bench.ask("GET /x", &fields("alice", "wrong", "/x", "00000004")), (401, "wrong-password"));
    assert_eq!(bench.ask("GET /x", &fields("bob", "secret", "/x", "00000005")), (401, "unknown-user"));
    bench.now += 301;
    let stale =
        bench.verdict("GET /x", &fields("alice", "secret", "/x", "00000006"), "192.0.2.7").refused.unwrap();
    assert!(stale.challenges[0].contains("stale=true"), "{stale:?}");
}

#[test]
fn tokens_are_verified_with_the_key_set() {
    use serde_json::json;
    use why401_verify::jwk::{SigningKey, published};
    use why401_verify::jwt;
    let config = format!(
        "[bearer]\nissuer = \"https://id.example.com\"\naudience = \"api\"\nkeys_url = \"http://127.0.0.1:1/\"\n{SITE}[[site.rule]]\npath = \"/**\"\nschemes = [\"bearer\"]\nscope = \"send\"\ngroups = [\"senders\"]\n"
    );
    let bench = Bench::new(&config, "");
    let key = SigningKey::new_ec().unwrap();
    let token = |change: serde_json::Value| {
        let mut claims = json!({"iss": "https://id.example.com", "aud": "api", "sub": "alice", "exp": bench.now + 60, "iat": bench.now, "scope": "send", "groups": ["senders"]});
        claims.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        let header = json!({"kid": "k"});
        let made = jwt::make(&key, header.as_object().unwrap(), claims.as_object().unwrap()).unwrap();
        format!("Authorization: Bearer {made}\r\n")
    };
    assert_eq!(bench.ask("GET /", &token(json!({}))), (503, "auth-backend-down"));
    let keys = KeySet::parse(published([("k", &key)]).as_bytes()).unwrap();
    *bench.setup.keys.write().unwrap() = Some(keys);
    for (change, expected) in [
        (json!({}), (200, "-")),
        (json!({"exp": bench.now - 31}), (401, "token-expired")),
        (json!({"aud": "other"}), (401, "wrong-audience")),
        (json!({"iss": "other"}), (401, "wrong-issuer")),
        (json!({"scope": "read"}), (403, "scope-missing")),
        (json!({"groups": []}), (403, "acl-denied")),
    ] {
        assert_eq!(bench.ask("GET /", &token(change.clone())), expected, "{change}");
    }
    let refused = bench.verdict("GET /", &token(json!({"scope": "x"})), "192.0.2.7").refused.unwrap();
    assert_eq!(refused.challenges, ["Bearer realm=\"r\", scope=\"send\", error=\"insufficient_scope\""]);
}

#[test]
fn a_clock_that_jumps_neither_unlocks_nor_locks() {
    let config = format!(
        "[limits]\nper_account = \"2/60s\"\n[lockout]\nfailures = 2\nwithin = \"1m\"\nlasts = \"10m\"\n{SITE}[[site.rule]]\npath = \"/**\"\n"
    );
    let mut bench = Bench::new(&config, &[ALICE, BOB].concat());
    for _ in 0..2 {
        bench.ask("GET /", &basic("alice", "wrong"));
        assert_eq!(bench.ask("GET /", &basic("bob", "secret")).0, 200);
    }
    for jump in [0, 100_000_000, -900_000] {
        (bench.now, bench.jumped) = (1_000_000 + jump, jump);
        assert_eq!(bench.ask("GET /", &basic("alice", "secret")).1, "account-locked", "{jump}");
        assert_eq!(bench.ask("GET /", &basic("bob", "secret")).1, "rate-limited", "{jump}");
    }
    (bench.now, bench.jumped) = (1_000_700, 0);
    assert_eq!(bench.ask("GET /", &basic("alice", "secret")).0, 200);
}

#[test]
fn in_front_of_a_proxy_it_asks_with_407() {
    let bench = Bench::new(&format!("{SITE}as_proxy = true\n[[site.rule]]\npath = \"/**\"\n"), ALICE);
    let verdict = bench.verdict("GET http://example.com/", &basic("alice", "secret"), "192.0.2.7");
    assert_eq!(told(&verdict), (407, "wrong-field"));
    assert_eq!(bench.ask("GET http://example.com/", ""), (407, "proxy-authentication-required"));
    let fields = basic("alice", "secret").replace("Authorization", "Proxy-Authorization");
    assert_eq!(bench.ask("GET http://example.com/", &fields), (200, "-"));
}
