//! What a cause is, and what it answers.

use crate::Scene;
use why401_report::{Annotation, Certainty, Fix, Party, Verdict};

/// Where a cause stands in the catalogue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Group {
    /// Nothing is wrong.
    Healthy,
    /// No usable credentials reached the server.
    NotSent,
    /// Credentials that no server could read.
    Unreadable,
    /// Credentials that the server read and refused.
    Refused,
    /// Tokens.
    Token,
    /// Handshakes.
    Handshake,
    /// The request rather than the credentials.
    Request,
    /// The server, or what stands before it.
    Server,
    /// Neighbours of the 401.
    Neighbour,
}

impl Group {
    /// Its title.
    pub fn title(self) -> &'static str {
        match self {
            Group::Healthy => "Nothing is wrong",
            Group::NotSent => "No usable credentials reached the server",
            Group::Unreadable => "Credentials that no server could read",
            Group::Refused => "Credentials that the server read and refused",
            Group::Token => "Tokens",
            Group::Handshake => "Handshakes",
            Group::Request => "The request rather than the credentials",
            Group::Server => "The server, or what stands before it",
            Group::Neighbour => "Neighbours of the 401",
        }
    }
}

/// What does not change about a cause.
#[derive(Debug)]
pub struct Meta {
    /// The stable name.
    pub name: &'static str,
    /// Where it stands in the catalogue.
    pub group: Group,
    /// What kind of thing it is.
    pub verdict: Verdict,
    /// Who usually acts.
    pub party: Party,
    /// One sentence for a list: the first line of the text.
    pub title: &'static str,
    /// The text of `why401 explain`: Markdown.
    pub doc: &'static str,
    /// Less specific causes that this one, where it holds at least as surely, speaks for as well.
    pub supersedes: &'static [&'static str],
}

/// A cause of the catalogue.
pub trait Cause: Sync {
    /// What does not change about it.
    fn meta(&self) -> &'static Meta;
    /// Whether it is the cause of this refusal.
    fn detect(&self, scene: &Scene<'_>) -> Answer;
}

/// What a cause answers about one refusal. Never a bare yes or no.
#[derive(Debug)]
pub enum Answer {
    /// The evidence proves it.
    Confirmed(Claim),
    /// The evidence speaks for it: how surely, says the claim.
    Suspected(Claim),
    /// The evidence excludes it, or nothing speaks for it.
    RuledOut,
    /// The evidence cannot show it either way; what would settle it.
    Undecidable(&'static str),
}

/// What a cause says about one refusal.
#[derive(Debug)]
pub struct Claim {
    /// How sure it is.
    pub certainty: Certainty,
    /// One sentence about this very evidence, without a full stop at its end.
    pub summary: String,
    /// The bytes that prove it.
    pub evidence: Vec<Annotation>,
    /// What to do, in order.
    pub fixes: Vec<Fix>,
    /// Causes that it leaves open, and what would settle each.
    pub also: Vec<(&'static str, String)>,
    /// Another verdict than the usual one: `Info` where it stands beside the main cause.
    pub verdict: Option<Verdict>,
    /// Another party than the usual one, where the evidence shows it.
    pub party: Option<Party>,
    /// How well it fits beside others of the same certainty: 0 unless there is a reason.
    pub weight: i32,
    /// Whether its own advice suffices: the evidence shows more than what a recognised product is known for.
    pub own_advice: bool,
}

impl Claim {
    /// A claim with one sentence and nothing else yet.
    pub fn new(summary: impl Into<String>) -> Claim {
        Claim {
            certainty: Certainty::Certain,
            summary: summary.into(),
            evidence: Vec::new(),
            fixes: Vec::new(),
            also: Vec::new(),
            verdict: None,
            party: None,
            weight: 0,
            own_advice: false,
        }
    }

    /// With bytes that prove it.
    #[must_use]
    pub fn shown(mut self, evidence: impl IntoIterator<Item = Annotation>) -> Claim {
        self.evidence.extend(evidence);
        self
    }

    /// With something to do.
    #[must_use]
    pub fn fix(mut self, party: Party, action: impl Into<String>) -> Claim {
        self.fixes.push(Fix { party, action: action.into(), command: None });
        self
    }

    /// With something to do and a line to run.
    #[must_use]
    pub fn fix_by(mut self, party: Party, action: impl Into<String>, command: impl Into<String>) -> Claim {
        self.fixes.push(Fix { party, action: action.into(), command: Some(command.into()) });
        self
    }

    /// Leaving open another cause, and what would settle it.
    #[must_use]
    pub fn or(mut self, cause: &'static str, settle: impl Into<String>) -> Claim {
        // Said more precisely here than by a wording's list of what else it may mean.
        self.also.retain(|(other, _)| *other != cause);
        self.also.insert(0, (cause, settle.into()));
        self
    }

    /// Acted on by somebody else than usual.
    #[must_use]
    pub fn by(mut self, party: Party) -> Claim {
        self.party = Some(party);
        self
    }

    /// As an observation beside the main cause.
    #[must_use]
    pub fn beside(mut self) -> Claim {
        self.verdict = Some(Verdict::Info);
        self
    }

    /// As something that nobody has to act on.
    #[must_use]
    pub fn harmless(mut self) -> Claim {
        self.verdict = Some(Verdict::Normal);
        self.by(Party::Nobody)
    }

    /// With its own advice only: what the evidence shows goes before what a recognised product is known for.
    #[must_use]
    pub fn seen_on_the_wire(mut self) -> Claim {
        self.own_advice = true;
        self
    }

    /// Fitting better (or worse) than others of the same certainty.
    #[must_use]
    pub fn weighing(mut self, weight: i32) -> Claim {
        self.weight = weight;
        self
    }

    /// Proved.
    pub fn confirmed(mut self) -> Answer {
        self.certainty = Certainty::Certain;
        Answer::Confirmed(self)
    }

    /// Spoken for by the evidence, not proved.
    pub fn likely(mut self) -> Answer {
        self.certainty = Certainty::Likely;
        Answer::Suspected(self)
    }

    /// Left open by the evidence.
    pub fn possible(mut self) -> Answer {
        self.certainty = Certainty::Possible;
        Answer::Suspected(self)
    }

    /// As sure as its certainty already says: for a claim that rests on somebody's words.
    pub fn as_told(self) -> Answer {
        let certainty = self.certainty;
        self.at(certainty)
    }

    /// As sure as said.
    pub fn at(self, certainty: Certainty) -> Answer {
        match certainty {
            Certainty::Certain => self.confirmed(),
            Certainty::Likely => self.likely(),
            Certainty::Possible => self.possible(),
        }
    }
}

/// Declares a cause: its doc comment is the text of `explain`, the page and the JSON.
///
/// ```ignore
/// cause! {
///     /// The client was redirected and did not send its credentials to the new address.
///     ///
///     /// # What happened
///     /// ...
///     pub DroppedOnRedirect = "dropped-on-redirect" in NotSent, Fault by Caller, over ["no-credentials"]
/// }
/// impl DroppedOnRedirect { fn detect(scene: &Scene<'_>) -> Answer { ... } }
/// ```
macro_rules! cause {
    (
        #[doc = $title:literal]
        $(#[doc = $doc:literal])*
        pub $type:ident = $name:literal in $group:ident, $verdict:ident by $party:ident
        $(, over [$($less:literal),* $(,)?])?
    ) => {
        #[doc = $title]
        $(#[doc = $doc])*
        #[derive(Debug)]
        pub struct $type;

        impl $crate::cause::Cause for $type {
            fn meta(&self) -> &'static $crate::cause::Meta {
                static META: $crate::cause::Meta = $crate::cause::Meta {
                    name: $name,
                    group: $crate::cause::Group::$group,
                    verdict: why401_report::Verdict::$verdict,
                    party: why401_report::Party::$party,
                    title: $title,
                    doc: concat!($title, "\n" $(, $doc, "\n")*),
                    supersedes: &[$($($less),*)?],
                };
                &META
            }
            fn detect(&self, scene: &$crate::Scene<'_>) -> $crate::cause::Answer {
                $type::detect(scene)
            }
        }
    };
}
pub(crate) use cause;
