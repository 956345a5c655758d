//! The canonical request that an AWS service computed and gave back with its refusal, held against the request as it was
//! sent.
//!
//! S3 answers with `<CanonicalRequest>` (S3 API, "Error responses"), the other services with "The Canonical String for
//! this request should have been '…'" (IAM, "Troubleshoot Signature Version 4 signing").

use super::signed::Signed;
use std::ops::Range;
use why401_auth::scheme::sigv4::{self, Sigv4};
use why401_http::Request;

/// What the comparison gave.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Compared {
    /// The service signed just what was sent; the range is the path's line of its text in the body.
    Same(Range<usize>),
    /// A line of the service's text, and what the request as sent makes of it.
    Differs {
        /// Where the line stands in the body.
        theirs: Range<usize>,
        /// The line of the request.
        ours: String,
        /// Whether the line is a field of the request.
        field: bool,
    },
}

/// Compares. `None` where the answer holds no canonical request or the request is not shown whole.
pub(crate) fn compare(signed: &Signed<'_>, signature: &Sigv4, body: &[u8]) -> Option<Compared> {
    let request = signed.view.request.as_ref()?;
    if !request.complete || !signed.view.shows.request_fields {
        return None;
    }
    let whole = given_back(body)?;
    let ours = computed(request, signature);
    let theirs: Vec<(Range<usize>, String)> = lines(body, whole.clone()).collect();
    let ours: Vec<&str> = ours.split('\n').collect();
    // The last line is the digest of the content, which another check holds against the content itself.
    let count = ours.len().checked_sub(1).filter(|n| *n > 2 && theirs.len() == n + 1)?;
    let different = theirs.iter().zip(&ours).take(count).position(|((_, theirs), ours)| theirs != ours);
    Some(match different.and_then(|i| Some((i, theirs.get(i)?, ours.get(i)?))) {
        None => Compared::Same(theirs.get(1).map_or(whole, |(path, _)| path.clone())),
        // The fields stand between the query and an empty line.
        Some((i, (at, _), ours)) => {
            Compared::Differs { theirs: at.clone(), ours: (*ours).to_owned(), field: i > 2 && i + 3 < count }
        }
    })
}

fn computed(request: &Request, signature: &Sigv4) -> String {
    let mut fields: Vec<(&[u8], &[u8])> = Vec::new();
    for field in request.fields.iter() {
        let name: &[u8] = if field.is(":authority") { b"host" } else { field.name.as_bytes() };
        fields.push((name, field.value.as_bytes()));
    }
    let target = request.target();
    let method = request.method();
    sigv4::canonical_request(
        signature,
        &sigv4::Request {
            method: method.as_bytes(),
            target: target.as_bytes(),
            fields: &fields,
            payload_hash: None,
            normalize: true,
            token_added_later: false,
        },
    )
}

/// Where the service's canonical request stands in the body.
fn given_back(body: &[u8]) -> Option<Range<usize>> {
    let find = |from: usize, what: &[u8]| Some(from + memchr::memmem::find(body.get(from..)?, what)?);
    if let Some(start) = find(0, b"<CanonicalRequest>").map(|i| i + b"<CanonicalRequest>".len()) {
        return Some(start..find(start, b"</CanonicalRequest>")?);
    }
    let start = find(0, b"Canonical String for this request should have been")?;
    let start = find(start, b"'")? + 1;
    Some(start..find(start, b"'")?)
}

/// The lines of a part of the body, which may be XML or a string of JSON: with their places, unescaped.
fn lines(body: &[u8], whole: Range<usize>) -> impl Iterator<Item = (Range<usize>, String)> {
    let text = body.get(whole.clone()).unwrap_or_default();
    let json = !text.contains(&b'\n');
    let end: &[u8] = if json { br"\n" } else { b"\n" };
    let mut at = Some(0);
    std::iter::from_fn(move || {
        let from = at?;
        let rest = text.get(from..)?;
        let found = memchr::memmem::find(rest, end);
        let to = found.map_or(text.len(), |i| from + i);
        at = found.map(|_| to + end.len());
        let line = String::from_utf8_lossy(text.get(from..to)?);
        let plain =
            line.trim_end_matches('\r').replace("&amp;", "&").replace("\\\"", "\"").replace("\\/", "/");
        Some((whole.start + from..whole.start + to, plain))
    })
}
