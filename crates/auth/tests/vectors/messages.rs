//! NTLM, SPNEGO and Kerberos messages that others recorded, with what another implementation reads in them.

use crate::shared;
use serde_json::Value;
use why401_auth::scheme::kerberos::{self, Kerberos};
use why401_auth::scheme::ntlm::Message;
use why401_auth::scheme::spnego;

/// The first value of this name, at any depth.
fn find<'a>(value: &'a Value, name: &str) -> Option<&'a Value> {
    match value {
        Value::Object(map) => {
            map.get(name).filter(|v| !v.is_null()).or_else(|| map.values().find_map(|v| find(v, name)))
        }
        Value::Array(list) => list.iter().find_map(|v| find(v, name)),
        _ => None,
    }
}

fn text(value: &Value, name: &str) -> String {
    find(value, name).and_then(Value::as_str).unwrap_or_default().to_string()
}

/// `NAME (18)` gives 18.
fn number(text: &str) -> Option<i64> {
    text.rsplit_once('(')?.1.trim_end_matches(')').parse().ok()
}

fn name(value: &Value) -> String {
    let parts: Vec<_> =
        value["name-string"].as_array().unwrap().iter().map(|p| p.as_str().unwrap()).collect();
    parts.join("/")
}

#[test]
fn recorded_messages_are_read_as_others_read_them() {
    let Some(dir) = shared::folder("peers/tokens/spnego") else { return };
    let mut seen = 0;
    for file in std::fs::read_dir(dir).unwrap().map(|f| f.unwrap().path()) {
        let Some(stem) = file.to_str().unwrap().strip_suffix(".oracle.json") else { continue };
        let bytes = std::fs::read(stem).unwrap();
        let oracle: Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
        let data = &oracle["Data"];
        let id = stem.rsplit('/').next().unwrap();
        let read = spnego::read(&bytes).unwrap_or_else(|| panic!("{id} not read"));
        assert!(!read.cut_off, "{id}");
        if let Some(ntlm) = read.ntlm() {
            assert_eq!(
                i64::from(ntlm.flags),
                find(data, "NegotiateFlags").unwrap()["raw"].as_i64().unwrap(),
                "{id}"
            );
            match &ntlm.message {
                Message::Challenge(c) => {
                    assert_eq!(c.target_name, text(data, "TargetName"));
                    assert_eq!(c.target_info.dns_computer.as_deref(), Some("DC01.domain.local"));
                    assert_eq!(c.target_info.time, Some(1_588_214_782));
                    assert_eq!(ntlm.version, Some((10, 0, 14393)));
                }
                Message::Authenticate(a) => {
                    assert_eq!(a.user, text(data, "UserName"), "{id}");
                    assert_eq!(a.domain, text(data, "DomainName"), "{id}");
                    assert_eq!(a.workstation, text(data, "Workstation"), "{id}");
                    assert_eq!(
                        a.is_v2,
                        text(find(data, "NtChallengeResponse").unwrap(), "ResponseType") == "NTLMv2"
                    );
                    assert!(a.target_info.target.is_some() && a.client_time.is_some());
                    assert_eq!(a.target_info.channel_binding, Some(false));
                    assert!(!a.is_anonymous);
                }
                Message::Negotiate { domain, .. } => assert_eq!(domain, ""),
                Message::Unknown(n) => panic!("{id}: type {n}"),
            }
            seen += 1;
            continue;
        }
        if id.contains("init2") {
            assert_eq!(read.mechs.len(), 5, "{id}");
            assert!(read.token.is_none());
            seen += 1;
            continue;
        }
        match read.kerberos().unwrap_or_else(|| panic!("{id}: no Kerberos in {read:?}")) {
            Kerberos::ApReq(a) => {
                let ticket = find(data, "ticket").unwrap();
                assert_eq!(a.ticket.realm, text(ticket, "realm"), "{id}");
                assert_eq!(a.ticket.sname, name(find(ticket, "sname").unwrap()), "{id}");
                assert_eq!(a.ticket.etype, number(&text(ticket, "etype")));
                assert_eq!(
                    a.ticket.kvno.map(i64::from),
                    find(ticket, "kvno").and_then(Value::as_i64),
                    "{id}"
                );
            }
            Kerberos::ApRep { etype } => assert_eq!(*etype, number(&text(data, "etype"))),
            Kerberos::Error(e) => {
                assert_eq!(
                    (e.code, e.realm.as_str(), e.sname.as_str()),
                    (25, "DOMAIN.LOCAL", "krbtgt/DOMAIN.LOCAL")
                );
                assert_eq!(kerberos::time(e.stime.as_deref().unwrap()), Some(1_592_082_263));
            }
            Kerberos::KdcReq(r) => {
                assert_eq!(r.realm, text(&data["req-body"], "realm"), "{id}");
                assert_eq!(r.sname, name(&data["req-body"]["sname"]), "{id}");
                assert!(r.etypes.contains(&18), "{id}");
            }
            Kerberos::KdcRep(r) => {
                assert_eq!(r.crealm, text(data, "crealm"), "{id}");
                assert_eq!(r.cname, name(&data["cname"]), "{id}");
                assert_eq!(r.ticket.sname, name(&data["ticket"]["sname"]), "{id}");
            }
        }
        seen += 1;
    }
    println!("{seen} messages read as another implementation reads them");
    assert_eq!(seen, 14);
}

/// Every message, cut off at every place and with every byte changed, is read without a panic.
#[test]
fn broken_messages_are_survived() {
    let Some(dir) = shared::folder("peers/tokens/spnego") else { return };
    for file in std::fs::read_dir(dir).unwrap().map(|f| f.unwrap().path()) {
        if file.extension().is_some() {
            continue;
        }
        let bytes = std::fs::read(&file).unwrap();
        for cut in 0..bytes.len() {
            let _ = format!("{:?}", spnego::read(&bytes[..cut]));
            let mut changed = bytes.clone();
            changed[cut] ^= 0xff;
            let _ = spnego::read(&changed);
        }
    }
}
