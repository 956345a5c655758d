//! Tornado's `log_request` (<https://www.tornadoweb.org/en/stable/web.html#tornado.web.Application.log_request>:
//! status, method, target, address, milliseconds) behind the heads that its users put before it: Moonraker
//! (<https://github.com/Arksine/moonraker/blob/d5ee17128b/moonraker/components/application.py>: who asked, or that the
//! address alone was trusted), JupyterHub and Jupyter Server
//! (<https://github.com/jupyterhub/jupyterhub/blob/main/jupyterhub/log.py>: the user before the address).

use super::Text;
use crate::logs::line::Escape;

/// Moonraker's `[No User]` is nobody, and its `[_TRUSTED_USER_]` is let in by address, without credentials.
pub(super) const MOONRAKER: Text = Text {
    product: "moonraker",
    layouts: &[
        "{time} [{}:log_request()] - {status} {method} {target} ({client}) [_TRUSTED_USER_] {}ms",
        "{time} [{}:log_request()] - {status} {method} {target} ({client}) [No User] {}ms",
        "{time} [{}:log_request()] - {status} {method} {target} ({client}) [{user}] {}ms",
    ],
    escape: Escape::None,
    loose: false,
};

pub(super) const JUPYTER: Text = Text {
    product: "jupyter",
    layouts: &[
        "[{} {time} JupyterHub log:{}] {status} {method} {target} ({user}@{client}) {}ms",
        "[{} {time} JupyterHub log:{}] {status} {method} {target} (@{client}) {}ms",
        "[{} {time} ServerApp] {status} {method} {target} ({client}) {}ms",
        "[{} {time} ServerApp] {status} {method} {target} ({user}@{client}) {}ms",
    ],
    escape: Escape::None,
    loose: false,
};

/// With no head, or with that of Tornado's own `LogFormatter`: `[W 221122 10:00:00 web:2239]`.
pub(super) const TORNADO: Text = Text {
    product: "tornado",
    layouts: &[
        "[{} {} {} web:{}] {status} {method} {target} ({client}) {}ms",
        "WARNING:tornado.access:{status} {method} {target} ({client}) {}ms",
        "INFO:tornado.access:{status} {method} {target} ({client}) {}ms",
        "{time} {} tornado.access {status} {method} {target} ({client}) {}ms",
    ],
    escape: Escape::None,
    loose: false,
};
