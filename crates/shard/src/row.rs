//! A state as a row of a table.

use crate::{Key, NotSealed, State, VERSION};

/// A state with what engines group and sort by: by `site` and `client`, in order of `source` and `start`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Row {
    /// What the logs belong to.
    pub site: String,
    /// The lot of clients.
    pub client: u32,
    /// The log that it begins with, by its position in order of time.
    pub source: u32,
    /// Where in that it begins.
    pub start: u64,
    /// The first time in it, in milliseconds since 1970.
    pub first: Option<i64>,
    /// The last time.
    pub last: Option<i64>,
    /// The version of the format of states.
    pub version: u8,
    /// The state.
    pub state: Vec<u8>,
}

impl Row {
    /// Of a state, which the key seals; without one, anybody can read it.
    ///
    /// # Errors
    /// Where it cannot be sealed.
    pub fn of(state: State, key: Option<&Key>) -> Result<Row, NotSealed> {
        let (source, start) = match (state.parts.iter().next(), state.faults.first()) {
            (Some(part), _) => part.start(),
            (None, Some((source, (at, _)))) => (*source, *at),
            (None, None) => (0, 0),
        };
        let accounts = || state.parts.iter().flat_map(|part| part.accounts());
        Ok(Row {
            site: state.site.clone(),
            client: state.lot,
            source,
            start,
            first: accounts().filter_map(|a| a.first).min(),
            last: accounts().filter_map(|a| a.last).max(),
            version: VERSION,
            state: match key {
                Some(key) => key.seal(state)?,
                None => state.into_bytes(),
            },
        })
    }
}
