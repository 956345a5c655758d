use super::drain::{Position, Reader, drain, position};
use super::*;
use proptest::prelude::*;

fn config(folder: &Path) -> config::Inbox {
    config::Inbox { folder: folder.to_owned(), segment: 4096, remember_keys: 86400 }
}

fn message(key: Option<&str>, body: &str) -> Message {
    Message {
        account: "alice".to_owned(),
        time: jiff::Timestamp::now(),
        target: "/alice/alice.sms".to_owned(),
        content_type: None,
        key: key.map(|k| k.as_bytes().to_vec()),
        body: body.as_bytes().to_vec(),
    }
}

fn store(inbox: &Inbox, message: Message) -> Result<Stored, Failure> {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(inbox.store(message))
}

fn bodies(folder: &Path) -> Vec<String> {
    let mut reader = Reader::new(folder, Position::default()).unwrap();
    std::iter::from_fn(|| reader.next().unwrap())
        .map(|(f, _)| String::from_utf8(f.content).unwrap())
        .collect()
}

#[test]
fn a_message_is_stored_once_for_one_key_across_restarts() {
    let folder = tempfile::tempdir().unwrap();
    let inbox = Inbox::open(&config(folder.path())).unwrap();
    let first = store(&inbox, message(Some("k"), "one")).unwrap();
    assert!(first.is_new);
    assert_eq!(store(&inbox, message(Some("k"), "one")), Ok(Stored { is_new: false, ..first.clone() }));
    assert_eq!(store(&inbox, message(Some("k"), "two")), Err(Failure::KeyReused));
    store(&inbox, message(None, "three")).unwrap();
    store(&inbox, message(None, "three")).unwrap();
    assert!(Inbox::open(&config(folder.path())).is_err(), "two processes must not write one journal");
    drop(inbox);
    let inbox = Inbox::open(&config(folder.path())).unwrap();
    assert_eq!(store(&inbox, message(Some("k"), "one")), Ok(Stored { is_new: false, ..first }));
    drop(inbox);
    assert_eq!(bodies(folder.path()), ["one", "three", "three"]);
}

#[test]
fn what_was_torn_is_cut_off_and_the_rest_stays() {
    let folder = tempfile::tempdir().unwrap();
    let inbox = Inbox::open(&config(folder.path())).unwrap();
    for body in ["one", "two"] {
        store(&inbox, message(None, body)).unwrap();
    }
    drop(inbox);
    let path = segment(folder.path(), 1);
    let whole = std::fs::read(&path).unwrap();
    for cut in [1, 10, 40] {
        std::fs::write(&path, [&whole[..], &whole[..cut]].concat()).unwrap();
        drop(Inbox::open(&config(folder.path())).unwrap());
        assert_eq!(std::fs::read(&path).unwrap(), whole);
        std::fs::write(&path, &whole[..whole.len() - cut]).unwrap();
        drop(Inbox::open(&config(folder.path())).unwrap());
        assert_eq!(bodies(folder.path()), ["one"]);
        std::fs::write(&path, &whole).unwrap();
    }
}

#[test]
fn messages_are_handed_on_in_order_and_not_again() {
    let folder = tempfile::tempdir().unwrap();
    let inbox = Inbox::open(&config(folder.path())).unwrap();
    // More than one segment.
    for n in 0..40 {
        store(&inbox, message(None, &format!("{n:0300}"))).unwrap();
    }
    assert!(segments(folder.path()).unwrap().len() > 2);
    let mut got = Vec::new();
    let failed = drain(folder.path(), 0, |frame| {
        let number: u32 = String::from_utf8_lossy(&frame.content).parse().unwrap();
        got.push(number);
        if number == 25 { Err("not now".to_owned()) } else { Ok(()) }
    });
    assert!(failed.unwrap_err().contains("25 messages were handed on"));
    let count = drain(folder.path(), 0, |frame| {
        got.push(String::from_utf8_lossy(&frame.content).parse().unwrap());
        Ok(())
    });
    assert_eq!(count, Ok(15));
    let expected: Vec<u32> = (0..=25).chain(25..40).collect();
    assert_eq!(got, expected);
    assert_eq!(drain(folder.path(), 0, |_| Ok(())), Ok(0));
    assert!(position(folder.path()).segment > 1);
}

proptest! {
    #[test]
    fn no_bytes_make_reading_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), marked: bool) {
        let front: &[u8] = if marked { b"w4m1\0\0\0\x02" } else { b"" };
        let all = [front, &bytes].concat();
        let _ = frame::read(&mut &all[..], all.len() as u64);
    }
}
