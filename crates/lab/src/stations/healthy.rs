//! Handshakes that end well, and the one pattern that is an attack.

use super::handshakes::{self, DigestKind};
use super::tokens;
use crate::guard::{self, admit, refuse};
use crate::message::{Answer, Certificate};
use crate::station::{Call, Station};
use why401_auth::scheme::digest::{Algorithm, Hash};

pub(crate) const STATIONS: &[Station] = &[
    Station {
        path: "/challenge-answered",
        cause: "challenge-answered",
        does: "Asks for Basic, and lets alice in.",
        good: "Answers the challenge and takes the 401 for what it is: a question.",
        command: Some("curl -v -s --anyauth -u alice:Kiefer-88-Boot $LAB/challenge-answered"),
        serve: guard::basic_resource,
    },
    Station {
        path: "/challenge-answered/digest",
        cause: "challenge-answered",
        does: "Asks for Digest with MD5 (RFC 7616).",
        good: "Answers with the response for this request and this nonce, and uses the nonce again with a rising count.",
        command: Some("curl -v -s --digest -u alice:Kiefer-88-Boot $LAB/challenge-answered/digest"),
        serve: |call| handshakes::digest(call, &DigestKind::plain(Hash::Md5)),
    },
    Station {
        path: "/challenge-answered/digest-md5-sess",
        cause: "challenge-answered",
        does: "Asks for Digest with MD5-sess.",
        good: "Mixes nonce and cnonce into the key.",
        command: Some("curl -v -s --digest -u alice:Kiefer-88-Boot $LAB/challenge-answered/digest-md5-sess"),
        serve: |call| handshakes::digest(call, &DigestKind::session(Hash::Md5)),
    },
    Station {
        path: "/challenge-answered/digest-sha-256",
        cause: "challenge-answered",
        does: "Asks for Digest with SHA-256.",
        good: "Knows more than MD5.",
        command: Some("curl -v -s --digest -u alice:Kiefer-88-Boot $LAB/challenge-answered/digest-sha-256"),
        serve: |call| handshakes::digest(call, &DigestKind::plain(Hash::Sha256)),
    },
    Station {
        path: "/challenge-answered/digest-sha-256-sess",
        cause: "challenge-answered",
        does: "Asks for Digest with SHA-256-sess.",
        good: "Knows more than MD5.",
        command: Some(
            "curl -v -s --digest -u alice:Kiefer-88-Boot $LAB/challenge-answered/digest-sha-256-sess",
        ),
        serve: |call| handshakes::digest(call, &DigestKind::session(Hash::Sha256)),
    },
    Station {
        path: "/challenge-answered/digest-sha-512-256",
        cause: "challenge-answered",
        does: "Asks for Digest with SHA-512-256. Older versions of curl compute another hash under this name and are refused.",
        good: "Computes SHA-512/256, not SHA-256.",
        command: None,
        serve: |call| handshakes::digest(call, &DigestKind::plain(Hash::Sha512_256)),
    },
    Station {
        path: "/challenge-answered/digest-sha-512-256-sess",
        cause: "challenge-answered",
        does: "Asks for Digest with SHA-512-256-sess.",
        good: "Computes SHA-512/256, with nonce and cnonce in the key.",
        command: None,
        serve: |call| handshakes::digest(call, &DigestKind::session(Hash::Sha512_256)),
    },
    Station {
        path: "/challenge-answered/digest-auth-int",
        cause: "challenge-answered",
        does: "Asks for Digest with qop=auth-int, which covers the content too.",
        good: "Hashes the content into the response.",
        command: Some("curl -v -s --digest -u alice:Kiefer-88-Boot $LAB/challenge-answered/digest-auth-int"),
        serve: |call| {
            handshakes::digest(call, &DigestKind { qop: "auth-int", ..DigestKind::plain(Hash::Md5) })
        },
    },
    Station {
        path: "/challenge-answered/digest-userhash",
        cause: "challenge-answered",
        does: "Asks for Digest with the user name hashed (RFC 7616 section 3.4.4).",
        good: "Sends the hash of the name where the server asks for it.",
        command: Some("curl -v -s --digest -u alice:Kiefer-88-Boot $LAB/challenge-answered/digest-userhash"),
        serve: |call| {
            handshakes::digest(call, &DigestKind { userhash: true, ..DigestKind::plain(Hash::Sha256) })
        },
    },
    Station {
        path: "/challenge-answered/digest-renewed",
        cause: "challenge-answered",
        does: "Takes the first answer's nonce for stale and the second's for fresh.",
        good: "Answers again with the new nonce and does not ask the user again.",
        command: Some(
            "curl -v -s --digest -u alice:Kiefer-88-Boot $LAB/challenge-answered/digest-renewed/$$",
        ),
        serve: |call| handshakes::digest(call, &DigestKind { stale: 1, ..DigestKind::plain(Hash::Md5) }),
    },
    Station {
        path: "/challenge-answered/ntlm",
        cause: "challenge-answered",
        does: "Asks for NTLM: three messages over one connection.",
        good: "Keeps the connection for all three.",
        command: Some("curl -v -s --ntlm -u alice:Kiefer-88-Boot $LAB/challenge-answered/ntlm"),
        serve: |call| handshakes::ntlm(call, "NTLM", false),
    },
    Station {
        path: "/challenge-answered/bearer",
        cause: "challenge-answered",
        does: "Asks for a token and takes one of the lab's.",
        good: "Reads where tokens come from in the metadata that the challenge names (RFC 9728), gets one and tries again.",
        command: Some(
            "curl -v -s $LAB/challenge-answered/bearer; T=$(curl -s $LAB/mint/token/good); curl -v -s -H \"Authorization: Bearer $T\" $LAB/challenge-answered/bearer",
        ),
        serve: guard::bearer_resource,
    },
    Station {
        path: "/challenge-answered/dpop-nonce",
        cause: "challenge-answered",
        does: "Wants a nonce of its own in the DPoP proof (RFC 9449 section 8).",
        good: "Makes a new proof with the nonce of the answer and tries again.",
        command: Some(
            "U=$LAB/challenge-answered/dpop-nonce; T=$(curl -s $LAB/mint/token/bound); P=$(curl -s \"$LAB/mint/proof?htu=$U&token=$T\"); curl -v -s -H \"Authorization: DPoP $T\" -H \"DPoP: $P\" $U; P=$(curl -s \"$LAB/mint/proof?htu=$U&token=$T&nonce=1\"); curl -v -s -H \"Authorization: DPoP $T\" -H \"DPoP: $P\" $U",
        ),
        serve: |call| guard::dpop_resource(call, true),
    },
    Station {
        path: "/challenge-answered/certificate",
        cause: "challenge-answered",
        does: "Wants a TLS client certificate and takes one of /mint/certificate/good (curl -k --cert FILE, with https).",
        good: "Shows the one it was given when the server asks for one.",
        command: None,
        serve: certificate,
    },
    Station {
        path: "/challenge-answered/aws",
        cause: "challenge-answered",
        does: "Verifies AWS Signature Version 4; the key and its secret are in the command.",
        good: "Signs exactly what it sends.",
        command: Some(
            "curl -v -s $LAB/challenge-answered/aws; curl -v -s --aws-sigv4 aws:amz:us-east-1:lab -u AKIALABLABLABLABLAB1:lab/secret/access/key/of/nobody/at/all01 $LAB/challenge-answered/aws",
        ),
        serve: tokens::aws,
    },
    Station {
        path: "/challenge-answered/message-signature",
        cause: "challenge-answered",
        does: "Verifies an HTTP Message Signature (RFC 9421): its fields are those of /mint/message-signature?path=/challenge-answered/message-signature.",
        good: "Signs the components of the request that it sends.",
        command: None,
        serve: tokens::message_signature,
    },
    Station {
        path: "/challenge-answered/session",
        cause: "challenge-answered",
        does: "Wants a session cookie, which /challenge-answered/session/login gives to alice.",
        good: "Signs in, keeps the cookie and comes back with it.",
        command: Some(
            "curl -v -s $LAB/challenge-answered/session; curl -v -s -u alice:Kiefer-88-Boot $LAB/challenge-answered/session/login; curl -v -s -b sid=s-alice $LAB/challenge-answered/session",
        ),
        serve: session,
    },
    Station {
        path: "/challenge-answered/proxy",
        cause: "challenge-answered",
        does: "The lab as a proxy: asks with 407 and then answers for the origin.",
        good: "Answers with Proxy-Authorization, which is for the proxy alone.",
        command: Some(
            "curl -v -s -x $LAB --proxy-anyauth -U alice:Kiefer-88-Boot http://www.example.com/challenge-answered/proxy",
        ),
        serve: |_| Answer::text(200, "ask for this through the lab as a proxy\n"),
    },
    Station {
        path: "/password-guessing",
        cause: "password-guessing",
        does: "Protects many accounts; somebody tries one password on each.",
        good: "Does not. The server slows down whoever fails often, by address and by account.",
        command: Some(
            "i=0; while [ $i -lt 24 ]; do curl -v -s -u user$i:Sommer2026 $LAB/password-guessing; i=$((i+1)); done",
        ),
        serve: guard::basic_resource,
    },
];

/// A resource that a session cookie opens.
fn session(call: &mut Call<'_>) -> Answer {
    if call.rest == "login" {
        return match guard::basic(call) {
            Ok(account) => {
                admit(account.name).with("Set-Cookie", format!("sid=s-{}; Path=/; HttpOnly", account.name))
            }
            Err(refusal) => refuse(guard::BASIC, &refusal),
        };
    }
    match call.request.cookie("sid").filter(|sid| sid == "s-alice") {
        Some(_) => admit("alice"),
        None => {
            let refusal = why401_verify::Refusal::new("session-missing", "no session cookie");
            refuse(
                "Cookie realm=\"lab\", form-action=\"/challenge-answered/session/login\", cookie-name=\"sid\"",
                &refusal,
            )
        }
    }
}

/// A resource that a client certificate opens.
pub(super) fn certificate(call: &mut Call<'_>) -> Answer {
    let says = |cause, text: &str| guard::refuse_saying(401, guard::CERTIFICATE, cause, text);
    match &call.request.below.tls {
        Some(Certificate::Good) => admit("alice"),
        Some(Certificate::Bad(why)) => says(
            "client-certificate-refused",
            &format!("The SSL certificate error: client certificate refused: {why}"),
        ),
        Some(c) if c.is_absent() => {
            says("client-certificate-missing", "No required SSL certificate was sent")
        }
        _ => says("plain-http", "Please use HTTPS: a client certificate is required"),
    }
}

impl DigestKind {
    fn plain(hash: Hash) -> DigestKind {
        DigestKind { algorithm: Algorithm { hash, session: false }, qop: "auth", userhash: false, stale: 0 }
    }

    fn session(hash: Hash) -> DigestKind {
        DigestKind { algorithm: Algorithm { hash, session: true }, ..DigestKind::plain(hash) }
    }
}
