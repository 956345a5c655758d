//! Writes the seeds: the evidence that the tests plant secrets in, one folder a target. Run from this folder.

use std::fs;

#[path = "../../../crates/cli/tests/evidence/mod.rs"]
mod evidence;

fn main() -> std::io::Result<()> {
    let mut diagnose = 0;
    for (number, (piece, planted)) in evidence::pieces().into_iter().enumerate() {
        let (kind, rest) = piece.name.split_once(": ").unwrap_or((piece.name.as_str(), ""));
        let target = match kind {
            "curl -v" | "trace-ascii" => "curl",
            "wget -d" => "wget",
            "HTTPie" => "httpie",
            "http" | "har" | "pcap" | "pcapng" | "iis" => kind,
            "combined" | "common" => "access_log",
            "nginx error" | "apache error" => "error_log",
            "nginx debug" => "nginx_debug",
            "json log" | "caddy log" => "json_log",
            _ => "text",
        };
        // All of them in one make slow seeds.
        if rest == "all" || piece.bytes.len() > 8000 {
            continue;
        }
        let mut targets = vec![target, "detect"];
        if target == "text" || number % 9 == 0 {
            targets.push("diagnose");
            diagnose += 1;
        }
        for folder in targets.into_iter().filter(|f| *f != "detect" || number % 9 == 0) {
            fs::create_dir_all(format!("corpus/{folder}"))?;
            fs::write(format!("corpus/{folder}/seed-{number:03}"), &piece.bytes)?;
        }
        if number < 30 {
            fs::create_dir_all("corpus/codec")?;
            fs::write(format!("corpus/codec/seed-{number:03}"), planted.jwt())?;
            for (line, text) in String::from_utf8_lossy(&piece.bytes).lines().enumerate() {
                let value = text.trim_start_matches(['>', '<', ' ']).split_once(": ").map(|(_, v)| v.to_owned());
                if let Some(value) = value.filter(|v| v.len() > 12) {
                    fs::write(format!("corpus/codec/seed-{number:03}-{line}"), value)?;
                }
            }
        }
    }
    println!("{diagnose} seeds from end to end");
    Ok(())
}
