//! The jail of a process with several threads, which serves whom its listeners bring and asks over streams that it has: the challenge's page.
//!
//! It is put up in two steps, for threads inherit all of the first and the second ends their making.

use std::os::fd::RawFd;

use crate::jail::walls::Kept;
use crate::jail::{Applied, JailFault, filter, ground, leave_no_core, limits, privileges};
use crate::order::JailWish;

/// What such a process still needs inside.
#[derive(Debug)]
pub struct Crew {
    /// How far to go.
    pub wish: JailWish,
    /// Where connections come from.
    pub listeners: Vec<RawFd>,
    /// Descriptors at most.
    pub descriptors_max: u64,
}

/// A process that has left the host, and may still make threads.
#[derive(Debug)]
pub struct Walled {
    crew: Crew,
    applied: Applied,
}

impl Crew {
    /// What such a process must be started with: one arena for all threads. With more glibc asks /proc whether it may give memory back, and at the ninth how many cores there are,
    /// whenever that comes up; and whoever opens a file in here is ended.
    pub const ENVIRONMENT: (&'static str, &'static str) = ("MALLOC_ARENA_MAX", "1");

    /// Takes away all but system calls. This process must have one thread.
    ///
    /// # Errors
    /// [`JailFault`]: what is not optional is missing, and nobody may be served.
    pub fn wall_in(self) -> Result<Walled, JailFault> {
        let mut applied = Applied::default();
        applied.note("no-dump", leave_no_core());
        applied.leave(self.wish, Kept { network: false, processes: true });
        privileges::drop_all(&mut applied)?;
        applied.bind()?;
        ground::restrict(&[], false, &mut applied);
        Ok(Walled { crew: self, applied })
    }
}

impl Walled {
    /// Takes away system calls, from all threads: no more of them are made.
    ///
    /// # Errors
    /// [`JailFault::Filter`]: nobody may be served.
    pub fn seal(self) -> Result<Applied, JailFault> {
        let Self { crew, mut applied } = self;
        limits::lower(crew.descriptors_max, 0, &mut applied);
        filter::install_for_all(&crew)?;
        applied.done.push("seccomp");
        Ok(applied)
    }
}
