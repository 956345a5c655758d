//! How much memory a large log takes: little, and in proportion to the pairs of account and client alone; and a capture of
//! refusals that are as large as anybody makes them. A program of its own, one test after the other: whoever else is at work on the machine makes the peaks of memory jitter.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "in a test a panic is the report, and a skip is told"
)]

use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Lets one test after the other measure, where there is something to measure with.
fn alone() -> Option<MutexGuard<'static, ()>> {
    static ALONE: Mutex<()> = Mutex::new(());
    if !cfg!(target_os = "linux") {
        eprintln!("skipped: no /proc");
        return None;
    }
    Some(ALONE.lock().unwrap_or_else(PoisonError::into_inner))
}

/// The most memory that was in use while a log was diagnosed, in bytes.
fn peak(log: &Path) -> u64 {
    let mut why401 = Command::new(env!("CARGO_BIN_EXE_why401"))
        .args(["--format", "json"])
        .arg(log)
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let status = format!("/proc/{}/status", why401.id());
    let mut peak = 0;
    while why401.try_wait().unwrap().is_none() {
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|l| l.strip_prefix("VmHWM:"));
        let kib = line.and_then(|l| l.trim().strip_suffix(" kB")).and_then(|n| n.parse::<u64>().ok());
        peak = peak.max(kib.unwrap_or_default() * 1024);
        std::thread::sleep(Duration::from_millis(1));
    }
    peak
}

/// A log in which each of `pairs` accounts uses a client of its own twice, at one address or at two; one in ten
/// may be refused at first.
fn log(pairs: u32, addresses: u32, refused: bool) -> String {
    let mut log = String::new();
    for i in 0..pairs * 2 {
        let pair = i / 2 * 7919 % pairs;
        let client = format!("10.{}.{}.{}", pair >> 16, pair >> 8 & 255, pair & 255);
        let second = u64::from(i) * 80_000 / u64::from(pairs * 2);
        let at = format!("22/Nov/2026:{:02}:{:02}:{:02} +0000", second / 3600, second / 60 % 60, second % 60);
        let (path, status) = ((i / 2 + i % addresses) % 977, if refused && i % 20 == 0 { 401 } else { 200 });
        writeln!(
            log,
            "{client} - user{pair} [{at}] \"GET /v1/orders/{path} HTTP/1.1\" {status} 9 \"-\" \"curl/8.5.0\""
        )
        .unwrap();
    }
    log
}

/// 64 MB, and 300 bytes for each distinct pair of account and client.
#[test]
fn memory_is_bounded_by_the_pairs_of_account_and_client() {
    let Some(_alone) = alone() else { return };
    let folder = tempfile::tempdir().unwrap();
    for (addresses, refused) in [(1, false), (2, false), (2, true)] {
        let mut peaks = Vec::new();
        for pairs in [50_000u32, 200_000] {
            let path = folder.path().join(format!("{pairs}.log"));
            std::fs::write(&path, log(pairs, addresses, refused)).unwrap();
            // How the threads come in each other's way adds up to 2.5 MB to a peak, and seldom more: the least of several
            // is what is needed.
            let peak = (0..5).map(|_| peak(&path)).min().unwrap();
            let bound = 64_000_000 + 300 * u64::from(pairs);
            assert!(peak <= bound, "{peak} bytes for {pairs} pairs, {addresses}, {refused}");
            peaks.push(peak);
        }
        let more = peaks[1].saturating_sub(peaks[0]) / 150_000;
        // Each address of an account and client takes room of its own.
        let most = 260 + 40 * u64::from(addresses);
        // Kinds of refusals take room of their own, up to their cap.
        assert!(refused || more <= most, "{more} bytes for each further pair, {addresses}, {refused}");
    }
}

/// As many lines again of the same pairs take no more.
#[test]
fn memory_does_not_grow_with_lines() {
    let Some(_alone) = alone() else { return };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("access.log");
    let once = log(1000, 2, true);
    let peaks = [20, 80].map(|times| {
        std::fs::write(&path, once.repeat(times)).unwrap();
        peak(&path)
    });
    assert!(peaks[1] < peaks[0] + 6_000_000, "{peaks:?}");
}

/// A capture of one connection with so many refusals, each of a target of its own of so many bytes.
fn refusals(count: usize, target: usize) -> Vec<u8> {
    // Of raw IP packets (pcap-savefile(5); LINKTYPE_RAW is 101).
    let header = [0xa1b2_c3d4u32, 0x0004_0002, 0, 0, 65535, 101];
    let mut capture: Vec<u8> = header.iter().flat_map(|word| word.to_le_bytes()).collect();
    let mut said = [1u32; 2];
    for n in 0..count {
        let path = format!("{n}").repeat(target / 3);
        let answer = "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Bearer\r\nContent-Length: 0\r\n\r\n";
        for (from, text) in
            [(0, format!("GET /{path} HTTP/1.1\r\nHost: a.example\r\n\r\n")), (1, answer.into())]
        {
            for data in text.as_bytes().chunks(60_000) {
                let len = 40 + data.len();
                let time = 1_795_000_000 + n as u32;
                capture.extend([time, 0, len as u32, len as u32].iter().flat_map(|word| word.to_le_bytes()));
                // IPv4 (RFC 791) and TCP (RFC 9293) without check sums.
                capture.extend(
                    [&[0x45, 0][..], &(len as u16).to_be_bytes(), &[0, 0, 0x40, 0, 64, 6, 0, 0]].concat(),
                );
                let (client, server) = ([192, 0, 2, 1, 192, 0, 2, 2], [192, 0, 2, 2, 192, 0, 2, 1]);
                capture.extend(if from == 0 { client } else { server });
                capture.extend(if from == 0 { [0xc0, 0, 0, 80] } else { [0, 80, 0xc0, 0] });
                capture.extend([said[from], said[1 - from]].iter().flat_map(|n| n.to_be_bytes()));
                capture.extend([0x50, 0x18, 0xff, 0xff, 0, 0, 0, 0]);
                capture.extend(data);
                said[from] += data.len() as u32;
            }
        }
    }
    capture
}

/// 150 MB, though what is kept of each refusal is copied when it is explained.
#[test]
fn memory_does_not_grow_with_the_size_of_refusals() {
    let Some(_alone) = alone() else { return };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("large.pcap");
    std::fs::write(&path, refusals(300, 80_000)).unwrap();
    let peak = peak(&path);
    assert!((10_000_000..150_000_000).contains(&peak), "{peak}");
}
