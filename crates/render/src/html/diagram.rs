//! The messages between client, intermediary and origin, drawn.

use super::page::Page;
use crate::text::moment;
use why401_report::{Message, Participant, Role, Sequence};

/// Room for one participant, in units of the drawing.
const COLUMN: f64 = 300.0;
/// Room to the left and the right of the outer lines.
const MARGIN: f64 = 96.0;
/// Where the life lines begin.
const TOP: f64 = 66.0;
/// The height of a line of text.
const LINE: f64 = 17.0;
/// A character is about so wide.
const CHARACTER: f64 = 6.5;

/// The diagram and, for who cannot see it, the same as a list.
pub(crate) fn diagram(number: usize, s: &Sequence, page: &mut Page) {
    if s.messages.is_empty() || s.participants.len() < 2 {
        return;
    }
    page.tag("<section class=\"part\"><h3>What went over the wire</h3>");
    page.tag("<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Diagram of the messages of finding ").number(number).tag("\">");
    drawing(s, page);
    page.tag("</div><details><summary>The messages in words</summary><ol class=\"messages\">");
    for m in &s.messages {
        page.tag("<li>");
        if let Some(time) = &m.time {
            page.time(time).tag(" ");
        }
        page.tag("<b>").text(&name(s, m.from)).tag("</b> to <b>").text(&name(s, m.to)).tag("</b>: ");
        page.tag("<code>").text(&m.what).tag("</code>");
        for line in &m.carries {
            page.tag("; <code>").text(line).tag("</code>");
        }
        page.tag("</li>");
    }
    page.tag("</ol></details></section>");
}

fn role(role: Role) -> &'static str {
    match role {
        Role::Client => "Client",
        Role::Intermediary => "Intermediary",
        Role::Origin => "Origin server",
    }
}

fn name(s: &Sequence, at: usize) -> String {
    match s.participants.get(at) {
        Some(Participant { role: r, name: Some(name) }) => format!("{} {name}", role(*r).to_lowercase()),
        Some(p) => role(p.role).to_lowercase(),
        None => String::new(),
    }
}

fn centre(at: usize) -> f64 {
    MARGIN + COLUMN * at as f64
}

fn drawing(s: &Sequence, page: &mut Page) {
    let width = centre(s.participants.len() - 1) + MARGIN;
    let rows: Vec<Row> = s.messages.iter().map(Row::of).collect();
    let gap = if s.left_out > 0 { 2.0 * LINE } else { 0.0 };
    let height = TOP + rows.iter().map(|r| r.height).sum::<f64>() + gap + 14.0;
    let wide = s.participants.len() > 2;
    page.tag(if wide { "<svg class=\"sequence wide\"" } else { "<svg class=\"sequence\"" });
    page.tag(" role=\"img\" aria-label=\"Sequence diagram: ").count(s.messages.len() as u64);
    page.tag(" messages between ");
    for at in 0..s.participants.len() {
        page.text(if at == 0 { "" } else { ", " }).text(&name(s, at));
    }
    page.tag(". The list below says the same in words.\" viewBox=\"0 0 ");
    page.number(width as usize).tag(" ").number(height as usize).tag("\">");
    for (at, p) in s.participants.iter().enumerate() {
        participant(p, centre(at), height, page);
    }
    let mut y = TOP;
    let middle = rows.len().div_ceil(2);
    for (at, row) in rows.iter().enumerate() {
        if s.left_out > 0 && at == middle {
            page.shape("<text class=\"note\" text-anchor=\"middle\"", &[("x", width / 2.0), ("y", y + LINE)]);
            page.tag(">… ").count(s.left_out as u64).tag(" more requests like these …</text>");
            y += gap;
        }
        row.draw(y, page);
        y += row.height;
    }
    page.tag("</svg>");
}

fn participant(p: &Participant, x: f64, height: f64, page: &mut Page) {
    page.shape("<line class=\"life\"", &[("x1", x), ("x2", x), ("y1", 46.0), ("y2", height - 4.0)]).tag("/>");
    let half = MARGIN - 6.0;
    page.shape(
        "<rect class=\"box\"",
        &[("x", x - half), ("y", 2.0), ("width", half * 2.0), ("height", 44.0), ("rx", 8.0)],
    );
    page.tag("/>").shape("<text class=\"role\" text-anchor=\"middle\"", &[("x", x), ("y", 20.0)]).tag(">");
    page.tag(role(p.role)).tag("</text>");
    if let Some(name) = &p.name {
        let cut = shortened(name, 25);
        page.shape("<text class=\"host\" text-anchor=\"middle\"", &[("x", x), ("y", 37.0)]).tag("><title>");
        page.text(name).tag("</title>").text(&cut).tag("</text>");
    }
}

/// A message with its lines of text.
struct Row<'a> {
    message: &'a Message,
    carries: Vec<String>,
    height: f64,
}

impl<'a> Row<'a> {
    fn of(message: &'a Message) -> Self {
        let hops = message.from.abs_diff(message.to).max(1);
        let room = ((COLUMN * hops as f64 - 16.0) / CHARACTER) as usize;
        let carries: Vec<String> = message.carries.iter().flat_map(|line| wrapped(line, room)).collect();
        let height = LINE * (carries.len() as f64 + 1.0) + 22.0;
        Row { message, carries, height }
    }

    fn draw(&self, y: f64, page: &mut Page) {
        let m = self.message;
        let (from, to) = (centre(m.from), centre(m.to));
        let middle = f64::midpoint(from, to);
        let at = y + LINE + 5.0;
        let question = m.time.is_some() || m.from < m.to;
        page.tag(match (m.refused, question) {
            (true, _) => "<g class=\"refused\">",
            (false, true) => "<g class=\"asked\">",
            (false, false) => "<g class=\"answered\">",
        });
        page.shape("<text class=\"what\" text-anchor=\"middle\"", &[("x", middle), ("y", y + LINE - 1.0)])
            .tag(">");
        page.text(&shortened(&m.what, (COLUMN / 8.0) as usize));
        if let Some(time) = m.time.as_deref().map(moment) {
            page.tag("<tspan class=\"note\" dx=\"8\">")
                .text(time.get(11..).unwrap_or_default())
                .tag("</tspan>");
        }
        page.tag("</text>");
        let (towards, tip) = if to >= from { (1.0, to - 2.0) } else { (-1.0, to + 2.0) };
        let line = [("x1", from + 2.0 * towards), ("x2", tip), ("y1", at), ("y2", at)];
        page.shape("<line class=\"arrow\"", &line).tag("/>");
        let back = tip - 9.0 * towards;
        page.tag("<polygon class=\"head\" points=\"")
            .number(tip as usize)
            .tag(",")
            .number(at as usize)
            .tag(" ");
        page.number(back as usize).tag(",").number((at - 5.0) as usize).tag(" ");
        page.number(back as usize).tag(",").number((at + 5.0) as usize).tag("\"/>");
        for (i, line) in self.carries.iter().enumerate() {
            let y = at + LINE * (i as f64 + 1.0) - 2.0;
            page.shape("<text class=\"carries\" text-anchor=\"middle\"", &[("x", middle), ("y", y)]).tag(">");
            page.text(line).tag("</text>");
        }
        page.tag("</g>");
    }
}

pub(crate) fn shortened(text: &str, most: usize) -> String {
    match text.chars().count() > most {
        true => text.chars().take(most.saturating_sub(1)).chain(['…']).collect(),
        false => text.to_owned(),
    }
}

/// At most three lines, broken at blanks where there are some.
fn wrapped(text: &str, room: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_inclusive([' ', ',']) {
        let fits = lines.last().is_some_and(|l| l.chars().count() + word.trim_end().chars().count() <= room);
        if !fits && lines.last().is_some_and(|l| !l.is_empty()) {
            lines.push(String::new());
        }
        if let Some(last) = lines.last_mut() {
            last.push_str(&shortened(word, room));
        }
    }
    lines.truncate(3);
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_diagram_has_every_message_and_no_markup_of_the_evidence() {
        let client = Participant { role: Role::Client, name: Some("<b>".into()) };
        let origin = Participant { role: Role::Origin, name: None };
        let asked =
            Message { to: 1, what: "GET /<x>".into(), carries: vec!["a b".repeat(60)], ..Message::default() };
        let said = Message { from: 1, what: "401".into(), refused: true, ..Message::default() };
        let s = Sequence { participants: vec![client, origin], messages: vec![asked, said], left_out: 3 };
        let mut page = Page::default();
        diagram(1, &s, &mut page);
        let html = page.finish();
        assert_eq!(html.matches("class=\"arrow\"").count(), 2);
        assert!(
            html.contains("GET /&lt;x&gt;")
                && !html.contains("<b>&lt;b&gt;</b><b>")
                && html.contains("3 more")
        );
        diagram(1, &Sequence::default(), &mut Page::default());
    }

    #[test]
    fn participants_that_do_not_exist_do_no_harm() {
        let p = Participant { role: Role::Client, name: None };
        let m = Message { from: 9, to: 7, ..Message::default() };
        let s = Sequence { participants: vec![p.clone(), p], messages: vec![m], left_out: 0 };
        diagram(1, &s, &mut Page::default());
    }
}
