//! How two secrets differ when one was meant for the other.

/// A slip by which one text became another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Slip {
    /// Every letter has the other case.
    CapsLock,
    /// Letter case.
    Case,
    /// y and z, or another pair of keyboard layouts.
    Layout,
    /// Characters that look alike: O and 0, l and 1 and I.
    LookAlike,
    /// One or two letters wrong, missing, too many, or swapped.
    Typo,
}

impl Slip {
    /// Completes "differs by …".
    pub(crate) fn in_words(self) -> &'static str {
        match self {
            Slip::CapsLock => "the case of every letter (Caps Lock)",
            Slip::Case => "letter case only",
            Slip::Layout => "the keyboard layout (y and z, for instance)",
            Slip::LookAlike => "characters that look alike (O and 0, l and 1)",
            Slip::Typo => "a letter or two",
        }
    }
}

/// Texts longer than this are not typed by hand, and are not compared letter by letter.
const LONGEST: usize = 128;

/// The slip by which `sent` may have come of `right`; `None` if they are equal or too far apart.
pub(crate) fn slip(sent: &[u8], right: &[u8]) -> Option<Slip> {
    if sent == right || sent.len() > LONGEST || right.len() > LONGEST {
        return None;
    }
    let a: Vec<char> = String::from_utf8_lossy(sent).chars().collect();
    let b: Vec<char> = String::from_utf8_lossy(right).chars().collect();
    let lower = |t: &[char]| t.iter().flat_map(|c| c.to_lowercase()).collect::<Vec<char>>();
    if lower(&a) == lower(&b) {
        let all = a.iter().zip(&b).filter(|(x, _)| x.is_alphabetic()).all(|(x, y)| x != y);
        return Some(if all && a.len() > 1 { Slip::CapsLock } else { Slip::Case });
    }
    if a.len() == b.len() {
        if a.iter().map(|c| german(*c)).eq(b.iter().copied()) {
            return Some(Slip::Layout);
        }
        if a.iter().map(|c| face(*c)).eq(b.iter().map(|c| face(*c))) {
            return Some(Slip::LookAlike);
        }
    }
    // Two letters in each other's place, whatever stands between them.
    if a.len() == b.len() && a.len() >= SWAPPED {
        let differ: Vec<_> = a.iter().zip(&b).filter(|(x, y)| x != y).collect();
        if let [(a, b), (c, d)] = differ.as_slice()
            && a == d
            && b == c
        {
            return Some(Slip::Typo);
        }
    }
    // A letter in four may be wrong, but never more than two: short secrets differ by that much without any slip.
    let allowed = (a.len().max(b.len()) / 4).min(2);
    (a.len().abs_diff(b.len()) <= allowed && distance(&a, &b) <= allowed).then_some(Slip::Typo)
}

/// Shorter texts differ by two letters without any slip.
const SWAPPED: usize = 6;

fn german(c: char) -> char {
    match c {
        'y' => 'z',
        'z' => 'y',
        'Y' => 'Z',
        'Z' => 'Y',
        c => c,
    }
}

fn face(c: char) -> char {
    match c {
        'O' | 'o' => '0',
        'l' | 'I' | '|' => '1',
        'S' => '5',
        'B' => '8',
        'Z' => '2',
        '–' | '—' => '-',
        '‘' | '’' => '\'',
        '“' | '”' => '"',
        // Cyrillic and Greek letters with the face of Latin ones (UTS 39).
        'а' => 'a',
        'е' => 'e',
        'о' => '0',
        'р' => 'p',
        'с' => 'c',
        'х' => 'x',
        'А' | 'Α' => 'A',
        'Е' | 'Ε' => 'E',
        'ο' | 'О' | 'Ο' => '0',
        c => c,
    }
}

/// How many single steps lead from one text to the other: a letter wrong, missing, too many, two swapped (optimal string
/// alignment distance).
fn distance(a: &[char], b: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let at = |row: &[usize], k: usize| row.get(k).copied().unwrap_or(usize::MAX / 2);
            let mut best =
                (at(&last, j) + usize::from(x != y)).min(at(&last, j + 1) + 1).min(at(&row, j) + 1);
            let swapped = i > 0 && j > 0 && a.get(i - 1) == Some(y) && b.get(j - 1) == Some(x);
            if swapped {
                best = best.min(at(&before, j - 1) + 1);
            }
            row.push(best);
        }
        before = std::mem::replace(&mut last, row);
    }
    last.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_told_apart() {
        let of = |a: &str, b: &str| slip(a.as_bytes(), b.as_bytes());
        assert_eq!(of("sECRET42", "Secret42"), Some(Slip::CapsLock));
        assert_eq!(of("secret42", "Secret42"), Some(Slip::Case));
        assert_eq!(of("Secrte42", "Secret42"), Some(Slip::Typo));
        assert_eq!(of("Holzweg", "Holyweg"), Some(Slip::Layout));
        assert_eq!(of("passw0rd", "password"), Some(Slip::LookAlike));
    }

    #[test]
    fn other_secrets_are_no_slip() {
        let of = |a: &str, b: &str| slip(a.as_bytes(), b.as_bytes());
        assert_eq!(of("abc", "abd"), None);
        assert_eq!(of("Secret42", "Secret42"), None);
        assert_eq!(of("Winter2023", "Sommer2024"), None);
        assert_eq!(of(&"x".repeat(4000), &"y".repeat(4000)), None);
    }
}
