//! What a person says of the clock of the machine that the evidence comes from.

use std::str::FromStr;

/// What it showed, or how far it is ahead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Clock {
    /// The time that it showed when the evidence was recorded.
    Shows(jiff::Timestamp),
    /// So many seconds ahead of the true time; behind where negative.
    Ahead(i64),
}

impl FromStr for Clock {
    type Err = String;

    fn from_str(text: &str) -> Result<Clock, String> {
        let wrong = || {
            format!(
                "{text:?} is neither a time with its zone (2026-11-22T17:16:14Z) nor an offset with its sign (+90s, -5m, +1h30m)"
            )
        };
        if let Some(offset) = text.strip_prefix('+') {
            return ahead(offset).map(Clock::Ahead).ok_or_else(wrong);
        }
        if let Some(offset) = text.strip_prefix('-') {
            return ahead(offset).map(|s| Clock::Ahead(-s)).ok_or_else(wrong);
        }
        text.parse().map(Clock::Shows).map_err(|_| wrong())
    }
}

/// `90`, `90s`, `1h30m`, `2d`: in seconds.
fn ahead(text: &str) -> Option<i64> {
    let mut total = 0_i64;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (number, after) = rest.split_at_checked(digits)?;
        let unit = after.chars().next();
        let seconds = match unit {
            None | Some('s') => 1,
            Some('m') => 60,
            Some('h') => 3600,
            Some('d') => 86_400,
            Some(_) => return None,
        };
        total = total.checked_add(number.parse::<i64>().ok()?.checked_mul(seconds)?)?;
        rest = unit.map_or("", |u| after.get(u.len_utf8()..).unwrap_or_default());
    }
    (!text.is_empty()).then_some(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_offsets_are_read() {
        for (text, want) in [("+90s", 90), ("-5m", -300), ("+1h30m", 5400), ("+7", 7), ("-2d", -172_800)] {
            assert_eq!(text.parse(), Ok(Clock::Ahead(want)), "{text}");
        }
        assert!(matches!("2026-11-22T17:16:14Z".parse(), Ok(Clock::Shows(_))));
        for text in ["", "+", "5m", "+5x", "+m", "2026-11-22", "+99999999999999999999"] {
            assert!(text.parse::<Clock>().is_err(), "{text}");
        }
    }
}
