//! Traces, as a collector gets them.

use crate::running::{Gate, echo, run};
use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

/// A collector: what is posted to it, head and content. The first `refused` requests get 503.
fn collector(mut refused: usize) -> (SocketAddr, Receiver<(String, Value)>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (tell, told) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            let (mut head, mut length) = (String::new(), 0);
            loop {
                let mut line = String::new();
                reader.read_line(&mut line).unwrap();
                if let Some(l) = line.to_lowercase().strip_prefix("content-length:") {
                    length = l.trim().parse().unwrap();
                }
                head.push_str(&line);
                if line == "\r\n" {
                    break;
                }
            }
            let mut content = vec![0; length];
            reader.read_exact(&mut content).unwrap();
            let status = if refused > 0 { "503 Service Unavailable" } else { "200 OK" };
            if refused == 0 {
                let _ = tell.send((head, serde_json::from_slice(&content).unwrap()));
            }
            refused = refused.saturating_sub(1);
            let answer = format!("HTTP/1.1 {status}\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{{}}");
            stream.write_all(answer.as_bytes()).unwrap();
        }
    });
    (address, told)
}

fn text<'a>(span: &'a Value, key: &str) -> Option<&'a str> {
    let found = span["attributes"].as_array().unwrap().iter().find(|a| a["key"] == key)?;
    found["value"]["stringValue"].as_str().or(found["value"]["intValue"].as_str())
}

/// Spans until there are so many.
fn spans(told: &Receiver<(String, Value)>, count: usize) -> (Vec<Value>, String) {
    let (mut all, mut heads) = (Vec::new(), String::new());
    while all.len() < count {
        let (head, request) = told.recv_timeout(Duration::from_secs(20)).unwrap();
        let scope = &request["resourceSpans"][0]["scopeSpans"][0];
        assert_eq!(request["resourceSpans"][0]["resource"]["attributes"][0]["value"]["stringValue"], "front");
        all.extend(scope["spans"].as_array().unwrap().iter().cloned());
        heads = head;
    }
    (all, heads)
}

#[test]
fn a_span_tells_how_a_request_ended_and_no_secret() {
    run(async {
        // A collector that is busy at first gets the batch again.
        let (address, told) = collector(1);
        let upstream = echo().await;
        let gate = Gate::start(&format!(
            "[traces]\nendpoint = \"http://{address}/v1/traces\"\nservice = \"front\"\nfields = {{ X-Key = \"k1\" }}\n[[site]]\nupstream = \"http://{upstream}\"\nupstream_version = \"2\"\n[[site.rule]]\npath = \"/a/*\"\n"
        ));
        let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
        let parent = format!("traceparent: 00-{trace}-00f067aa0ba902b7-01");
        let out = gate
            .curl(&["-u", "alice:secret", "-H", &parent, "-H", "tracestate: x=y"], "/a/b?token=geheim&x=1");
        assert!(
            out.contains(&format!("traceparent: 00-{trace}-")) && out.contains("tracestate: x=y"),
            "{out}"
        );
        assert!(!out.contains("x-seen: traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7"));
        let out =
            gate.curl(&["-u", "alice:wrong", "-H", "tracestate: x=y", "--http2-prior-knowledge"], "/a/b");
        let reference = out.rsplit("reference: ").next().unwrap().trim().to_owned();
        // Not sampled by whoever asks: passed on, and not recorded.
        let unsampled = format!("traceparent: 00-{trace}-00f067aa0ba902b7-00");
        let out = gate.curl(&["-u", "alice:secret", "-H", &unsampled], "/a/c");
        assert!(out.contains(&format!("traceparent: 00-{trace}-")) && out.contains("-00 |"), "{out}");
        gate.curl(&["-u", "alice:secret", "-X", "BREW", "-H", "tracestate: x=y"], "/a/d");
        let (all, head) = spans(&told, 3);
        assert!(head.starts_with("POST /v1/traces HTTP/1.1\r\n") && head.contains("X-Key: k1"), "{head}");
        assert!(head.contains("Content-Type: application/json\r\n"));
        assert_eq!(all.len(), 3);
        let [passed, refused, brewed] = [&all[0], &all[1], &all[2]];
        assert_eq!(
            (&passed["traceId"], &passed["parentSpanId"]),
            (&trace.into(), &"00f067aa0ba902b7".into())
        );
        assert_eq!((&passed["name"], &passed["kind"]), (&"GET /a/*".into(), &2.into()));
        assert_eq!(passed["spanId"].as_str().unwrap().len(), 16);
        let time = |key: &str| passed[key].as_str().unwrap().parse::<u128>().unwrap();
        assert!(
            time("startTimeUnixNano") > 1_600_000_000_000_000_000
                && time("endTimeUnixNano") > time("startTimeUnixNano")
        );
        for (key, value) in [
            ("http.request.method", "GET"),
            ("http.route", "/a/*"),
            ("url.path", "/a/b"),
            ("url.query", "token=***&x=1"),
            ("url.scheme", "http"),
            ("client.address", "127.0.0.1"),
            ("server.address", "127.0.0.1"),
            ("network.protocol.version", "1.1"),
            ("http.response.status_code", "200"),
        ] {
            assert_eq!(text(passed, key), Some(value), "{key}");
        }
        assert_eq!(text(passed, "error.type"), None);
        assert_eq!(text(refused, "error.type"), Some("wrong-password"));
        assert_eq!(text(refused, "http.response.status_code"), Some("401"));
        assert_eq!(text(refused, "network.protocol.version"), Some("2"));
        assert_eq!(text(refused, "why401.reference"), Some(reference.as_str()));
        assert!(refused["parentSpanId"].is_null() && refused["status"] == serde_json::json!({}));
        assert_eq!(text(brewed, "http.request.method"), Some("_OTHER"));
        let everything = serde_json::to_string(&all).unwrap();
        for secret in ["geheim", "secret", "YWxpY2U", "alice"] {
            assert!(!everything.contains(secret), "{secret}");
        }
    });
}

#[test]
fn a_collector_that_is_gone_hinders_no_request() {
    run(async {
        // It takes connections and never answers.
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let metrics = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let gate = Gate::start(&format!(
            "[traces]\nendpoint = \"http://{address}/v1/traces\"\n[metrics]\nlisten = \"{metrics}\"\n[[site]]\nupstream = \"http://127.0.0.1:1\"\n[[site.rule]]\npath = \"/**\"\n"
        ));
        let mut sender = gate.connect().await;
        let begun = std::time::Instant::now();
        for _ in 0..4000 {
            let request = http::Request::get("http://gate.example/").body(()).unwrap();
            let (answer, _) = sender.send_request(request, true).unwrap();
            assert_eq!(answer.await.unwrap().status(), 401);
        }
        assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
        let counted =
            std::process::Command::new("curl").arg("-s").arg(format!("http://{metrics}/metrics")).output();
        let counted = String::from_utf8(counted.unwrap().stdout).unwrap();
        let dropped =
            counted.split("\nwhy401_gate_spans_dropped_total ").nth(1).unwrap().lines().next().unwrap();
        assert!((1000..4000).contains(&dropped.parse::<u32>().unwrap()), "{dropped}");
    });
}
