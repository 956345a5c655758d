//! A module that said no.

use crate::Scene;
use crate::cause::{Answer, Claim, cause};
use why401_report::Party;

cause! {
    /// A filter or module in the server refused the request (IIS 401.4).
    ///
    /// # What happened
    /// The user may be known and allowed; an ISAPI filter or a module of the server refused the request all the same.
    ///
    /// # How it is decided
    /// Substatus 401.4.
    ///
    /// # Who acts
    /// Who runs the server.
    ///
    /// # What to do
    /// Find the filter: in IIS, the site's ISAPI Filters and Modules; a Failed Request Trace names the module.
    ///
    /// # Evidence needed
    /// The IIS log with `sc-substatus`, or the page with the full number.
    ///
    /// # Not to be confused with
    /// application-denied (401.5): the program behind the server refused.
    ///
    /// # References
    /// RFC 9110 section 15.5.2; Microsoft, HTTP status codes in IIS (401.4).
    pub FilterDenied = "filter-denied" in Server, Fault by Server, over ["credentials-refused"]
}

impl FilterDenied {
    fn detect(scene: &Scene<'_>) -> Answer {
        if scene.let_in() {
            return Answer::RuledOut;
        }
        let told = scene.told_claim("filter-denied", "a filter refused the request");
        told.map_or(Answer::RuledOut, |claim| advise(claim).as_told())
    }
}

fn advise(claim: Claim) -> Claim {
    claim
        .fix(Party::Server, "Find the ISAPI filter or module that refuses: record a Failed Request Trace for status 401.4, it names the module.")
}
