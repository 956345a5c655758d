//! `traceparent` (W3C Trace Context, section 3.2).

use crate::http::Head;

/// Where a request stands in a trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Context {
    pub(crate) trace: u128,
    /// The gate's own span.
    pub(crate) span: u64,
    /// The span of whoever asked.
    pub(crate) parent: Option<u64>,
    /// Whether the trace is recorded.
    pub(crate) is_sampled: bool,
}

impl Context {
    /// The context of a request: that of its `traceparent`, or the beginning of a trace. `random` gives 64 bits at a time; of
    /// new traces `share` (0 to 1) are recorded.
    pub(crate) fn of(head: Option<&Head>, share: f64, mut random: impl FnMut() -> u64) -> Context {
        let span = random().max(1);
        if let Some((trace, parent, is_sampled)) = head.and_then(given) {
            return Context { trace, span, parent: Some(parent), is_sampled };
        }
        let trace = (u128::from(random()) << 64 | u128::from(random())).max(1);
        // The lower 56 bits are random in every trace id (section 3.2.2.3, version 2).
        let is_sampled = (trace as u64 & 0x00ff_ffff_ffff_ffff) as f64 / (1u64 << 56) as f64;
        Context { trace, span, parent: None, is_sampled: is_sampled < share }
    }

    /// The `traceparent` for the upstream.
    pub(crate) fn field(&self) -> String {
        format!("00-{:032x}-{:016x}-0{}", self.trace, self.span, u8::from(self.is_sampled))
    }
}

/// What a request says; `None` where nothing valid: `tracestate` means nothing either then.
pub(crate) fn given(head: &Head) -> Option<(u128, u64, bool)> {
    let mut all = head.all("traceparent");
    let (value, None) = (all.next()?, all.next()) else { return None };
    let mut parts = std::str::from_utf8(value).ok()?.splitn(5, '-');
    let version = hex(parts.next()?, 2)?;
    let (trace, parent, flags) = (hex(parts.next()?, 32)?, hex(parts.next()?, 16)?, hex(parts.next()?, 2)?);
    // Later versions may say more behind it; version 0 ends there.
    let is_right = version < 0xff && (version > 0 || parts.next().is_none()) && trace != 0 && parent != 0;
    is_right.then_some((trace, parent as u64, flags & 1 == 1))
}

fn hex(text: &str, digits: usize) -> Option<u128> {
    let is_lower = text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    (text.len() == digits && is_lower).then(|| u128::from_str_radix(text, 16).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(fields: &str) -> Context {
        let head = Head::request(format!("GET / HTTP/1.1\r\n{fields}\r\n").into_bytes()).unwrap();
        Context::of(Some(&head), 1.0, || 7)
    }

    #[test]
    fn a_trace_goes_on_where_it_is_well_formed_and_begins_elsewhere() {
        let good = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        let context = read(&format!("Traceparent: {good}\r\n"));
        assert_eq!(context.parent, Some(0x00f0_67aa_0ba9_02b7));
        assert_eq!(context.field(), "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000007-01");
        assert!(!read("traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00\r\n").is_sampled);
        assert!(
            read("traceparent: 01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more\r\n")
                .parent
                .is_some()
        );
        for bad in [
            "",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
            "00-4bf92f3577b34da6a3ce929d0e0e473-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
        ] {
            assert_eq!(read(&format!("traceparent: {bad}\r\n")).parent, None, "{bad}");
        }
        assert_eq!(read(&format!("traceparent: {good}\r\ntraceparent: {good}\r\n")).parent, None);
    }

    #[test]
    fn a_share_of_new_traces_is_recorded() {
        let mut state = 1u64;
        let mut random = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            state ^ state >> 29
        };
        let sampled = (0..1000).filter(|_| Context::of(None, 0.1, &mut random).is_sampled).count();
        assert!((50..200).contains(&sampled), "{sampled}");
        assert!(
            !Context::of(None, 0.0, &mut random).is_sampled && Context::of(None, 1.0, &mut random).is_sampled
        );
    }
}
