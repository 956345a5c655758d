//! Where something is said: the channel that a text came through, and the channels that a phrase is heard on.

use std::borrow::Cow;

use serde::Deserialize;

/// What kind of text is searched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Channel<'a> {
    /// The content of an answer.
    Body,
    /// A realm of a challenge.
    Realm,
    /// A challenge, or an `error_description` or other parameter of one.
    Challenge,
    /// The `User-Agent` field of a request.
    UserAgent,
    /// A line of a log, or several.
    Log,
    /// What a person pasted: may hold anything that a body, a challenge or a log says.
    Symptom,
    /// The name of the host asked.
    Host,
    /// The name of a cookie.
    Cookie,
    /// The value of a field, or of a column of a log, by its name.
    Field(&'a str),
}

/// The channels on which a phrase or mark is heard, as written in `in`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Names")]
pub(crate) struct Places {
    /// Bit `n` for `KNOWN[n]`.
    pub(crate) known: u8,
    /// Names of fields, in lower case.
    pub(crate) fields: Cow<'static, [Cow<'static, str>]>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Names {
    One(String),
    Many(Vec<String>),
}

const BODY: u8 = 1;
const CHALLENGE: u8 = 2;
const LOG: u8 = 4;
const SYMPTOM: u8 = 8;
const REALM: u8 = 16;
const USER_AGENT: u8 = 32;
const HOST: u8 = 64;
const COOKIE: u8 = 128;

/// Every channel that is not a field, by its name and bit.
const KNOWN: [(&str, u8, Channel<'static>); 8] = [
    ("body", BODY, Channel::Body),
    ("challenge", CHALLENGE, Channel::Challenge),
    ("log", LOG, Channel::Log),
    ("symptom", SYMPTOM, Channel::Symptom),
    ("realm", REALM, Channel::Realm),
    ("user-agent", USER_AGENT, Channel::UserAgent),
    ("host", HOST, Channel::Host),
    ("cookie", COOKIE, Channel::Cookie),
];

impl TryFrom<Names> for Places {
    type Error = String;

    fn try_from(names: Names) -> Result<Self, String> {
        let names = match names {
            Names::One(name) => vec![name],
            Names::Many(names) => names,
        };
        let mut places = Places::default();
        for name in names {
            if let Some(field) = name.strip_prefix("field:") {
                places.fields.to_mut().push(field.to_ascii_lowercase().into());
            } else if let Some((_, bit, _)) = KNOWN.iter().find(|(known, ..)| *known == name) {
                places.known |= bit;
            } else {
                let known = KNOWN.map(|(known, ..)| known);
                return Err(format!("in = {name:?} is none of {known:?} and no \"field:NAME\""));
            }
        }
        Ok(places)
    }
}

impl Places {
    /// Whether only the value of named fields, hosts, cookies, realms or user agents is meant: places so narrow that
    /// a single word says enough.
    pub(crate) fn narrow(&self) -> bool {
        !self.anywhere() && self.known & (BODY | CHALLENGE | LOG | SYMPTOM) == 0
    }

    /// Whether nothing is named.
    fn anywhere(&self) -> bool {
        self.known == 0 && self.fields.is_empty()
    }

    /// Whether what is said here is heard on `channel`.
    pub(crate) fn hear(&self, channel: Channel<'_>) -> bool {
        match channel {
            Channel::Field(name) => {
                self.anywhere() || self.fields().any(|field| field.eq_ignore_ascii_case(name))
            }
            Channel::Symptom => !self.narrow(),
            Channel::Body => self.anywhere() || self.known & BODY != 0,
            Channel::Challenge => self.anywhere() || self.known & CHALLENGE != 0,
            Channel::Log => self.anywhere() || self.known & LOG != 0,
            Channel::Realm => self.known & REALM != 0,
            Channel::UserAgent => self.known & USER_AGENT != 0,
            Channel::Host => self.known & HOST != 0,
            Channel::Cookie => self.known & COOKIE != 0,
        }
    }

    /// The fields named, in lower case.
    pub(crate) fn fields(&self) -> impl Iterator<Item = &str> {
        self.fields.iter().map(Cow::as_ref)
    }

    /// The channels named.
    pub(crate) fn channels(&self) -> impl Iterator<Item = Channel<'_>> {
        let known = KNOWN.iter().filter(|(_, bit, _)| self.known & bit != 0).map(|(_, _, channel)| *channel);
        known.chain(self.fields().map(Channel::Field))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(names: &[&str]) -> Places {
        Places::try_from(Names::Many(names.iter().map(|n| n.to_string()).collect())).unwrap()
    }

    #[test]
    fn anywhere_means_what_is_said_not_who_says_it() {
        let anywhere = Places::default();
        assert!(
            anywhere.hear(Channel::Body) && anywhere.hear(Channel::Log) && anywhere.hear(Channel::Field("x"))
        );
        assert!(!anywhere.hear(Channel::UserAgent) && !anywhere.hear(Channel::Host));
    }

    #[test]
    fn a_person_may_paste_a_log_but_a_body_is_no_log() {
        let log = places(&["log"]);
        assert!(log.hear(Channel::Symptom) && log.hear(Channel::Log));
        assert!(!log.hear(Channel::Body));
        let field = places(&["field:Server"]);
        assert!(field.hear(Channel::Field("server")) && !field.hear(Channel::Symptom));
    }

    #[test]
    fn an_unknown_place_is_an_error() {
        assert!(Places::try_from(Names::One("boddy".into())).is_err());
    }
}
