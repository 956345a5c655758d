//! A day of a submission hub, as its log.

use std::collections::BTreeMap;
use std::fmt::Write as _;

pub(super) struct Hub {
    pub(super) log: String,
    pub(super) statuses: BTreeMap<u16, u64>,
}

impl Hub {
    fn line(&mut self, client: &str, user: &str, second: u32, path: &str, status: u16, agent: &str) {
        let (h, m, s) = (second / 3600, second / 60 % 60, second % 60);
        *self.statuses.entry(status).or_default() += 1;
        writeln!(
            self.log,
            "{client} - {user} [22/Nov/2026:{h:02}:{m:02}:{s:02} +0000] \"POST {path} HTTP/1.1\" {status} 512 \"-\" \"{agent}\""
        )
        .unwrap();
    }

    /// A request as a client makes it that waits to be asked.
    fn handshake(&mut self, client: &str, user: &str, second: u32, path: &str, status: u16, agent: &str) {
        self.line(client, "-", second, path, 401, agent);
        self.line(client, user, second, path, status, agent);
    }

    /// Forty partners that submit all day; alice's password is changed at ten, bob's program replaced at noon, a
    /// stranger tries names in the afternoon, and for a quarter of an hour in the evening the directory is away.
    pub(super) fn day() -> Hub {
        Hub::day_of(4)
    }

    /// The same with a submission each so many seconds.
    pub(super) fn day_of(step: usize) -> Hub {
        let mut hub = Hub { log: String::new(), statuses: BTreeMap::new() };
        for second in (0..86_400).step_by(step) {
            let partner = second / step as u32 % 40;
            let (client, user) = (format!("192.0.2.{partner}"), format!("partner{partner}"));
            let path =
                format!("/hub/{}/submit", ["invoices", "orders", "stock"][(second / 160 % 3) as usize]);
            let away = (72_000..72_900).contains(&second);
            let status = if away { 503 } else { 201 };
            hub.handshake(&client, &user, second, &path, status, "Partner/2.0");
            if second % 60 == 0 && !away {
                let status = if second < 36_000 { 200 } else { 401 };
                hub.line("198.51.100.7", "alice", second, "/hub/stock/submit", status, "Importer/3.1");
                let (status, agent) =
                    if second < 43_200 { (200, "Sender/1.9") } else { (401, "Sender-NG/2.0") };
                // Another partner goes on with the program that bob had.
                hub.line("198.51.100.9", "dora", second, "/hub/orders/submit", 200, "Sender/1.9");
                hub.line("198.51.100.8", "bob", second, "/hub/orders/submit", status, agent);
            }
            if (50_000..50_800).contains(&second) {
                hub.line(
                    "203.0.113.9",
                    &format!("name{second}"),
                    second,
                    "/hub/orders/submit",
                    401,
                    "python-requests/2.31",
                );
            }
        }
        hub
    }

    pub(super) fn of(&self, status: u16) -> u64 {
        self.statuses.get(&status).copied().unwrap_or_default()
    }
}
