//! Durations, sizes and rates as they are written: `15m`, `10M`, `20/10m`.

use serde::{Deserialize, Deserializer, de::Error};

/// Seconds: `90`, `"10s"`, `"15m"`, `"2h"`, `"7d"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Seconds(pub(crate) u32);

/// Bytes: `4096`, `"16k"`, `"10M"`, `"1G"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Bytes(pub(crate) u64);

/// So many in so many seconds: `"100/1s"`, `"20/10m"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rate {
    pub(crate) count: u32,
    pub(crate) seconds: u32,
}

fn scaled(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = (text.get(..digits)?, text.get(digits..)?.trim());
    let factor = units.iter().find(|(name, _)| *name == unit)?.1;
    number.parse::<u64>().ok()?.checked_mul(factor)
}

const TIME: &[(&str, u64)] = &[("", 1), ("s", 1), ("m", 60), ("h", 3600), ("d", 86400)];
const SIZE: &[(&str, u64)] = &[("", 1), ("k", 1 << 10), ("M", 1 << 20), ("G", 1 << 30)];

fn seconds(text: &str) -> Option<u32> {
    scaled(text.trim(), TIME).and_then(|s| u32::try_from(s).ok())
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Written {
    Number(u32),
    Text(String),
}

impl Written {
    fn text(self) -> String {
        match self {
            Written::Number(n) => n.to_string(),
            Written::Text(text) => text,
        }
    }
}

impl<'de> Deserialize<'de> for Seconds {
    fn deserialize<D: Deserializer<'de>>(given: D) -> Result<Self, D::Error> {
        let text = Written::deserialize(given)?.text();
        let wrong = || {
            D::Error::custom(format!("{text:?} is no duration such as \"10s\", \"15m\", \"2h\" or \"7d\""))
        };
        seconds(&text).map(Seconds).ok_or_else(wrong)
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(given: D) -> Result<Self, D::Error> {
        let text = Written::deserialize(given)?.text();
        let wrong =
            || D::Error::custom(format!("{text:?} is no size such as 4096, \"16k\", \"10M\" or \"1G\""));
        scaled(text.trim(), SIZE).map(Bytes).ok_or_else(wrong)
    }
}

impl<'de> Deserialize<'de> for Rate {
    fn deserialize<D: Deserializer<'de>>(given: D) -> Result<Self, D::Error> {
        let text = Written::deserialize(given)?.text();
        let read = text.split_once('/').and_then(|(count, time)| {
            let rate = Rate { count: count.trim().parse().ok()?, seconds: seconds(time)? };
            (rate.count > 0 && rate.seconds > 0).then_some(rate)
        });
        read.ok_or_else(|| D::Error::custom(format!("{text:?} is no rate such as \"100/1s\" or \"20/10m\"")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_read_and_nonsense_is_told() {
        assert_eq!((seconds("90"), seconds("15m"), seconds("7d")), (Some(90), Some(900), Some(604_800)));
        assert_eq!((scaled("16k", SIZE), scaled("10M", SIZE)), (Some(16384), Some(10 << 20)));
        for text in ["", "m", "-1s", "1w", "1.5s", "99999999999d"] {
            assert_eq!(seconds(text), None, "{text}");
        }
    }
}
