//! Requests that carry no usable credentials.

use crate::guard::{self, BASIC, admit, refuse, refuse_saying};
use crate::message::{Answer, Request};
use crate::station::{Call, Station};
use why401_verify::Refusal;

pub(crate) const STATIONS: &[Station] = &[
    Station {
        path: "/no-credentials",
        cause: "no-credentials",
        does: "Asks for Basic.",
        good: "Sends its credentials, at once or when asked.",
        command: Some("curl -v -s $LAB/no-credentials"),
        serve: guard::basic_resource,
    },
    Station {
        path: "/no-credentials/bearer",
        cause: "no-credentials",
        does: "Asks for a Bearer token.",
        good: "Gets a token where the metadata says and sends it.",
        command: Some("curl -v -s $LAB/no-credentials/bearer"),
        serve: guard::bearer_resource,
    },
    Station {
        path: "/empty-credentials",
        cause: "empty-credentials",
        does: "Asks for Basic and gets an empty user name and password.",
        good: "Fails early when a variable that should hold a password is empty.",
        command: Some("curl -v -s -u : $LAB/empty-credentials"),
        serve: guard::basic_resource,
    },
    Station {
        path: "/empty-credentials/scheme-alone",
        cause: "empty-credentials",
        does: "Asks for a token and gets a scheme with nothing behind it.",
        good: "Sends no field rather than an empty one.",
        command: Some("curl -v -s -H 'Authorization: Bearer ' $LAB/empty-credentials/scheme-alone"),
        serve: guard::bearer_resource,
    },
    Station {
        path: "/placeholder-credentials",
        cause: "placeholder-credentials",
        does: "Gets the word undefined in place of a token.",
        good: "Fails early when a token is not there.",
        command: Some("curl -v -s -H 'Authorization: Bearer undefined' $LAB/placeholder-credentials"),
        serve: guard::bearer_resource,
    },
    Station {
        path: "/placeholder-credentials/template",
        cause: "placeholder-credentials",
        does: "Gets a variable's name in place of its value.",
        good: "Expands its variables: double quotes, not single ones.",
        command: Some(
            "curl -v -s -H 'Authorization: Bearer ${API_TOKEN}' $LAB/placeholder-credentials/template",
        ),
        serve: guard::bearer_resource,
    },
    Station {
        path: "/dropped-on-redirect",
        cause: "dropped-on-redirect",
        does: "Redirects to another host name, where credentials are wanted again.",
        good: "Drops the credentials there, which is right, and is given the final address to begin with.",
        command: Some("curl -v -s -L -u alice:Kiefer-88-Boot $LAB/dropped-on-redirect"),
        serve: redirect,
    },
    Station {
        path: "/dropped-by-intermediary",
        cause: "dropped-by-intermediary",
        does: "The application says that it got no Authorization field, though the client sent one.",
        good: "Compares both ends; the operator lets the field pass (WSGIPassAuthorization, proxy_set_header ...).",
        command: Some("curl -v -s -u alice:Kiefer-88-Boot $LAB/dropped-by-intermediary"),
        serve: |call| match guard::basic(call) {
            Err(refusal) => refuse(BASIC, &refusal),
            Ok(_) => refuse_saying(401, BASIC, "dropped-by-intermediary", "Authorization header is missing"),
        },
    },
    Station {
        path: "/overridden-by-client",
        cause: "overridden-by-client",
        does: "Gets bob's old password from .netrc in place of the credentials that were given. The command shows the file and itself, since both belong to the evidence.",
        good: "Prefers what it was given over what it finds.",
        command: Some(
            "F=$(mktemp); echo 'default login bob password old-Ahorn-16' > $F; echo '$ cat .netrc'; cat $F; echo '$ curl -v -n -u alice: '$LAB/overridden-by-client; curl -v -s --netrc-file $F $LAB/overridden-by-client; rm -f $F",
        ),
        serve: guard::basic_resource,
    },
    Station {
        path: "/layers-collide",
        cause: "layers-collide",
        does: "A proxy takes Basic and passes the field on to an application that wants a Bearer token.",
        good: "Can send one field only; the operator moves one of the two logins elsewhere.",
        command: Some("curl -v -s --anyauth -u alice:Kiefer-88-Boot $LAB/layers-collide"),
        serve: |call| match guard::basic(call) {
            Err(refusal) => refuse("Basic realm=\"gateway\"", &refusal),
            Ok(_) => refuse(
                "Bearer realm=\"application\"",
                &Refusal::new("layers-collide", "the gateway's Basic credentials reached the application"),
            )
            .with("Via", "1.1 gateway"),
        },
    },
    Station {
        path: "/tenant-missing",
        cause: "tenant-missing",
        does: "Wants the tenant named in X-Scope-OrgID.",
        good: "Names its tenant.",
        command: Some("curl -v -s -u alice:Kiefer-88-Boot $LAB/tenant-missing"),
        serve: |call| match call.request.field("x-scope-orgid") {
            Some(tenant) => admit(&tenant),
            None => Answer::text(401, "no org id\n").because("tenant-missing", "no tenant is named"),
        },
    },
    Station {
        path: "/wrong-field",
        cause: "wrong-field",
        does: "Wants a Bearer token in Authorization and gets a key in X-Api-Key.",
        good: "Puts the secret where the server says it looks.",
        command: Some("curl -v -s -H 'X-Api-Key: labkey-5f2b8d1c9a7e4c3b' $LAB/wrong-field"),
        serve: guard::bearer_resource,
    },
    Station {
        path: "/wrong-field/misspelt",
        cause: "wrong-field",
        does: "Wants a Bearer token in Authorization and gets it in Authorisation.",
        good: "Spells the field's name as RFC 9110 does.",
        command: Some(
            "T=$(curl -s $LAB/mint/token/good); curl -v -s -H \"Authorisation: Bearer $T\" $LAB/wrong-field/misspelt",
        ),
        serve: guard::bearer_resource,
    },
    Station {
        path: "/wrong-field/query",
        cause: "wrong-field",
        does: "Wants a Bearer token in Authorization and gets it in the query.",
        good: "Sends it in the field: addresses are logged.",
        command: Some(
            "T=$(curl -s $LAB/mint/token/good); curl -v -s \"$LAB/wrong-field/query?access_token=$T\"",
        ),
        serve: guard::bearer_resource,
    },
    Station {
        path: "/wrong-field/key",
        cause: "wrong-field",
        does: "Takes an API key in X-Api-Key only; the same key as a Bearer token is refused.",
        good: "Sends the key in X-Api-Key.",
        command: Some(
            "curl -v -s -H 'Authorization: Bearer labkey-5f2b8d1c9a7e4c3b' $LAB/wrong-field/key; curl -v -s -H 'X-Api-Key: labkey-5f2b8d1c9a7e4c3b' $LAB/wrong-field/key",
        ),
        serve: api_key,
    },
    Station {
        path: "/url-credentials-ignored",
        cause: "url-credentials-ignored",
        does: "Asks for Basic and gets nothing, though the address names a user. curl itself heeds the address: the empty field takes its own away, as a client does that ignores it.",
        good: "Turns user:password@ into an Authorization field, or refuses such an address.",
        command: Some(
            "U=$(echo $LAB/url-credentials-ignored | sed s,//,//alice:Kiefer-88-Boot@,); echo '$ curl -v '$U; curl -v -s -H 'Authorization:' $U",
        ),
        serve: guard::basic_resource,
    },
    Station {
        path: "/preflight-challenged",
        cause: "preflight-challenged",
        does: "Asks a CORS preflight for credentials.",
        good: "Is a browser and cannot: the operator answers OPTIONS before it asks for credentials.",
        command: Some(
            "curl -v -s -X OPTIONS -H 'Origin: https://www.example.com' -H 'Access-Control-Request-Method: PUT' -H 'Access-Control-Request-Headers: authorization' $LAB/preflight-challenged",
        ),
        serve: |call| {
            let answer = guard::bearer_resource(call);
            let preflight = call.request.field("access-control-request-method").is_some();
            Answer { cause: if preflight { Some("preflight-challenged") } else { answer.cause }, ..answer }
        },
    },
    Station {
        path: "/session-missing",
        cause: "session-missing",
        does: "Sets a session cookie at /session-missing/login and wants it back.",
        good: "Keeps the cookie and sends it.",
        command: Some(
            "curl -v -s -d 'user=alice' -d 'password=Kiefer-88-Boot' $LAB/session-missing/login; curl -v -s $LAB/session-missing",
        ),
        serve: session,
    },
    Station {
        path: "/session-expired",
        cause: "session-expired",
        does: "Deletes the session cookie that comes: the session is over.",
        good: "Signs in again.",
        command: Some("curl -v -s -b 'sid=5d41402abc4b2a76b9719d911017c592' $LAB/session-expired"),
        serve: |call| match call.request.cookie("sid") {
            Some(_) => refuse_saying(401, guard::COOKIE, "session-expired", "Your session has expired")
                .with("Set-Cookie", "sid=; Path=/; Max-Age=0"),
            None => refuse_saying(401, guard::COOKIE, "session-missing", "No session found"),
        },
    },
];

/// To the same address under the other name of this machine, or over https where it has no other name.
fn redirect(call: &mut Call<'_>) -> Answer {
    if call.rest == "there" {
        return guard::basic_resource(call);
    }
    Answer::text(302, "").with("Location", format!("{}/dropped-on-redirect/there", elsewhere(call.request)))
}

/// The lab under another name: `localhost` for a loopback address and the reverse.
fn elsewhere(request: &Request) -> String {
    let authority = request.authority();
    let port = request.below.server.port();
    match authority.starts_with("localhost") {
        true => format!("http://{}", request.below.server),
        false if request.below.server.ip().is_loopback() => format!("http://localhost:{port}"),
        false => format!("https://{authority}"),
    }
}

/// A resource that an API key in its own field opens.
fn api_key(call: &mut Call<'_>) -> Answer {
    let key = call.request.all("x-api-key").next();
    match key {
        Some(key) if why401_verify::equal(key.trim_ascii(), crate::accounts::API_KEY.as_bytes()) => {
            admit("key")
        }
        Some(_) => refuse_saying(401, guard::KEY, "credentials-refused", "Invalid API key"),
        None => refuse_saying(401, guard::KEY, "wrong-field", "No API key found"),
    }
}

/// A login that sets a cookie, and the resource that wants it.
fn session(call: &mut Call<'_>) -> Answer {
    match (call.rest, call.request.cookie("sid")) {
        ("login", _) => admit("alice")
            .with("Set-Cookie", "sid=5d41402abc4b2a76b9719d911017c592; Path=/; HttpOnly; SameSite=Lax"),
        (_, Some(_)) => admit("alice"),
        (_, None) => refuse_saying(401, guard::COOKIE, "session-missing", "No session found"),
    }
}
