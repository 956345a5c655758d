//! One file an output: terminal, JSON, Markdown, HTML.
