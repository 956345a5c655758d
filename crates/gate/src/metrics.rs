//! Counters, as text for Prometheus (text format 0.0.4).

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// Everything that is counted.
#[derive(Debug, Default)]
pub(crate) struct Metrics {
    pub(crate) connections: AtomicU64,
    pub(crate) open: AtomicU64,
    pub(crate) hashes: AtomicU64,
    pub(crate) upstream_errors: AtomicU64,
    pub(crate) messages: AtomicU64,
    pub(crate) log_bytes_lost: AtomicU64,
    pub(crate) spans_exported: AtomicU64,
    pub(crate) spans_dropped: AtomicU64,
    pub(crate) reloads: AtomicU64,
    pub(crate) reloads_failed: AtomicU64,
    by_status: Mutex<BTreeMap<u16, u64>>,
    by_cause: Mutex<BTreeMap<&'static str, u64>>,
}

/// Adds one.
pub(crate) fn one(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

impl Metrics {
    /// Counts an answer.
    pub(crate) fn answered(&self, status: u16, cause: Option<&'static str>) {
        *self.by_status.lock().unwrap_or_else(PoisonError::into_inner).entry(status).or_default() += 1;
        if let Some(cause) = cause {
            *self.by_cause.lock().unwrap_or_else(PoisonError::into_inner).entry(cause).or_default() += 1;
        }
    }

    /// All of it.
    pub(crate) fn text(&self) -> String {
        let mut out = String::new();
        let simple = [
            ("connections_total", "counter", "Connections accepted", &self.connections),
            ("connections_open", "gauge", "Connections open now", &self.open),
            ("password_hashes_total", "counter", "Slow password hashes computed", &self.hashes),
            (
                "upstream_errors_total",
                "counter",
                "Requests that the upstream did not answer",
                &self.upstream_errors,
            ),
            ("messages_total", "counter", "Messages written durably", &self.messages),
            (
                "log_bytes_lost_total",
                "counter",
                "Bytes of logs that could not be written",
                &self.log_bytes_lost,
            ),
            ("spans_exported_total", "counter", "Spans that the collector took", &self.spans_exported),
            ("spans_dropped_total", "counter", "Spans that could not be handed over", &self.spans_dropped),
            ("reloads_total", "counter", "Configurations taken at SIGHUP", &self.reloads),
            ("reloads_failed_total", "counter", "Configurations refused at SIGHUP", &self.reloads_failed),
        ];
        for (name, kind, help, counter) in simple {
            head(&mut out, name, kind, help);
            let _ = writeln!(out, "why401_gate_{name} {}", counter.load(Ordering::Relaxed));
        }
        head(&mut out, "responses_total", "counter", "Answers by status");
        for (status, count) in self.by_status.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            let _ = writeln!(out, "why401_gate_responses_total{{status=\"{status}\"}} {count}");
        }
        head(&mut out, "refusals_total", "counter", "Refusals by cause");
        for (cause, count) in self.by_cause.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            let _ = writeln!(out, "why401_gate_refusals_total{{cause=\"{cause}\"}} {count}");
        }
        out
    }
}

fn head(out: &mut String, name: &str, kind: &str, help: &str) {
    let _ = writeln!(out, "# HELP why401_gate_{name} {help}\n# TYPE why401_gate_{name} {kind}");
}
