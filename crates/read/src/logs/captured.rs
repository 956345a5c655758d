//! Credentials in a column that no format names: HAProxy's captured fields, a column of one's own.

/// Schemes of which the value of an `Authorization` field begins with (RFC 7617, RFC 6750, RFC 7616, RFC 4559).
const SCHEMES: [&[u8]; 5] = [b"Basic ", b"Bearer ", b"Digest ", b"NTLM ", b"Negotiate "];

/// The value of an `Authorization` field that stands in a line as a column between quotes, or in braces with bars
/// between (`capture request header`, <https://docs.haproxy.org/2.6/configuration.html#8.8>).
pub(super) fn authorization(line: &[u8]) -> Option<&[u8]> {
    // Nearly no line has any, which is told by what stands before one.
    let begins =
        |at: usize| line.get(at + 1..).is_some_and(|rest| SCHEMES.iter().any(|s| rest.starts_with(s)));
    if !memchr::memchr3_iter(b'"', b'{', b'|', line).any(begins) {
        return None;
    }
    SCHEMES.iter().find_map(|scheme| memchr::memmem::find_iter(line, scheme).find_map(|at| column(line, at)))
}

fn column(line: &[u8], at: usize) -> Option<&[u8]> {
    let ends: &[u8] = match line.get(at.checked_sub(1)?)? {
        b'{' | b'|' => b"|}",
        b'"' => b"\"",
        _ => return None,
    };
    let text = line.get(at..)?;
    let end = text.iter().position(|b| ends.contains(b))?;
    let value = text.get(..end)?;
    // A challenge has the same beginning (`Basic realm="x"`); a Digest response names its user.
    let is_challenge = memchr::memmem::find(value, b"realm=").is_some()
        && memchr::memmem::find(value, b"username=").is_none();
    (!is_challenge).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::authorization;

    #[test]
    fn credentials_stand_in_braces_or_quotes_and_nowhere_else() {
        let found =
            |line: &'static str| authorization(line.as_bytes()).and_then(|v| std::str::from_utf8(v).ok());
        assert_eq!(found(r#"0/0 {mail|NTLM TlRM} "GET / HTTP/1.1""#), Some("NTLM TlRM"));
        assert_eq!(found(r#"0/0 {Basic eDp5|mail} {} "GET / HTTP/1.1""#), Some("Basic eDp5"));
        assert_eq!(found(r#""GET / HTTP/1.1" 401 0 "-" "curl" "Bearer abc""#), Some("Bearer abc"));
        assert_eq!(found(r#""GET / HTTP/1.1" 401 0 "-" "Basic realm=\"x\"""#), None);
        assert_eq!(found(r#""GET /Basic auth HTTP/1.1" 401 0 "-" "My Basic client""#), None);
        assert_eq!(found(r#""GET / HTTP/1.1" 401 0 "Basic "#), None);
    }
}
