//! From options to a wish, a client and limits.

use super::args::Probe;
use super::content::{self, Content, read};
use super::stores;
use std::net::IpAddr;
use std::path::Path;
use std::time::Duration;
use why401_auth::Secret;
use why401_http::Address;
use why401_probe::curl;
use why401_probe::limits::{ATTEMPTS, REQUESTS};
use why401_probe::wire::{Identity, Proxies, Proxy, Trust, Wire};
use why401_probe::wish::{Aws, Field};
use why401_probe::{Credentials, Limits, Version, Wish};

/// All that asking takes.
pub(crate) struct Prepared {
    pub(crate) wish: Wish,
    pub(crate) wire: Wire,
    pub(crate) limits: Limits,
}

/// Reads options, a curl command line among them, environment and files.
///
/// # Errors
/// What is missing or does not fit.
pub(crate) fn of(probe: &Probe) -> Result<Prepared, String> {
    let line = command(&probe.command)?;
    let url = probe.url.as_ref().or(line.url.as_ref()).ok_or("name the address to ask")?;
    let url = if url.contains("://") { url.clone() } else { format!("http://{url}") };
    let address =
        Address::parse(&url).filter(|a| !a.host.is_empty() && matches!(a.scheme.as_str(), "http" | "https"));
    let mut address = address.ok_or("the address is no http:// or https:// one")?;
    let mut wish = Wish::get(address.clone());
    for ignored in &line.ignored {
        crate::output::complain(&format!("curl's {ignored} is left out"));
    }

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
    wish.body = Secret::new(body);
    wish.address = address;
    wish.origin.clone_from(&probe.origin);
    wish.follow = line.follow;
    wish.version = if probe.http1 || line.version == Version::Http1 { Version::Http1 } else { Version::Any };
    let as_curl = !probe.command.is_empty();
    wish.scheme = match probe.scheme.as_deref().or(line.scheme.as_deref()) {
        Some("any") => None,
        Some(s @ ("basic" | "digest")) => Some(s.to_owned()),
        Some(other) => return Err(not_spoken(other)),
        // curl does not wait to be asked.
        None => as_curl.then(|| "basic".to_owned()),
    };
    wish.credentials = credentials(probe, &line, &wish, userinfo(&url))?;
    if wish.credentials == Credentials::None && wish.fields.iter().any(Field::is_credential) {
        wish.credentials = Credentials::Fields;
    }

    let identity = identity(probe, &line)?;
    let mut trust = Trust { more: Vec::new(), anybody: probe.insecure || line.insecure };
    if let Some(path) = probe.cacert.as_deref().or(line.cacert.as_deref().map(Path::new)) {
        trust.more.push(read(path)?);
    }
    for name in ["SSL_CERT_FILE", "CURL_CA_BUNDLE"] {
        if let Some(path) = std::env::var_os(name).filter(|v| !v.is_empty()) {
            trust.more.extend(read(Path::new(&path)));
        }
    }
    let mut wire = Wire::new(trust, identity, proxies(probe, &line)?);
    for entry in probe.resolve.iter().chain(&line.resolve) {
        wire.resolve.extend(resolve(entry)?);
    }
    let limits = Limits {
        requests: probe.max_requests.min(REQUESTS),
        attempts: probe.max_attempts.min(ATTEMPTS),
        allow_unsafe: probe.allow_unsafe,
        allow_wrong: probe.allow_wrong,
        pause: Duration::from_millis(probe.pause),
        time: Duration::from_secs(probe.max_time),
    };
    Ok(Prepared { wish, wire, limits })
}

fn not_spoken(scheme: &str) -> String {
    format!(
        "{scheme} is not spoken here; record a client that speaks it: why401 run -- curl --{scheme} -u USER ADDRESS"
    )
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

fn identity(probe: &Probe, line: &curl::Line) -> Result<Option<Identity>, String> {
    let own = |p: &Option<std::path::PathBuf>, c: &Option<String>| p.clone().or(c.as_ref().map(Into::into));
    let Some(cert) = own(&probe.cert, &line.cert) else { return Ok(None) };
    let key = own(&probe.key, &line.key).unwrap_or_else(|| cert.clone());
    let identity = Identity::read(&read(&cert)?, &read(&key)?);
    identity.map(Some).map_err(|e| format!("{}: {e}", cert.display()))
}

fn proxies(probe: &Probe, line: &curl::Line) -> Result<Proxies, String> {
    let except = probe.noproxy.clone().or(line.noproxy.clone());
    let except = except.or_else(|| variable(&["no_proxy", "NO_PROXY"])).unwrap_or_default();
    let named = probe.proxy.clone().or(line.proxy.clone());
    let mut proxies = Proxies { except, ..Proxies::default() };
    if let Some(named) = named {
        let mut proxy = Proxy::parse(&named)?;
        if let Some(user) = &line.proxy_user {
            proxy.userinfo = Some(Secret::new(user.as_bytes()));
        }
        (proxies.http, proxies.https) = (Some(proxy.clone()), Some(proxy));
        return Ok(proxies);
    }
    let of_environment = environment_proxies()?;
    Ok(Proxies { except: proxies.except, ..of_environment })
}

/// The environment's proxies, as curl reads them.
///
/// # Errors
/// A proxy of a kind that is not spoken here.
pub(crate) fn environment_proxies() -> Result<Proxies, String> {
    // HTTP_PROXY in capitals is not read, as in curl: a CGI gets it from a request's field.
    let all = || variable(&["all_proxy", "ALL_PROXY"]);
    let parse = |text: Option<String>| text.map(|t| Proxy::parse(&t)).transpose();
    Ok(Proxies {
        http: parse(variable(&["http_proxy"]).or_else(all))?,
        https: parse(variable(&["https_proxy", "HTTPS_PROXY"]).or_else(all))?,
        except: variable(&["no_proxy", "NO_PROXY"]).unwrap_or_default(),
    })
}

fn variable(names: &[&str]) -> Option<String> {
    names.iter().find_map(|n| std::env::var(n).ok().filter(|v| !v.is_empty()))
}

/// `host:port:address[,address]`
fn resolve(entry: &str) -> Result<Vec<(String, u16, IpAddr)>, String> {
    let wrong = || "--resolve is written as HOST:PORT:ADDRESS".to_owned();
    let mut parts = entry.trim_start_matches(['+', '-']).splitn(3, ':');
    let (host, port, addresses) = (parts.next(), parts.next(), parts.next());
    let (Some(host), Some(port), Some(addresses)) = (host, port, addresses) else { return Err(wrong()) };
    let port: u16 = port.parse().map_err(|_| wrong())?;
    let one = |a: &str| a.trim_matches(['[', ']']).parse().map_err(|_| wrong());
    addresses.split(',').map(|a| Ok((host.to_owned(), port, one(a)?))).collect()
}
