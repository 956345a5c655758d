//! A capture that still grows: findings are told before it ends.

use crate::stage::{Stage, have};
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::sync::mpsc::channel;
use std::time::Duration;

/// How long a finding may take on a machine with much else to do.
const SOON: Duration = Duration::from_secs(60);

#[test]
fn a_finding_is_told_while_the_pipe_is_open() {
    if !have(&["apache2", "curl", "tcpdump", "openssl"]) {
        return;
    }
    let mut stage = Stage::new();
    let apache = stage.apache("AuthType Basic\nAuthName Members\nAuthUserFile users\nRequire valid-user");
    let capture = stage.capture(&[apache.port], |s| {
        s.run("curl.txt", "curl", &["-sv", &format!("http://127.0.0.1:{}/data.json", apache.port)]);
    });
    let Some(capture) = capture else { return };
    let bytes = std::fs::read(capture).unwrap();
    let mut why401 = Command::new(env!("CARGO_BIN_EXE_why401"))
        .arg("-")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut pipe = why401.stdin.take().unwrap();
    let (tell, told) = channel();
    let lines = BufReader::new(why401.stdout.take().unwrap()).lines();
    let listening = std::thread::spawn(move || {
        lines.map_while(Result::ok).for_each(|line| drop(tell.send(line)));
    });
    // In pieces that end anywhere, as a pipe gives them; all but the last byte of the last packet, so that the file is cut.
    let (most, _) = bytes.split_at(bytes.len() - 1);
    for piece in most.chunks(300) {
        pipe.write_all(piece).unwrap();
        pipe.flush().unwrap();
    }
    let first = told.recv_timeout(SOON).expect("nothing is told while the pipe is open");
    assert!(first.contains("no-credentials: GET /data.json"), "{first}");
    assert!(why401.try_wait().unwrap().is_none(), "it goes on reading");
    drop(pipe);
    assert_eq!(why401.wait().unwrap().code(), Some(1));
    listening.join().unwrap();
    let rest: Vec<String> = told.iter().collect();
    assert!(rest.iter().any(|l| l.contains("[no-credentials]")), "the whole diagnosis follows: {rest:?}");
}
