//! The lab's faults, each asked as its curl command line has it: `probe -- curl ...` names the same cause.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

/// The lab, ended when dropped.
struct Lab(Child, String);

impl Drop for Lab {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn lab() -> Lab {
    let mut child = Command::new(env!("CARGO_BIN_EXE_why401"))
        .args(["lab", "--listen", "127.0.0.1:0"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let address = line.trim().strip_prefix("listening on ").unwrap().trim_end_matches('/').to_owned();
    Lab(child, address)
}

#[test]
fn what_one_curl_command_provokes_is_found_by_asking() {
    if Command::new("curl").arg("--version").output().is_err() {
        println!("skipped: curl is not installed; ./test installs it");
        return;
    }
    let lab = lab();
    let index = Command::new("curl").args(["-s", &format!("{}/index.json", lab.1)]).output().unwrap();
    let index: serde_json::Value = serde_json::from_slice(&index.stdout).unwrap();
    let mut tried = 0;
    for entry in index.as_array().unwrap() {
        let (cause, command) = (entry["cause"].as_str().unwrap(), entry["command"].as_str().unwrap_or(""));
        // One request by one client; schemes that are not spoken here, and proxies, apart.
        let other = [" -x ", "--negotiate", "while ", "for ", "echo '"];
        if command.matches("curl -v").count() != 1 || other.iter().any(|o| command.contains(o)) {
            continue;
        }
        let asking = format!("{} probe -q --pause 1 --format json -- curl", env!("CARGO_BIN_EXE_why401"));
        let out = Command::new("bash")
            .args(["-c", &command.replace("curl -v", &asking)])
            .env("LAB", &lab.1)
            .env("NO_PROXY", "*")
            .output()
            .unwrap();
        let report: serde_json::Value = serde_json::from_slice(&out.stdout)
            .unwrap_or_else(|e| panic!("{command}: {e} {}", String::from_utf8_lossy(&out.stderr)));
        assert_eq!(crate::first(&report).0, cause, "{command}: {report}");
        tried += 1;
    }
    assert!(tried > 60, "{tried}");
}
