//! Finds the same request again in several vantage points, and the request that a statement is about.

use crate::attempt::{Seen, is_refusal};
use crate::heard::Heard;
use crate::near::Near;
use crate::stood_for::{StoodFor, Together};
use crate::thin::{Kept, Key};
use crate::{Attempt, thin, user};
use std::collections::HashMap;
use why401_http::{Exchange, Moment, Response, Speaker, Statement, path_of};

/// Two clocks and two roundings to a second: a log notes the start or the end of a request in whole seconds.
pub(crate) const SAME_TIME: f64 = 2.5;
/// How long an intermediary may take until it has passed a request on, in seconds.
const FORWARDING: f64 = 30.0;
/// So many statements about one request are looked at for the one that says the same.
const ALIKE: usize = 8;
/// Time zones differ by multiples of this, in seconds.
pub(crate) const QUARTER_HOUR: f64 = 900.0;

/// Makes attempts, in order of time, of exchanges from all sources.
pub(crate) fn attempts(kept: Vec<Kept>) -> Vec<Attempt> {
    let mut attempts: Vec<Attempt> = Vec::with_capacity(kept.len());
    // By method and path: the requests that could be the same one.
    let mut alike: HashMap<(String, String), Vec<usize>> = HashMap::new();
    for k in kept {
        let key = (
            k.exchange.request.as_ref().map(|r| r.method().into_owned()).unwrap_or_default(),
            k.exchange.request.as_ref().map(|r| path_of(&r.target()).to_owned()).unwrap_or_default(),
        );
        let candidates = alike.entry(key).or_default();
        let same = candidates
            .iter()
            .rev()
            .take(64)
            .filter_map(|&i| attempts.get(i).map(|a| (i, a)))
            .filter(|(_, a)| a.views.iter().all(|v| v.source != k.exchange.source))
            .filter_map(|(i, a)| sameness(a.view(), &k.exchange).map(|s| (s, std::cmp::Reverse(i))))
            .max();
        match same.and_then(|(_, std::cmp::Reverse(i))| attempts.get_mut(i)) {
            Some(attempt) => add_view(attempt, k),
            None => {
                candidates.push(attempts.len());
                attempts.push(Attempt {
                    id: 0,
                    views: vec![k.exchange],
                    statements: Vec::new(),
                    stands_for: k.stands_for,
                    first: k.first,
                    last: k.last,
                    series: k.series,
                    folded: k.folded,
                    user: None,
                    forwarded_as: None,
                    forwarded_from: None,
                    mixed: k.mixed,
                    seen: Seen::default(),
                });
            }
        }
    }
    // A stable sort: where times are equal or missing, the order of the evidence holds.
    if attempts.iter().all(|a| a.time().is_some()) {
        attempts.sort_by_key(|a| a.time());
    }
    for (id, attempt) in attempts.iter_mut().enumerate() {
        attempt.id = id;
        attempt.user = user::of(attempt);
    }
    link_hops(&mut attempts);
    attempts
}

fn add_view(attempt: &mut Attempt, k: Kept) {
    attempt.first = thin::earlier(attempt.first, k.first);
    attempt.last = thin::later(attempt.last, k.last);
    if k.stands_for > attempt.stands_for {
        attempt.series = k.series;
    }
    attempt.stands_for = attempt.stands_for.max(k.stands_for);
    attempt.folded = attempt.folded.take().or(k.folded);
    attempt.views.push(k.exchange);
    attempt.views.sort_by_key(|v| std::cmp::Reverse(shown(v)));
    attempt.seen = Seen::default();
}

/// How much a view shows.
fn shown(v: &Exchange) -> u32 {
    let s = &v.shows;
    [s.authorization, s.request_fields, s.response_fields, s.body, s.cookies]
        .iter()
        .map(|b| u32::from(*b))
        .sum()
}

/// How surely two exchanges of different sources, alike in method and path, are one; `None` if they are not.
fn sameness(a: &Exchange, b: &Exchange) -> Option<u32> {
    let mut score = 1;
    if let (Some(x), Some(y)) = (a.status(), b.status()) {
        if x != y {
            return None;
        }
        score += 1;
    }
    if let (Some(x), Some(y)) = (&a.client, &b.client) {
        if is_address(&x.host) && is_address(&y.host) && x.host != y.host {
            return None;
        }
        if let (Some(p), Some(q)) = (x.port, y.port) {
            if p != q {
                return None;
            }
            score += 4;
        }
    }
    if let (Some(x), Some(y)) = (time_of(a), time_of(b)) {
        if !same_time(x, y) {
            return None;
        }
        score += 2;
    }
    if different_hop(a, b) {
        return None;
    }
    let field = |e: &Exchange, name: &str| {
        e.request.as_ref().and_then(|r| r.fields.text(name)).map(|v| v.into_owned())
    };
    if let (Some(x), Some(y)) = (field(a, "user-agent"), field(b, "user-agent")) {
        if x != y {
            return None;
        }
        score += 1;
    }
    Some(score)
}

/// Whether both show the whole head of the request, and host or credentials differ: an intermediary stands between.
fn different_hop(a: &Exchange, b: &Exchange) -> bool {
    let whole = |e: &Exchange| e.shows.request_fields && e.shows.authorization;
    let (Some(x), Some(y)) = (&a.request, &b.request) else { return false };
    if !whole(a) || !whole(b) || !x.complete || !y.complete {
        return false;
    }
    let host = |r: &why401_http::Request| {
        let name = r.authority()?.to_ascii_lowercase();
        Some(name.trim_end_matches(":443").trim_end_matches(":80").to_owned())
    };
    let hosts_differ = matches!((host(x), host(y)), (Some(p), Some(q)) if p != q);
    hosts_differ || x.fields.has("authorization") != y.fields.has("authorization")
}

fn is_address(host: &str) -> bool {
    host.parse::<std::net::IpAddr>().is_ok()
}

/// When the exchange was; a transcript has no time, but the server wrote one into its answer.
pub(crate) fn time_of(e: &Exchange) -> Option<Moment> {
    e.time.or_else(|| {
        let date = e.response.as_ref()?.fields.text("date")?;
        jiff::fmt::rfc2822::parse(&date).ok().map(|z| Moment::utc(z.timestamp()))
    })
}

fn same_time(a: Moment, b: Moment) -> bool {
    let apart = a.seconds_since(&b).abs();
    if a.zoned && b.zoned {
        return apart <= SAME_TIME;
    }
    // A local time of an unknown zone: at most a day off, by whole quarters of an hour.
    let rest = apart % QUARTER_HOUR;
    apart <= 15.0 * 3600.0 && (rest <= SAME_TIME || QUARTER_HOUR - rest <= SAME_TIME)
}

/// Whether both are of one second, whatever the zone: of several requests that may be meant it is this one.
fn same_second(a: Moment, b: Moment) -> bool {
    let rest = a.seconds_since(&b).abs() % QUARTER_HOUR;
    rest < 1.0 || QUARTER_HOUR - rest < 1.0
}

/// Whether the words hold the whole target of the request, its query included.
fn names_target(a: &Attempt, s: &Statement) -> bool {
    let Some(target) = a.target().filter(|t| t.contains('?')) else { return false };
    s.text.to_text().contains(&*target)
}

/// Finds the requests that an intermediary passed on: seen in one capture on both its sides, or in one of each side.
fn link_hops(attempts: &mut [Attempt]) {
    let mut links = Vec::new();
    // Nothing is passed on by whom nobody asked by an address.
    let asked = attempts.iter().enumerate().filter(|(_, outer)| outer.server().is_some());
    for (i, outer) in asked {
        let after = attempts.iter().skip(i + 1).take(32).take_while(|inner| {
            let times = (outer.time(), inner.time());
            !matches!(times, (Some(x), Some(y)) if y.seconds_since(&x) > FORWARDING)
        });
        // By the clock of another machine it may seem to have been passed on before it was asked.
        let apart = |a: &&Attempt| a.view().source != outer.view().source;
        let before = attempts.get(..i).unwrap_or_default().iter().rev().take(32).filter(apart);
        let before = before.take_while(|inner| asked_meanwhile(outer, inner));
        let mut hops = after.chain(before).filter(|inner| is_hop(outer, inner));
        let Some(inner) = hops.next() else { continue };
        // Of several that were recorded apart it cannot be told which one it is.
        if !apart(&inner) || says_so(outer, inner) || !hops.any(|other| apart(&other)) {
            links.push((outer.id, inner.id));
        }
    }
    for (outer, inner) in links {
        // Where both sides have one address, the later one could as well be taken for the one that was passed on.
        let back = attempts.get(outer).is_some_and(|a| a.forwarded_from == Some(inner));
        if back || attempts.get(inner).is_some_and(|a| a.forwarded_from.is_some()) {
            continue;
        }
        if let Some(a) = attempts.get_mut(outer) {
            a.forwarded_as = Some(inner);
        }
        if let Some(a) = attempts.get_mut(inner) {
            a.forwarded_from = Some(outer);
        }
    }
}

/// Whether the intermediary says what it is.
fn says_so(outer: &Attempt, inner: &Attempt) -> bool {
    const ANNOUNCED: &[&str] =
        &["via", "x-forwarded-for", "x-real-ip", "forwarded", "x-forwarded-host", "x-forwarded-proto"];
    ANNOUNCED.iter().any(|name| inner.request_field(name).is_some() && outer.request_field(name).is_none())
}

fn is_hop(outer: &Attempt, inner: &Attempt) -> bool {
    let (Some(asked), Some(asking)) = (outer.server(), inner.client()) else { return false };
    let (Some(there), Some(o), Some(i)) = (inner.server(), outer.request(), inner.request()) else {
        return false;
    };
    if asked.host != asking.host || asked == there {
        return false;
    }
    if outer.connection() == inner.connection()
        || !ends_within(outer, inner)
        || o.method() != i.method()
        || outer.status() != inner.status()
    {
        return false;
    }
    // The path may be rewritten, but then the intermediary says what it is, or it gives the very answer that it got.
    let same_path = outer.path() == inner.path();
    let says_so = says_so(outer, inner);
    let same_agent = match (o.fields.text("user-agent"), i.fields.text("user-agent")) {
        (Some(a), Some(b)) => a == b,
        (None, None) => true,
        _ => false,
    };
    // Recorded apart, on both sides of the intermediary: its own word links the two, or that it asked for the same while
    // it was being asked, and gave the very answer that it got.
    let together = outer.view().source == inner.view().source;
    let apart = same_path && asked_meanwhile(outer, inner) && same_answer(outer, inner);
    same_agent && (says_so || apart || (together && (same_path || same_answer(outer, inner))))
}

/// Whether `inner` was asked about when `outer` was, by clocks that may differ by as much as clocks that are set do.
fn asked_meanwhile(outer: &Attempt, inner: &Attempt) -> bool {
    let (Some(o), Some(i)) = (time_of(outer.view()), time_of(inner.view())) else { return false };
    o.zoned && i.zoned && o.seconds_since(&i).abs() <= SAME_TIME
}

/// Whether the intermediary can have waited for `inner` before it answered `outer`.
///
/// The exchanges of a capture are numbered in the order in which their answers were complete.
fn ends_within(outer: &Attempt, inner: &Attempt) -> bool {
    let answered = |a: &Attempt| a.response().is_some() && a.connection().is_some();
    let together = outer.view().source == inner.view().source;
    !together || !answered(outer) || !answered(inner) || inner.view().index < outer.view().index
}

/// Whether both were answered with the very same challenges and content.
fn same_answer(outer: &Attempt, inner: &Attempt) -> bool {
    let (Some(a), Some(b)) = (outer.response(), inner.response()) else { return false };
    let challenges = |r: &Response| -> Vec<String> {
        ["www-authenticate", "proxy-authenticate"]
            .iter()
            .flat_map(|name| r.fields.all(name))
            .map(|f| f.text().into_owned())
            .collect()
    };
    let seen_whole = |x: &Attempt| x.connection().is_some() || x.view().shows.body;
    seen_whole(outer) && seen_whole(inner) && challenges(a) == challenges(b) && a.body.text() == b.body.text()
}

/// Gives each statement to the attempt that it is about; gives back those that are about none.
pub(crate) fn attach(attempts: &mut [Attempt], statements: Vec<Heard>, key: Option<Key>) -> Vec<Heard> {
    if statements.is_empty() {
        return statements;
    }
    let mut by_client: HashMap<String, Near> = HashMap::new();
    let mut by_path: HashMap<String, Near> = HashMap::new();
    let mut by_index: HashMap<(u32, u64), usize> = HashMap::new();
    for a in attempts.iter() {
        if let Some(client) = a.client() {
            by_client.entry(client.host.clone()).or_default().push(a.id, a.views.iter().find_map(time_of));
        }
        if let Some(path) = a.path() {
            by_path.entry(path.to_owned()).or_default().push(a.id, a.views.iter().find_map(time_of));
        }
        for v in &a.views {
            by_index.insert((v.source.0, v.index), a.id);
        }
    }
    let stood_for = StoodFor::of(attempts);
    let none = Near::default();
    let mut left = Vec::new();
    for heard in statements {
        let statement = &heard.statement;
        let beside = statement.beside.and_then(|i| by_index.get(&(statement.source.0, i)).copied());
        let path = statement.target.as_deref().map(path_of);
        let candidates = match (&statement.client, path) {
            (_, Some(path)) => by_path.get(path).unwrap_or(&none),
            (Some(client), None) => by_client.get(&client.host).unwrap_or(&none),
            (None, None) => &none,
        };
        let about = beside.or_else(|| {
            candidates
                .of(statement.time)
                .filter_map(|i| attempts.get(i))
                .filter_map(|a| aboutness(a, statement).map(|s| (s, std::cmp::Reverse(a.id))))
                .max()
                .map(|(_, std::cmp::Reverse(id))| id)
        });
        let about = match about {
            Some(id) => Some((id, false)),
            None => stood_for.find(attempts, statement),
        };
        match about {
            None => left.push(heard),
            Some((_, true)) => {}
            Some((id, false)) => {
                if let Some(attempt) = attempts.get_mut(id) {
                    attempt.statements.push(heard.statement);
                }
            }
        }
    }
    if let Some(key) = key {
        let together = Together::of(attempts, key);
        left.retain(|heard| !together.covers(&heard.statement));
    }
    answer(attempts, left)
}

/// A request without its answer, and words that name a refusal: they are the answer, where nothing else was refused.
fn answer(attempts: &mut [Attempt], statements: Vec<Heard>) -> Vec<Heard> {
    let refused = |a: &Attempt| a.status().is_some_and(is_refusal);
    if attempts.iter().any(refused) {
        return statements;
    }
    let mut left = Vec::new();
    for heard in statements {
        let statement = &heard.statement;
        let names = statement.status.is_some_and(is_refusal) && statement.speaker != Speaker::Configuration;
        let open = attempts
            .iter_mut()
            .rev()
            .find(|a| a.status().is_none() && a.request().is_some() && a.view().source == statement.source);
        match open.filter(|_| names) {
            Some(attempt) => attempt.statements.push(heard.statement),
            None => left.push(heard),
        }
    }
    left
}

/// How surely a statement is about an attempt; `None` if it is not.
fn aboutness(a: &Attempt, s: &Statement) -> Option<i32> {
    let mut score = 0;
    if let (Some(x), Some(y)) = (a.client(), &s.client) {
        if is_address(&x.host) && is_address(&y.host) && x.host != y.host {
            return None;
        }
        if let (Some(p), Some(q)) = (x.port, y.port) {
            if p != q {
                return None;
            }
            score += 4;
        }
        score += 1;
    }
    if let (Some(x), Some(y)) = (a.logged_name(), &s.user) {
        if x != y.as_str() {
            return None;
        }
        score += 2;
    }
    if let (Some(x), Some(y)) = (a.method(), &s.method)
        && x != y.as_str()
    {
        return None;
    }
    if let (Some(x), Some(y)) = (a.views.iter().find_map(time_of), s.time) {
        if !same_time(x, y) {
            return None;
        }
        score += 2 + i32::from(same_second(x, y));
    }
    if let (Some(x), Some(y)) = (a.status(), s.status) {
        if x != y {
            return None;
        }
        score += 1;
    }
    score += if names_target(a, s) { 2 } else { 0 };
    if a.let_in() && s.level.as_deref() == Some("error") {
        return None;
    }
    // Statements alike are about different requests.
    let own = a.statements.iter().rev().take(ALIKE).filter(|t| t.source == s.source);
    let alike = if a.statements.is_empty() { 0 } else { own.filter(|t| wording(t) == wording(s)).count() };
    Some(score - 8 * alike as i32)
}

/// The words of a statement without what changes from line to line: numbers, quoted names, addresses.
pub(crate) fn wording(s: &Statement) -> String {
    const CHARACTERS: usize = 400;
    let text = s.text.to_text();
    let end = match text.len() > CHARACTERS {
        true => text.char_indices().nth(CHARACTERS).map_or(text.len(), |(at, _)| at),
        false => text.len(),
    };
    let text = text.get(..end).unwrap_or_default();
    let mut out = String::with_capacity(end);
    // What stands between quotes and is no number, piece by piece.
    for outside in text.split('"').step_by(2) {
        outside.split(|c: char| c.is_ascii_digit()).for_each(|piece| out.push_str(piece));
    }
    out
}
