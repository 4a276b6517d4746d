//! Somebody else's server (or ours by another command): started, awaited, ended with its handle.

use core::net::SocketAddr;
use core::time::Duration;
use std::fs::{self, File};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Instant;

use e2e::Outcome;
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

/// How long a server may take to accept connections, or to end.
const PATIENCE: Duration = Duration::from_secs(30);

/// A running server.
#[derive(Debug)]
pub(crate) struct Served {
    child: Child,
    dir: TempDir,
}

impl Served {
    /// Starts a server and waits until it accepts connections at `address`. (One of them is this function's, and has no byte.)
    ///
    /// # Errors
    /// When it does not; with what it said.
    pub(crate) fn start(mut command: Command, address: SocketAddr) -> Outcome<Self> {
        let dir = tempfile::tempdir()?;
        let said = File::create(dir.path().join("said"))?;
        command.stdin(Stdio::null()).stdout(said.try_clone()?).stderr(said);
        let mut served = Self { child: command.spawn()?, dir };
        let end = Instant::now() + PATIENCE;
        while TcpStream::connect(address).is_err() {
            if Instant::now() > end || served.child.try_wait()?.is_some() {
                return Err(format!("{} does not accept: {}", command.get_program().display(), served.said()).into());
            }
            thread::sleep(Duration::from_millis(5));
        }
        Ok(served)
    }

    /// What it said to standard output and error so far.
    pub(crate) fn said(&self) -> String {
        fs::read_to_string(self.dir.path().join("said")).unwrap_or_default()
    }

    /// Waits until it has said a line for which `wanted` holds.
    ///
    /// # Errors
    /// When it does not in time; with what it said.
    pub(crate) fn wait_for(&self, wanted: impl Fn(&str) -> bool) -> Outcome<String> {
        let end = Instant::now() + PATIENCE;
        while Instant::now() < end {
            let said = self.said();
            if let Some(line) = said.lines().find(|line| wanted(line)) {
                return Ok(line.to_owned());
            }
            thread::sleep(Duration::from_millis(5));
        }
        Err(format!("it never said so; it said: {}", self.said()).into())
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        if let Some(pid) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) {
            let _ = kill_process(pid, Signal::TERM);
        }
        let end = Instant::now() + Duration::from_secs(5);
        while matches!(self.child.try_wait(), Ok(None)) && Instant::now() < end {
            thread::sleep(Duration::from_millis(5));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
