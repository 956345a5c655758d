//! What a domain controller says of a ticket's client, in words.

use super::quoted;
use crate::show::clock;
use jiff::Timestamp;
use why401_auth::scheme::kerberos;
use why401_auth::scheme::service_key::Opened;
use why401_auth::scheme::service_key::pac::{Client, Logon, Pac, Signature, kind_name};

/// So many groups are named.
const GROUPS: usize = 20;
/// [MS-PAC] section 2.4 knows no more kinds of buffers, each of which occurs once.
const KINDS: usize = 20;

/// All that is said: who the client is, how the account stands, and who has signed it.
pub(crate) fn in_full(pac: &Pac) -> String {
    let mut says = Vec::new();
    says.extend(pac.logon.as_ref().map(|logon| {
        let person = if logon.full_name.is_empty() {
            String::new()
        } else {
            format!(" ({})", quoted(&logon.full_name))
        };
        format!("{}{person}{}", who(logon), groups(logon))
    }));
    says.extend(
        pac.names.as_ref().filter(|n| !n.upn.is_empty()).map(|n| format!("known as {}", quoted(&n.upn))),
    );
    says.extend(pac.logon.as_ref().map(account));
    says.extend(pac.client.as_ref().map(client));
    says.push(match pac.signature {
        Signature::Agrees => "signed with the service's key".to_owned(),
        Signature::Differs => "not signed with the key that opens the ticket".to_owned(),
        Signature::Missing => "not signed for the service".to_owned(),
        Signature::Unknown(kind) => {
            format!("signed by checksum type {kind}, for which the keytab has no key")
        }
    });
    let mut kinds: Vec<&str> = pac.kinds.iter().take(KINDS).map(|kind| kind_name(*kind)).collect();
    if pac.kinds.len() > KINDS {
        kinds.push("more");
    }
    says.push(format!("it holds {}", kinds.join(", ")));
    format!("its PAC: {}", says.join("; "))
}

/// Whom it names.
pub(crate) fn named(pac: &Pac) -> Option<String> {
    pac.logon.as_ref().map(|logon| format!("its PAC names {}", who(logon)))
}

/// What in it speaks against the ticket or its client, and the cause that each may be of its own.
pub(crate) fn amiss(opened: &Opened, pac: &Pac) -> Vec<(String, Option<&'static str>)> {
    let mut amiss = Vec::new();
    match pac.signature {
        Signature::Differs => amiss.push((
            "its PAC was not signed with the key that opens the ticket, and a service that verifies PACs refuses it"
                .to_owned(),
            None,
        )),
        Signature::Missing => amiss.push((
            "its PAC has no signature for the service, and a service that verifies PACs refuses it".to_owned(),
            None,
        )),
        Signature::Agrees | Signature::Unknown(_) => {}
    }
    if let Some(client) = &pac.client {
        if !is_of(&client.name, &opened.client) {
            amiss.push((format!("its PAC was made for {}, another client", quoted(&client.name)), None));
        }
        let ticket = kerberos::time(&opened.authenticated);
        if let (Some(pac), Some(ticket)) = (client.authenticated, ticket)
            && pac != ticket
        {
            let says = format!(
                "its PAC was made for an authentication at {}, and the ticket for one at {}",
                moment(pac),
                moment(ticket)
            );
            amiss.push((says, None));
        }
    }
    if let Some(logon) = &pac.logon {
        let stands = [
            (logon.is_disabled(), "the account is disabled by its PAC", "account-disabled"),
            (logon.is_locked(), "the account is locked by its PAC", "account-locked"),
            (logon.is_password_expired(), "the password has expired by its PAC", "password-expired"),
        ];
        amiss.extend(
            stands.into_iter().filter(|s| s.0).map(|(_, says, cause)| (says.to_owned(), Some(cause))),
        );
    }
    amiss
}

/// Whether a name, with or without its realm, is that of a client.
fn is_of(name: &str, client: &str) -> bool {
    let (name, client) = (name.to_lowercase(), client.to_lowercase());
    name == client || client.rsplit_once('@').is_some_and(|(short, _)| short == name)
}

fn who(logon: &Logon) -> String {
    let sid = logon.sid().map_or(format!("number {}", logon.rid), |sid| sid);
    let domain = if logon.domain.is_empty() { String::new() } else { format!("{}\\", logon.domain) };
    format!("{}, {sid}", quoted(&format!("{domain}{}", logon.account)))
}

fn groups(logon: &Logon) -> String {
    let numbers = logon.groups.iter().map(ToString::to_string);
    let all: Vec<String> = numbers.chain(logon.other_groups.iter().cloned()).take(GROUPS).collect();
    let count = logon.groups.len() + logon.other_groups.len();
    match count {
        0 => ", in no group".to_owned(),
        1..=GROUPS => format!(", groups {}", all.join(", ")),
        _ => format!(", groups {} and {} more", all.join(", "), count - GROUPS),
    }
}

/// How the account stands.
fn account(logon: &Logon) -> String {
    let mut says = Vec::new();
    let states = [
        (logon.is_disabled(), "disabled"),
        (logon.is_locked(), "locked"),
        (logon.is_password_expired(), "its password expired"),
        (logon.is_guest(), "logged on as a guest"),
    ];
    says.extend(states.iter().filter(|s| s.0).map(|s| s.1.to_owned()));
    says.extend(logon.logged_on.map(|at| format!("logged on at {}", moment(at))));
    says.extend(logon.password_set.map(|at| format!("password set at {}", moment(at))));
    says.push(
        logon
            .password_until
            .map_or("it need not be changed".to_owned(), |at| format!("to be changed by {}", moment(at))),
    );
    let times = |n: u16, what: &str| format!("{n} {what}{}", if n == 1 { "" } else { "s" });
    says.push(times(logon.logons, "logon"));
    says.push(times(logon.wrong_passwords, "wrong password"));
    format!("the account: {}", says.join(", "))
}

fn client(client: &Client) -> String {
    let at =
        client.authenticated.map(|at| format!(", who proved itself at {}", moment(at))).unwrap_or_default();
    format!("made for {}{at}", quoted(&client.name))
}

fn moment(seconds: i64) -> String {
    Timestamp::from_second(seconds).map_or_else(|_| format!("{seconds} s since 1970"), clock)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-22 16:00:00 UTC.
    const AT: i64 = 1_795_363_200;

    fn opened(pac: Pac) -> Vec<(String, Option<&'static str>)> {
        let mut ticket = Opened::default();
        ticket.client = "alice@EXAMPLE.COM".to_owned();
        ticket.authenticated = "20261122160000Z".to_owned();
        amiss(&ticket, &pac)
    }

    fn of(name: &str, at: i64) -> Pac {
        let client = Client { name: name.to_owned(), authenticated: Some(at) };
        Pac { client: Some(client), signature: Signature::Agrees, ..Pac::default() }
    }

    #[test]
    fn a_pac_of_the_client_itself_has_nothing_amiss() {
        for name in ["alice", "Alice", "alice@EXAMPLE.COM"] {
            assert_eq!(opened(of(name, AT)), [], "{name}");
        }
        // Keys that are not at hand prove nothing.
        assert_eq!(opened(Pac { signature: Signature::Unknown(16), ..of("alice", AT) }), []);
        assert_eq!(opened(Pac { signature: Signature::Agrees, ..Pac::default() }), []);
    }

    #[test]
    fn what_does_not_belong_together_is_told() {
        let says = |pac| opened(pac).into_iter().map(|(says, _)| says).collect::<Vec<_>>().join("; ");
        assert_eq!(says(of("bob", AT)), "its PAC was made for bob, another client");
        assert_eq!(
            says(of("alice", AT - 60)),
            "its PAC was made for an authentication at 2026-11-22 15:59:00 UTC, and the ticket for one at 2026-11-22 16:00:00 UTC"
        );
        let differs = says(Pac { signature: Signature::Differs, ..of("alice", AT) });
        assert!(
            differs.starts_with("its PAC was not signed with the key that opens the ticket"),
            "{differs}"
        );
    }

    #[test]
    fn how_the_account_stands_leaves_another_cause_open() {
        let with = |control| Pac { logon: Some(Logon { control, ..Logon::default() }), ..of("alice", AT) };
        let causes =
            |control| opened(with(control)).into_iter().filter_map(|(_, cause)| cause).collect::<Vec<_>>();
        assert_eq!(causes(0x210), [""; 0]);
        assert_eq!(causes(0x0002_0401), ["account-disabled", "account-locked", "password-expired"]);
    }

    #[test]
    fn who_somebody_is_stands_in_one_line() {
        let logon = Logon {
            account: "alice".to_owned(),
            full_name: "Alice Archer".to_owned(),
            domain: "EXAMPLE".to_owned(),
            domain_sid: Some("S-1-5-21-1-2-3".to_owned()),
            rid: 1104,
            groups: (513..540).collect(),
            password_set: Some(AT),
            wrong_passwords: 1,
            ..Logon::default()
        };
        let pac = Pac { logon: Some(logon), kinds: vec![1, 10, 6, 7, 99], ..of("alice", AT) };
        assert_eq!(named(&pac).as_deref(), Some("its PAC names EXAMPLE\\alice, S-1-5-21-1-2-3-1104"));
        let says = in_full(&pac);
        assert!(
            says.starts_with("its PAC: EXAMPLE\\alice, S-1-5-21-1-2-3-1104 (Alice Archer), groups 513, "),
            "{says}"
        );
        assert!(
            says.contains(", 532 and 7 more; the account: password set at 2026-11-22 16:00:00 UTC"),
            "{says}"
        );
        assert!(says.contains("0 logons, 1 wrong password; made for alice, who proved itself at "), "{says}");
        let end = "signed with the service's key; it holds logon information, client, server signature, KDC signature, a buffer of an unknown kind";
        assert!(says.ends_with(end), "{says}");
    }
}
