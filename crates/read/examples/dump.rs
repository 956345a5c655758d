//! Prints what the readers make of files: `cargo run -p why401-read --example dump -- FILE...`. Credentials are masked.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "an example prints")]

use why401_http::{Exchange, Fact, Fields, Statement};
use why401_read::{Collected, read};
use why401_span::{Derived, SourceId};

fn main() {
    for path in std::env::args().skip(1) {
        println!("=== {path}");
        let mut sink = Collected::default();
        let Ok(mut file) = std::fs::File::open(&path) else {
            eprintln!("{path} cannot be opened");
            continue;
        };
        match read(SourceId(0), &mut file, None, None, &[], &mut sink) {
            Ok(format) => println!("format {}", format.name),
            Err(e) => println!("not read: {e}"),
        }
        sink.exchanges.iter().for_each(exchange);
        sink.statements.iter().for_each(statement);
        sink.facts.iter().for_each(fact);
        sink.problems.iter().for_each(|p| println!("problem at {}: {}", p.offset, p.what));
    }
}

fn place(d: &Derived) -> String {
    d.whole().map_or("nowhere".to_owned(), |l| {
        let exact = if l.exact { "" } else { "~" };
        format!("{exact}{}..{} line {}", l.span.start, l.span.end, l.span.line)
    })
}

fn fields(fields: &Fields) {
    for f in fields.iter() {
        let text = f.text();
        let secret = ["authorization", "proxy-authorization", "cookie", "set-cookie"].iter().any(|n| f.is(n))
            || f.name.is_empty();
        let shown: String = if secret {
            let scheme = text.split(' ').next().unwrap_or_default();
            let scheme = if scheme.len() < 12 && text.contains(' ') { scheme } else { "" };
            format!("{scheme} •{}•", text.len())
        } else {
            text.chars().take(100).collect()
        };
        println!("    {}: {shown}   [{}]", f.name.to_text(), place(&f.value));
    }
}

fn body(body: &why401_http::Body) {
    if !body.bytes.is_empty() {
        let text: String = body.text().chars().take(90).collect();
        println!(
            "    body {} bytes, complete {}: {text:?} [{}]",
            body.bytes.len(),
            body.complete,
            place(&body.bytes)
        );
    }
}

fn exchange(e: &Exchange) {
    println!(
        "exchange {} connection {:?} client {:?} server {:?} time {:?}",
        e.index,
        e.connection,
        e.client.as_ref().map(ToString::to_string),
        e.server.as_ref().map(ToString::to_string),
        e.time.map(|t| t.at.to_string()),
    );
    println!(
        "  shows authorization {} request fields {} response fields {} body {} every request {}",
        e.shows.authorization,
        e.shows.request_fields,
        e.shows.response_fields,
        e.shows.body,
        e.shows.every_request
    );
    if let Some(r) = &e.request {
        println!(
            "  request {:?} ({}|{}|{}|{:?}) complete {} [{}]",
            r.line.to_text(),
            r.method(),
            r.target(),
            r.version,
            r.scheme,
            r.complete,
            place(&r.line)
        );
        fields(&r.fields);
        body(&r.body);
    }
    if let Some(r) = &e.response {
        println!(
            "  response {:?} ({}|{}) complete {} [{}]",
            r.line.to_text(),
            r.status,
            r.version,
            r.complete,
            place(&r.line)
        );
        fields(&r.fields);
        body(&r.body);
    }
}

fn statement(s: &Statement) {
    let text: String = s.text.to_text().chars().take(150).collect();
    let known = [
        s.time.map(|t| t.at.to_string()),
        s.level.clone(),
        s.product.map(str::to_owned),
        s.status.map(|s| s.to_string()),
        s.code.clone(),
        s.user.clone().map(|u| format!("user {u}")),
        s.client.as_ref().map(ToString::to_string),
        s.method.clone(),
        s.target.clone(),
        s.beside.map(|b| format!("beside {b}")),
    ];
    let known: Vec<_> = known.into_iter().flatten().collect();
    println!("statement {:?} {text:?} [{}] {}", s.speaker, known.join(", "), place(&s.text));
}

fn fact(f: &Fact) {
    println!("fact {:?} [{}]", f.kind, place(&f.text));
}
