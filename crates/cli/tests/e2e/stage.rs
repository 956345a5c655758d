//! Servers, clients and a capture in a folder of their own, ended when dropped.

use serde_json::Value;
use std::fs;
use std::net::{TcpListener, TcpStream};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long a server or a capture may take to be ready.
const READY: Duration = Duration::from_secs(10);

pub(crate) struct Stage {
    dir: tempfile::TempDir,
    running: Vec<Child>,
}

/// A server that was started.
pub(crate) struct Server {
    pub(crate) port: u16,
    pub(crate) access: PathBuf,
    pub(crate) error: PathBuf,
}

/// Whether all these programs are there; says which one is not.
pub(crate) fn have(programs: &[&str]) -> bool {
    let dirs = ["/usr/bin", "/usr/sbin", "/bin", "/sbin", "/usr/local/bin"];
    let missing = programs.iter().find(|p| !dirs.iter().any(|d| Path::new(d).join(p).exists()));
    if let Some(program) = missing {
        println!("skipped: {program} is not installed; ./test installs it");
    }
    missing.is_none()
}

impl Stage {
    pub(crate) fn new() -> Stage {
        let dir = tempfile::tempdir().unwrap();
        // The servers drop their rights and must still be able to read what they serve.
        Command::new("chmod").args(["755"]).arg(dir.path()).status().unwrap();
        fs::create_dir(dir.path().join("www")).unwrap();
        fs::write(dir.path().join("www/data.json"), "{\"ok\":true}\n").unwrap();
        fs::write(dir.path().join("users"), users("alice", "Winter-42")).unwrap();
        Stage { dir, running: Vec::new() }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Apache with these directives for its document root, which asks for Basic unless they say otherwise.
    pub(crate) fn apache(&mut self, directives: &str) -> Server {
        let port = free_port();
        let root = self.dir.path().display().to_string();
        let modules = [
            "mpm_prefork",
            "authn_core",
            "authn_file",
            "auth_basic",
            "auth_digest",
            "authz_core",
            "authz_user",
        ];
        let others = directives.contains("GSSAPI").then_some("auth_gssapi");
        let loads: String = modules
            .into_iter()
            .chain(others)
            .map(|m| format!("LoadModule {m}_module /usr/lib/apache2/modules/mod_{m}.so\n"))
            .collect();
        let name = format!("apache-{port}");
        let conf = format!(
            "ServerRoot {root}\nServerName origin.example.com\nListen 127.0.0.1:{port}\nPidFile {root}/{name}.pid\n{loads}\
             ErrorLog {root}/{name}-error.log\nLogFormat \"%h %l %u %t \\\"%r\\\" %>s %b \\\"%{{Referer}}i\\\" \\\"%{{User-Agent}}i\\\"\" combined\n\
             CustomLog {root}/{name}-access.log combined\nDocumentRoot {root}/www\n<Directory {root}/www>\n{directives}\n</Directory>\n"
        );
        let conf_path = self.path(&format!("{name}.conf"));
        fs::write(&conf_path, conf).unwrap();
        let mut command = Command::new("/usr/sbin/apache2");
        command.arg("-f").arg(&conf_path).args(["-D", "FOREGROUND"]);
        self.start(command, port);
        Server {
            port,
            access: self.path(&format!("{name}-access.log")),
            error: self.path(&format!("{name}-error.log")),
        }
    }

    /// nginx with this in its server block, and TLS (HTTP/2 too) under a certificate of `ca.pem` for localhost.
    pub(crate) fn nginx_tls(&mut self, block: &str) -> Server {
        if !self.path("ca.pem").exists() {
            let script = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj '/CN=a test authority' -keyout ca.key -out ca.pem &&
                openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=localhost -keyout host.key -out host.csr &&
                printf 'subjectAltName=DNS:localhost,IP:127.0.0.1' > ext && openssl x509 -req -in host.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile ext -out host.pem &&
                openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=alice -keyout me.key -out me.csr &&
                openssl x509 -req -in me.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -out me.pem";
            let out = Command::new("sh").args(["-c", script]).current_dir(self.dir.path()).output().unwrap();
            assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
        }
        let root = self.dir.path().display();
        let tls = format!("ssl_certificate {root}/host.pem; ssl_certificate_key {root}/host.key; {block}");
        self.nginx_listening("ssl http2", &tls)
    }

    /// nginx with this in its server block.
    pub(crate) fn nginx(&mut self, block: &str) -> Server {
        self.nginx_listening("", block)
    }

    /// The same with these words behind its address (`ssl http2`, `proxy_protocol`).
    pub(crate) fn nginx_listening(&mut self, how: &str, block: &str) -> Server {
        let port = free_port();
        let root = self.dir.path().display().to_string();
        let name = format!("nginx-{port}");
        let conf = format!(
            "daemon off; master_process off; pid {root}/{name}.pid; error_log {root}/{name}-error.log info; events {{}}\n\
             http {{ access_log {root}/{name}-access.log; client_body_temp_path {root}/t1; proxy_temp_path {root}/t2; \
             fastcgi_temp_path {root}/t3; uwsgi_temp_path {root}/t4; scgi_temp_path {root}/t5;\n\
             server {{ listen 127.0.0.1:{port} {how}; root {root}/www; {block} }} }}\n"
        );
        let conf_path = self.path(&format!("{name}.conf"));
        fs::write(&conf_path, conf).unwrap();
        let mut command = Command::new("/usr/sbin/nginx");
        command.arg("-c").arg(&conf_path).arg("-e").arg(self.path("nginx-start.log"));
        self.start(command, port);
        Server {
            port,
            access: self.path(&format!("{name}-access.log")),
            error: self.path(&format!("{name}-error.log")),
        }
    }

    /// Caddy with HTTP/3 too, under this certificate and its key, asking for Basic.
    pub(crate) fn caddy(&mut self, certificate: &str, key: &str) -> Server {
        let port = free_port();
        let hash =
            Command::new("caddy").args(["hash-password", "--plaintext", "Winter-42"]).output().unwrap();
        let hash = String::from_utf8(hash.stdout).unwrap();
        let root = self.dir.path().display().to_string();
        let conf = format!(
            "{{\n admin off\n auto_https disable_redirects\n skip_install_trust\n}}\nhttps://localhost:{port} {{\n \
             tls {certificate} {key}\n basicauth {{\n  alice {}\n }}\n respond \"{{}}\"\n \
             log {{\n  output file {root}/caddy.log\n }}\n}}\n",
            hash.trim()
        );
        let conf_path = self.path("Caddyfile");
        fs::write(&conf_path, conf).unwrap();
        let mut command = Command::new("caddy");
        command.args(["run", "--adapter", "caddyfile", "--config"]).arg(&conf_path);
        command.env("HOME", &root).env("XDG_DATA_HOME", &root).env("XDG_CONFIG_HOME", &root);
        self.start(command, port);
        Server { port, access: self.path("caddy.log"), error: self.path("caddy.log") }
    }

    /// A server of openssl's that answers over TLS with what it knows of the connection.
    pub(crate) fn openssl(&mut self, args: &[&str]) -> u16 {
        let port = free_port();
        let mut command = Command::new("openssl");
        command.args(["s_server", "-accept"]).arg(format!("127.0.0.1:{port}")).args(args).arg("-www");
        command.current_dir(self.dir.path());
        self.start(command, port);
        port
    }

    /// A certificate that nobody has signed but itself, and its key: `NAME.pem` and `NAME.key`.
    pub(crate) fn certificate(&self, name: &str) -> (String, String) {
        let (certificate, key) = (self.path(&format!("{name}.pem")), self.path(&format!("{name}.key")));
        let made = Command::new("openssl")
            .args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj"])
            .args([&format!("/CN={name}.example.com"), "-addext", "subjectAltName=DNS:localhost"])
            .arg("-keyout")
            .arg(&key)
            .arg("-out")
            .arg(&certificate)
            .stderr(Stdio::null())
            .status();
        assert!(made.unwrap().success());
        Command::new("chmod").arg("644").arg(&key).status().unwrap();
        (certificate.display().to_string(), key.display().to_string())
    }

    /// The part of a capture that went over this port, as if captured there alone.
    pub(crate) fn part(&self, capture: &Path, name: &str, port: u16) -> PathBuf {
        let path = self.path(name);
        let mut tcpdump = Command::new("tcpdump");
        tcpdump.arg("-r").arg(capture).arg("-w").arg(&path).args(["-Z", "root", &format!("tcp port {port}")]);
        assert!(tcpdump.stderr(Stdio::null()).status().unwrap().success());
        path
    }

    /// A port that was free a moment ago.
    pub(crate) fn free_port(&self) -> u16 {
        free_port()
    }

    pub(crate) fn start(&mut self, mut command: Command, port: u16) {
        // Apache ends its whole process group when it stops: it must not be this one.
        command.process_group(0);
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        self.running.push(child);
        let since = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(since.elapsed() < READY, "the server on port {port} did not start: {command:?}");
            std::thread::sleep(Duration::from_millis(30));
        }
    }

    /// Runs a client and gives back the file with all that it printed.
    pub(crate) fn run(&self, name: &str, program: &str, args: &[&str]) -> PathBuf {
        let out = Command::new(program)
            .args(args)
            .env("NO_PROXY", "*")
            .env_remove("http_proxy")
            .env("SSLKEYLOGFILE", self.path("keys.log"))
            .output()
            .unwrap();
        let path = self.path(name);
        fs::write(&path, [out.stderr, out.stdout].concat()).unwrap();
        path
    }

    /// Captures these ports while `act` runs; `None` where packets may not be captured here.
    pub(crate) fn capture(&self, ports: &[u16], act: impl FnOnce(&Stage)) -> Option<PathBuf> {
        let path = self.path("capture.pcap");
        let filter = ports.iter().map(|p| format!("port {p}")).collect::<Vec<_>>().join(" or ");
        let user = ["-Z", "root"];
        let mut tcpdump = Command::new("tcpdump")
            .args(["-U", "--immediate-mode", "-i", "lo", "-w"])
            .arg(&path)
            .args(user)
            .arg(filter)
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let since = Instant::now();
        // The file's head is written when the capture has begun.
        let ready = loop {
            if fs::metadata(&path).is_ok_and(|m| m.len() >= 24) {
                break true;
            }
            if tcpdump.try_wait().unwrap().is_some() || since.elapsed() > READY {
                break false;
            }
            std::thread::sleep(Duration::from_millis(30));
        };
        std::thread::sleep(Duration::from_millis(200));
        act(self);
        if !ready {
            println!("skipped: tcpdump may not capture here");
            let _ = tcpdump.kill();
            return None;
        }
        std::thread::sleep(Duration::from_millis(400));
        let pid = tcpdump.id().to_string();
        Command::new("kill").args(["-INT", &pid]).status().unwrap();
        tcpdump.wait().unwrap();
        Some(path)
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        for child in &mut self.running {
            let _ = Command::new("kill").arg(child.id().to_string()).status();
            let _ = child.wait();
        }
    }
}

/// A port that was free a moment ago.
fn free_port() -> u16 {
    TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port()
}

/// A password file with one user; `{SHA}` is what every server takes.
pub(crate) fn users(user: &str, password: &str) -> String {
    let hash = Command::new("sh")
        .args(["-c", "printf '%s' \"$1\" | openssl dgst -sha1 -binary | base64", "-", password])
        .output()
        .unwrap();
    format!("{user}:{{SHA}}{}", String::from_utf8(hash.stdout).unwrap())
}

/// What `why401` says of this evidence, all of it together.
pub(crate) fn diagnose(files: &[&Path]) -> Value {
    diagnose_with(&[], files)
}

/// The same with these options.
pub(crate) fn diagnose_with(options: &[&str], files: &[&Path]) -> Value {
    let mut why401 = Command::new(env!("CARGO_BIN_EXE_why401"));
    let out = why401.args(["--format", "json"]).args(options).args(files).output().unwrap();
    let shown = format!("{}{}", String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr));
    assert!(!shown.contains("Winter-42") && !shown.contains("V2ludGVyLTQy"), "a password was printed");
    serde_json::from_slice(&out.stdout).unwrap_or_else(|e| panic!("{e}: {shown}"))
}

/// The cause named first, and how surely.
pub(crate) fn first(files: &[&Path]) -> (String, String) {
    let report = diagnose(files);
    let f = &report["findings"][0];
    (f["cause"].as_str().unwrap_or("none").to_owned(), f["certainty"].as_str().unwrap_or("").to_owned())
}

/// Asserts what this evidence is diagnosed as.
#[track_caller]
pub(crate) fn expect(files: &[&Path], cause: &str, certainty: &str) {
    let got = first(files);
    assert_eq!((got.0.as_str(), got.1.as_str()), (cause, certainty), "{files:?}");
}
