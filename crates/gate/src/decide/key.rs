//! API keys, and client certificates. What is stored of a key is its SHA-256: keys are long and random, so nothing slower is
//! needed, and looking one up by its hash tells nothing by its time.

use super::{Case, Certificate, Known, standing};
use aws_lc_rs::digest;
use why401_verify::Refusal;

/// The SHA-256 of a key.
pub(crate) fn print_of(key: &[u8]) -> crate::accounts::Print {
    digest::digest(&digest::SHA256, key).as_ref().try_into().unwrap_or_default()
}

pub(super) fn verify(case: &Case<'_>) -> Result<Known, Refusal> {
    let name = &case.setup.config.key_field;
    let mut values = case.asked.head.all(name);
    let value = values.next().unwrap_or_default();
    if values.next().is_some() {
        return Err(Refusal::new("duplicate-credentials", format!("{name} stands twice")));
    }
    if value.is_empty() {
        return Err(Refusal::new("empty-credentials", format!("{name} is empty")));
    }
    if let Some(found) = why401_auth::placeholder::find(value) {
        return Err(Refusal::new(
            "placeholder-credentials",
            format!("a placeholder ({}) was sent", found.pattern),
        ));
    }
    let Some(user) = case.setup.store.owner_of_key(&print_of(value)) else {
        return Err(Refusal::new("credentials-refused", "no account has this key"));
    };
    standing(case, user)?;
    Ok(Known { user: user.to_owned(), groups: Vec::new() })
}

pub(super) fn certificate(case: &Case<'_>) -> Result<Known, Refusal> {
    const CAUSE: &str = "client-certificate-refused";
    match case.asked.certificate {
        Certificate::Absent => Err(Refusal::new("client-certificate-missing", "no certificate was shown")),
        Certificate::Bad(why) => Err(Refusal::new(CAUSE, why.clone())),
        Certificate::Good(print) => match case.setup.store.owner_of_certificate(print) {
            Some(user) => {
                standing(case, user)?;
                Ok(Known { user: user.to_owned(), groups: Vec::new() })
            }
            None => Err(Refusal::new(CAUSE, "no account has this certificate")),
        },
    }
}
