//! Holds every refusal against every cause and puts the findings together.

use crate::cause::{Answer, Claim};
use crate::rank::{Ranked, rank, supersedes};
use crate::shared::Shared;
use crate::{CATALOGUE, Scene};
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::sync::Arc;
use why401_history::{Attempt, Case, Whose};
use why401_http::{Moment, path_of};
use why401_knowledge::Knowledge;
use why401_report::{AlsoPossible, Annotation, Certainty, ExchangeRow, Finding, Fix, Party, Verdict};

/// From so many refusals on they are explained by several threads.
const MANY: usize = 24;
/// So many exchanges are given as examples of a finding.
const EXAMPLES: usize = 20;
/// So many pieces of evidence are given for a finding.
const EVIDENCE: usize = 8;
/// So many other causes are named with a finding: a list of everything helps nobody.
const ALSO: usize = 6;
/// So many things to do.
const FIXES: usize = 4;

/// What one refusal comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Because {
    /// The name of the cause.
    pub cause: &'static str,
    /// What it means here.
    pub verdict: Verdict,
    /// How sure it is.
    pub certainty: Certainty,
    /// Who has to act.
    pub party: Party,
}

/// Every refusal of a case, explained.
#[derive(Debug, Default)]
pub struct Explained {
    /// What was found, in the order in which to read it.
    pub findings: Vec<Finding>,
    /// For each refusal of the case what it comes from; `None` where nothing can be said.
    pub each: Vec<Option<Because>>,
}

/// The findings of [`explain_each`].
pub fn diagnose(case: &Case, now: Option<Timestamp>) -> Vec<Finding> {
    explain_each(case, now).findings
}

/// Explains every refusal of a case. `now` is the time of the diagnosis; without it no time is taken for past.
pub fn explain_each(case: &Case, now: Option<Timestamp>) -> Explained {
    let shared = Shared::default();
    let each = |refusal| explain(&Scene::of(case, refusal, now, &shared));
    let threads = std::thread::available_parallelism().map_or(1, |n| n.get().min(8));
    let told: Vec<Vec<Told>> = if case.refusals.len() < MANY || threads == 1 {
        case.refusals.iter().map(each).collect()
    } else {
        // In turns, so that nobody gets all the hard ones; put back in order afterwards.
        let part =
            |first: usize| case.refusals.iter().skip(first).step_by(threads).map(each).collect::<Vec<_>>();
        let mut parts: Vec<_> = std::thread::scope(|scope| {
            let rest: Vec<_> = (1..threads).map(|first| scope.spawn(move || part(first))).collect();
            let own = std::iter::once(part(0));
            own.chain(rest.into_iter().map(|t| t.join().unwrap_or_default())).map(Vec::into_iter).collect()
        });
        let mut told = Vec::new();
        while parts.iter().any(|part| part.len() > 0) {
            told.extend(parts.iter_mut().filter_map(Iterator::next));
        }
        told
    };
    let because =
        |f: &Finding| Because { cause: f.cause, verdict: f.verdict, certainty: f.certainty, party: f.party };
    let each = told.iter().map(|t| t.first().map(|main| because(&main.finding))).collect();
    Explained { findings: order(merge(told.into_iter().flatten().collect())), each }
}

/// A finding, and whose it is where only examples were looked at.
struct Told {
    finding: Finding,
    whose: Arc<Whose>,
}

impl Told {
    /// The finding; where the sentence is about an example, with how many there are more.
    fn finish(self) -> Finding {
        let Told { mut finding, whose } = self;
        let more = |all: usize| all.saturating_sub(1);
        match (more(whose.accounts.len()), more(whose.clients.len())) {
            (0, 0) => {}
            _ if finding.cause == "password-guessing" => {}
            (0, more) => finding.summary.push_str(&format!("; {more} more clients were refused alike")),
            (more, _) => finding.summary.push_str(&format!("; {more} more accounts were refused alike")),
        }
        finding
    }
}

/// The findings of one refusal: the main one, and what stands beside it.
fn explain(scene: &Scene<'_>) -> Vec<Told> {
    let mut claims = Vec::new();
    let mut open: Vec<(&'static str, &'static str)> = Vec::new();
    for (position, cause) in CATALOGUE.iter().enumerate() {
        let meta = cause.meta();
        match cause.detect(scene) {
            Answer::Confirmed(claim) | Answer::Suspected(claim) => {
                claims.push(Ranked { meta, claim, position })
            }
            Answer::Undecidable(settle) => open.push((meta.name, settle)),
            Answer::RuledOut => {}
        }
    }
    crate::account::add(scene, &mut claims);
    let mut ranked = rank(claims).into_iter();
    let Some(main) = ranked.next() else { return Vec::new() };
    let (beside, rest): (Vec<Ranked>, Vec<Ranked>) =
        ranked.partition(|r| matches!(r.verdict(), Verdict::Info) && main.verdict() != Verdict::Normal);
    let proved = main.claim.certainty == Certainty::Certain;
    let meta = main.meta;
    let speaks_for = |r: &Ranked| r.claim.certainty == Certainty::Certain && supersedes(meta, r.meta);
    let (proved_too, rest): (Vec<Ranked>, Vec<Ranked>) = rest.into_iter().partition(speaks_for);
    let mut first = finding(scene, main);
    for r in proved_too {
        // What proves it belongs to this finding, since that speaks for both.
        let place = |e: &Annotation| (e.source.clone(), e.layer.clone(), e.start, e.end);
        let known = |e: &Annotation| first.evidence.iter().any(|f| place(f) == place(e));
        let more: Vec<Annotation> = r.claim.evidence.into_iter().filter(|e| !known(e)).collect();
        first.evidence.extend(more);
        first.evidence.truncate(EVIDENCE);
        also(&mut first, r.meta.name, "nothing: it is proved too, and is part of this");
    }
    // Where a cause is proved, "refused, and nobody knows why" is not open any more.
    for r in rest.into_iter().filter(|r| !(proved && r.meta.name == "credentials-refused")) {
        also(&mut first, r.meta.name, &evidence_needed(r.meta.doc));
    }
    for (cause, settle) in open {
        also(&mut first, cause, settle);
    }
    let mut findings = vec![first];
    findings.extend(beside.into_iter().map(|r| finding(scene, r)));
    let told = |finding| Told { finding, whose: Arc::clone(&scene.refusal.whose) };
    findings.into_iter().map(told).collect()
}

/// What would settle a cause, by its own text: the first sentence of "Evidence needed".
fn evidence_needed(doc: &str) -> String {
    let sentence = first_sentence(doc, "# Evidence needed");
    let mut letters = sentence.chars();
    letters.next().map(|c| c.to_lowercase().chain(letters).collect()).unwrap_or_default()
}

/// The first sentence of a section of a cause's text, without its full stop.
pub(crate) fn first_sentence(doc: &str, title: &str) -> String {
    let section = doc.split(title).nth(1).unwrap_or_default();
    let text =
        section.split("\n #").next().unwrap_or(section).split_whitespace().collect::<Vec<_>>().join(" ");
    text.split(". ").next().unwrap_or(&text).trim_end_matches('.').to_owned()
}

fn also(finding: &mut Finding, cause: &'static str, settle: &str) {
    let known = finding.cause == cause || finding.also_possible.iter().any(|a| a.cause == cause);
    if !known && finding.also_possible.len() < ALSO {
        finding.also_possible.push(AlsoPossible { cause, settle: settle.to_owned() });
    }
}

fn finding(scene: &Scene<'_>, ranked: Ranked) -> Finding {
    let verdict = ranked.verdict();
    let Ranked { meta, claim, .. } = ranked;
    let Claim { certainty, summary, mut evidence, fixes, also: left_open, party, own_advice, .. } = claim;
    evidence.truncate(EVIDENCE);
    let rows = rows(scene);
    let shared = |pick: fn(&ExchangeRow) -> &Option<String>| {
        // The first step of a handshake names nobody yet.
        let first = rows.iter().find_map(|r| pick(r).clone());
        first.filter(|v| rows.iter().all(|r| pick(r).as_deref().is_none_or(|o| o == v)))
    };
    let statement_user =
        || scene.refusal.statements().iter().find_map(|s| s.user.as_deref().map(why401_history::named));
    let statement_client =
        || scene.refusal.statements().iter().find_map(|s| s.client.as_ref().map(|c| c.host.clone()));
    let statement_target = || scene.refusal.statements().iter().find_map(|s| s.target.clone());
    let mut f = Finding {
        cause: meta.name,
        verdict,
        certainty,
        party: party.unwrap_or(meta.party),
        summary,
        count: scene.refusal.count,
        first: scene.refusal.first.map(rfc3339),
        last: scene.refusal.last.map(rfc3339),
        account: shared(|r| &r.user).or_else(statement_user),
        client: shared(|r| &r.client).or_else(statement_client),
        server: shared(|r| &r.server),
        resource: shared(|r| &r.target).or_else(statement_target).map(|t| path_of(&t).to_owned()),
        series: scene.refusal.series.clone(),
        sequence: crate::sequence::sequence(scene),
        exchanges: rows,
        evidence,
        fixes: all_fixes(scene, meta.name, fixes, own_advice),
        also_possible: Vec::new(),
    };
    for (cause, settle) in left_open {
        also(&mut f, cause, &settle);
    }
    f
}

/// What to do, in the product's own words where one was recognised, and in the claim's.
fn all_fixes(scene: &Scene<'_>, cause: &str, own: Vec<Fix>, own_first: bool) -> Vec<Fix> {
    let of_products = Knowledge::shared().fixes(cause, &scene.products).into_iter().take(2).map(|fix| {
        let party = match fix.party.as_str() {
            "account-owner" => Party::AccountOwner,
            "server" => Party::Server,
            "intermediary" => Party::Intermediary,
            _ => Party::Caller,
        };
        Fix { party, action: fix.action.clone(), command: fix.command.clone() }
    });
    let mut all: Vec<Fix> = if own_first { own } else { of_products.chain(own).collect() };
    let mut seen = std::collections::BTreeSet::new();
    all.retain(|fix| seen.insert(fix.action.clone()));
    all.truncate(FIXES);
    all
}

fn rfc3339(m: Moment) -> String {
    m.at.to_string()
}

fn rows(scene: &Scene<'_>) -> Vec<ExchangeRow> {
    let attempts =
        scene.refusal.chains().iter().flat_map(|c| c.steps.iter()).filter_map(|&i| scene.case.attempt(i));
    attempts.take(EXAMPLES).map(|a| row(scene.case, a)).collect()
}

/// A request and its answer in a row; the target without the secrets that it is known to hold by its form.
pub fn row(case: &Case, a: &Attempt) -> ExchangeRow {
    let view = a.view();
    let target = a.target().map(|t| {
        let hide = why401_redact::secrets_in_target(&t);
        why401_span::mask(&t, |i| hide.iter().any(|r| r.contains(&i)))
    });
    ExchangeRow {
        source: case.source_name(view.source).to_owned(),
        index: view.index,
        time: a.time().map(rfc3339),
        client: a.client().map(|c| c.host.clone()),
        server: a.request().and_then(|r| r.authority()).or_else(|| a.server().map(ToString::to_string)),
        method: a.method().map(|m| m.into_owned()).filter(|m| !m.is_empty()),
        target,
        status: a.status(),
        user: a.user.clone(),
    }
}

/// Findings of one cause that share account, client or resource, or that say the very same, become one.
fn merge(findings: Vec<Told>) -> Vec<Finding> {
    type Key = (&'static str, Verdict, Certainty, Vec<Option<String>>);
    let mut out: Vec<Told> = Vec::new();
    let mut at: BTreeMap<Key, usize> = BTreeMap::new();
    for told in findings {
        let f = &told.finding;
        // Whom it is about: the account, else the client, else the resource.
        let whom = f.account.clone().or_else(|| f.client.clone());
        let what = if whom.is_some() { None } else { f.resource.clone() };
        let about = (f.cause, f.verdict, f.certainty, vec![whom, what]);
        let words = (f.cause, f.verdict, f.certainty, vec![None, None, Some(f.summary.clone())]);
        let found = at.get(&words).or_else(|| at.get(&about)).copied();
        let i = found.unwrap_or(out.len());
        at.entry(about).or_insert(i);
        at.entry(words).or_insert(i);
        match out.get_mut(i) {
            Some(into) => absorb(into, told),
            None => out.push(told),
        }
    }
    out.into_iter().map(Told::finish).collect()
}

fn absorb(told: &mut Told, other: Told) {
    let whose = Arc::make_mut(&mut told.whose);
    whose.accounts.extend(&other.whose.accounts);
    whose.clients.extend(&other.whose.clients);
    let (into, f) = (&mut told.finding, other.finding);
    into.count += f.count;
    into.first = match (into.first.take(), f.first) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    };
    into.last = into.last.take().max(f.last);
    into.series.merge(&f.series);
    let keep = |a: &mut Option<String>, b: Option<String>| {
        if *a != b {
            *a = None;
        }
    };
    keep(&mut into.account, f.account);
    keep(&mut into.client, f.client);
    keep(&mut into.server, f.server);
    keep(&mut into.resource, f.resource);
    let room = EXAMPLES.saturating_sub(into.exchanges.len());
    into.exchanges.extend(f.exchanges.into_iter().take(room));
    for a in f.also_possible {
        also(into, a.cause, &a.settle);
    }
}

/// So many reasons are held against the refusals without one.
const REASONS: usize = 100;

/// What the reader should act on first stands first.
fn order(mut findings: Vec<Finding>) -> Vec<Finding> {
    // An account that is locked was locked by the refusals before, and is what keeps its owner out now.
    let locked: Vec<String> =
        findings.iter().filter(|f| f.cause == "account-locked").filter_map(|f| f.account.clone()).collect();
    let led_to_lock = |f: &Finding| {
        matches!(f.cause, "wrong-password" | "credentials-refused" | "credentials-changed")
            && f.account.as_ref().is_some_and(|a| locked.contains(a))
    };
    // Of an account of which a reason is known as well, the refusals without one are mostly the same.
    let reasons: Vec<(String, Certainty)> = findings
        .iter()
        .filter(|f| matches!(f.verdict, Verdict::Fault) && f.cause != "credentials-refused")
        .filter_map(|f| Some((f.account.clone()?, f.certainty)))
        .take(REASONS)
        .collect();
    let known = |f: &Finding| reasons.iter().any(|(a, c)| f.account.as_ref() == Some(a) && *c >= f.certainty);
    findings.sort_by_key(|f| {
        let class = match f.verdict {
            Verdict::Attack | Verdict::Fault => 0,
            Verdict::Info => 1,
            Verdict::Normal => 2,
        };
        // A mere 403 or a guess does not stand before what is proved, nor a 403 before the reason of a 401.
        let mere = f.cause == "forbidden" || f.cause == "credentials-refused" && known(f);
        (class, std::cmp::Reverse(f.certainty), mere || led_to_lock(f), std::cmp::Reverse(f.count))
    });
    findings
}
