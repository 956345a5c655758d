//! Many refusals at a glance: when, by cause, by account.

use super::page::Page;
use crate::Shown;
use crate::text::{in_numbers, left_out, moment, verdict};
use std::collections::BTreeMap;
use why401_report::{Finding, Share, Slots, Verdict};

/// So many lanes or bars are drawn.
const LANES: usize = 10;
/// An axis of fewer seconds has times at its ends only.
const SHORT: i64 = 8;
/// The width of the drawing of a time line.
const WIDTH: f64 = 720.0;
/// The height of a lane.
const LANE: f64 = 46.0;

/// Charts over all findings, and large logs at a glance; nothing where there is nothing to compare.
pub(crate) fn charts(shown: &Shown, findings: &[(usize, &Finding)], page: &mut Page) {
    let told: Vec<_> = findings.iter().filter(|(_, f)| f.verdict != Verdict::Normal).copied().collect();
    let total: u64 = told.iter().map(|(_, f)| f.count).sum();
    if total < 3 && shown.overview().is_none() {
        return;
    }
    let mut inner = Page::default();
    if let Some(overview) = shown.overview() {
        inner.tag("<p class=\"numbers\">").text(&in_numbers(overview, shown.sources())).tag("</p>");
    }
    lanes(&told, &mut inner);
    let causes = sums(told.iter().map(|(_, f)| (f.cause.to_owned(), f)));
    let named = told.iter().filter_map(|(_, f)| f.account.clone().map(|a| (a, f)));
    let accounts = sums(named);
    let mut pair = Page::default();
    if causes.len() > 1 {
        bars("By cause", &causes, total, &mut pair);
    }
    match shown.overview() {
        Some(overview) => {
            shares("Accounts with the most refusals", &overview.top_accounts, &mut pair);
            shares("Clients with the most refusals", &overview.top_clients, &mut pair);
        }
        None if accounts.len() > 1 => bars("By account", &accounts, total, &mut pair),
        None => {}
    }
    if !pair.is_empty() {
        inner.tag("<div class=\"pair\">").page(&pair).tag("</div>");
    }
    if let Some(text) = shown.overview().and_then(left_out) {
        inner.tag("<p class=\"muted\">").text(&text).tag("</p>");
    }
    if !inner.is_empty() {
        page.tag("<section class=\"overview\" aria-labelledby=\"overview\"><h2 id=\"overview\">All refusals at a glance</h2>");
        page.page(&inner).tag("</section>");
    }
}

/// Name, count, and the verdict of the largest part.
type Sum = (String, u64, Verdict);

fn sums<'a>(all: impl Iterator<Item = (String, &'a &'a Finding)>) -> Vec<Sum> {
    let mut by: BTreeMap<String, (u64, Verdict)> = BTreeMap::new();
    for (name, f) in all {
        let sum = by.entry(name).or_insert((0, f.verdict));
        sum.0 = sum.0.saturating_add(f.count);
    }
    let mut sums: Vec<Sum> = by.into_iter().map(|(name, (n, v))| (name, n, v)).collect();
    sums.sort_by_key(|(_, n, _)| std::cmp::Reverse(*n));
    sums
}

fn bars(title: &'static str, sums: &[Sum], total: u64, page: &mut Page) {
    let most = sums.iter().map(|s| s.1).max().unwrap_or(1);
    page.tag("<figure class=\"chart\"><figcaption>")
        .tag(title)
        .tag("</figcaption><table class=\"bars\"><tbody>");
    for (name, count, v) in sums.iter().take(LANES) {
        page.tag("<tr><th scope=\"row\">").text(name).tag("</th><td class=\"bar\">");
        bar(*count, most, *v, page);
        page.tag("</td><td class=\"n\">")
            .count(*count)
            .tag(" <span class=\"muted\">")
            .text(&share(*count, total))
            .tag("</span></td></tr>");
    }
    page.tag("</tbody></table>");
    let rest = sums.len().saturating_sub(LANES);
    if rest > 0 {
        let count: u64 = sums.iter().skip(LANES).map(|s| s.1).sum();
        page.tag("<p class=\"muted\">")
            .count(rest as u64)
            .tag(" more with ")
            .count(count)
            .tag(" refusals</p>");
    }
    page.tag("</figure>");
}

/// How much of what each did was refused.
fn shares(title: &'static str, all: &[Share], page: &mut Page) {
    let Some(most) = all.iter().map(|s| s.refused).max().filter(|n| *n > 0) else { return };
    page.tag("<figure class=\"chart\"><figcaption>")
        .tag(title)
        .tag("</figcaption><table class=\"bars\"><tbody>");
    for Share { name, seen, refused } in all.iter().take(LANES) {
        page.tag("<tr><th scope=\"row\">").text(name).tag("</th><td class=\"bar\">");
        bar(*refused, most, Verdict::Fault, page);
        page.tag("</td><td class=\"n\">").count(*refused);
        page.tag(" <span class=\"muted\">of ").count(*seen).tag("</span></td></tr>");
    }
    page.tag("</tbody></table></figure>");
}

/// A bar as long as its share of the longest.
fn bar(count: u64, most: u64, v: Verdict, page: &mut Page) {
    page.tag("<svg class=\"")
        .tag(verdict(v))
        .tag("\" viewBox=\"0 0 100 12\" preserveAspectRatio=\"none\" aria-hidden=\"true\">");
    let width = (count as f64 / most.max(1) as f64 * 100.0).max(1.0);
    page.shape("<rect class=\"fill\"", &[("width", width), ("height", 12.0), ("rx", 1.5)]).tag("/></svg>");
}

fn share(count: u64, total: u64) -> String {
    let percent = count as f64 * 100.0 / total.max(1) as f64;
    if percent < 1.0 { "<1 %".to_owned() } else { format!("{percent:.0} %") }
}

/// One lane a finding, all on one axis of time, the first of each marked.
fn lanes(told: &[(usize, &Finding)], page: &mut Page) {
    let mut timed: Vec<(usize, &Finding, Slots)> =
        told.iter().filter_map(|(n, f)| Some((*n, *f, f.series.slots()?))).collect();
    timed.sort_by_key(|(_, f, _)| std::cmp::Reverse(f.count));
    let rest = timed.len().saturating_sub(LANES);
    timed.truncate(LANES);
    let end = |s: &Slots| s.start.saturating_add_unsigned(s.width.saturating_mul(s.counts.len() as u64));
    let (Some(from), Some(to)) =
        (timed.iter().map(|(_, _, s)| s.start).min(), timed.iter().map(|(_, _, s)| end(s)).max())
    else {
        return;
    };
    let few = timed.iter().map(|(_, f, _)| f.count).sum::<u64>() < 3;
    if to.saturating_sub(from) < 3 || few {
        return;
    }
    let axis = Axis { from, to };
    page.tag("<figure class=\"chart\"><figcaption>Over time <span class=\"muted\">(UTC; ▼ marks the first of each)</span></figcaption>");
    page.tag("<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Refusals over time\">");
    let height = LANE * timed.len() as f64 + 26.0;
    page.tag("<svg class=\"time\" role=\"img\" aria-label=\"Refusals over time: ");
    for (_, f, _) in &timed {
        page.text(f.cause).tag(", ").count(f.count).tag(" refusals");
        if let (Some(first), Some(last)) = (&f.first, &f.last) {
            page.tag(" from ").text(&moment(first)).tag(" to ").text(&moment(last));
        }
        page.tag("; ");
    }
    page.tag("\" viewBox=\"0 0 ").number(WIDTH as usize).tag(" ").number(height as usize).tag("\">");
    for (row, (number, f, slots)) in timed.iter().enumerate() {
        lane(*number, f, slots, LANE * row as f64, axis, page);
    }
    axis.draw(height - 26.0, page);
    page.tag("</svg></div>");
    if rest > 0 {
        page.tag("<p class=\"muted\">").count(rest as u64).tag(" smaller findings are not drawn.</p>");
    }
    page.tag("</figure>");
}

#[derive(Clone, Copy)]
struct Axis {
    from: i64,
    to: i64,
}

impl Axis {
    fn x(self, second: i64) -> f64 {
        let part = second.saturating_sub(self.from) as f64 / self.to.saturating_sub(self.from).max(1) as f64;
        8.0 + (WIDTH - 16.0) * part.clamp(0.0, 1.0)
    }

    fn draw(self, y: f64, page: &mut Page) {
        page.shape(
            "<line class=\"axis\"",
            &[("x1", 8.0), ("x2", WIDTH - 8.0), ("y1", y + 4.0), ("y2", y + 4.0)],
        )
        .tag("/>");
        let length = self.to.saturating_sub(self.from);
        for (third, anchor) in [(0, "start"), (1, "middle"), (2, "middle"), (3, "end")] {
            // Of few seconds none stands near enough to a third: its time would touch the next one.
            if length < SHORT && matches!(third, 1 | 2) {
                continue;
            }
            let second = self.from.saturating_add(length / 3 * third + (length % 3 * third + 1) / 3);
            page.tag("<text class=\"tick\" text-anchor=\"").tag(anchor);
            page.shape("\"", &[("x", self.x(second)), ("y", y + 20.0)]).tag(">");
            page.text(&civil(second, length)).tag("</text>");
        }
    }
}

fn lane(number: usize, f: &Finding, slots: &Slots, y: f64, axis: Axis, page: &mut Page) {
    page.tag("<g class=\"").tag(verdict(f.verdict)).tag("\">");
    page.shape("<text class=\"lane\"", &[("x", 8.0), ("y", y + 13.0)])
        .tag(">")
        .number(number)
        .tag(". ")
        .text(f.cause);
    if let Some(whom) = f.account.as_ref().or(f.client.as_ref()) {
        let whom: String = whom.chars().take(40).collect();
        page.tag("<tspan class=\"note\" dx=\"6\">").text(&whom).tag("</tspan>");
    }
    page.tag("</text>");
    let most = slots.counts.iter().max().copied().unwrap_or(1).max(1) as f64;
    let base = y + LANE - 4.0;
    let room = LANE - 22.0;
    for (i, count) in slots.counts.iter().enumerate().filter(|(_, n)| **n > 0) {
        let start = slots.start.saturating_add_unsigned(slots.width.saturating_mul(i as u64));
        let x = axis.x(start);
        let width = (axis.x(start.saturating_add_unsigned(slots.width)) - x - 0.5).max(1.5);
        let height = (*count as f64 / most * room).max(1.5);
        page.shape(
            "<rect class=\"fill\"",
            &[("x", x), ("y", base - height), ("width", width), ("height", height)],
        );
        page.tag("><title>").text(&civil(start, 0)).tag(": ").count(*count).tag("</title></rect>");
    }
    // Where it began.
    let onset = f.first.as_deref().and_then(seconds).map_or(axis.x(slots.start), |s| axis.x(s));
    page.shape("<line class=\"onset\"", &[("x1", onset), ("x2", onset), ("y1", y + 18.0), ("y2", base)])
        .tag("/>");
    page.tag("<text class=\"onset\" text-anchor=\"middle\"");
    page.shape("", &[("x", onset), ("y", y + 24.0)]).tag(">▼</text></g>");
}

fn seconds(time: &str) -> Option<i64> {
    time.parse::<jiff::Timestamp>().ok().map(jiff::Timestamp::as_second)
}

/// A time, as exact as an axis of this length wants.
fn civil(second: i64, length: i64) -> String {
    let Ok(time) = jiff::Timestamp::from_second(second) else { return String::new() };
    let text = moment(&time.to_string());
    let until = if length > 14 * 86_400 {
        10
    } else if length > 3600 {
        16
    } else {
        19
    };
    text.get(..until).unwrap_or(&text).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_on_the_axis_do_not_touch() {
        for to in (3..200).chain([100_000, i64::MAX]) {
            let mut page = Page::default();
            Axis { from: 0, to }.draw(0.0, &mut page);
            let page = page.finish();
            let ticks = page.split("text-anchor=\"").skip(1).map(|tick| {
                let x: f64 = tick.split('"').nth(2).unwrap().parse().unwrap();
                // Nineteen digits of 7 at most.
                let left = x - if tick.starts_with("start") {
                    0.0
                } else if tick.starts_with("end") {
                    133.0
                } else {
                    66.5
                };
                (left, left + 133.0)
            });
            let ticks: Vec<(f64, f64)> = ticks.collect();
            assert!(ticks.windows(2).all(|w| w[0].1 + 8.0 < w[1].0), "{to}: {ticks:?}");
            assert!(
                ticks.len() == if to < SHORT { 2 } else { 4 }
                    && ticks[0].0 >= 0.0
                    && ticks.last().unwrap().1 <= WIDTH
            );
        }
    }

    #[test]
    fn shares_and_times_are_short() {
        assert_eq!(share(1, 1000), "<1 %");
        assert_eq!(share(1, 2), "50 %");
        assert_eq!(civil(0, 0), "1970-01-01 00:00:00");
        assert_eq!(civil(0, 90_000), "1970-01-01 00:00");
        assert_eq!(civil(i64::MAX, 0), "");
    }
}
