//! From what was folded to a case: examples are read again in full.

use super::choose::Log;
use super::origin::Bytes;
use super::work::Folded;
use jiff::Timestamp;
use std::collections::HashMap;
use std::sync::Arc;
use why401_fold::{Account, Oddity, Wanted};
use why401_history::{Folded as Known, Whose};
use why401_http::{Exchange, Fact, Moment, Statement};
use why401_read::bulk::{Filter, Place, Scanner};
use why401_read::{LAYER, Sink};
use why401_report::{Overview, Problem, Series, Share, SourceReport};
use why401_span::{LayerId, SourceId};

/// How much of a line is read at first.
const LINE: usize = 4 * 1024;
/// How many accounts and clients an overview names.
const NAMED: usize = 5;

/// Takes what was chosen: exchanges with what they stand for, and words.
pub(crate) trait Take {
    /// An exchange that stands for others.
    fn folded(&mut self, exchange: Exchange, known: Known, series: Series);
    /// What a line said that is no exchange.
    fn statement(&mut self, statement: Statement);
}

/// Reads the examples again and gives them to `to`; what each log held, by source, and all of them together.
pub(crate) fn enter(
    logs: &[Log<'_>],
    folded: &Folded,
    to: &mut dyn Take,
) -> (Vec<(SourceId, SourceReport)>, Overview) {
    let wanted = folded.told.wanted();
    let threads = std::thread::available_parallelism().map_or(1, |n| n.get().min(8));
    let share = wanted.len().div_ceil(threads).max(1);
    let read: Vec<Vec<Option<Exchange>>> = std::thread::scope(|scope| {
        let each = |part| scope.spawn(move || read_again(logs, part));
        let running: Vec<_> = wanted.chunks(share).map(each).collect();
        running.into_iter().map(|thread| thread.join().unwrap_or_default()).collect()
    });
    let mut names = Names::default();
    let mut groups: HashMap<u64, Arc<Whose>> = HashMap::new();
    for (wanted, exchange) in wanted.into_iter().zip(read.into_iter().flatten()) {
        let Some(exchange) = exchange else { continue };
        names.learn(&wanted, &exchange);
        let whose = groups.entry(wanted.group).or_insert_with(|| {
            let (accounts, clients) = (*wanted.whose).clone();
            Arc::new(Whose { accounts, clients })
        });
        let whose = Arc::clone(whose);
        let known = Known {
            chain: wanted.chain,
            group: wanted.group,
            whose,
            works: works(folded, &exchange),
            refused: wanted.refused,
            first: moment(wanted.first, &exchange),
            last: moment(wanted.last, &exchange),
            by_address: wanted.by_address.map(|all| (all.served, all.refused)),
        };
        to.folded(exchange, known, wanted.series);
    }
    let overview = overview(folded, &names);
    let reports =
        logs.iter().enumerate().map(|(order, log)| (log.id, report(order, log, folded, to))).collect();
    (reports, overview)
}

/// Whether anybody may have been let in at the path of an exchange, with any method and with its own.
fn works(folded: &Folded, exchange: &Exchange) -> (bool, bool) {
    let Some(request) = &exchange.request else { return (true, true) };
    let target = request.target();
    let path = why401_http::path_of(&target).as_bytes();
    let paths = &folded.told.paths;
    (paths.let_in(path), paths.let_in_with(request.method().as_bytes(), path))
}

/// A time of the fold, as far as the evidence gave it a zone.
fn moment(ms: Option<i64>, like: &Exchange) -> Option<Moment> {
    let at = Timestamp::from_millisecond(ms?).ok()?;
    // The fold counts in milliseconds; the exchange itself may know more.
    match like.time {
        Some(own) if own.at.as_millisecond() == at.as_millisecond() => Some(own),
        Some(own) => Some(Moment { at, zoned: own.zoned }),
        None => Some(Moment::local(at)),
    }
}

fn read_again(logs: &[Log<'_>], wanted: &[Wanted]) -> Vec<Option<Exchange>> {
    let mut open: Option<(u32, Option<Bytes<'_>>, Scanner)> = None;
    let mut buffer = Vec::new();
    let again = |w: &Wanted| {
        let log = logs.get(w.event.source as usize)?;
        if open.as_ref().is_none_or(|(source, ..)| *source != w.event.source) {
            let file = log.origin.open().ok();
            open = Some((w.event.source, file, log.bulk.scanner(&Filter::default())));
        }
        let (_, file, scanner) = open.as_mut()?;
        let line = match &w.event.text {
            Some(text) => text,
            None => line_at(file.as_ref()?, w.event.offset, &mut buffer)?,
        };
        let mut one = One::default();
        scanner.again(line, &place(log, w.event.offset, w.event.line, w.event.index), &mut one);
        one.exchange
    };
    wanted.iter().map(again).collect()
}

fn place(log: &Log<'_>, offset: u64, line: u32, index: u64) -> Place {
    Place { source: log.id, layer: log.coding.map(|_| LayerId(0)), offset, line, index }
}

/// The line that begins at `offset`.
fn line_at<'b>(file: &Bytes<'_>, offset: u64, buffer: &'b mut Vec<u8>) -> Option<&'b [u8]> {
    let mut room = LINE;
    loop {
        buffer.resize(room, 0);
        let mut filled = 0;
        while let Some(free) = buffer.get_mut(filled..).filter(|f| !f.is_empty()) {
            match file.read_at(free, offset + filled as u64).ok()? {
                0 => break,
                count => filled += count,
            }
        }
        let end = memchr::memchr(b'\n', buffer.get(..filled)?);
        if end.is_some() || filled < room || room >= super::file::LONGEST {
            return buffer.get(..end.unwrap_or(filled));
        }
        room *= 8;
    }
}

/// Takes the one exchange that a line tells of.
#[derive(Default)]
struct One {
    exchange: Option<Exchange>,
}

impl Sink for One {
    fn exchange(&mut self, exchange: Exchange) {
        self.exchange = Some(exchange);
    }
    fn statement(&mut self, _: Statement) {}
    fn fact(&mut self, _: Fact) {}
    fn problem(&mut self, _: Problem) {}
    fn layer(&mut self, _: String) -> LayerId {
        LayerId(0)
    }
}

/// Takes what lines that are no requests say.
struct Odd<'a> {
    to: &'a mut dyn Take,
    problems: Vec<Problem>,
}

impl Sink for Odd<'_> {
    fn exchange(&mut self, _: Exchange) {}
    fn statement(&mut self, statement: Statement) {
        self.to.statement(statement);
    }
    fn fact(&mut self, _: Fact) {}
    fn problem(&mut self, problem: Problem) {
        self.problems.push(problem);
    }
    fn layer(&mut self, _: String) -> LayerId {
        LayerId(0)
    }
}

fn report(order: usize, log: &Log<'_>, folded: &Folded, to: &mut dyn Take) -> SourceReport {
    let own = |source: u32| usize::try_from(source).is_ok_and(|s| s == order);
    let account = folded.told.accounts.iter().find(|a| own(a.source)).cloned().unwrap_or_default();
    let odd: Vec<&Oddity> = folded.told.oddities.iter().filter(|o| own(o.source)).collect();
    let mut sink = Odd { to, problems: Vec::new() };
    let lines = odd.iter().map(|o| (&*o.text, place(log, o.offset, o.line, account.exchanges)));
    log.bulk.scanner(&Filter::default()).odd(lines, &mut sink);
    let mut problems = sink.problems;
    let faults = folded.faults.iter().filter(|(at, ..)| *at == order);
    problems.extend(faults.map(|(_, at, what)| Problem { offset: *at, line: None, what: what.clone() }));
    let Account { exchanges, statuses, first, last, odd: all, .. } = account;
    if let Some(more) = all.checked_sub(odd.len() as u64).filter(|n| *n > 0) {
        let what = format!("{more} more lines are no requests; the first {} were looked at", odd.len());
        problems.push(Problem { offset: 0, line: None, what });
    }
    let time =
        |ms: Option<i64>| ms.and_then(|ms| Timestamp::from_millisecond(ms).ok()).map(|t| t.to_string());
    SourceReport {
        name: String::new(),
        format: log.bulk.format().to_owned(),
        bytes: if log.is_piped() { folded.piped } else { log.size },
        exchanges,
        statuses,
        first: time(first),
        last: time(last),
        problems,
        layers: log.coding.map(|_| LAYER.to_owned()).into_iter().collect(),
    }
}

/// The names behind keys.
#[derive(Default)]
struct Names {
    accounts: HashMap<u64, String>,
    clients: HashMap<u64, String>,
}

impl Names {
    fn learn(&mut self, wanted: &Wanted, exchange: &Exchange) {
        if let (why401_http::LoggedUser::Name(name), true) = (&exchange.user, wanted.name > 2) {
            let name = || why401_history::named(&name.to_text());
            self.accounts.entry(wanted.name).or_insert_with(name);
        }
        if let Some(client) = &exchange.client {
            self.clients.entry(wanted.client).or_insert_with(|| client.host.clone());
        }
    }
}

fn overview(folded: &Folded, names: &Names) -> Overview {
    let told = &folded.told;
    let mut accounts: HashMap<u64, (u64, u64)> = names.accounts.keys().map(|key| (*key, (0, 0))).collect();
    let mut clients: HashMap<u64, (u64, u64)> = names.clients.keys().map(|key| (*key, (0, 0))).collect();
    for lane in told.lanes.iter() {
        let add = |to: &mut HashMap<u64, (u64, u64)>, key| {
            if let Some((seen, refused)) = to.get_mut(&key) {
                *seen += lane.seen;
                *refused += lane.refused;
            }
        };
        add(&mut accounts, lane.name);
        add(&mut clients, lane.client);
    }
    // How many there are at all, one after the other: of many accounts and clients that is little room.
    let count = |mut keys: Vec<u64>| {
        keys.sort_unstable();
        keys.dedup();
        keys.len() as u64
    };
    let all_accounts = count(told.lanes.iter().map(|lane| lane.name).filter(|name| *name > 2).collect());
    let all_clients = count(told.lanes.iter().map(|lane| lane.client).collect());
    let top = |counts: &HashMap<u64, (u64, u64)>, names: &HashMap<u64, String>| {
        let mut rows: Vec<Share> = names
            .iter()
            .filter_map(|(key, name)| {
                let (seen, refused) = *counts.get(key)?;
                Some(Share { name: name.clone(), seen, refused })
            })
            .filter(|share| share.refused > 0)
            .collect();
        rows.sort_by(|a, b| b.refused.cmp(&a.refused).then_with(|| a.name.cmp(&b.name)));
        rows.truncate(NAMED);
        rows
    };
    let refused = |a: &Account| [401, 403, 407].iter().filter_map(|s| a.statuses.get(s)).sum::<u64>();
    let mut chart = (Series::default(), Series::default());
    for (second, bucket) in told.chart.buckets() {
        chart.0.add(second, bucket.seen);
        if bucket.refused > 0 {
            chart.1.add(second, bucket.refused);
        }
    }
    Overview {
        requests: told.accounts.iter().map(|a| a.exchanges).sum(),
        refused: told.accounts.iter().map(refused).sum(),
        accounts: all_accounts,
        clients: all_clients,
        top_accounts: top(&accounts, &names.accounts),
        top_clients: top(&clients, &names.clients),
        over_time: chart.0,
        refused_over_time: chart.1,
        left_out: told.dropped,
    }
}
