//! A TLS connection as a capture shows it, by the attributes of a block.

use jiff::Timestamp;
use why401_http::{AskedCertificate, Fact, FactKind, Moment, Peer, Secured, ShownCertificate};
use why401_span::{Derived, SourceId, Span};

/// `certificate=not-given alert=certificate_required connection=1 time=… until=…`: what the server asked of the client and
/// got, the alert that it sent (`distrust=`: that the client sent), and until when a certificate given was valid.
pub(crate) fn fact(source: SourceId, attribute: &dyn Fn(&str) -> Option<String>) -> Fact {
    let peer = |name: &str, port| Peer { host: name.to_owned(), port: Some(port) };
    let until = attribute("until").map(|t| t.parse::<Timestamp>().unwrap());
    let shown = || ShownCertificate {
        subject: "alice".to_owned(),
        issuer: "a company's authority".to_owned(),
        names: Vec::new(),
        not_before: Some(Timestamp::UNIX_EPOCH),
        not_after: until,
    };
    let client_certificate = match attribute("certificate").as_deref() {
        None => AskedCertificate::Unknown,
        Some("not-asked") => AskedCertificate::NotAsked,
        Some("asked") => AskedCertificate::Asked,
        Some("not-given") => AskedCertificate::NotGiven,
        Some("given") => AskedCertificate::Given(Some(Box::new(shown()))),
        Some(other) => panic!("no certificate is called {other}"),
    };
    let by = |client, name: &str| attribute(name).map(|alert| (client, alert));
    let alerts: Vec<_> = by(false, "alert").into_iter().chain(by(true, "distrust")).collect();
    let text = format!("TLS {client_certificate:?} {alerts:?}");
    let secured = Secured {
        connection: attribute("connection").map_or(1, |n| n.parse().unwrap()),
        client: peer("192.0.2.7", 51234),
        server: peer("192.0.2.1", 443),
        time: attribute("time").map(|t| Moment::utc(t.parse().unwrap())),
        server_name: Some("mtls.example.com".to_owned()),
        version: Some("TLS 1.3"),
        protocol: None,
        server_certificate: None,
        client_certificate,
        established: attribute("established").is_some(),
        unread: None,
        alerts,
    };
    let span = Span::new(source, 0, text.len() as u64);
    Fact { source, text: Derived::exact(text, span), kind: FactKind::Tls(Box::new(secured)) }
}
