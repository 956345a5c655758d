//! The diagnosis as data: what was read, what was found, who has to act. No cause, no format and no layout here.

mod excerpt;
mod finding;
mod overview;
mod sequence;
mod series;

pub use excerpt::Excerpt;
pub use finding::{
    AlsoPossible, Annotation, Certainty, Diagnosis, ExchangeRow, Finding, Fix, Party, Problem, SourceReport,
    Verdict,
};
pub use overview::{Overview, Share};
pub use sequence::{Message, Participant, Role, Sequence};
pub use series::{Series, Slots};
