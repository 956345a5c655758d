//! Where passwords and tokens come from, so that none has to stand on a command line.

use super::args::Probe;
use crate::evidence::in_words;
use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use why401_auth::Secret;
use why401_http::Address;
use why401_probe::curl::Line;
use why401_probe::netrc;
use why401_probe::wish::{Field, authority};

/// A variable of the environment.
///
/// # Errors
/// Where it is missing or empty.
pub(super) fn variable(name: &str) -> Result<Secret, String> {
    match std::env::var(name) {
        Ok(value) if !value.is_empty() => Ok(Secret::new(value)),
        Ok(_) => Err(format!("the environment variable {name} is empty")),
        Err(_) => Err(format!("there is no environment variable {name}")),
    }
}

/// `Name: value`, or `Name: $VARIABLE`.
///
/// # Errors
/// Where it is neither.
pub(super) fn field(line: &str) -> Result<Field, String> {
    let field = why401_probe::driver::field(line)?;
    let value = field.value.expose_text().into_owned();
    let is_name = |n: &str| !n.is_empty() && n.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    match value.rsplit_once('$') {
        // A shell left it as it is, so this is what was meant.
        Some((before, name)) if is_name(name.trim_matches(['{', '}'])) && !before.contains('$') => {
            let secret = variable(name.trim_matches(['{', '}']))?;
            Ok(Field::new(field.name, [before.as_bytes(), secret.expose()].concat()))
        }
        _ => Ok(field),
    }
}

/// User and password from the store that the options name; `None` where no user is wanted.
///
/// # Errors
/// Where the store has none for this host.
pub(super) fn password(
    probe: &Probe,
    line: &Line,
    address: &Address,
    user: Option<&str>,
) -> Result<Option<(String, Secret)>, String> {
    let named = |password: Secret| match user {
        Some(user) => Ok(Some((user.to_owned(), password))),
        None => Err("the password is there; name the user with -u".to_owned()),
    };
    if let Some(name) = &probe.password_env {
        return named(variable(name)?);
    }
    if let Some(path) = &probe.password_file {
        return named(first_line(path)?);
    }
    let netrc_file = probe.netrc_file.clone().or(line.netrc.clone().flatten().map(Into::into));
    if probe.netrc || line.netrc.is_some() || netrc_file.is_some() {
        let path = netrc_file.or_else(own_netrc).ok_or("there is no home folder with a .netrc in it")?;
        let text = std::fs::read(&path).map_err(|e| format!("{}: {}", path.display(), in_words(&e)))?;
        let found = netrc::find(&String::from_utf8_lossy(&text), &address.host, user);
        return match found {
            Some(found) => Ok(Some(found)),
            None => Err(format!("{} has no entry for {}", path.display(), address.host)),
        };
    }
    if probe.credential_helper {
        return from_git(address, user).map(Some);
    }
    match user {
        Some(user) => prompt(user, address).map(|p| Some((user.to_owned(), p))),
        None => Ok(None),
    }
}

fn own_netrc() -> Option<PathBuf> {
    if let Some(path) = std::env::var_os("NETRC").filter(|v| !v.is_empty()) {
        return Some(path.into());
    }
    std::env::home_dir().map(|home| home.join(".netrc"))
}

fn first_line(path: &Path) -> Result<Secret, String> {
    let text = match path.as_os_str() == "-" {
        true => std::io::read_to_string(std::io::stdin()).map(String::into_bytes),
        false => std::fs::read(path),
    };
    let text = text.map_err(|e| format!("{}: {}", path.display(), in_words(&e)))?;
    let line = text.split(|b| *b == b'\n').next().unwrap_or_default();
    Ok(Secret::new(line.strip_suffix(b"\r").unwrap_or(line)))
}

/// `git credential fill` (<https://git-scm.com/docs/git-credential>), which asks the helpers that git is configured with.
fn from_git(address: &Address, user: Option<&str>) -> Result<(String, Secret), String> {
    let mut question = format!("protocol={}\nhost={}\n", address.scheme, authority(address));
    if let Some(user) = user {
        question.push_str(&format!("username={user}\n"));
    }
    let mut child = Command::new("git")
        .args(["credential", "fill"])
        // Only what a store holds: nobody is asked.
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("GIT_ASKPASS", "true")
        .env("SSH_ASKPASS", "true")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|e| format!("git: {}", in_words(&e)))?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(format!("{question}\n").as_bytes()).map_err(|e| format!("git: {}", in_words(&e)))?;
    }
    let answer = child.wait_with_output().map_err(|e| format!("git: {}", in_words(&e)))?.stdout;
    let text = String::from_utf8_lossy(&answer);
    let value = |name: &str| text.lines().find_map(|l| l.strip_prefix(name)?.strip_prefix('='));
    match (value("username"), value("password")) {
        (Some(user), Some(password)) if !password.is_empty() => Ok((user.to_owned(), Secret::new(password))),
        _ => Err(format!("git's credential helpers have nothing for {}", authority(address))),
    }
}

/// Asks at the terminal for the pass phrase of a key, without echo.
///
/// # Errors
/// Where it cannot be asked for.
pub(super) fn pass_phrase(key: &Path) -> Result<Secret, String> {
    let question = format!("Pass phrase of {}: ", key.display());
    asked(&question, "pass phrase")
}

fn asked(question: &str, what: &str) -> Result<Secret, String> {
    rpassword::prompt_password(why401_render::visible(question))
        .map(Secret::new)
        .map_err(|e| format!("the {what} could not be asked for: {}", in_words(&e)))
}

/// Asks at the terminal, without echo.
fn prompt(user: &str, address: &Address) -> Result<Secret, String> {
    if !std::io::stdin().is_terminal() {
        return Err(
            "the password is missing: name it with --password-env or --password-file, or run this at a \
                    terminal to be asked"
                .to_owned(),
        );
    }
    let question = format!("Password of {user} for {}: ", address.host);
    asked(&question, "password")
}
