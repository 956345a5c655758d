//! An authority made for one run, and the certificates that it issues (RFC 5280).

use crate::der::{bits, integer, octets, oid, sequence, set, tagged};
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair};
use jiff::{Timestamp, ToSpan};
use std::net::IpAddr;
use std::sync::Arc;
use tokio_rustls::rustls::crypto::aws_lc_rs::sign::any_ecdsa_type;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::rustls::sign::{CertifiedKey, SigningKey};

/// ecdsa-with-SHA256 (RFC 5758 section 3.2).
const ECDSA_WITH_SHA256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02];
/// id-ecPublicKey and secp256r1 (RFC 5480 section 2.1.1).
const EC_PUBLIC_KEY: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
const P256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
/// id-at-commonName.
const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];
/// Extensions (RFC 5280 section 4.2.1).
const SUBJECT_KEY: &[u8] = &[0x55, 0x1d, 0x0e];
const KEY_USAGE: &[u8] = &[0x55, 0x1d, 0x0f];
const ALTERNATIVE_NAME: &[u8] = &[0x55, 0x1d, 0x11];
const BASIC_CONSTRAINTS: &[u8] = &[0x55, 0x1d, 0x13];
const AUTHORITY_KEY: &[u8] = &[0x55, 0x1d, 0x23];
const EXTENDED_USAGE: &[u8] = &[0x55, 0x1d, 0x25];
/// id-kp-serverAuth.
const SERVER_AUTH: &[u8] = &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x01];

/// Issues certificates for whichever host is asked for.
pub(crate) struct Authority {
    key: EcdsaKeyPair,
    name: String,
    certificate: CertificateDer<'static>,
    /// The one key of all the hosts.
    hosts: Arc<dyn SigningKey>,
    hosts_public: Vec<u8>,
}

impl Authority {
    /// A new one.
    pub(crate) fn new(name: &str, now: Timestamp) -> Result<Authority, String> {
        let unusable = |_| "this machine makes no keys".to_owned();
        let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).map_err(unusable)?;
        let hosts = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).map_err(unusable)?;
        let hosts_public = hosts.public_key().as_ref().to_vec();
        let pkcs8 = hosts.to_pkcs8v1().map_err(unusable)?.as_ref().to_vec();
        let der = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(pkcs8));
        let hosts = any_ecdsa_type(&der).map_err(|e| e.to_string())?;
        let mut authority = Authority {
            key,
            name: name.to_owned(),
            certificate: CertificateDer::from(Vec::new()),
            hosts,
            hosts_public,
        };
        let own = authority.key.public_key().as_ref().to_vec();
        let extensions = [
            // cA TRUE; keyCertSign and cRLSign.
            extension(BASIC_CONSTRAINTS, true, &sequence(&[&tagged(0x01, &[0xff])])),
            extension(KEY_USAGE, true, &tagged(0x03, &[1, 0x06])),
            extension(SUBJECT_KEY, false, &octets(&key_id(&own))),
        ];
        authority.certificate = authority.issue(name, &own, &extensions.concat(), now)?;
        Ok(authority)
    }

    /// Its own certificate.
    pub(crate) fn certificate(&self) -> &CertificateDer<'static> {
        &self.certificate
    }

    /// A certificate for a host (a name or an IP address) and its key.
    pub(crate) fn host(&self, host: &str, now: Timestamp) -> Result<Arc<CertifiedKey>, String> {
        let bare = host.trim_matches(['[', ']']);
        let name = match bare.parse::<IpAddr>() {
            Ok(IpAddr::V4(ip)) => tagged(0x87, &ip.octets()),
            Ok(IpAddr::V6(ip)) => tagged(0x87, &ip.octets()),
            Err(_) => tagged(0x82, bare.as_bytes()),
        };
        let own = self.key.public_key().as_ref();
        let extensions = [
            extension(BASIC_CONSTRAINTS, true, &sequence(&[])),
            extension(KEY_USAGE, true, &tagged(0x03, &[7, 0x80])),
            extension(EXTENDED_USAGE, false, &sequence(&[&oid(SERVER_AUTH)])),
            extension(ALTERNATIVE_NAME, false, &sequence(&[&name])),
            extension(SUBJECT_KEY, false, &octets(&key_id(&self.hosts_public))),
            extension(AUTHORITY_KEY, false, &sequence(&[&tagged(0x80, &key_id(own))])),
        ];
        // A common name has 64 characters at most (RFC 5280 appendix A.1).
        let common: String = bare.chars().take(64).collect();
        let leaf = self.issue(&common, &self.hosts_public, &extensions.concat(), now)?;
        Ok(Arc::new(CertifiedKey::new(vec![leaf, self.certificate.clone()], Arc::clone(&self.hosts))))
    }

    fn issue(
        &self,
        subject: &str,
        public: &[u8],
        extensions: &[u8],
        now: Timestamp,
    ) -> Result<CertificateDer<'static>, String> {
        let unusable = |_| "this machine signs nothing".to_owned();
        let mut serial = [0_u8; 16];
        aws_lc_rs::rand::fill(&mut serial).map_err(unusable)?;
        let algorithm = sequence(&[&oid(ECDSA_WITH_SHA256)]);
        let key = sequence(&[&sequence(&[&oid(EC_PUBLIC_KEY), &oid(P256)]), &bits(public)]);
        let body = sequence(&[
            // Version 3.
            &tagged(0xa0, &integer(&[2])),
            &integer(&serial),
            &algorithm,
            &name(&self.name),
            &sequence(&[&time(now, -48), &time(now, 24 * 30)]),
            &name(subject),
            &key,
            &tagged(0xa3, &sequence(&[extensions])),
        ]);
        let signature = self.key.sign(&SystemRandom::new(), &body).map_err(unusable)?;
        Ok(CertificateDer::from(sequence(&[&body, &algorithm, &bits(signature.as_ref())])))
    }
}

fn key_id(public: &[u8]) -> Vec<u8> {
    digest(&SHA256, public).as_ref().iter().take(20).copied().collect()
}

fn extension(id: &[u8], critical: bool, value: &[u8]) -> Vec<u8> {
    let critical = if critical { tagged(0x01, &[0xff]) } else { Vec::new() };
    sequence(&[&oid(id), &critical, &octets(value)])
}

fn name(common: &str) -> Vec<u8> {
    // UTF8String.
    sequence(&[&set(&sequence(&[&oid(COMMON_NAME), &tagged(0x0c, common.as_bytes())]))])
}

/// A UTCTime so many hours from now.
fn time(now: Timestamp, hours: i64) -> Vec<u8> {
    let at = now.checked_add(hours.hours()).unwrap_or(now);
    tagged(0x17, at.strftime("%y%m%d%H%M%SZ").to_string().as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio_rustls::rustls::RootCertStore;
    use tokio_rustls::rustls::client::WebPkiServerVerifier;
    use tokio_rustls::rustls::client::danger::ServerCertVerifier;
    use tokio_rustls::rustls::crypto::aws_lc_rs::default_provider;
    use tokio_rustls::rustls::pki_types::{ServerName, UnixTime};

    #[test]
    fn what_it_issues_verifies_against_it_and_nobody_else() {
        let now = Timestamp::now();
        let ours = Authority::new("why401, this run only", now).unwrap();
        let other = Authority::new("why401, this run only", now).unwrap();
        let verify = |authority: &Authority, host: &str, asked: &str| {
            let mut roots = RootCertStore::empty();
            roots.add(authority.certificate().clone()).unwrap();
            let provider = Arc::new(default_provider());
            let verifier =
                WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build().unwrap();
            let issued = ours.host(host, now).unwrap();
            let name = ServerName::try_from(asked.to_owned()).unwrap();
            verifier
                .verify_server_cert(&issued.cert[0], &issued.cert[1..], &name, &[], UnixTime::now())
                .is_ok()
        };
        assert!(verify(&ours, "example.com", "example.com"));
        assert!(verify(&ours, "127.0.0.1", "127.0.0.1") && verify(&ours, "[::1]", "::1"));
        assert!(!verify(&ours, "example.com", "example.net"));
        assert!(!verify(&other, "example.com", "example.com"));
    }
}
