//! Keytab files, as MIT Kerberos and Heimdal write them
//! (<https://web.mit.edu/kerberos/krb5-latest/doc/formats/keytab_file_format.html>).

use super::super::kerberos::etype_name;
use crate::secret::Secret;

/// The key of a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceKey {
    /// Whose key it is: `HTTP/www.example.com@EXAMPLE.COM`.
    pub principal: String,
    /// Its version.
    pub version: u32,
    /// Its encryption type.
    pub etype: i64,
    pub(super) key: Secret,
}

/// As `klist -ket` writes it.
impl std::fmt::Display for ServiceKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {} ({})", self.version, self.principal, etype_name(self.etype))
    }
}

impl ServiceKey {
    /// Whether it is of this version. A ticket made by a read-only domain controller of Active Directory has the number
    /// of that controller in the upper half ([MS-KILE] section 3.1.5.8).
    pub(super) fn is_version(&self, version: u32) -> bool {
        self.version == version || self.version == version & 0xffff
    }
}

/// Reads a keytab.
///
/// # Errors
/// Where the bytes are no keytab, or one that holds no key.
pub fn read(bytes: &[u8]) -> Result<Vec<ServiceKey>, &'static str> {
    let mut rest = match bytes {
        [5, 2, rest @ ..] => rest,
        [5, 1, ..] => return Err("is a keytab of the old version 1; ktutil (rkt, wkt) writes it anew"),
        _ => return Err("is no keytab: one begins with the bytes 05 02"),
    };
    let mut keys = Vec::new();
    while let Some((size, behind)) = rest.split_first_chunk::<4>() {
        let size = i32::from_be_bytes(*size);
        // A negative size is that of a hole where an entry was removed.
        let len = size.unsigned_abs() as usize;
        let Some((entry, behind)) = behind.split_at_checked(len).filter(|_| len > 0) else { break };
        rest = behind;
        keys.extend((size > 0).then(|| Entry(entry).read()).flatten());
    }
    if keys.is_empty() { Err("is a keytab without any key") } else { Ok(keys) }
}

/// What is left of an entry.
struct Entry<'a>(&'a [u8]);

impl<'a> Entry<'a> {
    fn take(&mut self, n: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(n)?;
        self.0 = rest;
        Some(taken)
    }

    fn number(&mut self, bytes: usize) -> Option<u32> {
        Some(self.take(bytes)?.iter().fold(0, |n, b| n << 8 | u32::from(*b)))
    }

    fn counted(&mut self) -> Option<&'a [u8]> {
        let len = self.number(2)?;
        self.take(len as usize)
    }

    fn read(mut self) -> Option<ServiceKey> {
        let components = self.number(2)?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let realm = text(self.counted()?);
        let mut names = Vec::new();
        for _ in 0..components {
            names.push(text(self.counted()?));
        }
        let (_kind, _time) = (self.number(4)?, self.number(4)?);
        let short = self.number(1)?;
        let etype = i64::from(self.number(2)?);
        let key = Secret::new(self.counted()?);
        // A version above 255 stands behind the key once more, in full.
        let version = self.number(4).filter(|v| *v != 0).unwrap_or(short);
        Some(ServiceKey { principal: format!("{}@{realm}", names.join("/")), version, etype, key })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// An entry for `HTTP/www.example.com@EXAMPLE.COM`.
    pub(crate) fn entry(version: u8, etype: u16, key: &[u8], long: &[u8]) -> Vec<u8> {
        let counted = |b: &[u8]| [&(b.len() as u16).to_be_bytes()[..], b].concat();
        let parts: [&[u8]; 9] = [
            &[0, 2],
            &counted(b"EXAMPLE.COM"),
            &counted(b"HTTP"),
            &counted(b"www.example.com"),
            &[0, 0, 0, 1, 0, 0, 0, 0],
            &[version],
            &etype.to_be_bytes(),
            &counted(key),
            long,
        ];
        let entry = parts.concat();
        [&(entry.len() as i32).to_be_bytes()[..], &entry].concat()
    }

    #[test]
    fn entries_are_read_around_holes() {
        let hole = [&(-4i32).to_be_bytes()[..], &[9; 4]].concat();
        let file = [
            vec![5, 2],
            entry(3, 18, &[7; 32], &[]),
            hole,
            entry(1, 17, &[8; 16], &[0, 0, 1, 1]),
            vec![0, 0, 0, 99, 1],
        ]
        .concat();
        let keys = read(&file).unwrap();
        let seen: Vec<_> = keys.iter().map(|k| (k.version, k.etype, k.key.expose().len())).collect();
        assert_eq!(seen, [(3, 18, 32), (257, 17, 16)]);
        assert_eq!(keys[0].principal, "HTTP/www.example.com@EXAMPLE.COM");
        assert!(keys[0].is_version(3) && keys[0].is_version(0x0001_0003) && !keys[0].is_version(2));
        assert!(read(b"[libdefaults]").is_err() && read(&[5, 2]).is_err());
        assert!(!format!("{keys:?}").contains("7, 7"), "keys are never shown");
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_a_fault(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = read(&[&[5, 2], bytes.as_slice()].concat());
        }
    }
}
