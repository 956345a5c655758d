//! Credentials that are there and cannot be read.

use crate::guard;
use crate::station::Station;

pub(crate) const STATIONS: &[Station] = &[
    Station {
        path: "/scheme-missing",
        cause: "scheme-missing",
        does: "Gets a token without the word Bearer before it.",
        good: "Writes the scheme, a space, the token.",
        command: Some(
            "T=$(curl -s $LAB/mint/token/good); curl -v -s -H \"Authorization: $T\" $LAB/scheme-missing",
        ),
        serve: guard::bearer_resource,
    },
    Station {
        path: "/scheme-doubled",
        cause: "scheme-doubled",
        does: "Gets Bearer twice.",
        good: "Adds the scheme in one place only.",
        command: Some(
            "T=$(curl -s $LAB/mint/token/good); curl -v -s -H \"Authorization: Bearer Bearer $T\" $LAB/scheme-doubled",
        ),
        serve: guard::bearer_resource,
    },
    Station {
        path: "/scheme-not-offered",
        cause: "scheme-not-offered",
        does: "Offers Bearer and gets Basic.",
        good: "Uses a scheme that the challenge names.",
        command: Some("curl -v -s -u alice:Kiefer-88-Boot $LAB/scheme-not-offered"),
        serve: guard::bearer_resource,
    },
    Station {
        path: "/scheme-not-offered/token",
        cause: "scheme-not-offered",
        does: "Offers Bearer and gets the same token as Token.",
        good: "Writes Bearer.",
        command: Some(
            "T=$(curl -s $LAB/mint/token/good); curl -v -s -H \"Authorization: Token $T\" $LAB/scheme-not-offered/token",
        ),
        serve: guard::bearer_resource,
    },
    Station {
        path: "/scheme-unsupported-by-client",
        cause: "scheme-unsupported-by-client",
        does: "Offers Digest with an algorithm that no client knows.",
        good: "Says that it cannot answer; the operator offers what clients speak.",
        command: Some("curl -v -s --digest -u alice:Kiefer-88-Boot $LAB/scheme-unsupported-by-client"),
        serve: |call| {
            let refusal = why401_verify::Refusal::new(
                "scheme-unsupported-by-client",
                "the client answered none of the challenges",
            );
            guard::refuse(
                &format!(
                    "Digest realm=\"lab\", qop=\"auth\", algorithm=SHA3-512, nonce=\"{}\"",
                    call.lab.nonces.issue(call.lab.now())
                ),
                &refusal,
            )
        },
    },
    Station {
        path: "/basic-malformed",
        cause: "basic-malformed",
        does: "Gets Basic credentials that were never encoded.",
        good: "Encodes user:password in base64.",
        command: Some("curl -v -s -H 'Authorization: Basic alice:Kiefer-88-Boot' $LAB/basic-malformed"),
        serve: guard::basic_resource,
    },
    Station {
        path: "/basic-malformed/no-colon",
        cause: "basic-malformed",
        does: "Gets Basic credentials without a colon in them.",
        good: "Encodes user, colon, password together.",
        command: Some(
            "curl -v -s -H \"Authorization: Basic $(printf %s Kiefer-88-Boot | base64)\" $LAB/basic-malformed/no-colon",
        ),
        serve: guard::basic_resource,
    },
    Station {
        path: "/charset-mismatch",
        cause: "charset-mismatch",
        does: "Says charset=\"UTF-8\" and gets ISO-8859-1.",
        good: "Encodes as the challenge says (RFC 7617 section 2.1).",
        command: Some(
            "curl -v -s -H \"Authorization: Basic $(printf 'zo\\353:Br\\374cke-23' | base64)\" $LAB/charset-mismatch",
        ),
        serve: guard::basic_resource,
    },
    Station {
        path: "/stray-characters",
        cause: "stray-characters",
        does: "Gets a password with a line break at its end.",
        good: "Trims what it reads from files (printf, not echo).",
        command: Some(
            "curl -v -s -H \"Authorization: Basic $(echo alice:Kiefer-88-Boot | base64)\" $LAB/stray-characters",
        ),
        serve: guard::basic_resource,
    },
    Station {
        path: "/duplicate-credentials",
        cause: "duplicate-credentials",
        does: "Gets two Authorization fields.",
        good: "Sends one.",
        command: Some(
            "T=$(curl -s $LAB/mint/token/good); curl -v -s -H \"Authorization: Bearer $T\" -H \"Authorization: Basic $(printf %s alice:Kiefer-88-Boot | base64)\" $LAB/duplicate-credentials",
        ),
        serve: guard::bearer_resource,
    },
];
