//! Codes in words: what stands for a refusal without any message around it.

use super::words;
use why401_http::{Address, Fact, FactKind};
use why401_span::{Derived, SourceId, Span};

/// Reads an argument that is a code: a status with or without an IIS substatus (`401`, `401.3`), an `HRESULT` or
/// NTSTATUS in hexadecimal or as the signed decimal that some logs print (`0x80244017`, `-2145107945`), a Win32 error
/// (`1326`), or a product's own (`AH01617`, `IDX10206`, `AADSTS50034`).
///
/// The code is given in its usual spelling: hexadecimal with `0x` and eight upper-case digits.
pub fn code(source: SourceId, text: &str) -> Option<Fact> {
    let code = code_of(text.trim())?;
    let text = text.trim();
    let span = Span::new(source, 0, text.len() as u64).on_line(1);
    Some(Fact { source, text: Derived::exact(text, span), kind: FactKind::Code(code) })
}

/// Reads an argument that is an `http` or `https` address, with or without userinfo.
pub fn address(source: SourceId, text: &str) -> Option<Fact> {
    let text = text.trim();
    Address::parse(text).filter(|a| !a.host.is_empty() && !text.contains(char::is_whitespace))?;
    let span = Span::new(source, 0, text.len() as u64).on_line(1);
    let (address, userinfo) = super::userinfo::split_userinfo(text);
    Some(Fact { source, text: Derived::exact(text, span), kind: FactKind::Address { address, userinfo } })
}

pub(super) fn code_of(text: &str) -> Option<String> {
    let digits = |t: &str| !t.is_empty() && t.bytes().all(|c| c.is_ascii_digit());
    if let Some(hex) = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        let value = u32::from_str_radix(hex, 16).ok().filter(|_| hex.len() == 8)?;
        return Some(format!("0x{value:08X}"));
    }
    if let Some(number) = text.strip_prefix('-').filter(|t| digits(t) && t.len() >= 9) {
        // An HRESULT printed as a signed number of 32 bits.
        let value = number.parse::<i64>().ok().map(|n| -n)?;
        let value = i32::try_from(value).ok()?;
        return Some(format!("0x{:08X}", value.cast_unsigned()));
    }
    if let Some((status, sub)) = text.split_once('.') {
        let plain = status.len() == 3 && digits(status) && (1..=3).contains(&sub.len()) && digits(sub);
        return (plain && matches!(status, "401" | "403" | "407")).then(|| text.to_owned());
    }
    if digits(text) {
        let value: u64 = text.parse().ok()?;
        // NTSTATUS and HRESULT as IIS logs them in sc-win32-status.
        if value >= 0x8000_0000 && value <= u64::from(u32::MAX) {
            return Some(format!("0x{value:08X}"));
        }
        return (text.len() <= 5).then(|| text.to_owned());
    }
    let upper = text.to_ascii_uppercase();
    let known = [("AH", 5), ("IDX", 5), ("AADSTS", 4), ("E", 3)];
    known
        .iter()
        .any(|(prefix, n)| upper.strip_prefix(prefix).is_some_and(|d| digits(d) && d.len() >= *n))
        .then_some(upper)
        .filter(|u| !u.starts_with('E') || words::status(u).0.is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> Option<String> {
        match code(SourceId(0), text)?.kind {
            FactKind::Code(code) => Some(code),
            _ => None,
        }
    }

    #[test]
    fn every_spelling_of_a_code_is_read() {
        for (given, read) in [
            ("401.3", "401.3"),
            ("0x80244017", "0x80244017"),
            ("0xc000006d", "0xC000006D"),
            ("AH01617", "AH01617"),
            ("ah01617", "AH01617"),
            ("-2145107945", "0x80244017"),
            ("2148074252", "0x8009030C"),
            ("1326", "1326"),
            (" 401 ", "401"),
            ("AADSTS50034", "AADSTS50034"),
            ("E401", "E401"),
        ] {
            assert_eq!(told(given).as_deref(), Some(read), "{given}");
        }
        for none in ["access.log", "", "401.x", "hello", "0x12", "1.2.3", "-5", "E5000", "12345678"] {
            assert_eq!(told(none), None, "{none}");
        }
    }

    #[test]
    fn an_address_is_told_without_its_password() {
        let fact = address(SourceId(0), "https://alice:p%40w@example.com/x").unwrap();
        let FactKind::Address { address, userinfo } = fact.kind else { panic!() };
        let userinfo = userinfo.unwrap();
        assert_eq!((address.as_str(), userinfo.user.as_str()), ("https://example.com/x", "alice"));
        assert_eq!(userinfo.password.unwrap().expose(), "p@w");
        assert!(super::address(SourceId(0), "example.com").is_none());
    }
}
