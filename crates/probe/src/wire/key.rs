//! Certificates and private keys from files, encrypted ones too.

use aws_lc_rs::cipher::{
    AES_128, AES_192, AES_256, DecryptionContext, PaddedBlockDecryptingKey, UnboundCipherKey,
};
use aws_lc_rs::iv::FixedLength;
use aws_lc_rs::pbkdf2;
use std::num::NonZeroU32;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use why401_auth::Secret;
use why401_auth::base64::{self, Alphabet};

/// How a certificate and its key are written.
#[derive(Debug, Clone, Default)]
pub struct Kind {
    /// The certificate in DER instead of PEM.
    pub certificate_der: bool,
    /// The key in DER instead of PEM.
    pub key_der: bool,
    /// The pass phrase of the key.
    pub pass: Option<Secret>,
}

/// The certificates of a file, the first one's owner first.
///
/// # Errors
/// Where there is none.
pub(super) fn chain(bytes: &[u8], kind: &Kind) -> Result<Vec<CertificateDer<'static>>, String> {
    if kind.certificate_der {
        return Ok(vec![CertificateDer::from(bytes.to_vec())]);
    }
    let chain = super::pem::certificates(bytes);
    if chain.is_empty() { Err("there is no certificate in PEM in it".to_owned()) } else { Ok(chain) }
}

/// The private key of a file.
///
/// # Errors
/// Where there is none, or it is encrypted and cannot be decrypted.
pub(super) fn private(bytes: &[u8], kind: &Kind) -> Result<PrivateKeyDer<'static>, String> {
    if let Some(key) = plain(bytes, kind) {
        return Ok(key);
    }
    if let Some(der) = sealed(bytes, kind) {
        return decrypted(&der, kind.pass.as_ref());
    }
    let text = String::from_utf8_lossy(bytes);
    if text.contains("Proc-Type: 4,ENCRYPTED") {
        return Err(
            "its key is encrypted in OpenSSL's old way; `openssl pkcs8 -topk8 -in OLD -out NEW` writes it \
                    in the way that is read here"
                .to_owned(),
        );
    }
    Err("there is no private key in PEM in it".to_owned())
}

/// Whether the key of a file needs a pass phrase.
pub(super) fn is_sealed(bytes: &[u8], kind: &Kind) -> bool {
    plain(bytes, kind).is_none() && sealed(bytes, kind).is_some_and(|der| Sealed::read(&der).is_some())
}

fn plain(bytes: &[u8], kind: &Kind) -> Option<PrivateKeyDer<'static>> {
    match kind.key_der {
        true => PrivateKeyDer::try_from(bytes.to_vec()).ok(),
        false => PrivateKeyDer::from_pem_slice(bytes).ok(),
    }
}

/// The DER of an encrypted key.
fn sealed(bytes: &[u8], kind: &Kind) -> Option<Vec<u8>> {
    if kind.key_der {
        return Some(bytes.to_vec());
    }
    let text = String::from_utf8_lossy(bytes);
    let (_, rest) = text.split_once("-----BEGIN ENCRYPTED PRIVATE KEY-----")?;
    let body: String = rest.split("-----END").next().unwrap_or_default().split_whitespace().collect();
    Some(base64::decode(body.as_bytes(), 0..body.len(), Alphabet::Standard).bytes.expose().to_vec())
}

/// So many rounds of PBKDF2 are taken at most, a matter of seconds.
const MOST_ROUNDS: u64 = 20_000_000;

/// A key of PKCS #8 that is encrypted as PKCS #5 version 2 has it: PBES2 with PBKDF2 and AES in CBC (RFC 5958 section 3,
/// RFC 8018 appendix A), which is what OpenSSL writes since 1.1.
fn decrypted(der: &[u8], pass: Option<&Secret>) -> Result<PrivateKeyDer<'static>, String> {
    let Some(sealed) = Sealed::read(der) else {
        return Err(
            "its key is encrypted in another way than PBES2 with PBKDF2 and AES in CBC, which is read here; \
                    `openssl pkcs8 -topk8 -v2 aes-256-cbc -in OLD -out NEW` writes it so"
                .to_owned(),
        );
    };
    let pass = pass
        .ok_or("its key is encrypted; name the pass phrase with --pass, or behind -E's file and a colon")?;
    let opened = sealed.open(pass.expose()).and_then(|plain| PrivateKeyDer::try_from(plain).ok());
    opened.ok_or_else(|| "the pass phrase does not open its key".to_owned())
}

struct Sealed<'a> {
    mac: pbkdf2::Algorithm,
    salt: &'a [u8],
    rounds: NonZeroU32,
    cipher: &'static aws_lc_rs::cipher::Algorithm,
    key_length: usize,
    iv: [u8; 16],
    content: &'a [u8],
}

const SEQUENCE: u8 = 0x30;
const OBJECT: u8 = 6;
const OCTETS: u8 = 4;
const INTEGER: u8 = 2;

impl<'a> Sealed<'a> {
    fn read(der: &'a [u8]) -> Option<Self> {
        let mut whole = Reader(Reader(der).take(SEQUENCE)?);
        let mut algorithm = Reader(whole.take(SEQUENCE)?);
        let content = whole.take(OCTETS)?;
        // PBES2 1.2.840.113549.1.5.13, PBKDF2 1.2.840.113549.1.5.12.
        algorithm.take(OBJECT).filter(|o| *o == [42, 134, 72, 134, 247, 13, 1, 5, 13])?;
        let mut parameters = Reader(algorithm.take(SEQUENCE)?);
        let mut derivation = Reader(parameters.take(SEQUENCE)?);
        derivation.take(OBJECT).filter(|o| *o == [42, 134, 72, 134, 247, 13, 1, 5, 12])?;
        let mut derivation = Reader(derivation.take(SEQUENCE)?);
        let salt = derivation.take(OCTETS)?;
        let rounds = number(derivation.take(INTEGER)?)?;
        let _length = derivation.take(INTEGER);
        let mac = match derivation.take(SEQUENCE).and_then(|mac| Reader(mac).take(OBJECT)) {
            // hmacWithSHA1 is what is meant where nothing stands (RFC 8018 appendix A.2); the others by their last number.
            None => pbkdf2::PBKDF2_HMAC_SHA1,
            Some([42, 134, 72, 134, 247, 13, 2, last]) => match last {
                7 => pbkdf2::PBKDF2_HMAC_SHA1,
                9 => pbkdf2::PBKDF2_HMAC_SHA256,
                10 => pbkdf2::PBKDF2_HMAC_SHA384,
                11 => pbkdf2::PBKDF2_HMAC_SHA512,
                _ => return None,
            },
            Some(_) => return None,
        };
        let mut scheme = Reader(parameters.take(SEQUENCE)?);
        // AES in CBC, 2.16.840.1.101.3.4.1.2, 22 and 42.
        let (cipher, key_length) = match scheme.take(OBJECT)? {
            [96, 134, 72, 1, 101, 3, 4, 1, 2] => (&AES_128, 16),
            [96, 134, 72, 1, 101, 3, 4, 1, 22] => (&AES_192, 24),
            [96, 134, 72, 1, 101, 3, 4, 1, 42] => (&AES_256, 32),
            _ => return None,
        };
        let iv = scheme.take(OCTETS)?.try_into().ok()?;
        Some(Sealed { mac, salt, rounds, cipher, key_length, iv, content })
    }

    fn open(&self, pass: &[u8]) -> Option<Vec<u8>> {
        let mut key = vec![0; self.key_length];
        pbkdf2::derive(self.mac, self.rounds, self.salt, pass, &mut key);
        let key = UnboundCipherKey::new(self.cipher, &key).ok()?;
        let key = PaddedBlockDecryptingKey::cbc_pkcs7(key).ok()?;
        let mut content = self.content.to_vec();
        let iv = DecryptionContext::Iv128(FixedLength::from(self.iv));
        key.decrypt(&mut content, iv).ok().map(|plain| plain.to_vec())
    }
}

fn number(bytes: &[u8]) -> Option<NonZeroU32> {
    let value = bytes.iter().try_fold(0_u64, |n, b| Some(n.checked_mul(256)? + u64::from(*b)))?;
    NonZeroU32::new(u32::try_from(value).ok().filter(|_| value <= MOST_ROUNDS)?)
}

/// Elements of DER (ITU-T X.690), one after the other.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    /// The content of the next element if it has this tag.
    fn take(&mut self, tag: u8) -> Option<&'a [u8]> {
        let (first, rest) = self.0.split_first()?;
        let (length, rest) = rest.split_first()?;
        let (length, rest) = match length {
            0..=0x7f => (usize::from(*length), rest),
            0x81..=0x83 => {
                let (digits, rest) = rest.split_at_checked(usize::from(length & 0x7f))?;
                (digits.iter().fold(0, |n, d| n << 8 | usize::from(*d)), rest)
            }
            _ => return None,
        };
        let (content, rest) = rest.split_at_checked(length)?;
        if *first != tag {
            return None;
        }
        self.0 = rest;
        Some(content)
    }
}
