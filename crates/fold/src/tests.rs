//! Any cut, any order of gluing: the same answer. And the answer is right.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "in a test a panic is the report")]

use crate::wire::In;
use crate::{Claimed, Inserted, Part, Parts, REACH, Rows, Seed, Seen, Told};
use proptest::prelude::*;
use std::collections::HashMap;

#[derive(Debug, Clone)]
struct Line {
    client: u8,
    user: u8,
    status: u16,
    second: i64,
    path: u8,
    handshake: bool,
}

fn lines() -> impl Strategy<Value = Vec<Line>> {
    let status = prop_oneof![4 => Just(200), 4 => Just(401), 1 => Just(403), 1 => Just(500), 1 => Just(407)];
    let step = prop_oneof![6 => 0..2i64, 2 => 2..60i64, 1 => -3..0i64, 1 => 100..200i64];
    let line =
        (0..3u8, 0..5u8, status, step, prop_oneof![3 => 0..2u8, 1 => 0..12u8], proptest::bool::weighted(0.1))
            .prop_map(|(client, user, status, second, path, handshake)| Line {
                client,
                user,
                status,
                second,
                path,
                handshake,
            });
    proptest::collection::vec(line, 0..220).prop_map(|mut lines| {
        let mut now = 1_700_000_000;
        for line in &mut lines {
            now += line.second;
            line.second = now;
        }
        lines
    })
}

fn take(part: &mut Part, line: &Line, at: u64, number: u32) {
    seen(line, at, |seen| part.take(seen, number));
}

fn seen<T>(line: &Line, at: u64, then: impl FnOnce(&Seen<'_>) -> T) -> T {
    let (client, user, path) =
        (format!("192.0.2.{}", line.client), format!("u{}", line.user), format!("/{}", line.path));
    then(&Seen {
        client: client.as_bytes(),
        user: match line.user {
            0 => Claimed::Dash,
            1 => Claimed::Empty,
            _ => Claimed::Name(user.as_bytes()),
        },
        status: line.status,
        time: Some(line.second * 1000),
        method: b"GET",
        path: path.as_bytes(),
        agent: b"curl/8.5.0",
        version: b"1.1",
        handshake: line.handshake,
        offset: at * 10,
        ..Seen::default()
    })
}

/// One part of the lines from `start` to `end`, of sources that are `per_source` lines long.
fn part(lines: &[Line], start: usize, end: usize, per_source: usize) -> Part {
    let (source, first) = (start / per_source, start / per_source * per_source);
    let mut part = Part::new(Seed(7), source as u32, (start - first) as u64 * 10, false);
    for (number, line) in lines[start..end].iter().enumerate() {
        take(&mut part, line, (start + number - first) as u64, number as u32 + 1);
    }
    part.advance((end - first) as u64 * 10, (end - start) as u64);
    part
}

fn fold(lines: &[Line], cuts: &[usize], order: &[usize], per_source: usize) -> Told {
    let mut at: Vec<usize> = cuts.iter().map(|c| c % (lines.len() + 1)).collect();
    at.extend((0..=lines.len()).step_by(per_source));
    at.extend([0, lines.len()]);
    at.sort_unstable();
    at.dedup();
    let mut parts: Vec<Parts> = at
        .windows(2)
        .map(|w| {
            let mut one = Parts::default();
            one.insert(part(lines, w[0], w[1], per_source));
            one
        })
        .collect();
    // Any two are merged, whether they touch or not.
    for pick in order.iter().cycle() {
        if parts.len() < 2 {
            break;
        }
        let other = parts.swap_remove(pick % parts.len());
        let into = pick / 7 % parts.len();
        parts[into].absorb(other);
    }
    parts.pop().unwrap_or_default().finish()
}

/// Chains by the rules of `why401_history`, all lines at hand: for each its lines, and whether the last was let in.
fn chains(lines: &[Line]) -> Vec<Vec<usize>> {
    let mut open: HashMap<(u8, u8), usize> = HashMap::new();
    let mut admitted: Vec<(u8, u8)> = Vec::new();
    let mut chains: Vec<Vec<usize>> = Vec::new();
    let let_in = |l: &Line| l.status == 200;
    for (i, line) in lines.iter().enumerate() {
        let continued = open.get(&(line.client, line.path)).copied().filter(|&c| {
            let at = *chains[c].last().unwrap();
            let before = &lines[at];
            let seconds = line.second - before.second;
            if !matches!(before.status, 401 | 407) || i - at > REACH as usize {
                return false;
            }
            if before.user >= 2 {
                return before.status == 401
                    && let_in(line)
                    && (0..=1).contains(&seconds)
                    && line.user == before.user
                    && admitted.contains(&(line.client, line.user));
            }
            (-1..=120).contains(&seconds)
                && (line.user >= 2 || let_in(line) || (before.user == 0 && before.handshake))
        });
        if let_in(line) && line.user >= 2 {
            admitted.push((line.client, line.user));
        }
        let at = continued.unwrap_or_else(|| {
            chains.push(Vec::new());
            chains.len() - 1
        });
        chains[at].push(i);
        open.insert((line.client, line.path), at);
    }
    chains
}

/// The refused lines, read again, each with the number of those it is explained with.
fn groups(told: &Told, lines: &[Line]) -> Vec<(usize, Option<u64>)> {
    let known = told.known(Seed(7));
    let mut rows = Rows::new(Seed(7));
    let mut given = Vec::new();
    let mut out = |row: usize, alike| given.push((row, known.group(&alike)));
    for (i, line) in lines.iter().enumerate() {
        seen(line, i as u64, |seen| rows.take(seen, || i, &mut out));
    }
    rows.finish(&mut out);
    given
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn read_again_each_refusal_is_one_of_those_that_were_counted(lines in lines()) {
        let told = fold(&lines, &[], &[1], lines.len().max(1));
        let given = groups(&told, &lines);
        prop_assert!(given.is_sorted(), "in order: {:?}", given);
        prop_assert!(given.iter().all(|(_, group)| group.is_some()));
        let counted: u64 = told.kinds.iter().map(|k| k.refused).sum();
        // Of a chain that was let in in the end at least one was not.
        prop_assert_eq!(given.len() as u64, counted);
    }

    #[test]
    fn any_cut_and_any_order_give_the_same_answer(
        lines in lines(),
        cuts in proptest::collection::vec(any::<usize>(), 0..12),
        order in proptest::collection::vec(any::<usize>(), 1..12),
        per_source in 30..400usize,
    ) {
        let whole = fold(&lines, &[], &[0], per_source);
        let glued = fold(&lines, &cuts, &order, per_source);
        prop_assert_eq!(whole.wanted(), glued.wanted());
        prop_assert_eq!(whole, glued);
    }

    #[test]
    fn refusals_are_counted_as_if_all_were_at_hand(lines in lines(), cuts in proptest::collection::vec(any::<usize>(), 0..4)) {
        let told = fold(&lines, &cuts, &[0], 1000);
        let wanted = |i: &usize| matches!(lines[*i].status, 401 | 403 | 407) || (lines[*i].status == 500 && lines[*i].user >= 2);
        let chains: Vec<Vec<usize>> = chains(&lines).into_iter().filter(|c| c.iter().any(wanted)).collect();
        let ended_well = |c: &&Vec<usize>| lines[*c.last().unwrap()].status == 200;
        let refused = |c: &Vec<usize>| c.iter().filter(|i| lines[**i].status != 200).count() as u64;
        for let_in in [true, false] {
            let kinds = || told.kinds.iter().filter(|k| k.let_in == let_in);
            let want = || chains.iter().filter(|c| ended_well(c) == let_in);
            prop_assert_eq!(kinds().map(|k| k.chains).sum::<u64>(), want().count() as u64);
            prop_assert_eq!(kinds().map(|k| k.refused).sum::<u64>(), want().map(refused).sum::<u64>());
        }
        let account = told.accounts.first().cloned().unwrap_or_default();
        prop_assert_eq!(account.exchanges, lines.len() as u64);
        prop_assert_eq!(account.statuses.get(&401).copied().unwrap_or_default(), lines.iter().filter(|l| l.status == 401).count() as u64);
        prop_assert_eq!(told.lanes.iter().map(|l| l.seen).sum::<u64>(), lines.len() as u64);
    }
}

#[test]
fn beyond_the_cap_the_rarest_are_let_go_and_counted() {
    let many = crate::lanes::MOST as u64 * 3;
    // In one part, and in parts of which each has room for its own.
    for size in [many, many / 3 + 1] {
        let mut parts = Parts::default();
        for start in (0..many).step_by(size as usize) {
            let mut part = Part::new(Seed(1), 0, start, false);
            let end = many.min(start + size);
            for i in start..end {
                // Every third request is of one of ten accounts that are there all the time.
                let user = if i % 3 == 0 { format!("steady{}", i % 10) } else { format!("once{i}") };
                let seen = Seen {
                    client: b"192.0.2.1",
                    user: Claimed::Name(user.as_bytes()),
                    status: if i % 3 == 0 { 200 } else { 401 },
                    time: Some(i as i64 * 1000),
                    offset: i,
                    ..Seen::default()
                };
                part.take(&seen, 1);
            }
            part.advance(end, end - start);
            parts.insert(part);
        }
        let told = parts.finish();
        assert!(told.lanes.len() <= crate::lanes::MOST);
        let steady: Vec<u64> = told.lanes.iter().filter(|l| l.let_in > 0).map(|l| l.seen).collect();
        assert_eq!((steady.len(), steady.iter().sum::<u64>()), (10, many.div_ceil(3)));
        // How many were let go is told, and how many requests they had.
        let pairs = 10 + many - many.div_ceil(3);
        assert_eq!((told.lanes.len() as u64 + told.dropped.0, told.dropped.0 > 0), (pairs, true));
        assert_eq!(told.lanes.iter().map(|l| l.seen).sum::<u64>() + told.dropped.1, many);
        // However many kinds there are, none is lost.
        assert!(told.kinds.len() <= 3 * crate::kinds::MOST);
        assert_eq!(told.kinds.iter().map(|k| k.refused).sum::<u64>(), many - many.div_ceil(3));
    }
}

#[test]
fn a_refusal_before_the_first_admission_is_one_of_those_that_were_counted() {
    let line = |status| Line { client: 0, user: 4, status, second: 1_700_000_000, path: 0, handshake: false };
    let lines = [line(401), line(200)];
    let told = fold(&lines, &[], &[0], 2);
    assert_eq!(told.kinds.iter().map(|k| (k.let_in, k.refused)).collect::<Vec<_>>(), [(false, 1)]);
    assert_eq!(groups(&told, &lines), [(0, Some(1))]);
}

/// As another machine gets it.
fn sent(part: Part) -> Part {
    let mut bytes = Vec::new();
    part.to_bytes(&mut bytes);
    let mut from = In::new(&bytes);
    let part = Part::from_bytes(&mut from, Seed(7)).unwrap();
    assert_eq!(from.left(), 0);
    part
}

/// In lots of clients, which never meet before the end.
fn fold_in_lots(lines: &[Line], cuts: &[usize], order: &[usize], per_source: usize, count: u64) -> Told {
    let mut at: Vec<usize> = cuts.iter().map(|c| c % (lines.len() + 1)).collect();
    at.extend((0..=lines.len()).step_by(per_source));
    at.extend([0, lines.len()]);
    at.sort_unstable();
    at.dedup();
    let mut stretches: Vec<&[usize]> = at.windows(2).collect();
    let mut lots: Vec<Parts> = (0..count).map(|_| Parts::default()).collect();
    for pick in order.iter().cycle() {
        if stretches.is_empty() {
            break;
        }
        let w = stretches.swap_remove(pick % stretches.len());
        let shared = sent(part(lines, w[0], w[1], per_source)).lots(count);
        for (parts, lot) in lots.iter_mut().zip(shared) {
            let lot = sent(lot);
            // What comes twice counts once.
            assert_eq!(parts.insert_once(lot.clone()), Inserted::New);
            assert_eq!(parts.insert_once(lot), Inserted::Again);
        }
    }
    Parts::finish_lots(lots)
}

/// Lots tell of their clients one after the other.
fn sorted(told: Told) -> (Vec<String>, Told) {
    let mut lanes: Vec<String> = told.lanes.iter().map(|lane| format!("{lane:?}")).collect();
    lanes.sort();
    lanes.push(format!("{:?}", told.lanes.opened()));
    (lanes, Told { lanes: crate::Pairs::default(), ..told })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn lots_on_many_machines_give_the_same_answer(
        lines in lines(),
        cuts in proptest::collection::vec(any::<usize>(), 0..8),
        order in proptest::collection::vec(any::<usize>(), 1..12),
        per_source in 30..400usize,
        count in 1..5u64,
    ) {
        let whole = fold(&lines, &[], &[0], per_source);
        let lots = fold_in_lots(&lines, &cuts, &order, per_source, count);
        prop_assert_eq!(sorted(whole), sorted(lots));
    }

    #[test]
    fn damaged_bytes_of_a_part_do_no_harm(
        lines in lines(),
        cut in any::<usize>(),
        damage in proptest::collection::vec((any::<usize>(), any::<u8>()), 0..4),
    ) {
        let mut bytes = Vec::new();
        part(&lines, 0, lines.len(), 500).to_bytes(&mut bytes);
        for (at, to) in &damage {
            let at = at % bytes.len();
            bytes[at] = *to;
        }
        if damage.is_empty() {
            bytes.truncate(cut % bytes.len());
        }
        let read = Part::from_bytes(&mut In::new(&bytes), Seed(7));
        prop_assert!(!damage.is_empty() || read.is_err());
        if let Ok(read) = read {
            let mut parts = Parts::default();
            let _ = parts.insert_once(read);
            let _ = parts.insert_once(part(&lines, lines.len() / 2, lines.len(), 500));
            Parts::finish_lots([parts]).wanted();
        }
    }
}
