//! Tokens, and requests that are signed.

use crate::accounts::{ACCESS_KEY, SECRET_KEY, SHARED_SECRET};
use crate::guard::{self, admit, refuse, refuse_saying};
use crate::message::Answer;
use crate::station::{Call, Station};
use why401_auth::Secret;
use why401_verify::signed::{Components, verify_content, verify_message};
use why401_verify::{Presented, Refusal, presented, sigv4};

pub(crate) const STATIONS: &[Station] = &[
    token(
        "/token-expired",
        "token-expired",
        "Gets a token whose time is over.",
        "Renews its token before exp.",
        "T=$(curl -s $LAB/mint/token/expired); curl -v -s -H \"Authorization: Bearer $T\" $LAB/token-expired",
    ),
    token(
        "/token-not-yet-valid",
        "token-not-yet-valid",
        "Gets a token whose nbf lies an hour ahead.",
        "Waits until nbf.",
        "T=$(curl -s $LAB/mint/token/not-yet-valid); curl -v -s -H \"Authorization: Bearer $T\" $LAB/token-not-yet-valid",
    ),
    token(
        "/clock-skew",
        "clock-skew",
        "Gets a token that was issued a quarter of an hour in the future.",
        "Keeps its clock by NTP.",
        "T=$(curl -s $LAB/mint/token/from-the-future); curl -v -s -H \"Authorization: Bearer $T\" $LAB/clock-skew",
    ),
    Station {
        path: "/clock-skew/signature",
        cause: "clock-skew",
        does: "Gets an HTTP Message Signature that is an hour old.",
        good: "Keeps its clock by NTP and signs when it sends.",
        command: Some(
            "curl -s \"$LAB/mint/message-signature?path=/clock-skew/signature&ago=3600\" | curl -v -s -H @- $LAB/clock-skew/signature",
        ),
        serve: message_signature,
    },
    token(
        "/wrong-audience",
        "wrong-audience",
        "Gets a token for another API.",
        "Asks for a token for this resource (RFC 8707).",
        "T=$(curl -s $LAB/mint/token/wrong-audience); curl -v -s -H \"Authorization: Bearer $T\" $LAB/wrong-audience",
    ),
    token(
        "/wrong-issuer",
        "wrong-issuer",
        "Gets a token of an issuer that is not trusted here.",
        "Gets its token where the metadata says.",
        "T=$(curl -s $LAB/mint/token/wrong-issuer); curl -v -s -H \"Authorization: Bearer $T\" $LAB/wrong-issuer",
    ),
    token(
        "/bad-signature",
        "bad-signature",
        "Gets a token that was altered after it was signed.",
        "Passes tokens on byte for byte.",
        "T=$(curl -s $LAB/mint/token/altered); curl -v -s -H \"Authorization: Bearer $T\" $LAB/bad-signature",
    ),
    token(
        "/bad-signature/unknown-key",
        "bad-signature",
        "Gets a token whose kid is not in the key set.",
        "Gets a new token after the issuer has changed its keys.",
        "T=$(curl -s $LAB/mint/token/unknown-key); curl -v -s -H \"Authorization: Bearer $T\" $LAB/bad-signature/unknown-key",
    ),
    token(
        "/bad-signature/foreign-key",
        "bad-signature",
        "Gets a token that another key signed under the name of the lab's.",
        "Does not make tokens itself.",
        "T=$(curl -s \"$LAB/mint/token/foreign-key?alg=ES256\"); curl -v -s -H \"Authorization: Bearer $T\" $LAB/bad-signature/foreign-key",
    ),
    token(
        "/wrong-token-type",
        "wrong-token-type",
        "Gets an ID token in place of an access token.",
        "Sends the access token: the ID token is for the client itself.",
        "T=$(curl -s $LAB/mint/token/id); curl -v -s -H \"Authorization: Bearer $T\" $LAB/wrong-token-type",
    ),
    token(
        "/token-malformed",
        "token-malformed",
        "Gets a token that was cut off.",
        "Stores tokens in fields that are long enough.",
        "T=$(curl -s $LAB/mint/token/good | cut -c1-120); curl -v -s -H \"Authorization: Bearer $T\" $LAB/token-malformed",
    ),
    token(
        "/token-revoked",
        "token-revoked",
        "Gets a token that was revoked.",
        "Gets a new one, with its user's consent.",
        "T=$(curl -s $LAB/mint/token/revoked); curl -v -s -H \"Authorization: Bearer $T\" $LAB/token-revoked",
    ),
    Station {
        path: "/scope-missing",
        cause: "scope-missing",
        does: "Wants the scope write and gets a token that has read only. (RFC 6750 wants 403 for it.)",
        good: "Asks for the scope that the challenge names.",
        command: Some(
            "T=$(curl -s $LAB/mint/token/read-only); curl -v -s -H \"Authorization: Bearer $T\" $LAB/scope-missing",
        ),
        serve: guard::scoped_resource,
    },
    Station {
        path: "/scope-missing/403",
        cause: "scope-missing",
        does: "The same with 403, as RFC 6750 section 3.1 wants it.",
        good: "Asks for the scope that the challenge names.",
        command: Some(
            "T=$(curl -s $LAB/mint/token/read-only); curl -v -s -H \"Authorization: Bearer $T\" $LAB/scope-missing/403",
        ),
        serve: |call| {
            let answer = guard::scoped_resource(call);
            Answer {
                status: if answer.cause == Some("scope-missing") { 403 } else { answer.status },
                ..answer
            }
        },
    },
    Station {
        path: "/proof-of-possession-failed",
        cause: "proof-of-possession-failed",
        does: "Gets a token that is bound to a key, as a Bearer token without a proof.",
        good: "Sends it as DPoP with a proof by its key (RFC 9449).",
        command: Some(
            "T=$(curl -s $LAB/mint/token/bound); curl -v -s -H \"Authorization: Bearer $T\" $LAB/proof-of-possession-failed",
        ),
        serve: |call| guard::dpop_resource(call, false),
    },
    Station {
        path: "/proof-of-possession-failed/htu",
        cause: "proof-of-possession-failed",
        does: "Gets a DPoP proof that was made for another address.",
        good: "Makes a proof for each request.",
        command: Some(
            "T=$(curl -s $LAB/mint/token/bound); P=$(curl -s \"$LAB/mint/proof?htu=$LAB/another-address&token=$T\"); curl -v -s -H \"Authorization: DPoP $T\" -H \"DPoP: $P\" $LAB/proof-of-possession-failed/htu",
        ),
        serve: |call| guard::dpop_resource(call, false),
    },
    Station {
        path: "/signature-mismatch",
        cause: "signature-mismatch",
        does: "Verifies AWS Signature Version 4; the secret access key is another one.",
        good: "Signs exactly what it sends, with the secret of this key.",
        command: Some(
            "curl -v -s --aws-sigv4 aws:amz:us-east-1:lab -u AKIALABLABLABLABLAB1:not/the/secret/key $LAB/signature-mismatch",
        ),
        serve: aws,
    },
    Station {
        path: "/signature-mismatch/webhook",
        cause: "signature-mismatch",
        does: "Verifies an HMAC over the content; the content was changed after signing.",
        good: "Signs the bytes that it sends.",
        command: Some(
            "M=$(curl -s -d '{\"a\":1}' $LAB/mint/hmac); curl -v -s -H 'Content-Type: application/json' -H \"X-Hub-Signature-256: sha256=$M\" -d '{ \"a\": 1 }' $LAB/signature-mismatch/webhook",
        ),
        serve: |call| match call.request.all("x-hub-signature-256").next() {
            Some(field) => match verify_content(field, &Secret::new(SHARED_SECRET), &call.request.body) {
                Ok(()) => admit("webhook"),
                Err(refusal) => {
                    refuse_saying(401, guard::SIGNATURE, refusal.cause, "Invalid webhook signature")
                }
            },
            None => refuse_saying(401, guard::SIGNATURE, "no-credentials", "X-Hub-Signature-256 is missing"),
        },
    },
    Station {
        path: "/signature-mismatch/message",
        cause: "signature-mismatch",
        does: "Verifies an HTTP Message Signature (RFC 9421); it was made for another path.",
        good: "Signs the components of the request that it sends.",
        command: Some(
            "curl -s \"$LAB/mint/message-signature?path=/another-path\" | curl -v -s -H @- $LAB/signature-mismatch/message",
        ),
        serve: message_signature,
    },
];

/// A station that takes Bearer tokens.
const fn token(
    path: &'static str,
    cause: &'static str,
    does: &'static str,
    good: &'static str,
    command: &'static str,
) -> Station {
    Station { path, cause, does, good, command: Some(command), serve: guard::bearer_resource }
}

fn fields<'a>(call: &'a Call<'_>) -> Vec<(&'a [u8], &'a [u8])> {
    call.request.fields.iter().map(|(n, v)| (n.as_bytes(), v.as_slice())).collect()
}

/// A resource that AWS Signature Version 4 opens.
pub(super) fn aws(call: &mut Call<'_>) -> Answer {
    let element = match presented::read(&call.request.values("authorization"), &["aws4-hmac-sha256"]) {
        Ok(Presented::Other(element)) => element,
        Ok(_) => {
            return refuse("AWS4-HMAC-SHA256", &Refusal::new("scheme-not-offered", "not an AWS signature"));
        }
        Err(refusal) => return refuse("AWS4-HMAC-SHA256", &refusal),
    };
    let fields = fields(call);
    let signed = sigv4::Signed {
        method: &call.request.method,
        target: call.request.origin_form(),
        fields: &fields,
        body: &call.request.body,
    };
    let secret = |key: &str| (key == ACCESS_KEY).then(|| Secret::new(SECRET_KEY));
    match sigv4::verify(&element, &signed, secret, call.lab.now()) {
        Ok(key) => admit(&key),
        Err(refusal) => match refusal.cause {
            "signature-mismatch" => refuse_saying(
                401,
                guard::SIGNATURE,
                refusal.cause,
                "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method.",
            ),
            cause => {
                let says = refusal.says.clone();
                refuse_saying(401, guard::SIGNATURE, cause, &says)
            }
        },
    }
}

/// A resource that an HTTP Message Signature opens.
pub(super) fn message_signature(call: &mut Call<'_>) -> Answer {
    let request = call.request;
    let (Some(input), Some(signature)) = (request.field("signature-input"), request.field("signature"))
    else {
        return refuse_saying(
            401,
            guard::SIGNATURE,
            "no-credentials",
            "Signature-Input and Signature are wanted",
        );
    };
    let authority = request.authority();
    let fields = fields(call);
    let query = format!("?{}", request.query());
    let components = Components {
        method: &request.method,
        authority: &authority,
        path: request.path(),
        query: &query,
        fields: &fields,
    };
    let secret = Secret::new(SHARED_SECRET);
    match verify_message(input.as_bytes(), signature.as_bytes(), &components, &secret, call.lab.now()) {
        Ok(()) => admit("signer"),
        Err(refusal) => {
            let says = match refusal.cause {
                "clock-skew" => "The difference between the request time and the current time is too large",
                _ => "The request signature is invalid",
            };
            refuse_saying(401, guard::SIGNATURE, refusal.cause, says)
        }
    }
}
