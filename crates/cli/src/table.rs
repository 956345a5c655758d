//! The refusals as a table: `--format ndjson` on standard output, `--out FILE` beside the diagnosis.

use crate::args::{Args, Format};
use crate::bulk;
use crate::diagnose::Explained;
use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufWriter};
use std::path::Path;
use why401_causes::Because;
use why401_history::{Attempt, Case};
use why401_redact::SecretSet;
use why401_report::ExchangeRow;
use why401_table::{Ndjson, Parquet, Row, Table};

/// Writes the tables that were asked for.
///
/// # Errors
/// Where a file cannot be written, or its name does not tell the format.
pub(crate) fn write(args: &Args, explained: &Explained) -> Result<(), String> {
    let secrets = (!args.output.show_secrets).then_some(&explained.secrets);
    if args.output.format == Format::Ndjson {
        let out = BufWriter::new(io::stdout().lock());
        match fill(Box::new(Ndjson::new(out)), explained, secrets) {
            // Whoever reads it may stop reading (`| head`): that is no error.
            Err(e) if e.kind() == io::ErrorKind::BrokenPipe => {}
            done => done.map_err(|e| format!("standard output: {e}"))?,
        }
    }
    let Some(path) = &args.out else { return Ok(()) };
    let failed = |e: io::Error| format!("{}: {e}", path.display());
    fill(file(path)?, explained, secrets).map_err(failed)
}

/// The forms of a table in a file.
enum Form {
    Parquet,
    Ndjson,
}

/// What the name of a file tells.
fn form(path: &Path) -> Result<Form, String> {
    match path.extension().and_then(|e| e.to_str()) {
        Some("parquet") => Ok(Form::Parquet),
        Some("ndjson" | "jsonl") => Ok(Form::Ndjson),
        _ => Err(format!("{}: name the table FILE.parquet or FILE.ndjson", path.display())),
    }
}

fn file(path: &Path) -> Result<Box<dyn Table>, String> {
    let shown = path.display();
    let form = form(path)?;
    let file = File::create(path).map(BufWriter::new).map_err(|e| format!("{shown}: {e}"))?;
    Ok(match form {
        Form::Parquet => Box::new(Parquet::new(file).map_err(|e| format!("{shown}: {e}"))?),
        Form::Ndjson => Box::new(Ndjson::new(file)),
    })
}

/// Whether a table is asked for.
///
/// # Errors
/// Where the name of its file does not tell the format.
pub(crate) fn is_wanted(args: &Args) -> Result<bool, String> {
    args.out.as_deref().map(form).transpose()?;
    Ok(args.output.format == Format::Ndjson || args.out.is_some())
}

fn fill(mut table: Box<dyn Table>, explained: &Explained, secrets: Option<&SecretSet>) -> io::Result<()> {
    let case = &explained.case;
    let because = |refusal: usize| explained.each.get(refusal).copied().flatten();
    let mut groups = HashMap::new();
    for chain in &case.chains {
        let Some(because) = chain.refusal.and_then(because) else { continue };
        let steps = || chain.steps.iter().filter_map(|&i| case.attempt(i)).filter(|a| !a.let_in());
        // An example of a large log stands for others: all are read again.
        if let Some(folded) = steps().find_map(|a| a.folded.as_ref()) {
            groups.entry(folded.group).or_insert(because);
            continue;
        }
        for attempt in steps() {
            table.row(of_attempt(case, attempt, because, secrets))?;
        }
    }
    if let Some((logs, filter, folded)) = &explained.logs {
        bulk::each(logs, folded, filter, &mut |refused, group| {
            let because = group.and_then(|group| groups.get(&group).copied());
            // An error of the server that nobody explains as a refusal is none.
            if because.is_none() && !matches!(refused.status, Some(401 | 403 | 407 | 495 | 496)) {
                return Ok(());
            }
            table.row(of_refused(case, refused, because, secrets))
        })?;
    }
    table.finish()
}

fn of_attempt(case: &Case, attempt: &Attempt, because: Because, secrets: Option<&SecretSet>) -> Row {
    let ExchangeRow { source, index, client, server, method, target, status, user, .. } =
        why401_causes::row(case, attempt);
    let shown = |text| shown(text, secrets);
    let row = Row {
        source,
        index: Some(index),
        line: line(attempt),
        time: attempt.time().map(|t| t.at),
        client: shown(client),
        server: shown(server),
        method: shown(method),
        target: shown(target),
        status,
        user: shown(user),
        count: attempt.stands_for,
        ..Row::default()
    };
    with(row, Some(because))
}

fn of_refused(
    case: &Case,
    refused: bulk::Refused,
    because: Option<Because>,
    secrets: Option<&SecretSet>,
) -> Row {
    let bulk::Refused { source, index, line, time, client, host, method, path, status, user } = refused;
    let shown = |text| shown(text, secrets);
    let path = path.map(|path| why401_redact::target_without_secrets(&path));
    let row = Row {
        source: case.source_name(source).to_owned(),
        index: Some(index),
        line: Some(line),
        time,
        client: shown(client),
        server: shown(host),
        method: shown(method),
        target: shown(path),
        status,
        user: shown(user),
        count: 1,
        ..Row::default()
    };
    with(row, because)
}

fn with(row: Row, because: Option<Because>) -> Row {
    let Some(Because { cause, verdict, certainty, party }) = because else { return row };
    let (cause, verdict) = (Some(cause), Some(verdict));
    Row { cause, verdict, certainty: Some(certainty), party: Some(party), ..row }
}

/// Text as it may be shown.
fn shown(text: Option<String>, secrets: Option<&SecretSet>) -> Option<String> {
    let text = text?;
    let text = secrets.map_or(text.clone(), |secrets| secrets.scrub(&text));
    Some(why401_render::visible(&text))
}

/// The line of a log, or that of the request.
fn line(attempt: &Attempt) -> Option<u32> {
    let view = attempt.view();
    let text = view.log.as_ref().map(|log| &log.line).or(view.request.as_ref().map(|r| &r.line))?;
    Some(text.whole()?.span.line).filter(|line| *line > 0)
}
