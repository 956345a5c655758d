//! A ticket that the server does not accept.

use crate::cause::{Answer, Claim, cause};
use crate::reading::gss::{self, Message};
use crate::reading::{pac, quoted, settle, token};
use crate::{Scene, Step};
use why401_auth::scheme::kerberos::{self, ApReq, Ticket};
use why401_auth::scheme::service_key::{self, Closed, Opened, ServiceKey};
use why401_http::{Fact, FactKind};
use why401_report::Party;

cause! {
    /// A Kerberos ticket was sent and refused.
    ///
    /// # What happened
    /// The client had a ticket for the server, and the server could not open or would not take it: its keytab has
    /// another key, another version or another encryption type than the one the ticket was made with, the name in the
    /// ticket is not its own, the ticket is over, or the channel binding does not fit.
    ///
    /// # How it is decided
    /// A Kerberos AP-REQ in the credentials and a refusal: certain. A KRB-ERROR inside the challenge, or the server's
    /// log, names the reason: 35 not for us, 44 key version, 41 modified, 31 integrity, 45 no key. With the service's
    /// keytab (`--keytab`) the ticket is opened as the service would, which proves a key that does not fit. What a domain
    /// controller says of the client in it (the PAC) is told: who that is, how the account stands, whether it is signed with
    /// the service's key.
    ///
    /// # Who acts
    /// Who runs the server, or the domain.
    ///
    /// # What to do
    /// Compare the ticket with the keytab: `kvno HTTP/host` at the client, `klist -ket FILE` at the server. Make the
    /// keytab anew after the account's password was changed. See that `HTTP/host` is registered once, for the account
    /// that the service runs as.
    ///
    /// # Evidence needed
    /// The credentials, the challenge, and the server's log.
    ///
    /// # Not to be confused with
    /// clock-skew: error 37. acl-denied: the ticket was accepted and the person has no permission.
    ///
    /// # References
    /// RFC 4120 sections 5.5.1, 5.9.1 and 7.5.9; RFC 4121 section 4.1; RFC 4559 section 4; MS-PAC.
    pub KerberosRefused = "kerberos-refused" in Handshake, Fault by Server, over ["credentials-refused"]
}

impl KerberosRefused {
    fn detect(scene: &Scene<'_>) -> Answer {
        if !token::is_refused(scene) {
            return Answer::RuledOut;
        }
        let told = scene.told_claim("kerberos-refused", "the Kerberos ticket was not accepted");
        settle(scene.refused().and_then(|step| look(scene, step)), told, advise)
    }
}

fn look(scene: &Scene<'_>, step: &Step<'_>) -> Option<Claim> {
    let answer = gss::of_answer(step);
    let error = match &answer {
        Some((_, _, Message::Error(error))) => Some(error),
        // The server took the ticket: what it refuses is something else.
        Some((_, _, Message::ApRep)) => return None,
        _ => None,
    };
    if error.is_some_and(|e| matches!(e.code, 33 | 37)) {
        return None;
    }
    let sent = gss::of_request(step).filter(|(_, m)| matches!(m, Message::ApReq(_)));
    if sent.is_none() && error.is_none() {
        return None;
    }
    let ticket = match &sent {
        Some((_, Message::ApReq(request))) => Some(&request.ticket),
        _ => None,
    };
    let which = ticket.map(described).unwrap_or_default();
    let mut claim = Claim::new(match error {
        Some(e) => {
            let (name, meaning) = kerberos::error_name(e.code);
            format!("the server refused the Kerberos ticket{which} with {} ({name}): {meaning}", e.code)
        }
        None => format!("the server refused the Kerberos ticket{which}, and does not say why"),
    });
    if let Some((sent, _)) = &sent {
        let range = sent.credentials().map_or(0..sent.field.value.len(), |c| c.rest.range.clone());
        claim = claim.shown([scene.show_in_field(
            sent.view,
            sent.field,
            range,
            "a Kerberos AP-REQ: a ticket for the server",
        )]);
    }
    if let (Some(e), Some((offered, challenge, _))) = (error, &answer) {
        let says = format!("a KRB-ERROR in it: {} ({})", e.code, kerberos::error_name(e.code).0);
        claim =
            claim.shown([scene.show_in_field(offered.view, offered.field, challenge.range.clone(), says)]);
    } else if let Some((view, response)) = step.response() {
        claim = claim.shown([scene.show_status(view, response, "refused")]);
    }
    if let Some(note) = ticket.and_then(|t| other_name(step, t)) {
        claim.summary.push_str(&note);
    }
    let request = match &sent {
        Some((_, Message::ApReq(request))) => Some(request),
        _ => None,
    };
    let tried = request.and_then(|r| tried(scene, r, error.map(|e| e.code)));
    let opened = tried.as_ref().is_some_and(|t| t.opens);
    if let Some(Tried { fact, says, pac, open, .. }) = tried {
        claim.summary.push_str(&format!("; {says}"));
        claim = claim.shown([scene.show_fact(fact, "the keytab given")]);
        if let (Some(says), Some((sent, _))) = (pac, &sent) {
            claim = claim.shown([scene.show_field(sent.view, sent.field, says)]);
        }
        for cause in open {
            claim = claim.or(cause, "how the account stands in the directory now");
        }
    }
    // A service whose own keys open the ticket has another reason than they.
    if opened && error.is_none() {
        claim = claim.or("clock-skew", "the clocks of client and server: `date -u` on both");
    }
    if error.is_none() {
        claim = claim
            .or("acl-denied", "the server's log: whether it names the person, then the ticket was accepted")
            .or("channel-binding-missing", "the server's log, or one try without the TLS proxy in between");
    }
    Some(claim)
}

/// What became of opening a ticket with the keys given.
struct Tried<'a> {
    fact: &'a Fact,
    opens: bool,
    says: String,
    /// What the PAC says, where the ticket opens.
    pac: Option<String>,
    /// The causes that the PAC leaves open.
    open: Vec<&'static str>,
}

/// Opens the ticket as a service with the keytab given would.
fn tried<'a>(scene: &Scene<'a>, request: &ApReq, error: Option<i64>) -> Option<Tried<'a>> {
    let tries: Vec<(&Fact, Result<Opened, Closed>)> = opened(scene, &request.ticket).collect();
    let best = tries.iter().find(|(_, t)| t.is_ok()).or(tries.first())?;
    let mut says = in_words(&request.ticket, &best.1, error);
    if let Some(made) = best.1.as_ref().ok().and_then(|o| o.authenticator(request)) {
        says.push_str(&format!(
            "; the client made its authenticator at {} by its own clock",
            clock(&made.time)
        ));
    }
    let mut tried = Tried { fact: best.0, opens: best.1.is_ok(), says, pac: None, open: Vec::new() };
    if let Ok(opened) = &best.1 {
        tried.tell(opened);
    }
    Some(tried)
}

impl Tried<'_> {
    /// Tells what a domain controller says in the ticket.
    fn tell(&mut self, opened: &Opened) {
        let Some(there) = &opened.pac else {
            self.pac = Some("it has no PAC, or one that cannot be read".to_owned());
            return;
        };
        let amiss = pac::amiss(opened, there);
        let told = pac::named(there).into_iter().chain(amiss.iter().map(|(says, _)| says.clone()));
        told.for_each(|says| self.says.push_str(&format!("; {says}")));
        self.open.extend(amiss.iter().filter_map(|(_, cause)| *cause));
        self.pac = Some(pac::in_full(there));
    }
}

/// What each keytab given makes of a ticket.
fn opened<'a>(
    scene: &Scene<'a>,
    ticket: &Ticket,
) -> impl Iterator<Item = (&'a Fact, Result<Opened, Closed>)> {
    let keytabs = scene.case.facts.iter().filter_map(|f| match &f.kind {
        FactKind::Keytab(bytes) => Some((f, service_key::read(bytes.expose()).ok()?)),
        _ => None,
    });
    keytabs.map(|(fact, keys): (_, Vec<ServiceKey>)| (fact, service_key::open(ticket, &keys)))
}

/// When the client made its authenticator, in seconds since 1970 by its own clock, where a keytab given opens the ticket.
pub(super) fn made<'a>(scene: &Scene<'a>, request: &ApReq) -> Option<(&'a Fact, i64)> {
    opened(scene, &request.ticket).find_map(|(fact, opened)| {
        let made = opened.ok()?.authenticator(request)?;
        Some((fact, kerberos::time(&made.time)?))
    })
}

fn in_words(ticket: &Ticket, tried: &Result<Opened, Closed>, error: Option<i64>) -> String {
    let etype = ticket.etype.map(kerberos::etype_name).unwrap_or_default();
    let version = ticket.kvno.map_or("of no version".to_owned(), |v| format!("version {v}"));
    match tried {
        Ok(o) => format!(
            "the keytab given opens it: it is of {}, valid from {} to {}{}; {}",
            quoted(&o.client),
            clock(&o.start),
            clock(&o.end),
            if o.flags.is_empty() { String::new() } else { format!(" ({})", o.flags.join(", ")) },
            match error {
                // RFC 4120 section 7.5.9: integrity, not for us, modified, key version, no key.
                Some(31 | 35 | 41 | 44 | 45) =>
                    "so the service that refused it has another keytab, or an older copy",
                _ => "so the key is not the reason",
            },
        ),
        Err(Closed::OtherService(there)) => {
            let there: Vec<String> = there.iter().take(4).map(|name| quoted(name)).collect();
            format!("the keytab has no key for this service, only for {}", there.join(", "))
        }
        Err(Closed::OtherVersion(there)) => {
            let there: Vec<String> = there.iter().map(ToString::to_string).collect();
            format!(
                "the ticket was made with key {version} and the keytab has only version {}",
                there.join(", ")
            )
        }
        Err(Closed::OtherType(there)) => {
            let there: Vec<&str> = there.iter().map(|e| kerberos::etype_name(*e)).collect();
            format!("the ticket needs a key of type {etype} and the keytab has only {}", there.join(", "))
        }
        Err(Closed::OtherKey) => format!(
            "the keytab has a key {version} of type {etype}, and the ticket was made with another one: the account has \
             another password or salt than the keytab was made with"
        ),
        Err(Closed::Unreadable) => {
            "the ticket cannot be opened here: it is cut off, or of an unknown type".to_owned()
        }
    }
}

/// A KerberosTime as people read times.
fn clock(text: &str) -> String {
    let part = |from: usize, to: usize| text.get(from..to).unwrap_or_default();
    match text.len() {
        15 => format!(
            "{}-{}-{} {}:{}:{} UTC",
            part(0, 4),
            part(4, 6),
            part(6, 8),
            part(8, 10),
            part(10, 12),
            part(12, 14)
        ),
        _ => quoted(text),
    }
}

/// The ticket in a few words: whom it is for, and which key.
fn described(ticket: &Ticket) -> String {
    if ticket.sname.is_empty() {
        return String::new();
    }
    let realm = if ticket.realm.is_empty() { String::new() } else { format!("@{}", ticket.realm) };
    let mut key: Vec<String> = ticket.kvno.iter().map(|k| format!("key version {k}")).collect();
    key.extend(ticket.etype.map(|e| kerberos::etype_name(e).to_owned()));
    let key = if key.is_empty() { String::new() } else { format!(" ({})", key.join(", ")) };
    format!(" for {}{key}", quoted(&format!("{}{realm}", ticket.sname)))
}

/// Whether the ticket is for another host than the one asked.
fn other_name(step: &Step<'_>, ticket: &Ticket) -> Option<String> {
    let asked = step.request()?.1.authority()?;
    let asked = asked.rsplit_once(':').map_or(asked.as_str(), |(h, _)| h);
    let (_, host) = ticket.sname.split_once('/')?;
    let short = |h: &str| h.split('.').next().unwrap_or_default().to_ascii_lowercase();
    (short(asked) != short(host))
        .then(|| format!("; the ticket is for {} and the request for {}", quoted(host), quoted(asked)))
}

fn advise(claim: Claim) -> Claim {
    claim
        .fix_by(
            Party::Server,
            "Compare the key version and encryption type of the ticket with the keytab, and make the keytab anew if they differ.",
            "klist -ket /etc/krb5.keytab",
        )
        .fix_by(
            Party::Server,
            "See that the service principal is registered once, for the account that the service runs as; clients then need a new ticket.",
            "kvno HTTP/HOST",
        )
}
