//! A secret, wherever a request carries it: the same one may be refused in one place and accepted in another.

use crate::elsewhere::{is_secret, members};
use crate::{Scene, Step};
use why401_auth::percent;
use why401_history::Attempt;
use why401_http::{Request, query_of};
use why401_report::Annotation;

/// What is shorter than this is no secret that tells two requests apart.
const LEAST: usize = 8;

/// Where a secret stands.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Place {
    /// A field of this name, in lower case.
    Field(String),
    /// A parameter of the query.
    Query(String),
    /// A parameter of a form, which is content.
    Form(String),
    /// A member of a JSON document, in lower case.
    Member(String),
}

impl Place {
    /// In words.
    pub(crate) fn says(&self) -> String {
        match self {
            Place::Field(name) if name == "authorization" => "Authorization".to_owned(),
            Place::Field(name) => format!("the field {name}"),
            Place::Query(name) => format!("the query ({name})"),
            Place::Form(name) | Place::Member(name) => format!("the content ({name})"),
        }
    }
}

/// A secret and its place.
pub(crate) struct Carried {
    pub(crate) place: Place,
    pub(crate) secret: String,
}

/// The secrets in fields and in the query of a request, the longest word of each.
pub(crate) fn carried(request: &Request) -> Vec<Carried> {
    let fields = request.fields.iter().filter_map(|f| {
        let name = f.name.to_text().to_ascii_lowercase();
        let text = f.text();
        let secret = words(&text).max_by_key(|w| w.len()).filter(|_| is_for_credentials(&name))?;
        Some(Carried { place: Place::Field(name), secret: secret.to_owned() })
    });
    let (target, body) = (request.target().into_owned(), request.body.text());
    let parameters = parameters(&target, &body).map(|(place, secret)| Carried { place, secret });
    fields.chain(parameters).filter(|c| is_key(&c.secret)).collect()
}

/// The parameters of the query and of a form, and the members of a document, that are for secrets, with their values as they
/// are meant.
fn parameters<'t>(target: &'t str, body: &'t str) -> impl Iterator<Item = (Place, String)> {
    let query = query_of(target).unwrap_or_default().split('&').filter_map(|pair| pair.split_once('='));
    let query = query.map(|(name, value)| (Place::Query(name.to_owned()), name, value));
    let form = form_of(body).map(|(name, value)| (Place::Form(name.to_owned()), name, value));
    let secrets = query.chain(form).filter(|(_, name, _)| is_secret(&name.to_ascii_lowercase()));
    let document = if body.trim_start().starts_with('{') { body } else { "" };
    let members = members(document).map(|(name, _, value)| (Place::Member(name), value.to_owned()));
    secrets.map(|(place, _, value)| (place, decoded(value))).chain(members)
}

/// The pairs of a body that is a form. No more are looked at than forms have.
fn form_of(body: &str) -> impl Iterator<Item = (&str, &str)> {
    const PAIRS: usize = 50;
    let is_form =
        body.len() < 16_384 && !body.trim_start().starts_with(['{', '[', '<']) && !body.contains('\n');
    let form = if is_form { body } else { "" };
    form.split('&').take(PAIRS).filter_map(|pair| pair.trim().split_once('='))
}

/// Whether a segment of the path is a key, as the addresses of webhooks have one: what is hidden as a secret.
pub(crate) fn is_in_path(attempt: &Attempt) -> bool {
    attempt.path().is_some_and(|path| !why401_redact::secrets_in_target(path).is_empty())
}

/// Whether a word can be a key: a media type, the name of a method, of a user or of a scheme seldom has a digit, or is so
/// long with letters of both cases.
fn is_key(word: &str) -> bool {
    const LONG: usize = 20;
    let has = |of: fn(&u8) -> bool| word.as_bytes().iter().any(of);
    let mixed = word.len() >= LONG && has(u8::is_ascii_lowercase) && has(u8::is_ascii_uppercase);
    word.len() >= LEAST && (has(u8::is_ascii_digit) || mixed && !word.contains(['/', '.', '-']))
}

/// Whether a field or parameter of this name is for credentials.
fn is_for_credentials(name: &str) -> bool {
    name == "authorization" || (name != "cookie" && is_secret(name))
}

/// The parts of a value in which a secret may stand: `Bearer SECRET`, `Token="SECRET"`.
fn words(value: &str) -> impl Iterator<Item = &str> {
    value.split([' ', '"', ',', ';', '=']).filter(|w| w.len() >= LEAST)
}

/// Where a request carries this secret, among the places that are for credentials.
pub(crate) fn places(request: &Request, secret: &str) -> Vec<Place> {
    let secret = secret.trim_end_matches('=');
    let fields = request.fields.iter().filter(|f| f.value.len() >= secret.len());
    let fields = fields.filter(|f| words(&f.text()).any(|w| w == secret)).filter_map(|f| {
        let name = f.name.to_text().to_ascii_lowercase();
        is_for_credentials(&name).then_some(Place::Field(name))
    });
    let (target, body) = (request.target().into_owned(), request.body.text());
    let parameters = parameters(&target, &body).filter(|(_, value)| value.trim_end_matches('=') == secret);
    fields.chain(parameters.map(|(place, _)| place)).collect()
}

/// The value of a parameter as it is meant (RFC 3986 section 2.1).
fn decoded(value: &str) -> String {
    String::from_utf8_lossy(&percent::decode(value.as_bytes())).into_owned()
}

/// The place in a request, shown.
pub(crate) fn show(
    scene: &Scene<'_>,
    attempt: &Attempt,
    place: &Place,
    says: impl Into<String>,
) -> Option<Annotation> {
    let request = attempt.request()?;
    let view = attempt.views.iter().find(|v| v.request.is_some())?;
    match place {
        Place::Field(name) => {
            let field = request.fields.iter().find(|f| f.is(name))?;
            Some(scene.show_field(view, field, says))
        }
        Place::Query(name) => {
            let line = request.line.to_text();
            let from = [format!("?{name}="), format!("&{name}=")].iter().find_map(|p| line.find(p))? + 1;
            let end = line.get(from..)?.find(['&', ' ', '#']).map_or(line.len(), |end| from + end);
            Some(scene.show_part(view.source, &request.line, from..end, says))
        }
        Place::Form(name) => {
            let body = request.body.text();
            let pair = format!("{name}=");
            let from = if body.starts_with(&pair) { 0 } else { body.find(&format!("&{pair}"))? + 1 };
            let end = body.get(from..)?.find('&').map_or(body.len(), |end| from + end);
            Some(scene.show_part(view.source, &request.body.bytes, from..end, says))
        }
        Place::Member(name) => {
            let body = request.body.text();
            let (_, at, _) = members(&body).find(|(n, ..)| n == name)?;
            Some(scene.show_part(view.source, &request.body.bytes, at, says))
        }
    }
}

/// A secret of a refused request that one of the others carried and was let in with: the secret, the other request, and
/// the place there. Where a request carries it in the same place and in others, the same place counts.
pub(crate) fn accepted<'a>(
    scene: &Scene<'a>,
    step: &Step<'a>,
    others: impl Fn(&Attempt) -> bool,
    fits: impl Fn(&Place, &Place) -> bool,
) -> Option<(Carried, &'a Attempt, Place)> {
    let (_, request) = step.request()?;
    carried(request).into_iter().find_map(|mine| {
        let (attempt, place) = scene.attempts().filter(|a| a.let_in() && others(a)).find_map(|a| {
            let there = places(a.request()?, &mine.secret);
            let same = there.iter().find(|p| **p == mine.place);
            let place = same.or(there.first()).filter(|p| fits(&mine.place, p))?;
            Some((a, place.clone()))
        })?;
        Some((mine, attempt, place))
    })
}
