//! Messages: strict heads, framing of content, answers; HTTP/1.1 as bytes. No sockets.

pub(crate) mod answer;
pub(crate) mod framing;
pub(crate) mod head;
pub(crate) mod target;
pub(crate) mod trailers;
pub(crate) mod two;

pub(crate) use answer::Answer;
pub(crate) use head::Head;
pub(crate) use trailers::Trailers;
