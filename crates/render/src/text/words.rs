//! What the terminal output says in words of its own.

use std::collections::BTreeMap;
use why401_report::{Certainty, Finding, Party, SourceReport, Verdict};

/// Columns of the margin with the labels.
pub(crate) const LABEL: usize = 8;

pub(crate) fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Attack => "attack",
        Verdict::Fault => "fault",
        Verdict::Info => "info",
        Verdict::Normal => "normal",
    }
}

pub(crate) fn certainty(certainty: Certainty) -> &'static str {
    match certainty {
        Certainty::Certain => "certain",
        Certainty::Likely => "likely",
        Certainty::Possible => "possible",
    }
}

/// Who acts, so that nobody has to know the word.
pub(crate) fn party(party: Party) -> &'static str {
    match party {
        Party::Caller => "the caller: whoever writes or configures the client",
        Party::AccountOwner => "the account's owner: the person whose credentials these are",
        Party::Server => "the server: whoever runs the origin",
        Party::Intermediary => "the intermediary: whoever runs the proxy, gateway or CDN",
        Party::Nobody => "nobody",
    }
}

pub(crate) fn party_name(party: Party) -> &'static str {
    match party {
        Party::Caller => "caller",
        Party::AccountOwner => "account's owner",
        Party::Server => "server",
        Party::Intermediary => "intermediary",
        Party::Nobody => "nobody",
    }
}

/// Which exchanges a finding is about: how many, whose, since when. `None` where there is nothing to tell.
pub(crate) fn which(f: &Finding) -> Option<String> {
    let mut parts = Vec::new();
    if f.count > 1 {
        parts.push(format!("{} times", f.count));
    }
    parts.extend(period(f.first.as_deref(), f.last.as_deref()));
    let named = [("account", &f.account), ("client", &f.client), ("server", &f.server)];
    parts.extend(named.iter().filter_map(|(what, who)| who.as_ref().map(|who| format!("{what} {who}"))));
    let asked = f.exchanges.first().and_then(|e| e.method.as_deref());
    match (&f.resource, asked) {
        (Some(resource), Some(method)) => parts.push(format!("{method} {resource}")),
        (Some(resource), None) => parts.push(resource.clone()),
        (None, _) => {}
    }
    (!parts.is_empty()).then(|| parts.join(", "))
}

/// `2012-10-24 15:31:26 UTC`, or from one to another.
fn period(first: Option<&str>, last: Option<&str>) -> Option<String> {
    let first = first?;
    let last = last.filter(|l| moment(l) != moment(first));
    Some(match last {
        None => format!("{} UTC", moment(first)),
        Some(last) => {
            let (from, to) = (moment(first), moment(last));
            let same_day = from.get(..10) == to.get(..10);
            format!("{from} to {} UTC", to.get(if same_day { 11 } else { 0 }..).unwrap_or(&to))
        }
    })
}

/// How long so many seconds are, in the largest unit that leaves at least two of it.
pub(crate) fn span_of(seconds: u64) -> String {
    let units = [(86_400, "days"), (3600, "hours"), (60, "minutes")];
    let unit = units.into_iter().find(|(unit, _)| seconds >= 2 * unit);
    match (unit, seconds) {
        (Some((unit, name)), _) => format!("{} {name}", seconds / unit),
        (None, 1) => "a second".to_owned(),
        (None, n) => format!("{n} seconds"),
    }
}

/// An RFC 3339 time in UTC to the second, without its letters.
pub(crate) fn moment(time: &str) -> String {
    let seconds = time.get(..19).unwrap_or(time);
    seconds.replacen('T', " ", 1)
}

/// One line for no finding at all: what was read, and that no refusal is in it, or that no reason was found.
pub(crate) fn nothing_found(sources: &[SourceReport]) -> String {
    let exchanges: u64 = sources.iter().map(|s| s.exchanges).sum();
    let mut statuses: BTreeMap<u16, u64> = BTreeMap::new();
    for (status, count) in sources.iter().flat_map(|s| &s.statuses) {
        *statuses.entry(*status).or_default() += count;
    }
    let refused: u64 = [401, 407].iter().filter_map(|s| statuses.get(s)).sum();
    let read = names(sources);
    let all = exchanges_in_words(exchanges);
    if exchanges == 0 {
        return format!("no refusal found: no exchange and no word of a refusal in {read}");
    }
    if refused > 0 {
        let verb = if refused == 1 { "was" } else { "were" };
        return format!(
            "no cause found: {refused} of {all} in {read} {verb} refused, and nothing in it tells why"
        );
    }
    let list: Vec<String> = statuses.iter().map(|(status, count)| format!("{status}: {count}")).collect();
    let list = if list.is_empty() { String::new() } else { format!(" ({})", list.join(", ")) };
    format!("no refusal: {all} in {read}{list}")
}

fn exchanges_in_words(count: u64) -> String {
    if count == 1 { "1 exchange".to_owned() } else { format!("{count} exchanges") }
}

fn names(sources: &[SourceReport]) -> String {
    let name = |s: &SourceReport| format!("{} ({})", s.name, s.format);
    let shown: Vec<String> = sources.iter().take(3).map(name).collect();
    match sources.len().saturating_sub(3) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}
