//! HTTP/1.1 as bytes: strict heads, framing of content, answers. No sockets.

pub(crate) mod answer;
pub(crate) mod framing;
pub(crate) mod head;
pub(crate) mod target;

pub(crate) use answer::Answer;
pub(crate) use head::Head;
