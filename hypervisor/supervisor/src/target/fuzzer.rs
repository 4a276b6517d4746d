//! The command behind `--`: started once, in a process group of its own, and ended with all that it has started there.

use core::time::Duration;
use std::io::{self, IsTerminal};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process_group, pidfd_open};

use crate::exit::Exit;
use crate::limits::FUZZER_GRACE;
use crate::run::refuse;

/// It is ended when dropped. Ctrl-C reaches the box alone, which ends it.
#[derive(Debug)]
pub(super) struct Fuzzer {
    child: Child,
    /// Readable once it has ended.
    ended: Option<OwnedFd>,
    /// Until it is waited for, its number stands for no other group.
    is_reaped: bool,
}

impl Fuzzer {
    pub(super) fn start(program: &str, arguments: impl Iterator<Item = String>) -> Result<Self, Exit> {
        let mut command = Command::new(program);
        command.args(arguments).process_group(0);
        // A terminal stops the groups in its background that read from it.
        if io::stdin().is_terminal() {
            command.stdin(Stdio::null());
        }
        let child = command.spawn().map_err(|fault| refuse(Exit::Usage, format!("{program} cannot be started: {fault}")))?;
        let mut fuzzer = Self { child, ended: None, is_reaped: false };
        let ended = pidfd_open(fuzzer.group(), PidfdFlags::empty());
        fuzzer.ended = Some(ended.map_err(|fault| refuse(Exit::Internal, fault))?);
        Ok(fuzzer)
    }

    /// Readable once it has ended.
    pub(super) fn ended(&self) -> Option<BorrowedFd<'_>> {
        self.ended.as_ref().map(AsFd::as_fd)
    }

    /// Ends it, if it has not by itself, and what is left of its group. Returns how it failed, if it did by itself.
    pub(super) fn end(&mut self) -> Result<Option<String>, Exit> {
        let ended_by_itself = self.ends_within(Duration::ZERO);
        if !ended_by_itself {
            let _gone = kill_process_group(self.group(), Signal::TERM);
            self.ends_within(FUZZER_GRACE);
        }
        let status = self.reap().map_err(|fault| refuse(Exit::Internal, fault))?;
        Ok(status.filter(|_| ended_by_itself))
    }

    fn reap(&mut self) -> io::Result<Option<String>> {
        if self.is_reaped {
            return Ok(None);
        }
        let _gone = kill_process_group(self.group(), Signal::KILL);
        let status = self.child.wait()?;
        self.is_reaped = true;
        Ok((!status.success()).then(|| status.to_string()))
    }

    fn ends_within(&self, patience: Duration) -> bool {
        let Some(ended) = &self.ended else { return false };
        let timeout = Timespec { tv_sec: i64::try_from(patience.as_secs()).unwrap_or(i64::MAX), tv_nsec: patience.subsec_nanos().into() };
        poll(&mut [PollFd::new(ended, PollFlags::IN)], Some(&timeout)).is_ok_and(|count| count > 0)
    }

    fn group(&self) -> Pid {
        Pid::from_child(&self.child)
    }
}

impl Drop for Fuzzer {
    fn drop(&mut self) {
        let _gone = self.reap();
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::PathBuf;
    use std::thread;
    use std::time::Instant;

    use super::*;

    fn shell(script: &str) -> Fuzzer {
        Fuzzer::start("sh", ["-c".to_owned(), script.to_owned()].into_iter()).expect("there is a shell")
    }

    /// The process that a shell starts and tells the number of.
    fn started(file: &std::path::Path) -> PathBuf {
        let until = Instant::now() + Duration::from_secs(20);
        loop {
            if let Ok(number) = fs::read_to_string(file).unwrap_or_default().trim_end().parse::<u32>() {
                return PathBuf::from(format!("/proc/{number}/cmdline"));
            }
            assert!(Instant::now() < until, "it does not start");
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// A process that nobody has waited for yet has no command line any more.
    fn is_gone(process: &std::path::Path) -> bool {
        let until = Instant::now() + Duration::from_secs(20);
        while !fs::read(process).unwrap_or_default().is_empty() {
            if Instant::now() > until {
                return false;
            }
            thread::sleep(Duration::from_millis(5));
        }
        true
    }

    #[test]
    fn what_it_has_started_ends_with_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("number");
        let fuzzer = shell(&format!("sleep 1000 & echo $! > {}; wait", file.display()));
        let process = started(&file);
        drop(fuzzer);
        assert!(is_gone(&process));
        let mut fuzzer = shell(&format!("sleep 1000 & echo $! > {}", file.display()));
        assert!(fuzzer.ends_within(Duration::from_secs(20)));
        assert_eq!(fuzzer.end(), Ok(None));
        assert!(is_gone(&started(&file)));
    }

    #[test]
    fn it_has_failed_only_if_it_ended_by_itself() {
        let mut failing = shell("exit 3");
        assert!(failing.ends_within(Duration::from_secs(20)));
        assert_eq!(failing.end(), Ok(Some("exit status: 3".into())));
        assert_eq!(shell("exec sleep 1000").end(), Ok(None));
    }
}
