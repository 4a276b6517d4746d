//! Which pages the guest's process writes, for a cell that is to be brought back ([`crate::rewind`]).
//!
//! The kernel write-protects them for userfaultfd(2) in its asynchronous mode (Linux 6.7), in which it lifts the protection itself at the first write, and
//! PAGEMAP_SCAN tells which were lifted and protects them again, in one call. Nobody ever waits for a fault to be answered. The userfaultfd has to be the
//! watched process' own, so the tender has it make one and takes a copy of it before its descriptors are closed.
//!
//! An older kernel knows none of this. There nobody knows what was written, and whoever brings the cell back compares, as on the other machine.

use core::ops::Range;
use std::fs::File;
use std::os::fd::{AsRawFd, OwnedFd};

use rustix::io::Errno;
use rustix::process::{PidfdFlags, PidfdGetfdFlags, pidfd_getfd, pidfd_open};

use super::gate::Gate;
use super::spawn::last_error;
use super::tracee::{Tracee, UserRegisters};
use crate::cell::Written;
use crate::layout::Mapping;
use crate::space::Space;

/// Runs of written pages that one call of PAGEMAP_SCAN reports at most; it is called until nothing is left.
const RUNS_MAX: usize = 64;

/// A cell's process, to be brought back.
#[derive(Debug)]
pub(super) struct Watch {
    /// `None` where the kernel cannot do this.
    pages: Option<PageWatch>,
    registers: Option<UserRegisters>,
}

impl Watch {
    /// Begins to watch what the guest may write, but for `left_out`, bytes of the image.
    ///
    /// # Errors
    /// What the kernel said.
    pub(super) fn begin(tracee: &mut Tracee, gate: Gate, space: &Space, left_out: &Range<u64>) -> Result<Self, Errno> {
        let pages = match PageWatch::begin(tracee, gate, space, left_out) {
            Ok(pages) => Some(pages),
            // No userfaultfd at all, or none with these features.
            Err(Errno::NOSYS | Errno::INVAL | Errno::PERM) => None,
            Err(errno) => return Err(errno),
        };
        Ok(Self { pages, registers: None })
    }

    /// Remembers the registers; what has been written so far no longer counts.
    ///
    /// # Errors
    /// What the kernel said.
    pub(super) fn mark(&mut self, registers: UserRegisters) -> Result<(), Errno> {
        self.registers = Some(registers);
        self.pages.as_ref().map_or(Ok(()), PageWatch::mark)
    }

    /// Where the guest stood.
    ///
    /// # Errors
    /// `INVAL` where nothing was marked.
    pub(super) fn registers(&self) -> Result<UserRegisters, Errno> {
        self.registers.ok_or(Errno::INVAL)
    }

    /// What was written since the last call.
    ///
    /// # Errors
    /// What the kernel said.
    pub(super) fn written(&self) -> Result<Written, Errno> {
        self.pages.as_ref().map_or(Ok(Written::Unknown), |pages| pages.written().map(Written::Pages))
    }
}

/// The watched process' memory.
#[derive(Debug)]
struct PageWatch {
    protector: OwnedFd,
    page_map: File,
    mappings: Vec<Mapping>,
}

impl PageWatch {
    fn begin(tracee: &mut Tracee, gate: Gate, space: &Space, left_out: &Range<u64>) -> Result<Self, Errno> {
        let made = tracee.call(gate, libc::SYS_userfaultfd, [USER_MODE_ONLY | CLOSE_ON_EXEC, 0, 0, 0, 0, 0])?;
        let number = i32::try_from(made).map_err(|_| Errno::BADF)?;
        let process = pidfd_open(tracee.pid(), PidfdFlags::empty())?;
        let protector = pidfd_getfd(&process, number, PidfdGetfdFlags::empty())?;
        let path = format!("/proc/{}/pagemap", tracee.pid().as_raw_nonzero());
        let page_map = File::open(path).map_err(|fault| Errno::from_io_error(&fault).unwrap_or(Errno::IO))?;
        let watch = Self { protector, page_map, mappings: space.writable(left_out) };
        watch.request(API, &mut [API_VERSION, FEATURES, 0])?;
        for mapping in watch.mappings.clone() {
            watch.request(REGISTER, &mut [mapping.address, mapping.len, MODE_WRITE_PROTECT, 0])?;
        }
        Ok(watch)
    }

    /// What has been written so far no longer counts.
    fn mark(&self) -> Result<(), Errno> {
        for mapping in &self.mappings {
            self.request(WRITE_PROTECT, &mut [mapping.address, mapping.len, PROTECT])?;
        }
        Ok(())
    }

    /// What was written since the last call, in the cell's memory.
    fn written(&self) -> Result<Vec<Range<usize>>, Errno> {
        let mut written = Vec::new();
        for mapping in &self.mappings {
            let (mut at, end) = (mapping.address, mapping.address.saturating_add(mapping.len));
            while at < end {
                let mut runs = [PageRun::default(); RUNS_MAX];
                let (count, next) = self.scan(at..end, &mut runs)?;
                written.extend(runs.iter().take(count).filter_map(|run| offsets(mapping, run)));
                at = next.max(at.saturating_add(1));
            }
        }
        Ok(written)
    }

    /// Reports written pages of `range` in `runs` and protects them again. Returns how many runs there are, and where the walk ended.
    fn scan(&self, range: Range<u64>, runs: &mut [PageRun; RUNS_MAX]) -> Result<(usize, u64), Errno> {
        let mut request = ScanRequest {
            len: size_of::<ScanRequest>() as u64,
            flags: SCAN_PROTECT | SCAN_CHECK,
            start: range.start,
            end: range.end,
            walk_end: 0,
            runs: runs.as_mut_ptr().expose_provenance() as u64,
            runs_len: RUNS_MAX as u64,
            pages_max: 0,
            inverted: 0,
            wanted: PAGE_IS_WRITTEN,
            wanted_any: 0,
            returned: PAGE_IS_WRITTEN,
        };
        // SAFETY: PAGEMAP_SCAN reads and writes one `struct pm_scan_arg`, which `request` is, and writes at most `runs_len` of the `struct page_region`
        // at `runs`, which is exclusively borrowed; both outlive the call.
        let count = unsafe { libc::ioctl(self.page_map.as_raw_fd(), PAGEMAP_SCAN, &raw mut request) };
        usize::try_from(count).map(|count| (count, request.walk_end)).map_err(|_| last_error())
    }

    /// A request of userfaultfd's, whose structure is a row of words.
    fn request<const LEN: usize>(&self, number: libc::c_ulong, words: &mut [u64; LEN]) -> Result<(), Errno> {
        // SAFETY: the three requests made here read and write 3 or 4 words, as their callers pass (`struct uffdio_api`, `uffdio_register`,
        // `uffdio_writeprotect`); their addresses are the watched process', so nothing of this one's memory is touched.
        let result = unsafe { libc::ioctl(self.protector.as_raw_fd(), number, words.as_mut_ptr()) };
        if result == 0 { Ok(()) } else { Err(last_error()) }
    }
}

/// A run of pages by its place in the cell's memory.
fn offsets(mapping: &Mapping, run: &PageRun) -> Option<Range<usize>> {
    let place = |address: u64| usize::try_from(mapping.offset.checked_add(address.checked_sub(mapping.address)?)?).ok();
    Some(place(run.start)?..place(run.end)?)
}

/// `UFFD_USER_MODE_ONLY`: needs no privilege. The guest makes no system call, so the kernel never writes in its name.
const USER_MODE_ONLY: u64 = 1;
/// `O_CLOEXEC`.
const CLOSE_ON_EXEC: u64 = 0o2_000_000;
/// `UFFD_API`.
const API_VERSION: u64 = 0xaa;
/// `UFFD_FEATURE_WP_UNPOPULATED`, so that pages which are not there yet count, and `UFFD_FEATURE_WP_ASYNC`.
const FEATURES: u64 = 1 << 13 | 1 << 15;
/// `UFFDIO_REGISTER_MODE_WP`.
const MODE_WRITE_PROTECT: u64 = 1 << 1;
/// `UFFDIO_WRITEPROTECT_MODE_WP`.
const PROTECT: u64 = 1;
/// `UFFDIO_API`, `UFFDIO_REGISTER`, `UFFDIO_WRITEPROTECT` of `<linux/userfaultfd.h>`.
const API: libc::c_ulong = 0xc018_aa3f;
const REGISTER: libc::c_ulong = 0xc020_aa00;
const WRITE_PROTECT: libc::c_ulong = 0xc018_aa06;
/// `PAGEMAP_SCAN` of `<linux/fs.h>`, its flags and its one category.
const PAGEMAP_SCAN: libc::c_ulong = 0xc060_6610;
const SCAN_PROTECT: u64 = 1;
const SCAN_CHECK: u64 = 2;
const PAGE_IS_WRITTEN: u64 = 1 << 1;

/// `struct page_region`.
#[derive(Debug, Clone, Copy, Default)]
#[repr(C)]
struct PageRun {
    start: u64,
    end: u64,
    categories: u64,
}

/// `struct pm_scan_arg`.
#[derive(Debug)]
#[repr(C)]
struct ScanRequest {
    len: u64,
    flags: u64,
    start: u64,
    end: u64,
    walk_end: u64,
    runs: u64,
    runs_len: u64,
    pages_max: u64,
    inverted: u64,
    wanted: u64,
    wanted_any: u64,
    returned: u64,
}

const _: () = assert!(size_of::<ScanRequest>() == 96 && size_of::<PageRun>() == 24, "what the kernel reads and writes");
