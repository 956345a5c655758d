//! No such account.

use crate::Scene;
use crate::cause::{Answer, cause};
use why401_report::{Certainty, Party};

cause! {
    /// The server knows no such user.
    ///
    /// # What happened
    /// The user name that was sent is in none of the places where the server looks for accounts.
    ///
    /// # How it is decided
    /// The server's own log or body says so: Apache's AH01618, nginx' "was not found in", Win32 status 1317. To the client
    /// a server says nothing, so that nobody can find out names.
    ///
    /// # Who acts
    /// The person whose account it is; the server's operator, where the file or directory is the wrong one.
    ///
    /// # What to do
    /// Compare the name with the one that was given out, letter by letter: domain before it, e-mail address or short name,
    /// case. Then look whether the account is in the file or directory that the server's rule names.
    ///
    /// # Evidence needed
    /// The server's error log.
    ///
    /// # Not to be confused with
    /// wrong-password: the user is known. basic-malformed: the "user" in the log is what remains of a broken value.
    ///
    /// # References
    /// RFC 7617 section 2 (user-id and password); Apache httpd, modules/aaa/mod_auth_basic.c (AH01618); nginx,
    /// ngx_http_auth_basic_module.c.
    pub UnknownUser = "unknown-user" in Refused, Fault by AccountOwner, over ["credentials-refused"]
}

impl UnknownUser {
    fn detect(scene: &Scene<'_>) -> Answer {
        if scene.let_in() {
            return Answer::RuledOut;
        }
        let told = scene.told_claim("unknown-user", "there is no such user");
        // A wording that does not tell password from user is of credentials-refused.
        let Some(claim) = told.filter(|c| c.certainty == Certainty::Certain) else { return Answer::RuledOut };
        claim
            .fix(Party::AccountOwner, "Compare the user name letter by letter with the one that was given out (domain, e-mail address or short name, case).")
            .fix(Party::Server, "Look whether the account is in the file or directory that this address's rule names.")
            .or("server-misconfigured", "whether the rule names the right file or directory")
            .as_told()
    }
}
