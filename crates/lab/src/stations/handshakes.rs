//! Digest, NTLM, Negotiate and client certificates: what takes more than one step.

use super::healthy;
use crate::accounts;
use crate::guard::{admit, refuse, refuse_saying};
use crate::keys::random;
use crate::message::Answer;
use crate::station::{Call, Station};
use why401_auth::base64::encode;
use why401_auth::scheme::digest::{Algorithm, Hash};
use why401_auth::scheme::ntlm::Message;
use why401_auth::{inside, parse_credentials};
use why401_verify::digest::{Challenge, Freshness, Request};
use why401_verify::{Presented, Refusal, digest as verify_digest, ntlm as verify_ntlm, presented};

pub(crate) const STATIONS: &[Station] = &[
    Station {
        path: "/digest-nonce-stale",
        cause: "digest-nonce-stale",
        does: "Says of every nonce that it is stale.",
        good: "Tries once more with the new nonce, and reports it when that is stale as well: then it is the server's clock or cluster.",
        command: Some("curl -v -s --digest -u alice:Kiefer-88-Boot $LAB/digest-nonce-stale"),
        serve: |call| digest(call, &DigestKind { stale: u32::MAX, ..MD5 }),
    },
    Station {
        path: "/digest-mismatch",
        cause: "digest-mismatch",
        does: "Verifies Digest as RFC 7616 demands; the answer here was computed for another address.",
        good: "Computes the response over the target that it sends.",
        command: Some(
            "N=$(curl -s -o /dev/null -D - $LAB/digest-mismatch | sed -n 's/.*, nonce=\"\\([^\"]*\\)\".*/\\1/p'); curl -v -s -H \"Authorization: Digest username=\\\"alice\\\", realm=\\\"lab\\\", nonce=\\\"$N\\\", uri=\\\"/another-address\\\", algorithm=MD5, qop=auth, nc=00000001, cnonce=\\\"0a4f113b\\\", opaque=\\\"lab\\\", response=\\\"6629fae49393a05397450978507c4ef1\\\"\" $LAB/digest-mismatch",
        ),
        serve: |call| digest(call, &MD5),
    },
    Station {
        path: "/ntlm-connection-broken",
        cause: "ntlm-connection-broken",
        does: "Closes the connection in the middle of the NTLM handshake.",
        good: "Reports that the connection was closed between the messages: something on the way does not keep it.",
        command: Some("curl -v -s --ntlm -u alice:Kiefer-88-Boot $LAB/ntlm-connection-broken"),
        serve: |call| ntlm(call, "NTLM", true),
    },
    Station {
        path: "/handshake-unfinished",
        cause: "handshake-unfinished",
        does: "Answers an NTLM type 1 message with the challenge, and nothing follows.",
        good: "Sends the type 3 message.",
        command: Some(
            "curl -v -s -H 'Authorization: NTLM TlRMTVNTUAABAAAABoIIAAAAAAAAAAAAAAAAAAAAAAA=' $LAB/handshake-unfinished",
        ),
        serve: |call| ntlm(call, "NTLM", false),
    },
    Station {
        path: "/kerberos-fell-back-to-ntlm",
        cause: "kerberos-fell-back-to-ntlm",
        does: "Offers Negotiate, takes Kerberos only and gets NTLM inside it.",
        good: "Gets a ticket for the service; if it cannot, says so rather than sending NTLM.",
        command: Some(
            "curl -v -s -H 'Authorization: Negotiate TlRMTVNTUAABAAAABoIIAAAAAAAAAAAAAAAAAAAAAAA=' $LAB/kerberos-fell-back-to-ntlm",
        ),
        serve: negotiate,
    },
    Station {
        path: "/kerberos-refused",
        cause: "kerberos-refused",
        does: "Refuses a Kerberos ticket with KRB_AP_ERR_BADKEYVER: the keytab is older than the key.",
        good: "Can do nothing; the operator makes a new keytab.",
        command: Some(
            "T=$(curl -s $LAB/kerberos-refused/ticket); curl -v -s -H \"Authorization: Negotiate $T\" $LAB/kerberos-refused",
        ),
        serve: negotiate,
    },
    Station {
        path: "/kerberos-ticket-unavailable",
        cause: "kerberos-ticket-unavailable",
        does: "Offers Negotiate to a client that has no ticket.",
        good: "Says why it got no ticket.",
        command: Some("curl -v -s --negotiate -u : $LAB/kerberos-ticket-unavailable"),
        serve: negotiate,
    },
    Station {
        path: "/channel-binding-missing",
        cause: "channel-binding-missing",
        does: "Wants channel binding (Extended Protection), which the client's NTLM message does not have.",
        good: "Binds the message to the TLS connection (RFC 5929).",
        command: Some("curl -v -s --ntlm -u alice:Kiefer-88-Boot $LAB/channel-binding-missing"),
        serve: channel_binding,
    },
    Station {
        path: "/loopback-check",
        cause: "loopback-check",
        does: "A Windows server that refuses integrated authentication of requests to itself. Only the server's log shows it: Win32 status 2148074252 where both addresses are one.",
        good: "Uses the server's own name; the operator sets BackConnectionHostNames.",
        command: None,
        serve: |call| {
            let answer = ntlm(call, "NTLM", false);
            match answer.status {
                200 => refuse(
                    "NTLM",
                    &Refusal::new("loopback-check", "SEC_E_LOGON_DENIED on a request to itself"),
                )
                .substatus(1, 2_148_074_252)
                .user("LAB\\alice"),
                _ => answer,
            }
        },
    },
    Station {
        path: "/client-certificate-missing",
        cause: "client-certificate-missing",
        does: "Wants a TLS client certificate.",
        good: "Shows the one it was given when the server asks for one.",
        command: Some("S=$(echo $LAB | sed s/^http:/https:/); curl -v -s -k $S/client-certificate-missing"),
        serve: healthy::certificate,
    },
    Station {
        path: "/client-certificate-refused",
        cause: "client-certificate-refused",
        does: "Refuses an expired client certificate.",
        good: "Renews its certificate in time.",
        command: Some(
            "F=$(mktemp); curl -s $LAB/mint/certificate/expired > $F; S=$(echo $LAB | sed s/^http:/https:/); curl -v -s -k --cert $F $S/client-certificate-refused; rm -f $F",
        ),
        serve: healthy::certificate,
    },
    Station {
        path: "/client-certificate-refused/issuer",
        cause: "client-certificate-refused",
        does: "Refuses a client certificate of an authority that it does not know.",
        good: "Shows a certificate of one of the authorities that the server names in its request.",
        command: Some(
            "F=$(mktemp); curl -s $LAB/mint/certificate/stranger > $F; S=$(echo $LAB | sed s/^http:/https:/); curl -v -s -k --cert $F $S/client-certificate-refused/issuer; rm -f $F",
        ),
        serve: healthy::certificate,
    },
];

/// What a Digest station asks for.
pub(crate) struct DigestKind {
    pub(crate) algorithm: Algorithm,
    pub(crate) qop: &'static str,
    pub(crate) userhash: bool,
    /// How many answers of one experiment are called stale.
    pub(crate) stale: u32,
}

/// Digest with SHA-256.
pub(super) const SHA_256: DigestKind = DigestKind {
    algorithm: Algorithm { hash: Hash::Sha256, session: false },
    qop: "auth",
    userhash: false,
    stale: 0,
};

const MD5: DigestKind = DigestKind { algorithm: Algorithm::DEFAULT, qop: "auth", userhash: false, stale: 0 };

/// A resource that Digest protects.
pub(crate) fn digest(call: &Call<'_>, kind: &DigestKind) -> Answer {
    const REALM: &str = "lab";
    let now = call.lab.now();
    let challenge = Challenge {
        realm: REALM,
        algorithm: kind.algorithm,
        qop: kind.qop,
        opaque: "lab",
        userhash: kind.userhash,
    };
    let nonce = call.lab.nonces.issue(now);
    let refused =
        |refusal: &Refusal| refuse(&challenge.text(&nonce, refusal.cause == "digest-nonce-stale"), refusal);
    let given = match presented::read(&call.request.values("authorization"), &["digest"]) {
        Ok(Presented::Digest(given)) => given,
        Ok(_) => return refused(&Refusal::new("scheme-not-offered", "only Digest is offered")),
        Err(refusal) => return refused(&refusal),
    };
    let mut freshness = call.lab.nonces.check(given.nonce.as_deref().unwrap_or_default(), now);
    let counted = format!("{}{}", call.request.path(), call.experiment());
    if freshness == Freshness::Fresh && call.lab.remember(|m| m.count(counted)) <= kind.stale {
        freshness = Freshness::Stale;
    }
    let request = Request {
        method: &call.request.method,
        target: call.request.origin_form(),
        body: &call.request.body,
    };
    match verify_digest::verify(
        &given,
        &challenge,
        freshness,
        &request,
        accounts::digest(kind.algorithm, REALM),
    ) {
        Ok(user) => admit(&user),
        Err(refusal) => refused(&refusal),
    }
}

/// A resource that NTLM protects (MS-NTHT). `break_it`: the connection is closed after the challenge.
pub(crate) fn ntlm(call: &mut Call<'_>, scheme: &str, break_it: bool) -> Answer {
    let asked = |refusal: Refusal| refuse(scheme, &refusal);
    let Some(value) = call.request.all("authorization").next() else {
        return asked(Refusal::new("no-credentials", "no Authorization field")).substatus(2, 5);
    };
    let parsed = parse_credentials(value);
    let message = parsed.value.first().map(|c| inside::of(value, c));
    let Some(inside::Inside::Negotiate(message)) = message else {
        return asked(Refusal::new("scheme-not-offered", "only NTLM is offered")).substatus(2, 5);
    };
    let Some(message) = message.token.ntlm().cloned() else {
        return asked(Refusal::new("scheme-not-offered", "no NTLM message")).substatus(2, 5);
    };
    match message.message {
        Message::Negotiate { .. } => {
            let challenge = random::<8>();
            call.session.ntlm = Some(challenge);
            let text = encode(&verify_ntlm::challenge(challenge, "LAB", "lab.example.com", call.lab.now()));
            let refusal =
                Refusal::new("ntlm-connection-broken", "the connection is closed after the type 2 message");
            let answer = refuse(&format!("{scheme} {text}"), &refusal).substatus(1, 2_148_074_254);
            // A step of the handshake is no refusal, as long as the next one may come.
            Answer { close: break_it, cause: answer.cause.filter(|_| break_it), ..answer }
        }
        Message::Authenticate(given) => {
            let Some(challenge) = call.session.ntlm.take() else {
                let says = "a type 3 message on a connection that has seen no type 1";
                return asked(Refusal::new("ntlm-connection-broken", says)).substatus(1, 2_148_074_248);
            };
            let user = given.user.clone();
            let verdict = match accounts::password(&given.user) {
                Some(password) => verify_ntlm::verify(&given, challenge, &password),
                None => Err(Refusal::new("unknown-user", "no account of that name")),
            };
            match verdict {
                Ok(()) => admit(&user.to_lowercase()),
                Err(refusal) => {
                    let win32 = if refusal.cause == "unknown-user" { 1317 } else { 1326 };
                    asked(refusal).substatus(1, win32).user(user)
                }
            }
        }
        _ => asked(Refusal::new("handshake-unfinished", "neither a type 1 nor a type 3 message")),
    }
}

/// Extended Protection: NTLM that verifies, without a channel binding in it.
fn channel_binding(call: &mut Call<'_>) -> Answer {
    let answer = ntlm(call, "NTLM", false);
    match answer.status {
        200 => refuse_saying(
            401,
            "NTLM realm=\"lab\"",
            "channel-binding-missing",
            "Incorrect channel bindings were supplied (SEC_E_BAD_BINDINGS)",
        )
        .substatus(1, 2_148_074_310),
        _ => answer,
    }
}

/// A resource that Negotiate protects and Kerberos alone would open; the lab has no keytab, so no ticket fits.
fn negotiate(call: &mut Call<'_>) -> Answer {
    if call.rest == "ticket" {
        return Answer::text(200, encode(&kerberos::ap_req(&call.request.authority())));
    }
    let Some(value) = call.request.all("authorization").next() else {
        return refuse("Negotiate", &Refusal::new("no-credentials", "no Authorization field"))
            .substatus(2, 5);
    };
    let parsed = parse_credentials(value);
    let message = match parsed.value.first().map(|c| inside::of(value, c)) {
        Some(inside::Inside::Negotiate(message)) => Some(message.token),
        _ => None,
    };
    match message {
        Some(token) if token.ntlm().is_some() => refuse(
            "Negotiate",
            &Refusal::new("kerberos-fell-back-to-ntlm", "NTLM inside Negotiate, and only Kerberos is taken"),
        )
        .substatus(1, 2_148_074_254),
        Some(token) if token.kerberos().is_some() => {
            let error = encode(&kerberos::error(44, call.lab.now()));
            let refusal = Refusal::new("kerberos-refused", "KRB_AP_ERR_BADKEYVER");
            refuse(&format!("Negotiate {error}"), &refusal)
        }
        _ => refuse("Negotiate", &Refusal::new("kerberos-refused", "no message that could be read")),
    }
}

/// The Kerberos messages of the lab (RFC 4120, RFC 4121 section 4.1): well-formed, sealed with noise.
mod kerberos {
    use crate::keys::random;

    fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
        let mut out = vec![tag];
        match content.len() {
            n @ 0..=0x7f => out.push(n as u8),
            n @ 0x80..=0xff => out.extend([0x81, n as u8]),
            n => out.extend([0x82, (n >> 8) as u8, n as u8]),
        }
        out.extend_from_slice(content);
        out
    }

    fn explicit(number: u8, content: &[u8]) -> Vec<u8> {
        tlv(0xa0 | number, content)
    }

    fn integer(value: u8) -> Vec<u8> {
        tlv(2, &[value])
    }

    fn text(value: &str) -> Vec<u8> {
        tlv(0x1b, value.as_bytes())
    }

    fn principal(kind: u8, parts: &[&str]) -> Vec<u8> {
        let parts: Vec<u8> = parts.iter().flat_map(|p| text(p)).collect();
        tlv(0x30, &[explicit(0, &integer(kind)), explicit(1, &tlv(0x30, &parts))].concat())
    }

    /// Encryption type 18, key version 3.
    fn sealed(version: bool) -> Vec<u8> {
        let kvno = if version { explicit(1, &integer(3)) } else { Vec::new() };
        tlv(0x30, &[explicit(0, &integer(18)), kvno, explicit(2, &tlv(4, &random::<64>()))].concat())
    }

    /// The mechanism's frame (RFC 2743 section 3.1): Kerberos, and the kind of token.
    fn framed(kind: [u8; 2], message: &[u8]) -> Vec<u8> {
        let oid = [6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 1, 2, 2];
        tlv(0x60, &[&oid[..], &kind, message].concat())
    }

    /// An AP-REQ for HTTP at the host.
    pub(super) fn ap_req(authority: &str) -> Vec<u8> {
        let host = authority.rsplit_once(':').map_or(authority, |(host, _)| host);
        let ticket = [
            explicit(0, &integer(5)),
            explicit(1, &text("LAB.EXAMPLE.COM")),
            explicit(2, &principal(3, &["HTTP", host])),
            explicit(3, &sealed(true)),
        ];
        let ticket = tlv(0x61, &tlv(0x30, &ticket.concat()));
        let request = [
            explicit(0, &integer(5)),
            explicit(1, &integer(14)),
            explicit(2, &tlv(3, &[0, 0x20, 0, 0, 0])),
            explicit(3, &ticket),
            explicit(4, &sealed(false)),
        ];
        framed([1, 0], &tlv(0x6e, &tlv(0x30, &request.concat())))
    }

    /// A KRB-ERROR of that code.
    pub(super) fn error(code: u8, now: i64) -> Vec<u8> {
        let time =
            jiff::Timestamp::from_second(now).unwrap_or_default().strftime("%Y%m%d%H%M%SZ").to_string();
        let content = [
            explicit(0, &integer(5)),
            explicit(1, &integer(30)),
            explicit(4, &tlv(0x18, time.as_bytes())),
            explicit(5, &integer(0)),
            explicit(6, &integer(code)),
            explicit(9, &text("LAB.EXAMPLE.COM")),
            explicit(10, &principal(3, &["HTTP", "lab.example.com"])),
        ];
        framed([3, 0], &tlv(0x7e, &tlv(0x30, &content.concat())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use why401_auth::scheme::spnego;

    #[test]
    fn the_lab_s_own_kerberos_messages_can_be_read() {
        let ticket = spnego::read(&kerberos::ap_req("127.0.0.1:4010")).unwrap();
        assert!(ticket.kerberos().is_some());
        let error = spnego::read(&kerberos::error(44, 1_700_000_000)).unwrap();
        assert!(error.kerberos().is_some());
    }
}
