//! No session cookie.

use crate::cause::{Answer, Claim, cause};
use crate::scene::{same_client, same_server, same_site};
use crate::{Scene, Step, login};
use why401_history::Attempt;
use why401_http::{Address, FieldLine, Request};
use why401_report::Party;

cause! {
    /// The server authenticates by a session cookie and the request has none.
    ///
    /// # What happened
    /// The client signed in, was given a cookie, and the refused request does not carry it: it was not stored, is not sent
    /// across sites, or belongs to another path or domain.
    ///
    /// # How it is decided
    /// An earlier answer set the cookie, or the challenge or body asks for it, and the request lacks it.
    ///
    /// # Who acts
    /// Whoever writes the client; the server's operator where the cookie's attributes keep it from being sent.
    ///
    /// # What to do
    /// Let the client store and send cookies (`credentials: "include"`, a cookie jar), or give the cookie attributes that
    /// fit: `SameSite=None; Secure` for calls from another site, the right `Path` and `Domain`.
    ///
    /// # Evidence needed
    /// The answer that set the cookie and the request that lacks it, from a vantage point that shows cookies.
    ///
    /// # Not to be confused with
    /// session-expired: the cookie was sent and is no longer taken.
    ///
    /// # References
    /// RFC 6265 sections 5.1.4, 5.3 and 5.4; draft-ietf-httpbis-rfc6265bis section 4.1.2.7 (SameSite).
    pub SessionMissing = "session-missing" in NotSent, Fault by Caller, over ["no-credentials", "challenge-missing", "login-redirect", "credentials-refused", "digest-mismatch"]
}

/// The most bytes that name and value of a cookie may have together (draft-ietf-httpbis-rfc6265bis section 5.6).
const LARGEST: usize = 4096;

/// Words in the name of a cookie that carries a session.
const SESSION: &[&str] =
    &["sess", "sid", "auth", "token", "login", "jwt", "identity", "remember", "connect."];

impl SessionMissing {
    fn detect(scene: &Scene<'_>) -> Answer {
        let told = || scene.told("session-missing", "the session cookie is missing");
        let sent_to_login = |s: &Step<'_>| s.attempt.login_location().is_some();
        // Some answer 403 to who has no session: it shows where the browser could not keep the one it was given.
        let not_kept = |s: &Step<'_>| {
            let of_login = given(scene, s).filter(|(before, _)| before.method().is_some_and(|m| m == "POST"));
            of_login.is_some_and(|(before, field)| obstacle(field, before, s).is_some())
        };
        let is_such = |s: &&Step<'_>| match s.status() {
            Some(401) => true,
            Some(403) => not_kept(s),
            _ => sent_to_login(s),
        };
        let Some(step) = scene.refused().filter(is_such) else {
            return told();
        };
        // Who shows Set-Cookie has not left the cookies out.
        let sets = |a: &Attempt| a.response_field("set-cookie").is_some() && same_client(a, step.attempt);
        let own = |a: &Attempt| a.view().source == step.attempt.view().source;
        let shows = step.attempt.views.iter().any(|v| v.shows.cookies)
            || scene.earlier().take(100).any(|a| own(a) && sets(a));
        if step.attempt.carries_credentials() || !shows {
            let nonce = || nonce_in_session(scene, step).filter(|_| shows);
            let found = signed_in(scene, step).or_else(nonce).or_else(|| logged_in_by_form(scene, step));
            return found.unwrap_or_else(told);
        }
        let cookies = step.request_field("cookie").map(|(_, f)| f.text().into_owned()).unwrap_or_default();
        let Some((before, field)) = given(scene, step) else {
            return carried_before(scene, step)
                .or_else(|| nothing_kept(scene, step))
                .or_else(|| others_only(scene, step))
                .unwrap_or_else(told);
        };
        let name = cookie_name(field);
        if cookies.split(';').any(|c| c.split('=').next().is_some_and(|n| n.trim() == name)) {
            return Answer::RuledOut;
        }
        let why = obstacle(field, before, step);
        let mut claim = Claim::new(match &why {
            Some(why) => format!("the session cookie {name} was set and is not sent: {why}"),
            None => format!("the session cookie {name} was set and the request does not carry it"),
        })
        .shown([scene.show_field(before.view(), field, "set here")]);
        if let Some((view, request)) = step.request() {
            claim = claim.shown([scene.show_request(view, request, format!("sent without {name}"))]);
        }
        if let Some((view, origin)) = step.request_field("origin").filter(|_| why.is_some()) {
            claim = claim.shown([scene.show_field(view, origin, "the page comes from here")]);
        }
        claim = claim.fix(
            Party::Caller,
            "Let the client keep and send cookies for this host (credentials: \"include\", a cookie jar).",
        );
        if why.is_some() {
            claim = claim.fix(Party::Server, "Set the cookie so that it fits: SameSite=None; Secure where pages of another site call, the right Path and Domain.");
        }
        // A challenge asks for something else than a cookie.
        let asks_otherwise =
            step.challenges().any(|(_, c)| !matches!(c.scheme.name.as_str(), "" | "cookie" | "session"));
        // A cookie that was given for nothing in particular need not be the one of the login.
        let signed_in =
            step.status() == Some(401) || why.is_some() || before.method().is_some_and(|m| m == "POST");
        if asks_otherwise && why.is_none() {
            claim.or("no-credentials", "whether this resource takes the session at all").likely()
        } else if signed_in {
            claim.confirmed()
        } else {
            claim.likely()
        }
    }
}

/// A browser that a log shows to have signed in by a form and to be served pages since: what it is refused does not take
/// the session, or does not get it.
fn logged_in_by_form(scene: &Scene<'_>, step: &Step<'_>) -> Option<Answer> {
    const FORMS: &[&str] = &["login", "signin", "sign-in", "sign_in", "sessions"];
    /// So many requests before the refusal are looked at.
    const NEAR: usize = 2000;
    /// Sessions that nobody uses for longer may have ended, in seconds: the shortest that is usual (OWASP, "Session
    /// Management Cheat Sheet", idle timeout of 15 to 30 minutes).
    const IDLE: f64 = 900.0;
    if step.attempt.shows_credentials() || !step.attempt.logged_dash() || step.challenges().next().is_some() {
        return None;
    }
    let agent = |a: &Attempt| a.request_field("user-agent").map(|f| f.text().into_owned());
    let own = agent(step.attempt).filter(|a| a.starts_with("Mozilla/"))?;
    let is_form = |a: &Attempt| {
        let last =
            a.path().map(|p| p.trim_end_matches('/').rsplit('/').next().unwrap_or(p).to_ascii_lowercase());
        a.method().is_some_and(|m| m == "POST") && last.is_some_and(|name| FORMS.contains(&name.as_str()))
    };
    let mut before = scene.earlier().take(NEAR).filter(|a| {
        a.let_in() && a.logged_dash() && same_client(a, step.attempt) && agent(a).as_ref() == Some(&own)
    });
    // Newest first: the page stands before the form.
    let page = before.by_ref().find(|a| a.served() && !is_form(a))?;
    let idle = step.attempt.time()?.seconds_since(&page.time()?);
    if idle > IDLE {
        return None;
    }
    let form = before.find(|a| is_form(a))?;
    let claim = Claim::new(
        "the browser has signed in and is served pages, and this request is refused as if it had not",
    )
    .shown(super::client_changed::line(scene, form, "signed in here"))
    .shown(super::client_changed::line(scene, page, "a page, served"))
    .shown(super::client_changed::line(scene, step.attempt, "refused"))
    .fix(
        Party::Server,
        "Let what answers here take the session of the pages: the same name, scheme and port in its settings as in the browser, and in its list of trusted hosts or origins.",
    )
    .fix(Party::Caller, "Send the cookies with this request too (credentials: \"include\").")
    .or("no-credentials", "the request as the browser shows it, with its cookies")
    .or("server-misconfigured", "the application's settings of its own address");
    Some(claim.likely())
}

/// Another request to this server had a session cookie and was let in; this one has none.
fn carried_before(scene: &Scene<'_>, step: &Step<'_>) -> Option<Answer> {
    let cookies = |a: &Attempt| a.request_field("cookie").map(|f| f.text().into_owned());
    let names = |text: &str| -> Vec<String> {
        text.split(';').filter_map(|c| c.split('=').next()).map(|n| n.trim().to_ascii_lowercase()).collect()
    };
    if step.request_field("cookie").is_some() || step.challenges().next().is_some() {
        return None;
    }
    let before = scene.earlier().find(|a| {
        a.let_in()
            && same_client(a, step.attempt)
            && same_server(a, step.attempt)
            && cookies(a).is_some_and(|c| names(&c).iter().any(|n| names_session(n)))
    })?;
    let field = before.request_field("cookie")?;
    let (view, request) = step.request()?;
    let claim = Claim::new("the request that was let in carries a session cookie, and this one has no cookies at all")
        .shown([scene.show_field(before.view(), field, "let in with this")])
        .shown([scene.show_request(view, request, "sent without cookies")])
        .fix(Party::Caller, "Let this client send the cookies of the host too: what opens sockets, streams or downloads often has a cookie store of its own.");
    Some(claim.or("no-credentials", "whether this resource takes the session at all").likely())
}

/// A Digest challenge came with a session cookie, which the answer to it lacks; with the cookie others were let in. Some
/// programs keep the nonce in the session (Flask-HTTPAuth, `HTTPDigestAuth`).
fn nonce_in_session(scene: &Scene<'_>, step: &Step<'_>) -> Option<Answer> {
    let sent = step.credentials().filter(|s| s.scheme() == "digest")?;
    let asked = scene.steps.iter().rev().skip(1).find(|s| s.offers("digest"))?;
    let (view, set) = asked.response_field("set-cookie").filter(|(_, f)| is_session(f) && !deletes(f))?;
    if step.request_field("cookie").is_some() {
        return None;
    }
    let name = cookie_name(set);
    let good = scene.attempts().find(|a| {
        a.let_in()
            && same_server(a, step.attempt)
            && a.request_field("authorization").is_some()
            && a.request_field("cookie").is_some_and(|c| c.text().contains(&format!("{name}=")))
    });
    let mut claim = Claim::new(format!(
        "the challenge came with the cookie {name}, and the answer to it lacks the cookie"
    ))
    .shown([scene.show_field(view, set, "given with the challenge")])
    .shown([scene.show_field(sent.view, sent.field, "answered without it")]);
    if let Some(field) = good.and_then(|a| Some((a, a.request_field("cookie")?))) {
        claim = claim.shown([scene.show_field(field.0.view(), field.1, "let in with it")]);
    }
    claim = claim
        .fix(Party::Caller, "Let the client keep cookies between the challenge and its answer (a session or client object with a cookie jar).")
        .fix(Party::Server, "Keep nonces where no cookie is needed.")
        .or("digest-mismatch", "the same answer with the cookie");
    // That another program got in with it may have had other reasons.
    Some(claim.weighing(if good.is_some() { 10 } else { 5 }).likely())
}

/// Beginnings of the names of cookies that are no login: statistics, consent, looks, language, guards against forgery.
const NO_SESSION: &[&str] = &[
    "_ga",
    "_gid",
    "_gat",
    "_gcl",
    "_fb",
    "_hj",
    "_pk_",
    "__utm",
    "__cf",
    "cf_",
    "_cl",
    "ajs_",
    "amp_",
    "mp_",
    "intercom-",
    "hubspot",
    "__hs",
    "csrf",
    "xsrf",
    "_csrf",
    "theme",
    "dark",
    "lang",
    "locale",
    "i18n",
    "tz",
    "timezone",
    "consent",
    "cookie",
    "optanon",
    "euconsent",
    "gdpr",
    "ph_",
    "__stripe",
    "_dd_",
    "ab_",
    "experiment",
];

/// Cookies are sent and none of them is a session, to a server that asks for nothing else.
fn others_only(scene: &Scene<'_>, step: &Step<'_>) -> Option<Answer> {
    let (view, field) = step.request_field("cookie")?;
    let text = field.text().to_ascii_lowercase();
    let mut names =
        text.split(';').filter_map(|c| c.split('=').next()).map(str::trim).filter(|n| !n.is_empty());
    let is_other = |n: &str| NO_SESSION.iter().any(|p| n.starts_with(p)) && !names_session(n);
    let none = names.clone().next().is_some() && names.all(is_other);
    if !none || step.challenges().next().is_some() || step.other_credentials(scene).is_some() {
        return None;
    }
    let claim = Claim::new("cookies are sent, and none of them is a session's")
        .shown([scene.show_field(view, field, "no session among these")])
        .fix(
            Party::Caller,
            "Log in first with the same client, and let it keep and send the cookie that the login sets.",
        )
        .or("no-credentials", "whether this resource takes a token instead of a session");
    Some(claim.likely())
}

/// A browser's login got in, and what its page asks for next carries nothing at all.
fn nothing_kept(scene: &Scene<'_>, step: &Step<'_>) -> Option<Answer> {
    let browser = step.request_field("user-agent").is_some_and(|(_, f)| f.text().starts_with("Mozilla/"));
    if !browser || step.request_field("cookie").is_some() || step.other_credentials(scene).is_some() {
        return None;
    }
    let login = login::accepted_before(scene, step)?;
    let (view, request) = step.request()?;
    let mut claim = Claim::new("the login got in, and the page's next request carries nothing that it gave")
        .shown([scene.show_request(login.view(), login.request()?, "the login is accepted")])
        .shown([scene.show_request(view, request, "sent without a cookie or a token")])
        .fix(Party::Caller, "Look what the login's answer gives (a cookie, a token in its content), and why the page does not keep or send it.")
        .or("no-credentials", "whether the page is to send a token by itself");
    // Pages keep what they are given in cookies that are Secure.
    if request.scheme.as_deref() == Some("http") {
        claim =
            claim.or("plain-http", "the same over https: browsers keep no Secure cookie of a page over http");
    }
    Some(claim.weighing(4).likely())
}

/// A log that shows no cookies: a login got in, and the request for the session that it began is refused.
fn signed_in(scene: &Scene<'_>, step: &Step<'_>) -> Option<Answer> {
    let asks_for_session =
        step.attempt.path()?.to_ascii_lowercase().split('/').any(|s| s.contains("session"));
    if !asks_for_session {
        return None;
    }
    let log = |a: &why401_history::Attempt| {
        a.views.iter().find_map(|v| v.log.as_ref().map(|l| (v.source, l.line.clone())))
    };
    let before = scene.earlier().find(|a| login::is_call(a) && a.let_in() && same_client(a, step.attempt))?;
    let ((s, l), (t, m)) = (log(before)?, log(step.attempt)?);
    Some(
        Claim::new("a login got in, and the request for its session right behind it is refused: the session cookie does not come back")
            .shown([scene.show_part(s, &l, 0..l.len(), "the login is accepted")])
            .shown([scene.show_part(t, &m, 0..m.len(), "nobody is signed in")])
            .fix(Party::Caller, "Look at both exchanges in the browser's network panel: is a cookie set, and is it sent (credentials: \"include\", SameSite, Secure, Path, Domain)?")
            .or("no-credentials", "whether the client is to send a token instead of a cookie")
            .likely()
    )
}

fn at_same_site(a: &Attempt, step: &Step<'_>) -> bool {
    let host = |x: &Attempt| x.request().and_then(|r| r.authority());
    matches!((host(a), host(step.attempt)), (Some(x), Some(y)) if same_site(&x, &y))
}

pub(super) fn cookie_name(set_cookie: &FieldLine) -> String {
    set_cookie.text().split('=').next().unwrap_or_default().trim().to_owned()
}

/// The session that this client was given before, and where.
pub(super) fn given<'a>(scene: &Scene<'a>, step: &Step<'_>) -> Option<(&'a Attempt, &'a FieldLine)> {
    let own = |a: &&Attempt| {
        same_client(a, step.attempt) && (same_server(a, step.attempt) || at_same_site(a, step))
    };
    scene.earlier_setting_cookies().filter(own).find_map(|a| {
        let field = a.response()?.fields.all("set-cookie").find(|f| is_session(f) && !deletes(f))?;
        Some((a, field))
    })
}

pub(super) fn is_session(set_cookie: &FieldLine) -> bool {
    let name = cookie_name(set_cookie).to_ascii_lowercase();
    names_session(&name) || is_kept_from_scripts(set_cookie, &name)
}

/// Cookies by which balancers and guards know a client again; they are kept from scripts and no session.
const GUARDS: &[&str] = &[
    "csrf",
    "xsrf",
    "__cf",
    "arraffinity",
    "bigip",
    "awsalb",
    "incap_",
    "visid_",
    "nsc_",
    "ak_bmsc",
    "_abck",
];

/// A long value that scripts may not read (RFC 6265 section 4.1.2.6) is what a login gives, whatever it is called.
fn is_kept_from_scripts(set_cookie: &FieldLine, name: &str) -> bool {
    const LONG: usize = 24;
    let text = set_cookie.text();
    let (pair, attributes) = text.split_once(';').unwrap_or((&text, ""));
    let long = pair.split_once('=').is_some_and(|(_, value)| value.len() >= LONG);
    long && attributes.to_ascii_lowercase().contains("httponly") && !GUARDS.iter().any(|g| name.contains(g))
}

/// Whether a cookie of this name, in lower case, is likely a session's; a guard against forgery is none.
fn names_session(name: &str) -> bool {
    let csrf = name.contains("csrf") || name.contains("xsrf");
    !csrf && SESSION.iter().any(|w| name.contains(w))
}

/// Whether a Set-Cookie field deletes the cookie (RFC 6265 section 3.1: an expiry in the past).
pub(super) fn deletes(set_cookie: &FieldLine) -> bool {
    let text = set_cookie.text().to_ascii_lowercase();
    text.contains("max-age=0")
        || text.contains("max-age=-")
        || text.contains("01-jan-1970")
        || text.contains("01 jan 1970")
}

/// Whether the answer that set the cookie sent its client on to an `http` address of the same host, where it asks now.
fn sent_over_http(before: &Attempt, request: &Request) -> bool {
    let here = request.authority().unwrap_or_default().to_ascii_lowercase();
    // The page that calls stands at the same address, and names it.
    let mut named = ["origin", "referer"].iter().filter_map(|n| request.fields.get(n));
    let of_page =
        before.request_field("origin").filter(|_| before.authority() == request.authority().as_deref());
    let is_here = |field: &FieldLine| {
        let text = field.text().to_ascii_lowercase();
        let rest = text.strip_prefix("http://").and_then(|rest| rest.split(['/', '?', '#']).next());
        rest.is_some_and(|host| host == here)
    };
    request.scheme.is_none()
        && (before.response_field("location").is_some_and(is_here)
            || named.any(is_here)
            || of_page.is_some_and(is_here))
}

/// What keeps a browser from sending the cookie, by its attributes.
fn obstacle(set_cookie: &FieldLine, before: &Attempt, step: &Step<'_>) -> Option<String> {
    let text = set_cookie.text().to_ascii_lowercase();
    let attribute = |name: &str| {
        text.split(';')
            .skip(1)
            .find_map(|a| a.trim().strip_prefix(name).map(|v| v.trim_start_matches('=').trim().to_owned()))
    };
    let path = step.attempt.path().unwrap_or_default().to_ascii_lowercase();
    if let Some(p) = attribute("path").filter(|p| p.len() > 1 && !path.starts_with(p.trim_end_matches('/'))) {
        return Some(format!("it is for the path {p}"));
    }
    let secure = text.split(';').skip(1).any(|a| a.trim() == "secure");
    let (_, request) = step.request()?;
    if secure && (request.scheme.as_deref() == Some("http") || sent_over_http(before, request)) {
        return Some("it is Secure and the request goes over http".to_owned());
    }
    let pair = set_cookie.value.as_bytes().iter().take_while(|b| **b != b';').count();
    if pair > LARGEST {
        return Some(format!("name and value have {pair} bytes, and browsers keep no more than {LARGEST}"));
    }
    let (_, origin) = step.request_field("origin")?;
    let origin = origin.text().into_owned();
    let host = request.authority()?.split(':').next().unwrap_or_default().to_ascii_lowercase();
    let elsewhere = match Address::parse(&origin) {
        Some(a) => !same_site(&a.host, &host),
        None => true,
    };
    let same_site = attribute("samesite").unwrap_or_else(|| "lax".to_owned());
    (elsewhere && same_site != "none")
        .then(|| format!("it is SameSite={same_site} and the page comes from another site ({origin})"))
}
