//! States to fewer states.

use super::{args, invalid, key};
use std::fs::File;
use std::io::{self, BufReader, BufWriter};
use why401_shard::{Key, Merge, State, Unreadable, columns};

/// Merges what comes; whether something had to be left out.
pub(super) fn run(args: &args::States, key: Option<Key>, words: &mut Vec<String>) -> io::Result<bool> {
    let mut out = columns::States::new(BufWriter::new(io::stdout().lock()))?;
    let mut merge = Merge::default();
    let mut left_out = false;
    read(args, |state| {
        left_out |= !state.faults.is_empty();
        merge.take(state).map_err(invalid)
    })?;
    merge.drain().into_iter().try_for_each(|state| super::write(state, key.as_ref(), &mut out))?;
    words.append(&mut merge.words);
    out.finish()?;
    Ok(left_out)
}

/// Reads states from the files that are named, or from standard input.
pub(super) fn read(args: &args::States, mut take: impl FnMut(State) -> io::Result<()>) -> io::Result<()> {
    let mut number = 0u64;
    let key = key::given().map_err(invalid)?;
    let mut each = |name: &str, bytes: &[u8]| {
        number += 1;
        let state = State::from_bytes(bytes, key.as_ref()).map_err(|e| match e {
            Unreadable::NoKey | Unreadable::OtherKey => {
                invalid(format!("{name}, state {number}: {e}: {}", key::wanted()))
            }
            _ => invalid(format!("{name}, state {number}: {e}")),
        });
        take(state?)
    };
    if args.files.is_empty() {
        return columns::read_states(io::stdin().lock(), |bytes| each("standard input", bytes));
    }
    for path in &args.files {
        let name = path.display().to_string();
        let named = |e: io::Error| match e.to_string().starts_with(&name) {
            true => e,
            false => io::Error::new(e.kind(), format!("{name}: {e}")),
        };
        let file = BufReader::new(File::open(path).map_err(named)?);
        columns::read_states(file, |bytes| each(&name, bytes)).map_err(named)?;
    }
    Ok(())
}
