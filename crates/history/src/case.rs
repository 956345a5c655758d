//! The whole body of evidence, put in order.

use crate::heard::Heard;
use crate::thin::{self, Kept, Key, earlier, later};
use crate::{Attempt, Chain, Index, Outcome, Refusal, Subject, chain, correlate, secured};
use std::collections::HashMap;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::sync::Arc;
use why401_http::{Fact, FactKind, Speaker, Statement};
use why401_report::{Series, SourceReport};

/// From so many attempts on they are put in order by two threads.
const MANY: usize = 500;
/// So many chains of one refusal are kept as examples.
const EXAMPLES: usize = 20;
/// So many refusals are told apart by what was asked for and by which program too; beyond, these say no more.
const RESOURCES: usize = 200;
/// So many refusals are told apart by all that they show; beyond, by status and account, and beyond that by status.
const KINDS: usize = 1000;

/// Host and port of the client and the second: lines of a log that share these are about one request.
type OneRequest = (String, Option<u16>, i64);

/// What statements about one request have in common: their wordings and users.
type Kind = Vec<(String, Option<String>)>;

/// The whole body of evidence, put in order of time.
#[derive(Debug, Default)]
pub struct Case {
    /// What was read.
    pub sources: Vec<SourceReport>,
    /// Every request, in order of time.
    pub attempts: Vec<Attempt>,
    /// Every chain of requests, in order of its first step.
    pub chains: Vec<Chain>,
    /// Statements about no request that the evidence shows.
    pub statements: Vec<Statement>,
    /// Context given along.
    pub facts: Vec<Fact>,
    /// Attempts by account, client and resource.
    pub index: Index,
    /// What has to be explained, in order of time.
    pub refusals: Vec<Refusal>,
}

impl Case {
    pub(crate) fn new(
        sources: Vec<SourceReport>,
        kept: Vec<Kept>,
        (statements, key): (Vec<Heard>, Option<Key>),
        facts: Vec<Fact>,
    ) -> Case {
        let mut attempts = correlate::attempts(kept);
        let left = correlate::attach(&mut attempts, statements, key);
        let (chains, index) = std::thread::scope(|scope| {
            if attempts.len() < MANY {
                return (chain::chains(&attempts), Index::of(&attempts));
            }
            // Neither needs the other.
            let index = scope.spawn(|| Index::of(&attempts));
            let chains = chain::chains(&attempts);
            (chains, index.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
        });
        let mut case = Case { sources, attempts, chains, facts, index, ..Case::default() };
        case.alike();
        case.told(left);
        case.refusals.extend(secured::refusals(&case.facts));
        case
    }

    /// An attempt by its number.
    pub fn attempt(&self, id: usize) -> Option<&Attempt> {
        self.attempts.get(id)
    }

    /// The name of a source.
    pub fn source_name(&self, id: why401_span::SourceId) -> &str {
        self.sources.get(id.0 as usize).map_or("", |s| &s.name)
    }

    /// Chains that want an explanation, alike ones together.
    fn alike(&mut self) {
        let mut kinds: HashMap<u64, usize> = HashMap::new();
        let mut refusals: Vec<Refusal> = Vec::new();
        let mut part_of: Vec<(usize, usize)> = Vec::new();
        for (number, chain) in self.chains.iter().enumerate().filter(|(_, c)| self.wants_explanation(c)) {
            let next = refusals.len();
            let mut like = self.likeness(chain, true);
            if next >= RESOURCES && !kinds.contains_key(&like) {
                like = self.likeness(chain, false);
            }
            if chain.steps.iter().filter_map(|&i| self.attempt(i)).any(|a| a.mixed) {
                like = self.coarse_likeness(chain, false);
            }
            for account in [true, false] {
                let full = if account { KINDS } else { KINDS + KINDS / 2 };
                if next >= full && !kinds.contains_key(&like) {
                    like = self.coarse_likeness(chain, account);
                }
            }
            let at = *kinds.entry(like).or_insert(next);
            part_of.push((number, at));
            let (Some(first), Some(last)) = (self.attempt(chain.first()), self.attempt(chain.last())) else {
                continue;
            };
            let series = self.series(chain);
            let whose = first.folded.as_ref().map(|f| Arc::clone(&f.whose)).unwrap_or_default();
            match refusals.get_mut(at) {
                Some(refusal) => {
                    refusal.count += self.refused(chain);
                    refusal.first = earlier(refusal.first, first.first);
                    refusal.last = later(refusal.last, last.last);
                    refusal.series.merge(&series);
                    if let Subject::Chains(examples) = &mut refusal.subject
                        && examples.len() < EXAMPLES
                    {
                        examples.push(chain.clone());
                    }
                }
                None => refusals.push(Refusal {
                    subject: Subject::Chains(vec![chain.clone()]),
                    count: self.refused(chain),
                    whose,
                    first: first.first,
                    last: last.last,
                    series,
                }),
            }
        }
        for (number, at) in part_of {
            if let Some(chain) = self.chains.get_mut(number) {
                chain.refusal = Some(at);
            }
        }
        self.refusals = refusals;
    }

    /// How many exchanges of a chain, and of those that it stands for, did not let the client in.
    fn refused(&self, chain: &Chain) -> u64 {
        if let Some(folded) = self.attempt(chain.first()).and_then(|a| a.folded.as_ref()) {
            return folded.refused;
        }
        let refused = chain.steps.iter().filter_map(|&i| self.attempt(i)).filter(|a| !a.let_in()).count();
        refused.max(1) as u64 * chain.stands_for
    }

    /// When those exchanges were.
    fn series(&self, chain: &Chain) -> Series {
        let mut all = Series::default();
        if self.attempt(chain.first()).is_some_and(|a| a.folded.is_some()) {
            let steps = chain.steps.iter().filter_map(|&i| self.attempt(i)?.series.as_ref());
            steps.for_each(|series| all.merge(series));
            return all;
        }
        for attempt in chain.steps.iter().filter_map(|&i| self.attempt(i)).filter(|a| !a.let_in()) {
            match (&attempt.series, attempt.time()) {
                (Some(series), _) => all.merge(series),
                (None, Some(time)) => all.add(time.at.as_second(), attempt.stands_for),
                (None, None) => {}
            }
        }
        all
    }

    /// Whether a chain holds a refusal, or an answer that may stand for one. The causes decide about the latter.
    fn wants_explanation(&self, chain: &Chain) -> bool {
        chain.steps.iter().filter_map(|&i| self.attempt(i)).any(|a| match a.status() {
            Some(401 | 403 | 407) => true,
            // Apache answers a Digest mismatch with 400, a broken password file with 500; gateways with 502 to 504.
            // Of its own making, nginx's: the client certificate is wrong or missing (ngx_http_request.h).
            Some(495 | 496) => true,
            Some(400) if a.views.iter().any(names_a_certificate) => true,
            // The gate's own log tells the cause of what it answers with 404, 405 or 429 as well.
            Some(400..=599) if a.names_its_cause() => true,
            Some(400 | 422) if a.speaks_of_credentials() => true,
            Some(400 | 500 | 502 | 503 | 504) => a.carries_credentials() || !a.statements.is_empty(),
            Some(200..=299) => a.shows_login_page(),
            Some(300..=399) => a.login_location().is_some(),
            // A browser's recorder hides what failed by CORS.
            Some(0) => true,
            _ => false,
        })
    }

    /// What refusals have in common where there are too many to look at each.
    fn coarse_likeness(&self, chain: &Chain, with_account: bool) -> u64 {
        let mut h = DefaultHasher::new();
        ("coarse", chain.outcome, chain.steps.len().min(3)).hash(&mut h);
        if let Some(a) = self.attempt(chain.last()) {
            (a.status(), a.carries_credentials()).hash(&mut h);
            a.user.as_ref().filter(|_| with_account).hash(&mut h);
        }
        h.finish()
    }

    /// A field of the answer up to what makes every answer differ (a nonce, an address).
    fn challenge(&self, a: &Attempt, name: &str) -> Option<String> {
        let value = a.response_field(name)?.text().to_ascii_lowercase();
        let end = value.find("nonce").or(value.find('?')).unwrap_or(value.len());
        value.get(..end).map(str::to_owned)
    }

    fn likeness(&self, chain: &Chain, with_resource: bool) -> u64 {
        // The fold has sorted them already.
        if let Some(folded) = self.attempt(chain.first()).and_then(|a| a.folded.as_ref()) {
            let mut h = DefaultHasher::new();
            ("folded", folded.group).hash(&mut h);
            return h.finish();
        }
        let mut h = DefaultHasher::new();
        chain.outcome.hash(&mut h);
        for a in chain.steps.iter().filter_map(|&i| self.attempt(i)) {
            a.status().hash(&mut h);
            a.client().map(|c| &c.host).hash(&mut h);
            a.method().hash(&mut h);
            a.logged_name().hash(&mut h);
            match with_resource {
                true => (a.path(), a.request_field("user-agent").map(|f| f.value.as_bytes())).hash(&mut h),
                // What another resource asks for, and says, tells it apart.
                false => ["www-authenticate", "proxy-authenticate", "location", "content-length"]
                    .iter()
                    .for_each(|name| self.challenge(a, name).hash(&mut h)),
            }
            for name in ["authorization", "proxy-authorization", "host"] {
                // A nonce makes every Digest answer differ; the user and the nonce's course matter, not the bytes.
                let value = a.request_field(name).map(|f| f.text().into_owned()).unwrap_or_default();
                if value.get(..7).is_some_and(|s| s.eq_ignore_ascii_case("digest ")) {
                    "digest".hash(&mut h);
                } else {
                    value.hash(&mut h);
                }
            }
            if let Some(log) = a.views.iter().find_map(|v| v.log.as_ref()) {
                (log.substatus, log.win32).hash(&mut h);
            }
            for s in &a.statements {
                correlate::wording(s).hash(&mut h);
            }
        }
        h.finish()
    }

    /// Sorts the statements that are about no request of the evidence: those that tell of one request by themselves
    /// (a line of a server's error log) become refusals, the rest is context.
    fn told(&mut self, left: Vec<Heard>) {
        let shown = self.refusals.iter().any(|r| r.chain().is_some_and(|c| c.outcome != Outcome::LetIn));
        let mut requests: HashMap<OneRequest, Vec<Heard>> = HashMap::new();
        let mut order = Vec::new();
        let mut context = Vec::new();
        for heard in left {
            let statement = &heard.statement;
            let structured = statement.speaker == Speaker::ServerLog && statement.client.is_some();
            if !structured {
                context.push(heard.statement);
                continue;
            }
            let key = (
                statement.client.as_ref().map(|c| c.host.clone()).unwrap_or_default(),
                statement.client.as_ref().and_then(|c| c.port),
                statement.time.map_or(0, |t| t.at.as_second()),
            );
            let group = requests.entry(key.clone()).or_default();
            if group.is_empty() {
                order.push(key);
            }
            group.push(heard);
        }
        let mut kinds: HashMap<Kind, usize> = HashMap::new();
        for key in order {
            let Some(group) = requests.remove(&key) else { continue };
            // Without a port, lines of one second may be about different requests: each stands for itself.
            let parts: Vec<Vec<Heard>> =
                if key.1.is_some() { vec![group] } else { group.into_iter().map(|s| vec![s]).collect() };
            for part in parts {
                let mut part = part;
                let mut kind: Kind = part
                    .iter()
                    .map(|h| (correlate::wording(&h.statement), h.statement.user.clone()))
                    .collect();
                let next = self.refusals.len();
                if kinds.len() >= KINDS && !kinds.contains_key(&kind) {
                    // Of more users than are told apart: one stands for all, and names none.
                    part.iter_mut().for_each(|h| h.statement.user = None);
                    kind.iter_mut().for_each(|(_, user)| *user = None);
                }
                if kinds.len() >= 2 * KINDS && !kinds.contains_key(&kind) {
                    kind.clear();
                }
                let at = *kinds.entry(kind).or_insert(next);
                // Of several lines about one request, the one that was said most often counts.
                let most = part.iter().max_by_key(|h| h.count);
                let count = most.map_or(1, |h| h.count);
                let series = most.map(Heard::series).unwrap_or_default();
                let time = part.iter().find_map(|h| h.statement.time);
                let last = part.iter().fold(time, |last, h| later(last, h.last));
                match self.refusals.get_mut(at) {
                    Some(refusal) => {
                        refusal.count += count;
                        refusal.first = earlier(refusal.first, time);
                        refusal.last = later(refusal.last, last);
                        refusal.series.merge(&series);
                    }
                    None => self.refusals.push(Refusal {
                        subject: Subject::Statements(part.into_iter().map(|h| h.statement).collect()),
                        count,
                        whose: Arc::default(),
                        first: time,
                        last,
                        series,
                    }),
                }
            }
        }
        // A story without a request in the evidence: all of it together is one refusal.
        if !shown
            && self.refusals.iter().all(|r| r.chain().is_some())
            && (!context.is_empty()
                || self.facts.iter().any(|f| !matches!(f.kind, FactKind::Tls(_) | FactKind::Pasted)))
        {
            let time = context.iter().find_map(|s| s.time);
            let last = context.iter().rev().find_map(|s| s.time);
            self.refusals.push(Refusal {
                subject: Subject::Statements(context.clone()),
                count: 1,
                whose: Arc::default(),
                first: time,
                last,
                series: thin::of_one(time),
            });
        }
        self.statements = context;
    }
}

/// Whether the answer is nginx's page for a client certificate that is missing or not accepted.
fn names_a_certificate(e: &why401_http::Exchange) -> bool {
    let Some(response) = &e.response else { return false };
    let head = response.body.bytes.as_bytes();
    let head = String::from_utf8_lossy(head.get(..4096).unwrap_or(head)).to_ascii_lowercase();
    head.contains("ssl certificate")
}
