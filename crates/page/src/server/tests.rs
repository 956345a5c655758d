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
