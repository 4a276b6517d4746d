//! The jail: what this process gives up after everything is open and before the guest's first instruction.
//!
//! Two layers are not optional: no new privileges and the system-call filter; without them (or if root cannot be given up) no guest runs. The rest is
//! taken as far as the host allows, and what it did not allow is reported, never hidden: Debian's kernel, for one, may refuse user namespaces.

mod crew;
mod filter;
mod ground;
mod limits;
mod privileges;
mod walls;

use core::fmt;
use std::os::fd::RawFd;

use machine::Allow;

use crate::line::Line;
use crate::order::{JailWish, Machine};
use walls::Kept;

pub use crew::{Crew, Walled};

/// What the cell still needs inside.
#[derive(Debug)]
pub struct Needs {
    /// How far to go.
    pub wish: JailWish,
    /// Which machine; the process machine's child stands outside.
    pub machine: Machine,
    /// What the machine needs of the kernel.
    pub machine_calls: Vec<Allow>,
    /// What readiness is heard from, and the channel to the supervisor; a replay has neither.
    pub readiness: Option<Readiness>,
    /// Listeners of the user net.
    pub listeners: Vec<RawFd>,
    /// TAPs.
    pub taps: Vec<RawFd>,
    /// Where access lines go, if to a pipe.
    pub access_pipe: Option<RawFd>,
    /// Files and streams that are read on.
    pub reads: Vec<RawFd>,
    /// The file with a contest's flag of `escape`, which code of ours never reads: only pread(2) is left to it.
    pub escape: Option<RawFd>,
    /// Files and streams that are written on, beside standard error.
    pub writes: Vec<RawFd>,
    /// Files that are written grow to so many bytes at most; [`u64::MAX`] is no limit, 0 is for cells that write none.
    pub file_len_max: u64,
    /// Whether either link is a user net, which needs host sockets.
    pub sockets: Sockets,
    /// Descriptors at most.
    pub descriptors_max: u64,
}

impl Needs {
    /// Those of a process that reads from these and writes to those, and has memory.
    #[must_use]
    pub const fn of_streams(reads: Vec<RawFd>, writes: Vec<RawFd>, descriptors_max: u64) -> Self {
        Self {
            wish: JailWish::Full,
            machine: Machine::Kvm,
            machine_calls: Vec::new(),
            readiness: None,
            listeners: Vec::new(),
            taps: Vec::new(),
            access_pipe: None,
            reads,
            escape: None,
            writes,
            file_len_max: u64::MAX,
            sockets: Sockets::None,
            descriptors_max,
        }
    }
}

/// Descriptors of a cell that serves.
#[derive(Debug, Clone, Copy)]
pub struct Readiness {
    /// The epoll descriptor.
    pub epoll: RawFd,
    /// The channel to the supervisor.
    pub channel: RawFd,
}

/// Which host sockets the cell may still make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sockets {
    /// None: both links are TAPs, and the process needs no network at all.
    None,
    /// Connections to these ports.
    ConnectTo(Vec<u16>),
}

impl Sockets {
    /// Makes connections to these ports possible as well. Without any, connections that are accepted.
    pub fn connect_to(&mut self, ports: impl IntoIterator<Item = u16>) {
        match self {
            Self::None => *self = Self::ConnectTo(ports.into_iter().collect()),
            Self::ConnectTo(known) => known.extend(ports),
        }
    }
}

/// Why the jail could not be put up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JailFault {
    /// The process is root and could not stop being it.
    Privileges,
    /// The filter could not be made or installed.
    Filter,
}

/// What was taken away, and what the host refused to take.
#[derive(Debug, Default)]
pub struct Applied {
    done: Vec<&'static str>,
    refused: Vec<String>,
}

/// Keeps what this process has in memory out of core files, and from others of the same user (ptrace(2), /proc). What it starts is dumpable again, and has
/// the limit still: no core of more than no bytes.
///
/// # Errors
/// What prctl(2) or setrlimit(2) says.
pub fn leave_no_core() -> rustix::io::Result<()> {
    rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable)?;
    limits::exactly(rustix::process::Resource::Core, 0)
}

/// Puts up the jail round this process, which must have one thread.
///
/// # Errors
/// [`JailFault`]: a layer that is not optional is missing, and no guest may run.
pub fn close(needs: &Needs) -> Result<Applied, JailFault> {
    let mut applied = Applied::default();
    applied.note("no-dump", leave_no_core());
    applied.leave(needs.wish, Kept { network: needs.sockets != Sockets::None, processes: false });
    limits::lower(needs.descriptors_max, needs.file_len_max, &mut applied);
    privileges::drop_all(&mut applied)?;
    applied.bind()?;
    let ports = match &needs.sockets {
        Sockets::None => &[][..],
        Sockets::ConnectTo(ports) => ports,
    };
    ground::restrict(ports, needs.machine == Machine::Process, &mut applied);
    filter::install(needs)?;
    applied.done.push("seccomp");
    Ok(applied)
}

impl Applied {
    /// Leaves what is not kept of the host, if that is wished.
    fn leave(&mut self, wish: JailWish, kept: Kept) {
        match wish {
            JailWish::Full => walls::raise(kept, self),
            JailWish::WithoutNamespaces => self.refused.push("namespaces: not wanted".into()),
        }
    }

    /// Ends with the parent, and gains nothing by what it starts.
    fn bind(&mut self) -> Result<(), JailFault> {
        // The kernel forgets this signal when the user changes, so it is asked for behind that.
        self.note("dies-with-parent", rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL)));
        rustix::thread::set_no_new_privs(true).map_err(|_| JailFault::Privileges)?;
        self.done.push("no-new-privs");
        Ok(())
    }

    fn note<T, E: fmt::Display>(&mut self, what: &'static str, result: Result<T, E>) -> bool {
        match result {
            Ok(_) => self.done.push(what),
            Err(ref fault) => self.refused.push(format!("{what}: {fault}")),
        }
        result.is_ok()
    }

    /// What was taken away.
    #[must_use]
    pub fn done(&self) -> &[&'static str] {
        &self.done
    }

    /// What the host refused, and how it said so.
    #[must_use]
    pub fn refused(&self) -> &[String] {
        &self.refused
    }

    /// The one line about it.
    #[must_use]
    pub fn line(&self) -> Line {
        let level = if self.refused.is_empty() { "info" } else { "warn" };
        let line = Line::tender(level, "jailed").with("applied", self.done.join(","));
        if self.refused.is_empty() { line } else { line.with("refused_by_host", self.refused.join("; ")) }
    }
}
