//! HARs from end to end: those of others' recorders, broken ones, and what each recorder leaves out.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::panic,
    clippy::print_stdout,
    reason = "in a test a panic is the report"
)]

use proptest::prelude::*;
use std::path::PathBuf;
use why401_http::Exchange;
use why401_read::{Collected, detect, read};
use why401_span::SourceId;

fn collect(bytes: &[u8]) -> Collected {
    let mut sink = Collected::default();
    read(SourceId(0), &mut &*bytes, Some("har"), None, &[], &mut sink).unwrap();
    sink
}

fn shared() -> Option<PathBuf> {
    let found = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .flat_map(|dir| [dir.join("shared"), dir.join("../shared")])
        .find(|dir| dir.join("cases").is_dir());
    if found.is_none() {
        println!("skipped: no shared folder");
    }
    found
}

fn har(creator: &str, entries: &[String]) -> String {
    format!(
        r#"{{"log":{{"version":"1.2","creator":{{"name":"{creator}","version":"1"}},"entries":[{}]}}}}"#,
        entries.join(",")
    )
}

fn entry(request_fields: &[(&str, &str)], status: i32, response_fields: &[(&str, &str)]) -> String {
    let list = |fields: &[(&str, &str)]| {
        let all: Vec<_> = fields.iter().map(|(n, v)| format!(r#"{{"name":"{n}","value":"{v}"}}"#)).collect();
        all.join(",")
    };
    format!(
        r#"{{"startedDateTime":"2026-11-22T17:15:41.752Z","request":{{"method":"GET","url":"http://example.com/a?b=c#d","httpVersion":"HTTP/1.1","cookies":[],"headers":[{}]}},"response":{{"status":{status},"statusText":"x","httpVersion":"HTTP/1.1","headers":[{}],"content":{{"size":0,"mimeType":"text/plain","text":"no \"way\""}},"redirectURL":""}},"serverIPAddress":"192.0.2.1"}}"#,
        list(request_fields),
        list(response_fields)
    )
}

const HOST: (&str, &str) = ("Host", "example.com");

fn one(text: &str) -> Exchange {
    let got = collect(text.as_bytes());
    assert_eq!(got.problems, [], "{text}");
    got.exchanges.into_iter().next().unwrap()
}

#[test]
fn an_entry_becomes_an_exchange_with_exact_places() {
    let text = har(
        "Firefox",
        &[entry(
            &[HOST, ("Authorization", "Bearer abc")],
            401,
            &[("WWW-Authenticate", "Basic realm=\\\"x\\\"")],
        )],
    );
    let e = one(&text);
    let (request, response) = (e.request.as_ref().unwrap(), e.response.as_ref().unwrap());
    assert_eq!(
        (request.target().as_ref(), request.scheme.as_deref()),
        ("http://example.com/a?b=c", Some("http"))
    );
    assert_eq!(request.authority().as_deref(), Some("example.com"));
    assert_eq!(request.line.to_text(), "GET http://example.com/a?b=c HTTP/1.1");
    assert_eq!(response.line.to_text(), "HTTP/1.1 401 x");
    let value = &request.fields.get("authorization").unwrap().value;
    let at = value.whole().unwrap();
    assert!(at.exact);
    assert_eq!(&text[at.span.start as usize..at.span.end as usize], "Bearer abc");
    let challenge = &response.fields.get("www-authenticate").unwrap().value;
    assert_eq!(challenge.to_text(), "Basic realm=\"x\"");
    let realm = challenge.locate(13..14).unwrap();
    assert_eq!((&text[realm.span.start as usize..realm.span.end as usize], realm.exact), ("x", true));
    assert_eq!(response.body.text(), "no \"way\"");
    assert_eq!(e.server.unwrap().to_string(), "192.0.2.1:80");
    assert_eq!(e.time.unwrap().at.to_string(), "2026-11-22T17:15:41.752Z");
}

#[test]
fn what_a_recorder_leaves_out_is_known() {
    let agent = |v| format!("Mozilla/5.0 Chrome/{v}.0.0.0 Safari/537.36");
    let (old, new) = (agent(128), agent(131));
    let plain = entry(&[HOST], 401, &[]);
    let cases = [
        ("WebInspector", vec![plain.clone()], false),
        ("WebInspector", vec![entry(&[HOST, ("User-Agent", &new)], 401, &[])], false),
        ("WebInspector", vec![entry(&[HOST, ("User-Agent", &old)], 401, &[])], true),
        // A cookie anywhere says that the export was not sanitized.
        ("WebInspector", vec![plain.clone(), entry(&[HOST, ("Cookie", "a=b")], 200, &[])], true),
        ("WebInspector", vec![plain.clone(), entry(&[HOST], 200, &[("Set-Cookie", "a=b")])], true),
        // Provisional fields: the network layer never reported what was sent.
        (
            "WebInspector",
            vec![entry(&[("Accept", "x")], 401, &[]), entry(&[HOST, ("Authorization", "x")], 200, &[])],
            false,
        ),
        ("Firefox", vec![plain.clone()], true),
        ("Playwright", vec![plain.clone(), entry(&[HOST, ("Authorization", "x")], 200, &[])], false),
        ("Charles Proxy", vec![plain.clone()], true),
        ("Insomnia REST Client", vec![plain.clone()], true),
        ("who knows", vec![plain.clone()], false),
        ("who knows", vec![plain.clone(), entry(&[HOST, ("Authorization", "x")], 200, &[])], true),
    ];
    for (i, (creator, entries, want)) in cases.iter().enumerate() {
        let got = collect(har(creator, entries).as_bytes());
        assert_eq!(got.exchanges[0].shows.authorization, *want, "{creator} {i}");
    }
}

#[test]
fn a_hidden_failure_has_status_0_and_its_words() {
    let text = har(
        "Playwright",
        &[entry(&[], -1, &[]).replace(r#""redirectURL":"""#, r#""_failureText":"net::ERR_FAILED""#)],
    );
    let got = collect(text.as_bytes());
    assert_eq!(got.exchanges[0].status(), Some(0));
    assert!(!got.exchanges[0].shows.response_fields);
    assert_eq!(
        (got.statements[0].text.to_text().as_ref(), got.statements[0].beside),
        ("net::ERR_FAILED", Some(0))
    );
}

#[test]
fn the_outer_shape_does_not_matter() {
    let e = entry(&[HOST], 401, &[]);
    for text in [
        e.clone(),
        format!("[{e}]"),
        format!("{e}\n{e}\n"),
        format!(r#"{{"data":{{"id":1,"har":{}}}}}"#, har("x", std::slice::from_ref(&e))),
        format!("\u{feff}{}", har("x", std::slice::from_ref(&e))),
        format!(r#"{{"log":{{"entries":[{e}],"creator":{{"name":"x"}}}}}}"#),
    ] {
        assert_eq!(detect(text.as_bytes()).unwrap().name, "har", "{text}");
        assert_eq!(one(&text).status(), Some(401));
    }
}

#[test]
fn other_json_is_no_har() {
    for text in [
        r#"{"status":401,"method":"GET","uri":"/"}"#,
        r#"{"request":{"remote_ip":"192.0.2.1","proto":"HTTP/2.0","method":"GET","uri":"/","headers":{}},"status":401}"#,
        r#"{"error":"invalid_token"}"#,
        "[1,2,3]",
    ] {
        assert!(detect(text.as_bytes()).is_none_or(|f| f.name != "har"), "{text}");
    }
}

#[test]
fn wrong_types_and_odd_spellings_are_read_around() {
    let text = r#"{"log":{"creator":"me","pages":7,"entries":[
        {"startedDateTime":5,"request":{"method":null,"url":["x"],"headers":{"Host":"example.com","Authorization":"Basic QTpC"},"cookies":{"a":"b"},"postData":"x"},"response":{"status":"401","headers":[1,"x",{"value":"nameless"},{"name":"A"}],"content":null}},
        {"request":null,"response":7},
        "x",
        {"request":{"method":"GET","url":"/relative"},"response":{"status":99999999999999999999}}
    ]}}"#;
    let got = collect(text.as_bytes());
    assert_eq!((got.exchanges.len(), got.problems.len()), (2, 0));
    let request = got.exchanges[0].request.as_ref().unwrap();
    assert_eq!(request.fields.text("authorization").as_deref(), Some("Basic QTpC"));
    assert_eq!(request.fields.text("cookie").as_deref(), Some("a=b"));
    assert_eq!(got.exchanges[0].status(), Some(401));
    assert_eq!(got.exchanges[1].status(), Some(0));
}

#[test]
fn after_a_fault_it_goes_on_at_the_next_entry() {
    let e = entry(&[HOST], 401, &[]);
    let broken = e.replace(r#""statusText":"x""#, r#""statusText":<html>"#);
    let text = har("Firefox", &[e.clone(), broken, e.clone(), e]);
    let got = collect(text.as_bytes());
    assert_eq!(got.problems.len(), 1, "{:?}", got.problems);
    assert_eq!(got.exchanges.len(), 4);
    assert!(!got.exchanges[1].request.as_ref().unwrap().complete);
    assert!(got.exchanges[3].request.as_ref().unwrap().complete);
}

#[test]
fn a_har_cut_off_anywhere_gives_what_is_there() {
    let e = entry(&[HOST, ("Authorization", "Bearer abc")], 401, &[("WWW-Authenticate", "Basic")]);
    let text = har("Firefox", &[e.clone(), e]);
    let mut most = 0;
    for end in (0..text.len()).step_by(3) {
        let got = collect(&text.as_bytes()[..end]);
        assert!(got.exchanges.len() >= most);
        most = got.exchanges.len();
        // A value that was cut off would be taken for the client's fault.
        for e in &got.exchanges {
            for field in e.request.iter().flat_map(|r| r.fields.iter()).filter(|f| f.is("authorization")) {
                assert_eq!(field.text(), "Bearer abc");
            }
        }
        assert!(end == 0 || got.problems.len() == 1, "{end}");
    }
    assert_eq!(most, 2);
}

#[test]
fn bodies_in_base64_forms_and_excess() {
    let e = entry(&[HOST], 401, &[]);
    let text = e.replace(
        r#""text":"no \"way\"""#,
        r#""text":"eyJlcnJvciI6ImludmFsaWRfdG9rZW4ifQ==","encoding":"base64""#,
    );
    assert_eq!(one(&text).response.unwrap().body.text(), r#"{"error":"invalid_token"}"#);
    let long = "y".repeat(200_000);
    let body = one(&e.replace("no \\\"way\\\"", &long)).response.unwrap().body;
    assert_eq!((body.bytes.len(), body.complete), (65536, false));
    let text = e.replace(
        r#""cookies":[]"#,
        r#""postData":{"mimeType":"x","params":[{"name":"a","value":"b"},{"name":"c","value":"d"}]}"#,
    );
    assert_eq!(one(&text).request.unwrap().body.text(), "a=b&c=d");
    let text = e.replace(
        r#""cookies":[]"#,
        r#""cookies":[{"name":"a","value":"b","path":"/"},{"name":"c","value":"d"}]"#,
    );
    assert_eq!(one(&text).request.unwrap().fields.text("cookie").as_deref(), Some("a=b; c=d"));
}

#[test]
fn depth_and_length_cost_nothing() {
    let deep = format!(r#"{{"log":{{"entries":{}"#, "[".repeat(200_000));
    assert_eq!(collect(deep.as_bytes()).exchanges.len(), 0);
    let deep = format!(r#"{{"log":{}"#, r#"{"a":"#.repeat(100_000));
    assert_eq!(collect(deep.as_bytes()).exchanges.len(), 0);
    let faults = format!("{{\"log\":{{\"entries\":[{}", "{\"request\":<".repeat(20_000));
    assert!(collect(faults.as_bytes()).problems.len() <= 21);
}

#[test]
fn others_hars_are_read_as_others_read_them() {
    let Some(shared) = shared() else { return };
    let mut seen = 0;
    for file in std::fs::read_dir(shared.join("peers/har")).unwrap().flatten() {
        let path = file.path();
        if path.extension().is_none_or(|e| e != "har") {
            continue;
        }
        let bytes = std::fs::read(&path).unwrap();
        assert_eq!(detect(&bytes[..bytes.len().min(65536)]).unwrap().name, "har", "{path:?}");
        let got = collect(&bytes);
        assert_eq!(got.problems, [], "{path:?}");
        let oracle: serde_json::Value =
            serde_json::from_slice(&std::fs::read(path.with_extension("json")).unwrap()).unwrap();
        let flows = oracle.as_array().unwrap();
        assert_eq!(got.exchanges.len(), flows.len(), "{path:?}");
        for (e, flow) in got.exchanges.iter().zip(flows) {
            let request = e.request.as_ref().unwrap();
            assert_eq!(flow["request"]["method"], request.method().as_ref(), "{path:?}");
            let host = flow["request"]["host"].as_str().unwrap();
            assert!(request.target().contains(host), "{path:?}");
            assert!(request.target().ends_with(flow["request"]["path"].as_str().unwrap()), "{path:?}");
            assert_eq!(flow["response"]["status_code"].as_u64(), e.status().map(u64::from), "{path:?}");
            for field in flow["response"]["headers"].as_array().unwrap() {
                let name = field[0].as_str().unwrap();
                let fields = &e.response.as_ref().unwrap().fields;
                // mitmproxy adds a length of its own.
                assert!(fields.has(name) || name == "content-length", "{path:?} {name}");
            }
        }
        seen += 1;
    }
    assert!(seen >= 7, "{seen}");
}

#[test]
fn shared_hars_have_their_exchanges() {
    let Some(shared) = shared() else { return };
    let mut seen = 0;
    for folder in ["cases", "lab"] {
        for case in std::fs::read_dir(shared.join(folder)).unwrap().flatten() {
            let Ok(bytes) = std::fs::read(case.path().join("capture.har")) else { continue };
            let got = collect(&bytes);
            let all: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
            assert_eq!(got.exchanges.len(), all["log"]["entries"].as_array().unwrap().len(), "{case:?}");
            assert!(got.exchanges.iter().all(|e| e.time.is_some()), "{case:?}");
            seen += 1;
        }
    }
    assert!(seen >= 6, "{seen}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn random_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        collect(&bytes);
    }

    #[test]
    fn a_damaged_har_never_panics(at in 0usize..1200, with in any::<u8>(), len in 0usize..40) {
        let e = entry(&[HOST, ("Authorization", "Bearer \\u00e9\\ud83d\\ude00")], 401, &[("WWW-Authenticate", "Basic")]);
        let mut bytes = har("Firefox", &[e.clone(), e]).into_bytes();
        let end = (at + len).min(bytes.len());
        bytes.splice(at.min(end)..end, [with]);
        collect(&bytes);
    }

    #[test]
    fn strings_are_what_serde_reads(text in "\\PC{0,40}", escaped in any::<bool>()) {
        let mut spelt = serde_json::to_string(&text).unwrap();
        if escaped {
            spelt = spelt.chars().map(|c| if c.is_ascii() { c.to_string() } else {
                c.encode_utf16(&mut [0; 2]).iter().map(|u| format!("\\u{u:04x}")).collect()
            }).collect();
        }
        let har = har("Firefox", &[entry(&[HOST], 401, &[])]).replace(r#""no \"way\"""#, &spelt);
        let body = one(&har).response.unwrap().body;
        prop_assert_eq!(body.text(), text);
    }
}
