//! Where something is said: the channel that a text came through, and the channels that a phrase is heard on.

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
    names: Vec<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Names {
    One(String),
    Many(Vec<String>),
}

const KNOWN: [&str; 8] = ["body", "realm", "challenge", "user-agent", "log", "symptom", "host", "cookie"];

impl TryFrom<Names> for Places {
    type Error = String;

    fn try_from(names: Names) -> Result<Self, String> {
        let mut names = match names {
            Names::One(name) => vec![name],
            Names::Many(names) => names,
        };
        for name in &mut names {
            name.make_ascii_lowercase();
            if !KNOWN.contains(&name.as_str()) && !name.starts_with("field:") {
                return Err(format!("in = {name:?} is none of {KNOWN:?} and no \"field:NAME\""));
            }
        }
        Ok(Places { names })
    }
}

impl Places {
    /// Whether only the value of named fields, hosts, cookies, realms or user agents is meant: places so narrow that
    /// a single word says enough.
    pub(crate) fn narrow(&self) -> bool {
        !self.names.is_empty()
            && !self.names.iter().any(|n| matches!(n.as_str(), "body" | "challenge" | "log" | "symptom"))
    }

    /// Whether what is said here is heard on `channel`.
    pub(crate) fn hear(&self, channel: Channel<'_>) -> bool {
        let has = |name: &str| self.names.iter().any(|n| n == name);
        match channel {
            Channel::Field(name) => self.names.is_empty() || self.is_field(name),
            Channel::Symptom => !self.narrow(),
            Channel::Body => self.names.is_empty() || has("body"),
            Channel::Challenge => self.names.is_empty() || has("challenge"),
            Channel::Log => self.names.is_empty() || has("log"),
            Channel::Realm => has("realm"),
            Channel::UserAgent => has("user-agent"),
            Channel::Host => has("host"),
            Channel::Cookie => has("cookie"),
        }
    }

    /// The fields named, in lower case.
    pub(crate) fn fields(&self) -> impl Iterator<Item = &str> {
        self.names.iter().filter_map(|name| name.strip_prefix("field:"))
    }

    fn is_field(&self, name: &str) -> bool {
        self.fields().any(|field| field.eq_ignore_ascii_case(name))
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
