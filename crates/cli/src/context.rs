//! What a person adds to the evidence: configuration files, and what they meant.

use crate::args::Evidence;
use crate::clock::Clock;
use crate::evidence::{Counted, in_words};
use crate::tally::Tally;
use std::fs::File;
use std::io::{BufReader, Read};
use why401_auth::scheme::service_key;
use why401_http::{Fact, FactKind, Moment};
use why401_read::Sink;
use why401_report::SourceReport;
use why401_span::{Derived, Secret, SourceId, Span};

/// A keytab larger than this is none: one of a thousand services with ten keys each has 1 MB.
const LARGEST_KEYTAB: u64 = 16 << 20;

/// Reads the context as further sources behind those of the evidence.
///
/// # Errors
/// Where a configuration or a keytab cannot be read: what was named on purpose is not left out.
pub(crate) fn read_all(
    args: &Evidence,
    sources: &mut Vec<SourceReport>,
    sink: &mut dyn Sink,
) -> Result<(), String> {
    for path in &args.config {
        let name = path.display().to_string();
        let file = File::open(path).map_err(|e| format!("{name}: {}", in_words(&e)))?;
        let mut file = BufReader::new(file);
        let mut counted = Counted { bytes: &mut file, count: 0 };
        let mut tally = Tally::new(&mut *sink);
        why401_read::configuration(next(sources), &name, &mut BufReader::new(&mut counted), &mut tally)
            .map_err(|e| format!("{name}: {}", in_words(&e)))?;
        let bytes = counted.count;
        sources.push(SourceReport { name, format: "configuration".to_owned(), bytes, ..tally.finish() });
    }
    for path in &args.keytab {
        let name = path.display().to_string();
        let mut bytes = Vec::new();
        let read = File::open(path).and_then(|f| f.take(LARGEST_KEYTAB).read_to_end(&mut bytes));
        read.map_err(|e| format!("{name}: {}", in_words(&e)))?;
        let keys = service_key::read(&bytes).map_err(|e| format!("{name} {e}"))?;
        let (source, len) = (next(sources), bytes.len() as u64);
        let told: Vec<String> = keys.iter().map(ToString::to_string).collect();
        let text = Derived::enclosed(told.join("; "), Span::new(source, 0, len));
        sink.fact(Fact { source, text, kind: FactKind::Keytab(Secret::new(bytes)) });
        sources.push(SourceReport {
            name,
            format: "keytab".to_owned(),
            bytes: len,
            ..SourceReport::default()
        });
    }
    let (user, scheme) = (args.intended_user.clone(), args.intended_scheme.clone());
    let clock = args.clock.map(|clock| match clock {
        Clock::Shows(at) => (at.to_string(), FactKind::Clock { shows: Some(Moment::utc(at)), ahead: 0 }),
        Clock::Ahead(ahead) => (format!("{ahead:+} s"), FactKind::Clock { shows: None, ahead }),
    });
    let (told, clock) = clock.unzip();
    let clock = clock.unwrap_or(FactKind::Clock { shows: None, ahead: 0 });
    let options = [
        ("--clock", &told, clock),
        ("--intended-user", &user, FactKind::Intended { user: user.clone(), scheme: None }),
        ("--intended-scheme", &scheme, FactKind::Intended { user: None, scheme: scheme.clone() }),
    ];
    for (option, value, kind) in options {
        let Some(value) = value else { continue };
        let (source, bytes) = (next(sources), value.len() as u64);
        let text = Derived::exact(value.as_bytes(), Span::new(source, 0, bytes).on_line(1));
        sink.fact(Fact { source, text, kind });
        let (name, format) = (option.to_owned(), "option".to_owned());
        sources.push(SourceReport { name, format, bytes, ..SourceReport::default() });
    }
    Ok(())
}

fn next(sources: &[SourceReport]) -> SourceId {
    SourceId(u32::try_from(sources.len()).unwrap_or(u32::MAX))
}
