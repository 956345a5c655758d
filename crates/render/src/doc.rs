//! The Markdown in which causes are described, as far as it is used there: headings, paragraphs, lists, fenced code.

/// A block of a text.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Block {
    Heading(String),
    Paragraph(String),
    Item(String),
    Code(Vec<String>),
}

/// The blocks of a text.
pub(crate) fn blocks(text: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut open = false;
    let mut code: Option<Vec<String>> = None;
    for line in text.lines() {
        // Doc comments begin with a blank.
        let line = line.strip_prefix(' ').unwrap_or(line);
        let bare = line.trim();
        if bare.starts_with("```") {
            match code.take() {
                Some(lines) => blocks.push(Block::Code(lines)),
                None => code = Some(Vec::new()),
            }
            open = false;
        } else if let Some(lines) = &mut code {
            lines.push(line.to_owned());
        } else if bare.is_empty() {
            open = false;
        } else if let Some(heading) = bare.strip_prefix('#') {
            blocks.push(Block::Heading(heading.trim_start_matches('#').trim().to_owned()));
            open = false;
        } else if let Some(item) = bare.strip_prefix("- ").or_else(|| bare.strip_prefix("* ")) {
            blocks.push(Block::Item(item.to_owned()));
            open = true;
        } else {
            match blocks.last_mut() {
                Some(Block::Paragraph(text) | Block::Item(text)) if open => {
                    text.push(' ');
                    text.push_str(bare);
                }
                _ => blocks.push(Block::Paragraph(bare.to_owned())),
            }
            open = true;
        }
    }
    blocks.extend(code.map(Block::Code));
    blocks
}

/// A text cut at its backquotes: every second part is code.
pub(crate) fn inline(text: &str) -> impl Iterator<Item = (bool, &str)> {
    let closed = text.matches('`').count() / 2 * 2;
    text.splitn(closed + 1, '`').enumerate().map(|(i, part)| (i % 2 == 1, part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_told_apart() {
        let text = " Title.\n\n # What happened\n One\n two.\n - a\n   b\n - c\n ```\n x  y\n ```\n";
        assert_eq!(
            blocks(text),
            [
                Block::Paragraph("Title.".into()),
                Block::Heading("What happened".into()),
                Block::Paragraph("One two.".into()),
                Block::Item("a b".into()),
                Block::Item("c".into()),
                Block::Code(vec!["x  y".into()]),
            ]
        );
    }

    #[test]
    fn code_in_a_line_is_told_apart() {
        assert_eq!(inline("a `b` c").collect::<Vec<_>>(), [(false, "a "), (true, "b"), (false, " c")]);
        assert_eq!(inline("a ` b").collect::<Vec<_>>(), [(false, "a ` b")]);
    }
}
