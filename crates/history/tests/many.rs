//! However many requests there are, and however they differ, every refusal is counted.

use why401_history::{Case, Collector};
use why401_http::{Exchange, LoggedUser, Moment, Peer, Request, Response, Shows, Speaker, Statement};
use why401_span::{Derived, SourceId};

const MANY: u64 = 52_000;

fn peer(number: u64) -> Peer {
    let [.., a, b, c] = number.to_be_bytes();
    Peer { host: format!("10.{a}.{b}.{c}"), port: None }
}

fn moment(number: u64) -> Moment {
    Moment::utc(jiff::Timestamp::from_second(1_800_000_000 + number as i64 / 50).unwrap_or_default())
}

fn logged(number: u64, client: u64, user: u64, path: u64, status: u16) -> Exchange {
    let mut e = Exchange::new(SourceId(0), number, Shows::LOG_LINE);
    e.time = Some(moment(number));
    e.client = Some(peer(client));
    e.user = LoggedUser::Name(Derived::synthetic(format!("user{user}")));
    e.request = Some(Request {
        method: Derived::synthetic("GET"),
        target: Derived::synthetic(format!("/item/{path}")),
        ..Request::default()
    });
    e.response = Some(Response { status, ..Response::default() });
    e
}

fn counted(case: &Case) -> u64 {
    case.refusals.iter().map(|r| r.count).sum()
}

fn case(exchange: impl Fn(u64) -> Exchange) -> Case {
    let mut collector = Collector::new();
    (0..MANY).for_each(|number| collector.exchange(exchange(number)));
    collector.finish(Vec::new())
}

#[test]
fn every_refusal_is_counted_whatever_differs() {
    for [client, user, path] in [[1, 0, 0], [0, 1, 0], [1, 1, 1]] {
        let case = case(|n| logged(n, n * client, n * user, n * path, 401));
        assert_eq!(counted(&case), MANY, "clients {client}, users {user}, paths {path}");
        assert!(case.attempts.len() < 40_000 && case.refusals.len() < 2_000);
    }
}

#[test]
fn what_stands_for_many_accounts_names_none() {
    let case = case(|n| logged(n, 1, n, 1, 401));
    let most = case.refusals.iter().max_by_key(|r| r.count);
    let users = most.iter().flat_map(|r| r.chains()).filter_map(|c| case.attempt(c.last())).map(|a| &a.user);
    assert!(users.collect::<std::collections::BTreeSet<_>>().len() > 1);
}

#[test]
fn successes_between_are_not_counted() {
    let case = case(|n| logged(n, n % 3000, n % 500, n % 1000, if n % 2 == 0 { 200 } else { 401 }));
    assert_eq!(counted(&case), MANY / 2);
}

#[test]
fn every_line_of_an_error_log_is_counted() {
    for different in [0, 1] {
        let mut collector = Collector::new();
        for number in 0..MANY {
            let user = format!("user{}", number * different);
            let client = peer(number % 7);
            collector.statement(Statement {
                source: SourceId(0),
                speaker: Speaker::ServerLog,
                text: Derived::synthetic(format!("user {user}: password mismatch")),
                time: Some(moment(number)),
                client: Some(Peer { port: Some((number % 50_000) as u16), ..client }),
                user: Some(user),
                method: None,
                target: Some("/a".to_owned()),
                status: None,
                code: None,
                product: None,
                level: None,
                beside: None,
            });
        }
        let case = collector.finish(Vec::new());
        assert_eq!(counted(&case), MANY, "different users: {different}");
        assert!(case.refusals.len() < 3_000);
    }
}
