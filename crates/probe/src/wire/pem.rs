//! Certificates in PEM. They are no secret: the decoder of `rustls-pki-types` takes the same time whatever it reads, and that
//! is three times as long, for which every recorded program would wait.

use memchr::{memchr, memmem};
use std::sync::LazyLock;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject;

/// The lines around a certificate (RFC 7468 section 2).
const BEGIN: &[u8] = b"-----BEGIN CERTIFICATE-----";
const END: &[u8] = b"-----END CERTIFICATE-----";

/// The certificates in a text; what is damaged is left out.
pub fn certificates(text: &[u8]) -> Vec<CertificateDer<'static>> {
    static FINDERS: LazyLock<[memmem::Finder<'_>; 2]> =
        LazyLock::new(|| [BEGIN, END].map(memmem::Finder::new));
    let [begin, end] = &*FINDERS;
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(behind) = begin.find(rest).and_then(|at| rest.get(at + BEGIN.len()..)) {
        let Some((inner, after)) = end.find(behind).and_then(|at| behind.split_at_checked(at)) else { break };
        let Some(der) = plain(inner) else {
            // Written in an unusual way, or damaged.
            return CertificateDer::pem_slice_iter(text).filter_map(Result::ok).collect();
        };
        found.push(CertificateDer::from(der));
        rest = after;
    }
    found
}

/// The bit that a character outside the alphabet has.
const FOREIGN: u32 = 1 << 31;

/// The six bits of each character (RFC 4648 section 4).
static SEXTETS: LazyLock<[u32; 256]> = LazyLock::new(|| {
    std::array::from_fn(|i| {
        let b = u8::try_from(i).unwrap_or_default();
        let sextet = match b {
            b'A'..=b'Z' => b - b'A',
            b'a'..=b'z' => b - b'a' + 26,
            b'0'..=b'9' => b - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return FOREIGN,
        };
        u32::from(sextet)
    })
});

/// The three bytes that four characters say, behind a bit that tells of foreign ones.
fn group(sextets: &[u32; 256], characters: &[u8; 4]) -> u32 {
    let of = |b: &u8| sextets.get(usize::from(*b)).copied().unwrap_or(FOREIGN);
    let [a, b, c, d] = characters;
    let (a, b, c, d) = (of(a), of(b), of(c), of(d));
    a << 18 | b << 12 | c << 6 | d | (a | b | c | d) & FOREIGN
}

/// Decodes base64 in lines of whole groups, as everybody writes it.
fn plain(text: &[u8]) -> Option<Vec<u8>> {
    let sextets: &[u32; 256] = &SEXTETS;
    let mut out = Vec::with_capacity(text.len() / 4 * 3);
    let mut ended = false;
    let mut foreign = 0;
    let mut rest = text;
    while !rest.is_empty() {
        let (line, behind) = rest.split_at_checked(memchr(b'\n', rest).map_or(rest.len(), |end| end + 1))?;
        rest = behind;
        let line = line.trim_ascii();
        let (mut groups, odd) = line.as_chunks::<4>();
        if !odd.is_empty() || ended && !line.is_empty() {
            return None;
        }
        let mut last = None;
        if let Some(([a, b, c, b'='], before)) = groups.split_last() {
            last = Some(if *c == b'=' { ([*a, *b, b'A', b'A'], 1) } else { ([*a, *b, *c, b'A'], 2) });
            groups = before;
        }
        let start = out.len();
        out.resize(start + groups.len() * 3, 0);
        let (places, _) = out.get_mut(start..)?.as_chunks_mut::<3>();
        for (characters, place) in groups.iter().zip(places) {
            let bits = group(sextets, characters);
            foreign |= bits;
            let [_, x, y, z] = bits.to_be_bytes();
            *place = [x, y, z];
        }
        if let Some((characters, bytes)) = last {
            let bits = group(sextets, &characters);
            foreign |= bits;
            out.extend(bits.to_be_bytes().into_iter().skip(1).take(bytes));
            ended = true;
        }
    }
    (foreign & FOREIGN == 0).then_some(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use why401_auth::base64;

    fn text(bytes: &[u8], width: usize, end: &str) -> String {
        let encoded = base64::encode(bytes);
        let lines = encoded.as_bytes().chunks(width).map(|l| format!("{}{end}", String::from_utf8_lossy(l)));
        format!(
            "# a remark{end}-----BEGIN CERTIFICATE-----{end}{}-----END CERTIFICATE-----{end}",
            lines.collect::<String>()
        )
    }

    #[test]
    fn however_it_is_written_it_is_read() {
        for length in 0..70 {
            let bytes: Vec<u8> = (0..length).map(|i: u8| i.wrapping_mul(37)).collect();
            // Lines of 63 have no whole groups.
            for (width, end) in [(64, "\n"), (64, "\r\n"), (63, "\n"), (76, "\n")] {
                let twice = text(&bytes, width, end).repeat(2);
                let wanted = CertificateDer::from(bytes.clone());
                assert_eq!(certificates(twice.as_bytes()), [wanted.clone(), wanted], "{twice}");
            }
        }
    }

    #[test]
    fn what_is_damaged_is_left_out_and_what_follows_is_read() {
        let good = text(b"certificate", 64, "\n");
        for bad in ["a,b=", "AA=A", "A===", "AA==\nAAAA", "AAAAA"] {
            let bad = format!("-----BEGIN CERTIFICATE-----\n{bad}\n-----END CERTIFICATE-----\n");
            let wanted = CertificateDer::from(&b"certificate"[..]);
            assert_eq!(certificates((bad + &good).as_bytes()), [wanted]);
        }
        assert!(certificates(b"-----BEGIN CERTIFICATE-----\nAAAA").is_empty());
    }

    proptest! {
        #[test]
        fn nothing_that_the_other_decoder_reads_is_lost(text in "(AAAA|Zm9v|=|\n|-|A|,|-----BEGIN CERTIFICATE-----\n|\n-----END CERTIFICATE-----\n){0,30}") {
            let theirs = CertificateDer::pem_slice_iter(text.as_bytes()).filter_map(Result::ok);
            let ours = certificates(text.as_bytes());
            for certificate in theirs {
                prop_assert!(ours.contains(&certificate), "{text}");
            }
        }
    }
}
