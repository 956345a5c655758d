//! One finding: what, whose, the proof, the messages, what to do.

use super::diagram::shortened;
use super::page::Page;
use super::{diagram, evidence};
use crate::text::{certainty, party_name, verdict};
use why401_report::{ExchangeRow, Finding, Party, Verdict};

/// So many examples are shown without asking.
const ROWS: usize = 4;
/// What stands in many rows is cut behind so many characters, so that long names make no long report.
pub(crate) const LONGEST: usize = 300;

/// A finding in full. The only one has its headline at the top of the page.
pub(crate) fn finding(number: usize, only: bool, f: &Finding, page: &mut Page) {
    page.tag("<article class=\"finding ").tag(verdict(f.verdict)).tag("\" id=\"finding-").number(number);
    page.tag("\"");
    known_by(f, page);
    page.tag(" data-count=\"");
    page.number(usize::try_from(f.count).unwrap_or(usize::MAX)).tag("\"><header>");
    if only {
        page.tag("<h2>Details</h2>");
    } else {
        badge(f, page);
        page.tag("<h2>").prose(&summary(f)).tag("</h2>");
    }
    facts(f, page);
    page.tag("</header>");
    if !f.evidence.is_empty() {
        page.tag("<section class=\"part\"><h3>");
        page.tag(if f.verdict == Verdict::Normal { "What shows it" } else { "What proves it" }).tag("</h3>");
        evidence::evidence(&f.evidence, page);
        page.tag("</section>");
    }
    if f.verdict != Verdict::Normal {
        to_do(f, page);
    }
    diagram::diagram(number, &f.sequence, page);
    exchanges(number, &f.exchanges, f.count, page);
    if !f.also_possible.is_empty() && f.verdict != Verdict::Normal {
        page.tag("<section class=\"part\"><h3>What else the evidence leaves open</h3><dl class=\"also\">");
        for a in &f.also_possible {
            page.tag("<div><dt><code>")
                .text(a.cause)
                .tag("</code></dt><dd>")
                .prose(&a.settle)
                .tag("</dd></div>");
        }
        page.tag("</dl></section>");
    }
    page.tag("</article>");
}

/// What a finding is chosen by: attributes of the element that shows it.
pub(crate) fn known_by(f: &Finding, page: &mut Page) {
    let account = f.account.as_deref().unwrap_or_default();
    page.tag(" data-cause=\"").text(f.cause).tag("\" data-account=\"");
    page.text(&shortened(account, LONGEST)).tag("\" data-first=\"");
    page.text(f.first.as_deref().unwrap_or_default()).tag("\" data-last=\"");
    page.text(f.last.as_deref().unwrap_or_default()).tag("\"");
}

/// Verdict, certainty and the name of the cause.
pub(crate) fn badge(f: &Finding, page: &mut Page) {
    page.tag("<p class=\"badge\"><span class=\"verdict\">").tag(sign(f.verdict)).tag(verdict_word(f.verdict));
    page.tag("</span> <span class=\"muted\">").tag(certainty(f.certainty)).tag(" ·</span> <code>");
    page.text(f.cause).tag("</code></p>");
}

pub(crate) fn verdict_word(v: Verdict) -> &'static str {
    match v {
        Verdict::Attack => "Attack",
        Verdict::Fault => "Fault",
        Verdict::Info => "Observation",
        Verdict::Normal => "Normal",
    }
}

/// A sign of its own for each verdict, so that colour is not all that tells them apart.
pub(crate) fn sign(v: Verdict) -> &'static str {
    match v {
        Verdict::Attack => {
            "<svg class=\"sign\" viewBox=\"0 0 16 16\" aria-hidden=\"true\"><path d=\"M8 1l7 14H1zM8 6v4M8 12v1\"/></svg>"
        }
        Verdict::Fault => {
            "<svg class=\"sign\" viewBox=\"0 0 16 16\" aria-hidden=\"true\"><path d=\"M3 3l10 10M13 3L3 13\"/></svg>"
        }
        Verdict::Info => {
            "<svg class=\"sign\" viewBox=\"0 0 16 16\" aria-hidden=\"true\"><path d=\"M8 7v6M8 3v1\"/></svg>"
        }
        Verdict::Normal => {
            "<svg class=\"sign\" viewBox=\"0 0 16 16\" aria-hidden=\"true\"><path d=\"M2 9l4 4 8-10\"/></svg>"
        }
    }
}

pub(crate) fn facts(f: &Finding, page: &mut Page) {
    let mut inner = Page::default();
    if f.count > 1 {
        inner.tag("<div><dt>Exchanges</dt><dd>").count(f.count).tag("</dd></div>");
    }
    let once = f.last.is_none() || f.first == f.last;
    if let Some(first) = &f.first {
        inner.tag(if once { "<div><dt>When</dt><dd>" } else { "<div><dt>First</dt><dd>" });
        inner.time(first).tag("</dd></div>");
    }
    if let (Some(last), false) = (&f.last, once) {
        inner.tag("<div><dt>Last</dt><dd>").time(last).tag("</dd></div>");
    }
    let named = [
        ("<div><dt>Account</dt><dd>", &f.account),
        ("<div><dt>Client</dt><dd>", &f.client),
        ("<div><dt>Server</dt><dd>", &f.server),
        ("<div><dt>Resource</dt><dd>", &f.resource),
    ];
    for (label, value) in named {
        if let Some(value) = value {
            inner.tag(label).text(value).tag("</dd></div>");
        }
    }
    if !inner.is_empty() {
        page.tag("<dl class=\"facts\">").page(&inner).tag("</dl>");
    }
}

/// What each party has to do, who has to act first.
fn to_do(f: &Finding, page: &mut Page) {
    let mut parties = vec![f.party];
    for fix in &f.fixes {
        if !parties.contains(&fix.party) {
            parties.push(fix.party);
        }
    }
    page.tag("<section class=\"part\"><h3>What to do</h3><div class=\"parties\">");
    for party in &parties {
        let fixes: Vec<_> = f.fixes.iter().filter(|fix| fix.party == *party).collect();
        page.tag(if *party == f.party { "<div class=\"party first\">" } else { "<div class=\"party\">" });
        page.tag("<h4>").text(&capital(party_name(*party)));
        page.tag(" <span class=\"muted\">").tag(who(*party)).tag("</span>");
        if *party == f.party && *party != Party::Nobody && parties.len() > 1 {
            page.tag(" <span class=\"acts\">acts first</span>");
        }
        page.tag("</h4>");
        if fixes.is_empty() {
            page.tag(if *party == Party::Nobody {
                "<p>Nothing.</p>"
            } else {
                "<p>Acts on what is shown above.</p>"
            });
        } else {
            page.tag("<ul>");
            for fix in fixes {
                page.tag("<li>").prose(&fix.action);
                if let Some(command) = &fix.command {
                    page.tag("<pre class=\"command\"><code>").text(command).tag("</code></pre>");
                }
                page.tag("</li>");
            }
            page.tag("</ul>");
        }
        page.tag("</div>");
    }
    page.tag("</div></section>");
}

fn who(party: Party) -> &'static str {
    match party {
        Party::Caller => "who writes or configures the client",
        Party::AccountOwner => "the person whose credentials these are",
        Party::Server => "who runs the origin",
        Party::Intermediary => "who runs the proxy, gateway or CDN",
        Party::Nobody => "no fault",
    }
}

/// The summary as a sentence of its own.
pub(crate) fn summary(f: &Finding) -> String {
    let text = f.summary.trim_end_matches('.');
    // A name is written as it is.
    let names = [&f.account, &f.client, &f.server, &f.resource];
    let is_name = names.into_iter().flatten().any(|n| text.starts_with(n.as_str()));
    if is_name { text.to_owned() } else { capital(text) }
}

/// The name of a file without its folders.
fn base(name: &str) -> &str {
    name.rsplit(['/', '\\']).next().unwrap_or(name)
}

pub(crate) fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|c| c.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// The examples in order of time, the columns that say anything.
fn exchanges(number: usize, rows: &[ExchangeRow], count: u64, page: &mut Page) {
    if rows.is_empty() {
        return;
    }
    type Cell = fn(&ExchangeRow) -> Option<String>;
    let columns: [(&'static str, Cell); 6] = [
        ("Client", |r| r.client.clone()),
        ("User", |r| r.user.clone()),
        ("Server", |r| r.server.clone()),
        ("Request", |r| {
            let request = [r.method.as_deref(), r.target.as_deref()].into_iter().flatten();
            Some(request.collect::<Vec<_>>().join(" ")).filter(|s| !s.is_empty())
        }),
        ("Status", |r| r.status.filter(|s| *s > 0).map(|s| s.to_string())),
        ("Source", |r| Some(format!("{} #{}", base(&r.source), r.index + 1))),
    ];
    let used: Vec<_> = columns.iter().filter(|(_, cell)| rows.iter().any(|r| cell(r).is_some())).collect();
    let timed = rows.iter().any(|r| r.time.is_some());
    let shown = rows.len() as u64;
    page.tag(if rows.len() > ROWS { "<details class=\"part\">" } else { "<details class=\"part\" open>" });
    page.tag("<summary>Timeline: ");
    if shown < count {
        page.count(shown).tag(" of ");
    }
    page.count(count.max(shown)).tag(if count.max(shown) == 1 { " exchange" } else { " exchanges" });
    page.tag(
        "</summary><div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Exchanges of finding ",
    )
    .number(number)
    .tag("\"><table class=\"rows\"><thead><tr>");
    if timed {
        page.tag("<th scope=\"col\">Time (UTC)</th>");
    }
    for (name, _) in &used {
        page.tag("<th scope=\"col\">").tag(name).tag("</th>");
    }
    page.tag("</tr></thead><tbody>");
    for row in rows {
        page.tag(match row.status {
            Some(401 | 403 | 407) => "<tr class=\"refused\">",
            _ => "<tr>",
        });
        if timed {
            let time = row.time.as_deref().unwrap_or_default();
            page.tag("<td>").text(&crate::text::moment(time)).tag("</td>");
        }
        for (_, cell) in &used {
            let text = cell(row).unwrap_or_default();
            page.tag("<td>").text(&shortened(&text, LONGEST)).tag("</td>");
        }
        page.tag("</tr>");
    }
    page.tag("</tbody></table></div></details>");
}
