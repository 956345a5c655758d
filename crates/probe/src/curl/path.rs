//! The target as curl writes it into the request line.

use why401_http::path_of;

/// The target without its dot segments (RFC 3986 section 5.2.4), unless `as_is` keeps them, and with letters outside ASCII
/// in its path percent-encoded, in small digits as curl has them.
///
/// # Errors
/// Where there is a blank or a control character in it: curl sends nothing then.
pub fn as_sent(target: &str, as_is: bool) -> Result<String, String> {
    if target.bytes().any(|b| b == b' ' || b.is_ascii_control()) {
        return Err("there is a blank in the address; %20 stands for one".to_owned());
    }
    let path = path_of(target);
    let rest = target.get(path.len()..).unwrap_or_default();
    let whole = if as_is { target.to_owned() } else { without_dots(path) + rest };
    let mut out = String::with_capacity(whole.len());
    let path = path_of(&whole);
    for b in path.bytes() {
        if b.is_ascii() { out.push(char::from(b)) } else { out.push_str(&format!("%{b:02x}")) }
    }
    // The query goes as it is, curl does not look into it.
    out.push_str(whole.get(path.len()..).unwrap_or_default());
    Ok(out)
}

/// A path without the segments `.` and `..` and what the latter take back.
pub(crate) fn without_dots(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let mut segments = path.strip_prefix('/').unwrap_or(path).split('/').peekable();
    while let Some(segment) = segments.next() {
        let last = segments.peek().is_none();
        match segment {
            "." | ".." => {
                if segment == ".." {
                    kept.pop();
                }
                // The folder itself is meant.
                if last {
                    kept.push("");
                }
            }
            segment => kept.push(segment),
        }
    }
    format!("/{}", kept.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_what_curl_sends() {
        for (target, expected) in [
            ("/a/../b/./c/..", "/b/"),
            ("/../..?x=/../y", "/?x=/../y"),
            ("//a//../b", "//a/b"),
            ("/a/..", "/"),
            ("/%2e%2e/a", "/%2e%2e/a"),
            ("/ä?ö", "/%c3%a4?ö"),
            ("/", "/"),
        ] {
            assert_eq!(as_sent(target, false).as_deref(), Ok(expected), "{target}");
        }
        assert_eq!(as_sent("/a/../b", true).as_deref(), Ok("/a/../b"));
        assert!(as_sent("/a b", false).is_err() && as_sent("/a\nb", true).is_err());
    }
}
