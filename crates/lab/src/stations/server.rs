//! What is wrong at the server, or in front of it.

use crate::guard::{self, BASIC, admit, refuse, refuse_saying};
use crate::message::Answer;
use crate::station::{Call, Station};
use why401_verify::Refusal;

pub(crate) const STATIONS: &[Station] = &[
    Station {
        path: "/acl-denied",
        cause: "acl-denied",
        does: "Knows alice and has no permission for her: IIS 401.3.",
        good: "Can do nothing; the operator gives the permission.",
        command: Some("curl -v -s -u alice:Kiefer-88-Boot $LAB/acl-denied"),
        serve: |call| {
            iis(
                call,
                3,
                5,
                "acl-denied",
                "You do not have permission to view this directory or page because of the access control list (ACL) configuration or encryption settings for this resource on the Web server.",
            )
        },
    },
    Station {
        path: "/filter-denied",
        cause: "filter-denied",
        does: "A filter in the server refuses: IIS 401.4.",
        good: "Can do nothing; the operator looks at the filters.",
        command: Some("curl -v -s -u alice:Kiefer-88-Boot $LAB/filter-denied"),
        serve: |call| {
            iis(call, 4, 0, "filter-denied", "Authorization failed by a filter installed on the Web server.")
        },
    },
    Station {
        path: "/application-denied",
        cause: "application-denied",
        does: "The application behind the server refuses: IIS 401.5.",
        good: "Can do nothing; the operator looks at the application.",
        command: Some("curl -v -s -u alice:Kiefer-88-Boot $LAB/application-denied"),
        serve: |call| {
            iis(call, 5, 0, "application-denied", "Authorization failed by an ISAPI/CGI application.")
        },
    },
    Station {
        path: "/auth-backend-down",
        cause: "auth-backend-down",
        does: "Cannot reach the directory that holds the passwords.",
        good: "Tries later; the operator looks at the directory.",
        command: Some("curl -v -s -u alice:Kiefer-88-Boot $LAB/auth-backend-down"),
        serve: |_| {
            refuse_saying(
                401,
                BASIC,
                "auth-backend-down",
                "Failed to connect to LDAP: Can't contact LDAP server",
            )
        },
    },
    Station {
        path: "/server-misconfigured",
        cause: "server-misconfigured",
        does: "Has nothing to check tokens with.",
        good: "Can do nothing; the operator sets the secret.",
        command: Some(
            "T=$(curl -s $LAB/mint/token/good); curl -v -s -H \"Authorization: Bearer $T\" $LAB/server-misconfigured",
        ),
        serve: |_| refuse_saying(401, guard::BEARER, "server-misconfigured", "JWT secret is not configured"),
    },
    Station {
        path: "/server-changed",
        cause: "server-changed",
        does: "Refuses everybody after a POST to /server-changed/NAME/change.",
        good: "Can do nothing; the operator looks at what changed at that moment.",
        command: Some(
            "U=$LAB/server-changed/$$; for p in alice:Kiefer-88-Boot bob:Ahorn-17-Steg alice:Kiefer-88-Boot bob:Ahorn-17-Steg; do curl -v -s -u $p $U; done; curl -s -o /dev/null -d new=1 $U/change; for p in alice:Kiefer-88-Boot bob:Ahorn-17-Steg alice:Kiefer-88-Boot bob:Ahorn-17-Steg; do curl -v -s -u $p $U; done",
        ),
        serve: changed,
    },
    Station {
        path: "/client-changed",
        cause: "client-changed",
        does: "Lets alice in with any client but example-app/2.",
        good: "Is compared with its former version, field by field.",
        command: Some(
            "U=$LAB/client-changed; for a in 1.9 1.9 1.9 2.0 2.0 2.0; do curl -v -s -A example-app/$a -u alice:Kiefer-88-Boot $U; done",
        ),
        serve: |call| match guard::basic(call) {
            Ok(_) if call.request.field("user-agent").is_some_and(|a| a.starts_with("example-app/2")) => {
                refuse(BASIC, &Refusal::new("client-changed", "this version of the client is not let in"))
            }
            Ok(account) => admit(account.name),
            Err(refusal) => refuse(BASIC, &refusal),
        },
    },
    Station {
        path: "/intermediary-challenged",
        cause: "intermediary-challenged",
        does: "A gateway in front of the origin answers; the origin itself lets the same request in at /intermediary-challenged/open.",
        good: "Finds out who answered: Server, Via and realm tell.",
        command: Some(
            "T=$(curl -s $LAB/mint/token/good); curl -v -s -H \"Authorization: Bearer $T\" $LAB/intermediary-challenged/open; curl -v -s -H \"Authorization: Bearer $T\" $LAB/intermediary-challenged",
        ),
        serve: |call| {
            match call.rest {
            "open" => admit("alice").with("Server", "gunicorn").with("Via", "1.1 gateway.example.com"),
            _ => Answer::html(
                401,
                "<html>\r\n<head><title>401 Authorization Required</title></head>\r\n<body>\r\n<center><h1>401 Authorization Required</h1></center>\r\n</body>\r\n</html>\r\n",
            )
            .because("intermediary-challenged", "the load balancer asks for a login of its own")
            .with("Server", "awselb/2.0"),
        }
        },
    },
    Station {
        path: "/rate-limited",
        cause: "rate-limited",
        does: "Says 401 to too many requests.",
        good: "Waits as long as Retry-After says.",
        command: Some("curl -v -s -u alice:Kiefer-88-Boot $LAB/rate-limited"),
        serve: |_| {
            refuse_saying(401, BASIC, "rate-limited", "API rate limit exceeded").with("Retry-After", "60")
        },
    },
    Station {
        path: "/resource-hidden",
        cause: "resource-hidden",
        does: "Says 401 of what does not exist, or not for this user.",
        good: "Checks the name, and whether it may see it.",
        command: Some(
            "T=$(curl -s $LAB/mint/token/good); curl -v -s -H \"Authorization: Bearer $T\" $LAB/resource-hidden/no-such-image",
        ),
        serve: |_| {
            refuse_saying(
                401,
                guard::BEARER,
                "resource-hidden",
                "repository does not exist or may require authorization",
            )
        },
    },
    Station {
        path: "/challenge-missing",
        cause: "challenge-missing",
        does: "Says 401 without a WWW-Authenticate field, to a client that waits to be asked.",
        good: "Sends its credentials unasked where it must; the operator mends the answer.",
        command: Some("curl -v -s --digest -u alice:Kiefer-88-Boot $LAB/challenge-missing"),
        serve: |call| match guard::basic(call) {
            Ok(account) => admit(account.name),
            Err(refusal) => Answer::text(401, "").because("challenge-missing", refusal.says),
        },
    },
    Station {
        path: "/challenge-malformed",
        cause: "challenge-malformed",
        does: "Sends a challenge that breaks the grammar, so that the client does not answer.",
        good: "Says that it cannot read the challenge.",
        command: Some("curl -v -s --digest -u alice:Kiefer-88-Boot $LAB/challenge-malformed"),
        serve: |_| {
            Answer::text(401, "")
                .challenge("Digest realm=\"lab; qop=\"auth\"; nonce=abc def")
                .because("challenge-malformed", "the challenge breaks the grammar")
        },
    },
    Station {
        path: "/challenge-misread",
        cause: "challenge-misread",
        does: "Offers Digest with SHA-256 and gets an answer with MD5, as wget gives it; curl reads the challenge rightly.",
        good: "Answers with an algorithm that was offered.",
        command: None,
        serve: |call| {
            let kind = super::handshakes::SHA_256;
            let answer = super::handshakes::digest(call, &kind);
            match answer.cause {
                Some("digest-mismatch") => Answer { cause: Some("challenge-misread"), ..answer },
                _ => answer,
            }
        },
    },
    Station {
        path: "/evidence-redacted",
        cause: "evidence-redacted",
        does: "Refuses every token. What is wrong is the evidence: curl -v shows the token, and whoever passes the transcript on masks it.",
        good: "Masks secrets so that their length and form stay.",
        command: None,
        serve: |_| {
            refuse("Bearer realm=\"lab\"", &Refusal::new("evidence-redacted", "any token is refused here"))
        },
    },
];

/// A refusal after authentication, as IIS numbers them.
fn iis(call: &Call<'_>, substatus: u16, win32: u32, cause: &'static str, says: &str) -> Answer {
    match guard::basic(call) {
        Err(refusal) => refuse(BASIC, &refusal).substatus(2, 5),
        Ok(account) => Answer::html(
            401,
            format!(
                "<html><head><title>IIS 10.0 Detailed Error - 401.{substatus} - Unauthorized</title></head><body><h2>HTTP Error 401.{substatus} - Unauthorized</h2><h3>{says}</h3></body></html>\r\n"
            ),
        )
        .with("Server", "Microsoft-IIS/10.0")
        .because(cause, says)
        .substatus(substatus, win32)
        .user(account.name),
    }
}

/// Everybody is let in until the change.
fn changed(call: &mut Call<'_>) -> Answer {
    let name = format!("server-changed {}", call.experiment());
    if call.step() == "change" {
        call.lab.remember(|m| m.set(name, "changed"));
        return Answer::text(200, "nobody is let in from now on\n");
    }
    let is_changed = call.lab.remember(|m| m.word(&name) == "changed");
    match guard::basic(call) {
        Ok(_) if is_changed => {
            refuse(BASIC, &Refusal::new("server-changed", "nobody is let in since the change"))
        }
        Ok(account) => admit(account.name),
        Err(refusal) => refuse(BASIC, &refusal),
    }
}
