//! As much of an X.509 certificate (RFC 5280) as helps a person: for whom, by whom, from when to when.

use crate::wire::Wire;

/// What a certificate says. It was not verified.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Certificate {
    /// The subject's common name, or what else names it.
    pub subject: String,
    /// The issuer's common name, or what else names it.
    pub issuer: String,
    /// Names that it is for (`subjectAltName`: DNS names and addresses).
    pub names: Vec<String>,
    /// Valid from then on, in seconds since 1970-01-01T00:00:00Z.
    pub not_before: Option<i64>,
    /// Valid until then, in seconds since 1970-01-01T00:00:00Z.
    pub not_after: Option<i64>,
}

const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
/// Names beyond this are not kept.
const MOST_NAMES: usize = 100;

/// The next element: its tag and contents (X.690, section 8.1).
fn element<'a>(w: &mut Wire<'a>) -> Option<(u8, Wire<'a>)> {
    let tag = w.u8()?;
    let len = match w.u8()? {
        n @ 0..=0x7f => usize::from(n),
        0x81 => usize::from(w.u8()?),
        0x82 => usize::from(w.u16()?),
        0x83 => w.u24()?,
        _ => return None,
    };
    Some((tag, Wire(w.take(len)?)))
}

fn expect<'a>(w: &mut Wire<'a>, tag: u8) -> Option<Wire<'a>> {
    element(w).filter(|(t, _)| *t == tag).map(|(_, inside)| inside)
}

impl Certificate {
    /// Reads a certificate in DER; `None` if it is none.
    pub fn read(der: &[u8]) -> Option<Certificate> {
        let mut whole = Wire(der);
        let mut certificate = expect(&mut whole, SEQUENCE)?;
        let mut tbs = expect(&mut certificate, SEQUENCE)?;
        let mut found = Certificate::default();
        let (mut tag, _) = element(&mut tbs)?;
        if tag == 0xa0 {
            // The version stands before the serial number, except in version 1.
            (tag, _) = element(&mut tbs)?;
        }
        (tag == 0x02).then_some(())?;
        expect(&mut tbs, SEQUENCE)?;
        found.issuer = name(expect(&mut tbs, SEQUENCE)?);
        let mut validity = expect(&mut tbs, SEQUENCE)?;
        found.not_before = element(&mut validity).and_then(time);
        found.not_after = element(&mut validity).and_then(time);
        found.subject = name(expect(&mut tbs, SEQUENCE)?);
        expect(&mut tbs, SEQUENCE)?;
        while let Some((tag, mut inside)) = element(&mut tbs) {
            if tag == 0xa3 {
                found.names = expect(&mut inside, SEQUENCE).map(alternative_names).unwrap_or_default();
            }
        }
        Some(found)
    }
}

/// The common name among the attributes of a name; else the last one, as organizations stand before units.
fn name(mut attributes: Wire<'_>) -> String {
    const COMMON_NAME: [u8; 3] = [0x55, 4, 3];
    let mut last = String::new();
    while let Some(mut set) = expect(&mut attributes, SET) {
        let Some(mut pair) = expect(&mut set, SEQUENCE) else { break };
        let (Some(kind), Some((_, value))) = (expect(&mut pair, 0x06), element(&mut pair)) else { break };
        let text = String::from_utf8_lossy(value.0).into_owned();
        if kind.0 == COMMON_NAME {
            return text;
        }
        last = text;
    }
    last
}

fn alternative_names(mut extensions: Wire<'_>) -> Vec<String> {
    const SUBJECT_ALT_NAME: [u8; 3] = [0x55, 0x1d, 0x11];
    let mut names = Vec::new();
    while let Some(mut extension) = expect(&mut extensions, SEQUENCE) {
        if expect(&mut extension, 0x06).is_none_or(|kind| kind.0 != SUBJECT_ALT_NAME) {
            continue;
        }
        while let Some((tag, mut value)) = element(&mut extension) {
            // The value is a string of bytes; a boolean before it says whether it is critical.
            let Some(mut list) = (tag == 0x04).then(|| expect(&mut value, SEQUENCE)).flatten() else {
                continue;
            };
            while let Some((tag, name)) = element(&mut list).filter(|_| names.len() < MOST_NAMES) {
                match (tag, name.0) {
                    (0x82, dns) => names.push(String::from_utf8_lossy(dns).into_owned()),
                    (0x87, [a, b, c, d]) => names.push(format!("{a}.{b}.{c}.{d}")),
                    (0x87, ip) => {
                        let v6 = <[u8; 16]>::try_from(ip).map(std::net::Ipv6Addr::from);
                        names.extend(v6.ok().map(|ip| ip.to_string()));
                    }
                    _ => {}
                }
            }
        }
    }
    names
}

/// UTCTime (`YYMMDDhhmmssZ`, from 1950 on) or GeneralizedTime (`YYYYMMDDhhmmssZ`).
fn time((tag, text): (u8, Wire<'_>)) -> Option<i64> {
    let (year, rest) = text.0.split_at_checked(if tag == 0x17 { 2 } else { 4 })?;
    let number = |digits: &[u8]| std::str::from_utf8(digits).ok()?.parse::<i64>().ok();
    let year = match (tag, number(year)?) {
        (0x17, year @ 50..) => 1900 + year,
        (0x17, year) => 2000 + year,
        (_, year) => year,
    };
    let mut parts = rest.chunks(2).map(number);
    let mut next = || parts.next().flatten();
    let (month, day, hour, minute, second) = (next()?, next()?, next()?, next()?, next()?);
    ((1..=12).contains(&month)).then_some(())?;
    Some(((days(year, month, day) * 24 + hour) * 60 + minute) * 60 + second)
}

/// Days since 1970-01-01 of a date in the Gregorian calendar, counted in years that begin in March.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    year * 365 + leap_days + (month * 153 + 2) / 5 + day - 1 - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    fn der(tag: u8, inside: &[&[u8]]) -> Vec<u8> {
        let inside = inside.concat();
        [&[tag, 0x82, (inside.len() >> 8) as u8, inside.len() as u8][..], &inside].concat()
    }

    fn common_name(text: &str) -> Vec<u8> {
        der(0x30, &[&der(0x31, &[&der(0x30, &[&[6, 3, 0x55, 4, 3], &der(0x0c, &[text.as_bytes()])])])])
    }

    #[test]
    fn a_certificate_is_read_as_far_as_a_person_asks() {
        let names = der(0x30, &[&der(0x82, &[b"example.com"]), &der(0x87, &[&[192, 0, 2, 1]])]);
        let extension = der(0x30, &[&[6, 3, 0x55, 0x1d, 0x11], &der(0x04, &[&names])]);
        let validity = der(0x30, &[&der(0x17, &[b"240229120000Z"]), &der(0x18, &[b"20510101000000Z"])]);
        let tbs = der(
            0x30,
            &[
                &[0xa0, 3, 2, 1, 2, 2, 1, 9],
                &der(0x30, &[]),
                &common_name("An Authority"),
                &validity,
                &common_name("example.com"),
                &der(0x30, &[]),
                &der(0xa3, &[&der(0x30, &[&extension])]),
            ],
        );
        let whole = der(0x30, &[&tbs]);
        let c = Certificate::read(&whole).unwrap();
        assert_eq!((c.subject.as_str(), c.issuer.as_str()), ("example.com", "An Authority"));
        assert_eq!(c.names, ["example.com", "192.0.2.1"]);
        assert_eq!((c.not_before, c.not_after), (Some(1_709_208_000), Some(2_556_144_000)));
        for cut in 0..whole.len() {
            assert_eq!(Certificate::read(&whole[..cut]), None);
        }
    }
}
