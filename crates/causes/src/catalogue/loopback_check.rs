//! Windows does not log in at itself under another name.

use crate::cause::{Answer, Claim, cause};
use crate::reading::gss::{self, Message};
use crate::reading::{at_most, settle, token};
use crate::{Scene, Step};
use std::net::IpAddr;
use why401_history::Attempt;
use why401_report::{Certainty, Party};

/// `SEC_E_LOGON_DENIED` (Microsoft, COM error codes for security).
const LOGON_DENIED: u32 = 0x8009_030c;

cause! {
    /// A Windows server refuses integrated authentication of requests to itself under a name that is not its own.
    ///
    /// # What happened
    /// A program on the server asks the same server by another name than the machine's own (a site's host name, an
    /// alias). Windows takes that for a reflected login and refuses it, however right the account is. From any other
    /// machine the same account gets in.
    ///
    /// # How it is decided
    /// IIS logs 401.1 with the Win32 status 2148074252 where the address of the client is the server's own. With the
    /// same account let in from another address: certain; without: likely, for a wrong password looks the same.
    ///
    /// # Who acts
    /// Who runs the server.
    ///
    /// # What to do
    /// Enter the name under `BackConnectionHostNames`, or ask by the machine's own name. Switching the check off
    /// (`DisableLoopbackCheck`) opens the machine to reflected logins.
    ///
    /// # Evidence needed
    /// IIS's log with addresses, substatus and Win32 status.
    ///
    /// # Not to be confused with
    /// wrong-password: refused from everywhere.
    ///
    /// # References
    /// RFC 4559 section 4; Microsoft, "Error message when you try to access a server locally by using its FQDN or its CNAME
    /// alias" (KB 896861, KB 926642).
    pub LoopbackCheck = "loopback-check" in Handshake, Fault by Server, over ["credentials-refused", "wrong-password"]
}

impl LoopbackCheck {
    fn detect(scene: &Scene<'_>) -> Answer {
        if !token::is_refused(scene) {
            return Answer::RuledOut;
        }
        let told = scene.told_claim("loopback-check", "the server's loopback check refused the request");
        settle(
            scene
                .refused()
                .and_then(|step| by_log(scene, step).or_else(|| on_the_wire(scene, step)))
                .or_else(|| by_event(scene)),
            told,
            advise,
        )
    }
}

fn by_log(scene: &Scene<'_>, step: &Step<'_>) -> Option<Claim> {
    let (view, log) = step.attempt.views.iter().find_map(|v| v.log.as_ref().map(|l| (v, l)))?;
    // Before version 6 IIS logged no substatus.
    if !matches!(log.substatus, None | Some(1)) || log.win32 != Some(LOGON_DENIED) || !is_local(step.attempt)
    {
        return None;
    }
    let elsewhere = let_in_elsewhere(scene, step.attempt);
    let (line, code) = (log.line.to_text(), LOGON_DENIED.to_string());
    let mark = line.find(&code).map_or(0..line.len(), |i| i..i + code.len());
    let mut claim = Claim::new(match elsewhere {
        Some(_) => {
            "a request of the server to itself was refused (401.1), while the same account gets in from elsewhere"
        }
        None => {
            "a request of the server to itself was refused (401.1): Windows' loopback check does that where the name is not the machine's own"
        }
    });
    claim = claim.shown([scene.show_part(
        view.source,
        &log.line,
        mark,
        "SEC_E_LOGON_DENIED, client and server address are the same",
    )]);
    match elsewhere.and_then(|a| a.views.iter().find_map(|v| v.log.as_ref().map(|l| (v, l)))) {
        Some((v, l)) => {
            claim = claim.shown([scene.show_part(
                v.source,
                &l.line,
                0..l.line.len(),
                "the same account, let in from elsewhere",
            )])
        }
        None => claim = claim.or("wrong-password", "one login with the same account from another machine"),
    }
    Some(at_most(claim, if elsewhere.is_some() { Certainty::Certain } else { Certainty::Likely }))
}

/// A capture on the machine itself: the last message of an integrated login, refused by IIS.
fn on_the_wire(scene: &Scene<'_>, step: &Step<'_>) -> Option<Claim> {
    let (sent, message) = gss::of_request(step)?;
    let last = match message {
        Message::Ntlm(ntlm) => ntlm.number() == 3,
        Message::ApReq(_) => true,
        _ => false,
    };
    let server =
        step.response_field("server").map(|(_, f)| f.text().to_ascii_lowercase()).unwrap_or_default();
    let windows = server.contains("microsoft-iis") || server.contains("microsoft-httpapi");
    let host = step.request().and_then(|(_, r)| r.authority()).unwrap_or_default();
    let own = host.starts_with("localhost") || host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok();
    if !last || !windows || own || !is_local(step.attempt) {
        return None;
    }
    let claim = Claim::new(
        "a Windows server refused the login of a program on the same machine under another name than its own",
    )
    .shown([scene.show_field(
        sent.view,
        sent.field,
        "the last message, refused; client and server address are the same",
    )])
    .or("wrong-password", "one login with the same account from another machine");
    Some(at_most(claim, Certainty::Likely))
}

/// An event of Windows' security log: a logon over the network from the machine on which it was refused.
fn by_event(scene: &Scene<'_>) -> Option<Claim> {
    let value = |text: &str, key: &str| {
        let after = text
            .lines()
            .find_map(|l| l.trim().strip_prefix(key))?
            .trim()
            .split([' ', '.', '\t'])
            .next()?
            .to_owned();
        (after.len() > 1).then(|| after.to_ascii_lowercase())
    };
    let texts =
        || scene.statements().map(|s| &s.text).chain(scene.case.facts.iter().map(|f| &f.text)).take(1000);
    let computer = texts().find_map(|t| value(&t.to_text(), "Computer:"))?;
    let refused =
        texts().find(|t| value(&t.to_text(), "Workstation Name:").is_some_and(|w| w == computer))?;
    let denied = texts().any(|t| t.to_text().to_ascii_lowercase().contains("0xc000006d"));
    let statement = scene.statements().find(|s| std::ptr::eq(&s.text, refused))?;
    denied.then(|| {
        let claim = Claim::new("Windows refused a logon over the network that came from the very same machine: its loopback check does that where the name is not the machine's own")
            .shown([scene.show_statement(statement, "the workstation is the server itself")])
            .or("wrong-password", "one login with the same account from another machine");
        at_most(claim, Certainty::Likely)
    })
}

/// Whether client and server are one machine, by their addresses.
fn is_local(a: &Attempt) -> bool {
    let (Some(client), Some(server)) = (a.client(), a.server()) else { return false };
    let address = |h: &str| h.split('%').next().and_then(|h| h.parse::<IpAddr>().ok());
    client.host == server.host || address(&client.host).is_some_and(|ip| ip.is_loopback())
}

/// A request of the same account that was let in from another machine.
fn let_in_elsewhere<'a>(scene: &Scene<'a>, refused: &Attempt) -> Option<&'a Attempt> {
    let name = refused.logged_name()?;
    scene.attempts().take(20_000).find(|a| {
        a.let_in() && !is_local(a) && a.logged_name().is_some_and(|n| n.eq_ignore_ascii_case(&name))
    })
}

fn advise(claim: Claim) -> Claim {
    claim.fix_by(
        Party::Server,
        "Enter the name under BackConnectionHostNames and restart IIS, or let the program ask by the machine's own name.",
        "reg add HKLM\\SYSTEM\\CurrentControlSet\\Control\\Lsa\\MSV1_0 /v BackConnectionHostNames /t REG_MULTI_SZ /d HOST",
    )
}
