//! Splits and states as rows: what is written is read, and damaged bytes do no harm.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "in a test a panic is the report")]

use proptest::prelude::*;
use why401_fold::{Part, Seed, Seen};
use why401_shard::{Key, Merge, Plan, Row, Source, Split, State, Unreadable, columns, lines, whole};

fn plan() -> Plan {
    Plan { seed: 7, lots: 1, log_format: Some("%h %u".into()), ..Plan::default() }
}

fn split(start: u64) -> Split {
    Split {
        site: "shop".into(),
        source: 1,
        number: 2,
        path: "/logs/ä.log".into(),
        start,
        end: start + 9,
        size: 1 << 40,
        codec: "plain".into(),
        plan: plan().to_text(),
        content: None,
    }
}

fn key() -> Key {
    Key::of(&[b'k'; 32]).unwrap()
}

/// A state of some requests of the first log, from a line on.
fn state(from: u32, count: u32) -> State {
    let mut part = Part::new(Seed(7), 0, u64::from(from) * 10, true);
    for i in from..from + count {
        let seen = Seen {
            client: b"192.0.2.1",
            status: if i % 3 == 0 { 401 } else { 200 },
            time: Some(i64::from(i) * 1000),
            method: b"GET",
            path: b"/a",
            offset: u64::from(i) * 10,
            text: b"the line",
            ..Seen::default()
        };
        part.take(&seen, i - from + 1);
    }
    part.advance(u64::from(from + count) * 10, count.into());
    let mut state = State { site: "shop".into(), plan: plan().to_text(), ..State::default() };
    let format = Some(("access-log".to_owned(), Box::default()));
    state.sources.insert(0, Source { path: "a.log".into(), format, ..Source::default() });
    state.insert(part, &mut Vec::new());
    state
}

fn stream(states: impl IntoIterator<Item = State>) -> Vec<u8> {
    stream_for(Some(&key()), states)
}

fn stream_for(key: Option<&Key>, states: impl IntoIterator<Item = State>) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rows = columns::States::new(&mut out).unwrap();
    states.into_iter().for_each(|state| rows.write(&Row::of(state, key).unwrap()).unwrap());
    rows.finish().unwrap();
    out
}

#[test]
fn splits_come_back_from_lines_and_from_columns() {
    let splits: Vec<Split> = (0..5).map(|n| split(n * 9)).collect();
    let (mut text, mut arrow) = (Vec::new(), Vec::new());
    splits.iter().for_each(|split| lines::write(split, &mut text).unwrap());
    columns::write_splits(&splits, &mut arrow).unwrap();
    assert!(columns::is_stream(&arrow) && !columns::is_stream(&text));
    let mut got = Vec::new();
    let mut keep = |split| {
        got.push(split);
        Ok(())
    };
    lines::read(&text[..], &mut keep).unwrap();
    // One stream behind the other, as files are put together.
    columns::read_splits(&[&arrow[..], &arrow].concat()[..], &mut keep).unwrap();
    assert_eq!(got, [&splits[..], &splits, &splits].concat());
    assert_eq!(Plan::of(&splits[0].plan), Some(plan()));
}

#[test]
fn states_come_back_and_a_row_tells_of_what_time_and_place_they_are() {
    let row = Row::of(state(5, 10), None).unwrap();
    assert_eq!((row.source, row.start, row.first, row.last), (0, 50, Some(5000), Some(14_000)));
    let mut merge = Merge::default();
    columns::read_states(&stream([state(0, 5), state(5, 10), state(5, 10)])[..], |bytes| {
        merge.take(State::from_bytes(bytes, Some(&key())).unwrap()).map_err(std::io::Error::other)
    })
    .unwrap();
    assert_eq!(merge.words, ["a.log, bytes 50 to 150: came twice and counts once"]);
    let whole = whole(merge.drain()).unwrap();
    assert_eq!(whole.told.accounts[0].exchanges, 15);
    assert_eq!(State::from_bytes(b"PAR1", None).err(), Some(Unreadable::NoState));
}

#[test]
fn a_sealed_state_tells_nothing_without_its_key() {
    let sealed = key().seal(state(0, 30)).unwrap();
    let holds = |bytes: &[u8], what: &[u8]| bytes.windows(what.len()).any(|w| w == what);
    assert!(holds(&state(0, 30).into_bytes(), b"the line") && !holds(&sealed, b"the line"));
    let open = |bytes: &[u8], key: Option<Key>| State::from_bytes(bytes, key.as_ref()).map(State::into_bytes);
    assert_eq!(open(&sealed, Some(key())), Ok(state(0, 30).into_bytes()));
    assert_eq!(open(&sealed, None), Err(Unreadable::NoKey));
    assert_eq!(open(&sealed, Key::of(&[b'l'; 32])), Err(Unreadable::OtherKey));
    assert!(Key::of(&[b'k'; 31]).is_none());
    assert!(!format!("{:?}", key()).contains('k'));
    // Twice the same is not to be seen.
    assert_ne!(sealed, key().seal(state(0, 30)).unwrap());
}

#[test]
fn parts_that_overlap_are_left_out_with_a_word() {
    let mut merge = Merge::default();
    merge.take(state(0, 10)).unwrap();
    merge.take(state(5, 10)).unwrap();
    assert!(merge.words[0].contains("overlaps what was folded already"), "{:?}", merge.words);
    let whole = whole(merge.drain()).unwrap();
    assert_eq!(whole.told.accounts[0].exchanges, 10);
    assert!(whole.faults.iter().any(|(_, (_, what))| what.contains("overlaps")), "{:?}", whole.faults);
}

#[test]
fn many_empty_parts_take_no_more_memory_than_they_are_worth() {
    let mut many = State { plan: plan().to_text(), ..State::default() };
    for i in 0..100_000 {
        many.parts.insert(Part::new(Seed(7), 2 * i, 1, false));
    }
    let bytes = many.into_bytes();
    assert!(bytes.len() < 5_000_000, "{}", bytes.len());
    // A quarter of a megabyte for each would be 25 GB.
    assert_eq!(State::from_bytes(&bytes, None).unwrap().parts.iter().count(), 100_000);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn what_is_merged_is_merged_again_without_a_change(cuts in proptest::collection::vec(1u32..40, 1..6), turn: usize) {
        let mut from = 0;
        let mut states: Vec<Vec<u8>> = Vec::new();
        for count in cuts {
            states.push(key().seal(state(from, count)).unwrap());
            from += count;
        }
        let merge = |states: &[Vec<u8>]| {
            let mut merge = Merge::default();
            for state in states {
                merge.take(State::from_bytes(state, Some(&key())).unwrap()).unwrap();
            }
            merge.drain().remove(0).into_bytes()
        };
        let merged = merge(&states);
        let resealed = key().seal(State::from_bytes(&merged, None).unwrap()).unwrap();
        prop_assert_eq!(&merge(std::slice::from_ref(&resealed)), &merged);
        let at = turn % states.len();
        states.rotate_left(at);
        prop_assert_eq!(&merge(&states), &merged);
        // What comes twice counts once.
        states.push(resealed);
        prop_assert_eq!(&merge(&states), &merged);
    }

    #[test]
    fn whoever_changes_a_sealed_state_is_found_out(at: usize, to: u8, cut: usize) {
        let sealed = key().seal(state(0, 30)).unwrap();
        let mut other = sealed.clone();
        let at = at % other.len();
        other[at] = to;
        prop_assume!(other != sealed);
        prop_assert!(State::from_bytes(&other, Some(&key())).is_err());
        prop_assert!(State::from_bytes(&sealed[..cut % sealed.len()], Some(&key())).is_err());
    }

    #[test]
    fn damaged_rows_do_no_harm(
        damage in proptest::collection::vec((any::<usize>(), any::<u8>()), 1..6),
        cut in any::<usize>(),
    ) {
        let mut splits = Vec::new();
        columns::write_splits(&[split(0), split(9)], &mut splits).unwrap();
        for mut bytes in [stream([state(0, 30)]), stream_for(None, [state(0, 30)]), splits] {
            for (at, to) in &damage {
                let at = at % bytes.len();
                bytes[at] = *to;
            }
            for bytes in [&bytes[..], &bytes[..cut % bytes.len()]] {
                let _ = columns::read_splits(bytes, |_| Ok(()));
                let _ = columns::read_heads(bytes);
                let _ = columns::read_states(bytes, |bytes| {
                    if let Ok(state) = State::from_bytes(bytes, Some(&key())) {
                        let _ = whole(vec![state]).map(|whole| whole.told.wanted());
                    }
                    Ok(())
                });
            }
        }
    }
}
