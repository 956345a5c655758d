//! `why401 gate`: authentication in front of a service. Every refusal is recorded with the name that the catalogue of causes
//! gives it, so that the operator who asks why somebody was refused gets the diagnosis and not a guess.
//!
//! `decide` is pure: from a request, the client's address, the time and what is remembered to a verdict. `http` reads and
//! writes HTTP/1.1 as bytes. Sockets are in `serve` and `upstream`, files in `accounts`, `log` and `inbox`.

mod accounts;
mod config;
mod decide;
mod files;
mod gate;
mod http;
mod inbox;
mod keys;
mod log;
mod metrics;
mod net;
mod refusal;
mod rule;
mod run;
mod serve;
mod state;
mod streams;
mod trace;
mod upstream;

pub use accounts::admin as account;
pub use inbox::deliver as messages;
pub use run::{check, run, why};
