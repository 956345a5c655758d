//! The options of `why401 probe`.

use std::path::PathBuf;

/// What to ask, and with what.
#[derive(Debug, clap::Args, Default)]
pub(crate) struct Probe {
    /// The address
    #[arg(value_name = "URL")]
    pub(crate) url: Option<String>,

    /// User, or user and password, as curl takes them; a password that is missing is asked for without echo
    #[arg(short, long, value_name = "USER[:PASSWORD]", help_heading = "Credentials")]
    pub(crate) user: Option<String>,

    /// The environment variable that holds the password
    #[arg(long, value_name = "NAME", help_heading = "Credentials")]
    pub(crate) password_env: Option<String>,

    /// The file whose first line is the password; `-` for standard input
    #[arg(long, value_name = "FILE", help_heading = "Credentials")]
    pub(crate) password_file: Option<PathBuf>,

    /// Take user and password from ~/.netrc
    #[arg(long, help_heading = "Credentials")]
    pub(crate) netrc: bool,

    /// Take user and password from this .netrc
    #[arg(long, value_name = "FILE", help_heading = "Credentials")]
    pub(crate) netrc_file: Option<PathBuf>,

    /// Take user and password from git's credential helpers
    #[arg(long, help_heading = "Credentials")]
    pub(crate) credential_helper: bool,

    /// The environment variable that holds a bearer token
    #[arg(long, value_name = "NAME", help_heading = "Credentials")]
    pub(crate) bearer_env: Option<String>,

    /// A field to send, `Name: value`; `Name: $VARIABLE` takes the value from the environment
    #[arg(long, short = 'H', value_name = "FIELD", help_heading = "Credentials")]
    pub(crate) field: Vec<String>,

    /// A client certificate in PEM
    #[arg(long, value_name = "FILE", help_heading = "Credentials")]
    pub(crate) cert: Option<PathBuf>,

    /// The key of the client certificate in PEM, if it is not in the same file
    #[arg(long, value_name = "FILE", help_heading = "Credentials")]
    pub(crate) key: Option<PathBuf>,

    /// Sign for this service of AWS; keys and region from the environment (AWS_ACCESS_KEY_ID ...)
    #[arg(long, value_name = "SERVICE[/REGION]", help_heading = "Credentials")]
    pub(crate) aws: Option<String>,

    /// The scheme that user and password are for, basic, digest or ntlm; otherwise whichever the server offers
    #[arg(long, value_name = "SCHEME", help_heading = "Credentials")]
    pub(crate) scheme: Option<String>,

    /// The method
    #[arg(short = 'X', long, value_name = "METHOD", help_heading = "Request")]
    pub(crate) method: Option<String>,

    /// The content, `@FILE` for that of a file
    #[arg(short, long, value_name = "TEXT", help_heading = "Request")]
    pub(crate) data: Option<String>,

    /// The origin of the page that a browser asks from: sends the CORS preflight too
    #[arg(long, value_name = "ORIGIN", help_heading = "Request")]
    pub(crate) origin: Option<String>,

    /// Do not use HTTP/2
    #[arg(long = "http1.1", help_heading = "Request")]
    pub(crate) http1: bool,

    /// A proxy, instead of the environment's
    #[arg(short = 'x', long, value_name = "PROXY", help_heading = "Connection")]
    pub(crate) proxy: Option<String>,

    /// Hosts to ask past the proxy, `*` for all
    #[arg(long, value_name = "HOSTS", help_heading = "Connection")]
    pub(crate) noproxy: Option<String>,

    /// An authority to trust, in PEM
    #[arg(long, value_name = "FILE", help_heading = "Connection")]
    pub(crate) cacert: Option<PathBuf>,

    /// Do not verify the server's certificate
    #[arg(short = 'k', long, help_heading = "Connection")]
    pub(crate) insecure: bool,

    /// Use this address for the host
    #[arg(long, value_name = "HOST:PORT:ADDRESS", help_heading = "Connection")]
    pub(crate) resolve: Vec<String>,

    /// Print what would be sent, send nothing
    #[arg(long, help_heading = "Limits")]
    pub(crate) plan: bool,

    /// Let a method that changes things be repeated
    #[arg(long, help_heading = "Limits")]
    pub(crate) allow_unsafe: bool,

    /// Let credentials be sent that are wrong on purpose, once: a user or a token that exists nowhere
    #[arg(long, help_heading = "Limits")]
    pub(crate) allow_wrong: bool,

    /// A host to which the credentials may go if the given one redirects there
    #[arg(long, value_name = "HOST", help_heading = "Limits")]
    pub(crate) trust_host: Vec<String>,

    /// So many requests at most, never more than 20
    #[arg(long, value_name = "NUMBER", default_value_t = 20, help_heading = "Limits")]
    pub(crate) max_requests: u32,

    /// So often the credentials are sent at most, never more than twice
    #[arg(long, value_name = "NUMBER", default_value_t = 2, help_heading = "Limits")]
    pub(crate) max_attempts: u32,

    /// The rest between two requests in milliseconds
    #[arg(
        long,
        value_name = "MILLISECONDS",
        default_value_t = 200,
        overrides_with = "pause",
        help_heading = "Limits"
    )]
    pub(crate) pause: u64,

    /// So many seconds at most in all
    #[arg(long, value_name = "SECONDS", default_value_t = 90, help_heading = "Limits")]
    pub(crate) max_time: u64,

    /// Do not tell on standard error what is sent and why
    #[arg(short, long, help_heading = "Limits")]
    pub(crate) quiet: bool,

    /// A curl command line as it is: `why401 probe -- curl -u alice https://example.com/`
    #[arg(last = true, value_name = "COMMAND")]
    pub(crate) command: Vec<String>,
}
