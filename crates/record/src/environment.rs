//! How a program learns of the recorder: the variables that clients read.
//!
//! Sources: each client's own documentation, named beside its variables.

use crate::java;
use crate::nameless::Nameless;
use std::collections::HashSet;
use std::ffi::OsString;
use std::io;
use std::path::Path;
use tokio_rustls::rustls::pki_types::CertificateDer;
use why401_auth::base64;
use why401_probe::wire::certificates;

/// What is handed to the program; the files live as long as this does.
#[derive(Debug)]
pub struct Handed {
    /// Variables to set.
    pub set: Vec<(&'static str, OsString)>,
    /// Variables to take away.
    pub remove: &'static [&'static str],
    _files: Vec<Nameless>,
}

/// Variables that would lead past the recorder.
const REMOVE: &[&str] =
    &["no_proxy", "NO_PROXY", "npm_config_noproxy", "CGI_HTTP_PROXY", "REQUEST_METHOD", "SSL_CERT_DIR"];

/// The variables that name the proxy: lower case for curl, capitals too for the others.
const PROXIES: &[&str] = &[
    "http_proxy",
    "https_proxy",
    "all_proxy",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    // https://doc.rust-lang.org/cargo/reference/config.html
    "CARGO_HTTP_PROXY",
    // https://docs.npmjs.com/cli/using-npm/config
    "npm_config_proxy",
    "npm_config_https_proxy",
];

/// The variables that name a file of trusted authorities in PEM, in place of the machine's.
const BUNDLES: &[&str] = &[
    // OpenSSL, and with it Python's ssl, httpx, Ruby, Go (crypto/x509), .NET on Linux, rustls-native-certs.
    "SSL_CERT_FILE",
    // https://requests.readthedocs.io/en/latest/user/advanced/#ssl-cert-verification
    "REQUESTS_CA_BUNDLE",
    // https://pip.pypa.io/en/stable/topics/https-certificates/
    "PIP_CERT",
    // https://git-scm.com/docs/git-config (http.sslCAInfo)
    "GIT_SSL_CAINFO",
    // https://docs.aws.amazon.com/cli/latest/userguide/cli-configure-envvars.html
    "AWS_CA_BUNDLE",
    // https://doc.rust-lang.org/cargo/reference/config.html
    "CARGO_HTTP_CAINFO",
    // https://docs.deno.com/runtime/reference/env_variables/
    "DENO_CERT",
    // https://metacpan.org/pod/LWP::UserAgent
    "PERL_LWP_SSL_CA_FILE",
    "HTTPS_CA_FILE",
    "NIX_SSL_CERT_FILE",
    // https://bundler.io/man/bundle-config.1.html
    "BUNDLE_SSL_CA_CERT",
];

/// What leads a program through a recorder on this port that its `authority` stands behind. `machine` are the
/// authorities that the machine trusts, `named` those that the program's environment names, `own` what the program would have had
/// of its own; Node is told what to preload where it takes that.
///
/// # Errors
/// Where no file can be made.
pub fn handed(
    port: u16,
    authority: &CertificateDer<'_>,
    machine: &[CertificateDer<'_>],
    named: Vec<CertificateDer<'static>>,
    own: &Own,
    node_takes_imports: bool,
) -> io::Result<Handed> {
    let proxy = format!("http://127.0.0.1:{port}");
    let alone = pem(authority);
    // What the environment names is mostly what the machine has.
    let known: HashSet<&[u8]> = machine.iter().map(AsRef::as_ref).collect();
    let more: Vec<CertificateDer<'static>> =
        named.into_iter().filter(|c| !known.contains(c.as_ref())).collect();
    let all: Vec<&CertificateDer<'_>> = machine.iter().chain(&more).chain([authority]).collect();
    let bundle: String = all.iter().map(|c| pem(c)).collect();
    let bundle = Nameless::new("authorities.pem", bundle.as_bytes())?;
    // curl reads each authority of a bundle at its start, which takes it longer than most of what it is started for.
    let short: String = more.iter().chain([authority]).map(pem).collect();
    let short = Nameless::new("authority-for-curl.pem", short.as_bytes())?;
    let for_curl = if own.curl_has_folder { &short } else { &bundle };
    // Node's is read in addition to what it has.
    let mut extra = own.node_extra.clone();
    extra.extend(alone.as_bytes());
    let extra = Nameless::new("authority.pem", &extra)?;
    let store = Nameless::new("authorities.jks", &java::trust_store(all.iter().map(|c| c.as_ref())))?;
    let mut wgetrc = own.wgetrc.clone();
    let line = format!("\nca_certificate = {}\nuse_proxy = on\n", bundle.path().display());
    wgetrc.extend(line.as_bytes());
    let wgetrc = Nameless::new("wgetrc", &wgetrc)?;

    let mut set: Vec<(&'static str, OsString)> = Vec::new();
    set.extend(PROXIES.iter().map(|name| (*name, OsString::from(&proxy))));
    set.extend(BUNDLES.iter().map(|name| (*name, bundle.path().into())));
    // https://curl.se/docs/manpage.html
    set.push(("CURL_CA_BUNDLE", for_curl.path().into()));
    // https://nodejs.org/api/cli.html#node_extra_ca_certsfile
    set.push(("NODE_EXTRA_CA_CERTS", extra.path().into()));
    // https://www.gnu.org/software/wget/manual/html_node/Wgetrc-Location.html
    set.push(("WGETRC", wgetrc.path().into()));
    // https://docs.oracle.com/en/java/javase/17/troubleshoot/environment-variables-and-system-properties.html
    set.push(("JAVA_TOOL_OPTIONS", java_options(port, store.path(), own.java_options.as_deref()).into()));
    if node_takes_imports {
        set.push(("NODE_OPTIONS", node_options(own.node_options.as_deref()).into()));
    }
    Ok(Handed { set, remove: REMOVE, _files: vec![bundle, short, extra, store, wgetrc] })
}

/// What the program would have had without the recorder.
#[derive(Debug, Default)]
pub struct Own {
    /// Authorities in PEM that the environment names.
    pub bundle: Vec<Vec<u8>>,
    /// What `NODE_EXTRA_CA_CERTS` names.
    pub node_extra: Vec<u8>,
    /// The user's `.wgetrc`.
    pub wgetrc: Vec<u8>,
    /// `JAVA_TOOL_OPTIONS`.
    pub java_options: Option<String>,
    /// `NODE_OPTIONS`.
    pub node_options: Option<String>,
    /// Whether curl finds the machine's authorities by their hashes in a folder of its own accord, beside any bundle.
    pub curl_has_folder: bool,
}

impl Own {
    /// The authorities that the environment names.
    pub fn authorities(&self) -> Vec<CertificateDer<'static>> {
        self.bundle.iter().flat_map(|text| certificates(text)).collect()
    }
}

/// A certificate in PEM (RFC 7468).
fn pem(certificate: &CertificateDer<'_>) -> String {
    let text = base64::encode(certificate);
    let mut out = String::from("-----BEGIN CERTIFICATE-----\n");
    let mut rest = text.as_str();
    while !rest.is_empty() {
        let (line, behind) = rest.split_at_checked(64).unwrap_or((rest, ""));
        out.push_str(line);
        out.push('\n');
        rest = behind;
    }
    out + "-----END CERTIFICATE-----\n"
}

/// Proxy and trust as Java's own properties:
/// <https://docs.oracle.com/en/java/javase/17/core/java-networking.html>. Its list of hosts to ask directly is empty, or
/// it would leave the recorder out for this machine.
fn java_options(port: u16, store: &Path, own: Option<&str>) -> String {
    let mut words: Vec<String> = own.map(str::to_owned).into_iter().collect();
    for scheme in ["http", "https"] {
        words.push(format!("-D{scheme}.proxyHost=127.0.0.1 -D{scheme}.proxyPort={port}"));
    }
    words.push("-Dhttp.nonProxyHosts=".to_owned());
    words.push(format!("-Djavax.net.ssl.trustStore={}", store.display()));
    words.push(format!(
        "-Djavax.net.ssl.trustStorePassword={} -Djavax.net.ssl.trustStoreType=JKS",
        java::PASSWORD
    ));
    words.join(" ")
}

/// Node's own clients read no proxy variables before version 22.21; what is preloaded makes them.
fn node_options(own: Option<&str>) -> String {
    let import = format!("--import=data:text/javascript;base64,{}", base64::encode(NODE.as_bytes()));
    match own {
        Some(own) if !own.trim().is_empty() => format!("{own} {import}"),
        _ => import,
    }
}

/// Leads Node's `http`, `https` and `fetch` through tunnels of the recorder.
const NODE: &str = include_str!("node.js");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_is_written_in_lines_of_64() {
        let text = pem(&CertificateDer::from(vec![7_u8; 100]));
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!((lines.len(), lines[1].len(), lines[2].len()), (5, 64, 64));
        assert_eq!(certificates(text.as_bytes()), [CertificateDer::from(vec![7; 100])]);
    }

    #[test]
    fn what_the_program_had_stays() {
        let own = Own {
            java_options: Some("-Dmine=1".to_owned()),
            node_options: Some("--trace-warnings".to_owned()),
            ..Own::default()
        };
        let machine = [CertificateDer::from(vec![2])];
        let handed =
            handed(4711, &CertificateDer::from(vec![1]), &machine, own.authorities(), &own, true).unwrap();
        let of = |name: &str| {
            let (_, value) = handed.set.iter().find(|(n, _)| *n == name).unwrap();
            value.to_string_lossy().into_owned()
        };
        assert!(
            of("JAVA_TOOL_OPTIONS").starts_with("-Dmine=1 -Dhttp.proxyHost=127.0.0.1 -Dhttp.proxyPort=4711")
        );
        assert!(of("NODE_OPTIONS").starts_with("--trace-warnings --import=data:"));
        assert_eq!(of("https_proxy"), "http://127.0.0.1:4711");
        let bundle = |name: &str| std::fs::read_to_string(of(name)).unwrap().matches("BEGIN").count();
        assert_eq!((bundle("SSL_CERT_FILE"), bundle("CURL_CA_BUNDLE")), (2, 2));
        assert!(std::fs::read_to_string(of("WGETRC")).unwrap().contains("ca_certificate = /"));
    }
    #[test]
    fn curl_is_not_given_what_it_looks_up_itself() {
        let own = Own { curl_has_folder: true, ..Own::default() };
        let machine = [CertificateDer::from(vec![2])];
        let handed =
            handed(4711, &CertificateDer::from(vec![1]), &machine, own.authorities(), &own, true).unwrap();
        let bundle = |name: &str| {
            let (_, path) = handed.set.iter().find(|(n, _)| *n == name).unwrap();
            std::fs::read_to_string(path).unwrap().matches("BEGIN").count()
        };
        assert_eq!((bundle("SSL_CERT_FILE"), bundle("CURL_CA_BUNDLE")), (2, 1));
    }
}
