//! The user is known, the password is not theirs.

use crate::Scene;
use crate::cause::{Answer, cause};
use why401_report::{Certainty, Party};

cause! {
    /// The user exists and the password is wrong.
    ///
    /// # What happened
    /// The server found the account and compared the password, and it is another one.
    ///
    /// # How it is decided
    /// The server's own log or body says so: Apache's AH01617, nginx' "password mismatch", Win32 status 1326. lighttpd says the
    /// same of an unknown user.
    ///
    /// # Who acts
    /// The person whose account it is.
    ///
    /// # What to do
    /// Sign in once by hand with the same password. If that works, the client sends another one: look at what it sends. If not,
    /// set a new password and give it to every client of the account.
    ///
    /// # Evidence needed
    /// The server's error log.
    ///
    /// # Not to be confused with
    /// near-miss-credentials: the password is nearly one that works. stray-characters: something came along with it.
    /// digest-mismatch: a Digest response that was computed over another address fails in the same words.
    ///
    /// # References
    /// RFC 7617 section 2 (user-id and password); Apache httpd, modules/aaa/mod_auth_basic.c (AH01617); nginx,
    /// ngx_http_auth_basic_module.c.
    pub WrongPassword = "wrong-password" in Refused, Fault by AccountOwner, over ["credentials-refused"]
}

impl WrongPassword {
    fn detect(scene: &Scene<'_>) -> Answer {
        if scene.let_in() {
            return Answer::RuledOut;
        }
        let told = scene.told_claim("wrong-password", "the password is wrong");
        // A wording that does not tell password from user is of credentials-refused.
        let Some(claim) = told.filter(|c| c.certainty == Certainty::Certain) else { return Answer::RuledOut };
        claim
            .fix(Party::AccountOwner, "Sign in once by hand with the same password: if it fails there too, set a new one; if it works, look at what the client really sends.")
            .or("near-miss-credentials", "the same login typed by hand, with an eye on Caps Lock and keyboard layout")
            .or("stray-characters", "the request as it was sent, decoded: does something follow the password?")
            .or("server-misconfigured", "whether the password file was written for this server (hash, line ends)")
            .as_told()
    }
}
