//! `--plan`: what would be sent. Nothing is.

use super::prepare::Prepared;
use super::watch::{Watch, described};
use crate::args::{Args, Format};
use crate::{Status, output};
use serde_json::json;
use why401_probe::experiment::{EXPERIMENTS, When};
use why401_probe::limits::WRONG;
use why401_probe::plan::outline;

/// Prints the plan.
///
/// # Errors
/// Where it has no such form.
pub(super) fn print(args: &Args, prepared: &Prepared) -> Result<Status, String> {
    let watch = Watch::new(&prepared.wish, &|_| {});
    let wish = &prepared.wish;
    let steps = outline(wish, prepared.limits.allow_wrong);
    let always = |name: &str| EXPERIMENTS.iter().any(|e| e.name == name && e.when == When::Always);
    let made_up = if prepared.limits.allow_wrong { WRONG } else { 0 };
    if args.output.format == Format::Json {
        let list: Vec<serde_json::Value> = steps
            .iter()
            .map(|(step, tells)| {
                json!({
                    "experiment": step.name,
                    "method": step.ask.method,
                    "url": watch.masked(&step.ask.url()),
                    "credentials": step.ask.carries(),
                    "why": step.why,
                    "only_if_open": if always(step.name) { json!(null) } else { json!(tells) },
                })
            })
            .collect();
        let limits = json!({ "requests": prepared.limits.requests, "attempts": prepared.limits.attempts, "made_up_credentials": made_up });
        let text = serde_json::to_string_pretty(
            &json!({ "plan": list, "limits": limits, "left_out": prepared.left_out }),
        )
        .map_err(|e| e.to_string())?;
        output::print(&(text + "\n"));
        return Ok(Status::NoFault);
    }
    let mut text = String::from("Nothing is sent. First:\n");
    let line = |step: &why401_probe::Step| watch.shown(&format!("  {}", described(wish, step)));
    for (step, _) in steps.iter().filter(|(s, _)| always(s.name)) {
        text.push_str(&format!("{}\n", line(step)));
    }
    text.push_str("\nThen, each only while one of its causes is open:\n");
    for (step, tells) in steps.iter().filter(|(s, _)| !always(s.name)) {
        text.push_str(&format!("{} [{}]\n", line(step), tells.join(", ")));
    }
    text.push_str(&format!(
        "\nAt most {} requests, {} of them with the credentials, {} ms apart; a method that changes things is sent {}.\n",
        prepared.limits.requests,
        prepared.limits.attempts,
        prepared.limits.pause.as_millis(),
        if prepared.limits.allow_unsafe { "as often as it takes" } else { "once" },
    ));
    if made_up > 0 {
        text.push_str("Credentials that are made up are sent once beside them; nobody's account is named.\n");
    }
    for left in &prepared.left_out {
        text.push_str(&format!("{}.\n", watch.shown(left)));
    }
    output::print(&text);
    Ok(Status::NoFault)
}
