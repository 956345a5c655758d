//! How fast a capture is read: `cargo run --release -p why401-read --example capture_speed -- FILE`.
#![allow(clippy::print_stdout, reason = "an example prints what it measured")]

use std::fs::File;
use std::io::{self, Read};
use std::time::Instant;
use why401_capture::{ConnectionId, Data, Direction, Limits, Reader, Sink};
use why401_http::{Exchange, Fact, Statement};
use why401_report::Problem;
use why401_span::{LayerId, SourceId};

#[derive(Default)]
struct Bytes(u64);

impl Sink for Bytes {
    fn data(&mut self, _: ConnectionId, _: Direction, data: Data<'_>) {
        self.0 += data.bytes.len() as u64;
    }
}

#[derive(Default)]
struct Count {
    exchanges: u64,
    refused: u64,
    layers: u32,
    problems: Vec<Problem>,
}

impl why401_read::Sink for Count {
    fn exchange(&mut self, exchange: Exchange) {
        self.exchanges += 1;
        self.refused += u64::from(exchange.status() == Some(401));
    }
    fn statement(&mut self, _: Statement) {}
    fn fact(&mut self, _: Fact) {}
    fn problem(&mut self, problem: Problem) {
        self.problems.push(problem);
    }
    fn layer(&mut self, _: String) -> LayerId {
        self.layers += 1;
        LayerId(self.layers - 1)
    }
}

fn main() -> io::Result<()> {
    for name in std::env::args().skip(1) {
        let size = std::fs::metadata(&name)?.len() as f64 / 1e6;
        let (mut file, mut reader, mut bytes) =
            (File::open(&name)?, Reader::new(SourceId(0), Limits::default()), Bytes(0));
        let mut buffer = vec![0; 1 << 20];
        let begun = Instant::now();
        loop {
            let n = file.read(&mut buffer)?;
            if n == 0 {
                break;
            }
            reader.feed(buffer.get(..n).unwrap_or_default(), &mut bytes);
        }
        reader.finish(&mut bytes);
        let seconds = begun.elapsed().as_secs_f64();
        println!(
            "streams:   {:7.0} MB/s, {} bytes of streams, {:?}",
            size / seconds,
            bytes.0,
            reader.counts()
        );
        let mut count = Count::default();
        let begun = Instant::now();
        why401_read::read(SourceId(0), &mut File::open(&name)?, None, None, &[], &mut count)?;
        let seconds = begun.elapsed().as_secs_f64();
        let Count { exchanges, refused, problems, .. } = count;
        println!(
            "exchanges: {:7.0} MB/s, {exchanges} of which {refused} with 401, {problems:?}",
            size / seconds
        );
    }
    Ok(())
}
