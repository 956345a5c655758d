//! PACs written by the rules of [MS-PAC], and read again.

use super::*;
use crate::Secret;
use proptest::prelude::*;

/// 2026-11-22 16:00:00 UTC, in seconds since 1970.
const AUTHENTICATED: i64 = 1_795_363_200;
const DAY: i64 = 86_400;

fn file_time(seconds: i64) -> Vec<u8> {
    ((seconds + 11_644_473_600) * 10_000_000).to_le_bytes().to_vec()
}

fn utf16_of(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// Writes numbers at multiples of their length.
#[derive(Default)]
struct Writer(Vec<u8>);

impl Writer {
    fn put(&mut self, bytes: &[u8], align: usize) -> &mut Self {
        self.0.resize(self.0.len().next_multiple_of(align), 0);
        self.0.extend(bytes);
        self
    }

    fn long(&mut self, n: u32) -> &mut Self {
        self.put(&n.to_le_bytes(), 4)
    }

    fn short(&mut self, n: u16) -> &mut Self {
        self.put(&n.to_le_bytes(), 2)
    }

    fn string(&mut self, text: &str) -> &mut Self {
        let len = utf16_of(text).len() as u16;
        self.short(len).short(len).long(0x0002_0000)
    }

    fn text(&mut self, text: &str) -> &mut Self {
        let count = utf16_of(text).len() as u32 / 2;
        self.long(count).long(0).long(count).put(&utf16_of(text), 2)
    }

    fn sid(&mut self, numbers: &[u32]) -> &mut Self {
        self.long(numbers.len() as u32).put(&sid_bytes(numbers), 4)
    }

    fn members(&mut self, rids: &[u32]) -> &mut Self {
        self.long(rids.len() as u32);
        rids.iter().fold(self, |w, rid| w.long(*rid).long(7))
    }
}

fn sid_bytes(numbers: &[u32]) -> Vec<u8> {
    let head = [1, numbers.len() as u8, 0, 0, 0, 0, 0, 5];
    [head.to_vec(), numbers.iter().flat_map(|n| n.to_le_bytes()).collect()].concat()
}

const DOMAIN: [u32; 4] = [21, 1, 2, 3];

fn logon_info(control: u32) -> Vec<u8> {
    let mut w = Writer::default();
    w.put(&[1, 0x10, 8, 0, 0xcc, 0xcc, 0xcc, 0xcc], 1).put(&[0; 8], 1).long(0x0002_0000);
    let never = i64::MAX.to_le_bytes().to_vec();
    let set = AUTHENTICATED - 30 * DAY;
    for time in [file_time(AUTHENTICATED), never.clone(), never, file_time(set), file_time(set + DAY)] {
        w.put(&time, 4);
    }
    w.put(&file_time(set + 42 * DAY), 4);
    w.string("alice").string("Alice Ångström").string("").string("").string("").string("");
    w.short(12)
        .short(1)
        .long(1104)
        .long(513)
        .long(2)
        .long(0x0002_0004)
        .long(0x20)
        .put(b"session key of16", 1);
    w.string("DC1").string("EXAMPLE").long(0x0002_0008).put(&[0; 8], 4).long(control);
    w.long(0)
        .put(&[0; 16], 4)
        .long(0)
        .long(0)
        .long(1)
        .long(0x0002_000c)
        .long(0x0002_0010)
        .long(1)
        .long(0x0002_0014);
    w.text("alice").text("Alice Ångström").text("").text("").text("").text("");
    w.members(&[513, 1201]).text("DC1").text("EXAMPLE").sid(&DOMAIN);
    w.long(1).long(0x0002_0018).long(7).sid(&[32, 545]);
    w.sid(&[21, 7, 8, 9]).members(&[1300]);
    w.0
}

fn client_info(name: &str) -> Vec<u8> {
    let name = utf16_of(name);
    [file_time(AUTHENTICATED), (name.len() as u16).to_le_bytes().to_vec(), name].concat()
}

fn upn_info() -> Vec<u8> {
    let parts = [
        utf16_of("alice@example.com"),
        utf16_of("EXAMPLE.COM"),
        utf16_of("alice"),
        sid_bytes(&[21, 1, 2, 3, 1104]),
    ];
    let mut at = 24u16;
    let places: Vec<Vec<u8>> = parts
        .iter()
        .map(|part| {
            let place = [(part.len() as u16).to_le_bytes(), at.to_le_bytes()].concat();
            at += part.len() as u16;
            place
        })
        .collect();
    let flags = 2u32.to_le_bytes().to_vec();
    [places[..2].concat(), flags, places[2..].concat(), vec![0; 4], parts.concat()].concat()
}

/// A PAC with these buffers, signed with the key.
fn pac(buffers: &[(u32, Vec<u8>)], key: &ServiceKey) -> Vec<u8> {
    let kind = checksum::of_etype(key.etype).unwrap();
    let empty = [&kind.to_le_bytes()[..], &vec![0; checksum::len(kind).unwrap()]].concat();
    let kdc = [&checksum::HMAC_MD5.to_le_bytes()[..], &[0; 16], &[1, 0, 0, 0]].concat();
    let all: Vec<(u32, Vec<u8>)> = [buffers, &[(KDC_CHECKSUM, kdc), (SERVER_CHECKSUM, empty)]].concat();
    let mut out = Writer::default();
    out.long(all.len() as u32).long(0);
    let mut at = 8 + 16 * all.len();
    for (kind, content) in &all {
        out.long(*kind).long(content.len() as u32).put(&(at as u64).to_le_bytes(), 8);
        at = (at + content.len()).next_multiple_of(8);
    }
    for (_, content) in &all {
        out.put(content, 8);
    }
    let mut bytes = out.0;
    let sum = checksum::of(kind, key.key.expose(), USAGE, &bytes).unwrap();
    let (at, len) = (bytes.len() - sum.len(), bytes.len());
    bytes[at..len].copy_from_slice(&sum);
    // What the KDC signs with counts as zeros in the sum.
    bytes[at - 24..at - 8].fill(0xee);
    bytes
}

/// What stands in the tickets of these tests.
pub(in super::super) fn alice(key: &ServiceKey) -> Vec<u8> {
    pac(
        &[(LOGON_INFO, logon_info(0x210)), (CLIENT_INFO, client_info("alice")), (UPN_DNS_INFO, upn_info())],
        key,
    )
}

fn key(etype: i64) -> ServiceKey {
    let len = if matches!(etype, 18 | 20) { 32 } else { 16 };
    ServiceKey {
        principal: "HTTP/a@EXAMPLE.COM".to_owned(),
        version: 2,
        etype,
        key: Secret::new(vec![7; len]),
    }
}

#[test]
fn what_is_said_of_a_client_is_read() {
    let key = key(18);
    let pac = read(&alice(&key), &[&key]).unwrap();
    assert_eq!(pac.kinds, [1, 10, 12, 7, 6]);
    assert_eq!(pac.client, Some(Client { name: "alice".to_owned(), authenticated: Some(AUTHENTICATED) }));
    let names = pac.names.unwrap();
    assert_eq!((names.upn.as_str(), names.domain.as_str()), ("alice@example.com", "EXAMPLE.COM"));
    assert_eq!(names.account, Some(("alice".to_owned(), "S-1-5-21-1-2-3-1104".to_owned())));
    let logon = pac.logon.unwrap();
    assert_eq!(logon.sid().as_deref(), Some("S-1-5-21-1-2-3-1104"));
    assert_eq!(
        logon,
        Logon {
            account: "alice".to_owned(),
            full_name: "Alice Ångström".to_owned(),
            domain: "EXAMPLE".to_owned(),
            domain_sid: Some("S-1-5-21-1-2-3".to_owned()),
            rid: 1104,
            primary_group: 513,
            groups: vec![513, 1201],
            other_groups: vec!["S-1-5-32-545".to_owned(), "S-1-5-21-7-8-9-1300".to_owned()],
            control: 0x210,
            flags: 0x20,
            logged_on: Some(AUTHENTICATED),
            password_set: Some(AUTHENTICATED - 30 * DAY),
            password_until: Some(AUTHENTICATED + 12 * DAY),
            logons: 12,
            wrong_passwords: 1,
        }
    );
    assert!(!format!("{logon:?}").contains("session"));
}

#[test]
fn how_an_account_stands_is_told_by_its_bits() {
    let stands = |control| {
        let logon = logon::read(&logon_info(control)).unwrap();
        [logon.is_disabled(), logon.is_locked(), logon.is_password_expired()]
    };
    assert_eq!(stands(0x0210), [false; 3]);
    assert_eq!(stands(0x0211), [true, false, false]);
    assert_eq!(stands(0x0610), [false, true, false]);
    assert_eq!(stands(0x0002_0010), [false, false, true]);
}

#[test]
fn a_signature_is_held_against_the_keys_of_the_service() {
    for etype in [17, 18, 19, 20, 23] {
        let (right, other) = (key(etype), ServiceKey { key: Secret::new(vec![8; 16]), ..key(23) });
        let bytes = alice(&right);
        assert_eq!(read(&bytes, &[&right]).unwrap().signature, Signature::Agrees, "{etype}");
        // Another key of the service may have signed it.
        assert_eq!(read(&bytes, &[&other, &right]).unwrap().signature, Signature::Agrees, "{etype}");
        let mut changed = bytes.clone();
        *changed.iter_mut().rev().nth(80).unwrap() ^= 1;
        assert_eq!(read(&changed, &[&right]).unwrap().signature, Signature::Differs, "{etype}");
    }
    let bytes = alice(&key(18));
    let (short, md5) = (key(17), key(23));
    assert_eq!(read(&bytes, &[&short, &md5]).unwrap().signature, Signature::Unknown(16));
    let unsigned = [&2u32.to_le_bytes()[..], &[0; 4 + 32]].concat();
    assert_eq!(read(&unsigned, &[&short]).unwrap().signature, Signature::Missing);
}

#[test]
fn counts_that_nothing_follows_are_no_reason_to_wait() {
    assert_eq!(read(&[0xff; 64], &[]), None);
    let mut counted = logon_info(0);
    // The count of the groups, behind six texts.
    let at = counted.windows(8).position(|w| w == [2, 0, 0, 0, 1, 2, 0, 0]).unwrap();
    counted[at..at + 4].fill(0xff);
    assert_eq!(logon::read(&counted), None);
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_a_fault(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let key = key(23);
        let _ = (read(&bytes, &[&key]), client(&bytes), names(&bytes), logon::read(&bytes));
        // Behind a table that points into the bytes.
        let _ = read(&pac(&[(LOGON_INFO, bytes.clone()), (CLIENT_INFO, bytes.clone()), (UPN_DNS_INFO, bytes)], &key), &[&key]);
    }

    #[test]
    fn any_change_is_read_without_a_fault(changes in proptest::collection::vec((any::<usize>(), any::<u8>()), 1..6), cut in any::<usize>()) {
        let key = key(17);
        let mut bytes = alice(&key);
        for (at, to) in changes {
            let at = at % bytes.len();
            bytes[at] = to;
        }
        let _ = read(&bytes, &[&key]);
        bytes.truncate(cut % bytes.len());
        let _ = read(&bytes, &[&key]);
    }
}
