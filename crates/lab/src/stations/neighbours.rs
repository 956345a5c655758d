//! Answers that are not 401 and are taken for it.

use crate::guard::{self, BASIC, admit, refuse};
use crate::message::Answer;
use crate::station::{Call, Station};
use why401_verify::{Presented, Refusal, presented};

pub(crate) const STATIONS: &[Station] = &[
    Station {
        path: "/forbidden",
        cause: "forbidden",
        does: "Knows who asks and refuses: 403.",
        good: "Does not try other credentials of the same user.",
        command: Some("curl -v -s -u alice:Kiefer-88-Boot $LAB/forbidden"),
        serve: |call| match guard::basic(call) {
            Ok(account) => {
                let answer = Answer::text(403, "403 Forbidden\n")
                    .because("forbidden", "alice is known and not let in")
                    .user(account.name);
                Answer { plain: true, ..answer }
            }
            Err(refusal) => refuse(BASIC, &refusal),
        },
    },
    Station {
        path: "/proxy-authentication-required",
        cause: "proxy-authentication-required",
        does: "The lab as a proxy that wants credentials: 407.",
        good: "Sends Proxy-Authorization.",
        command: Some("curl -v -s -x $LAB http://www.example.com/proxy-authentication-required"),
        serve: |_| Answer::text(200, "ask for this through the lab as a proxy\n"),
    },
    Station {
        path: "/login-redirect",
        cause: "login-redirect",
        does: "Redirects to a login page in place of a 401.",
        good: "Sends Accept: application/json, or signs in first; does not take the page for the answer.",
        command: Some("curl -v -s -L -H 'Accept: application/json' $LAB/login-redirect"),
        serve: |call| match call.rest {
            "login" => Answer::html(
                200,
                "<!doctype html><title>Sign in</title><form method=\"post\" action=\"/login-redirect/login\"><input name=\"username\"><input name=\"password\" type=\"password\"><button>Sign in</button></form>\n",
            ),
            _ => Answer::text(302, "")
                .with("Location", "/login-redirect/login?next=%2Flogin-redirect")
                .because("login-redirect", "sent to the login page"),
        },
    },
    Station {
        path: "/windows-update-denied",
        cause: "windows-update-denied",
        does: "Refuses as a proxy before Windows Update does; the client's log then says 0x80244017, which this command writes.",
        good: "Lets the update service through without credentials, which it cannot give.",
        command: Some(
            "curl -v -s -A 'Windows-Update-Agent/10.0.10011.16384 Client-Protocol/2.33' $LAB/windows-update-denied; echo '2026-11-22 10:00:00:123  1024 d3c PT WARNING: SyncUpdates failure, error = 0x80244017, soap client error = 10, soap error code = 0, HTTP status code = 401'",
        ),
        serve: |_| {
            refuse(
                "Negotiate",
                &Refusal::new("windows-update-denied", "0x80244017: the update client got 401"),
            )
        },
    },
];

/// The lab as a proxy: asks for Basic, and answers for every origin itself.
pub(crate) fn proxy(call: &mut Call<'_>) -> Answer {
    let asked = |refusal: Refusal| {
        Answer::text(407, "407 Proxy Authentication Required\n")
            .with("Proxy-Authenticate", "Basic realm=\"lab proxy\"")
            .because("proxy-authentication-required", refusal.says)
    };
    match presented::read(&call.request.values("proxy-authorization"), &["basic"]) {
        Ok(Presented::Basic(pair)) => match crate::accounts::verify(&pair) {
            // No tunnel and no way out: the lab speaks for the origin.
            Ok(_) if call.request.method == "CONNECT" => Answer::text(501, "the lab opens no tunnels\n"),
            Ok(account) => admit(account.name).with("Via", "1.1 lab"),
            Err(refusal) => asked(refusal),
        },
        Ok(_) => asked(Refusal::new("scheme-not-offered", "only Basic is offered")),
        Err(refusal) => asked(refusal),
    }
}
