//! Splits to partial states.

use super::invalid;
use crate::bulk::{self, Log, Origin};
use crate::evidence;
use std::collections::BTreeMap;
use std::io::{self, BufRead, Write};
use why401_fold::Seed;
use why401_read::bulk::Filter;
use why401_shard::{Key, Plan, Source, Split, State, columns, lines};
use why401_span::SourceId;

/// So many stretches that do not touch are held at once.
const HELD: usize = 8;

/// Folds what comes on standard input; whether a split could not be read.
pub(super) fn run(key: Option<Key>, words: &mut Vec<String>) -> io::Result<bool> {
    let mut input = io::BufReader::new(io::stdin().lock());
    let mut fold = Fold {
        states: columns::States::new(io::BufWriter::new(io::stdout().lock()))?,
        key,
        held: BTreeMap::new(),
        log: None,
        left_out: false,
        words,
    };
    // A pipe may give a byte at a time; one tells them apart.
    match columns::is_stream(input.fill_buf()?) {
        true => columns::read_splits(input, |split| fold.take(split))?,
        false => lines::read(input, |split| fold.take(split))?,
    }
    let Fold { mut states, key, held, left_out, .. } = fold;
    give(held, key.as_ref(), &mut states)?;
    states.finish()?;
    Ok(left_out)
}

/// Folds splits, and keeps the state of each site.
struct Fold<'a, W: Write> {
    states: columns::States<W>,
    /// What they are sealed with.
    key: Option<Key>,
    /// By site and plan; all lots in one.
    held: BTreeMap<(String, String), State>,
    /// The log that was read last, with what it was looked at for.
    log: Option<(String, String, Log<'static>)>,
    left_out: bool,
    words: &'a mut Vec<String>,
}

impl<W: Write> Fold<'_, W> {
    fn take(&mut self, mut split: Split) -> io::Result<()> {
        let plan = Plan::of(&split.plan);
        let plan = plan.ok_or_else(|| invalid(format!("{}: the split has no plan", split.path)))?;
        let key = (split.site.clone(), split.plan.clone());
        let mut state = self.held.remove(&key).unwrap_or_else(|| State {
            site: split.site.clone(),
            plan: split.plan.clone(),
            ..State::default()
        });
        let content = split.content.take();
        let told = match &content {
            Some(bytes) => look(&split, &plan, Origin::Memory(bytes))
                .and_then(|log| self.read(&split, &plan, &log, &mut state)),
            None => match self.log.take().filter(|(path, of, _)| *path == split.path && *of == split.plan) {
                Some((path, of, log)) => {
                    let told = self.read(&split, &plan, &log, &mut state);
                    self.log = Some((path, of, log));
                    told
                }
                None => look(&split, &plan, Origin::File(split.path.clone().into())).and_then(|log| {
                    let told = self.read(&split, &plan, &log, &mut state);
                    self.log = Some((split.path.clone(), split.plan.clone(), log));
                    told
                }),
            },
        };
        if let Err(what) = told {
            self.fault(&split, split.start, what, &mut state);
        }
        match state.parts.iter().count() > HELD {
            true => give(BTreeMap::from([(key, state)]), self.key.as_ref(), &mut self.states),
            false => {
                self.held.insert(key, state);
                Ok(())
            }
        }
    }

    fn read(&mut self, split: &Split, plan: &Plan, log: &Log<'_>, state: &mut State) -> Result<(), String> {
        let now = match &log.origin {
            Origin::Memory(bytes) => bytes.len() as u64,
            _ => std::fs::metadata(&split.path).map_err(|e| evidence::in_words(&e))?.len(),
        };
        if now < split.end {
            return Err(format!("has {now} bytes, fewer than when it was planned"));
        }
        let format = (log.bulk.format().to_owned(), log.bulk.directives().into());
        state.sources.insert(split.source, Source { format: Some(format), ..source(split) });
        let (parts, faults) =
            bulk::fold_split(log, split.source, (split.start, split.end), &filter(plan), Seed(plan.seed));
        parts.into_parts().for_each(|part| state.insert(part, self.words));
        faults.into_iter().for_each(|(at, what)| self.fault(split, at, what, state));
        Ok(())
    }

    fn fault(&mut self, split: &Split, at: u64, what: String, state: &mut State) {
        state.sources.entry(split.source).or_insert_with(|| source(split));
        self.words.push(format!("{}, bytes {} to {}: {what}", split.path, split.start, split.end));
        self.left_out = true;
        state.faults.insert((split.source, (at, what)));
    }
}

fn source(split: &Split) -> Source {
    let Split { number, path, size, codec, .. } = split.clone();
    Source { number, path, size, codec, format: None }
}

/// Looks at the head of a log, and whether it is as it was when it was planned.
fn look<'a>(split: &Split, plan: &Plan, origin: Origin<'a>) -> Result<Log<'a>, String> {
    let formats = (plan.input.as_deref(), plan.log_format.as_deref());
    let log = bulk::look_at(SourceId(split.number), origin, split.size, formats);
    let log = log.map_err(|e| evidence::in_words(&e))?.ok_or_else(|| bulk::UNFIT.to_owned())?;
    match bulk::codec(log.coding) == split.codec {
        true => Ok(log),
        false => Err(format!("is not {} as it was when it was planned", split.codec)),
    }
}

fn filter(plan: &Plan) -> Filter {
    Filter {
        since: plan.since,
        until: plan.until,
        account: plan.account.clone(),
        client: plan.client.clone(),
        resource: plan.resource.clone(),
    }
}

/// Shares the states out into lots of clients, and writes those.
fn give<W: Write>(
    held: BTreeMap<(String, String), State>,
    key: Option<&Key>,
    out: &mut columns::States<W>,
) -> io::Result<()> {
    for ((site, plan), state) in held {
        let lots = Plan::of(&plan).map_or(1, |plan| plan.lots);
        let mut shared: Vec<State> = (0..lots)
            .map(|lot| State {
                site: site.clone(),
                lot,
                plan: plan.clone(),
                sources: state.sources.clone(),
                faults: state.faults.clone(),
                ..State::default()
            })
            .collect();
        for part in state.parts.into_parts() {
            for (state, lot) in shared.iter_mut().zip(part.lots(lots.into())) {
                state.parts.insert(lot);
            }
        }
        shared.into_iter().try_for_each(|state| super::write(state, key, out))?;
    }
    Ok(())
}
