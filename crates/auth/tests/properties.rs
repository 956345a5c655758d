//! What holds for any bytes.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "in a test a panic is the report, and it may print"
)]

use proptest::prelude::*;
use std::ops::Range;
use std::time::Instant;
use why401_auth::*;

/// Bytes that look like fields often enough to reach the parsers' corners.
fn fieldish() -> impl Strategy<Value = Vec<u8>> {
    let word = prop_oneof![
        Just("Basic".to_string()),
        Just("Bearer".to_string()),
        Just("Digest".to_string()),
        Just("NTLM".to_string()),
        Just("realm".to_string()),
        Just("=".to_string()),
        Just(",".to_string()),
        Just(" ".to_string()),
        Just("\"".to_string()),
        Just("\\".to_string()),
        Just(";".to_string()),
        Just(":".to_string()),
        Just("\t".to_string()),
        Just("==".to_string()),
        Just("\r\n ".to_string()),
        Just("\u{feff}".to_string()),
        Just("YWxpY2U6c2VjcmV0".to_string()),
        Just("eyJhbGciOiJIUzI1NiJ9.eyJleHAiOjF9.AAAA".to_string()),
        Just("TlRMTVNTUAADAAAA".to_string()),
        Just("nonce=\"x\"".to_string()),
        Just("Authorization:".to_string()),
        "[a-z]{1,4}",
        "\\PC{0,3}",
    ];
    let words = prop::collection::vec(word, 0..24).prop_map(|w| w.concat().into_bytes());
    prop_oneof![4 => words, 1 => prop::collection::vec(any::<u8>(), 0..80)]
}

fn inside_bounds(value: &[u8], range: &Range<usize>) {
    assert!(range.start <= range.end && range.end <= value.len(), "{range:?} of {}", value.len());
}

fn check(value: &[u8], parsed: &Parsed<Vec<Element>>) {
    for p in &parsed.problems {
        inside_bounds(value, &p.range);
        assert!(!p.what.is_empty());
    }
    for e in &parsed.value {
        inside_bounds(value, &e.range);
        assert_eq!(&value[e.scheme.range.clone()], e.scheme.written.as_bytes());
        assert_eq!(&value[e.rest.range.clone()], e.rest.text.expose());
        if let Some(t) = &e.token68 {
            assert_eq!(&value[t.range.clone()], t.text.expose());
        }
        for p in &e.params {
            assert_eq!(&value[p.name_range.clone()], p.written.as_bytes());
            inside_bounds(value, &p.raw_range);
            inside_bounds(value, &p.value_range);
            if !p.quoted && p.value.is_some() {
                assert_eq!(&value[p.raw_range.clone()], p.bytes());
            }
        }
    }
    assert!(parsed.problems.windows(2).all(|w| w[0].range.start <= w[1].range.start));
}

/// Scheme, token68 and parameters, without ranges.
type Essence = (String, Option<Vec<u8>>, Vec<(String, Option<Vec<u8>>)>);

fn essence(e: &Element) -> Essence {
    let token = e.token68.as_ref().map(|t| t.text.expose().to_vec());
    (e.scheme.written.clone(), token, e.params.iter().map(|p| (p.written.clone(), p.value.clone())).collect())
}

proptest! {
    #[test]
    fn ranges_hold_the_bytes_they_name(value in fieldish()) {
        let challenges = parse_challenges(&value);
        check(&value, &challenges);
        let credentials = parse_credentials(&value);
        check(&value, &credentials);
        for c in &challenges.value {
            let _ = format!("{:?}", inside::of_challenge(&value, c));
        }
        for c in &credentials.value {
            let carried = inside::of(&value, c);
            let _ = format!("{carried:?}");
            let problems = carried.problems();
            for p in problems {
                inside_bounds(&value, &p.range);
            }
        }
    }

    #[test]
    fn nothing_panics(value in fieldish(), noise in prop::collection::vec(any::<u8>(), 0..200)) {
        for data in [value, noise] {
            fuzz::fields(&data);
            fuzz::messages(&data);
            fuzz::tokens(&data);
        }
    }

    #[test]
    fn what_is_written_is_read_again(
        elements in prop::collection::vec(("[A-Za-z][A-Za-z0-9-]{0,8}", prop_oneof![
            2 => Just((None, vec![])),
            2 => "[A-Za-z0-9._~+/-]{1,12}={0,2}".prop_map(|t| (Some(t), vec![])),
            4 => prop::collection::vec(("[a-z][a-z0-9*]{0,6}", "[ -~\u{80}-\u{ff}]{0,8}", any::<bool>()), 1..4).prop_map(|p| (None, p)),
        ]), 1..4)
    ) {
        let elements: Vec<Element> = elements.into_iter().map(|(scheme, (token, params))| Element {
            scheme: Scheme { name: scheme.to_lowercase(), written: scheme, range: 0..0 },
            token68: token.map(|t| Token68 { strict: true, text: Secret::new(t), range: 0..0 }),
            params: params.into_iter().map(|(name, value, quoted)| Param {
                name: name.clone(), written: name, value: Some(value.into_bytes()), quoted, ..Param::default()
            }).collect(),
            ..Element::default()
        }).collect();
        let written = serialize(&elements);
        let read = parse_challenges(&written);
        prop_assert!(read.strict_ok(), "{:?} {:?}", String::from_utf8_lossy(&written), read.problems);
        let (got, want): (Vec<_>, Vec<_>) = (read.value.iter().map(essence).collect(), elements.iter().map(essence).collect());
        prop_assert_eq!(got, want);
    }

    /// Where http-auth, an independent parser of the RFC's list form without token68, reads a value, so do we, and alike.
    #[test]
    fn http_auth_agrees_on_what_it_reads(value in "[A-Za-z]{1,6}( [a-z]{1,4} ?= ?([a-z]{1,4}|\"[ -!#-\\[\\]-~]{0,6}\"))?(, ?[A-Za-z]{1,6} [a-z]{1,4}=\"x\"){0,2}") {
        let mut theirs: Vec<(String, Vec<(String, String)>)> = Vec::new();
        let parser = http_auth::parser::ChallengeParser::new(&value);
        let mut readable = true;
        for challenge in parser {
            match challenge {
                Ok(c) => theirs.push((c.scheme.to_string(), c.params.iter().map(|(n, v)| (n.to_string(), v.to_unescaped())).collect())),
                Err(_) => readable = false,
            }
        }
        prop_assume!(readable);
        let read = parse_challenges(value.as_bytes());
        prop_assert!(read.strict_ok(), "{} {:?}", value, read.problems);
        let ours: Vec<_> = read.value.iter().map(|e| {
            let params = e.params.iter().map(|p| (p.written.clone(), p.text().unwrap_or_default().into_owned())).collect::<Vec<_>>();
            (e.scheme.written.clone(), params)
        }).collect();
        prop_assert_eq!(ours, theirs);
    }
}

/// Time grows as the input does, for inputs made to trip a parser up.
#[test]
fn time_grows_with_the_input_only() {
    let traps: [(&str, &str); 12] = [
        ("", ","),
        ("Basic ", "a="),
        ("Basic realm=", "a "),
        ("Basic realm=\"", "\\\""),
        ("Bearer ", "Bearer "),
        ("", "Authorization:"),
        ("Digest a=\"b\" ", "c=\"d\" "),
        ("", "Basic, "),
        ("Basic ", "QUFB%3D"),
        ("Bearer eyJ", "."),
        ("Digest ", "a=b,"),
        ("X a=b", " \"c\""),
    ];
    for (head, tail) in traps {
        let time = |n: usize| {
            let value = format!("{head}{}", tail.repeat(n)).into_bytes();
            let start = Instant::now();
            let challenges = parse_challenges(&value);
            for c in &challenges.value {
                std::hint::black_box(inside::of_challenge(&value, c));
            }
            let credentials = parse_credentials(&value);
            if let Some(c) = credentials.value.first() {
                std::hint::black_box(inside::of(&value, c));
            }
            start.elapsed().as_secs_f64()
        };
        let best = |n: usize| (0..3).map(|_| time(n)).fold(f64::MAX, f64::min);
        let (small, large) = (best(200), best(20_000));
        // A hundred times the input: linear time is a hundred times as long, quadratic ten thousand times.
        assert!(large < small * 1000.0 + 0.1, "{head:?}{tail:?}: {small} s, then {large} s");
    }
}
