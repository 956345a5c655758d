//! The address that Prometheus asks.

use super::io::{fill, linger, write};
use crate::gate::Gate;
use crate::http::{Answer, Head, head::end};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::timeout;

const PATIENCE: Duration = Duration::from_secs(5);

/// Answers `GET /metrics`.
pub(crate) async fn serve(listener: TcpListener, gate: Arc<Gate>) {
    let slots = Arc::new(Semaphore::new(16));
    loop {
        let Ok(slot) = slots.clone().acquire_owned().await else { return };
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let gate = gate.clone();
        tokio::spawn(async move {
            let _ = timeout(PATIENCE, answer(stream, &gate)).await;
            drop(slot);
        });
    }
}

async fn answer(mut stream: TcpStream, gate: &Gate) {
    let mut buffer = Vec::new();
    let at = loop {
        match end(&buffer, 0) {
            Some(at) => break at,
            None if buffer.len() > 16 * 1024 => return,
            None => {}
        }
        if !matches!(fill(&mut stream, &mut buffer).await, Ok(n) if n > 0) {
            return;
        }
    };
    buffer.truncate(at);
    let answer = match Head::request(buffer) {
        Ok(head) if head.target() == "/metrics" => {
            Answer { status: 200, body: gate.metrics.text().into_bytes(), ..Answer::default() }
                .with("Content-Type", "text/plain; version=0.0.4")
        }
        Ok(_) => Answer::text(404, "404 Not Found: the metrics are at /metrics\n"),
        Err(bad) => Answer::text(bad.status, "400 Bad Request\n"),
    };
    let mut out = Vec::new();
    answer.write(false, false, &mut out);
    let _ = write(&mut stream, &out, PATIENCE).await;
    linger(&mut stream).await;
}
