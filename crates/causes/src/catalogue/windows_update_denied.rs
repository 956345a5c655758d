//! Windows Update and its codes.

use crate::Scene;
use crate::cause::{Answer, cause};
use why401_report::Party;

cause! {
    /// Windows Update was refused with 401: 0x80244017, WU_E_PT_HTTP_STATUS_DENIED.
    ///
    /// # What happened
    /// The update client asked its server (Microsoft's, or a WSUS of the company) and was answered 401, mostly by a proxy on the way or by
    /// the IIS of the WSUS.
    ///
    /// # How it is decided
    /// The code in WindowsUpdate.log or in the text given: 0x80244017 is 401; 0x80244018 is 403, 0x8024401B is 407; 0x800710DD
    /// beside HTTP 401 is the same.
    ///
    /// # Who acts
    /// Who administers the machine or the WSUS.
    ///
    /// # What to do
    /// Let the system account pass the proxy (`netsh winhttp show proxy`), and look at the authentication settings of the WSUS site in
    /// IIS: its virtual folders want anonymous access.
    ///
    /// # Evidence needed
    /// The code, and the line before it in WindowsUpdate.log, which names the address.
    ///
    /// # Not to be confused with
    /// proxy-authentication-required: 0x8024401B.
    ///
    /// # References
    /// RFC 9110 section 15.5.2 (401); Microsoft, Windows Update error codes by component (0x80244017, 0x80244018,
    /// 0x8024401B).
    pub WindowsUpdateDenied = "windows-update-denied" in Neighbour, Fault by Caller,
        over ["credentials-refused", "no-credentials", "intermediary-challenged"]
}

impl WindowsUpdateDenied {
    fn detect(scene: &Scene<'_>) -> Answer {
        match scene.told_claim("windows-update-denied", "the update server or a proxy refused it with 401") {
            Some(claim) => claim
                .fix_by(
                    Party::Caller,
                    "Look which proxy the system account uses, and let it pass without a login; with a WSUS, look at its site's authentication in IIS.",
                    "netsh winhttp show proxy",
                )
                .as_told(),
            None => Answer::RuledOut,
        }
    }
}
