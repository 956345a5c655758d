//! Patterns in addresses: the first address that one stands for.

/// The first address of a pattern, and whether it stands for more.
///
/// Source: curl's manual page, "GLOBBING" (`{one,two}`, `[1-9]`, `[a-z:2]`, a backslash before what is meant as it is),
/// and what curl 7.88 asks for: `[]` and addresses of IPv6 stay.
///
/// # Errors
/// Where curl takes it for no pattern either.
pub(super) fn first(text: &str) -> Result<(String, bool), String> {
    let wrong = || {
        "the braces or brackets in the address make no pattern of curl's; -g takes them as they are"
            .to_owned()
    };
    let (mut out, mut more) = (String::new(), false);
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let after = rest.get(c.len_utf8()..).unwrap_or_default();
        rest = match c {
            '\\' if after.starts_with(['{', '}', '[', ']']) => {
                out.extend(after.chars().next());
                after.get(1..).unwrap_or_default()
            }
            '[' if after.starts_with(']') || is_ipv6(after) => {
                let end = after.find(']').map_or(after.len(), |i| i + 1);
                let (as_it_is, left) = after.split_at_checked(end).unwrap_or((after, ""));
                out.push(c);
                out.push_str(as_it_is);
                left
            }
            '{' => {
                let (set, left) = after.split_once('}').ok_or_else(wrong)?;
                if set.is_empty() || set.contains(['{', '[', ']']) {
                    return Err(wrong());
                }
                out.push_str(set.split(',').next().unwrap_or(set));
                more |= set.contains(',');
                left
            }
            '[' => {
                let (range, left) = after.split_once(']').ok_or_else(wrong)?;
                let (from, several) = range_of(range).ok_or_else(wrong)?;
                out.push_str(from);
                more |= several;
                left
            }
            '}' | ']' => return Err(wrong()),
            c => {
                out.push(c);
                after
            }
        };
    }
    Ok((out, more))
}

/// `FROM-TO` or `FROM-TO:STEP`: where it begins, and whether it has more.
fn range_of(text: &str) -> Option<(&str, bool)> {
    let (ends, step) = text.split_once(':').map_or((text, None), |(e, s)| (e, Some(s)));
    if step.is_some_and(|s| s.parse::<u64>().map_or(true, |s| s == 0)) {
        return None;
    }
    let (from, to) = ends.split_once('-')?;
    let letter = |t: &str| t.chars().next().filter(|c| c.is_ascii_alphabetic() && t.len() == 1);
    let in_order = match (letter(from), letter(to)) {
        (Some(from), Some(to)) => from <= to,
        _ => from.parse::<u64>().ok()? <= to.parse::<u64>().ok()?,
    };
    in_order.then_some((from, from != to))
}

/// Whether an address of IPv6 stands up to the bracket.
fn is_ipv6(text: &str) -> bool {
    let address = text.split(']').next().unwrap_or_default();
    // A zone stands behind a percent sign (RFC 6874).
    address.split('%').next().is_some_and(|a| a.parse::<std::net::Ipv6Addr>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_address_is_the_one_that_curl_asks_for() {
        for (text, expected, more) in [
            ("h/{a,b}/[1-3]", "h/a/1", true),
            ("h/[001-100:2]", "h/001", true),
            ("h/[a-z]", "h/a", true),
            ("h/[]?a[]=b", "h/[]?a[]=b", false),
            ("h/\\{a\\}", "h/{a}", false),
            ("h/{,a}", "h/", true),
            ("h/{x}", "h/x", false),
            ("http://[::1]:80/[1-2]", "http://[::1]:80/1", true),
            ("http://[fe80::1%25eth0]/", "http://[fe80::1%25eth0]/", false),
            ("h/é", "h/é", false),
        ] {
            assert_eq!(first(text), Ok((expected.to_owned(), more)), "{text}");
        }
        for text in ["h/{}", "h/[x]", "h/{a", "h/a]", "h/a}", "h/[5-1]", "h/{a{b,c}}", "h/[9-a]", "h/[1-2:0]"]
        {
            assert!(first(text).is_err(), "{text}");
        }
    }
}
