//! Exchanges with secrets, in every format that shows messages.

use super::encode::{base64, base64url};
use super::{Piece, Planted, packets};
use std::fmt::Write;

struct Exchange {
    name: &'static str,
    method: &'static str,
    target: String,
    fields: Vec<(&'static str, String)>,
    body: String,
    status: &'static str,
    answer: Vec<(&'static str, String)>,
    said: String,
}

fn exchanges(p: &Planted) -> Vec<Exchange> {
    let refused = |name, fields: Vec<(&'static str, String)>| Exchange {
        name,
        method: "GET",
        target: "/a/b".into(),
        fields,
        body: String::new(),
        status: "401 Unauthorized",
        answer: vec![("WWW-Authenticate", "Basic realm=\"x\"".into())],
        said: String::new(),
    };
    let field = |name, value: String| vec![(name, value)];
    let (token, cookie, jwt) = (&p.token, &p.cookie, p.jwt());
    let header = base64url(br#"{"typ":"dpop+jwt","alg":"ES256","jwk":{"kty":"EC","crv":"P-256"}}"#);
    let proof = base64url(
        format!(r#"{{"htm":"GET","htu":"https://other.example.com/","jti":"{}"}}"#, p.claim).as_bytes(),
    );
    let dpop = format!("{header}.{proof}.{}", base64url(token.as_bytes()));
    let long = |c: char| c.to_string().repeat(16);
    vec![
        Exchange {
            target: format!("/a?access_token={token}&api_key={token}&sig={}", p.signature),
            answer: vec![
                ("WWW-Authenticate", "Basic realm=\"x\"".into()),
                ("Set-Cookie", format!("sid={cookie}; Path=/; HttpOnly")),
                ("Location", format!("https://h.example.com/cb?code={token}#access_token={token}")),
            ],
            ..refused(
                "basic",
                vec![
                    ("Authorization", format!("Basic {}", p.basic())),
                    ("Cookie", format!("lang=de; sid={cookie}")),
                    (
                        "Referer",
                        format!("https://alice:{}@h.example.com/?token={token}", p.password_in_target()),
                    ),
                ],
            )
        },
        Exchange {
            method: "POST",
            target: "/login".into(),
            body: format!("username=alice&password={}&csrf_token={token}", p.password_in_target()),
            said: format!(
                r#"{{"error":"invalid_grant","password":"{}","access_token":"{token}"}}"#,
                p.password
            ),
            answer: field("Content-Type", "application/json".into()),
            ..refused("form", field("Content-Type", "application/x-www-form-urlencoded".into()))
        },
        Exchange {
            method: "POST",
            target: "/token".into(),
            body: format!(r#"{{"user":"alice","password":"{}","client_secret":"{token}"}}"#, p.password),
            said: format!(r#"{{"access_token":"{token}","refresh_token":"{jwt}","id_token":"{jwt}"}}"#),
            status: "200 OK",
            answer: field("Content-Type", "application/json".into()),
            ..refused("json", field("Content-Type", "application/json".into()))
        },
        Exchange {
            answer: field(
                "WWW-Authenticate",
                "Digest realm=\"x\", nonce=\"n1\", qop=\"auth\", stale=true".into(),
            ),
            ..refused(
                "digest",
                field(
                    "Authorization",
                    format!(
                        "Digest username=\"alice\", realm=\"x\", nonce=\"n0\", uri=\"/a/b\", qop=auth, nc=00000001, cnonce=\"{token}\", response=\"{}\"",
                        p.digest
                    ),
                ),
            )
        },
        Exchange {
            answer: field(
                "WWW-Authenticate",
                "DPoP error=\"invalid_dpop_proof\", error_description=\"htu\"".into(),
            ),
            ..refused("dpop", vec![("Authorization", format!("DPoP {token}")), ("DPoP", dpop)])
        },
        refused(
            "keys",
            vec![
                ("X-Api-Key", token.clone()),
                ("X-Auth-Token", token.clone()),
                ("PRIVATE-TOKEN", token.clone()),
            ],
        ),
        Exchange {
            said: format!(
                "<Error><Code>SignatureDoesNotMatch</Code><SignatureProvided>{}</SignatureProvided></Error>",
                p.signature
            ),
            status: "403 Forbidden",
            answer: field("Content-Type", "application/xml".into()),
            ..refused(
                "aws",
                vec![
                    (
                        "Authorization",
                        format!(
                            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261122/us-east-1/s3/aws4_request, SignedHeaders=host;x-amz-date, Signature={}",
                            p.signature
                        ),
                    ),
                    ("X-Amz-Date", "20261122T170000Z".into()),
                    ("X-Amz-Security-Token", token.clone()),
                ],
            )
        },
        Exchange {
            target: format!(
                "/o?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIDEXAMPLE%2F20261122%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20261122T170000Z&X-Amz-Expires=60&X-Amz-SignedHeaders=host&X-Amz-Signature={}&X-Amz-Security-Token={token}",
                p.signature
            ),
            status: "403 Forbidden",
            ..refused("presigned", vec![])
        },
        Exchange {
            answer: field(
                "WWW-Authenticate",
                "Bearer realm=\"api\", error=\"invalid_token\", error_description=\"The token expired\""
                    .into(),
            ),
            ..refused("jwt", field("Authorization", format!("Bearer {jwt}")))
        },
        Exchange {
            said: format!("token {jwt} is expired; cookie sid={cookie}; password={}", p.password),
            ..refused("echo", field("Authorization", format!("Bearer {jwt}")))
        },
        refused("doubled", field("Authorization", format!("Bearer Bearer {token}"))),
        refused("bare", field("Authorization", token.clone())),
        refused("misspelt", field("Authorisation", format!("Bearer {token}"))),
        refused("wrong scheme", field("Authorization", format!("Token token=\"{token}\""))),
        refused("basic in the clear", field("Authorization", format!("Basic alice:{}", p.password))),
        refused("not base64", field("Authorization", format!("Basic {}!", p.basic()))),
        refused("password alone", field("Authorization", format!("Basic {}", base64(p.password.as_bytes())))),
        refused(
            "twice",
            vec![
                ("Authorization", format!("Basic {}", p.basic())),
                ("Authorization", format!("Bearer {token}")),
            ],
        ),
        refused("negotiate", field("Authorization", format!("Negotiate {}", base64(token.as_bytes())))),
        refused("cut escape", field("Authorization", format!("Bearer \"{token}\\n\""))),
        refused(
            "oauth",
            field(
                "Authorization",
                format!(
                    "OAuth oauth_consumer_key=\"k\", oauth_token=\"{token}\", oauth_signature=\"{}\", oauth_timestamp=\"1\", oauth_nonce=\"n\", oauth_signature_method=\"HMAC-SHA1\", oauth_version=\"1.0\"",
                    p.signature
                ),
            ),
        ),
        refused(
            "hawk",
            field(
                "Authorization",
                format!("Hawk id=\"a\", ts=\"1\", nonce=\"n\", mac=\"{}\"", base64(token.as_bytes())),
            ),
        ),
        refused(
            "signature",
            vec![
                ("Signature-Input", "sig1=(\"@method\");created=1;keyid=\"k\"".into()),
                ("Signature", format!("sig1=:{}:", base64(token.as_bytes()))),
            ],
        ),
        Exchange {
            status: "407 Proxy Authentication Required",
            answer: field("Proxy-Authenticate", "Basic realm=\"p\"".into()),
            target: format!("http://alice:{}@h.example.com/x", p.password_in_target()),
            ..refused("proxy", field("Proxy-Authorization", format!("Basic {}", p.basic())))
        },
        Exchange {
            answer: vec![(
                "WWW-Authenticate",
                format!("Bearer realm=\"x\", error_description=\"bad token {token}\", token=\"{token}\""),
            )],
            ..refused("challenge", field("Authorization", format!("Bearer {}{token}", long('a'))))
        },
        Exchange {
            status: "302 Found",
            answer: vec![
                (
                    "Location",
                    format!(
                        "https://idp.example.com/login?next=https%3A%2F%2Fh.example.com%2F%3Ftoken%3D{token}&id_token_hint={jwt}"
                    ),
                ),
                ("Set-Cookie", format!("__Host-session={cookie}; Secure")),
            ],
            ..refused("redirect", field("Cookie", format!("__Host-session={cookie}")))
        },
    ]
}

/// Every exchange in every format; and all of them in one source.
pub(crate) fn pieces(p: &Planted) -> Vec<Piece> {
    let all = exchanges(p);
    let mut out = Vec::new();
    for (format, write) in FORMATS {
        for e in &all {
            out.push(Piece { name: format!("{format}: {}", e.name), bytes: write(&[e]) });
        }
        out.push(Piece { name: format!("{format}: all"), bytes: write(&all.iter().collect::<Vec<_>>()) });
    }
    out
}

type Write_ = fn(&[&Exchange]) -> Vec<u8>;

const FORMATS: &[(&str, Write_)] = &[
    ("curl -v", |all| all.iter().map(|e| curl(e)).collect::<String>().into_bytes()),
    ("trace-ascii", |all| all.iter().map(|e| trace(e)).collect::<String>().into_bytes()),
    ("wget -d", |all| all.iter().map(|e| wget(e)).collect::<String>().into_bytes()),
    ("http", |all| {
        all.iter().map(|e| format!("{}{}\r\n", request(e), response(e))).collect::<String>().into_bytes()
    }),
    ("har", |all| har(all).into_bytes()),
    ("pcap", |all| packets::pcap(&wire(all))),
    ("pcapng", |all| packets::pcapng(&wire(all))),
];

fn wire(all: &[&Exchange]) -> Vec<(Vec<u8>, Vec<u8>)> {
    all.iter().map(|e| (request(e).into_bytes(), response(e).into_bytes())).collect()
}

fn request(e: &Exchange) -> String {
    let mut out = format!("{} {} HTTP/1.1\r\nHost: h.example.com\r\n", e.method, e.target);
    for (name, value) in &e.fields {
        write!(out, "{name}: {value}\r\n").unwrap();
    }
    if !e.body.is_empty() {
        write!(out, "Content-Length: {}\r\n", e.body.len()).unwrap();
    }
    out + "\r\n" + &e.body
}

fn response(e: &Exchange) -> String {
    let mut out = format!("HTTP/1.1 {}\r\n", e.status);
    for (name, value) in &e.answer {
        write!(out, "{name}: {value}\r\n").unwrap();
    }
    write!(out, "Content-Length: {}\r\n\r\n", e.said.len()).unwrap();
    out + &e.said
}

fn head_of(message: &str) -> &str {
    message.split("\r\n\r\n").next().unwrap()
}

fn curl(e: &Exchange) -> String {
    let mut out = String::from("* Connected to h.example.com (192.0.2.1) port 80\n");
    for line in head_of(&request(e)).lines() {
        writeln!(out, "> {line}").unwrap();
    }
    out += "> \n";
    for line in head_of(&response(e)).lines() {
        writeln!(out, "< {line}").unwrap();
    }
    format!("{out}< \n{}\n* Connection #0 to host h.example.com left intact\n", e.said)
}

fn trace(e: &Exchange) -> String {
    let block = |title: &str, text: &str| {
        let mut out = format!("{title}, {} bytes (0x{:x})\n", text.len(), text.len());
        let mut at = 0;
        for line in text.split_inclusive("\r\n") {
            let shown: Vec<char> = line.trim_end_matches("\r\n").chars().collect();
            for (i, part) in shown.chunks(64).enumerate() {
                writeln!(out, "{:04x}: {}", at + i * 64, part.iter().collect::<String>()).unwrap();
            }
            if shown.is_empty() {
                writeln!(out, "{at:04x}: ").unwrap();
            }
            at += line.len();
        }
        out
    };
    let (asked, said) = (request(e), response(e));
    let mut out = block("=> Send header", &format!("{}\r\n\r\n", head_of(&asked)));
    if !e.body.is_empty() {
        out += &block("=> Send data", &e.body);
    }
    for line in head_of(&said).lines() {
        out += &block("<= Recv header", &format!("{line}\r\n"));
    }
    out += &block("<= Recv header", "\r\n");
    if !e.said.is_empty() {
        out += &block("<= Recv data", &e.said);
    }
    out
}

fn wget(e: &Exchange) -> String {
    let (asked, said) = (request(e), response(e));
    format!(
        "DEBUG output created by Wget 1.24.5 on linux-gnu.\n\n---request begin---\n{}\n\n---request end---\n{}\nHTTP request sent, awaiting response... \n---response begin---\n{}\n\n---response end---\n{}\n\n",
        head_of(&asked).replace('\r', ""),
        if e.body.is_empty() { String::new() } else { format!("[BODY data: {}]", e.body) },
        head_of(&said).replace('\r', ""),
        e.status
    )
}

fn har(all: &[&Exchange]) -> String {
    let quoted = |text: &str| format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""));
    let pairs = |list: &[(&'static str, String)]| {
        let each = list.iter().map(|(n, v)| format!("{{\"name\":{},\"value\":{}}}", quoted(n), quoted(v)));
        format!("[{}]", each.collect::<Vec<_>>().join(","))
    };
    let cookies = |list: &[(&'static str, String)]| {
        let values = list.iter().filter(|(n, _)| n.ends_with("ookie")).map(|(_, v)| v.as_str());
        let each = values.flat_map(|v| v.split("; ")).filter_map(|c| c.split_once('='));
        let each = each.map(|(n, v)| format!("{{\"name\":{},\"value\":{}}}", quoted(n), quoted(v)));
        format!("[{}]", each.collect::<Vec<_>>().join(","))
    };
    let entry = |(i, e): (usize, &&Exchange)| {
        let (status, words) = e.status.split_once(' ').unwrap();
        let address = match e.target.starts_with('/') {
            true => format!("https://h.example.com{}", e.target),
            false => e.target.clone(),
        };
        let query = address.split_once('?').map_or("", |(_, q)| q);
        let query = query.split('&').filter_map(|p| p.split_once('='));
        let query = query.map(|(n, v)| format!("{{\"name\":{},\"value\":{}}}", quoted(n), quoted(v)));
        let mut sent = vec![("Host", "h.example.com".to_owned())];
        sent.extend(e.fields.iter().cloned());
        format!(
            "{{\"startedDateTime\":\"2026-11-22T17:00:{i:02}.000Z\",\"time\":1,\"request\":{{\"method\":\"{}\",\"url\":{},\"httpVersion\":\"HTTP/1.1\",\"headers\":{},\"queryString\":[{}],\"cookies\":{},\"headersSize\":-1,\"bodySize\":-1,\"postData\":{{\"mimeType\":\"text/plain\",\"text\":{}}}}},\"response\":{{\"status\":{status},\"statusText\":{},\"httpVersion\":\"HTTP/1.1\",\"headers\":{},\"cookies\":{},\"content\":{{\"size\":1,\"mimeType\":\"application/json\",\"text\":{}}},\"redirectURL\":\"\",\"headersSize\":-1,\"bodySize\":-1}},\"cache\":{{}},\"timings\":{{}}}}",
            e.method,
            quoted(&address),
            pairs(&sent),
            query.collect::<Vec<_>>().join(","),
            cookies(&e.fields),
            quoted(&e.body),
            quoted(words),
            pairs(&e.answer),
            cookies(&e.answer),
            quoted(&e.said),
        )
    };
    let entries = all.iter().enumerate().map(entry).collect::<Vec<_>>().join(",\n");
    format!(
        "{{\"log\":{{\"version\":\"1.2\",\"creator\":{{\"name\":\"Firefox\",\"version\":\"140\"}},\"entries\":[{entries}]}}}}"
    )
}
