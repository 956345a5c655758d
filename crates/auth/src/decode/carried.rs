//! What a scheme carries, as JSON.

use super::claims;
use crate::inside::{Inside, InsideChallenge, Message};
use crate::scheme::basic::{Basic, Part};
use crate::scheme::bearer::BearerChallenge;
use crate::scheme::digest::{DigestChallenge, DigestCredentials};
use crate::scheme::kerberos::{self, Kerberos};
use crate::scheme::ntlm::{self, Ntlm, TargetInfo};
use crate::scheme::sigv4::Sigv4;
use crate::scheme::spnego::{MechToken, NegState, Wrapping};
use crate::secret::{Secret, mask};
use crate::time::rfc3339;
use crate::token::Token;
use crate::token::jwt::{Confirmation, Form, Jwt, JwtKind};
use crate::vendor::VendorToken;
use serde_json::{Map, Value, json};

/// An object without the members that are null or empty lists.
pub(super) fn object(value: Value) -> Value {
    match value {
        Value::Object(map) => Value::Object(
            map.into_iter()
                .filter(|(_, v)| !v.is_null() && v.as_array().is_none_or(|a| !a.is_empty()))
                .collect::<Map<_, _>>(),
        ),
        other => other,
    }
}

pub(super) fn secret(secret: &Secret, show: bool) -> Value {
    Value::String(if show { secret.expose_text().into_owned() } else { secret.masked() })
}

fn hidden(secret: Option<&Secret>, show: bool) -> Value {
    secret.map_or(Value::Null, |s| self::secret(s, show))
}

fn vendor(token: &VendorToken) -> Value {
    object(json!({
        "product": token.product,
        "kind": token.kind,
        "environment": token.environment.map(|e| e.name()),
        "prefix": Some(token.prefix).filter(|p| !p.is_empty()),
    }))
}

pub(super) fn of_credentials(inside: &Inside, show: bool) -> Value {
    match inside {
        Inside::Empty | Inside::Params | Inside::UnreadableMessage(_) => Value::Null,
        Inside::Basic(b) => basic(b, show),
        Inside::Token(t) => token(t, show),
        Inside::Digest(d) => digest_credentials(d, show),
        Inside::Negotiate(m) => message(m, show),
        Inside::Sigv4(s) => sigv4(s, show),
        Inside::OAuth1(o) => object(json!({
            "kind": "oauth1",
            "realm": o.realm,
            "consumer_key": o.consumer_key,
            "token": hidden(o.token.as_ref(), show),
            "signature_method": o.signature_method,
            "timestamp": o.timestamp,
            "time": o.timestamp.map(rfc3339),
            "nonce": o.nonce,
            "signature": hidden(o.signature.as_ref(), show),
        })),
        Inside::Hawk(h) => hawk(h, show),
        Inside::AccountSignature(a) => object(json!({
            "kind": "account-signature",
            "account": a.account,
            "signature": hidden(a.signature.as_ref(), show),
        })),
        Inside::SharedAccess(s) => object(json!({
            "kind": "shared-access-signature",
            "resource": s.resource,
            "key_name": s.key_name,
            "expires": s.expires.map(rfc3339),
            "signature": hidden(s.signature.as_ref(), show),
        })),
        Inside::Signature(c) => object(json!({
            "kind": "http-signature-draft",
            "key_id": c.key_id,
            "algorithm": c.algorithm,
            "headers": c.headers,
            "created": c.created.map(rfc3339),
            "expires": c.expires.map(rfc3339),
            "signature": hidden(c.signature.as_ref(), show),
        })),
    }
}

fn hawk(h: &crate::scheme::hawk::Hawk, show: bool) -> Value {
    object(json!({
        "kind": "hawk",
        "id": h.id,
        "ts": h.ts,
        "time": h.ts.map(rfc3339),
        "nonce": h.nonce,
        "hash": h.hash,
        "ext": h.ext,
        "mac": hidden(h.mac.as_ref(), show),
        "error": h.error,
    }))
}

pub(super) fn of_challenge(inside: &InsideChallenge, show: bool) -> Value {
    match inside {
        InsideChallenge::Bare | InsideChallenge::Other | InsideChallenge::UnreadableMessage(_) => Value::Null,
        InsideChallenge::Basic(b) => {
            object(json!({ "kind": "basic", "realm": b.realm, "charset": b.charset }))
        }
        InsideChallenge::Bearer(b) => bearer(b),
        InsideChallenge::Digest(d) => digest_challenge(d),
        InsideChallenge::Negotiate(m) => message(m, show),
        InsideChallenge::Hawk(h) => hawk(h, show),
    }
}

fn basic(b: &Basic, show: bool) -> Value {
    let part = |p: &Part| match p {
        Part::User => "user_id",
        Part::Password => "password",
        Part::Whole => "all of it",
    };
    object(json!({
        "kind": "basic",
        "user_id": if show { b.user_text().into_owned() } else { b.user_shown() },
        "password": hidden(b.password.as_ref(), show),
        "charset": b.charset.name(),
        "placeholder": b.placeholder.as_ref().map(|(p, found)| json!({ "in": part(p), "pattern": found.pattern })),
        "token": b.vendor.as_ref().map(|(p, found)| json!({ "in": part(p), "of": vendor(found) })),
    }))
}

pub(super) fn token(t: &Token, show: bool) -> Value {
    if let Some(jwt) = &t.jwt {
        return self::jwt(jwt, show);
    }
    object(json!({
        "kind": "token",
        "shape": format!("{:?}", t.shape).to_ascii_lowercase(),
        "length": t.text.len(),
        "of": t.vendor.as_ref().map(vendor),
        "placeholder": t.placeholder.map(|p| p.pattern),
    }))
}

pub(super) fn jwt(jwt: &Jwt, show: bool) -> Value {
    let times: Map<String, Value> = ["iat", "nbf", "exp", "auth_time"]
        .into_iter()
        .filter_map(|name| Some((name.to_string(), Value::String(rfc3339(jwt.time(name)?)))))
        .collect();
    let bound = match jwt.confirmation() {
        Some(Confirmation::Dpop { .. }) => Some("a DPoP key"),
        Some(Confirmation::Certificate { .. }) => Some("a client certificate"),
        Some(Confirmation::Other) => Some("a key"),
        None => None,
    };
    object(json!({
        "kind": "jwt",
        "form": match jwt.form { Form::Signed => "signed", Form::Encrypted => "encrypted", Form::Broken => "broken" },
        "token_kind": (jwt.kind() != JwtKind::Unknown).then(|| jwt.kind().name()),
        "header": claims::shown(jwt.header.as_ref(), show),
        "claims": claims::shown(jwt.claims.as_ref(), show),
        "times": if times.is_empty() { Value::Null } else { Value::Object(times) },
        "bound_to": bound,
        "signature": if jwt.signature.is_empty() {
            Value::Null
        } else {
            let text = crate::base64::encode_url(jwt.signature.expose());
            Value::String(if show { text } else { mask(text.as_bytes()) })
        },
    }))
}

fn digest_challenge(d: &DigestChallenge) -> Value {
    object(json!({
        "kind": "digest",
        "realm": d.realm,
        "nonce": d.nonce,
        "opaque": d.opaque,
        "algorithm": d.algorithm.map(|a| a.name()),
        "qop": d.qop,
        "stale": d.stale,
        "domain": d.domain,
        "charset": d.charset,
        "userhash": d.userhash,
    }))
}

fn digest_credentials(d: &DigestCredentials, show: bool) -> Value {
    object(json!({
        "kind": "digest",
        "username": d.username,
        "realm": d.realm,
        "nonce": d.nonce,
        "uri": d.uri,
        "algorithm": d.algorithm.map(|a| a.name()),
        "qop": d.qop,
        "nc": d.count,
        "cnonce": d.cnonce,
        "opaque": d.opaque,
        "userhash": d.userhash,
        "response": hidden(d.response.as_ref(), show),
    }))
}

fn bearer(b: &BearerChallenge) -> Value {
    object(json!({
        "kind": "bearer",
        "realm": b.realm,
        "scope": b.scope,
        "error": b.error_written,
        "error_description": b.error_description,
        "error_uri": b.error_uri,
        "resource_metadata": b.resource_metadata,
        "service": b.service,
        "algs": b.algs,
        "authorization_uri": b.authorization_uri,
        "claims": b.claims.as_deref().and_then(asked_claims),
        "max_age": b.max_age,
        "acr_values": b.acr_values,
    }))
}

/// The claims that a challenge asks for are JSON in base64.
fn asked_claims(text: &str) -> Option<Value> {
    let decoded = crate::base64::decode(text.as_bytes(), 0..text.len(), crate::base64::Alphabet::UrlSafe);
    serde_json::from_slice(decoded.bytes.expose()).ok()
}

fn sigv4(s: &Sigv4, show: bool) -> Value {
    object(json!({
        "kind": "aws-signature-version-4",
        "algorithm": s.algorithm,
        "access_key": s.access_key,
        "temporary": s.is_temporary(),
        "date": s.scope.as_ref().map(|c| &c.date),
        "region": s.scope.as_ref().map(|c| &c.region),
        "service": s.scope.as_ref().map(|c| &c.service),
        "signed_headers": s.signed_headers,
        "signed_at": s.time().map(rfc3339),
        "expires_seconds": s.expires,
        "signature": hidden(s.signature.as_ref(), show),
    }))
}

pub(super) fn sigv4_of(s: &Sigv4, show: bool) -> Value {
    sigv4(s, show)
}

fn message(m: &Message, show: bool) -> Value {
    let token = &m.token;
    let inner = match &token.token {
        None => Value::Null,
        Some(MechToken::Ntlm(n)) => ntlm(n, show),
        Some(MechToken::Kerberos(k)) => kerberos(k),
        Some(MechToken::Other(length)) => json!({ "kind": "unknown", "length": length }),
    };
    if token.wrapping == Wrapping::None {
        return inner;
    }
    object(json!({
        "kind": if token.wrapping == Wrapping::Init { "spnego-init" } else { "spnego-resp" },
        "mech_types": token.mechs.iter().map(|mech| mech.name()).collect::<Vec<_>>(),
        "neg_state": token.state.map(NegState::name),
        "mech_token": inner,
    }))
}

fn target_info(info: &TargetInfo) -> Value {
    let value = object(json!({
        "computer": info.computer,
        "domain": info.domain,
        "dns_computer": info.dns_computer,
        "dns_domain": info.dns_domain,
        "dns_tree": info.dns_tree,
        "time": info.time.map(rfc3339),
        "target": info.target,
        "channel_binding": info.channel_binding,
    }));
    if value.as_object().is_some_and(Map::is_empty) { Value::Null } else { value }
}

fn ntlm(n: &Ntlm, show: bool) -> Value {
    let version = n.version.map(|(major, minor, build)| format!("{major}.{minor}.{build}"));
    let common = json!({ "type": n.number(), "flags": n.flag_names(), "version": version });
    let own = match &n.message {
        ntlm::Message::Negotiate { domain, workstation } => json!({
            "kind": "ntlm-negotiate", "domain": domain, "workstation": workstation,
        }),
        ntlm::Message::Challenge(c) => json!({
            "kind": "ntlm-challenge", "target_name": c.target_name, "target_info": target_info(&c.target_info),
        }),
        ntlm::Message::Authenticate(a) => json!({
            "kind": "ntlm-authenticate",
            "domain": a.domain,
            "user": a.user,
            "workstation": a.workstation,
            "response_version": if a.is_v2 { "NTLMv2" } else { "NTLMv1" },
            "anonymous": a.is_anonymous,
            "client_time": a.client_time.map(rfc3339),
            "target_info": target_info(&a.target_info),
            "response": if show { crate::syntax::hex(a.nt_response.expose()) } else { "*".repeat(a.nt_response_len) },
        }),
        ntlm::Message::Unknown(_) => json!({ "kind": "ntlm" }),
    };
    let mut all = Map::new();
    for part in [own, common] {
        if let Value::Object(map) = part {
            all.extend(map);
        }
    }
    object(Value::Object(all))
}

fn ticket(t: &kerberos::Ticket) -> Value {
    object(json!({
        "realm": t.realm,
        "sname": t.sname,
        "etype": t.etype,
        "etype_name": t.etype.map(kerberos::etype_name),
        "kvno": t.kvno,
    }))
}

fn kerberos(k: &Kerberos) -> Value {
    match k {
        Kerberos::ApReq(a) => json!({
            "kind": "kerberos-ap-req", "ticket": ticket(&a.ticket), "mutual": a.mutual,
            "authenticator_etype": a.authenticator_etype,
        }),
        Kerberos::ApRep { etype } => json!({ "kind": "kerberos-ap-rep", "etype": etype }),
        Kerberos::Error(e) => {
            let (name, meaning) = kerberos::error_name(e.code);
            object(json!({
                "kind": "kerberos-error",
                "code": e.code,
                "name": name,
                "meaning": meaning,
                "realm": e.realm,
                "sname": e.sname,
                "crealm": e.crealm,
                "cname": e.cname,
                "server_time": e.stime.as_deref().and_then(kerberos::time).map(rfc3339),
                "client_time": e.ctime.as_deref().and_then(kerberos::time).map(rfc3339),
                "text": e.text,
            }))
        }
        Kerberos::KdcReq(r) => object(json!({
            "kind": if r.tgs { "kerberos-tgs-req" } else { "kerberos-as-req" },
            "realm": r.realm, "cname": r.cname, "sname": r.sname, "etypes": r.etypes,
        })),
        Kerberos::KdcRep(r) => json!({
            "kind": if r.tgs { "kerberos-tgs-rep" } else { "kerberos-as-rep" },
            "crealm": r.crealm, "cname": r.cname, "ticket": ticket(&r.ticket),
        }),
    }
}
