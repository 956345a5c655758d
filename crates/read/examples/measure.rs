//! Reads files and counts what they hold: for timing a reader. `cargo run --release --example measure -- FILE...`
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "an example prints")]

use std::time::Instant;
use why401_http::{Exchange, Fact, Statement};
use why401_read::{Sink, read};
use why401_report::Problem;
use why401_span::{LayerId, SourceId};

#[derive(Debug, Default)]
struct Count {
    exchanges: u64,
    statements: u64,
    facts: u64,
    problems: u64,
    layers: u32,
}

impl Sink for Count {
    fn exchange(&mut self, _: Exchange) {
        self.exchanges += 1;
    }
    fn statement(&mut self, _: Statement) {
        self.statements += 1;
    }
    fn fact(&mut self, _: Fact) {
        self.facts += 1;
    }
    fn problem(&mut self, _: Problem) {
        self.problems += 1;
    }
    fn layer(&mut self, _: String) -> LayerId {
        self.layers += 1;
        LayerId(self.layers - 1)
    }
}

fn main() {
    for path in std::env::args().skip(1) {
        let Ok(mut file) = std::fs::File::open(&path) else {
            eprintln!("{path} cannot be opened");
            continue;
        };
        let (mut count, start) = (Count::default(), Instant::now());
        let format = read(SourceId(0), &mut file, None, None, &[], &mut count).map(|f| f.name);
        println!("{path}: {format:?} {count:?} in {:?}", start.elapsed());
    }
}
