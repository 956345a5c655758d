//! Traces: a span for each request, joined to the trace that the client's request belongs to (W3C Trace Context), exported
//! as OpenTelemetry's protocol has it.

mod context;
mod export;
mod span;

pub(crate) use context::Context;
pub(crate) use export::Exporter;
pub(crate) use span::Span;
