//! What is wrong with the request rather than with its credentials.

use crate::guard::{self, BASIC, admit, refuse, refuse_saying};
use crate::station::Station;
use why401_verify::Refusal;

pub(crate) const STATIONS: &[Station] = &[
    Station {
        path: "/wrong-method",
        cause: "wrong-method",
        does: "Takes POST and says 401 to GET.",
        good: "Uses the method that the resource takes.",
        command: Some(
            "curl -v -s -u alice:Kiefer-88-Boot $LAB/wrong-method; curl -v -s -u alice:Kiefer-88-Boot -d 'hello' $LAB/wrong-method",
        ),
        serve: |call| match guard::basic(call) {
            Ok(account) if call.request.method == "POST" => admit(account.name),
            Ok(_) => refuse(BASIC, &Refusal::new("wrong-method", "only POST is taken")),
            Err(refusal) => refuse(BASIC, &refusal),
        },
    },
    Station {
        path: "/wrong-address",
        cause: "wrong-address",
        does: "Lets alice in at /wrong-address/messages and nobody at any other.",
        good: "Uses the documented address, letter by letter.",
        command: Some(
            "curl -v -s -u alice:Kiefer-88-Boot $LAB/wrong-address/Messages; curl -v -s -u alice:Kiefer-88-Boot $LAB/wrong-address/messages",
        ),
        serve: |call| match guard::basic(call) {
            Ok(account) if call.rest == "messages" => admit(account.name),
            Ok(_) => refuse(BASIC, &Refusal::new("wrong-address", "nothing is served here")),
            Err(refusal) => refuse(BASIC, &refusal),
        },
    },
    Station {
        path: "/address-not-allowed",
        cause: "address-not-allowed",
        does: "Refuses the address of the client, whoever asks.",
        good: "Can do nothing; the operator adds the address to the list.",
        command: Some("curl -v -s -u alice:Kiefer-88-Boot $LAB/address-not-allowed"),
        serve: |call| {
            let says = format!("Your IP address is not allowed: {}", call.request.below.client.ip());
            refuse_saying(401, BASIC, "address-not-allowed", &says)
        },
    },
    Station {
        path: "/plain-http",
        cause: "plain-http",
        does: "Takes credentials over https only.",
        good: "Uses https from the start, so that its credentials are never sent in the clear.",
        command: Some("curl -v -s -u alice:Kiefer-88-Boot $LAB/plain-http"),
        serve: |call| match call.request.below.tls {
            Some(_) => guard::basic_resource(call),
            None => refuse_saying(401, BASIC, "plain-http", "HTTPS is required: please use https instead"),
        },
    },
    Station {
        path: "/plain-http/silent",
        cause: "plain-http",
        does: "The same without a word; the same request over https is let in.",
        good: "Uses https.",
        command: Some(
            "curl -v -s -u alice:Kiefer-88-Boot $LAB/plain-http/silent; S=$(echo $LAB | sed s/^http:/https:/); curl -v -s -k -u alice:Kiefer-88-Boot $S/plain-http/silent",
        ),
        serve: |call| match call.request.below.tls {
            Some(_) => guard::basic_resource(call),
            None => refuse(BASIC, &Refusal::new("plain-http", "credentials are taken over https only")),
        },
    },
];
