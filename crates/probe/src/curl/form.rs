//! Forms (`-F`): their parts, and the content that they make (RFC 7578).

use super::Data;
use why401_auth::Secret;

/// A part of a form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// The name of the form's field.
    pub name: String,
    /// What it holds.
    pub content: Data,
    /// The file name that is told.
    pub file_name: Option<String>,
    /// The media type that is told.
    pub kind: Option<String>,
}

impl Part {
    /// A plain text.
    pub(super) fn text(name: &str, text: &str) -> Part {
        Part { name: name.to_owned(), content: Data::Text(Secret::new(text)), file_name: None, kind: None }
    }
}

/// Reads `name=content`, `name=@file` and `name=<file`, with `;type=` and `;filename=` behind them.
///
/// # Errors
/// What is not done here, in words that follow the option's name.
pub(super) fn part(text: &str) -> Result<Part, String> {
    let (name, value) = text.split_once('=').ok_or("without =")?;
    if value.starts_with('(') || (name.is_empty() && value == ")") {
        return Err("of parts within parts".to_owned());
    }
    let (is_file, is_content) = (value.starts_with('@'), value.starts_with('<'));
    let value = if is_file || is_content { value.get(1..).unwrap_or_default() } else { value };
    let (first, mut rest) = word(value);
    if is_file && !value.starts_with('"') && first.contains(',') {
        return Err("of several files".to_owned());
    }
    let mut part = Part::text(name, &first);
    if is_file || is_content {
        part.content = Data::File { path: first.clone(), strip: false };
    }
    if is_file {
        let base = first.rsplit(['/', '\\']).next().unwrap_or(&first);
        part.file_name = Some(base.to_owned());
        part.kind = Some(kind_of(&first).to_owned());
    }
    let mut in_type = false;
    while let Some(more) = rest.strip_prefix(';') {
        let more = more.trim_start();
        let (option, after) = more.split_once('=').unwrap_or((more, ""));
        let (value, left) = word(after);
        rest = left;
        match option {
            "type" => part.kind = Some(value),
            "filename" => part.file_name = Some(value),
            // Parameters of the media type follow it.
            _ if in_type => part.kind.iter_mut().for_each(|k| k.push_str(&format!("; {option}={value}"))),
            "headers" | "encoder" => return Err(format!("with {option}=")),
            // Not named: it may be the rest of a password that has a semicolon.
            _ => return Err("with more behind a semicolon (double quotes keep it together)".to_owned()),
        }
        in_type = option != "filename" && (option == "type" || in_type);
    }
    Ok(part)
}

/// A word up to a semicolon, quoted or not, and what follows it.
fn word(text: &str) -> (String, &str) {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find(';').unwrap_or(text.len());
        let (word, rest) = text.split_at_checked(end).unwrap_or((text, ""));
        return (word.to_owned(), rest);
    };
    let mut value = String::new();
    let mut chars = quoted.char_indices();
    while let Some((_, c)) = chars.next() {
        match c {
            '"' => break,
            '\\' => value.extend(chars.next().map(|(_, c)| c)),
            c => value.push(c),
        }
    }
    let rest = quoted.get(chars.offset()..).unwrap_or_default();
    (value, rest.find(';').and_then(|at| rest.get(at..)).unwrap_or_default())
}

/// The media type that curl takes by the end of a file's name.
fn kind_of(path: &str) -> &'static str {
    let end = path.rsplit('.').next().unwrap_or_default().to_ascii_lowercase();
    match end.as_str() {
        "gif" => "image/gif",
        "jpg" | "jpeg" => "image/jpeg",
        "png" => "image/png",
        "svg" => "image/svg+xml",
        "txt" => "text/plain",
        "htm" | "html" => "text/html",
        "pdf" => "application/pdf",
        "xml" => "application/xml",
        _ => "application/octet-stream",
    }
}

/// The content of a form and its `Content-Type`; each part stands beside what it holds.
pub fn multipart(parts: &[(&Part, Vec<u8>)]) -> (Vec<u8>, String) {
    // The first boundary that no part holds.
    let boundary = (0_u32..)
        .map(|n| format!("------------------------why401{n:08}"))
        .find(|b| !parts.iter().any(|(_, held)| holds(held, b.as_bytes())))
        .unwrap_or_default();
    let mut content = Vec::new();
    for (part, held) in parts {
        let mut head =
            format!("--{boundary}\r\nContent-Disposition: form-data; name=\"{}\"", escaped(&part.name));
        if let Some(name) = &part.file_name {
            head.push_str(&format!("; filename=\"{}\"", escaped(name)));
        }
        if let Some(kind) = &part.kind {
            head.push_str(&format!("\r\nContent-Type: {}", kind.replace(['\r', '\n'], " ")));
        }
        content.extend(head.into_bytes());
        content.extend(b"\r\n\r\n");
        content.extend(held);
        content.extend(b"\r\n");
    }
    content.extend(format!("--{boundary}--\r\n").into_bytes());
    (content, format!("multipart/form-data; boundary={boundary}"))
}

fn holds(text: &[u8], wanted: &[u8]) -> bool {
    text.windows(wanted.len()).any(|w| w == wanted)
}

/// As browsers escape names (RFC 7578 section 2; HTML, "multipart/form-data encoding algorithm").
fn escaped(name: &str) -> String {
    name.replace('"', "%22").replace('\r', "%0D").replace('\n', "%0A")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_read_as_curl_reads_them() {
        assert_eq!(part("a=b"), Ok(Part::text("a", "b")));
        assert_eq!(part("a=\"b;\\\"c\""), Ok(Part::text("a", "b;\"c")));
        let typed = part("a={};type=application/json; charset=utf-8").unwrap();
        assert_eq!(typed.kind.as_deref(), Some("application/json; charset=utf-8"));
        let file = part("a=@d/f.png;filename=\"x;y\"").unwrap();
        assert_eq!((file.file_name.as_deref(), file.kind.as_deref()), (Some("x;y"), Some("image/png")));
        assert_eq!(file.content, Data::File { path: "d/f.png".to_owned(), strip: false });
        let held = part("a=<f").unwrap();
        assert_eq!((held.file_name, held.content), (None, Data::File { path: "f".to_owned(), strip: false }));
        assert_eq!(part("a=b;headers=x"), Err("with headers=".to_owned()));
        assert!(part("a=(;type=multipart/alternative").is_err() && part("a").is_err());
    }

    #[test]
    fn a_form_is_written_as_browsers_write_it() {
        let (file, text) = (part("f=@x.txt").unwrap(), part("a\"=b").unwrap());
        let held = b"--------------------------why40100000000".to_vec();
        let (content, kind) = multipart(&[(&file, held), (&text, b"b".to_vec())]);
        let boundary = kind.strip_prefix("multipart/form-data; boundary=").unwrap();
        assert!(boundary.ends_with("00000001"), "a boundary that a part holds is none");
        let expected = format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"f\"; filename=\"x.txt\"\r\nContent-Type: text/plain\
             \r\n\r\n--------------------------why40100000000\r\n--{boundary}\r\nContent-Disposition: form-data; \
             name=\"a%22\"\r\n\r\nb\r\n--{boundary}--\r\n"
        );
        assert_eq!(String::from_utf8(content).unwrap(), expected);
    }
}
