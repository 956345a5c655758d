//! What curl's options send, as the server gets it.

use crate::server::{Request, Server, refused};
use crate::{PASSWORD, run};
use std::fs;

/// The request that a command line sends with its credentials.
fn sent(words: &[&str]) -> (Request, String) {
    let server = Server::start(|_, _| refused("Basic realm=x"));
    let (user, url) = (format!("alice:{PASSWORD}"), server.url("/up/"));
    let out = run(&[&["--", "curl", "-s", "-u", &user, &url][..], words].concat());
    let said = String::from_utf8_lossy(&out.stderr).into_owned();
    let seen = server.seen().into_iter().find(|r| r.authorization().is_some());
    (seen.unwrap_or_else(|| panic!("{said}")), said)
}

#[test]
fn forms_files_and_encoded_data_arrive_as_curl_sends_them() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a b.txt");
    fs::write(&path, "x y\n").unwrap();
    let file = path.to_str().unwrap();

    let (form, _) = sent(&["-F", &format!("f=@{file}"), "--form-string", "g=@no;file"]);
    assert_eq!(form.method, "POST");
    let kind = form.field("content-type").unwrap();
    let boundary = kind.strip_prefix("multipart/form-data; boundary=").unwrap();
    let expected = format!(
        "--{boundary}\r\nContent-Disposition: form-data; name=\"f\"; filename=\"a b.txt\"\r\nContent-Type: \
         text/plain\r\n\r\nx y\n\r\n--{boundary}\r\nContent-Disposition: form-data; name=\"g\"\r\n\r\n\
         @no;file\r\n--{boundary}--\r\n"
    );
    assert_eq!(String::from_utf8_lossy(&form.body), expected);

    let (put, _) = sent(&["-T", file]);
    assert_eq!((put.method.as_str(), put.target.as_str()), ("PUT", "/up/a%20b.txt"));
    assert_eq!((put.body.as_slice(), put.field("content-type")), (&b"x y\n"[..], None));

    let (data, _) = sent(&["-d", "a=1", "--data-urlencode", &format!("t@{file}"), "--url-query", "q=ä"]);
    assert_eq!((data.body.as_slice(), data.target.as_str()), (&b"a=1&t=x%20y%0A"[..], "/up/?q=%C3%A4"));

    let (query, _) = sent(&["-G", "-d", "a=1", "--data-urlencode", "b=x y"]);
    assert_eq!((query.method.as_str(), query.target.as_str()), ("GET", "/up/?a=1&b=x%20y"));

    let (json, _) = sent(&["--json", "{\"a\":", "--json", "1}"]);
    assert_eq!(json.body, b"{\"a\":1}");
    assert_eq!(
        (json.field("content-type"), json.field("accept")),
        (Some("application/json"), Some("application/json"))
    );
}

#[test]
fn a_file_of_options_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("curlrc");
    fs::write(&path, "# mine\nheader = \"X-A: a \\\"b\\\"\"\nrequest HEAD\n").unwrap();
    let (head, said) = sent(&["-K", path.to_str().unwrap(), "--frob"]);
    assert_eq!((head.method.as_str(), head.field("x-a")), ("HEAD", Some("a \"b\"")));
    assert!(said.contains("curl's --frob (unknown here) is left out"), "{said}");
    let out = run(&["--", "curl", "-K", "/no/such/file", "http://127.0.0.1:1/"]);
    assert_eq!((out.status.code(), out.stdout.len()), (Some(2), 0));
    let two = run(&["--", "curl", "-d", "a", "-F", "b=c", "http://127.0.0.1:1/"]);
    assert!(String::from_utf8_lossy(&two.stderr).contains("one content at a time"));
}
