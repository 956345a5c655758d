//! Keytabs, tickets opened with them, and what stands in tickets.
#![no_main]

use why401_auth::scheme::kerberos::{self, Kerberos};
use why401_auth::scheme::service_key;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let (ticket, keytab) = data.split_at(data.len() / 2);
    let keytab = [&[5, 2], keytab].concat();
    why401_auth::fuzz::pac(&keytab, ticket);
    let keys = service_key::read(&keytab).unwrap_or_default();
    if let Some(Kerberos::ApReq(request)) = kerberos::read(ticket) {
        let _ = std::hint::black_box(service_key::open(&request.ticket, &keys));
    }
});
