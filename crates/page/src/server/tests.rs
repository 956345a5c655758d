//! Who gets in, what is answered, and what is given up.

use super::*;

struct Echo;

impl Answers for Echo {
    fn diagnose(
        &self,
        form: &str,
        parts: &[Part<'_>],
        told: &mut dyn FnMut(Told<'_>),
    ) -> Result<Response, String> {
        told(Told::Read(50.0));
        told(Told::Line("\"quoted\""));
        let first = parts.first().ok_or("nothing")?;
        Ok(Response::ok(
            "text/plain",
            [form.as_bytes(), b" ", first.name.as_bytes(), b" ", &first.all().map_err(|e| e.to_string())?]
                .concat(),
        ))
    }
}

fn ask(address: SocketAddr, request: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut out = String::new();
    stream.read_to_string(&mut out).unwrap();
    out
}

#[test]
fn only_who_knows_the_secret_and_comes_from_the_page_gets_in() {
    let server = Server::listen("127.0.0.1:0".parse().unwrap()).unwrap();
    let (address, secret) = (server.address, server.secret.clone());
    assert!(server.url().contains(&secret) && secret.len() == 32);
    std::thread::spawn(move || server.run(Echo));
    let get = |path: &str, fields: &str| ask(address, &format!("GET {path} HTTP/1.1\r\n{fields}\r\n"));
    let host = format!("Host: {address}\r\n");
    let page = get(&format!("/{secret}/"), &host);
    assert!(page.starts_with("HTTP/1.1 200") && page.contains("default-src 'none'"), "{page}");
    let nonce =
        |page: &str| page.split("'nonce-").nth(1).and_then(|n| n.split('\'').next()).map(str::to_owned);
    let own = nonce(&page).unwrap();
    assert_eq!(page.matches(&format!("nonce=\"{own}\"")).count(), 2, "its own style and script");
    assert_ne!(nonce(&get(&format!("/{secret}/"), &host)), Some(own), "drawn anew each time");
    // Only a browser that does not tell who opened the page has to part the two.
    let parted =
        |fields: &str| get(&format!("/{secret}/"), fields).contains("\r\nCross-Origin-Opener-Policy: ");
    assert!(parted(&host));
    for (site, is_parted) in
        [("none", false), ("same-origin", false), ("cross-site", true), ("same-site", true)]
    {
        assert_eq!(parted(&format!("{host}Sec-Fetch-Site: {site}\r\n")), is_parted, "{site}");
    }
    let twice = "Sec-Fetch-Site: none\r\n".repeat(2);
    assert!(parted(&format!("{host}{twice}")), "two of them are a trick");
    for (path, fields) in [
        ("/".to_owned(), host.clone()),
        (format!("/{}/", "0".repeat(32)), host.clone()),
        (format!("/{secret}/"), "Host: evil.example.com\r\n".to_owned()),
        (format!("/{secret}/"), format!("{host}Host: evil.example.com\r\n")),
        (format!("/{secret}/"), String::new()),
        (format!("/{secret}/"), format!("{host}Sec-Fetch-Site: cross-site\r\n")),
        (format!("/{secret}/"), format!("{host}Origin: http://evil.example.com\r\n")),
    ] {
        assert!(get(&path, &fields).starts_with("HTTP/1.1 403"), "{path} {fields}");
    }
    let post = |origin: &str| {
        let fields = format!("{host}{origin}X-Parts: 3 a%2Eb\r\nContent-Length: 3\r\n\r\nxyz");
        ask(address, &format!("POST /{secret}/findings HTTP/1.1\r\n{fields}"))
    };
    let answer = post(&format!("Origin: http://{address}\r\n"));
    let lines = "{\"read\":50.0}\n{\"line\":\"\\\"quoted\\\"\"}\n{\"answer\":\"findings a.b xyz\"}\n";
    assert!(answer.ends_with(lines), "{answer}");
    let slice = |name: &str, fields: &str| {
        let fields = format!("{host}{fields}X-Upload: {name}\r\nX-At: 1\r\nContent-Length: 2\r\n\r\nyz");
        ask(address, &format!("POST /{secret}/slice HTTP/1.1\r\n{fields}"))
    };
    let own = format!("Origin: http://{address}\r\n");
    assert!(slice("u", &own).starts_with("HTTP/1.1 404"), "nobody waits for it");
    std::thread::scope(|scope| {
        let asked = scope.spawn(|| {
            let fields = format!("{host}{own}X-Parts: 1 a,2 b\r\nX-Upload: u\r\nContent-Length: 0\r\n\r\n");
            ask(address, &format!("POST /{secret}/findings HTTP/1.1\r\n{fields}"))
        });
        while !slice("u", &own).starts_with("HTTP/1.1 200") {
            std::thread::yield_now();
        }
        assert!(slice("u", &own).starts_with("HTTP/1.1 400"), "it has come already");
        assert!(slice("u", "").starts_with("HTTP/1.1 403"));
        let fields = format!("{host}{own}X-Upload: u\r\nX-At: 0\r\nContent-Length: 1\r\n\r\nx");
        let last = ask(address, &format!("POST /{secret}/slice HTTP/1.1\r\n{fields}"));
        assert!(last.starts_with("HTTP/1.1 200"), "{last}");
        assert!(asked.join().unwrap().ends_with("{\"answer\":\"findings a x\"}\n"));
    });
    assert!(post("").starts_with("HTTP/1.1 403"));
    assert!(post("Origin: null\r\n").starts_with("HTTP/1.1 403"));
    assert!(Server::listen("0.0.0.0:0".parse().unwrap()).is_err());
}

#[test]
fn whoever_only_looks_like_the_page_stays_outside() {
    let server = Server::listen("127.0.0.1:0".parse().unwrap()).unwrap();
    let (address, secret) = (server.address, server.secret.clone());
    std::thread::spawn(move || server.run(Echo));
    let (host, port) = (format!("Host: {address}\r\n"), address.port());
    let other = if port == 1 { 2 } else { port - 1 };
    let status = |start: &str, fields: &str| {
        let answer = ask(address, &format!("{start}\r\n{fields}Content-Length: 3\r\n\r\nxyz"));
        assert!(!answer.to_ascii_lowercase().contains("access-control"), "{answer}");
        answer.get(9..12).unwrap_or_default().to_owned()
    };
    let page = format!("GET /{secret}/ HTTP/1.1");
    let post = format!("POST /{secret}/findings HTTP/1.1");
    let own = format!("{host}X-Parts: 3 a\r\n");
    for name in [format!("localhost:{port}"), address.to_string()] {
        assert_eq!(status(&page, &format!("Host: {name}\r\n")), "200");
        assert_eq!(status(&post, &format!("{own}Origin: http://{name}\r\n")), "200");
    }
    // Names that lead here, and names that begin or end as ours do.
    for name in [
        "localhost".to_owned(),
        "127.0.0.1".to_owned(),
        format!("127.0.0.1:{other}"),
        format!("127.0.0.1.example.com:{port}"),
        format!("localhost.:{port}"),
        format!("[::1]:{port}"),
        format!("x@{address}"),
        format!("{address}/"),
        format!("{address}, {address}"),
        format!("0.0.0.0:{port}"),
    ] {
        assert_eq!(status(&page, &format!("Host: {name}\r\n")), "403", "{name}");
    }
    // An address in the start line says nothing of who is meant; a proxy would need it (RFC 9112, section 3.2.2).
    assert_eq!(status(&format!("GET http://{address}/{secret}/ HTTP/1.1"), &host), "403");
    assert_eq!(status(&format!("GET /{secret}/ HTTP/1.0"), &host), "400");
    for origin in [
        format!("https://{address}"),
        format!("http://127.0.0.1:{other}"),
        format!("http://{address}.example.com"),
        format!("http://{address}/"),
        format!("http://x@{address}"),
        "file://".to_owned(),
        "null".to_owned(),
        String::new(),
    ] {
        for start in [&post, &page, &format!("OPTIONS /{secret}/findings HTTP/1.1")] {
            assert_eq!(status(start, &format!("{own}Origin: {origin}\r\n")), "403", "{start} {origin}");
        }
    }
    let twice = format!("{own}Origin: http://{address}\r\nOrigin: http://{address}\r\n");
    assert_eq!(status(&post, &twice), "403");
    for site in ["same-site", "cross-site", "Same-Origin", ""] {
        let fields = format!("{own}Origin: http://{address}\r\nSec-Fetch-Site: {site}\r\n");
        assert_eq!(status(&post, &fields), "403", "{site}");
    }
    let half = secret.get(..16).unwrap_or_default();
    for path in [
        format!("/{half}/"),
        format!("/{secret}0/"),
        format!("/{}/", secret.to_uppercase()),
        format!("//{secret}/"),
        format!("/x/../{secret}/"),
        format!("/?/{secret}/"),
        format!("/%{:x}{}/", secret.as_bytes().first().unwrap(), secret.get(1..).unwrap_or_default()),
        String::new(),
    ] {
        // A secret of digits only is the same in capitals.
        if path != format!("/{secret}/") {
            assert_eq!(status(&format!("GET {path} HTTP/1.1"), &host), "403", "{path}");
        }
    }
}

#[test]
fn uploads_are_bounded_before_anything_of_them_is_read() {
    let server = Server::listen("127.0.0.1:0".parse().unwrap()).unwrap();
    let (address, secret) = (server.address, server.secret.clone());
    std::thread::spawn(move || server.run(Echo));
    let post = |what: &str, fields: &str| {
        let own = format!("Host: {address}\r\nOrigin: http://{address}\r\n{fields}\r\n");
        let answer = ask(address, &format!("POST /{secret}/{what} HTTP/1.1\r\n{own}"));
        answer.get(9..12).unwrap_or_default().to_owned()
    };
    let many = vec!["0 a"; 101].join(",");
    for (what, fields, expected) in [
        ("findings", "X-Parts: 3 a\r\nContent-Length: 536870913\r\n".to_owned(), "413"),
        ("findings", "X-Parts: 3 a\r\nContent-Length: -1\r\n".to_owned(), "400"),
        ("findings", "X-Parts: 3 a\r\nContent-Length: 99999999999999999999999\r\n".to_owned(), "400"),
        ("findings", "X-Parts: 3 a\r\nTransfer-Encoding: chunked\r\n".to_owned(), "400"),
        ("findings", "X-Parts: 536870913 a\r\nX-Upload: u\r\n".to_owned(), "413"),
        ("findings", "X-Parts: 18446744073709551615 a,2 b\r\nX-Upload: u\r\n".to_owned(), "413"),
        ("findings", format!("X-Parts: {many}\r\nX-Upload: u\r\n"), "413"),
        ("findings", format!("X-Parts: 1 a\r\nX-Upload: {}\r\n", "u".repeat(65)), "400"),
        ("slice", "X-Upload: u\r\nX-At: 0\r\nContent-Length: 1\r\n".to_owned(), "404"),
        ("slice", "X-Upload: u\r\nX-At: -1\r\nContent-Length: 1\r\n".to_owned(), "400"),
        ("slice", format!("X-Filler: {}\r\n", "x".repeat(40_000)), "400"),
        ("password", String::new(), "404"),
    ] {
        assert_eq!(post(what, &fields), expected, "{what} {}", fields.get(..60).unwrap_or(&fields));
    }
}

/// Reads until it is told that nobody waits, and says how it ended.
struct Endless(std::sync::mpsc::Sender<String>);

impl Answers for Endless {
    fn diagnose(
        &self,
        _: &str,
        parts: &[Part<'_>],
        told: &mut dyn FnMut(Told<'_>),
    ) -> Result<Response, String> {
        told(Told::Read(1.0));
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE / 2 {
            let read =
                parts.iter().try_for_each(|part| part.read_at(&mut [0; 9], part.size() - 1).map(|_| ()));
            if let Err(e) = read {
                let _ = self.0.send(e.to_string());
                return Err(e.to_string());
            }
        }
        let _ = self.0.send("read to the end".to_owned());
        Err("nobody".to_owned())
    }
}

#[test]
fn an_upload_that_nobody_waits_for_any_more_is_read_no_further() {
    let server = Server::listen("127.0.0.1:0".parse().unwrap()).unwrap();
    let (address, secret) = (server.address, server.secret.clone());
    let (ended, endings) = std::sync::mpsc::channel();
    std::thread::spawn(move || server.run(Endless(ended)));
    let start = format!("HTTP/1.1\r\nHost: {address}\r\nOrigin: http://{address}\r\nX-Parts: 3 a\r\n");
    // All of it came with the request; it comes beside the request, and is waited for.
    for (form, rest) in [
        ("findings", "Content-Length: 3\r\n\r\nxyz"),
        ("bundle", "Content-Length: 3\r\n\r\nxyz"),
        ("findings", "X-Upload: u\r\nContent-Length: 0\r\n\r\n"),
    ] {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(format!("POST /{secret}/{form} {start}{rest}").as_bytes()).unwrap();
        if form == "findings" {
            assert_eq!(stream.read(&mut [0; 9]).unwrap(), 9, "the answer begins");
        }
        std::thread::sleep(Duration::from_millis(50));
        assert!(endings.try_recv().is_err(), "it is read while somebody waits");
        drop(stream);
        let ending = endings.recv_timeout(PATIENCE / 4).unwrap();
        assert!(ending.contains("nobody waits") || ending.contains("cut off"), "{form}: {ending}");
    }
}
