//! Moments as the formats here write them, in seconds since 1970 (UTC).

/// `YYYYMMDDHHMMSS`, with or without a `T` after the day, as Kerberos and AWS write it.
pub(crate) fn compact(text: &str) -> Option<i64> {
    let digits: String = match text.len() {
        14 => text.to_string(),
        15 if text.as_bytes().get(8) == Some(&b'T') => text.chars().filter(|c| *c != 'T').collect(),
        _ => return None,
    };
    if !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let number = |from: usize, to: usize| digits.get(from..to)?.parse::<i64>().ok();
    let (year, month, day) = (number(0, 4)?, number(4, 6)?, number(6, 8)?);
    let (hour, minute, second) = (number(8, 10)?, number(10, 12)?, number(12, 14)?);
    let valid =
        (1..=12).contains(&month) && (1..=31).contains(&day) && hour < 24 && minute < 60 && second < 61;
    valid.then(|| days(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second)
}

/// Days since 1970 of a date in the Gregorian calendar.
fn days(year: i64, month: i64, day: i64) -> i64 {
    // The year begins in March, so that the leap day is its last; 400 years have 146097 days.
    let y = if month <= 2 { year - 1 } else { year };
    let era = y.div_euclid(400);
    let of_era = y - era * 400;
    let of_year = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// Seconds since 1970 as `YYYY-MM-DDTHH:MM:SSZ`.
pub(crate) fn rfc3339(seconds: i64) -> String {
    let (day, rest) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let z = day + 719_468;
    let era = z.div_euclid(146_097);
    let of_era = z.rem_euclid(146_097);
    let y = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * y + y / 4 - y / 100);
    let m = (5 * of_year + 2) / 153;
    let (d, month) = (of_year - (153 * m + 2) / 5 + 1, if m < 10 { m + 3 } else { m - 9 });
    let year = y + era * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{d:02}T{:02}:{:02}:{:02}Z", rest / 3600, rest / 60 % 60, rest % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_there_and_back() {
        assert_eq!(compact("20200613210423"), Some(1_592_082_263));
        assert_eq!(compact("20150830T123600"), Some(1_440_938_160));
        assert_eq!(compact("19700101000000"), Some(0));
        assert_eq!(compact("20241301000000"), None);
        for s in [0, 951_782_399, 951_782_400, 1_709_164_800, 1_709_251_199, 4_102_444_800, -1] {
            let text = rfc3339(s);
            let digits: String = text.chars().filter(char::is_ascii_digit).collect();
            assert_eq!(compact(&digits), Some(s), "{text}");
        }
        assert_eq!(rfc3339(1_592_082_263), "2020-06-13T21:04:23Z");
    }
}
