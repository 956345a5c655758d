//! Logs to splits.

use super::{args, invalid};
use crate::bulk::{self, Log, Origin};
use crate::{evidence, filter, names};
use std::hash::BuildHasher;
use std::io::{self, Write};
use std::path::Path;
use why401_read::bulk::Filter;
use why401_shard::{Plan, Split, columns, lines};
use why401_span::SourceId;

/// Plans and prints; whether something had to be left out.
pub(super) fn run(args: &args::Plan, words: &mut Vec<String>) -> io::Result<bool> {
    let named = names::expand(&args.paths);
    let heads = match named.iter().any(|name| name == "-") {
        true => columns::read_heads(io::stdin().lock())?,
        false => Vec::new(),
    };
    let formats = (args.input.as_deref(), args.log_format.as_deref());
    let files = named.iter().filter(|name| *name != "-").map(|name| {
        let path = name.to_string_lossy().into_owned();
        let found = find(Path::new(name));
        (path, found)
    });
    let given = heads.iter().map(|h| (h.path.clone(), Ok((Origin::Memory(&h.head), h.size))));
    let mut logs = Vec::new();
    let mut unread = Vec::new();
    for (number, (path, found)) in (0u32..).zip(files.chain(given)) {
        match found.and_then(|(origin, size)| look(number, origin, size, formats)) {
            Ok(log) => logs.push((log, path)),
            Err(what) => {
                words.push(format!("{path}: {what}"));
                unread.push((number, path));
            }
        }
    }
    if logs.is_empty() {
        words.push("there is nothing to fold".to_owned());
        return Err(invalid(std::mem::take(words).join("\n")));
    }
    logs.sort_by_key(|(log, _)| log.place());
    let plan = plan(args).to_text();
    let split = |source: usize, number: u32, path: String| Split {
        site: args.site.clone(),
        source: u32::try_from(source).unwrap_or(u32::MAX),
        number,
        path,
        plan: plan.clone(),
        ..Split::default()
    };
    let mut splits = Vec::new();
    for (source, (log, path)) in logs.iter().enumerate() {
        let codec = bulk::codec(log.coding).to_owned();
        let whole = Split { size: log.size, codec, ..split(source, log.id.0, path.clone()) };
        // What does not lie in a file here comes to its worker as a whole.
        let is_cut = log.is_divisible() && matches!(log.origin, Origin::File(_));
        let pieces = if is_cut { log.size.div_ceil(args.split_size).max(1) } else { 1 };
        let at = |piece: u64| (u128::from(log.size) * u128::from(piece) / u128::from(pieces)) as u64;
        splits.extend((0..pieces).map(|n| Split { start: at(n), end: at(n + 1), ..whole.clone() }));
    }
    // What cannot be read is planned too, so that the report tells of it.
    let all = unread.into_iter().zip(logs.len()..);
    splits.extend(
        all.map(|((number, path), source)| Split { codec: "none".to_owned(), ..split(source, number, path) }),
    );
    let mut out = io::BufWriter::new(io::stdout().lock());
    match args.arrow {
        true => columns::write_splits(&splits, &mut out)?,
        false => splits.iter().try_for_each(|split| lines::write(split, &mut out))?,
    }
    out.flush()?;
    Ok(!words.is_empty())
}

/// A log that lies in a file, and its size.
fn find(path: &Path) -> Result<(Origin<'static>, u64), String> {
    if path.to_str().is_none() {
        return Err("has a name that is no UTF-8, which rows cannot carry".to_owned());
    }
    let metadata = std::fs::metadata(path).map_err(|e| evidence::in_words(&e))?;
    match metadata.is_file() {
        true => Ok((Origin::File(path.to_owned()), metadata.len())),
        false => Err("is no file".to_owned()),
    }
}

/// Looks at the head of one log.
fn look<'a>(
    number: u32,
    origin: Origin<'a>,
    size: u64,
    formats: (Option<&str>, Option<&str>),
) -> Result<Log<'a>, String> {
    let log = bulk::look_at(SourceId(number), origin, size, formats);
    log.map_err(|e| evidence::in_words(&e))?.ok_or_else(|| bulk::UNFIT.to_owned())
}

fn plan(args: &args::Plan) -> Plan {
    let Filter { since, until, account, client, resource } = filter::of(&args.only);
    Plan {
        // As good as random, and short enough for any engine's numbers.
        seed: std::hash::RandomState::new().hash_one(std::process::id()) >> 2,
        lots: args.lots,
        input: args.input.clone(),
        log_format: args.log_format.clone(),
        since,
        until,
        account,
        client,
        resource,
    }
}
