//! No such account.

use crate::Scene;
use crate::cause::{Answer, Claim, cause};
use std::ops::Range;
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
        if let Some(claim) = file_made_anew(scene) {
            return claim.likely();
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

/// A command that makes a file of passwords anew: `htpasswd -c FILE USER` and `htdigest -c FILE REALM USER` truncate a file
/// that is there (httpd.apache.org/docs/2.4/programs/htpasswd.html, option `-c`).
struct MadeAnew<'a> {
    file: &'a str,
    user: &'a str,
    at: Range<usize>,
}

impl<'a> MadeAnew<'a> {
    /// The first in a line.
    fn of(line: &'a str) -> Option<MadeAnew<'a>> {
        let commands = [("htpasswd ", false), ("htdigest ", true)];
        let (name, is_digest) = commands.into_iter().find(|(name, _)| line.contains(name))?;
        let start = line.find(name)?;
        let arguments = line.get(start + name.len()..)?;
        let creates = |word: &&str| !word.starts_with("--") && word.contains('c');
        arguments.split_whitespace().take_while(|w| w.starts_with('-')).find(creates)?;
        let mut words = arguments.split_whitespace().filter(|w| !w.starts_with('-'));
        let file = words.next()?;
        let user = words.nth(usize::from(is_digest))?;
        // A password may follow.
        let behind = arguments.find(file)? + file.len();
        let end = behind + arguments.get(behind..)?.find(user)? + user.len();
        Some(MadeAnew { file, user, at: start..start + name.len() + end })
    }
}

/// Those in a text of several lines.
fn commands(text: &str) -> impl Iterator<Item = MadeAnew<'_>> {
    let mut start = 0;
    text.split_inclusive('\n').take(400).filter_map(move |line| {
        let before = start;
        start += line.len();
        let made = MadeAnew::of(line)?;
        Some(MadeAnew { at: before + made.at.start..before + made.at.end, ..made })
    })
}

/// Somebody made the file anew for each user: the one before is not in it any more.
fn file_made_anew(scene: &Scene<'_>) -> Option<Claim> {
    let name = scene.focus().and_then(|s| Some(s.attempt.logged_name()?.into_owned()));
    let lines: Vec<_> = scene.statements().take(400).map(|s| (s, s.text.to_text())).collect();
    let made: Vec<_> = lines.iter().flat_map(|(said, text)| commands(text).map(|m| (*said, m))).collect();
    let (first, second) = made.iter().enumerate().find_map(|(i, one)| {
        let lost = |two: &&(_, MadeAnew<'_>)| two.1.file == one.1.file && two.1.user != one.1.user;
        Some((one, made.get(i + 1..)?.iter().find(lost)?))
    })?;
    if name.as_deref().is_some_and(|name| made.iter().all(|(_, m)| m.user != name)) {
        return None;
    }
    let mut claim =
        Claim::new("the file of passwords was made anew for another user, and holds nobody else since")
            .shown([first, second].map(|(said, made)| {
                scene.show_part(
                    said.source,
                    &said.text,
                    made.at.clone(),
                    format!("-c empties the file; {} is in it alone", made.user),
                )
            }))
            .fix(
                Party::Server,
                "Leave -c out for every user but the first: htpasswd FILE USER adds to the file.",
            )
            .or("server-misconfigured", "the lines of the file: whether all accounts are in it")
            .weighing(6);
    claim.party = Some(Party::Server);
    Some(claim)
}
