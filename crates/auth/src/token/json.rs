//! Where the members of a JSON object stand, so that a claim can be pointed at.

use std::ops::Range;

/// The members of the outermost object: name and the range from the name's quote to the end of the value.
/// The text is known to be valid JSON; for anything else the answer is short, never wrong about bounds.
pub fn members(json: &[u8]) -> Vec<(String, Range<usize>)> {
    let mut found = Vec::new();
    let mut depth = 0usize;
    let mut at = 0usize;
    // The member being read: its name and where that begins.
    let mut member: Option<(String, usize)> = None;
    let mut end = 0usize;
    while let Some(b) = json.get(at).copied() {
        match b {
            b'"' => {
                let close = string_end(json, at);
                if depth == 1 && member.is_none() {
                    let text = json.get(at..close).unwrap_or_default();
                    let name = serde_json::from_slice::<String>(text).unwrap_or_default();
                    member = Some((name, at));
                }
                at = close;
                end = close;
                continue;
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    found.extend(member.take().map(|(name, start)| (name, start..end)));
                }
            }
            b',' if depth == 1 => found.extend(member.take().map(|(name, start)| (name, start..end))),
            _ => {}
        }
        at += 1;
        if !b.is_ascii_whitespace() {
            end = at;
        }
    }
    found
}

/// After the closing quote of the string that opens at `at`.
fn string_end(json: &[u8], at: usize) -> usize {
    let mut i = at + 1;
    while let Some(b) = json.get(i) {
        match b {
            b'\\' => i += 1,
            b'"' => return i + 1,
            _ => {}
        }
        i += 1;
    }
    json.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_of_the_outermost_object_only() {
        let json = br#"{"iss":"a,\"b", "aud":["x","y"] ,"n":{"exp":1},"exp":12}"#;
        let read: Vec<_> = members(json)
            .into_iter()
            .map(|(n, r)| (n, String::from_utf8_lossy(&json[r]).into_owned()))
            .collect();
        let want = [
            ("iss", r#""iss":"a,\"b""#),
            ("aud", r#""aud":["x","y"]"#),
            ("n", r#""n":{"exp":1}"#),
            ("exp", r#""exp":12"#),
        ];
        assert_eq!(read, want.map(|(a, b)| (a.to_string(), b.to_string())));
    }
}
