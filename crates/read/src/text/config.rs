//! Parts of configuration files that were pasted along, and `.netrc`.

use super::lines::{Line, Lines};
use super::out::{MOST_PARAGRAPH, Out, Paragraph};
use super::{Dialect, Took, prompt};
use crate::Sink;
use std::io::{self, BufRead};
use why401_http::{FactKind, Speaker};
use why401_span::{Derived, Secret, SourceId};

/// More lines of one block are not put together.
const MOST_LINES: usize = 5000;

/// How a block ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    /// With a blank line.
    Lines,
    /// When its braces are closed.
    Braces,
    /// When its elements are closed.
    Elements,
}

struct Config {
    product: Option<&'static str>,
    shape: Shape,
    depth: i64,
    lines: usize,
    text: Paragraph,
    /// Whether the line that names the file came first.
    named: bool,
    done: bool,
}

/// Files by their names, and the products that they are for.
const FILES: &[(&str, &str)] = &[
    ("caddyfile", "caddy"),
    (".netrc", "netrc"),
    ("_netrc", "netrc"),
    (".npmrc", "npm"),
    (".yarnrc", "yarn"),
    (".yarnrc.yml", "yarn"),
    (".pypirc", "twine"),
    ("pip.conf", "pip"),
    ("pip.ini", "pip"),
    ("nginx.conf", "nginx"),
    ("httpd.conf", "apache"),
    ("apache2.conf", "apache"),
    (".htaccess", "apache"),
    ("web.config", "iis"),
    ("applicationhost.config", "iis"),
    ("settings.xml", "maven"),
    (".gitconfig", "git"),
    ("krb5.conf", "kerberos"),
    ("haproxy.cfg", "haproxy"),
    ("squid.conf", "squid"),
    (".curlrc", "curl"),
    (".wgetrc", "wget"),
    ("nuget.config", "nuget"),
    ("auth.json", "composer"),
    ("credentials.toml", "cargo"),
    ("envoy.yaml", "envoy"),
    ("traefik.toml", "traefik"),
    ("traefik.yml", "traefik"),
    (".env", "env"),
    ("docker-compose.yml", "docker"),
    ("application.yml", "spring"),
    ("application.properties", "spring"),
    ("prometheus.yml", "prometheus"),
];

const ENDINGS: &[&str] = &[
    ".conf",
    ".cfg",
    ".ini",
    ".yml",
    ".yaml",
    ".toml",
    ".xml",
    ".json",
    ".properties",
    ".config",
    ".env",
    "rc",
    ".htaccess",
];

/// Directives by which a line is known as a product's.
const DIRECTIVES: &[(&str, &str)] = &[
    ("auth_basic", "nginx"),
    ("auth_request", "nginx"),
    ("proxy_pass ", "nginx"),
    ("proxy_set_header", "nginx"),
    ("proxy_http_version", "nginx"),
    ("location ", "nginx"),
    ("server {", "nginx"),
    ("fastcgi_pass", "nginx"),
    ("fastcgi_param", "nginx"),
    ("AuthType ", "apache"),
    ("AuthName ", "apache"),
    ("AuthUserFile", "apache"),
    ("AuthGroupFile", "apache"),
    ("Require ", "apache"),
    ("<Location", "apache"),
    ("<Directory", "apache"),
    ("<VirtualHost", "apache"),
    ("<Limit", "apache"),
    ("<Proxy", "apache"),
    ("<IfModule", "apache"),
    ("WSGIPassAuthorization", "apache"),
    ("WSGIScriptAlias", "apache"),
    ("WSGIDaemonProcess", "apache"),
    ("ScriptAlias ", "apache"),
    ("CGIPassAuth", "apache"),
    ("AuthBasicProvider", "apache"),
    ("AuthLDAP", "apache"),
    ("ProxyPass ", "apache"),
    ("RewriteRule ", "apache"),
    ("SetEnvIf", "apache"),
    ("registry=http", "npm"),
    ("always-auth", "npm"),
    ("_auth=", "npm"),
    ("_authToken=", "npm"),
    ("<configuration>", "iis"),
    ("<system.web", "iis"),
    ("basicauth ", "caddy"),
    ("basic_auth ", "caddy"),
    ("http-request auth", "haproxy"),
    ("acl ", "haproxy"),
    ("auth_param ", "squid"),
    ("http_access ", "squid"),
];

/// Elements of configuration files.
const ELEMENTS: &[&str] = &[
    "configuration",
    "system.web",
    "security",
    "authentication",
    "authorization",
    "settings",
    "servers",
    "server",
    "mirrors",
    "mirror",
    "repository",
    "beans",
    "http",
    "Context",
    "Realm",
    "add ",
];

pub(super) fn begin(line: &Line, next: Option<&Line>, _out: &mut Out<'_>) -> Option<Box<dyn Dialect>> {
    let text = line.str();
    let text = text.trim();
    let (product, shape, named) =
        if let Some(product) = file_named(text).filter(|_| next.is_some_and(|n| !n.is_blank())) {
            (product, next.map_or(Shape::Lines, |n| shape_of(n.str().trim())), true)
        } else {
            let (product, shape) = known(line, text, next)?;
            (product, shape, false)
        };
    let (text, depth, lines) = (Paragraph::default(), 0, 0);
    Some(Box::new(Config { product, shape, depth, lines, text, named, done: false }))
}

/// What the line that begins a block says of it.
fn known(line: &Line, text: &str, next: Option<&Line>) -> Option<(Option<&'static str>, Shape)> {
    if is_netrc(text) {
        return Some((Some("netrc"), Shape::Lines));
    }
    if text.starts_with("//")
        && (text.contains(":_authToken=") || text.contains(":_password=") || text.contains(":_auth="))
    {
        return Some((Some("npm"), Shape::Lines));
    }
    let product = DIRECTIVES.iter().find(|(d, _)| text.starts_with(d)).map(|(_, p)| *p);
    if product == Some("nginx") && text.ends_with([';', '{']) {
        return Some((product, shape_of(text)));
    }
    // Words that sentences begin with too: they do not end in a full stop.
    if product.is_some_and(|p| p != "nginx") && !text.ends_with(['.', '?', '!', ':']) {
        return Some((product, shape_of(text)));
    }
    let element = text.strip_prefix('<').is_some_and(|t| ELEMENTS.iter().any(|e| t.starts_with(e)));
    if element {
        return Some((None, Shape::Elements));
    }
    let indented = next.is_some_and(|n| !n.is_blank() && n.indent() > line.indent());
    // `search {`, `example.com:801 {`; not JavaScript's `}, {` or `headers: {`.
    let word = text.strip_suffix('{').map(str::trim_end);
    let plain = |w: &str| {
        !w.is_empty()
            && !w.ends_with([':', '(', ',', '=', '>', ')', '{', '['])
            && w.split_whitespace().count() <= 4
            && w.starts_with(|c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '/' | ':' | '*' | '@'))
            && ![
                "function", "if", "for", "while", "try", "class", "const", "export", "return", "Response",
                "Error",
            ]
            .iter()
            .any(|k| w.starts_with(k))
    };
    if word.is_some_and(plain) && indented {
        return Some((None, Shape::Braces));
    }
    let key = text.strip_suffix(':').is_some_and(|k| {
        !k.is_empty()
            && k.bytes()
                .all(|c| c.is_ascii_lowercase() || matches!(c, b'_' | b'-' | b'.') || c.is_ascii_digit())
    });
    let below = next.is_some_and(|n| {
        let below = n.str();
        let below = below.trim();
        below.starts_with("- ") || below.contains(": ") || below.ends_with(':')
    });
    if key && indented && below {
        return Some((None, Shape::Lines));
    }
    let section = text.starts_with('[') && text.ends_with(']') && !text.contains(' ');
    let pair = next.is_some_and(|n| n.str().contains('='));
    (section && pair).then_some((None, Shape::Lines))
}

fn shape_of(text: &str) -> Shape {
    if text.starts_with('<') {
        Shape::Elements
    } else if text.ends_with('{') {
        Shape::Braces
    } else {
        Shape::Lines
    }
}

/// `~/.netrc:`, `# Caddyfile`, `C:\inetpub\web.config:`: a file's name by itself, and its product.
fn file_named(text: &str) -> Option<Option<&'static str>> {
    let comment = text.strip_prefix('#').or_else(|| text.strip_prefix("//")).map(str::trim);
    let name = comment.unwrap_or(text);
    let marked = comment.is_some() || name.ends_with(':') || name.ends_with("):");
    let name = name.trim_end_matches(':').trim_matches(['`', '*', '"', '\'']);
    if !marked || name.contains(' ') || name.contains("://") || name.is_empty() {
        return None;
    }
    let base = name.rsplit(['/', '\\']).next().unwrap_or(name).to_ascii_lowercase();
    if let Some((_, product)) = FILES.iter().find(|(f, _)| *f == base) {
        return Some(Some(product));
    }
    let folder = |f: &str, p| name.contains(f).then_some(Some(p));
    folder("sites-enabled/", "unknown")
        .map(|_: Option<&str>| None)
        .or_else(|| folder(".docker/", "docker"))
        .or_else(|| ENDINGS.iter().any(|e| base.ends_with(e) && base.len() > e.len()).then_some(None))
}

fn is_netrc(text: &str) -> bool {
    let words: Vec<&str> = text.split_whitespace().take(6).collect();
    let at = |i: usize| words.get(i).copied().unwrap_or_default();
    let key = |w: &str| matches!(w, "login" | "user" | "password" | "account");
    (at(0) == "machine" && (key(at(2)) || words.len() == 2)) || (at(0) == "default" && key(at(1)))
}

impl Dialect for Config {
    fn line(&mut self, line: &Line, _next: Option<&Line>, _out: &mut Out<'_>) -> Took {
        if self.done {
            return Took::No;
        }
        self.lines += 1;
        if self.lines == 1 && self.named {
            self.text.push(line);
            return Took::Yes;
        }
        let text = line.str();
        let text = text.trim();
        let open = self.depth > 0 && self.lines < MOST_LINES;
        if (line.is_blank() || text.starts_with("```")) && !open {
            return Took::No;
        }
        if !open && self.lines > 1 && text.starts_with("$ ") && prompt::begins(&line.str()).is_some() {
            return Took::No;
        }
        self.text.push(line);
        match self.shape {
            Shape::Lines => {}
            Shape::Braces => {
                let count = |c: u8| line.bytes().iter().filter(|b| **b == c).count() as i64;
                self.depth += count(b'{') - count(b'}');
                self.done = self.depth <= 0;
            }
            Shape::Elements => {
                self.depth += elements(line.bytes());
            }
        }
        Took::Yes
    }

    fn end(&mut self, out: &mut Out<'_>) {
        let text = std::mem::take(&mut self.text).finish();
        if self.product == Some("netrc") {
            return netrc(&text, out);
        }
        out.fact(text.clone(), FactKind::Configuration { product: self.product.map(str::to_owned) });
        let mut statement = out.words(Speaker::Configuration, text);
        statement.product = self.product;
        out.sink.statement(statement);
    }
}

/// Reads a whole configuration file: the entries of a `.netrc`, else one piece of context for each
/// `MOST_PARAGRAPH` bytes. `name` tells the product, or the directives do.
///
/// # Errors
/// Where the bytes cannot be had.
pub fn configuration(
    source: SourceId,
    name: &str,
    bytes: &mut dyn BufRead,
    sink: &mut dyn Sink,
) -> io::Result<()> {
    let base = name.rsplit(['/', '\\']).next().unwrap_or(name).to_ascii_lowercase();
    let mut product = FILES.iter().find(|(f, _)| *f == base).map(|(_, p)| *p);
    let mut lines = Lines::new(source, bytes)?;
    let mut out = Out::new(source, sink);
    let mut text = Paragraph::default();
    while let Some(line) = lines.next(out.sink)? {
        if product.is_none() {
            product = known(&line, line.str().trim(), None).and_then(|(p, _)| p);
        }
        if text.len() + line.text.len() > MOST_PARAGRAPH && text.has_content() {
            give(std::mem::take(&mut text).finish(), product, &mut out);
        }
        text.push(&line);
    }
    if text.has_content() {
        give(text.finish(), product, &mut out);
    }
    out.flush();
    Ok(())
}

fn give(text: Derived, product: Option<&str>, out: &mut Out<'_>) {
    match product {
        Some("netrc") => netrc(&text, out),
        _ => out.fact(text, FactKind::Configuration { product: product.map(str::to_owned) }),
    }
}

/// How many elements are opened and not closed on a line.
fn elements(line: &[u8]) -> i64 {
    let mut depth = 0;
    for at in memchr::memchr_iter(b'<', line) {
        depth += match line.get(at + 1) {
            Some(b'/') => -1,
            Some(b'?' | b'!') | None => 0,
            Some(_) => 1,
        };
    }
    depth - memchr::memmem::find_iter(line, b"/>").count() as i64
}

/// The entries of a `.netrc` (the format of ftp(1)).
fn netrc(text: &Derived, out: &mut Out<'_>) {
    let words = words(text);
    let mut at = 0;
    let mut entry: Option<(usize, FactKind)> = None;
    let mut end = 0;
    let mut give = |entry: Option<(usize, FactKind)>, end: usize| {
        if let Some((start, kind)) = entry {
            out.fact(text.slice(start..end), kind);
        }
    };
    while let Some((start, word)) = words.get(at) {
        let value = words.get(at + 1).map(|(_, w)| w.clone());
        match (word.as_str(), &mut entry) {
            ("machine", _) => {
                give(entry.take(), end);
                entry = Some((*start, FactKind::Netrc { machine: value, login: None, password: None }));
                at += 1;
            }
            ("default", _) => {
                give(entry.take(), end);
                entry = Some((*start, FactKind::Netrc { machine: None, login: None, password: None }));
            }
            ("login" | "user", Some((_, FactKind::Netrc { login, .. }))) => {
                *login = value;
                at += 1;
            }
            ("password", Some((_, FactKind::Netrc { password, .. }))) => {
                *password = value.map(Secret::new);
                at += 1;
            }
            _ => {}
        }
        end = words.get(at).map_or(text.len(), |(s, w)| s + w.len());
        at += 1;
    }
    give(entry, end);
}

fn words(text: &Derived) -> Vec<(usize, String)> {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(start) =
        bytes.get(at..).and_then(|b| b.iter().position(|c| !c.is_ascii_whitespace())).map(|i| at + i)
    {
        let len = bytes.get(start..).map_or(0, |b| b.iter().take_while(|c| !c.is_ascii_whitespace()).count());
        found.push((
            start,
            String::from_utf8_lossy(bytes.get(start..start + len).unwrap_or_default()).into_owned(),
        ));
        at = start + len;
    }
    found
}
