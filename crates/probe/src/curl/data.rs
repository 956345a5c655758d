//! Pieces of content (`-d` and its kin).

use why401_auth::Secret;

/// A piece of content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Data {
    /// An `&`, where something stands before it.
    And,
    /// This text.
    Text(Secret),
    /// What this file holds; without its line breaks where `strip` says so.
    File {
        /// Its path, `-` for standard input.
        path: String,
        /// Whether line breaks are left out.
        strip: bool,
    },
    /// What this file holds, percent-encoded.
    Encoded {
        /// What stands before it: nothing, or `name=`.
        before: String,
        /// Its path, `-` for standard input.
        path: String,
    },
}

/// What `-d` and its kin take: a text, or `@file`.
pub(super) fn piece(value: &str, strip: bool) -> Data {
    match value.strip_prefix('@') {
        Some(path) => Data::File { path: path.to_owned(), strip },
        None => Data::Text(Secret::new(value)),
    }
}

/// `content`, `=content`, `name=content`, `@file` or `name@file`, as `--data-urlencode` takes them.
pub(super) fn encoded(value: &str) -> Data {
    let named = |name: &str| if name.is_empty() { String::new() } else { format!("{name}=") };
    match value.find(['=', '@']).and_then(|at| value.split_at_checked(at)) {
        Some((name, rest)) if rest.starts_with('@') => {
            Data::Encoded { before: named(name), path: rest.trim_start_matches('@').to_owned() }
        }
        Some((name, rest)) => {
            let text = rest.strip_prefix('=').unwrap_or(rest);
            Data::Text(Secret::new(named(name) + &why401_auth::percent::encode(text.as_bytes())))
        }
        None => Data::Text(Secret::new(why401_auth::percent::encode(value.as_bytes()))),
    }
}
