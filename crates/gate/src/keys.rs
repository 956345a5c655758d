//! Fetching the key set of tokens (RFC 7517), and keeping it fresh. While it cannot be had the old one stays in use.

use crate::config::Keys;
use crate::gate::Gate;
use crate::upstream::ask::Address;
use std::sync::{Arc, PoisonError};
use std::time::Duration;
use why401_verify::jwk::KeySet;

/// After a failure it is tried again so soon.
const AGAIN: Duration = Duration::from_secs(5);

/// Fetches the key set again and again.
pub(crate) async fn refresh(gate: Arc<Gate>, tell: impl Fn(&str)) {
    let mut failed = false;
    loop {
        let setup = gate.setup();
        let Some((url, pause)) = setup.config.bearer.as_ref().and_then(|b| match &b.keys {
            Keys::Url(url) => Some((url.clone(), b.refresh)),
            Keys::File(_) => None,
        }) else {
            drop(setup);
            // A reload may bring one.
            tokio::time::sleep(AGAIN).await;
            continue;
        };
        let fetched = Address::parse(&url);
        let fetched = match &fetched {
            Ok(address) => address.ask("GET", "Accept: application/json\r\n", b"").await,
            Err(why) => Err(why.clone()),
        };
        match fetched.and_then(|bytes| KeySet::parse(&bytes)) {
            Ok(keys) => {
                *setup.keys.write().unwrap_or_else(PoisonError::into_inner) = Some(keys);
                failed = false;
            }
            Err(why) => {
                if !failed {
                    tell(&format!("the key set {url} cannot be had: {why}"));
                }
                failed = true;
            }
        }
        drop(setup);
        let pause = if failed { AGAIN } else { pause };
        // An unknown key is a reason to look at once, but not more often than this.
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = async { tokio::time::sleep(AGAIN).await; gate.unknown_key.notified().await } => {}
        }
    }
}
