//! Context given along with the evidence: addresses, commands, configuration.

use crate::{Moment, Secured};
use why401_span::{Derived, Secret, SourceId};

/// The `user:password@` of an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Userinfo {
    /// The user, percent-decoded.
    pub user: String,
    /// The password, percent-decoded.
    pub password: Option<Secret<String>>,
}

/// A piece of context.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    /// The evidence it was read from.
    pub source: SourceId,
    /// The text that says it.
    pub text: Derived,
    /// What it says.
    pub kind: FactKind,
}

/// What a piece of context says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FactKind {
    /// A command that somebody ran: `curl -u user:… https://…`.
    Command {
        /// The program's base name in lower case: `curl`, `wget`, `git`, `npm` ...
        program: String,
        /// The words of the command line, unquoted.
        words: Vec<Secret<String>>,
        /// The addresses among them.
        addresses: Vec<String>,
        /// Userinfo in one of the addresses.
        userinfo: Option<Userinfo>,
        /// A user given by an option (`-u`, `--user`, `-a`).
        user: Option<String>,
        /// Field lines given by an option (`-H`).
        fields: Vec<(String, Secret<String>)>,
    },
    /// An address given by itself.
    Address {
        /// The address without its userinfo.
        address: String,
        /// Its userinfo.
        userinfo: Option<Userinfo>,
    },
    /// An entry of a `.netrc`.
    Netrc {
        /// The host, `None` for `default`.
        machine: Option<String>,
        /// The login.
        login: Option<String>,
        /// The password.
        password: Option<Secret<String>>,
    },
    /// A line or block of configuration.
    Configuration {
        /// The product that it is for, where that is certain.
        product: Option<String>,
    },
    /// A TLS connection, as far as it is visible.
    Tls(Box<Secured>),
    /// Text that has parts of a program in it.
    Program,
    /// All of a text that somebody pasted, in one piece: for what stands in several of its parts. Each part is given
    /// by itself too.
    Pasted,
    /// A code in words: `401.3`, `0x80244017`, `AH01617`.
    Code(String),
    /// What the person says of the clock of the machine that the evidence comes from.
    Clock {
        /// What it showed when the evidence was recorded.
        shows: Option<Moment>,
        /// How many seconds it is ahead of the true time; behind where negative.
        ahead: i64,
    },
    /// The keys of a Kerberos service: the contents of its keytab.
    Keytab(Secret<Vec<u8>>),
    /// What the person says they meant: a user, a scheme.
    Intended {
        /// The user they mean to be.
        user: Option<String>,
        /// The scheme they mean to use.
        scheme: Option<String>,
    },
}
