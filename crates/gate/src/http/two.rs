//! Heads of HTTP/2 (RFC 9113 section 8) as heads like any other, and back. No sockets.

use super::head::{Bad, Head};
use super::{Answer, Trailers};
use h2::ext::Protocol;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, Uri};

/// The head of a request.
///
/// # Errors
/// It breaks a rule that holds for HTTP/1.1 as well, or names two authorities.
pub(crate) fn request<B>(request: &Request<B>) -> Result<Head, Bad> {
    if request.extensions().get::<Protocol>().is_some() {
        return Err(Bad::new(501, "an extended CONNECT"));
    }
    let (uri, fields) = (request.uri(), request.headers());
    let authority = uri.authority().map(|a| a.as_str().as_bytes());
    let mut hosts = fields.get_all("host").iter();
    let host = hosts.next().map(HeaderValue::as_bytes);
    if hosts.next().is_some() || authority.is_some_and(|a| host.is_some_and(|h| !h.eq_ignore_ascii_case(a))) {
        return Err(Bad::new(400, "Host and :authority are not one"));
    }
    let host = authority.or(host).map(|h| ("host", h));
    // Pieces of one field (RFC 9113 section 8.2.3).
    let cookies: Vec<&[u8]> = fields.get_all("cookie").iter().map(HeaderValue::as_bytes).collect();
    let cookies = cookies.join(&b"; "[..]);
    let cookies = (!cookies.is_empty()).then_some(("cookie", cookies.as_slice()));
    let others = fields.iter().filter(|(name, _)| !matches!(name.as_str(), "host" | "cookie"));
    let others = others.map(|(name, value)| (name.as_str(), value.as_bytes()));
    let target = match uri.path_and_query() {
        Some(path) if request.method() != Method::CONNECT => path.as_str(),
        _ => uri.authority().map_or("/", |a| a.as_str()),
    };
    let target = if target.is_empty() { "/" } else { target };
    Head::two(request.method().as_str(), target, host.into_iter().chain(others).chain(cookies))
}

/// The head of a response.
///
/// # Errors
/// A field that could not stand in HTTP/1.1.
pub(crate) fn response<B>(response: &Response<B>) -> Result<Head, Bad> {
    let fields = response.headers().iter().map(|(name, value)| (name.as_str(), value.as_bytes()));
    Head::two(response.status().as_str(), "", fields)
}

/// Adds a field; one that cannot be written is left out.
pub(crate) fn add(fields: &mut HeaderMap, name: &str, value: &[u8]) {
    let name = HeaderName::from_bytes(name.as_bytes());
    if let (Ok(name), Ok(value)) = (name, HeaderValue::from_bytes(value)) {
        fields.append(name, value);
    }
}

/// The head of an answer that the gate gives itself.
pub(crate) fn answer(answer: &Answer) -> Response<()> {
    let mut out = head(answer.status);
    for (name, value) in &answer.fields {
        let value: Vec<u8> = value.bytes().filter(|b| !matches!(b, b'\r' | b'\n' | 0)).collect();
        add(out.headers_mut(), name, &value);
    }
    add(out.headers_mut(), "content-length", answer.body.len().to_string().as_bytes());
    out
}

/// A head of that status without fields.
pub(crate) fn head(status: u16) -> Response<()> {
    let mut out = Response::new(());
    *out.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY);
    out
}

/// The head of a request to a server, without fields.
pub(crate) fn to_server(method: &str, is_tls: bool, authority: &str, path: &str) -> Option<Request<()>> {
    let uri = Uri::builder()
        .scheme(if is_tls { "https" } else { "http" })
        .authority(authority)
        .path_and_query(path)
        .build()
        .ok()?;
    let mut out = Request::new(());
    *out.method_mut() = Method::from_bytes(method.as_bytes()).ok()?;
    *out.uri_mut() = uri;
    Some(out)
}

/// Trailers of HTTP/2 as trailers like any other.
pub(crate) fn trailers(fields: &HeaderMap) -> Trailers {
    Trailers::of(fields.iter().map(|(n, v)| (n.as_str().to_owned(), v.as_bytes().to_vec())).collect())
}

/// And back.
pub(crate) fn to_map(trailers: &Trailers) -> HeaderMap {
    let mut out = HeaderMap::new();
    for (name, value) in trailers.fields() {
        add(&mut out, name, value);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::head::Version;
    use crate::http::target::Target;

    fn read(uri: &str, fields: &[(&str, &str)]) -> Result<Head, u16> {
        let mut given = Request::get(uri);
        for (name, value) in fields {
            given = given.header(*name, *value);
        }
        request(&given.body(()).unwrap()).map_err(|b| b.status)
    }

    #[test]
    fn a_head_is_read_as_in_the_older_version() {
        let head =
            read("https://example.com/a?b", &[("cookie", "a=1"), ("x", "y"), ("cookie", "b=2")]).unwrap();
        assert_eq!((head.method(), head.target(), head.version), ("GET", "/a?b", Version::Two));
        assert_eq!(head.field("cookie"), Some(&b"a=1; b=2"[..]));
        assert_eq!(Target::of(&head).unwrap().host, "example.com");
        assert_eq!(head.version.name(), "HTTP/2.0");
        let same = read("https://example.com/", &[("host", "Example.com")]).unwrap();
        assert_eq!(same.all("host").count(), 1);
        assert_eq!(read("https://example.com/", &[("host", "other.example")]).map(|_| ()), Err(400));
        let many: Vec<(&str, &str)> = (0..150).map(|_| ("x", "y")).collect();
        assert_eq!(read("https://example.com/", &many).map(|_| ()), Err(431));
    }
}
