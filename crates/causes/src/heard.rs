//! What servers, clients and people are known to say, found in the evidence of one refusal.

use crate::gist;
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::ops::Range;
use why401_history::{Attempt, Case, Refusal};
use why401_http::{FactKind, FieldLine, Speaker, Statement};
use why401_knowledge::{Channel, Kind, Knowledge, ProductId, Said, Weight};
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
    pub text: Cow<'a, Derived>,
    /// Where the text is a column of a log line or a code: the line, to be shown in its place.
    pub line: Option<&'a Derived>,
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

    /// Whether it names a reason, and not merely that there was a refusal.
    pub(crate) fn names_a_reason(&self) -> bool {
        const UNSPECIFIC: &[&str] =
            &["credentials-refused", "no-credentials", "challenge-answered", "forbidden"];
        self.said.weight > Weight::Reports && !UNSPECIFIC.contains(&self.said.cause)
    }
}

/// Text of the evidence with the channel that it came through.
struct Text<'a> {
    channel: Channel<'a>,
    source: SourceId,
    text: Cow<'a, Derived>,
    line: Option<&'a Derived>,
    field: Option<&'a FieldLine>,
    speaker: Option<Speaker>,
    attempt: Option<usize>,
    /// The product whose words these are, where the format of a log tells.
    product: Option<&'static str>,
    /// What the client asked for, where the text repeats it: its own words are not the server's.
    asked: Option<String>,
    /// It is the configuration of a known product: what stands there in quotes is a realm or a remark, and nobody's answer.
    set: bool,
    /// Only tells the product: an answer that lets the client in may use the same words about something else.
    only_marks: bool,
}

impl<'a> Text<'a> {
    fn new(channel: Channel<'a>, source: SourceId, text: &'a Derived) -> Self {
        let text = Cow::Borrowed(text);
        Text {
            channel,
            source,
            text,
            line: None,
            field: None,
            speaker: None,
            attempt: None,
            product: None,
            asked: None,
            set: false,
            only_marks: false,
        }
    }

    fn field(channel: Channel<'a>, source: SourceId, field: &'a FieldLine) -> Self {
        Text { field: Some(field), ..Text::new(channel, source, &field.value) }
    }

    fn statement(s: &'a Statement) -> Self {
        let channel = match s.speaker {
            Speaker::ServerLog => Channel::Log,
            _ => Channel::Symptom,
        };
        let set = s.speaker == Speaker::Configuration && s.product.is_some();
        Text { speaker: Some(s.speaker), product: s.product, set, ..Text::new(channel, s.source, &s.text) }
    }

    /// A column of a log line, in the form that the knowledge base has it.
    fn column(name: &'static str, value: String, source: SourceId, line: &'a Derived) -> Self {
        let text = Cow::Owned(line.decoded(0..line.len(), value));
        let speaker = Some(Speaker::ServerLog);
        Text { text, line: Some(line), speaker, ..Text::new(Channel::Field(name), source, line) }
    }

    /// Whether it is somebody's account of the refusal: an answer, a log, what a client prints.
    fn tells(&self) -> bool {
        let told = matches!(self.speaker, None | Some(Speaker::ServerLog | Speaker::Client | Speaker::Page));
        let place =
            matches!(self.channel, Channel::Body | Channel::Challenge | Channel::Log | Channel::Symptom);
        // What a known server writes is known.
        let known = self.product.is_some();
        told && place && !known && !self.only_marks
    }

    fn heard(&self, said: Said<'static>) -> Heard<'a> {
        let &Text { source, ref text, line, field, speaker, attempt, .. } = self;
        Heard { said, source, text: text.clone(), line, field, speaker, attempt }
    }
}

/// All known wordings about a refusal, those that prove first, and the products that were recognised.
pub(crate) fn listen<'a>(case: &'a Case, refusal: &'a Refusal) -> (Vec<Heard<'a>>, Vec<ProductId>) {
    let knowledge = Knowledge::shared();
    let texts = texts(case, refusal);
    let products: BTreeSet<ProductId> =
        texts.iter().flat_map(|t| knowledge.recognise(t.channel, t.text.as_bytes())).collect();
    let mut heard: Vec<Heard<'a>> = Vec::new();
    for t in texts.iter().filter(|t| !t.only_marks) {
        let said = knowledge.said(t.channel, t.text.as_bytes());
        let counts = |s: &Said<'_>| {
            let whose = knowledge.product(s.product);
            // A line in the format of one server holds no words of another one.
            let another =
                |own: &str| whose.is_some_and(|p| p.kind == Kind::Server && !p.product.starts_with(own));
            let repeats = t.asked.as_ref().is_some_and(|target| {
                let words = t.text.as_bytes().get(s.range.clone()).unwrap_or_default();
                target.contains(String::from_utf8_lossy(words).as_ref())
            });
            let common = whose.is_some_and(|p| p.product == "common");
            let general = common && (t.set || in_realm(t.text.as_bytes(), s.range.start));
            (!s.needs_product || products.contains(&s.product))
                && !t.product.is_some_and(another)
                && !repeats
                && !general
                && !gist::is_of_nothing(t.text.as_bytes(), s.range.start)
        };
        heard.extend(said.into_iter().filter(counts).map(|mut s| {
            if is_one_of_several(t.text.as_bytes(), &s.range) {
                s.weight = s.weight.min(Weight::Suggests);
            }
            t.heard(s)
        }));
    }
    if case.refusals.len() <= FEW {
        heard.extend(codes(case));
    }
    // Words that nobody is known for count where no others tell more than that it was refused.
    if let Some((common, _)) = knowledge.named("common")
        && heard.iter().all(|h| h.said.weight == Weight::Reports || is_general(h, knowledge, &products))
    {
        let general = heard.iter().any(|h| is_general(h, knowledge, &products));
        for t in texts.iter().filter(|t| t.tells()) {
            let bytes = t.text.as_bytes();
            let told = gist::of(bytes).into_iter().filter(|g| !in_realm(bytes, g.range.start));
            let told =
                told.filter(|g| !general || !matches!(g.cause, "credentials-refused" | "no-credentials"));
            heard.extend(told.map(|g| t.heard(of_gist(g, common))));
        }
    }
    // A product that was recognised speaks for itself; a longer wording says more.
    heard.sort_by_key(|h| {
        std::cmp::Reverse((h.said.weight, products.contains(&h.said.product), h.said.range.len()))
    });
    (heard, products.into_iter().collect())
}

/// Whether words that any program may say (as another one does that was not recognised), or a client says of every refusal, tell no more than that the credentials were
/// refused.
fn is_general(heard: &Heard<'_>, knowledge: &Knowledge, recognised: &BTreeSet<ProductId>) -> bool {
    let product = knowledge.product(heard.said.product);
    let known = recognised.contains(&heard.said.product);
    product.is_some_and(|p| p.product == "common" || p.kind == Kind::Client || !known)
        && heard.said.weight == Weight::Suggests
        && heard.said.cause == "credentials-refused"
}

/// Whether a place stands within the value of a realm: that names a place, and says nothing.
fn in_realm(text: &[u8], at: usize) -> bool {
    let before = text.get(..at).unwrap_or_default().to_ascii_lowercase();
    let opened = memchr::memmem::rfind(&before, b"realm=\"").map(|i| i + b"realm=\"".len());
    opened.and_then(|i| before.get(i..)).is_some_and(|inside| !inside.contains(&b'"'))
}

/// What a gist says, as a wording does.
fn of_gist(gist: gist::Gist, product: ProductId) -> Said<'static> {
    let gist::Gist { cause, also, range } = gist;
    let weight = Weight::Suggests;
    Said { product, phrase: "", cause, weight, also, range, needs_product: false, source: "", note: None }
}

/// Whether a wording is one of alternatives: "the user name or the password is incorrect" says neither for sure.
fn is_one_of_several(text: &[u8], range: &Range<usize>) -> bool {
    let words = |part: &[u8]| {
        String::from_utf8_lossy(part)
            .split(|c: char| !c.is_alphanumeric())
            .map(str::to_ascii_lowercase)
            .collect::<Vec<_>>()
    };
    let before = text.get(range.start.saturating_sub(8)..range.start).map(words).unwrap_or_default();
    let after = text.get(range.end..(range.end + 8).min(text.len())).map(words).unwrap_or_default();
    let is_or = |word: Option<&String>| word.is_some_and(|w| w == "or");
    is_or(before.iter().rev().find(|w| !w.is_empty())) || is_or(after.iter().find(|w| !w.is_empty()))
}

fn texts<'a>(case: &'a Case, refusal: &'a Refusal) -> Vec<Text<'a>> {
    let mut texts = Vec::new();
    for a in refusal.chain().iter().flat_map(|c| &c.steps).filter_map(|&i| case.attempt(i)) {
        of_attempt(a, &mut texts);
    }
    texts.extend(refusal.statements().iter().map(Text::statement));
    if case.refusals.len() <= FEW {
        if refusal.chain().is_some() {
            texts.extend(case.statements.iter().map(Text::statement));
        }
        // Of a program only what it sets is read, not its words.
        for fact in case.facts.iter().filter(|f| !matches!(f.kind, FactKind::Program | FactKind::Pasted)) {
            let channel = match &fact.kind {
                FactKind::Address { .. } => Channel::Host,
                _ => Channel::Symptom,
            };
            let set = matches!(fact.kind, FactKind::Configuration { product: Some(_) });
            let speaker = Some(Speaker::Person);
            texts.push(Text { speaker, set, ..Text::new(channel, fact.source, &fact.text) });
        }
    }
    texts
}

/// What is known of the codes that were given in words.
fn codes<'a>(case: &'a Case) -> impl Iterator<Item = Heard<'a>> {
    case.facts.iter().flat_map(|fact| {
        let code = match &fact.kind {
            FactKind::Code(code) => code.as_str(),
            _ => "",
        };
        let known = if code.is_empty() { Vec::new() } else { Knowledge::shared().code(code) };
        known.into_iter().map(|(product, phrase)| Heard {
            said: Said {
                product,
                phrase: phrase.label(),
                cause: &phrase.cause,
                weight: phrase.weight,
                also: &phrase.also,
                range: 0..fact.text.len(),
                needs_product: false,
                source: &phrase.source,
                note: phrase.note.as_deref(),
            },
            source: fact.source,
            text: Cow::Borrowed(&fact.text),
            line: None,
            field: None,
            speaker: Some(Speaker::Person),
            attempt: None,
        })
    })
}

fn of_attempt<'a>(a: &'a Attempt, texts: &mut Vec<Text<'a>>) {
    let from = texts.len();
    for v in &a.views {
        for field in v.request.iter().flat_map(|r| r.fields.iter()) {
            if field.is("user-agent") {
                texts.push(Text::field(Channel::UserAgent, v.source, field));
            } else if field.is("host") || field.is(":authority") {
                texts.push(Text::field(Channel::Host, v.source, field));
            }
        }
        if let Some(r) = &v.response {
            for field in r.fields.iter() {
                texts.push(Text::field(Channel::Field(name_of(field)), v.source, field));
                if field.is("www-authenticate") || field.is("proxy-authenticate") {
                    texts.push(Text::field(Channel::Challenge, v.source, field));
                    texts.push(Text::field(Channel::Realm, v.source, field));
                }
                if field.is("set-cookie") {
                    texts.push(Text::field(Channel::Cookie, v.source, field));
                }
            }
            texts.push(Text::new(Channel::Body, v.source, &r.body.bytes));
            texts.extend(reason(&r.line).map(|said| Text {
                text: Cow::Owned(said),
                line: Some(&r.line),
                ..Text::new(Channel::Body, v.source, &r.line)
            }));
        }
        if let Some(log) = &v.log {
            texts.push(Text {
                speaker: Some(Speaker::ServerLog),
                asked: a.path().map(str::to_owned),
                ..Text::new(Channel::Log, v.source, &log.line)
            });
            // IIS's columns, named as in its log: 401.3 is status and substatus in one.
            if let (Some(status), Some(substatus)) = (v.status(), log.substatus) {
                texts.push(Text::column(
                    "sc-substatus",
                    format!("{status}.{substatus}"),
                    v.source,
                    &log.line,
                ));
            }
            // Beside 401.2, which every login at IIS begins with, it says nothing (ERROR_ACCESS_DENIED for the anonymous try).
            if let Some(win32) = log.win32.filter(|_| log.substatus != Some(2)) {
                texts.push(Text::column("sc-win32-status", win32.to_string(), v.source, &log.line));
            }
        }
    }
    texts.extend(a.statements.iter().map(Text::statement));
    let let_in = a.let_in();
    for t in texts.iter_mut().skip(from) {
        t.attempt = Some(a.id);
        t.only_marks = let_in && t.speaker.is_none();
    }
}

/// What a server says in place of the reason phrase of its status (RFC 9112 section 4): `permission denied - invalid ticket`.
fn reason(line: &Derived) -> Option<Derived> {
    let text = line.to_text();
    let (before, said) = text.split_once(' ').and_then(|(_, rest)| rest.split_once(' '))?;
    let is_own = said.split_whitespace().count() > 2 && !said.to_ascii_lowercase().contains("required");
    (is_own && before.len() == 3).then(|| line.slice(line.len() - said.len()..line.len()))
}

fn name_of(field: &FieldLine) -> &str {
    std::str::from_utf8(field.name.as_bytes()).unwrap_or_default()
}
