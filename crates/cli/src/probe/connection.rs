//! From options to a client: whom to trust, what to show, and which way to go.

use super::args::Probe;
use super::content::read;
use super::stores;
use std::io::IsTerminal;
use std::path::Path;
use why401_auth::Secret;
use why401_probe::cookies::Jar;
use why401_probe::curl;
use why401_probe::wire::{Identity, Kind, Proxies, Proxy, TlsVersion, Trust, Wire};

/// The client that the options describe.
///
/// # Errors
/// What cannot be read, or is written wrongly.
pub(super) fn wire(probe: &Probe, line: &curl::Line) -> Result<Wire, String> {
    let identity = identity(probe, line)?;
    let only = match (line.tls_from_1_3, line.tls_to_1_2) {
        (true, true) => return Err("--tlsv1.3 and --tls-max 1.2 leave no version of TLS".to_owned()),
        (true, false) => Some(TlsVersion::V1_3),
        (false, true) => Some(TlsVersion::V1_2),
        (false, false) => None,
    };
    let mut trust = Trust { more: Vec::new(), anybody: probe.insecure || line.insecure, only };
    if let Some(path) = probe.cacert.as_deref().or(line.cacert.as_deref().map(Path::new)) {
        trust.more.push(read(path)?);
    }
    for folder in line.capath.iter().flat_map(|p| p.split(':')).filter(|p| !p.is_empty()) {
        trust.more.extend(authorities(Path::new(folder))?);
    }
    for name in ["SSL_CERT_FILE", "CURL_CA_BUNDLE"] {
        if let Some(path) = std::env::var_os(name).filter(|v| !v.is_empty()) {
            trust.more.extend(read(Path::new(&path)));
        }
    }
    let mut wire = Wire::new(trust, identity, proxies(probe, line)?);
    for entry in probe.resolve.iter().chain(&line.resolve) {
        wire.routes.resolve(entry)?;
    }
    for entry in &line.connect_to {
        wire.routes.connect_to(entry)?;
    }
    (wire.routes.family, wire.routes.tunnel) = (line.family, line.proxy_tunnel);
    Ok(wire)
}

/// The files of a folder, whatever their names: OpenSSL finds those by name that `c_rehash` has named.
fn authorities(folder: &Path) -> Result<Vec<Vec<u8>>, String> {
    let said = |e: std::io::Error| format!("{}: {}", folder.display(), crate::evidence::in_words(&e));
    let entries = std::fs::read_dir(folder).map_err(said)?;
    let files = entries.flatten().map(|e| e.path()).filter(|p| p.is_file());
    Ok(files.flat_map(|path| read(&path)).collect())
}

/// The cookies of the files that curl's command line names; `None` where none are kept. What cannot be read is left out,
/// as by curl, and said.
pub(super) fn cookies(line: &mut curl::Line) -> Option<Jar> {
    if line.cookie_files.is_empty() && !line.keeps_cookies {
        return None;
    }
    let mut jar = Jar::default();
    let now = jiff::Timestamp::now().as_second();
    for path in line.cookie_files.iter().filter(|p| !p.is_empty()) {
        match read(Path::new(path)) {
            Ok(text) => jar.read(&text, now, line.junk_session_cookies),
            Err(why) => line.ignored.push(format!("-b of a file ({why})")),
        }
    }
    Some(jar)
}

fn identity(probe: &Probe, line: &curl::Line) -> Result<Option<Identity>, String> {
    let own = |p: &Option<std::path::PathBuf>, c: &Option<String>| p.clone().or(c.as_ref().map(Into::into));
    let Some(cert) = own(&probe.cert, &line.cert) else { return Ok(None) };
    let key = own(&probe.key, &line.key).unwrap_or_else(|| cert.clone());
    let der = |kind: &Option<String>, of: &str| match kind.as_deref() {
        None | Some("PEM") => Ok(false),
        Some("DER") => Ok(true),
        Some("P12") => Err(format!(
            "{of} in PKCS #12 is not read here; `openssl pkcs12 -in FILE -out FILE.pem` writes it in PEM"
        )),
        Some(other) => Err(format!("{of} of the kind {other} is not read here; PEM and DER are")),
    };
    let mut kind = Kind {
        certificate_der: der(&line.cert_type, "a certificate")?,
        key_der: der(&line.key_type, "a key")?,
        pass: line.pass.clone(),
    };
    let (chain, private) = (read(&cert)?, read(&key)?);
    if kind.pass.is_none() && std::io::stdin().is_terminal() && Identity::is_sealed(&private, &kind) {
        kind.pass = Some(stores::pass_phrase(&key)?);
    }
    let identity = Identity::of(&chain, &private, &kind);
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
