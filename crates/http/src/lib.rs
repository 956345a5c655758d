//! Messages, exchanges and who took part in them: what every reader makes and every cause looks at.
//!
//! A reader of any format yields the same four things: an [`Exchange`] (one request and its answer as one vantage
//! point saw them), a [`Statement`] (what a server, a client or a person said about a refusal), a [`Fact`] (context
//! given along: an address, a command, a configuration) and problems of its own.

mod exchange;
mod fact;
mod message;
mod moment;
mod secured;
mod statement;
mod target;

pub use exchange::{Exchange, LogWords, LoggedUser, Peer, Shows};
pub use fact::{Fact, FactKind, Userinfo};
pub use message::{BODY_EXCERPT, Body, FieldLine, Fields, Request, Response};
pub use moment::Moment;
pub use secured::{AskedCertificate, Secured, ShownCertificate};
pub use statement::{Speaker, Statement, Words};
pub use target::{Address, path_of, query_of};
