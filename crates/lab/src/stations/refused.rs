//! Credentials that were read and refused.

use crate::guard::{self, BASIC, admit, refuse, refuse_saying};
use crate::message::Answer;
use crate::station::{Call, Station};
use why401_verify::{Presented, Refusal, presented};

pub(crate) const STATIONS: &[Station] = &[
    Station {
        path: "/unknown-user",
        cause: "unknown-user",
        does: "Says that there is no such user, which a careful server would not.",
        good: "Reports it; a person corrects the name.",
        command: Some("curl -v -s -u alicia:Kiefer-88-Boot $LAB/unknown-user"),
        serve: guard::outspoken_resource,
    },
    Station {
        path: "/wrong-password",
        cause: "wrong-password",
        does: "Says that the password is wrong.",
        good: "Asks for it again, once.",
        command: Some("curl -v -s -u alice:Tanne-99-Kahn $LAB/wrong-password"),
        serve: guard::outspoken_resource,
    },
    Station {
        path: "/near-miss-credentials",
        cause: "near-miss-credentials",
        does: "Refuses a password in the wrong letter case and takes the right one.",
        good: "Shows that Caps Lock is on.",
        command: Some(
            "curl -v -s -u alice:kIEFER-88-bOOT $LAB/near-miss-credentials; curl -v -s -u alice:Kiefer-88-Boot $LAB/near-miss-credentials",
        ),
        serve: guard::basic_resource,
    },
    Station {
        path: "/wrong-account",
        cause: "wrong-account",
        does: "Keeps each account at its own address: /wrong-account/NAME/NAME.sms.",
        good: "Puts its own name into the address.",
        command: Some(
            "curl -v -s -u alice:Kiefer-88-Boot -d 'hello' $LAB/wrong-account/customerbob/customerbob.sms",
        ),
        serve: |call| match guard::basic(call) {
            Ok(account) if call.rest.starts_with(&format!("{}/", account.name)) => admit(account.name),
            Ok(account) => refuse(
                BASIC,
                &Refusal::new("wrong-account", format!("the address is not {}'s", account.name)),
            ),
            Err(refusal) => refuse(BASIC, &refusal),
        },
    },
    Station {
        path: "/wrong-environment",
        cause: "wrong-environment",
        does: "Gets a key of the sandbox on the live host.",
        good: "Keeps each environment's key with its address.",
        command: Some("curl -v -s -H 'X-Api-Key: sandbox_8a7b6c5d4e3f2a1b0c9d' $LAB/wrong-environment"),
        serve: |_| {
            refuse_saying(
                401,
                guard::KEY,
                "wrong-environment",
                "wrong environment: this is a sandbox key, a production API key is needed",
            )
        },
    },
    Station {
        path: "/account-locked",
        cause: "account-locked",
        does: "Carol's account is locked after too many failures.",
        good: "Stops trying; waits, or has it unlocked.",
        command: Some("curl -v -s -u carol:Birke-41-Ufer $LAB/account-locked"),
        serve: guard::outspoken_resource,
    },
    Station {
        path: "/account-disabled",
        cause: "account-disabled",
        does: "Dave's account is disabled.",
        good: "Stops trying and reports it.",
        command: Some("curl -v -s -u dave:Linde-52-Wehr $LAB/account-disabled"),
        serve: guard::outspoken_resource,
    },
    Station {
        path: "/password-expired",
        cause: "password-expired",
        does: "Erin's password has expired.",
        good: "Tells the person to change it.",
        command: Some("curl -v -s -u erin:Erle-63-Furt $LAB/password-expired"),
        serve: guard::outspoken_resource,
    },
    Station {
        path: "/credentials-changed",
        cause: "credentials-changed",
        does: "Alice's password is changed by a POST to /credentials-changed/NAME/change; bob's stays.",
        good: "Is given the new password; does not go on with the old one.",
        command: Some(
            "U=$LAB/credentials-changed/$$; for p in alice:Kiefer-88-Boot bob:Ahorn-17-Steg alice:Kiefer-88-Boot; do curl -v -s -u $p $U; done; curl -s -o /dev/null -d new=1 $U/change; for p in alice:Kiefer-88-Boot bob:Ahorn-17-Steg alice:Kiefer-88-Boot bob:Ahorn-17-Steg alice:Kiefer-88-Boot; do curl -v -s -u $p $U; done",
        ),
        serve: changed,
    },
    Station {
        path: "/second-factor-required",
        cause: "second-factor-required",
        does: "Frank's password alone is not enough.",
        good: "Asks the person for the code, or uses an application password.",
        command: Some("curl -v -s -u frank:Esche-74-Kai $LAB/second-factor-required"),
        serve: |call| {
            let answer = guard::outspoken_resource(call);
            match answer.cause {
                Some("second-factor-required") => answer.with("X-OTP", "required; totp"),
                _ => answer,
            }
        },
    },
    Station {
        path: "/method-retired",
        cause: "method-retired",
        does: "Takes no passwords any more, though one is sent.",
        good: "Moves to tokens.",
        command: Some("curl -v -s -u alice:Kiefer-88-Boot $LAB/method-retired"),
        serve: |call| match presented::read(&call.request.values("authorization"), &["basic"]) {
            Ok(Presented::Basic(_)) => refuse_saying(
                401,
                guard::BEARER,
                "method-retired",
                "Password authentication is no longer supported",
            ),
            _ => guard::bearer_resource(call),
        },
    },
    Station {
        path: "/credentials-refused",
        cause: "credentials-refused",
        does: "Refuses without a word about why, as a careful server does.",
        good: "Reports what it sent (masked) and as whom.",
        command: Some("curl -v -s -u alice:Tanne-99-Kahn $LAB/credentials-refused"),
        serve: |call| match guard::basic(call) {
            Ok(account) => admit(account.name),
            Err(refusal) => refuse(BASIC, &refusal),
        },
    },
];

/// A password that is changed in between.
fn changed(call: &mut Call<'_>) -> Answer {
    let name = format!("credentials-changed {}", call.experiment());
    if call.step() == "change" {
        call.lab.remember(|m| m.set(name, "changed"));
        return Answer::text(200, "alice has a new password\n");
    }
    let is_changed = call.lab.remember(|m| m.word(&name) == "changed");
    match guard::basic(call) {
        Ok(account) if account.name == "alice" && is_changed => {
            refuse(BASIC, &Refusal::new("credentials-changed", "the password of alice was changed"))
        }
        Ok(account) => admit(account.name),
        Err(refusal) => refuse(BASIC, &refusal),
    }
}
