//! Standard output and standard error: form, colour, width, and a reader who goes away early.

use crate::args::{Args, Format, When};
use std::io::{self, IsTerminal, Write};
use why401_render::{Layout, Secrets, Shown};
use why401_report::Diagnosis;

/// Name and version, as the JSON names its maker.
pub(crate) const TOOL: &str = concat!("why401 ", env!("CARGO_PKG_VERSION"));

/// Prints a diagnosis in the form asked for.
///
/// # Errors
/// Where it has no such form.
pub(crate) fn diagnosis(args: &Args, diagnosis: Diagnosis) -> Result<(), String> {
    print(&rendered(args, diagnosis, layout(args))?);
    Ok(())
}

/// A diagnosis in the form asked for, as it goes to standard error or a file.
///
/// # Errors
/// Where it has no such form.
pub(crate) fn aside(args: &Args, diagnosis: Diagnosis) -> Result<String, String> {
    rendered(args, diagnosis, layout_on(args, io::stderr().is_terminal()))
}

fn rendered(args: &Args, diagnosis: Diagnosis, layout: Layout) -> Result<String, String> {
    let secrets = if args.output.show_secrets { Secrets::Shown } else { Secrets::Masked };
    let shown = Shown::new(diagnosis, secrets);
    Ok(match args.output.format {
        Format::Text => why401_render::text(&shown, layout),
        Format::Json | Format::Ndjson => why401_render::json(&shown, TOOL).map_err(|e| e.to_string())?,
        Format::Markdown => why401_render::markdown(&shown),
        Format::Html => why401_render::html(&shown),
    })
}

/// Width and colour, of the terminal where there is one.
pub(crate) fn layout(args: &Args) -> Layout {
    layout_on(args, io::stdout().is_terminal())
}

fn layout_on(args: &Args, is_terminal: bool) -> Layout {
    let width = terminal_size::terminal_size().map(|(width, _)| usize::from(width.0));
    let colour = match args.output.color {
        When::Always => true,
        When::Never => false,
        When::Auto => {
            let unwanted = |name: &str| std::env::var_os(name).is_some_and(|v| !v.is_empty());
            let dumb = std::env::var_os("TERM").is_some_and(|t| t == "dumb");
            is_terminal && !unwanted("NO_COLOR") && !dumb
        }
    };
    Layout { colour, all: args.evidence.all, width: width.unwrap_or(Layout::default().width) }
}

/// Prints to standard output. Whoever reads it may stop reading (`| head`): that is no error.
pub(crate) fn print(text: &str) {
    let mut out = io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

/// Prints to standard error what is laid out already.
pub(crate) fn print_aside(text: &str) {
    let mut err = io::stderr().lock();
    let _ = err.write_all(text.as_bytes()).and_then(|()| err.flush());
}

/// Prints what is wrong to standard error, made safe for a terminal.
pub(crate) fn complain(message: &str) {
    let mut err = io::stderr().lock();
    for line in message.lines() {
        let _ = writeln!(err, "{}", why401_render::visible(line));
    }
}
