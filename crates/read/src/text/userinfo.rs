//! The `user:password@` of an address.

use why401_http::Userinfo;
use why401_span::Secret;

/// An address without its userinfo, and that.
pub(crate) fn split_userinfo(text: &str) -> (String, Option<Userinfo>) {
    let whole = || (text.to_owned(), None);
    let Some((scheme, rest)) = text.split_once("://") else { return whole() };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (Some(authority), Some(path)) = (rest.get(..end), rest.get(end..)) else { return whole() };
    let Some((info, host)) = authority.rsplit_once('@') else { return whole() };
    let (user, password) = info.split_once(':').map_or((info, None), |(u, p)| (u, Some(p)));
    let password = password.map(|p| Secret::new(percent_decoded(p)));
    (format!("{scheme}://{host}{path}"), Some(Userinfo { user: percent_decoded(user), password }))
}

fn percent_decoded(text: &str) -> String {
    let digit = |c: Option<&u8>| c.and_then(|c| char::from(*c).to_digit(16));
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(c) = bytes.get(at) {
        let pair = digit(bytes.get(at + 1)).zip(digit(bytes.get(at + 2))).filter(|_| *c == b'%');
        match pair.and_then(|(high, low)| u8::try_from(high * 16 + low).ok()) {
            Some(byte) => {
                out.push(byte);
                at += 3;
            }
            None => {
                out.push(*c);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}
