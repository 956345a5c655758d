//! From options to a wish, a client and limits.

use super::args::Probe;
use super::content::{self, Content};
use super::{connection, stores};
use std::path::Path;
use std::time::Duration;
use why401_auth::Secret;
use why401_http::Address;
use why401_probe::curl;
use why401_probe::limits::{ATTEMPTS, REQUESTS};
use why401_probe::wire::Wire;
use why401_probe::wish::{Aws, Field};
use why401_probe::{Credentials, Limits, Version, Wish};

/// All that asking takes.
pub(crate) struct Prepared {
    pub(crate) wish: Wish,
    pub(crate) wire: Wire,
    pub(crate) limits: Limits,
    /// What of curl's command line is not done, in words.
    pub(crate) left_out: Vec<String>,
}

/// Reads options, a curl command line among them, environment and files.
///
/// # Errors
/// What is missing or does not fit.
pub(crate) fn of(probe: &Probe) -> Result<Prepared, String> {
    let mut line = command(&probe.command)?;
    let as_curl = !probe.command.is_empty();
    let url = probe.url.as_ref().or(line.url.as_ref()).ok_or("name the address to ask")?;
    let url = if url.contains("://") { url.clone() } else { format!("http://{url}") };
    let address =
        Address::parse(&url).filter(|a| !a.host.is_empty() && matches!(a.scheme.as_str(), "http" | "https"));
    let mut address = address.ok_or("the address is no http:// or https:// one")?;
    address.target = curl::as_sent(&address.target, !as_curl || line.path_as_is)?;
    let mut wish = Wish::get(address.clone());
    wish.cookies = connection::cookies(&mut line);
    let left_out: Vec<String> = line.ignored.iter().map(|i| format!("curl's {i} is left out")).collect();
    left_out.iter().for_each(|left| crate::output::complain(left));

    let body = content::of(probe, &line, &mut address)?;
    let method = probe.method.clone().or(line.method.clone());
    wish.method = method.unwrap_or_else(|| match (line.head, &body) {
        (true, _) => "HEAD".to_owned(),
        (_, Content::None) => "GET".to_owned(),
        (_, Content::File(_)) => "PUT".to_owned(),
        (_, Content::Data(..)) => "POST".to_owned(),
    });
    if !wish.method.bytes().all(why401_read::http1::head::is_token) || wish.method.is_empty() {
        return Err("the method is no token".to_owned());
    }
    wish.fields.clone_from(&line.fields);
    for path in &line.field_files {
        let held = content::read(Path::new(path))?;
        wish.fields.extend(String::from_utf8_lossy(&held).lines().filter_map(Field::parse));
    }
    for field in &probe.field {
        wish.fields.push(stores::field(field)?);
    }
    let (body, kind) = match body {
        Content::None => (Vec::new(), None),
        Content::File(bytes) => (bytes, None),
        Content::Data(bytes, kind) => (bytes, Some(kind)),
    };
    if let Some(kind) = kind.filter(|_| !wish.fields.iter().any(|f| f.is("content-type"))) {
        wish.fields.push(Field::new("Content-Type", kind));
    }
    if line.compressed && !wish.fields.iter().any(|f| f.is("accept-encoding")) {
        wish.fields.push(Field::new("Accept-Encoding", CODINGS));
    }
    wish.body = Secret::new(body);
    if let Some(target) = &line.request_target {
        address.target.clone_from(target);
    }
    wish.address = address;
    wish.origin.clone_from(&probe.origin);
    wish.follow = line.follow;
    wish.version = if probe.http1 || line.version == Version::Http1 { Version::Http1 } else { Version::Any };
    wish.scheme = match probe.scheme.as_deref().or(line.scheme.as_deref()) {
        Some("any") => None,
        Some(s @ ("basic" | "digest" | "ntlm")) => Some(s.to_owned()),
        Some(other) => return Err(not_spoken(other)),
        // curl does not wait to be asked.
        None => as_curl.then(|| "basic".to_owned()),
    };
    wish.credentials = credentials(probe, &line, &wish, userinfo(&url))?;
    let has_cookies = wish.cookies.as_ref().is_some_and(|jar| jar.field(&wish.address).is_some());
    let in_fields = has_cookies || wish.fields.iter().any(Field::is_credential);
    if wish.credentials == Credentials::None && in_fields {
        wish.credentials = Credentials::Fields;
    }

    let wire = connection::wire(probe, &line)?;
    let limits = Limits {
        requests: probe.max_requests.min(REQUESTS),
        attempts: probe.max_attempts.min(ATTEMPTS),
        allow_unsafe: probe.allow_unsafe,
        allow_wrong: probe.allow_wrong,
        pause: Duration::from_millis(probe.pause),
        time: Duration::from_secs(probe.max_time),
    };
    Ok(Prepared { wish, wire, limits, left_out })
}

/// What curl's `--compressed` asks for, as far as it is decoded here; curl adds zstd where it was built with it.
const CODINGS: &str = "deflate, gzip, br";

fn not_spoken(scheme: &str) -> String {
    if scheme == "negotiate" {
        return "Negotiate is not spoken here; get a ticket with `kinit` (`klist` shows it), then record a client that \
                speaks it: why401 run -- curl --negotiate -u : ADDRESS"
            .to_owned();
    }
    format!("{scheme} is no scheme that is spoken here; basic, digest and ntlm are")
}

fn command(words: &[String]) -> Result<curl::Line, String> {
    match words.split_first() {
        None => Ok(curl::Line::default()),
        Some((program, rest)) => {
            let name = Path::new(program).file_stem().unwrap_or_default();
            if name != "curl" {
                return Err(
                    "only curl's command lines are read; for others: why401 run -- COMMAND".to_owned()
                );
            }
            curl::read(rest, &mut |path| content::read(Path::new(path)))
        }
    }
}

/// The `user:password` of the address.
fn userinfo(url: &str) -> Option<(String, Option<Secret>)> {
    let rest = url.split_once("://")?.1;
    let authority = rest.split(['/', '?', '#']).next()?;
    let (info, _) = authority.rsplit_once('@')?;
    let decoded = |t: &str| why401_auth::percent::decode(t.as_bytes());
    let (user, password) = info.split_once(':').map_or((info, None), |(u, p)| (u, Some(p)));
    Some((String::from_utf8_lossy(&decoded(user)).into_owned(), password.map(|p| Secret::new(decoded(p)))))
}

fn credentials(
    probe: &Probe,
    line: &curl::Line,
    wish: &Wish,
    in_address: Option<(String, Option<Secret>)>,
) -> Result<Credentials, String> {
    if let Some(name) = &probe.bearer_env {
        return Ok(Credentials::Bearer(stores::variable(name)?));
    }
    if let Some(token) = &line.bearer {
        return Ok(Credentials::Bearer(Secret::new(token.as_bytes())));
    }
    let given = probe.user.as_ref().or(line.user.as_ref());
    let given = given.map(|u| match u.split_once(':') {
        Some((user, password)) => (user.to_owned(), Some(Secret::new(password))),
        None => (u.clone(), None),
    });
    if let Some(sign_for) = probe.aws.as_ref().or(line.aws.as_ref()) {
        return aws(sign_for, line.aws.is_some(), given, wish).map(|a| Credentials::Aws(Box::new(a)));
    }
    let (user, password) = match given.or(in_address) {
        Some((user, Some(password))) => (Some(user), Some(password)),
        Some((user, None)) => (Some(user), None),
        None => (None, None),
    };
    if let (Some(user), Some(password)) = (&user, &password) {
        return Ok(Credentials::Password { user: user.clone(), password: password.clone() });
    }
    match stores::password(probe, line, &wish.address, user.as_deref())? {
        Some((user, password)) => Ok(Credentials::Password { user, password }),
        None => Ok(Credentials::None),
    }
}

/// `s3`, `s3/us-east-1`, or as curl writes it `aws:amz:us-east-1:s3`.
fn aws(
    sign_for: &str,
    as_curl: bool,
    given: Option<(String, Option<Secret>)>,
    wish: &Wish,
) -> Result<Aws, String> {
    let parts: Vec<&str> = if as_curl {
        sign_for.split(':').skip(2).collect()
    } else {
        let (service, region) = sign_for.split_once('/').unwrap_or((sign_for, ""));
        vec![region, service]
    };
    // curl takes both from the host where they are missing: SERVICE.REGION.example.com.
    let mut labels = wish.address.host.split('.');
    let (first, second) = (labels.next().unwrap_or_default(), labels.next().unwrap_or_default());
    let part = |i: usize| parts.get(i).copied().filter(|p| !p.is_empty());
    let from_environment = || {
        ["AWS_REGION", "AWS_DEFAULT_REGION"]
            .iter()
            .find_map(|n| std::env::var(n).ok().filter(|v| !v.is_empty()))
    };
    let region = part(0).map(str::to_owned).or_else(from_environment).unwrap_or_else(|| second.to_owned());
    let service = part(1).unwrap_or(first).to_owned();
    let (id, secret, token) = match given {
        Some((id, Some(secret))) => (id, secret, None),
        _ => (
            stores::variable("AWS_ACCESS_KEY_ID")?.expose_text().into_owned(),
            stores::variable("AWS_SECRET_ACCESS_KEY")?,
            stores::variable("AWS_SESSION_TOKEN").ok(),
        ),
    };
    Ok(Aws { id, secret, token, region, service })
}
