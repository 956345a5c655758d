//! What servers, clients and people are known to say, found in the evidence of one refusal.

use std::collections::BTreeSet;
use why401_history::{Attempt, Case, Refusal};
use why401_http::{FactKind, FieldLine, Speaker, Statement};
use why401_knowledge::{Channel, Knowledge, ProductId, Said, Weight};
use why401_span::{Derived, SourceId};

/// Context that is about no particular request counts where there are so few refusals that it is about these.
const FEW: usize = 4;

/// A known wording in the evidence.
#[derive(Debug, Clone)]
pub struct Heard<'a> {
    /// What is known of the wording.
    pub said: Said<'static>,
    /// Where it was read.
    pub source: SourceId,
    /// The text it stands in.
    pub text: &'a Derived,
    /// The field whose value the text is.
    pub field: Option<&'a FieldLine>,
    /// Who said it; `None` for the answer itself.
    pub speaker: Option<Speaker>,
    /// The attempt it is about.
    pub attempt: Option<usize>,
}

impl Heard<'_> {
    /// Whether the wording alone means its cause.
    pub fn proves(&self) -> bool {
        self.said.weight == Weight::Proves
    }
}

/// Text of the evidence with the channel that it came through.
struct Text<'a> {
    channel: Channel<'a>,
    source: SourceId,
    text: &'a Derived,
    field: Option<&'a FieldLine>,
    speaker: Option<Speaker>,
    attempt: Option<usize>,
}

/// All known wordings about a refusal, those that prove first, and the products that were recognised.
pub(crate) fn listen<'a>(case: &'a Case, refusal: &'a Refusal) -> (Vec<Heard<'a>>, Vec<ProductId>) {
    let knowledge = Knowledge::shared();
    let texts = texts(case, refusal);
    let mut products = BTreeSet::new();
    for t in &texts {
        products.extend(knowledge.recognise(t.channel, t.text.as_bytes()));
    }
    let mut heard: Vec<Heard<'a>> = Vec::new();
    for t in &texts {
        for said in knowledge.said(t.channel, t.text.as_bytes()) {
            if said.needs_product && !products.contains(&said.product) {
                continue;
            }
            heard.push(Heard {
                said,
                source: t.source,
                text: t.text,
                field: t.field,
                speaker: t.speaker,
                attempt: t.attempt,
            });
        }
    }
    // A product that was recognised speaks for itself; a longer wording says more.
    heard.sort_by_key(|h| {
        std::cmp::Reverse((h.proves(), products.contains(&h.said.product), h.said.range.len()))
    });
    (heard, products.into_iter().collect())
}

fn texts<'a>(case: &'a Case, refusal: &'a Refusal) -> Vec<Text<'a>> {
    let mut texts = Vec::new();
    for chain in refusal.chains().iter().take(1) {
        for a in chain.steps.iter().filter_map(|&i| case.attempt(i)) {
            of_attempt(a, &mut texts);
        }
    }
    for s in refusal.statements() {
        texts.push(of_statement(s));
    }
    if case.refusals.len() <= FEW && refusal.chain().is_some() {
        texts.extend(case.statements.iter().map(of_statement));
    }
    if case.refusals.len() <= FEW {
        for fact in &case.facts {
            let channel = match &fact.kind {
                FactKind::Address { .. } => Channel::Host,
                _ => Channel::Symptom,
            };
            let (source, text) = (fact.source, &fact.text);
            texts.push(Text {
                channel,
                source,
                text,
                field: None,
                speaker: Some(Speaker::Person),
                attempt: None,
            });
        }
    }
    texts
}

fn of_attempt<'a>(a: &'a Attempt, texts: &mut Vec<Text<'a>>) {
    let attempt = Some(a.id);
    for v in &a.views {
        if let Some(r) = &v.request {
            for field in r.fields.iter() {
                let channel = if field.is("user-agent") {
                    Channel::UserAgent
                } else if field.is("host") || field.is(":authority") {
                    Channel::Host
                } else {
                    continue;
                };
                texts.push(Text {
                    channel,
                    source: v.source,
                    text: &field.value,
                    field: Some(field),
                    speaker: None,
                    attempt,
                });
            }
        }
        // An answer that lets the client in may hold the same words about something else.
        if let (Some(r), false) = (&v.response, a.let_in() && !matches!(a.status(), Some(200..=399))) {
            for field in r.fields.iter() {
                let mut push = |channel| {
                    texts.push(Text {
                        channel,
                        source: v.source,
                        text: &field.value,
                        field: Some(field),
                        speaker: None,
                        attempt,
                    });
                };
                push(Channel::Field(field_name(field)));
                if field.is("www-authenticate") || field.is("proxy-authenticate") {
                    push(Channel::Challenge);
                    push(Channel::Realm);
                }
                if field.is("set-cookie") {
                    push(Channel::Cookie);
                }
            }
            texts.push(Text {
                channel: Channel::Body,
                source: v.source,
                text: &r.body.bytes,
                field: None,
                speaker: None,
                attempt,
            });
        }
        if let Some(log) = &v.log {
            texts.push(Text {
                channel: Channel::Log,
                source: v.source,
                text: &log.line,
                field: None,
                speaker: Some(Speaker::ServerLog),
                attempt,
            });
        }
    }
    texts.extend(a.statements.iter().map(of_statement).map(|t| Text { attempt, ..t }));
}

fn field_name(field: &FieldLine) -> &str {
    std::str::from_utf8(field.name.as_bytes()).unwrap_or_default()
}

fn of_statement(s: &Statement) -> Text<'_> {
    let channel = match s.speaker {
        Speaker::ServerLog => Channel::Log,
        _ => Channel::Symptom,
    };
    Text { channel, source: s.source, text: &s.text, field: None, speaker: Some(s.speaker), attempt: None }
}
