//! Numbers, texts and lists as bytes, for what is kept of a part between machines.
//!
//! Small numbers take little room: seven bits a byte, the lowest first, as in LEB128. Whatever is read comes from
//! somewhere else: nothing is believed that the bytes at hand do not bear out, so the memory that is taken stays in
//! proportion to them, and no number is large enough for a sum of many to overflow.

use std::collections::BTreeMap;

/// No count is larger, so that many of them can be added up.
pub(crate) const MOST: u64 = 1 << 48;
/// No time is further from 1970, in milliseconds.
const FAR: i64 = 1 << 52;

/// The bytes are no state, or are damaged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Malformed;

impl std::fmt::Display for Malformed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("is damaged or cut off")
    }
}

/// Bytes that are taken from the front.
#[derive(Debug, Clone)]
pub struct In<'a>(&'a [u8]);

impl<'a> In<'a> {
    /// All of these.
    pub fn new(bytes: &'a [u8]) -> In<'a> {
        In(bytes)
    }

    /// How many are left.
    pub fn left(&self) -> usize {
        self.0.len()
    }

    /// The next so many bytes.
    ///
    /// # Errors
    /// Where there are not so many.
    pub fn bytes(&mut self, count: usize) -> Result<&'a [u8], Malformed> {
        let (head, rest) = self.0.split_at_checked(count).ok_or(Malformed)?;
        self.0 = rest;
        Ok(head)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        self.bytes(N)?.try_into().map_err(|_| Malformed)
    }

    fn number(&mut self) -> Result<u64, Malformed> {
        let mut number = 0u64;
        for shift in (0..64).step_by(7) {
            let [byte] = self.array()?;
            let bits = u64::from(byte & 0x7f);
            number |= bits.checked_shl(shift).filter(|n| n >> shift == bits).ok_or(Malformed)?;
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
        Err(Malformed)
    }

    /// A length: of no more than is left.
    fn length(&mut self) -> Result<usize, Malformed> {
        usize::try_from(self.number()?).ok().filter(|n| *n <= self.0.len()).ok_or(Malformed)
    }
}

/// What can be written as bytes and read again. Each value takes at least one byte.
pub trait Wire: Sized {
    /// Appends it.
    fn put(&self, out: &mut Vec<u8>);

    /// Takes it from the front.
    ///
    /// # Errors
    /// Where it does not stand there.
    fn get(from: &mut In<'_>) -> Result<Self, Malformed>;
}

/// All of the fields, in this order; `field: key` where a number is as good as random.
macro_rules! wire {
    (@put $value:expr, $out:ident) => { $crate::wire::Wire::put(&$value, $out) };
    (@put $value:expr, $out:ident key) => { $crate::wire::Wire::put(&$crate::wire::Key($value), $out) };
    (@get $from:ident) => { $crate::wire::Wire::get($from)? };
    (@get $from:ident key) => { <$crate::wire::Key as $crate::wire::Wire>::get($from)?.0 };
    ($name:ident { $($field:ident $(: $kind:ident)?),+ $(,)? }) => {
        impl $crate::wire::Wire for $name {
            fn put(&self, out: &mut Vec<u8>) {
                $($crate::wire::wire!(@put self.$field, out $($kind)?);)+
            }
            fn get(from: &mut $crate::wire::In<'_>) -> Result<Self, $crate::wire::Malformed> {
                Ok($name { $($field: $crate::wire::wire!(@get from $($kind)?)),+ })
            }
        }
    };
}
pub(crate) use wire;

/// What is as good as random, and would take ten bytes the other way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key(pub u64);

impl Wire for Key {
    fn put(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.0.to_le_bytes());
    }
    fn get(from: &mut In<'_>) -> Result<Self, Malformed> {
        from.array().map(|bytes| Key(u64::from_le_bytes(bytes)))
    }
}

fn put_number(number: u64, out: &mut Vec<u8>) {
    let mut rest = number;
    while rest > 0x7f {
        out.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    out.push(rest as u8);
}

impl Wire for u64 {
    fn put(&self, out: &mut Vec<u8>) {
        put_number((*self).min(MOST), out);
    }
    fn get(from: &mut In<'_>) -> Result<Self, Malformed> {
        from.number().and_then(|n| if n <= MOST { Ok(n) } else { Err(Malformed) })
    }
}

/// Times: the sign is the lowest bit.
impl Wire for i64 {
    fn put(&self, out: &mut Vec<u8>) {
        let value = (*self).clamp(-FAR, FAR);
        put_number(((value << 1) ^ (value >> 63)) as u64, out);
    }
    fn get(from: &mut In<'_>) -> Result<Self, Malformed> {
        let bits = from.number()?;
        let value = (bits >> 1) as i64 ^ -((bits & 1) as i64);
        if (-FAR..=FAR).contains(&value) { Ok(value) } else { Err(Malformed) }
    }
}

macro_rules! narrow {
    ($($type:ty),+) => {$(
        impl Wire for $type {
            fn put(&self, out: &mut Vec<u8>) {
                u64::from(*self).put(out);
            }
            fn get(from: &mut In<'_>) -> Result<Self, Malformed> {
                u64::get(from)?.try_into().map_err(|_| Malformed)
            }
        }
    )+};
}
narrow!(u8, u16, u32);

impl Wire for bool {
    fn put(&self, out: &mut Vec<u8>) {
        out.push(u8::from(*self));
    }
    fn get(from: &mut In<'_>) -> Result<Self, Malformed> {
        match from.array()? {
            [0] => Ok(false),
            [1] => Ok(true),
            _ => Err(Malformed),
        }
    }
}

impl Wire for Box<[u8]> {
    fn put(&self, out: &mut Vec<u8>) {
        (self.len() as u64).put(out);
        out.extend_from_slice(self);
    }
    fn get(from: &mut In<'_>) -> Result<Self, Malformed> {
        let length = from.length()?;
        from.bytes(length).map(Box::from)
    }
}

impl Wire for String {
    fn put(&self, out: &mut Vec<u8>) {
        (self.len() as u64).put(out);
        out.extend_from_slice(self.as_bytes());
    }
    fn get(from: &mut In<'_>) -> Result<Self, Malformed> {
        let length = from.length()?;
        str::from_utf8(from.bytes(length)?).map(str::to_owned).map_err(|_| Malformed)
    }
}

impl<T: Wire> Wire for Option<T> {
    fn put(&self, out: &mut Vec<u8>) {
        self.is_some().put(out);
        self.iter().for_each(|value| value.put(out));
    }
    fn get(from: &mut In<'_>) -> Result<Self, Malformed> {
        bool::get(from)?.then(|| T::get(from)).transpose()
    }
}

impl<T: Wire> Wire for Box<T> {
    fn put(&self, out: &mut Vec<u8>) {
        (**self).put(out);
    }
    fn get(from: &mut In<'_>) -> Result<Self, Malformed> {
        T::get(from).map(Box::new)
    }
}

/// As many as the first number tells. No room is made for them before they are there.
impl<T: Wire> Wire for Vec<T> {
    fn put(&self, out: &mut Vec<u8>) {
        (self.len() as u64).put(out);
        self.iter().for_each(|value| value.put(out));
    }
    fn get(from: &mut In<'_>) -> Result<Self, Malformed> {
        let count = from.length()?;
        (0..count).map(|_| T::get(from)).collect::<Result<Vec<T>, _>>()
    }
}

impl<K: Wire + Ord, V: Wire> Wire for BTreeMap<K, V> {
    fn put(&self, out: &mut Vec<u8>) {
        (self.len() as u64).put(out);
        for (key, value) in self {
            key.put(out);
            value.put(out);
        }
    }
    fn get(from: &mut In<'_>) -> Result<Self, Malformed> {
        let count = from.length()?;
        (0..count).map(|_| <(K, V)>::get(from)).collect()
    }
}

impl<A: Wire, B: Wire> Wire for (A, B) {
    fn put(&self, out: &mut Vec<u8>) {
        self.0.put(out);
        self.1.put(out);
    }
    fn get(from: &mut In<'_>) -> Result<Self, Malformed> {
        Ok((A::get(from)?, B::get(from)?))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "in a test a panic is the report")]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn back<T: Wire>(value: &T) -> T {
        let mut out = Vec::new();
        value.put(&mut out);
        assert!(!out.is_empty());
        let mut from = In::new(&out);
        let got = T::get(&mut from).unwrap();
        assert_eq!(from.left(), 0);
        got
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(n in 0..=MOST, t in -(1i64 << 46)..(1i64 << 46), key: u64, texts: Vec<String>) {
            prop_assert_eq!(back(&n), n);
            prop_assert_eq!(back(&t), t);
            prop_assert_eq!(back(&Key(key)), Key(key));
            prop_assert_eq!(back(&Some((t, n))), Some((t, n)));
            prop_assert_eq!(back(&texts), texts);
        }

        #[test]
        fn no_bytes_do_harm(bytes: Vec<u8>) {
            let _ = Vec::<(u64, Box<[u8]>)>::get(&mut In::new(&bytes));
            let _ = <BTreeMap<u16, i64> as Wire>::get(&mut In::new(&bytes));
        }
    }

    #[test]
    fn what_is_longer_than_the_bytes_at_hand_is_refused() {
        for bytes in [&[0xff, 0xff, 0xff, 0xff, 0x0f][..], &[5, 1, 2], &[0xff; 12], &[], &[2, 0x80]] {
            assert_eq!(Vec::<u64>::get(&mut In::new(bytes)), Err(Malformed), "{bytes:?}");
        }
        assert_eq!(
            u64::get(&mut In::new(&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f])),
            Err(Malformed)
        );
    }
}
