//! Large logs at a glance: how much, how much of it refused, whose, when, and why.

use super::Paint;
use super::words::{self, moment};
use super::wrap::{columns, fit};
use std::collections::BTreeMap;
use why401_report::{Finding, Overview, Share, SourceReport};

/// Heights of a bar, the lowest for what is little and not nothing.
const BARS: [&str; 8] = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];
/// So many causes are named.
const CAUSES: usize = 6;

/// The overview in a few lines.
pub(crate) fn overview(
    o: &Overview,
    sources: &[SourceReport],
    findings: &[Finding],
    width: usize,
    paint: Paint,
) -> Vec<String> {
    let head = in_numbers(o, sources);
    let mut out = vec![fit(&paint.bold(&head), width.max(columns(&head)))];
    if let Some(chart) = chart(o, width.saturating_sub(10)) {
        out.push(format!("refused   {chart}"));
    }
    let causes = causes(findings);
    let row = |name: &str, cells: Vec<String>| {
        (!cells.is_empty()).then(|| fit(&format!("{name:<10}{}", cells.join(", ")), width))
    };
    out.extend(row("causes", causes));
    out.extend(row("accounts", o.top_accounts.iter().map(share).collect()));
    out.extend(row("clients", o.top_clients.iter().map(share).collect()));
    out.extend(left_out(o).map(|text| paint.dim(&text)));
    out
}

/// How much was read and refused, whose it was, and from when to when.
pub(crate) fn in_numbers(o: &Overview, sources: &[SourceReport]) -> String {
    let since = sources.iter().filter_map(|s| s.first.as_deref()).min().map(moment);
    let until = sources.iter().filter_map(|s| s.last.as_deref()).max().map(moment);
    let mut head = format!("{} requests, {} refused", grouped(o.requests), grouped(o.refused));
    head.push_str(&format!("; {} accounts, {} clients", grouped(o.accounts), grouped(o.clients)));
    if let (Some(since), Some(until)) = (since, until) {
        head.push_str(&format!("; {since} to {until}"));
    }
    head
}

/// What the overview does not tell apart, if there were too many.
pub(crate) fn left_out(o: &Overview) -> Option<String> {
    let (pairs, requests) = (grouped(o.left_out.0), grouped(o.left_out.1));
    (o.left_out.0 > 0).then(|| {
        format!(
            "{pairs} pairs of account and client with the fewest requests ({requests} in all) were not told apart"
        )
    })
}

fn share(s: &Share) -> String {
    format!("{} {} of {}", s.name, grouped(s.refused), grouped(s.seen))
}

/// How many refusals each cause has, the most first.
fn causes(findings: &[Finding]) -> Vec<String> {
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    for f in findings {
        *counts.entry(f.cause).or_default() += f.count;
    }
    let mut counts: Vec<(&str, u64)> = counts.into_iter().collect();
    counts.sort_by_key(|(cause, count)| (std::cmp::Reverse(*count), *cause));
    counts.into_iter().take(CAUSES).map(|(cause, count)| format!("{cause} {}", grouped(count))).collect()
}

/// Refusals over time as bars, from the first request to the last.
fn chart(o: &Overview, width: usize) -> Option<String> {
    let (all, refused) = (o.over_time.slots()?, o.refused_over_time.slots()?);
    let columns = all.counts.len().min(width).max(1);
    let end =
        all.start + i64::try_from(all.width).ok()?.saturating_mul(i64::try_from(all.counts.len()).ok()?);
    let span = (end - all.start).max(1);
    let mut bars = vec![0u64; columns];
    for (i, count) in refused.counts.iter().enumerate() {
        let at = refused.start + i64::try_from(refused.width).ok()?.saturating_mul(i64::try_from(i).ok()?);
        let column = usize::try_from((at - all.start).max(0).saturating_mul(columns as i64) / span).ok()?;
        if let Some(bar) = bars.get_mut(column.min(columns - 1)) {
            *bar += count;
        }
    }
    let most = bars.iter().max().copied().filter(|n| *n > 0)?;
    let bar = |count: &u64| match count {
        0 => " ",
        n => {
            let eighths = n.saturating_mul(8).div_ceil(most);
            BARS.get(usize::try_from(eighths).unwrap_or(0).saturating_sub(1)).copied().unwrap_or("█")
        }
    };
    let drawn: String = bars.iter().map(bar).collect();
    let each = words::span_of(span.unsigned_abs() / columns as u64);
    let legend = format!("  up to {} in {each}", grouped(most));
    Some(if columns + legend.len() <= width { drawn + &legend } else { drawn })
}

/// `2000000` as `2,000,000`.
fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let first = digits.len() % 3;
    let mut out = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && i % 3 == first {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use why401_report::Series;

    #[test]
    fn what_was_not_told_apart_is_told() {
        let o = Overview { requests: 9, left_out: (1234, 5678), ..Overview::default() };
        let told =
            "1,234 pairs of account and client with the fewest requests (5,678 in all) were not told apart";
        assert!(overview(&o, &[], &[], 120, Paint { colour: false }).iter().any(|line| line == told));
        assert_eq!(left_out(&Overview { left_out: (0, 0), ..o }), None);
    }

    #[test]
    fn a_glance_fits_and_counts_are_read_easily() {
        let mut o = Overview {
            requests: 2_000_000,
            refused: 401,
            accounts: 12,
            clients: 1000,
            ..Overview::default()
        };
        let series = |counts: &[(i64, u64)]| {
            let mut s = Series::default();
            counts.iter().for_each(|(at, n)| s.add(*at, *n));
            s
        };
        o.over_time = series(&[(0, 5), (7200, 5)]);
        o.refused_over_time = series(&[(3600, 4), (7200, 1)]);
        o.top_accounts = vec![Share { name: "alice".into(), seen: 1234, refused: 400 }];
        let lines = overview(&o, &[], &[], 80, Paint { colour: false });
        assert_eq!(lines[0], "2,000,000 requests, 401 refused; 12 accounts, 1,000 clients");
        assert!(
            lines[1].starts_with("refused  ") && lines[1].contains('█') && lines[1].contains("up to 4"),
            "{}",
            lines[1]
        );
        assert_eq!(lines[2], "accounts  alice 400 of 1,234");
        assert!(lines.iter().all(|l| columns(l) <= 80));
        assert_eq!(
            (grouped(999), grouped(1000), grouped(123_456)),
            ("999".into(), "1,000".into(), "123,456".into())
        );
    }
}
