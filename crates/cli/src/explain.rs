//! `why401 explain`: the catalogue, one cause, or what a code means.

use crate::args::{Args, Format};
use crate::{Status, output};
use why401_causes::{CATALOGUE, Meta};
use why401_knowledge::{Knowledge, Weight};
use why401_render::{CodeMeaning, Entry, explain_code, explain_list, explain_one, html_of_text, json_of};

/// Prints what is asked for.
///
/// # Errors
/// Where no cause and no code is called so; the error names those that come near.
pub(crate) fn run(args: &Args, what: Option<&str>) -> Result<Status, String> {
    let Some(what) = what else {
        let all: Vec<Entry<'_>> = CATALOGUE.iter().map(|c| entry(c.meta())).collect();
        return print(args, "The causes of a 401", &all, |entries| {
            explain_list(entries, output::layout(args))
        });
    };
    let name = what.trim().to_ascii_lowercase().replace(['_', ' '], "-");
    if let Some(cause) = why401_causes::catalogue::by_name(&name) {
        let entry = entry(cause.meta());
        return print(args, entry.cause, &entry, |e| match args.output.format {
            Format::Markdown => format!("# {}\n\n{}", e.cause, e.text.replace("\n ", "\n").trim_start()),
            _ => explain_one(e, output::layout(args)),
        });
    }
    let knowledge = Knowledge::shared();
    let meanings: Vec<CodeMeaning<'_>> = knowledge
        .code(what)
        .into_iter()
        .map(|(product, phrase)| CodeMeaning {
            code: what,
            cause: &phrase.cause,
            proves: phrase.weight == Weight::Proves,
            product: knowledge.product(product).map_or("", |p| &p.name),
            note: phrase.note.as_deref(),
            also: &phrase.also,
            source: &phrase.source,
        })
        .collect();
    if meanings.is_empty() {
        return Err(format!("{what}: no cause and no code is called so{}", near(&name)));
    }
    print(args, what, &meanings, |m| {
        let mut text = explain_code(m, output::layout(args));
        let mut causes: Vec<&str> = m.iter().map(|m| m.cause).collect();
        causes.sort_unstable();
        causes.dedup();
        if let ([cause], true) = (causes.as_slice(), args.output.format == Format::Text)
            && let Some(cause) = why401_causes::catalogue::by_name(cause)
        {
            text.push('\n');
            text.push_str(&explain_one(&entry(cause.meta()), output::layout(args)));
        }
        text
    })
}

fn print<T: serde::Serialize>(
    args: &Args,
    title: &str,
    value: &T,
    text: impl Fn(&T) -> String,
) -> Result<Status, String> {
    output::print(&match args.output.format {
        Format::Json | Format::Ndjson => json_of(value).map_err(|e| e.to_string())?,
        Format::Html => html_of_text(title, &text(value)),
        Format::Text | Format::Markdown => text(value),
    });
    Ok(Status::NoFault)
}

fn entry(meta: &'static Meta) -> Entry<'static> {
    Entry {
        cause: meta.name,
        group: meta.group.title(),
        verdict: meta.verdict,
        party: meta.party,
        title: meta.title.trim(),
        text: meta.doc.trim(),
    }
}

/// Causes that share a word with the name asked for.
fn near(name: &str) -> String {
    let words: Vec<&str> = name.split('-').filter(|w| w.len() > 2).collect();
    let shares = |cause: &str| {
        cause.split('-').any(|w| words.iter().any(|a| w.starts_with(a) || a.starts_with(w) && w.len() > 3))
    };
    let some: Vec<&str> = CATALOGUE.iter().map(|c| c.meta().name).filter(|c| shares(c)).take(5).collect();
    match some.as_slice() {
        [] => "; `why401 explain` lists all causes".to_owned(),
        some => format!("; did you mean {}?", some.join(", ")),
    }
}
