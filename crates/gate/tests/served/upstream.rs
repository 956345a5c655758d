//! TLS to an upstream: a gate stands behind a gate.

use crate::running::{Gate, echo, run};
use std::path::Path;
use std::process::Command;

/// Certificates: `ca`, `server` for localhost, `client`.
pub(crate) fn certificates(folder: &Path) -> bool {
    if Command::new("openssl").arg("version").output().is_err() {
        println!("skipped: no openssl");
        return false;
    }
    let new = "openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes";
    let mut script = format!(
        "{new} -x509 -days 2 -keyout ca.key -out ca.pem -subj /CN=ca; printf 'subjectAltName=DNS:localhost' > san;"
    );
    for name in ["server", "client"] {
        script += &format!(
            "{new} -keyout {name}.key -out {name}.csr -subj /CN={name}; openssl x509 -req -in {name}.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 1 -extfile san -out {name}.pem;"
        );
    }
    script += "openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -x509 -days 2 -keyout other.key -out other.pem -subj /CN=other";
    let out = Command::new("sh").args(["-ec", &script]).current_dir(folder).output().unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    true
}

#[test]
fn the_upstream_is_verified_and_shown_a_certificate() {
    run(async {
        let folder = tempfile::tempdir().unwrap();
        if !certificates(folder.path()) {
            return;
        }
        let last = echo().await;
        // Behind: asks for a client certificate, and passes on to the echo.
        let behind = Gate::start_in(
            folder,
            &format!(
                "key_field = \"X-Key\"\n[server.tls]\ncertificate = \"server.pem\"\nkey = \"server.key\"\nclient_authority = \"ca.pem\"\n[[site]]\nupstream = \"http://{last}\"\nupstream_version = \"2\"\n[[site.rule]]\npath = \"/**\"\nschemes = [\"certificate\", \"basic\"]\n"
            ),
        );
        let files = |name: &str| behind.path(name).display().to_string();
        let front = |rest: &str, port: u16| {
            Gate::start(&format!(
                "[[site]]\nupstream = \"https://localhost:{port}\"\n{rest}\n[[site.rule]]\npath = \"/**\"\n"
            ))
        };
        let port = behind.address.port();
        let authority = files("ca.pem");
        for (i, version) in ["1.1", "2"].into_iter().enumerate() {
            let good = front(
                &format!(
                    "credentials_to_upstream = \"keep\"\nupstream_version = \"{version}\"\nupstream_tls = {{ authority = \"{authority}\" }}"
                ),
                port,
            );
            let ask = |gate: &Gate, more: &[&str]| {
                gate.curl(&[&["-u", "alice:secret", "-d", "hello"], more].concat(), "/x")
            };
            let out = ask(&good, &["-i", "-H", "TE: trailers"]);
            assert!(out.contains("200 OK") && out.contains("hello"), "{version}: {out}");
            assert!(out.contains("x-end: reached"), "{version}: {out}");
            let shown = behind.logged(2 * i + 1).pop().unwrap();
            let expected = if version == "2" { "HTTP/2.0" } else { "HTTP/1.1" };
            assert_eq!((&shown["server_protocol"], &shown["scheme"]), (&expected.into(), &"https".into()));
            // Several on one connection.
            let out = ask(&good, &["--http2-prior-knowledge"]);
            assert!(out.contains("< HTTP/2 200"), "{out}");
            for (rest, expected) in [
                ("upstream_tls = {}".to_owned(), "UnknownIssuer"),
                (
                    format!(
                        "upstream_tls = {{ authority = \"{authority}\", server_name = \"other.example\" }}"
                    ),
                    "not valid for name",
                ),
            ] {
                let bad = front(&format!("upstream_version = \"{version}\"\n{rest}"), port);
                let out = ask(&bad, &[]);
                assert!(out.contains("502 Bad Gateway"), "{out}");
                let says = bad.logged(1)[0]["reason"].as_str().unwrap().to_owned();
                assert!(says.contains(expected), "{says}");
            }
        }
        let shown = front(
            &format!(
                "upstream_tls = {{ authority = \"{authority}\", certificate = \"{}\", key = \"{}\" }}",
                files("client.pem"),
                files("client.key")
            ),
            port,
        );
        // Behind, the certificate stands for nobody yet: that it was seen shows in the cause.
        let out = shown.curl(&["-u", "alice:secret"], "/x");
        assert!(out.contains("401 Unauthorized"), "{out}");
        assert_eq!(behind.logged(5).pop().unwrap()["cause"], "client-certificate-refused");
    });
}

#[test]
fn an_upstream_of_http2_that_goes_away_is_asked_anew() {
    run(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        // One request a connection, then the connection ends without a word.
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let mut connection = h2::server::handshake(stream).await.unwrap();
                if let Some(Ok((_, mut respond))) = connection.accept().await {
                    let _ = respond.send_response(http::Response::new(()), true);
                    let until = tokio::time::Duration::from_millis(100);
                    let _ = tokio::time::timeout(until, connection.accept()).await;
                }
            }
        });
        let gate = Gate::start(&format!(
            "[[site]]\nupstream = \"http://{address}\"\nupstream_version = \"2\"\n[[site.rule]]\npath = \"/**\"\n"
        ));
        for pause in [0, 200, 0, 90, 110] {
            tokio::time::sleep(std::time::Duration::from_millis(pause)).await;
            let out = gate.curl(&["-u", "alice:secret"], "/x");
            assert!(out.contains("200 OK"), "{out}");
        }
    });
}
