//! All that is known, ready to be asked.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::{LazyLock, OnceLock};

use crate::built::{PRODUCTS, TABLES};
use crate::compile::Compiler;
use crate::model::{Fix, Phrase, Product, ProductId, Weight};
use crate::place::Channel;
use crate::tables::{Entry, Tables};

/// Every product with its phrases and fixes, and the tables over them.
#[derive(Debug, Default)]
pub struct Knowledge {
    /// Each is read when it has something to say.
    products: Vec<OnceLock<Option<Product>>>,
    tables: Tables,
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
    /// All that is built in.
    pub fn shared() -> &'static Knowledge {
        static SHARED: LazyLock<Knowledge> = LazyLock::new(|| Knowledge {
            products: PRODUCTS.iter().map(|_| OnceLock::new()).collect(),
            tables: TABLES,
            problems: Vec::new(),
        });
        &SHARED
    }

    /// Reads data files, given as name and contents. What cannot be read is left out and told by
    /// [`problems`](Self::problems).
    pub fn read(files: &[(&str, &str)]) -> Knowledge {
        let mut known = Knowledge::default();
        let mut compiler = Compiler::default();
        for (name, contents) in files {
            match toml::from_str(contents) {
                Ok(product) => {
                    compiler.add(&product);
                    known.products.push(OnceLock::from(Some(product)));
                }
                Err(error) => known.problems.push(format!("{name}: {error}")),
            }
        }
        known.tables = compiler.finish();
        known
    }

    /// What the text says, in the order of the text: every phrase heard on `channel`, each once.
    ///
    /// A phrase that is part of a longer one found at the same place is left out, for the longer says it more exactly.
    /// Those with `needs_product` count only where the product is recognised; [`said_by`](Self::said_by) sees to that.
    pub fn said(&self, channel: Channel<'_>, text: impl AsRef<[u8]>) -> Vec<Said<'_>> {
        self.said_where(channel, text.as_ref(), |_| true)
    }

    /// As [`said`](Self::said), without the phrases that need a product which is not among those recognised.
    pub fn said_by(
        &self,
        channel: Channel<'_>,
        text: impl AsRef<[u8]>,
        recognised: &[ProductId],
    ) -> Vec<Said<'_>> {
        self.said_where(channel, text.as_ref(), |phrase| {
            !phrase.needs_product || recognised.contains(&ProductId(phrase.product))
        })
    }

    fn said_where(
        &self,
        channel: Channel<'_>,
        text: &[u8],
        wanted: impl Fn(&Entry) -> bool,
    ) -> Vec<Said<'_>> {
        let found = self.tables.said.find(text, |target| {
            self.tables.phrases.get(target).is_some_and(|entry| self.hears(entry, channel) && wanted(entry))
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

    fn hears(&self, entry: &Entry, channel: Channel<'_>) -> bool {
        self.tables.places.get(usize::from(entry.places)).is_some_and(|places| places.hear(channel))
    }

    fn phrase(&self, target: usize) -> Option<(ProductId, &Phrase)> {
        let entry = self.tables.phrases.get(target)?;
        let id = ProductId(entry.product);
        Some((id, self.product(id)?.phrases.get(usize::from(entry.number))?))
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
        let marks = &self.tables.marks;
        let heard = |target: usize| marks.get(target).is_some_and(|mark| self.hears(mark, channel));
        let by_text = self.tables.seen.find(text.as_ref(), heard).into_iter().map(|(target, _)| target);
        let by_presence =
            self.tables.bare.iter().map(|target| *target as usize).filter(|&target| heard(target));
        let product = |target: usize| marks.get(target).map(|mark| ProductId(mark.product));
        let mut products: Vec<ProductId> = by_text.chain(by_presence).filter_map(product).collect();
        products.sort_unstable();
        products.dedup();
        products
    }

    /// The phrases that have this code (`AH01617`, `401.3`, `0x80090308`, `1326`), letter case aside.
    pub fn code(&self, code: &str) -> Vec<(ProductId, &Phrase)> {
        let is = |(known, _): &&(Cow<'static, str>, u32)| known.eq_ignore_ascii_case(code.trim());
        let mut targets: Vec<u32> = self.tables.codes.iter().filter(is).map(|(_, target)| *target).collect();
        targets.dedup();
        targets.into_iter().filter_map(|target| self.phrase(target as usize)).collect()
    }

    /// What mends a cause at the given products, in the order of the products.
    pub fn fixes(&self, cause: &str, products: &[ProductId]) -> Vec<&Fix> {
        let of = |id: &ProductId| self.product(*id).into_iter().flat_map(|product| &product.fixes);
        products.iter().flat_map(of).filter(|fix| fix.cause == cause).collect()
    }

    /// The product of an id that this knowledge gave.
    pub fn product(&self, id: ProductId) -> Option<&Product> {
        // What is built in was read once before, when it was built.
        let read = || serde_json::from_str(PRODUCTS.get(usize::from(id.0))?).ok();
        self.products.get(usize::from(id.0))?.get_or_init(read).as_ref()
    }

    /// Every product with its id.
    pub fn products(&self) -> impl Iterator<Item = (ProductId, &Product)> {
        let ids = (0..).map(ProductId).take(self.products.len());
        ids.filter_map(|id| Some((id, self.product(id)?)))
    }

    /// The product of this stable name.
    pub fn named(&self, name: &str) -> Option<(ProductId, &Product)> {
        let number = self.tables.names.iter().position(|known| known == name)?;
        let id = ProductId(u16::try_from(number).ok()?);
        Some((id, self.product(id)?))
    }

    /// Data files that could not be read, and why.
    pub fn problems(&self) -> &[String] {
        &self.problems
    }
}
