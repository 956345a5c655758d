//! Clients that speak HTTP/2: decided, logged and limited like any other.

use crate::running::{ALICE, Gate, asked, echo, exchange, run};
use http::{HeaderMap, Request};
use std::time::{Duration, Instant};

fn site(upstream: &str) -> String {
    format!("[[site]]\nupstream = \"{upstream}\"\n[[site.rule]]\npath = \"/**\"\n")
}

/// A site with an upstream of HTTP/2.
async fn passing(rest: &str) -> Gate {
    let upstream = echo().await;
    Gate::start(&format!("{rest}{}", site(&format!("http://{upstream}\"\nupstream_version = \"2"))))
}

#[test]
fn a_refusal_is_the_same_in_every_version() {
    let gate = Gate::start(&site("http://127.0.0.1:1"));
    let old = gate.curl(&["-u", "alice:wrong"], "/x");
    let new = gate.curl(&["-u", "alice:wrong", "--http2-prior-knowledge"], "/x");
    assert!(old.contains("< HTTP/1.1 401") && new.contains("< HTTP/2 401"), "{new}");
    assert!(new.contains("www-authenticate: Basic realm=") && new.contains("reference: "), "{new}");
    let lines = gate.logged(2);
    for (i, version) in ["HTTP/1.1", "HTTP/2.0"].into_iter().enumerate() {
        assert_eq!(lines[i]["server_protocol"], version);
        assert_eq!(
            (&lines[i]["cause"], &lines[i]["remote_user"]),
            (&"wrong-password".into(), &"alice".into())
        );
    }
    assert!(new.contains(lines[1]["reference"].as_str().unwrap()));
    let off = Gate::start(&format!("[server]\nhttp2 = false\n{}", site("http://127.0.0.1:1")));
    assert!(!off.curl(&["--http2-prior-knowledge"], "/x").contains("< HTTP/2"));
}

#[test]
fn content_and_trailers_go_both_ways_and_no_secret_with_them() {
    run(async {
        let gate = passing("").await;
        let mut sender = gate.connect().await;
        let content = vec![b'x'; 700_000];
        let mut trailers = HeaderMap::new();
        for (name, value) in [("x-sum", "1"), ("x-remote-user", "root"), ("authorization", "no")] {
            trailers.insert(name, value.parse().unwrap());
        }
        let mut request = asked("POST", "/a?b=c");
        request.headers_mut().insert("te", "trailers".parse().unwrap());
        request.headers_mut().insert("x_remote_user", "root".parse().unwrap());
        let (head, body, ended) = exchange(&mut sender, request, Some((&content, trailers))).await.unwrap();
        assert_eq!((head.status(), body.len()), (http::StatusCode::OK, content.len()));
        assert_eq!(head.headers()["x-line"], "POST http://gate.example/a?b=c");
        let seen = head.headers()["x-seen"].to_str().unwrap();
        assert!(seen.contains("x-remote-user: alice") && seen.contains("te: trailers"), "{seen}");
        assert!(!seen.contains("root") && !seen.contains("authorization"), "{seen}");
        let names: Vec<&str> = ended.keys().map(|n| n.as_str()).collect();
        assert_eq!(names, ["x-sum", "x-end"]);
        // The same for a client of the older version, which asks for trailers.
        std::fs::write(gate.path("large"), &content).unwrap();
        let field = format!("Authorization: {ALICE}");
        for chunked in ["X: y", "Transfer-Encoding: chunked"] {
            let out = gate.curl(
                &["-i", "-H", &field, "-H", "TE: trailers", "-H", chunked, "--data-binary", "@large"],
                "/late",
            );
            assert!(
                out.contains("< HTTP/1.1 200 OK") && out.contains("x-end: reached"),
                "{}",
                &out[..out.len().min(900)]
            );
            assert!(out.matches('x').count() > content.len());
        }
    });
}

#[test]
fn both_directions_go_at_once() {
    run(async {
        let gate = passing("").await;
        let mut sender = gate.connect().await;
        let (answer, mut out) = sender.send_request(asked("POST", "/talk"), false).unwrap();
        let (head, mut body) = answer.await.unwrap().into_parts();
        assert_eq!(head.status, 200);
        for word in ["one", "two", "three"] {
            out.send_data(word.into(), false).unwrap();
            let heard = body.data().await.unwrap().unwrap();
            assert_eq!(&heard[..], word.as_bytes());
        }
        out.send_data("".into(), true).unwrap();
        assert!(body.data().await.is_none());
        assert_eq!(body.trailers().await.unwrap().unwrap()["x-end"], "reached");
        assert_eq!(gate.logged(1)[0]["body_bytes_sent"], 11);
    });
}

#[test]
fn an_upstream_that_takes_no_more_before_its_answer_is_read_is_read() {
    run(async {
        const SIZE: usize = 200_000;
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let upstream = listener.local_addr().unwrap();
        tokio::spawn(async move {
            let (stream, _) = listener.accept().await.unwrap();
            let mut connection = h2::server::handshake(stream).await.unwrap();
            let (request, mut respond) = connection.accept().await.unwrap().unwrap();
            tokio::spawn(async move { while connection.accept().await.is_some() {} });
            let mut body = request.into_body();
            // All that fits: more comes only after room has been made for it.
            let mut taken = 0;
            while taken < 65_535 {
                taken += body.data().await.unwrap().unwrap().len();
            }
            let mut out = respond.send_response(http::Response::new(()), false).unwrap();
            let mut left = bytes::Bytes::from(vec![b'y'; SIZE]);
            while !left.is_empty() {
                out.reserve_capacity(left.len());
                let room = std::future::poll_fn(|context| out.poll_capacity(context)).await;
                out.send_data(left.split_to(room.unwrap().unwrap()), false).unwrap();
            }
            body.flow_control().release_capacity(taken).unwrap();
            while let Some(piece) = body.data().await {
                let size = piece.unwrap().len();
                body.flow_control().release_capacity(size).unwrap();
                taken += size;
            }
            out.send_data(taken.to_string().into(), true).unwrap();
        });
        let gate = Gate::start(&site(&format!("http://{upstream}\"\nupstream_version = \"2")));
        let mut sender = gate.connect().await;
        let sent = Some((&[b'x'; SIZE][..], HeaderMap::new()));
        let (head, body, _) = exchange(&mut sender, asked("POST", "/"), sent).await.unwrap();
        assert_eq!((head.status(), body.len()), (http::StatusCode::OK, SIZE + 6));
        assert!(body.ends_with(b"y200000"), "not all of the content has arrived");
    });
}

#[test]
fn requests_of_one_connection_do_not_wait_for_each_other() {
    run(async {
        let gate = passing("").await;
        let mut sender = gate.connect().await;
        let mut open = Vec::new();
        for _ in 0..50 {
            open.push(sender.send_request(asked("POST", "/slow"), false).unwrap());
        }
        let (head, ..) = exchange(&mut sender, asked("GET", "/quick"), None).await.unwrap();
        assert_eq!(head.status(), 200);
        for (answer, mut out) in open {
            out.send_data("x".into(), true).unwrap();
            assert_eq!(answer.await.unwrap().status(), 200);
        }
    });
}

#[test]
fn limits_hold() {
    run(async {
        let gate = passing(
            "[limits]\nhead = \"4k\"\nbody = \"100k\"\nstreams = 5\nbody_idle = \"1s\"\nidle = \"1s\"\nhead_time = \"1s\"\n",
        )
        .await;
        let mut sender = gate.connect().await;
        for (fields, value, status) in [(1, 3000, 200), (150, 1, 431), (1, 9000, 431)] {
            let mut request = asked("GET", "/");
            for i in 0..fields {
                let name: http::HeaderName = format!("x-{i}").parse().unwrap();
                request.headers_mut().insert(name, "y".repeat(value).parse().unwrap());
            }
            let (head, ..) = exchange(&mut sender, request, None).await.unwrap();
            assert_eq!(head.status(), status, "{fields} fields of {value} bytes");
        }
        // Said beforehand, and found out.
        let mut request = asked("POST", "/");
        request.headers_mut().insert("content-length", "200000".parse().unwrap());
        let (answer, _out) = sender.send_request(request, false).unwrap();
        assert_eq!(answer.await.unwrap().status(), 413);
        let (answer, _out) = sender.send_request(asked("POST", "/"), false).unwrap();
        // The upstream has answered already: its answer is cut off.
        drop(answer);
        // Content that does not come.
        let begun = Instant::now();
        let request = Request::post("http://gate.example/x").header("authorization", ALICE).body(()).unwrap();
        let (answer, _out) = sender.send_request(request, false).unwrap();
        let (_, mut body) = answer.await.unwrap().into_parts();
        assert!(body.data().await.is_none_or(|p| p.is_err()), "it goes on for ever");
        assert!(begun.elapsed() < Duration::from_secs(5));
        assert_eq!(sender.current_max_send_streams(), 5);
        // A connection without requests ends.
        tokio::time::sleep(Duration::from_millis(2500)).await;
        assert!(sender.ready().await.is_err());
    });
}

#[test]
fn who_breaks_off_everything_is_sent_away() {
    run(async {
        let gate = passing("").await;
        let sender = gate.connect().await;
        let mut done = 0;
        for _ in 0..2000 {
            let Ok(mut ready) = sender.clone().ready().await else { break };
            let Ok((answer, mut out)) = ready.send_request(asked("POST", "/"), false) else { break };
            tokio::time::sleep(Duration::from_micros(300)).await;
            out.send_reset(h2::Reason::CANCEL);
            drop(answer);
            done += 1;
        }
        assert!((5..1500).contains(&done), "{done}");
        // Others are served.
        let mut other = gate.connect().await;
        assert_eq!(exchange(&mut other, asked("GET", "/"), None).await.unwrap().0.status(), 200);
    });
}

#[test]
fn a_message_gets_its_receipt() {
    let gate = Gate::start(
        "[inbox]\nfolder = \"inbox\"\n[[site]]\n[[site.rule]]\npath = \"/{account}/x\"\nmethods = [\"POST\"]\ninbox = true\n",
    );
    let send = |arguments: &[&str]| {
        gate.curl(&[&["--http2-prior-knowledge", "-u", "alice:secret"], arguments].concat(), "/alice/x")
    };
    let out = send(&["-d", "hello", "-H", "Idempotency-Key: a"]);
    assert!(out.contains("< HTTP/2 200") && out.contains("receipt: "), "{out}");
    let receipt = out.rsplit("receipt: ").next().unwrap();
    assert!(send(&["-d", "hello", "-H", "Idempotency-Key: a"]).contains(receipt));
    assert!(send(&["-d", "other", "-H", "Idempotency-Key: a"]).contains("< HTTP/2 422"));
    assert!(send(&["-X", "POST"]).contains("< HTTP/2 411"));
    assert!(send(&["-d", "x", "-H", "Expect: 100-continue"]).contains("< HTTP/2 200"));
}

#[test]
fn what_is_malformed_is_refused() {
    run(async {
        let gate = passing("").await;
        let mut sender = gate.connect().await;
        for path in ["/a/../b", "/a%2fb", "//b"] {
            let (head, ..) = exchange(&mut sender, asked("GET", path), None).await.unwrap();
            assert_eq!(head.status(), 400, "{path}");
        }
        let mut request = asked("GET", "/");
        request.headers_mut().insert("host", "other.example".parse().unwrap());
        assert_eq!(exchange(&mut sender, request, None).await.unwrap().0.status(), 400);
        let (head, ..) = exchange(&mut sender, asked("GET", "/"), None).await.unwrap();
        assert_eq!(head.status(), 200);
    });
}
