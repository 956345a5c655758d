//! All that a person pasted, in one piece: program text is looked at later with what stands around it, and so are settings
//! that stand apart from what they are held against.

use super::lines::Line;
use super::out::{Out, Paragraph};
use why401_http::FactKind;

/// The text of a source while it may hold parts of a program.
#[derive(Default)]
pub(super) struct Program {
    text: Paragraph,
    marked: bool,
}

/// Signs that a line sets fields of a request in some language.
const SIGNS: &[&str] = &[
    "\"Authorization",
    "'Authorization",
    "\"authorization",
    "'authorization",
    "\"Authorisation",
    "'Authorisation",
    "Authorization: `",
    "Authorization: '",
    "Authorization: \"",
    "AuthenticationHeaderValue",
    "requests.",
    "axios.",
    "fetch(",
    "CURLOPT_HTTPHEADER",
    "b64encode",
    "btoa(",
    "new WebSocket(",
];

impl Program {
    pub(super) fn line(&mut self, line: &Line) {
        if self.text.cut {
            return;
        }
        let text = line.str();
        self.marked |= SIGNS.iter().any(|s| text.contains(s));
        self.text.push(line);
    }

    pub(super) fn end(self, out: &mut Out<'_>) {
        if !self.text.has_content() {
            return;
        }
        let text = self.text.finish();
        if self.marked {
            out.fact(text.clone(), FactKind::Program);
        }
        out.fact(text, FactKind::Pasted);
    }
}
