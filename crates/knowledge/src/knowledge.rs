//! All that is known, ready to be asked.

use std::fmt::Display;
use std::ops::Range;
use std::sync::OnceLock;

use crate::files::FILES;
use crate::index::Index;
use crate::model::{Fix, Phrase, Product, ProductId, Weight};
use crate::place::Channel;

/// Every product with its phrases and fixes, and the indexes over them.
#[derive(Debug, Default)]
pub struct Knowledge {
    products: Vec<Product>,
    /// Product and position of each phrase, in the order of the targets of `said`.
    phrases: Vec<(u16, usize)>,
    marks: Vec<(u16, usize)>,
    said: Index,
    seen: Index,
    problems: Vec<String>,
}

/// A phrase found in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said<'k> {
    /// Whose words they are.
    pub product: ProductId,
    /// The phrase as the data has it.
    pub phrase: &'k str,
    /// Name of the cause.
    pub cause: &'k str,
    /// How much it says about the cause.
    pub weight: Weight,
    /// Causes that it leaves open.
    pub also: &'k [String],
    /// Bytes of the text, from the first word of the phrase to its last.
    pub range: Range<usize>,
    /// Whether it counts only where the product is recognised by other evidence.
    pub needs_product: bool,
    /// Where the wording stands.
    pub source: &'k str,
    /// What the reader should know.
    pub note: Option<&'k str>,
}

impl Knowledge {
    /// All that is built in, parsed at the first call.
    pub fn shared() -> &'static Knowledge {
        static SHARED: OnceLock<Knowledge> = OnceLock::new();
        SHARED.get_or_init(|| Knowledge::of(FILES, |json| serde_json::from_str(json)))
    }

    /// Reads data files, given as name and contents. What cannot be read is left out and told by
    /// [`problems`](Self::problems).
    pub fn read(files: &[(&str, &str)]) -> Knowledge {
        Knowledge::of(files, |toml| toml::from_str(toml))
    }

    fn of<E: Display>(files: &[(&str, &str)], read: impl Fn(&str) -> Result<Product, E>) -> Knowledge {
        let mut known = Knowledge::default();
        for (name, contents) in files {
            match read(contents) {
                Ok(product) => known.add(product),
                Err(error) => known.problems.push(format!("{name}: {error}")),
            }
        }
        known.said.finish();
        known.seen.finish();
        known
    }

    fn add(&mut self, product: Product) {
        let Ok(id) = u16::try_from(self.products.len()) else { return };
        for (number, phrase) in product.phrases.iter().enumerate() {
            let target = self.phrases.len();
            self.phrases.push((id, number));
            for text in &phrase.text.0 {
                self.said.add_text(text, target);
            }
            for code in &phrase.codes {
                // A bare number means nothing but in the column or field that it is the code of.
                if phrase.places.narrow() || code.bytes().any(|b| b.is_ascii_alphabetic()) {
                    self.said.add_code(code, target);
                }
            }
        }
        for (number, mark) in product.marks.iter().enumerate() {
            let target = self.marks.len();
            self.marks.push((id, number));
            self.seen.add_text(&mark.text, target);
        }
        self.products.push(product);
    }

    /// What the text says, in the order of the text: every phrase heard on `channel`, each once.
    ///
    /// A phrase that is part of a longer one found at the same place is left out, for the longer says it more exactly.
    /// Those with `needs_product` count only where the product is recognised; [`said_by`](Self::said_by) sees to that.
    pub fn said(&self, channel: Channel<'_>, text: impl AsRef<[u8]>) -> Vec<Said<'_>> {
        self.said_where(channel, text.as_ref(), |_, _| true)
    }

    /// As [`said`](Self::said), without the phrases that need a product which is not among those recognised.
    pub fn said_by(
        &self,
        channel: Channel<'_>,
        text: impl AsRef<[u8]>,
        recognised: &[ProductId],
    ) -> Vec<Said<'_>> {
        self.said_where(channel, text.as_ref(), |id, phrase| {
            !phrase.needs_product || recognised.contains(&id)
        })
    }

    fn said_where(
        &self,
        channel: Channel<'_>,
        text: &[u8],
        wanted: impl Fn(ProductId, &Phrase) -> bool,
    ) -> Vec<Said<'_>> {
        let found = self.said.find(text, |target| {
            self.phrase(target).is_some_and(|(id, phrase)| phrase.places.hear(channel) && wanted(id, phrase))
        });
        let mut said: Vec<(usize, Said<'_>)> = found
            .into_iter()
            .filter_map(|(target, range)| Some((target, self.as_said(target, range)?)))
            .collect();
        // Longer ones first where they begin alike, so that one pass sees what covers what.
        said.sort_by_key(|(_, s)| (s.range.start, std::cmp::Reverse(s.range.end)));
        let mut kept: Vec<(usize, Said<'_>)> = Vec::with_capacity(said.len());
        for (target, one) in said {
            let covered = kept.iter().any(|(_, longer)| {
                longer.range != one.range
                    && longer.range.start <= one.range.start
                    && one.range.end <= longer.range.end
                    && (!longer.needs_product || longer.product == one.product)
            });
            if !covered {
                kept.push((target, one));
            }
        }
        // A phrase of several wordings covers others with each of them, and is told once.
        let mut told: Vec<usize> = Vec::with_capacity(kept.len());
        kept.retain(|(target, _)| {
            let first = !told.contains(target);
            told.push(*target);
            first
        });
        kept.into_iter().map(|(_, said)| said).collect()
    }

    fn phrase(&self, target: usize) -> Option<(ProductId, &Phrase)> {
        let &(product, number) = self.phrases.get(target)?;
        Some((ProductId(product), self.products.get(usize::from(product))?.phrases.get(number)?))
    }

    fn as_said(&self, target: usize, range: Range<usize>) -> Option<Said<'_>> {
        let (product, phrase) = self.phrase(target)?;
        Some(Said {
            product,
            phrase: phrase.label(),
            cause: &phrase.cause,
            weight: phrase.weight,
            also: &phrase.also,
            range,
            needs_product: phrase.needs_product,
            source: &phrase.source,
            note: phrase.note.as_deref(),
        })
    }

    /// The products whose marks the text shows, each once.
    pub fn recognise(&self, channel: Channel<'_>, text: impl AsRef<[u8]>) -> Vec<ProductId> {
        let mark = |target: usize| {
            let &(product, number) = self.marks.get(target)?;
            Some((ProductId(product), self.products.get(usize::from(product))?.marks.get(number)?))
        };
        let heard = |target: usize| mark(target).is_some_and(|(_, mark)| mark.places.hear(channel));
        let by_text = self.seen.find(text.as_ref(), heard).into_iter().map(|(target, _)| target);
        let by_presence = (0..self.marks.len())
            .filter(|&target| heard(target) && mark(target).is_some_and(|(_, mark)| mark.text.is_empty()));
        let mut products: Vec<ProductId> =
            by_text.chain(by_presence).filter_map(|target| mark(target).map(|(id, _)| id)).collect();
        products.sort_unstable();
        products.dedup();
        products
    }

    /// The phrases that have this code (`AH01617`, `401.3`, `0x80090308`, `1326`), letter case aside.
    pub fn code(&self, code: &str) -> Vec<(ProductId, &Phrase)> {
        let has = |phrase: &Phrase| phrase.codes.iter().any(|c| c.eq_ignore_ascii_case(code.trim()));
        (0..self.phrases.len()).filter_map(|t| self.phrase(t)).filter(|(_, phrase)| has(phrase)).collect()
    }

    /// What mends a cause at the given products, in the order of the products.
    pub fn fixes(&self, cause: &str, products: &[ProductId]) -> Vec<&Fix> {
        let of = |id: &ProductId| self.product(*id).into_iter().flat_map(|product| &product.fixes);
        products.iter().flat_map(of).filter(|fix| fix.cause == cause).collect()
    }

    /// The product of an id that this knowledge gave.
    pub fn product(&self, id: ProductId) -> Option<&Product> {
        self.products.get(usize::from(id.0))
    }

    /// Every product with its id.
    pub fn products(&self) -> impl Iterator<Item = (ProductId, &Product)> {
        self.products.iter().enumerate().map(|(number, product)| (ProductId(number as u16), product))
    }

    /// The product of this stable name.
    pub fn named(&self, name: &str) -> Option<(ProductId, &Product)> {
        self.products().find(|(_, product)| product.product == name)
    }

    /// Data files that could not be read, and why.
    pub fn problems(&self) -> &[String] {
        &self.problems
    }
}
