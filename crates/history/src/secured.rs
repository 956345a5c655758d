//! TLS connections that ended in the handshake for the client's certificate: refusals without a request.

use crate::thin::{self, earlier, later};
use crate::{Refusal, Subject};
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use why401_http::{AskedCertificate, Fact, FactKind, Secured, Speaker, Statement};

/// So many different ones are told apart.
const KINDS: usize = 1000;

/// The refusals among the connections, alike ones together.
pub(crate) fn refusals(facts: &[Fact]) -> Vec<Refusal> {
    let mut kinds: HashMap<u64, usize> = HashMap::new();
    let mut refusals: Vec<Refusal> = Vec::new();
    for fact in facts {
        let FactKind::Tls(secured) = &fact.kind else { continue };
        if !secured.refuses_client() {
            continue;
        }
        let next = refusals.len();
        let series = thin::of_one(secured.time);
        let at = *kinds.entry(likeness(fact, secured)).or_insert(next);
        match refusals.get_mut(at) {
            Some(refusal) => {
                refusal.count += 1;
                refusal.first = earlier(refusal.first, secured.time);
                refusal.last = later(refusal.last, secured.time);
                refusal.series.merge(&series);
            }
            None if next < KINDS => refusals.push(Refusal {
                subject: Subject::Statements(vec![statement(fact, secured)]),
                count: 1,
                first: secured.time,
                last: secured.time,
                series,
                whose: std::sync::Arc::default(),
            }),
            None => {}
        }
    }
    refusals
}

fn statement(fact: &Fact, secured: &Secured) -> Statement {
    Statement {
        time: secured.time,
        client: Some(secured.client.clone()),
        ..Statement::new(fact.source, Speaker::Client, fact.text.clone())
    }
}

fn likeness(fact: &Fact, secured: &Secured) -> u64 {
    let mut h = DefaultHasher::new();
    (fact.source, &secured.client.host, &secured.server_name, &secured.alerts).hash(&mut h);
    (&secured.server.host, secured.server.port).hash(&mut h);
    match &secured.client_certificate {
        AskedCertificate::Given(Some(c)) => (&c.subject, &c.issuer).hash(&mut h),
        other => std::mem::discriminant(other).hash(&mut h),
    }
    h.finish()
}
