//! Nobody said for whom.

use crate::Scene;
use crate::cause::{Answer, cause};
use why401_report::Party;

cause! {
    /// The field that names the tenant, organisation or subscription is missing, and the server answers that with 401.
    ///
    /// # What happened
    /// The service keeps several customers apart by a field of the request and wants it before it looks at credentials.
    ///
    /// # How it is decided
    /// The answer says so.
    ///
    /// # Who acts
    /// Whoever writes or configures the client.
    ///
    /// # What to do
    /// Send the field that the answer names, with the identifier of your tenant, organisation or project.
    ///
    /// # Evidence needed
    /// The body of the answer.
    ///
    /// # Not to be confused with
    /// wrong-environment: the tenant is there and is another one.
    ///
    /// # References
    /// RFC 9110 section 15.5.2; the service's documentation, named with the wording in the knowledge base.
    pub TenantMissing = "tenant-missing" in NotSent, Fault by Caller, over ["no-credentials", "credentials-refused"]
}

impl TenantMissing {
    fn detect(scene: &Scene<'_>) -> Answer {
        if scene.let_in() {
            return Answer::RuledOut;
        }
        match scene.told_claim("tenant-missing", "the tenant or organisation is not named in the request") {
            Some(claim) => claim
                .fix(
                    Party::Caller,
                    "Send the field that names your tenant, organisation or project, as the answer says.",
                )
                .as_told(),
            None => Answer::RuledOut,
        }
    }
}
