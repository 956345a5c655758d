//! Signals to this process, which are for the program.

use std::process::ExitStatus;
use tokio::process::Child;

#[cfg(unix)]
pub(crate) use unix::Signals;

#[cfg(unix)]
mod unix {
    use super::{Child, ExitStatus};
    use tokio::signal::unix::{Signal, SignalKind, signal};
    use tokio::sync::mpsc;

    /// The signals that are passed on, from now on.
    pub(crate) struct Signals(mpsc::UnboundedReceiver<SignalKind>);

    impl Signals {
        /// Listens. What is ignored stays so, here and in the program (`nohup`).
        ///
        /// # Errors
        /// Where the machine does not let it.
        pub(crate) fn listen() -> Result<Signals, String> {
            let kinds = [
                SignalKind::interrupt(),
                SignalKind::quit(),
                SignalKind::terminate(),
                SignalKind::hangup(),
                SignalKind::user_defined1(),
                SignalKind::user_defined2(),
            ];
            let (to, from) = mpsc::unbounded_channel();
            for kind in kinds.into_iter().filter(|k| !is_ignored(*k)) {
                let heard = signal(kind).map_err(|e| e.to_string())?;
                tokio::task::spawn_local(tell(heard, kind, to.clone()));
            }
            Ok(Signals(from))
        }

        /// Waits for the end of the program and passes on what comes meanwhile.
        ///
        /// # Errors
        /// Where the program cannot be waited for.
        pub(crate) async fn wait(
            &mut self,
            child: &mut Child,
            at_terminal: bool,
        ) -> Result<ExitStatus, String> {
            loop {
                let id = child.id();
                let kind = tokio::select! {
                    status = child.wait() => return status.map_err(|e| e.to_string()),
                    Some(kind) = self.0.recv() => kind,
                };
                // Ctrl-C at a terminal reaches the whole group.
                let by_terminal = kind == SignalKind::interrupt() || kind == SignalKind::quit();
                if !(by_terminal && at_terminal) {
                    pass_on(id, kind.as_raw_value());
                }
            }
        }
    }

    async fn tell(mut heard: Signal, kind: SignalKind, to: mpsc::UnboundedSender<SignalKind>) {
        while heard.recv().await.is_some() && to.send(kind).is_ok() {}
    }

    /// Whether this process was started with a signal ignored (proc(5), `SigIgn`); elsewhere than on Linux nobody tells.
    fn is_ignored(kind: SignalKind) -> bool {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let mask = status.lines().find_map(|l| l.strip_prefix("SigIgn:"));
        let mask = mask.and_then(|m| u64::from_str_radix(m.trim(), 16).ok()).unwrap_or(0);
        let bit = u32::try_from(kind.as_raw_value() - 1).ok();
        bit.and_then(|bit| mask.checked_shr(bit)).is_some_and(|m| m & 1 == 1)
    }

    #[cfg(target_os = "linux")]
    fn pass_on(id: Option<u32>, number: i32) {
        let id = id.and_then(|id| i32::try_from(id).ok()).and_then(rustix::process::Pid::from_raw);
        if let (Some(id), Some(signal)) = (id, rustix::process::Signal::from_named_raw(number)) {
            let _ = rustix::process::kill_process(id, signal);
        }
    }

    #[cfg(not(target_os = "linux"))]
    fn pass_on(id: Option<u32>, number: i32) {
        if let Some(id) = id {
            let _ = std::process::Command::new("kill").args([format!("-{number}"), id.to_string()]).status();
        }
    }
}

/// Signals reach the program by themselves; this process waits for it.
#[cfg(not(unix))]
pub(crate) struct Signals;

#[cfg(not(unix))]
impl Signals {
    pub(crate) fn listen() -> Result<Signals, String> {
        Ok(Signals)
    }

    pub(crate) async fn wait(&mut self, child: &mut Child, _: bool) -> Result<ExitStatus, String> {
        loop {
            tokio::select! {
                status = child.wait() => return status.map_err(|e| e.to_string()),
                _ = tokio::signal::ctrl_c() => {}
            }
        }
    }
}
