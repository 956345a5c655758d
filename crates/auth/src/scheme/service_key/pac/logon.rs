//! KERB_VALIDATION_INFO ([MS-PAC] section 2.5): who the client is, and how the account stands.

use super::ndr::Ndr;
use super::sid;

/// What the domain controller knew of an account when the client logged on.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Logon {
    /// The account's name.
    pub account: String,
    /// The person's name.
    pub full_name: String,
    /// The domain's NetBIOS name.
    pub domain: String,
    /// The domain's SID; with `rid` behind it that of the account.
    pub domain_sid: Option<String>,
    /// The account's number in its domain.
    pub rid: u32,
    /// The number of its first group, which is among the groups too.
    pub primary_group: u32,
    /// The numbers of its groups in its domain.
    pub groups: Vec<u32>,
    /// Its groups beyond its domain, and those of the service's domain, as SIDs.
    pub other_groups: Vec<String>,
    /// How the account stands, bits of [MS-SAMR] section 2.2.1.12: see [`Logon::is_disabled`] and its like.
    pub control: u32,
    /// How it logged on, bits of [MS-PAC] section 2.5 (UserFlags).
    pub flags: u32,
    /// When it logged on, in seconds since 1970.
    pub logged_on: Option<i64>,
    /// When its password was set.
    pub password_set: Option<i64>,
    /// Until when its password has to be changed; `None` for never.
    pub password_until: Option<i64>,
    /// How often it logged on, as far as this controller counts.
    pub logons: u16,
    /// How often its password was wrong of late.
    pub wrong_passwords: u16,
}

impl Logon {
    /// USER_ACCOUNT_DISABLED.
    pub fn is_disabled(&self) -> bool {
        self.control & 1 != 0
    }

    /// USER_ACCOUNT_AUTO_LOCKED.
    pub fn is_locked(&self) -> bool {
        self.control & 0x400 != 0
    }

    /// USER_PASSWORD_EXPIRED.
    pub fn is_password_expired(&self) -> bool {
        self.control & 0x0002_0000 != 0
    }

    /// Whether a guest logged on, without a password (UserFlags, bit A).
    pub fn is_guest(&self) -> bool {
        self.flags & 1 != 0
    }

    /// The account's SID.
    pub fn sid(&self) -> Option<String> {
        self.domain_sid.as_ref().map(|domain| format!("{domain}-{}", self.rid))
    }
}

/// Reads it: first the structure, then what its pointers point at, in their order.
pub(super) fn read(buffer: &[u8]) -> Option<Logon> {
    let mut ndr = Ndr::serialized(buffer)?;
    let ndr = &mut ndr;
    ndr.pointer()?.then_some(())?;
    let (logged_on, _logged_off, _kicked_off) = (ndr.time()?, ndr.time()?, ndr.time()?);
    let (password_set, _may_change, password_until) = (ndr.time()?, ndr.time()?, ndr.time()?);
    let (account, full_name) = (ndr.string()?, ndr.string()?);
    // The logon script, and where the profile and the home directory are.
    let places = [ndr.string()?, ndr.string()?, ndr.string()?, ndr.string()?];
    let (logons, wrong_passwords) = (ndr.short()?, ndr.short()?);
    let (rid, primary_group) = (ndr.long()?, ndr.long()?);
    let (_count, groups) = (ndr.long()?, ndr.pointer()?);
    let flags = ndr.long()?;
    let _session_key = ndr.take(16)?;
    let (server, domain, domain_sid) = (ndr.string()?, ndr.string()?, ndr.pointer()?);
    let _reserved = ndr.take(8)?;
    let control = ndr.long()?;
    // A status, two times, a count and what is reserved: of another kind of logon.
    let _sub = (ndr.long()?, ndr.time()?, ndr.time()?, ndr.long()?, ndr.long()?);
    let (_count, extra) = (ndr.long()?, ndr.pointer()?);
    let (resource_sid, _count, resource) = (ndr.pointer()?, ndr.long()?, ndr.pointer()?);

    let (account, full_name) = (ndr.text(account)?, ndr.text(full_name)?);
    for place in places {
        ndr.text(place)?;
    }
    let groups = ndr.array(groups, member)?;
    let _server = ndr.text(server)?;
    let domain = ndr.text(domain)?;
    let domain_sid = sid_where(ndr, domain_sid)?;
    let mut other_groups = Vec::new();
    for follows in ndr.array(extra, |n| n.pointer().zip(n.long()).map(|(follows, _)| follows))? {
        other_groups.extend(sid_where(ndr, follows)?);
    }
    let resource_sid = sid_where(ndr, resource_sid)?;
    for rid in ndr.array(resource, member)? {
        other_groups.extend(resource_sid.as_ref().map(|domain| format!("{domain}-{rid}")));
    }
    Some(Logon {
        account,
        full_name,
        domain,
        domain_sid,
        rid,
        primary_group,
        groups,
        other_groups,
        control,
        flags,
        logged_on,
        password_set,
        password_until,
        logons,
        wrong_passwords,
    })
}

/// GROUP_MEMBERSHIP: a number and its attributes.
fn member(ndr: &mut Ndr<'_>) -> Option<u32> {
    ndr.long().zip(ndr.long()).map(|(rid, _)| rid)
}

fn sid_where(ndr: &mut Ndr<'_>, follows: bool) -> Option<Option<String>> {
    if follows { sid::in_ndr(ndr).map(Some) } else { Some(None) }
}
