//! The data files as tables and as JSON. What is asked of all products together is in the tables, so the program begins
//! without reading any product; of those that have something to say the rest is read as JSON, several times as fast as TOML.

#[path = "src/compile.rs"]
mod compile;
#[path = "src/index.rs"]
#[allow(dead_code, unreachable_pub, reason = "the tables are made here, and asked in the program")]
mod index;
#[path = "src/model.rs"]
#[allow(dead_code, unreachable_pub, reason = "a product is read here, and asked in the program")]
mod model;
#[path = "src/pattern.rs"]
#[allow(dead_code, unreachable_pub, reason = "as with `index`")]
mod pattern;
#[path = "src/place.rs"]
#[allow(dead_code, unreachable_pub, reason = "as with `model`")]
mod place;
#[path = "src/tables.rs"]
#[allow(dead_code, reason = "as with `index`")]
mod tables;
#[path = "src/words.rs"]
mod words;

use compile::Compiler;
use std::error::Error;
use std::fmt::{Debug, Write};
use std::path::{Path, PathBuf};
use std::{env, fs};
use tables::Wordings;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=data");
    println!("cargo::rerun-if-changed=src");
    println!("cargo::rerun-if-changed=build.rs");
    let mut files = Vec::new();
    find(Path::new("data"), &mut files)?;
    files.sort();
    let mut compiler = Compiler::default();
    let mut products = String::new();
    for path in &files {
        let read = || -> Result<_, Box<dyn Error>> {
            let text = fs::read_to_string(path)?;
            let data: toml::Value = toml::from_str(&text)?;
            Ok((toml::from_str(&text)?, serde_json::to_string(&data)?))
        };
        let (product, json) = read().map_err(|e| format!("{}: {e}", path.display()))?;
        compiler.add(&product);
        writeln!(products, "    {json:?},")?;
    }
    let tables = compiler.finish();
    let mut code =
        format!("/// Each product as JSON.\npub(crate) static PRODUCTS: &[&str] = &[\n{products}];\n");
    let names: String = tables.names.iter().map(|name| format!("Cow::Borrowed({name:?}), ")).collect();
    let codes = tables.codes.iter().map(|(code, target)| format!("(Cow::Borrowed({code:?}), {target}), "));
    let places = tables.places.iter().map(|of| {
        let fields: String = of.fields.iter().map(|field| format!("Cow::Borrowed({field:?}), ")).collect();
        format!("Places {{ known: {}, fields: {} }}, ", of.known, list(&fields))
    });
    write!(
        code,
        "/// What is asked of all of them.\npub(crate) const TABLES: Tables = Tables {{ names: {}, phrases: {}, marks: {}, \
         bare: {}, codes: {}, places: {}, said: {}, seen: {} }};\n",
        list(&names),
        table(&tables.phrases),
        table(&tables.marks),
        table(&tables.bare),
        list(&codes.collect::<String>()),
        list(&places.collect::<String>()),
        wordings(&tables.said),
        wordings(&tables.seen),
    )?;
    let out = env::var_os("OUT_DIR").ok_or("cargo names no OUT_DIR")?;
    Ok(fs::write(Path::new(&out).join("built.rs"), code)?)
}

/// The TOML files below a folder.
fn find(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), Box<dyn Error>> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            find(&path, files)?;
        } else if path.extension().is_some_and(|e| e == "toml") {
            files.push(path);
        }
    }
    Ok(())
}

fn wordings(of: &Wordings) -> String {
    format!(
        "Wordings {{ words: Cow::Borrowed(b\"{}\"), word_ends: {}, slots: {}, lengths: {}, atoms: {}, run_ends: {}, \
         wording_ends: {}, targets: {}, singles: {}, single_ends: {}, pairs: {}, pair_ends: {} }}",
        of.words.escape_ascii(),
        table(&of.word_ends),
        table(&of.slots),
        table(&of.lengths),
        table(&of.atoms),
        table(&of.run_ends),
        table(&of.wording_ends),
        table(&of.targets),
        table(&of.singles),
        table(&of.single_ends),
        table(&of.pairs),
        table(&of.pair_ends),
    )
}

/// What numbers print for people is what the compiler reads.
fn table<T: Debug>(table: &[T]) -> String {
    let items: String = table.iter().map(|item| format!("{item:?},")).collect();
    list(&items)
}

fn list(items: &str) -> String {
    format!("Cow::Borrowed(&[{items}])")
}
