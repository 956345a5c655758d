//! What a data file holds.

use std::fmt;

use serde::Deserialize;

use crate::place::{Channel, Places};

/// A product, by its position among those known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ProductId(pub(crate) u16);

/// What a product is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// An origin server.
    Server,
    /// A proxy, gateway, firewall or CDN.
    Proxy,
    /// A framework or library that a server or client is built with.
    Library,
    /// An identity provider.
    Identity,
    /// A registry of packages or images.
    Registry,
    /// A cloud platform.
    Cloud,
    /// A service with an API.
    Service,
    /// A client program.
    Client,
}

/// How much a phrase says about its cause.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Weight {
    /// It reports the refusal and not its reason; the cause named is no more than the first to look at.
    Reports,
    /// The cause is likely, others are open.
    Suggests,
    /// Who says this means this cause.
    Proves,
}

/// One product: how it is recognised, what it says, how it is mended.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Product {
    /// Stable name, the name of its file: `spring-security`.
    pub product: String,
    /// Name for people: `Spring Security`.
    pub name: String,
    /// What it is.
    pub kind: Kind,
    /// How it is recognised.
    #[serde(default, rename = "mark")]
    pub marks: Vec<Mark>,
    /// What it says.
    #[serde(default, rename = "phrase")]
    pub phrases: Vec<Phrase>,
    /// What mends it.
    #[serde(default, rename = "fix")]
    pub fixes: Vec<Fix>,
    /// What it does with credentials, challenges and redirects.
    #[serde(default, rename = "habit")]
    pub habits: Vec<Habit>,
}

/// A trait by which a product is recognised.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mark {
    #[serde(rename = "in")]
    pub(crate) places: Places,
    /// The wording; empty where the mere presence of the field or cookie tells.
    #[serde(default)]
    pub text: String,
}

/// Something that a product says when it refuses, and what it means.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Phrase {
    /// Wordings: one, or several of the same meaning.
    #[serde(default)]
    pub text: Texts,
    /// Codes that say the same (`AH01617`, `0x80090308`, `1326`), compared digit by digit.
    #[serde(default)]
    pub codes: Vec<String>,
    #[serde(default, rename = "in")]
    pub(crate) places: Places,
    /// Name of the cause, as in the catalogue.
    pub cause: String,
    /// How much it says about the cause.
    pub weight: Weight,
    /// Whether the wording is so general that it counts only where the product is recognised.
    #[serde(default)]
    pub needs_product: bool,
    /// Causes that it leaves open.
    #[serde(default)]
    pub also: Vec<String>,
    /// Where the wording stands.
    pub source: String,
    /// What the reader should know.
    pub note: Option<String>,
}

/// One wording or several, as `text = "..."` or `text = ["...", "..."]`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(from = "OneOrMany")]
pub struct Texts(pub Vec<String>);

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

impl From<OneOrMany> for Texts {
    fn from(texts: OneOrMany) -> Self {
        match texts {
            OneOrMany::One(text) => Texts(vec![text]),
            OneOrMany::Many(texts) => Texts(texts),
        }
    }
}

/// What mends a cause where a product is involved.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fix {
    /// Name of the cause, as in the catalogue.
    pub cause: String,
    /// Who acts: `caller`, `account-owner`, `server` or `intermediary`.
    pub party: String,
    /// What to do, as a sentence.
    #[serde(rename = "do")]
    pub action: String,
    /// A line to run, where there is one.
    pub command: Option<String>,
    /// Where it is documented.
    pub source: String,
}

/// Something that a product, mostly a client, does without saying so.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Habit {
    /// What it does, as a sentence without its subject.
    pub what: String,
    /// Since or until which versions, where that is known.
    pub versions: Option<String>,
    /// Where it is documented.
    pub source: String,
}

impl Mark {
    /// Where it is looked for.
    pub fn channels(&self) -> impl Iterator<Item = Channel<'_>> {
        self.places.channels()
    }
}

impl Phrase {
    /// The first wording, or the first code where there is none: a name for people.
    pub fn label(&self) -> &str {
        self.text.0.first().or(self.codes.first()).map_or("", String::as_str)
    }

    /// Whether it counts as said when it stands in text that came through `channel`.
    pub fn heard_on(&self, channel: Channel<'_>) -> bool {
        self.places.hear(channel)
    }

    /// The fields in whose value it is said, by name.
    pub fn fields(&self) -> impl Iterator<Item = &str> {
        self.places.fields()
    }

    /// Whether it is heard in named fields, hosts, cookies, realms or product names only, where one word says enough.
    pub fn is_narrow(&self) -> bool {
        self.places.narrow()
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Kind::Server => "server",
            Kind::Proxy => "proxy",
            Kind::Library => "library",
            Kind::Identity => "identity",
            Kind::Registry => "registry",
            Kind::Cloud => "cloud",
            Kind::Service => "service",
            Kind::Client => "client",
        })
    }
}
