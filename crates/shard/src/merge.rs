//! States become one.

use crate::{Fault, Plan, Source, State};
use std::collections::{BTreeMap, BTreeSet};
use why401_fold::{Parts, Seed, Told};

/// Merges states of each site and lot, in whatever order they come.
#[derive(Debug, Default)]
pub struct Merge {
    states: BTreeMap<(String, u32), State>,
    /// The plan of each site.
    plans: BTreeMap<String, String>,
    /// What has to be told: what came twice, and what was left out.
    pub words: Vec<String>,
}

impl Merge {
    /// Takes a state in.
    ///
    /// # Errors
    /// Where it belongs to another plan than the others of its site.
    pub fn take(&mut self, state: State) -> Result<(), String> {
        let plan = self.plans.entry(state.site.clone()).or_insert_with(|| state.plan.clone());
        if *plan != state.plan {
            return Err(
                "states of different plans cannot be merged: fold the splits of one plan, and merge what comes of them"
                    .to_owned(),
            );
        }
        match self.states.get_mut(&(state.site.clone(), state.lot)) {
            Some(own) => own.absorb(state, &mut self.words),
            None => {
                self.states.insert((state.site.clone(), state.lot), state);
            }
        }
        Ok(())
    }

    /// All that was merged, in order of site and lot.
    pub fn drain(&mut self) -> Vec<State> {
        std::mem::take(&mut self.states).into_values().collect()
    }
}

/// What all lots of one site say together.
#[derive(Debug)]
pub struct Whole {
    /// The plan.
    pub plan: Plan,
    /// The logs, by their position in order of time.
    pub sources: BTreeMap<u32, Source>,
    /// What could not be read.
    pub faults: BTreeSet<Fault>,
    /// What was read.
    pub told: Told,
}

impl Whole {
    /// What keys were made with.
    pub fn seed(&self) -> Seed {
        Seed(self.plan.seed)
    }
}

/// Makes one answer of the merged states of one site.
///
/// # Errors
/// Where there are none, where a lot is missing, or where lots do not hold the same splits.
pub fn whole(states: Vec<State>) -> Result<Whole, String> {
    let plan =
        states.first().and_then(|state| Plan::of(&state.plan)).ok_or("there are no states to report on")?;
    let mut sources = BTreeMap::new();
    let mut faults = BTreeSet::new();
    let mut lots: BTreeMap<u32, Parts> = BTreeMap::new();
    let held = |parts: &Parts| parts.iter().map(|p| (p.start(), p.end(), p.requests())).collect::<Vec<_>>();
    let mut stretches = None;
    for state in states {
        let holds = held(&state.parts);
        if *stretches.get_or_insert_with(|| holds.clone()) != holds {
            return Err(format!(
                "lot {} of the clients does not hold the same splits as the others: some states of it are missing",
                state.lot
            ));
        }
        faults.extend(gaps(&state));
        faults.extend(state.faults);
        sources.extend(state.sources);
        lots.insert(state.lot, state.parts);
    }
    let missing = (0..plan.lots).find(|lot| !lots.contains_key(lot));
    if let Some(missing) = missing {
        return Err(format!(
            "lot {missing} of {} of the clients is missing: merge all states of the plan",
            plan.lots
        ));
    }
    Ok(Whole { plan, sources, faults, told: Parts::finish_lots(lots.into_values()) })
}

/// Stretches that no state holds, and of which nobody has told why.
fn gaps(state: &State) -> Vec<Fault> {
    let after = state.sources.iter().rev().find(|(_, s)| s.format.is_some()).map_or(0, |(at, _)| at + 1);
    let mut gaps = Vec::new();
    let (mut begun, mut reached) = ((0, 0), (0, 0));
    let parts = state.parts.iter().map(|part| (part.start(), part.end()));
    for (start, end) in parts.chain([((after, 0), (after, 0))]) {
        // A split begins in the midst of a line that belongs to the one before.
        let told =
            |(source, (at, _)): &Fault| (begun..start).contains(&(*source, *at)) && *source >= reached.0;
        if reached < start && !state.faults.iter().any(told) {
            let what = format!("{}: was not folded", state.stretch(reached, start));
            gaps.push((reached.0, (reached.1, what)));
        }
        (begun, reached) = (start, reached.max(end));
    }
    gaps
}
