//! Many findings at a glance.

use super::paint::Paint;
use super::words::{self, moment};
use super::wrap::{columns, fit};
use why401_report::Finding;

/// So many rows are shown.
const ROWS: usize = 60;

/// A line each: how many, which cause, how sure, whose, since when. Columns that say nothing are left out.
pub(crate) fn table(findings: &[&Finding], width: usize, paint: Paint) -> Vec<String> {
    let head = ["count", "cause", "", "account", "client", "since"].map(String::from).to_vec();
    let rows: Vec<Vec<String>> = findings.iter().take(ROWS).map(|f| row(f)).collect();
    let used: Vec<usize> = (0..head.len())
        .filter(|i| rows.iter().any(|r| r.get(*i).is_some_and(|cell| !cell.is_empty())))
        .collect();
    let widths = widths(&head, &rows, &used, width);
    let line = |cells: &[String]| {
        let mut out = String::new();
        for (i, most) in used.iter().zip(&widths) {
            let cell = fit(cells.get(*i).map_or("", String::as_str), *most);
            let pad = " ".repeat(most - columns(&cell).min(*most));
            // Numbers stand at the right.
            out.push_str(&if *i == 0 { format!("{pad}{cell}  ") } else { format!("{cell}{pad}  ") });
        }
        out.trim_end().to_owned()
    };
    let mut out = vec![paint.bold(&line(&head))];
    for (f, cells) in findings.iter().zip(&rows) {
        let text = line(cells);
        let painted = text.replacen(f.cause, &paint.verdict(f.verdict, f.cause), 1);
        out.push(painted);
    }
    if findings.len() > ROWS {
        out.push(format!("and {} more", findings.len() - ROWS));
    }
    out
}

fn row(f: &Finding) -> Vec<String> {
    vec![
        f.count.to_string(),
        f.cause.to_owned(),
        words::certainty(f.certainty).to_owned(),
        f.account.clone().unwrap_or_default(),
        f.client.clone().unwrap_or_default(),
        f.first.as_deref().map(moment).unwrap_or_default(),
    ]
}

/// The widths of the columns that are used; the widest give way until the line fits.
fn widths(head: &[String], rows: &[Vec<String>], used: &[usize], width: usize) -> Vec<usize> {
    let widest = |i: usize| {
        let cells = rows.iter().chain([&head.to_vec()]).filter_map(|r| r.get(i).map(|c| columns(c))).max();
        cells.unwrap_or(0)
    };
    let mut widths: Vec<usize> = used.iter().map(|i| widest(*i)).collect();
    let gaps = 2 * used.len().saturating_sub(1);
    while widths.iter().sum::<usize>() + gaps > width {
        let Some(most) = widths.iter_mut().max() else { break };
        if *most <= 8 {
            break;
        }
        *most -= 1;
    }
    widths
}
