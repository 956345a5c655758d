//! Handing spans to a collector, in batches and beside the requests: where it cannot keep up, spans are dropped and counted.

use super::span::{Span, request};
use crate::config::Traces;
use crate::metrics::Metrics;
use crate::upstream::ask::Address;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::time::{sleep, timeout};

/// So many spans wait at most.
const WAITING: usize = 2048;
/// So many go together.
const BATCH: usize = 512;
/// The first of a batch waits no longer for the others.
const PAUSE: Duration = Duration::from_secs(1);
/// A collector that refuses a batch is asked again after these.
const AGAIN: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(4)];

/// The way to the collector.
pub(crate) struct Exporter {
    queue: Sender<Span>,
    waiting: Mutex<Option<Receiver<Span>>>,
    address: Address,
    fields: String,
    service: String,
    pub(crate) share: f64,
    ending: Notify,
}

impl Exporter {
    /// To the collector of the configuration.
    ///
    /// # Errors
    /// Its address is none.
    pub(crate) fn new(traces: &Traces) -> Result<Exporter, String> {
        let address = Address::parse(&traces.endpoint).map_err(|why| format!("[traces] endpoint: {why}"))?;
        let (queue, waiting) = channel(WAITING);
        let own = traces.fields.iter().map(|(name, value)| format!("{name}: {value}\r\n"));
        let fields = "Content-Type: application/json\r\n".to_owned() + &own.collect::<String>();
        Ok(Exporter {
            queue,
            waiting: Mutex::new(Some(waiting)),
            address,
            fields,
            service: traces.service.clone(),
            share: traces.share,
            ending: Notify::new(),
        })
    }

    /// Hands a span over, or drops it.
    pub(crate) fn put(&self, span: Span, metrics: &Metrics) {
        if self.queue.try_send(span).is_err() {
            metrics.spans_dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Sends what waits, until [`Exporter::end`]. That a collector does not answer is told once, until it does again.
    pub(crate) async fn run(&self, metrics: Arc<Metrics>, tell: impl Fn(&str)) {
        let waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(mut waiting) = waiting else { return };
        let (mut batch, mut is_told, mut is_ending) = (Vec::new(), false, false);
        while !is_ending {
            tokio::select! {
                biased;
                count = waiting.recv_many(&mut batch, BATCH) => if count == 0 { return },
                () = self.ending.notified() => is_ending = true,
            }
            let fill =
                async { while batch.len() < BATCH && waiting.recv_many(&mut batch, BATCH).await > 0 {} };
            tokio::select! {
                _ = timeout(if is_ending { Duration::ZERO } else { PAUSE }, fill) => {}
                () = self.ending.notified() => is_ending = true,
            }
            while !batch.is_empty() {
                let rest = batch.split_off(batch.len().min(BATCH));
                match self.send(&batch, is_ending).await {
                    Ok(()) => {
                        metrics.spans_exported.fetch_add(batch.len() as u64, Ordering::Relaxed);
                        is_told = false;
                    }
                    Err(why) => {
                        metrics.spans_dropped.fetch_add(batch.len() as u64, Ordering::Relaxed);
                        if !is_told {
                            tell(&format!("traces cannot be exported: {why}"));
                        }
                        is_told = true;
                    }
                }
                batch = rest;
                if is_ending && batch.is_empty() {
                    while let Ok(span) = waiting.try_recv() {
                        batch.push(span);
                    }
                }
            }
        }
    }

    async fn send(&self, batch: &[Span], is_ending: bool) -> Result<(), String> {
        let content = request(batch, &self.service);
        let mut pauses = AGAIN.iter().filter(|_| !is_ending);
        loop {
            let Err(why) = self.address.ask("POST", &self.fields, &content).await else { return Ok(()) };
            match pauses.next() {
                Some(pause) => sleep(*pause).await,
                None => return Err(why),
            }
        }
    }

    /// Sends what waits and ends.
    pub(crate) fn end(&self) {
        self.ending.notify_one();
    }
}
