//! Merged states to the diagnosis.

use super::{args, merge};
use crate::args::{Args, Format};
use crate::bulk::{self, Folded, Log};
use crate::diagnose::{self, Intake};
use crate::{Status, evidence};
use std::collections::BTreeMap;
use std::io;
use why401_read::bulk::Bulk;
use why401_report::SourceReport;
use why401_shard::{Merge, Source, Whole, whole};
use why401_span::SourceId;

/// Reports on all states that come.
///
/// # Errors
/// Where they are not all there, or cannot be read.
pub(super) fn run(args: &Args, report: &args::Report) -> Result<Status, String> {
    if args.output.format == Format::Ndjson || args.out.is_some() {
        return Err(
            "states hold no row for each refusal: run `why401 --format ndjson` over the logs".to_owned()
        );
    }
    let mut merge = Merge::default();
    let mut sites = std::collections::BTreeSet::new();
    let taken = merge::read(&report.states, |state| {
        sites.insert(state.site.clone());
        match report.site.as_ref().is_none_or(|site| *site == state.site) {
            true => merge.take(state).map_err(super::invalid),
            false => Ok(()),
        }
    });
    taken.map_err(|e: io::Error| e.to_string())?;
    if report.site.is_none() && sites.len() > 1 {
        let sites: Vec<String> = sites.into_iter().collect();
        return Err(format!("states of several sites: choose one by --site ({})", sites.join(", ")));
    }
    let whole = whole(merge.drain())?;
    merge.words.iter().for_each(|word| super::complain(args, word));
    for (source, (_, what)) in &whole.faults {
        let path = whole.sources.get(source).map_or("a log", |s| s.path.as_str());
        let what = what.strip_prefix(path).unwrap_or(what).trim_start_matches([':', ',', ' ']);
        super::complain(args, &format!("{path}: {what}"));
    }
    let mut intake = Intake::default();
    let sources = enter(whole, &mut intake)?;
    diagnose::finish(args, intake, sources, |_| {})
}

/// Hands over what the states tell; the account of each log, in the order in which they were given.
fn enter(whole: Whole, intake: &mut Intake) -> Result<Vec<SourceReport>, String> {
    let last = whole.sources.keys().next_back().map_or(0, |last| last + 1);
    if last as usize > whole.sources.len() {
        return Err("states of some logs of the plan are missing".to_owned());
    }
    let logs = whole.sources.values().map(|s| log(s, whole.plan.log_format.as_deref()));
    let logs =
        logs.collect::<Option<Vec<Log<'static>>>>().ok_or("the states are damaged: no such log format")?;
    let faults =
        whole.faults.iter().map(|(at, (offset, what))| (*at as usize, *offset, what.clone())).collect();
    let folded = Folded { seed: whole.seed(), told: whole.told, faults, piped: 0 };
    let (reports, overview) = bulk::enter(&logs, &folded, intake);
    intake.overview = Some(overview);
    let mut sources = BTreeMap::new();
    for (source, (_, report)) in whole.sources.into_values().zip(reports) {
        let Source { number, path, format, .. } = source;
        let report = match format {
            Some(_) => SourceReport { name: path, ..report },
            None => {
                let what = report.problems.into_iter().next().map(|p| p.what).unwrap_or_default();
                evidence::unread(path, what)
            }
        };
        sources.insert(number, report);
    }
    Ok(sources.into_values().collect())
}

fn log(source: &Source, log_format: Option<&str>) -> Option<Log<'static>> {
    let (format, directives) = match &source.format {
        Some((format, directives)) => (format.as_str(), &**directives),
        // Nothing was read of it, so nothing is read with this.
        None => ("access-log", &[][..]),
    };
    let bulk = Bulk::known(format, directives, log_format)?;
    Some(Log::elsewhere(SourceId(source.number), bulk::coding(&source.codec), source.size, bulk))
}
