//! What is to be asked.

use crate::cookies::Jar;
use std::net::IpAddr;
use why401_auth::Secret;
use why401_http::Address;

/// The credentials to ask with.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Credentials {
    /// None were given.
    #[default]
    None,
    /// A user and a password, for whichever scheme takes them.
    Password {
        /// The user.
        user: String,
        /// The password, as it was given.
        password: Secret,
    },
    /// A token for `Authorization: Bearer` (RFC 6750).
    Bearer(Secret),
    /// Keys for AWS Signature Version 4.
    Aws(Box<Aws>),
    /// They stand in the fields of the wish.
    Fields,
}

/// Keys for AWS Signature Version 4, and what they sign for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Aws {
    /// The access key's identifier.
    pub id: String,
    /// The secret access key.
    pub secret: Secret,
    /// The session token of temporary keys.
    pub token: Option<Secret>,
    /// The region, `us-east-1`.
    pub region: String,
    /// The service, `s3`.
    pub service: String,
}

/// Which HTTP is spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Version {
    /// What server and client agree on.
    #[default]
    Any,
    /// HTTP/1.1.
    Http1,
    /// HTTP/2 (with TLS only).
    Http2,
}

/// A field to send; the value is a secret where the name says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// The name as it is to be written.
    pub name: String,
    /// The value.
    pub value: Secret,
}

impl Field {
    /// A field.
    pub fn new(name: impl Into<String>, value: impl Into<Vec<u8>>) -> Self {
        Field { name: name.into(), value: Secret::new(value) }
    }

    /// Takes `Name: value` apart.
    pub fn parse(line: &str) -> Option<Field> {
        let (name, value) = line.split_once(':')?;
        let is_name = !name.is_empty() && name.bytes().all(why401_read::http1::head::is_token);
        is_name.then(|| Field::new(name, value.trim()))
    }

    /// Whether it has this name.
    pub fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }

    /// Whether it may carry credentials: all do but those that are known not to.
    pub fn is_credential(&self) -> bool {
        const HARMLESS: &[&str] = &[
            "accept",
            "accept-charset",
            "accept-encoding",
            "accept-language",
            "access-control-request-headers",
            "access-control-request-method",
            "cache-control",
            "connection",
            "content-encoding",
            "content-language",
            "content-type",
            "expect",
            "host",
            "if-match",
            "if-modified-since",
            "if-none-match",
            "origin",
            "pragma",
            "range",
            "referer",
            "te",
            "user-agent",
            "x-requested-with",
        ];
        !HARMLESS.contains(&self.name.to_ascii_lowercase().as_str())
    }
}

/// What is to be asked, and with what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wish {
    /// The method.
    pub method: String,
    /// The address.
    pub address: Address,
    /// Fields given, credentials among them.
    pub fields: Vec<Field>,
    /// Cookies that are kept, and sent where they are meant for, as curl's `-b FILE` and `-c` do.
    pub cookies: Option<Jar>,
    /// The content; a secret, since forms carry passwords.
    pub body: Secret,
    /// The credentials.
    pub credentials: Credentials,
    /// The scheme (in lower case) that the credentials are meant for, sent without waiting to be asked where it can be;
    /// `None`: whichever the server offers.
    pub scheme: Option<String>,
    /// The origin of the page that a browser would ask from: wants a preflight.
    pub origin: Option<String>,
    /// Whether redirects are followed, as curl's `-L` does.
    pub follow: bool,
    /// Which HTTP is spoken.
    pub version: Version,
}

impl Wish {
    /// A plain `GET` without credentials.
    pub fn get(address: Address) -> Wish {
        Wish {
            method: "GET".to_owned(),
            address,
            fields: Vec::new(),
            cookies: None,
            body: Secret::new(Vec::new()),
            credentials: Credentials::None,
            scheme: None,
            origin: None,
            follow: false,
            version: Version::Any,
        }
    }

    /// Whether anything in it is a credential.
    pub fn has_credentials(&self) -> bool {
        self.credentials != Credentials::None || self.query_is_secret()
    }

    /// Whether the query carries a secret.
    pub fn query_is_secret(&self) -> bool {
        !why401_redact::secrets_in_target(&self.address.target).is_empty()
    }

    /// Whether repeating the method changes nothing (RFC 9110 section 9.2.1).
    pub fn is_safe(&self) -> bool {
        is_safe(&self.method)
    }

    /// User or password with letters outside ASCII.
    pub fn is_beyond_ascii(&self) -> bool {
        match &self.credentials {
            Credentials::Password { user, password } => !user.is_ascii() || !password.expose().is_ascii(),
            _ => false,
        }
    }
}

/// Whether a method changes nothing (RFC 9110 section 9.2.1; PROPFIND, REPORT and SEARCH: RFC 4918, 3253, 5323).
pub fn is_safe(method: &str) -> bool {
    matches!(method, "GET" | "HEAD" | "OPTIONS" | "TRACE" | "PROPFIND" | "REPORT" | "SEARCH")
}

/// What a request carries of the credentials.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Carry {
    /// Nothing.
    Nothing,
    /// The credentials, without having been asked, in this scheme (in lower case) or as the field they are.
    Unasked(String),
    /// The credentials, as the answer to the challenge of this scheme (in lower case) in the last answer.
    Answer(String),
    /// Credentials that are made up: a user, or a token, that exists nowhere.
    Wrong,
    /// The credentials in Basic, letters outside ASCII as ISO-8859-1 instead of UTF-8.
    Latin1,
}

/// One request to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    /// The method.
    pub method: String,
    /// The address.
    pub address: Address,
    /// Fields beside those of the wish.
    pub fields: Vec<Field>,
    /// What of the credentials it carries.
    pub carry: Carry,
    /// Whether the wish's content goes along.
    pub with_body: bool,
    /// Whether the wish's other fields go along.
    pub with_fields: bool,
    /// Which HTTP is spoken.
    pub version: Version,
    /// The one address of the host to be asked.
    pub at: Option<IpAddr>,
    /// Past the environment's proxy.
    pub direct: bool,
}

impl Ask {
    /// The wish itself, carrying this.
    pub fn of(wish: &Wish, carry: Carry) -> Ask {
        let mut address = wish.address.clone();
        if matches!(carry, Carry::Nothing | Carry::Wrong) && wish.query_is_secret() {
            address.target = why401_http::path_of(&address.target).to_owned();
        }
        Ask {
            method: wish.method.clone(),
            address,
            fields: Vec::new(),
            carry,
            with_body: true,
            with_fields: true,
            version: wish.version,
            at: None,
            direct: false,
        }
    }

    /// A look at an address: `GET` (or the wish's method if that is safe) without credentials and content.
    pub fn look(wish: &Wish, address: Address) -> Ask {
        let method = if wish.is_safe() { wish.method.clone() } else { "GET".to_owned() };
        let mut ask = Ask { method, with_body: false, ..Ask::of(wish, Carry::Nothing) };
        ask.address = address;
        if wish.query_is_secret() {
            ask.address.target = why401_http::path_of(&ask.address.target).to_owned();
        }
        ask
    }

    /// Whether it is a handshake of NTLM: two requests on one connection.
    pub fn is_handshake(&self) -> bool {
        self.carry == Carry::Answer("ntlm".to_owned())
    }

    /// How many requests it is.
    pub fn requests(&self) -> u32 {
        if self.is_handshake() { 2 } else { 1 }
    }

    /// Whether it carries the given credentials.
    pub fn carries(&self) -> bool {
        !matches!(self.carry, Carry::Nothing | Carry::Wrong)
    }

    /// The address in full.
    pub fn url(&self) -> String {
        url(&self.address)
    }
}

/// The address in full, the port left out where it is the scheme's own.
pub fn url(a: &Address) -> String {
    format!("{}://{}{}", a.scheme, authority(a), a.target)
}

/// Host and port as in `Host` (RFC 9110 section 7.2).
pub fn authority(a: &Address) -> String {
    let own = if a.scheme == "https" { 443 } else { 80 };
    if a.port == own { a.host.clone() } else { format!("{}:{}", a.host, a.port) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wish(text: &str) -> Wish {
        Wish::get(Address::parse(text).unwrap())
    }

    #[test]
    fn an_address_is_written_as_it_was_given() {
        for text in ["http://example.com/", "https://example.com:8443/a?b=c", "http://[::1]:8080/"] {
            assert_eq!(url(&wish(text).address), text);
        }
        assert_eq!(authority(&wish("https://example.com:443/").address), "example.com");
    }

    #[test]
    fn a_secret_in_the_query_stays_behind_where_no_credentials_are_meant() {
        let w = wish("https://example.com/v1?api_key=0123456789abcdef0123456789abcdef&a=1");
        assert!(w.has_credentials());
        assert_eq!(Ask::of(&w, Carry::Nothing).address.target, "/v1");
        assert!(Ask::of(&w, Carry::Unasked(String::new())).address.target.contains("api_key"));
    }

    #[test]
    fn fields_that_may_carry_credentials_are_told_from_the_others() {
        let is = |line: &str| Field::parse(line).unwrap().is_credential();
        assert!(is("X-Api-Key: 1") && is("Cookie: a=b") && is("authorization: Bearer x"));
        assert!(!is("Accept: */*") && !is("content-type: text/plain"));
        assert!(Field::parse("no colon").is_none() && Field::parse("a b: c").is_none());
    }
}
