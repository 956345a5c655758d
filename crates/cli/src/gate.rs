//! `why401 gate`: arguments for the gate in `why401-gate`, and the diagnosis of one of its refusals.

use crate::diagnose::{self, Intake};
use crate::tally::Tally;
use crate::{Status, args, output};
use std::io::{IsTerminal, Read, Write};
use std::path::{Path, PathBuf};
use why401_gate::account::{Adding, Standing};
use why401_gate::{account, messages};
use why401_report::SourceReport;
use why401_span::SourceId;

/// How the gate is run, or what is asked of it.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = false)]
pub(crate) struct Gate {
    /// The configuration, TOML; docs/gate.md describes every key
    ///
    /// By default gate.toml here; `why` also asks the gates that you started last.
    #[arg(long, value_name = "FILE", global = true)]
    config: Option<PathBuf>,

    /// Where to listen, instead of what the configuration says; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<std::net::SocketAddr>,

    #[command(subcommand)]
    action: Option<Action>,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Tell why a request was refused, by the reference that the refused client got
    Why {
        /// The reference, as in the body of the refusal
        reference: String,
    },
    /// Read the configuration and all its files, tell what is wrong, and end
    Check,
    /// The accounts of the gate's own database
    Account {
        #[command(subcommand)]
        what: Account,
    },
    /// The messages that the gate has taken
    Messages {
        #[command(subcommand)]
        what: Messages,
    },
}

#[derive(Debug, clap::Subcommand)]
enum Account {
    /// Add an account, or a new password, key, certificate or group to one
    Add {
        name: String,
        /// Read the password from standard input (the default where that is no terminal, else it is asked for)
        #[arg(long)]
        password_stdin: bool,
        /// Add no password
        #[arg(long, conflicts_with = "password_stdin")]
        no_password: bool,
        /// Make an API key and print it; it is told this once
        #[arg(long)]
        key: bool,
        /// The SHA-256 of a client certificate
        #[arg(long, value_name = "HEX")]
        certificate: Option<String>,
        /// A group that the account is in; may be given more than once
        #[arg(long, value_name = "NAME")]
        group: Vec<String>,
        /// For how many seconds the old password is valid beside the new one
        #[arg(long, value_name = "SECONDS", default_value_t = 0)]
        keep_old: i64,
    },
    /// Refuse an account from now on
    Disable { name: String },
    /// Let an account in again
    Enable { name: String },
    /// Refuse the passwords of an account from now on, or from a time on
    Expire {
        name: String,
        /// From this time on (RFC 3339)
        #[arg(long, value_name = "TIME")]
        at: Option<jiff::Timestamp>,
    },
    /// Lift the lock of an account after too many failures
    Unlock { name: String },
    /// Take over the users of an htpasswd file
    Import { file: PathBuf },
    /// List the accounts with their standing
    List,
}

#[derive(Debug, clap::Subcommand)]
enum Messages {
    /// List the messages that wait: receipt, time, account, address, bytes
    List {
        /// Those that were handed on as well
        #[arg(long)]
        all: bool,
    },
    /// Hand the messages that wait on, in order
    Drain {
        /// To a file, one JSON object a line
        #[arg(long, value_name = "FILE", required_unless_present_any = ["command", "url"], conflicts_with_all = ["command", "url"])]
        file: Option<PathBuf>,
        /// To a command, each on its standard input
        #[arg(long, value_name = "COMMAND", conflicts_with = "url")]
        command: Option<String>,
        /// To an http:// address, each as a POST
        #[arg(long, value_name = "URL")]
        url: Option<String>,
        /// How often a delivery that fails is tried again
        #[arg(long, value_name = "COUNT", default_value_t = 5)]
        retries: u32,
    },
}

/// Serves until SIGTERM or SIGINT, or answers what is asked.
#[allow(clippy::print_stdout, reason = "the answers of these commands")]
pub(crate) fn run(args: &args::Args, gate: &Gate) -> Result<Status, String> {
    let config = gate.config.clone().unwrap_or_else(|| PathBuf::from("gate.toml"));
    match &gate.action {
        None => {
            let ready = |address: std::net::SocketAddr, is_tls: bool| {
                println!("listening on {}://{address}/", if is_tls { "https" } else { "http" });
                let _ = std::io::stdout().flush();
                started::note(&config);
            };
            why401_gate::run(&config, gate.listen, ready, output::complain)?;
        }
        Some(Action::Why { reference }) => {
            let line = match &gate.config {
                Some(config) => why401_gate::why(config, reference)?,
                None => started::find(&config, |config| why401_gate::why(config, reference))?,
            };
            return why(args, line, reference);
        }
        Some(Action::Check) => {
            why401_gate::check(&config)?;
            println!("{}: in order", config.display());
        }
        Some(Action::Account { what }) => of_account(&config, what)?,
        Some(Action::Messages { what: Messages::List { all } }) => {
            messages::list(&config, *all, &mut std::io::stdout().lock())?;
        }
        Some(Action::Messages { what: Messages::Drain { file, command, url, retries } }) => {
            let target = match (file, command, url) {
                (Some(file), _, _) => messages::Target::File(file.clone()),
                (_, Some(command), _) => messages::Target::Command(command.clone()),
                (_, _, Some(url)) => messages::Target::Http(url.clone()),
                _ => return Err("where to? --file, --command or --url".to_owned()),
            };
            let count = messages::hand_on(&config, &target, *retries)?;
            println!("{count} messages handed on");
        }
    }
    Ok(Status::NoFault)
}

/// Diagnoses the line of the journal: the same reading and the same causes as for any evidence.
fn why(args: &args::Args, line: Vec<u8>, reference: &str) -> Result<Status, String> {
    let mut intake = Intake::default();
    let mut tally = Tally::new(&mut intake);
    let format = why401_read::read(SourceId(0), &mut &*line, None, None, &[], &mut tally)
        .map_err(|e| format!("the journal's line cannot be read: {e}"))?;
    let report = SourceReport {
        name: format!("refusal {}", reference.trim().to_ascii_uppercase()),
        format: format.name.to_owned(),
        bytes: line.len() as u64,
        ..tally.finish()
    };
    // What has no name in the catalogue (a malformed request, an upstream that is down) has its reason at least.
    let recorded: serde_json::Value = serde_json::from_slice(&line).unwrap_or_default();
    if recorded.get("cause").is_none() {
        let reason = recorded.get("reason").and_then(|r| r.as_str()).unwrap_or("nothing was recorded");
        output::complain(&format!("this refusal has no cause in the catalogue; the gate recorded: {reason}"));
    }
    diagnose::finish(args, intake, vec![report], |_| {})
}

/// The configurations of the gates that were started last, so that a reference alone is enough to ask.
mod started {
    use std::path::{Path, PathBuf};

    /// So many are remembered.
    const MOST: usize = 16;

    fn place() -> Option<PathBuf> {
        let state = std::env::var_os("XDG_STATE_HOME").filter(|v| !v.is_empty()).map(PathBuf::from);
        let home = || std::env::var_os("HOME").map(|home| Path::new(&home).join(".local/state"));
        Some(state.or_else(home)?.join("why401").join("gates"))
    }

    fn known() -> Vec<PathBuf> {
        let text = place().and_then(|p| std::fs::read_to_string(p).ok()).unwrap_or_default();
        text.lines().map(PathBuf::from).collect()
    }

    /// Remembers a configuration. Where that cannot be written, `--config` has to be given later.
    pub(super) fn note(config: &Path) {
        let (Some(place), Ok(config)) = (place(), config.canonicalize()) else { return };
        let mut all = known();
        all.retain(|c| *c != config && c.exists());
        all.insert(0, config);
        let text: String = all.iter().take(MOST).map(|c| format!("{}\n", c.display())).collect();
        if let Some(folder) = place.parent() {
            let _ = std::fs::create_dir_all(folder).and_then(|()| std::fs::write(&place, text));
        }
    }

    /// Asks the gate of this folder, then those that were started last, until one knows.
    pub(super) fn find<T>(here: &Path, ask: impl Fn(&Path) -> Result<T, String>) -> Result<T, String> {
        let mut first = None;
        for config in std::iter::once(here.to_owned()).filter(|c| c.exists()).chain(known()) {
            match ask(&config) {
                Ok(found) => return Ok(found),
                Err(why) => first = first.or(Some(why)),
            }
        }
        Err(first.unwrap_or_else(|| "which gate? Give its configuration with --config FILE".to_owned()))
    }
}

#[allow(clippy::print_stdout, reason = "the answers of these commands")]
fn of_account(config: &Path, what: &Account) -> Result<(), String> {
    let now = jiff::Timestamp::now();
    match what {
        Account::Add { name, password_stdin, no_password, key, certificate, group, keep_old } => {
            // Who adds only a key, a certificate or a group is not asked for a password.
            let only_else = !password_stdin && (*key || certificate.is_some() || !group.is_empty());
            let password = if *no_password || only_else { None } else { Some(password(*password_stdin)?) };
            let adding = Adding {
                name: name.clone(),
                password: password.map(why401_auth::Secret::new),
                keep_old: *keep_old,
                key: *key,
                certificate: certificate.clone(),
                groups: group.clone(),
            };
            if let Some(key) = account::add(config, &adding, now)? {
                println!("{key}");
            }
        }
        Account::Disable { name } => account::set(config, name, Standing::Disabled, now)?,
        Account::Enable { name } => account::set(config, name, Standing::Enabled, now)?,
        Account::Expire { name, at } => {
            account::set(config, name, Standing::Expires(at.unwrap_or(now)), now)?
        }
        Account::Unlock { name } => account::set(config, name, Standing::Unlocked, now)?,
        Account::Import { file } => println!("{} accounts", account::import(config, file)?),
        Account::List => account::list(config, now)?.iter().for_each(|line| println!("{line}")),
    }
    Ok(())
}

fn password(from_input: bool) -> Result<Vec<u8>, String> {
    let mut text = Vec::new();
    if from_input || !std::io::stdin().is_terminal() {
        std::io::stdin().read_to_end(&mut text).map_err(|e| format!("cannot read the password: {e}"))?;
        // The line break that echo or a here-string adds is not meant.
        while text.last().is_some_and(|b| matches!(b, b'\r' | b'\n')) {
            text.pop();
        }
    } else {
        let ask = |prompt| {
            rpassword::prompt_password(prompt).map_err(|e| format!("cannot ask for the password: {e}"))
        };
        text = ask("Password: ")?.into_bytes();
        if text != ask("Again: ")?.into_bytes() {
            return Err("the two passwords differ".to_owned());
        }
    }
    if text.is_empty() {
        return Err("the password is empty".to_owned());
    }
    Ok(text)
}
