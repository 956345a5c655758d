//! Findings while evidence still comes: `tcpdump -U -w - | why401 -` names each refusal once it is proved, and so does the
//! page.

use crate::glance::{Cause, Glance};
use crate::secrets;
use jiff::Timestamp;
use std::collections::{HashSet, VecDeque};
use std::time::{Duration, Instant};
use why401_history::{Case, Collector};
use why401_http::{Exchange, Fact, FactKind, Speaker, Statement};
use why401_report::{Certainty, Diagnosis, Finding, Overview, Verdict};

/// So many exchanges are looked at, the latest.
const EXCHANGES: usize = 2000;
/// So many statements and facts, the latest.
const WORDS: usize = 1000;
/// A refusal may be the first half of a handshake: so long is waited for the other half.
const SETTLES: Duration = Duration::from_millis(1500);
/// Where much comes at once, the other half is among the next so many exchanges.
const REACH: usize = 100;

/// What came lately, and what was told of it.
pub(crate) struct Live {
    exchanges: VecDeque<Exchange>,
    statements: VecDeque<Statement>,
    facts: VecDeque<Fact>,
    told: HashSet<Key>,
    /// When the latest refusal came of which nothing was told yet.
    refused: Option<Instant>,
    /// So many of the exchanges, the earliest, had been looked at when that was `None` last.
    settled: usize,
    now: Option<Timestamp>,
    show_secrets: bool,
    /// The last minutes at a glance, where somebody looks.
    glance: Option<Glance>,
}

/// Findings that differ in none of these are the same one.
type Key = [String; 5];

impl Live {
    pub(crate) fn new(now: Option<Timestamp>, show_secrets: bool) -> Live {
        Live {
            exchanges: VecDeque::new(),
            statements: VecDeque::new(),
            facts: VecDeque::new(),
            told: HashSet::new(),
            refused: None,
            settled: 0,
            now,
            show_secrets,
            glance: None,
        }
    }

    /// From now on the last minutes can be told at a glance.
    pub(crate) fn begin_glance(&mut self) {
        self.glance = Some(Glance::default());
    }

    /// The last minutes are to be told again, though nothing came.
    pub(crate) fn renew_glance(&mut self) {
        self.glance.iter_mut().for_each(Glance::renew);
    }

    pub(crate) fn exchange(&mut self, exchange: &Exchange) {
        if let Some(glance) = &mut self.glance {
            glance.add(exchange);
        }
        if matches!(exchange.status(), Some(400..)) {
            self.refused = Some(Instant::now());
        }
        if keep(&mut self.exchanges, exchange, EXCHANGES) {
            self.settled = self.settled.saturating_sub(1);
        }
    }

    pub(crate) fn statement(&mut self, statement: &Statement) {
        // An error log may be all there is.
        if statement.speaker == Speaker::ServerLog {
            self.refused = Some(Instant::now());
        }
        keep(&mut self.statements, statement, WORDS);
    }

    pub(crate) fn fact(&mut self, fact: &Fact) {
        if matches!(&fact.kind, FactKind::Tls(secured) if secured.refuses_client()) {
            self.refused = Some(Instant::now());
        }
        keep(&mut self.facts, fact, WORDS);
    }

    /// What has become certain, a line each; called whenever nothing comes for a while.
    pub(crate) fn look(&mut self) -> Vec<String> {
        if self.refused.is_none_or(|at| at.elapsed() < SETTLES) {
            return Vec::new();
        }
        self.refused = None;
        self.settled = self.exchanges.len();
        self.renew_glance();
        self.proved(self.exchanges.len())
    }

    /// What has become certain, while much comes: of the latest refusals nothing can be said yet.
    pub(crate) fn look_back(&mut self) -> Vec<String> {
        self.proved(self.exchanges.len().saturating_sub(REACH))
    }

    /// The last minutes at a glance, a row each; none if nothing came since they were told last.
    pub(crate) fn glance(&mut self) -> Option<Vec<String>> {
        let glance = self.glance.as_mut()?;
        let overview = glance.news()?;
        let since = glance.since();
        let all = self.exchanges.len();
        // The latest may be the first half of a handshake.
        let settled = if self.refused.is_none() { all } else { self.settled.max(all.saturating_sub(REACH)) };
        let Diagnosis { mut findings, overview, .. } = self.diagnosis(settled, Some(overview));
        findings.retain(is_wrong);
        let causes = findings.iter().map(|f| Cause {
            name: f.cause,
            is_certain: f.certainty == Certainty::Certain,
            count: f.count,
        });
        Some(Glance::rows(&overview.unwrap_or_default(), causes, since))
    }

    /// What the first so many exchanges prove that was not told yet.
    fn proved(&mut self, first: usize) -> Vec<String> {
        let mut proved = self.diagnosis(first, None).findings;
        proved.retain(|f| {
            f.certainty == Certainty::Certain
                && is_wrong(f)
                && self.told.len() < EXCHANGES
                && self.told.insert(key(f))
        });
        proved.iter().map(line).collect()
    }

    /// What the first so many exchanges come from, without the secrets of all.
    fn diagnosis(&self, first: usize, overview: Option<Overview>) -> Diagnosis {
        let case = self.case(first);
        let findings = why401_causes::diagnose(&case, self.now);
        let mut diagnosis = Diagnosis { sources: Vec::new(), findings, overview };
        if !self.show_secrets {
            let all = self.exchanges.len();
            let case = if first < all { self.case(all) } else { case };
            why401_redact::diagnosis(&mut diagnosis, &secrets::of(&case));
        }
        diagnosis
    }

    fn case(&self, first: usize) -> Case {
        let mut collector = Collector::new();
        self.exchanges.iter().take(first).for_each(|e| collector.exchange(e.clone()));
        // What was said later is about requests that are left out.
        let until = self.exchanges.get(first).and_then(|e| e.time);
        let is_later =
            |s: &&Statement| matches!((s.time, until), (Some(at), Some(until)) if at.at >= until.at);
        self.statements.iter().filter(|s| !is_later(s)).for_each(|s| collector.statement(s.clone()));
        self.facts.iter().for_each(|f| collector.fact(f.clone()));
        collector.finish(Vec::new())
    }
}

fn is_wrong(f: &Finding) -> bool {
    matches!(f.verdict, Verdict::Fault | Verdict::Attack)
}

/// Keeps one more; whether the first one was let go for it.
fn keep<T: Clone>(kept: &mut VecDeque<T>, new: &T, most: usize) -> bool {
    let is_full = kept.len() >= most;
    if is_full {
        kept.pop_front();
    }
    kept.push_back(new.clone());
    is_full
}

fn key(f: &Finding) -> Key {
    let part = |p: &Option<String>| p.clone().unwrap_or_default();
    [f.cause.to_owned(), part(&f.account), part(&f.client), part(&f.server), part(&f.resource)]
}

/// `14:02:11Z  token-expired  GET /orders  the token …`, made safe for a terminal.
fn line(f: &Finding) -> String {
    let time = f.last.as_deref().or(f.first.as_deref()).unwrap_or("");
    let request = f.exchanges.last().map(|e| {
        let part = |p: &Option<String>| p.clone().unwrap_or_default();
        format!("{} {}: ", part(&e.method), part(&e.target))
    });
    why401_render::visible(&format!("{time} {}: {}{}", f.cause, request.unwrap_or_default(), f.summary))
}
