//! The messages of one refusal as a diagram shows them.

use crate::Scene;
use why401_history::Attempt;
use why401_http::{FieldLine, path_of};
use why401_redact::{secrets_in_field, secrets_in_target};
use why401_report::{Message, Participant, Role, Sequence};

/// So many requests of one refusal are drawn.
const REQUESTS: usize = 6;
/// So many fields of one message are named.
const FIELDS: usize = 3;
/// So many characters of a line are kept.
const LONGEST: usize = 72;
/// So many requests before the refusal are searched for the redirect that led there.
const BEFORE: usize = 8;

/// The messages of the chain that stands for a refusal; none where it is known from words only.
pub(crate) fn sequence(scene: &Scene<'_>) -> Sequence {
    let mut out = Sequence::default();
    let Some(chain) = scene.chain() else { return out };
    let steps: Vec<&Attempt> = chain.steps.iter().filter_map(|&i| scene.case.attempt(i)).collect();
    if let Some(redirect) = steps.first().and_then(|first| led_here(scene, first)) {
        request(scene, redirect, &mut out);
    }
    // How it began and how it ended.
    let tail = if steps.len() > REQUESTS { steps.len() - REQUESTS / 2 } else { 0 };
    for (i, step) in steps.iter().enumerate() {
        if i < REQUESTS / 2 || i >= tail {
            request(scene, step, &mut out);
        } else {
            out.left_out += 1;
        }
    }
    out
}

/// The request of the same client whose answer sent it where it was refused.
fn led_here<'a>(scene: &Scene<'a>, first: &Attempt) -> Option<&'a Attempt> {
    let path = first.path()?;
    scene.earlier().take(BEFORE).find(|a| {
        let to = a.response_field("location").map(|f| f.text().into_owned());
        matches!(a.status(), Some(300..=399))
            && a.client().map(|c| &c.host) == first.client().map(|c| &c.host)
            && to.is_some_and(|to| path_of(&to) == path)
    })
}

fn request(scene: &Scene<'_>, a: &Attempt, out: &mut Sequence) {
    let client = participant(out, Role::Client, a.client().map(|c| c.host.clone()));
    let inner = a.forwarded_as.and_then(|i| scene.case.attempt(i));
    let intermediary = inner.is_some() || a.status() == Some(407);
    let asked = participant(out, if intermediary { Role::Intermediary } else { Role::Origin }, server(a));
    out.messages.push(question(a, client, asked));
    if let Some(inner) = inner {
        let wire = inner.server().map(ToString::to_string).or_else(|| server(inner));
        let origin = participant(out, Role::Origin, wire);
        out.messages.push(question(inner, asked, origin));
        out.messages.push(answer(inner, origin, asked));
    }
    out.messages.push(answer(a, asked, client));
}

fn server(a: &Attempt) -> Option<String> {
    let named = a.request().and_then(|r| r.authority()).filter(|name| !name.is_empty());
    named.or_else(|| a.server().map(ToString::to_string))
}

/// The position of whoever has this name and role, added where nobody has.
fn participant(all: &mut Sequence, role: Role, name: Option<String>) -> usize {
    let name = name.map(|n| cut(&n));
    let known = all.participants.iter().position(|p| {
        let same_side = (p.role == Role::Client) == (role == Role::Client);
        same_side && (p.name == name || (p.role == role && name.is_none()))
    });
    if let Some(at) = known {
        if let Some(p) = all.participants.get_mut(at).filter(|_| role == Role::Intermediary) {
            p.role = role;
        }
        return at;
    }
    all.participants.push(Participant { role, name });
    all.participants.len() - 1
}

fn question(a: &Attempt, from: usize, to: usize) -> Message {
    let target = a.target().map(|t| path_of(&t).to_owned()).unwrap_or_default();
    let hidden = secrets_in_target(&target);
    let target = why401_span::mask(&target, |i| hidden.iter().any(|r| r.contains(&i)));
    let what = cut(format!("{} {target}", a.method().unwrap_or_default()).trim());
    Message { time: time(a), from, to, what, refused: false, carries: sent(a) }
}

fn answer(a: &Attempt, from: usize, to: usize) -> Message {
    let line = a.response().map(|r| r.line.to_text().into_owned()).unwrap_or_default();
    let reason = line.splitn(3, ' ').nth(2).unwrap_or_default().trim().to_owned();
    let (what, refused) = match a.status() {
        None | Some(0) => ("no answer seen".to_owned(), false),
        Some(status) => {
            let reason = if line.starts_with("HTTP/") { reason } else { String::new() };
            (cut(format!("{status} {reason}").trim()), matches!(status, 401 | 403 | 407))
        }
    };
    Message { time: None, from, to, what, refused, carries: given(a) }
}

fn time(a: &Attempt) -> Option<String> {
    a.time().map(|t| t.at.to_string())
}

/// What the request carries to say who asks.
fn sent(a: &Attempt) -> Vec<String> {
    let views = || a.views.iter().filter_map(|v| v.request.as_ref());
    let fields = views().map(|r| &r.fields).max_by_key(|f| f.iter().count());
    let mut out: Vec<String> =
        fields.into_iter().flat_map(|f| f.iter()).filter_map(secret_field).take(FIELDS).collect();
    if out.is_empty() {
        out.push(match a.logged_name() {
            Some(user) => format!("user {user}, as logged"),
            None if a.shows_credentials() => "no credentials".to_owned(),
            None => "credentials: not shown by this evidence".to_owned(),
        });
    }
    out.iter().map(|line| cut(line)).collect()
}

/// A field that holds a secret, with it masked.
fn secret_field(field: &FieldLine) -> Option<String> {
    let (name, value) = (field.name.to_text(), field.text());
    let credentials = ["authorization", "proxy-authorization"].iter().any(|n| name.eq_ignore_ascii_case(n));
    let hidden = secrets_in_field(&name, &value);
    let address = ["referer", "origin", "host"].iter().any(|n| name.eq_ignore_ascii_case(n));
    if (hidden.is_empty() && !credentials) || address {
        return None;
    }
    Some(format!("{name}: {}", masked(&value, &hidden)))
}

/// What the answer says about it.
fn given(a: &Attempt) -> Vec<String> {
    let Some(response) = a.response() else { return Vec::new() };
    let names = ["www-authenticate", "proxy-authenticate", "location", "set-cookie"];
    let told = response.fields.iter().filter(|f| names.iter().any(|n| f.is(n)));
    let mut out: Vec<String> = told
        .take(FIELDS)
        .map(|f| {
            let value = f.text();
            let hidden = secrets_in_field(&f.name.to_text(), &value);
            cut(&format!("{}: {}", f.name.to_text(), masked(&value, &hidden)))
        })
        .collect();
    let shown = a.views.iter().any(|v| v.shows.response_fields) && response.complete;
    if a.status() == Some(401) && shown && a.response_field("www-authenticate").is_none() {
        out.push("no WWW-Authenticate".to_owned());
    }
    out
}

/// Each secret as three dots, whatever its length: a line has little room.
fn masked(value: &str, hidden: &[std::ops::Range<usize>]) -> String {
    let mut out = String::new();
    let mut at = 0;
    for range in hidden {
        out.push_str(value.get(at..range.start).unwrap_or_default());
        out.push_str("•••");
        at = range.end;
    }
    out.push_str(value.get(at..).unwrap_or_default());
    out
}

fn cut(text: &str) -> String {
    if text.chars().count() <= LONGEST {
        return text.to_owned();
    }
    text.chars().take(LONGEST - 1).chain(['…']).collect()
}
