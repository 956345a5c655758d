//! Names whose values are secret: fields, parameters, keys of configuration and JSON.

/// How sure a name is that its value is secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Secrecy {
    /// It always is: `password`, `access_token`.
    Strong,
    /// It is in a query or form, and elsewhere if it looks random: `key`, `code`.
    Weak,
    /// It is not.
    No,
}

/// Ends of names, in lower case and without separators.
const STRONG: &[&str] = &[
    "password",
    "passwd",
    "passwort",
    "passphrase",
    "passcode",
    "pwd",
    "bindpw",
    "secret",
    "token",
    "apikey",
    "accesskey",
    "secretkey",
    "privatekey",
    "authkey",
    "sharedkey",
    "accountkey",
    "subscriptionkey",
    "encryptionkey",
    "signingkey",
    "functionskey",
    "masterkey",
    "signature",
    "sessionid",
    "sessid",
    "jwt",
    "assertion",
    "credentials",
    "cookie",
    "bearer",
    "authcode",
    "hmac",
    "otp",
    "verifier",
    "samlresponse",
    "samlrequest",
    "sessiontoken",
    "proxypass",
    "userpass",
];

/// Whole names that are as sure.
const STRONG_WHOLE: &[&str] = &[
    "pass",
    "pw",
    "sig",
    "auth",
    "wresult",
    "authorization",
    "proxyauthorization",
    "setcookie",
    "idtokenhint",
    "sapisidhash",
    "mac",
    "tokenvalue",
    "password1",
    "password2",
    "connectsid",
    "creds",
];

/// Whole names that mean many things.
const WEAK: &[&str] =
    &["key", "code", "sid", "session", "ticket", "pin", "hash", "k", "t", "access", "cred", "credential"];

/// Beginnings of names (and words) about a secret, not for one: `invalid_token`.
const ABOUT: &[&str] = &[
    "invalid",
    "missing",
    "expired",
    "unknown",
    "bad",
    "no",
    "wrong",
    "unsupported",
    "malformed",
    "empty",
    "require",
    "max",
    "min",
    "has",
    "is",
    "use",
    "reset",
    "forgot",
    "change",
    "csp",
    "unauthorized",
    "incorrect",
    "the",
    "an",
];

/// In lower case, letters and digits only.
pub(crate) fn squeezed(name: &str) -> String {
    let mut out = name.to_ascii_lowercase();
    if !name.bytes().all(|b| b.is_ascii_alphanumeric()) {
        out.retain(|c| c.is_ascii_alphanumeric());
    }
    out
}

/// Whether a name ends so. Most differ in the last letter: that is told without a call.
fn ends_with(name: &str, end: &str) -> bool {
    name.as_bytes().last() == end.as_bytes().last() && name.ends_with(end)
}

/// Whether the value of a parameter or key of this name is secret.
pub(crate) fn secrecy(name: &str) -> Secrecy {
    // A name is a few words; a longer one is content.
    if name.len() > 80 {
        return Secrecy::No;
    }
    let first_word = name.split(['_', '-', '.', ' ']).next().unwrap_or_default();
    let about = name.len() > first_word.len() && ABOUT.iter().any(|a| first_word.eq_ignore_ascii_case(a));
    let name = squeezed(name);
    let camel_about = ["invalid", "missing", "expired", "unsupported", "malformed"];
    if about || camel_about.iter().any(|a| name.starts_with(a)) {
        return Secrecy::No;
    }
    if STRONG_WHOLE.contains(&name.as_str()) || STRONG.iter().any(|end| ends_with(&name, end)) {
        return Secrecy::Strong;
    }
    if WEAK.contains(&name.as_str()) { Secrecy::Weak } else { Secrecy::No }
}

/// What a field of a message holds, as far as secrets go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FieldKind {
    /// `WWW-Authenticate`: nothing secret but what Negotiate and NTLM carry.
    Challenge,
    /// `Authorization`, and what is misspelt for it.
    Credentials,
    /// `Authentication-Info`: the server's proof.
    Info,
    /// `Cookie`.
    Cookie,
    /// `Set-Cookie`.
    SetCookie,
    /// Secret as a whole: `X-Api-Key`, `DPoP`.
    Secret,
    /// An address: `Location`, `Referer`.
    Address,
    /// Anything else.
    Plain,
}

/// Fields that end in `key`, hold `auth` or the like, and are no secret.
const OPEN: &[&str] = &[
    "secwebsocketkey",
    "secwebsocketaccept",
    "idempotencykey",
    "surrogatekey",
    "xcachekey",
    "cachekey",
    "xkey",
    "authority",
    "authenticationresults",
    "signatureinput",
    "xauthuser",
    "xauthrequestuser",
    "xauthrequestemail",
    "xauthusername",
    "xauthemail",
    "xauthscheme",
    "xauthtype",
    "xauthstatus",
    "author",
    "accesscontrolallowcredentials",
    "authtype",
    "xauthenticateduser",
    "xauthenticatedemail",
    "xauthenticateduserid",
    "xauthenticatedscope",
];

/// Fields of which the whole value is secret and whose name does not end like one.
const WHOLE: &[&str] = &[
    "dpop",
    "signature",
    "xamzndoidcdata",
    "xamznoidcdata",
    "xmsclientprincipal",
    "xgoogiapjwtassertion",
    "sechttptoken",
    "cfaccessjwtassertion",
    "xauth",
    "xsid",
    "sslclientcert",
    "xforwardedaccesstoken",
    "xapi",
    "sapisidhash",
];

/// What a field of this name holds.
pub(crate) fn field_kind(name: &str) -> FieldKind {
    if name.len() > 80 {
        return FieldKind::Plain;
    }
    let name = squeezed(name);
    let name = name.as_str();
    if OPEN.contains(&name) {
        return FieldKind::Plain;
    }
    match name {
        "wwwauthenticate" | "proxyauthenticate" => FieldKind::Challenge,
        "authenticationinfo" | "proxyauthenticationinfo" => FieldKind::Info,
        "cookie" | "cookie2" => FieldKind::Cookie,
        "setcookie" | "setcookie2" => FieldKind::SetCookie,
        "location" | "referer" | "referrer" | "contentlocation" | "refresh" | "link" | "xoriginalurl"
        | "xrewriteurl" | "xforwardeduri" | "xoriginaluri" | "destination" => FieldKind::Address,
        _ if name.ends_with("authenticate") => FieldKind::Challenge,
        _ if misspelt_authorization(name) => FieldKind::Credentials,
        _ if WHOLE.contains(&name) || name.ends_with("key") || name.contains("hmac") => FieldKind::Secret,
        _ if secrecy(name) == Secrecy::Strong => FieldKind::Secret,
        _ => FieldKind::Plain,
    }
}

/// `Authorization`, `Proxy-Authorization`, `X-Forwarded-Authorization`, and slips: `Authorisation`, `Autorization`,
/// `Authentication`, `Auth`.
fn misspelt_authorization(name: &str) -> bool {
    let core = name.strip_prefix("proxy").or_else(|| name.strip_prefix('x')).unwrap_or(name);
    name.ends_with("authorization")
        || (core.starts_with("aut")
            && (3..=16).contains(&core.len())
            && (core.ends_with('n') || core == "auth"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_parameters() {
        for name in [
            "password",
            "access_token",
            "X-Amz-Security-Token",
            "api-key",
            "clientSecret",
            "_authToken",
            "sig",
        ] {
            assert_eq!(secrecy(name), Secrecy::Strong, "{name}");
        }
        for name in [
            "user",
            "token_type",
            "invalid_token",
            "InvalidToken",
            "max_tokens",
            "expires_in",
            "realm",
            "nonce",
        ] {
            assert_eq!(secrecy(name), Secrecy::No, "{name}");
        }
        assert_eq!(secrecy("code"), Secrecy::Weak);
    }

    #[test]
    fn names_of_fields() {
        for name in [
            "Authorization",
            "authorisation",
            "Proxy-Authorization",
            "Autorization",
            "Authentication",
            "Auth",
        ] {
            assert_eq!(field_kind(name), FieldKind::Credentials, "{name}");
        }
        for name in
            ["X-Api-Key", "apikey", "PRIVATE-TOKEN", "DPoP", "X-Hub-Signature", "Ocp-Apim-Subscription-Key"]
        {
            assert_eq!(field_kind(name), FieldKind::Secret, "{name}");
        }
        for name in [
            ":authority",
            "Sec-WebSocket-Key",
            "Host",
            "User-Agent",
            "Signature-Input",
            "X-Auth-User",
            "Server",
        ] {
            assert_eq!(field_kind(name), FieldKind::Plain, "{name}");
        }
        assert_eq!(field_kind("X-WWW-Authenticate"), FieldKind::Challenge);
        assert_eq!(field_kind("Authentication-Info"), FieldKind::Info);
    }
}
