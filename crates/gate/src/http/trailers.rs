//! Trailers: fields behind the content (RFC 9110 section 6.5). They are passed on as trailers and never become part of a head;
//! those that say how a message is framed, routed or authenticated are left out (section 6.5.1).

use super::head::{Bad, section};

/// A trailer section.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Trailers(Vec<(String, Vec<u8>)>);

/// Fields that have no place behind the content: framing, routing, request modifiers, authentication, how content is read.
const NEVER: &[&str] = &[
    "age",
    "authorization",
    "cache-control",
    "connection",
    "content-encoding",
    "content-length",
    "content-range",
    "content-type",
    "cookie",
    "date",
    "expect",
    "expires",
    "forwarded",
    "host",
    "keep-alive",
    "location",
    "max-forwards",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "range",
    "set-cookie",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "vary",
    "warning",
    "www-authenticate",
];

impl Trailers {
    /// Reads a section that ends with its empty line.
    pub(crate) fn read(bytes: &[u8]) -> Result<Trailers, Bad> {
        Ok(Trailers::of(section(bytes)?))
    }

    /// These fields without those that have no place there.
    pub(crate) fn of(mut fields: Vec<(String, Vec<u8>)>) -> Trailers {
        fields.retain(|(name, _)| !NEVER.iter().any(|n| n.eq_ignore_ascii_case(name)));
        Trailers(fields)
    }

    /// Leaves out what `is_dropped` names.
    pub(crate) fn without(&self, is_dropped: impl Fn(&str) -> bool) -> Trailers {
        Trailers(self.0.iter().filter(|(name, _)| !is_dropped(name)).cloned().collect())
    }

    /// Whether there are none.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Names and values in order.
    pub(crate) fn fields(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_slice()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_field_of_a_head_comes_in_by_the_back_door() {
        let read =
            Trailers::read(b"X-Sum: 1\r\nAuthorization: x\r\nhost: y\r\nContent-Length: 3\r\n\r\n").unwrap();
        assert_eq!(read.fields().collect::<Vec<_>>(), [("X-Sum", &b"1"[..])]);
        assert!(Trailers::read(b"X Sum: 1\r\n\r\n").is_err());
        assert!(Trailers::default().is_empty() && !read.is_empty());
    }
}
