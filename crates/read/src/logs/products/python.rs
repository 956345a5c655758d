//! Servers of Python applications: Uvicorn (<https://www.uvicorn.org/settings/#logging>) and uWSGI
//! (<https://uwsgi-docs.readthedocs.io/en/latest/LogFormat.html>).

use super::Text;
use crate::logs::line::Escape;

pub(super) const UVICORN: Text = Text {
    product: "uvicorn",
    layouts: &[r#"INFO: {client:port} - "{request}" {status} {}"#],
    escape: Escape::None,
    loose: true,
};

pub(super) const UWSGI: Text = Text {
    product: "uwsgi",
    layouts: &[
        "[pid: {}] {client} ({user}) {} [{time}] {method} {target} => generated {bytes} bytes in {} msecs ({version} {status}) {}",
    ],
    escape: Escape::None,
    loose: false,
};
