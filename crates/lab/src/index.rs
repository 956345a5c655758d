//! The index: a page for people and a list for programs.

use crate::message::{Answer, Request};
use crate::quirk;
use crate::station::{Station, all};
use crate::stations::GROUPS;
use serde_json::json;

/// `/index.json`: every address with its cause and the command that provokes it.
pub(crate) fn json() -> Answer {
    let rows: Vec<_> =
        all().map(|s| json!({"cause": s.cause, "path": s.path, "command": s.command})).collect();
    Answer::json(200, &json!(rows))
}

/// `/`: the same as a page.
pub(crate) fn page(request: &Request) -> Answer {
    let base = request.base();
    let mut out = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>why401 lab</title>\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><style>{STYLE}</style></head><body><main>\n\
         <h1>Every 401 there is</h1>\n<p>Each address below refuses for one reason. Set <code>LAB={}</code> in a shell, run a \
         command, and give what curl prints to <code>why401 -</code>. TLS and HTTP/2 are spoken on the same port. Right \
         credentials: <code>alice:{}</code>.</p>\n<p>Add <code>?as=NAME</code> to an address and it answers as that \
         server does: {}.</p>\n<p>Beside these: <a href=\"/index.json\">index.json</a>, <a href=\"/jwks.json\">jwks.json</a>, \
         <a href=\"/.well-known/oauth-authorization-server\">authorization server metadata</a>, \
         <a href=\"/.well-known/oauth-protected-resource\">protected resource metadata</a>, <a href=\"/ca.pem\">ca.pem</a>, \
         <a href=\"/mint\">tokens, proofs and certificates</a>.</p>\n",
        escape(&base),
        escape(crate::accounts::ALICE),
        quirk::NAMES.join(", ")
    );
    for (title, stations) in GROUPS {
        out.push_str(&format!("<h2>{}</h2>\n", escape(title)));
        for station in *stations {
            section(&mut out, station);
        }
    }
    out.push_str("</main></body></html>\n");
    Answer::html(200, out)
        .with("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'")
        .with("Cache-Control", "no-store")
}

fn section(out: &mut String, s: &Station) {
    let path = escape(s.path);
    let id = path.trim_start_matches('/').replace('/', "-");
    out.push_str(&format!(
        "<section id=\"{id}\"><h3><a href=\"{path}\">{path}</a></h3>\n<p>{}</p>\n<p><b>A good client:</b> {}</p>\n",
        escape(s.does),
        escape(s.good)
    ));
    match s.command {
        Some(command) => out.push_str(&format!("<pre>{}</pre>", escape(command))),
        None => out.push_str("<p><i>curl cannot provoke this.</i></p>"),
    }
    out.push_str("</section>\n");
}

fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            _ => out.push(c),
        }
    }
    out
}

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;margin:0;color:#222;background:#fff}main{max-width:52rem;margin:auto;padding:1rem}\
h2{margin-top:2.5rem;border-bottom:1px solid #ccc}h3{margin-bottom:0}p{margin:.3rem 0}pre{background:#f3f3f3;padding:.6rem;white-space:pre-wrap;overflow-wrap:anywhere}\
@media(prefers-color-scheme:dark){body{color:#ddd;background:#181818}pre{background:#262626}a{color:#8ab4f8}}";
