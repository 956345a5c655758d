//! Cases as they stand in Markdown.

/// A case: everything below one heading of the first level.
#[derive(Debug, Default)]
pub(crate) struct Case {
    /// File and heading.
    pub(crate) place: String,
    /// The fenced blocks of evidence.
    pub(crate) blocks: Vec<Block>,
    /// What the first finding may be; empty: no fault at all.
    pub(crate) expected: Vec<Expected>,
    /// What no finding may be.
    pub(crate) not: Vec<String>,
    /// What must be among the findings or what they leave open.
    pub(crate) also: Vec<String>,
    /// What the summary of the first finding must say.
    pub(crate) says: Vec<String>,
    /// The time of the diagnosis.
    pub(crate) now: Option<String>,
}

/// A piece of evidence.
#[derive(Debug, Default)]
pub(crate) struct Block {
    /// The format: `http`, `curl`, `access-log` ...
    pub(crate) format: String,
    /// `connection=2` and the like.
    pub(crate) attributes: Vec<(String, String)>,
    /// The text before templates are filled in.
    pub(crate) text: String,
}

/// A finding that is expected.
#[derive(Debug)]
pub(crate) struct Expected {
    pub(crate) cause: String,
    pub(crate) certainty: Option<String>,
    pub(crate) party: Option<String>,
}

/// Takes a file apart.
pub(crate) fn parse(file: &str, text: &str) -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if let Some(title) = line.strip_prefix("# ") {
            cases.push(Case { place: format!("{file}: {title}"), ..Case::default() });
        } else if let Some(info) = line.strip_prefix("```").filter(|i| !i.is_empty()) {
            let body: Vec<&str> = lines.by_ref().take_while(|l| *l != "```").collect();
            let case = cases.last_mut().unwrap_or_else(|| panic!("{file}: a block before the first heading"));
            if info.trim() == "expected" {
                for line in body {
                    expect(case, line);
                }
            } else {
                case.blocks.push(block(info, &body));
            }
        }
    }
    for case in &cases {
        assert!(!case.blocks.is_empty(), "{}: no evidence", case.place);
        assert!(case.says.is_empty() || !case.expected.is_empty(), "{}: who says it?", case.place);
    }
    cases
}

fn block(info: &str, body: &[&str]) -> Block {
    let mut words = info.split_whitespace();
    let format = words.next().unwrap_or_default().to_owned();
    let attributes =
        words.map(|w| w.split_once('=').unwrap_or((w, ""))).map(|(n, v)| (n.to_owned(), v.to_owned()));
    Block { format, attributes: attributes.collect(), text: body.join("\n") + "\n" }
}

fn expect(case: &mut Case, line: &str) {
    let (what, value) = line.split_once(':').unwrap_or_else(|| panic!("{}: {line:?}", case.place));
    let list = || value.split(',').map(|v| v.trim().to_owned()).filter(|v| !v.is_empty());
    match what.trim() {
        "expect" if value.trim() == "none" => {}
        "expect" => {
            let mut words = value.split_whitespace();
            let cause = words.next().unwrap().to_owned();
            let mut expected = Expected { cause, certainty: None, party: None };
            while let Some(word) = words.next() {
                match word {
                    "by" => expected.party = words.next().map(str::to_owned),
                    "certain" | "likely" | "possible" => expected.certainty = Some(word.to_owned()),
                    _ => panic!("{}: {line:?}", case.place),
                }
            }
            case.expected.push(expected);
        }
        "not" => case.not.extend(list()),
        "also" => case.also.extend(list()),
        "says" => case.says.push(value.trim().to_owned()),
        "now" => case.now = Some(value.trim().to_owned()),
        _ => panic!("{}: {line:?}", case.place),
    }
}
