//! A cell's memory: one memfd, mapped once into the tender.
//!
//! Invariants, on which every `unsafe` here rests:
//! - `base` is the start of a live, shared, readable and writable mapping of `len` bytes that this value alone owns and unmaps once;
//! - its file is sealed at `len`, so no page of the mapping can vanish (no SIGBUS);
//! - a range in `closed` is mapped without any access, and no slice of it is ever made again;
//! - **lock-step**: others that map the file (the guest) run only inside `Machine::run`, which takes the machine, and with it this
//!   value, by `&mut`. So no slice from here lives while anyone else can write.
//!
//! The heap's pages are never touched from here; the kernel makes them, zeroed, when the guest first does.

use core::ops::Range;
use core::ptr::{self, NonNull};
use core::slice;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{MemfdFlags, SealFlags, SeekFrom};
use rustix::io::Errno;
use rustix::mm::{Advice, MapFlags, MprotectFlags, ProtFlags};
use zeroize::Zeroize;

/// An owned, shared mapping of a memfd.
#[derive(Debug)]
pub struct Memory {
    base: NonNull<u8>,
    len: usize,
    file: OwnedFd,
    closed: Vec<Range<usize>>,
}

impl Memory {
    /// Allocates `len` zero bytes, a multiple of the page length. Nothing is reserved: pages cost when touched.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn new(len: usize) -> Result<Self, Errno> {
        let file = sealed_file(len)?;
        let access = ProtFlags::READ | ProtFlags::WRITE;
        let flags = MapFlags::SHARED | MapFlags::NORESERVE;
        // SAFETY: a null hint without MAP_FIXED lets the kernel choose a free range, so no mapping of this process is replaced.
        let base = unsafe { rustix::mm::mmap(ptr::null_mut(), len, access, flags, &file, 0) }?;
        let base = NonNull::new(base.cast::<u8>()).ok_or(Errno::NOMEM)?;
        let memory = Self { base, len, file, closed: Vec::new() };
        memory.keep_from_core_dumps()?;
        Ok(memory)
    }

    /// Length in bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is no memory at all, which [`Memory::new`] never makes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Where byte 0 lies in the tender's address space; for the kernel, not for dereferencing.
    #[must_use]
    pub fn address(&self) -> u64 {
        self.base.as_ptr().addr() as u64
    }

    /// The file behind the memory, to be mapped elsewhere.
    #[must_use]
    pub fn file(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }

    /// The bytes of `range`; `None` where it is not all inside, or closed.
    #[must_use]
    pub fn bytes(&self, range: Range<usize>) -> Option<&[u8]> {
        let (start, len) = self.checked(range)?;
        // SAFETY: `start` and `len` lie inside the live mapping and not in a closed range (`checked`); the bytes are initialised (a memfd
        // is zero at first); nobody writes while `self` is borrowed (lock-step, see the top; tender code needs `&mut self`).
        Some(unsafe { slice::from_raw_parts(start, len) })
    }

    /// The bytes of `range`, for writing; `None` where it is not all inside, or closed.
    #[must_use]
    pub fn bytes_mut(&mut self, range: Range<usize>) -> Option<&mut [u8]> {
        let (start, len) = self.checked(range)?;
        // SAFETY: as in `bytes`; and `&mut self` makes this the only slice into the mapping.
        Some(unsafe { slice::from_raw_parts_mut(start, len) })
    }

    /// The parts of `range` that anybody has touched so far, in whole pages; all else is zero. Looking does not touch.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn touched(&self, range: Range<usize>) -> Result<Vec<Range<usize>>, Errno> {
        let mut touched = Vec::new();
        let mut at = range.start as u64;
        while at < range.end as u64 {
            // A file without data behind `at` says so by NXIO.
            let start = match rustix::fs::seek(&self.file, SeekFrom::Data(at)) {
                Err(Errno::NXIO) => break,
                other => other?,
            };
            let end = rustix::fs::seek(&self.file, SeekFrom::Hole(start))?.min(range.end as u64);
            let piece = usize::try_from(start).unwrap_or(usize::MAX)..usize::try_from(end).unwrap_or(usize::MAX);
            touched.extend(Some(piece).filter(|piece| !piece.is_empty()));
            at = end.max(start);
        }
        Ok(touched)
    }

    /// Wipes `range` and takes all access to it from this process, for good. KVM drops its own mapping of it at the same moment.
    ///
    /// # Errors
    /// `INVAL` where the range is not all inside or is closed already; what the kernel says.
    pub fn close(&mut self, range: Range<usize>) -> Result<(), Errno> {
        self.bytes_mut(range.clone()).ok_or(Errno::INVAL)?.zeroize();
        let (start, len) = self.checked(range.clone()).ok_or(Errno::INVAL)?;
        self.closed.push(range);
        // SAFETY: the range is ours alone, and from here on `checked` refuses it, so nothing in this process touches it again.
        unsafe { rustix::mm::mprotect(start.cast(), len, MprotectFlags::empty()) }
    }

    fn keep_from_core_dumps(&self) -> Result<(), Errno> {
        // SAFETY: the range is our own mapping; the advice changes no byte and no access.
        unsafe { rustix::mm::madvise(self.base.as_ptr().cast(), self.len, Advice::LinuxDontDump) }
    }

    fn checked(&self, range: Range<usize>) -> Option<(*mut u8, usize)> {
        let len = range.end.checked_sub(range.start)?;
        let inside = range.end <= self.len;
        let open = self.closed.iter().all(|closed| range.end <= closed.start || closed.end <= range.start);
        (inside && open).then(|| (self.base.as_ptr().wrapping_add(range.start), len))
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        // SAFETY: the mapping is ours, is unmapped only here, and no slice of it outlives `self`.
        let _ = unsafe { rustix::mm::munmap(self.base.as_ptr().cast(), self.len) };
    }
}

/// A file of exactly `len` bytes, for ever.
fn sealed_file(len: usize) -> Result<OwnedFd, Errno> {
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    let file = match rustix::fs::memfd_create("cell", flags | MemfdFlags::NOEXEC_SEAL) {
        // Linux before 6.3 does not know NOEXEC_SEAL.
        Err(Errno::INVAL) => rustix::fs::memfd_create("cell", flags)?,
        other => other?,
    };
    rustix::fs::ftruncate(&file, len as u64)?;
    rustix::fs::fcntl_add_seals(&file, SealFlags::GROW | SealFlags::SHRINK | SealFlags::SEAL)?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_starts_zero_and_keeps_what_is_written() {
        let mut memory = Memory::new(8192).unwrap();
        assert!(memory.bytes(0..8192).unwrap().iter().all(|byte| *byte == 0));
        memory.bytes_mut(4096..4100).unwrap().copy_from_slice(b"cell");
        assert_eq!(memory.bytes(4096..4100).unwrap(), b"cell");
    }

    #[test]
    fn ranges_outside_are_refused() {
        let memory = Memory::new(4096).unwrap();
        assert!(memory.bytes(0..4096).is_some());
        assert!(memory.bytes(0..4097).is_none());
        assert!(memory.bytes(4096..4096).is_some());
        #[expect(clippy::reversed_empty_ranges, reason = "this is the case under test")]
        let reversed = 5..4;
        assert!(memory.bytes(reversed).is_none());
    }

    #[test]
    fn what_was_touched_is_found_without_touching() {
        let mut memory = Memory::new(64 * 4096).unwrap();
        assert!(memory.touched(0..64 * 4096).unwrap().is_empty());
        memory.bytes_mut(5 * 4096 + 17..5 * 4096 + 18).unwrap().fill(1);
        memory.bytes_mut(40 * 4096..42 * 4096).unwrap().fill(2);
        assert_eq!(memory.touched(0..64 * 4096).unwrap(), [5 * 4096..6 * 4096, 40 * 4096..42 * 4096]);
        assert_eq!(memory.touched(41 * 4096..64 * 4096).unwrap().first(), Some(&(41 * 4096..42 * 4096)));
        assert!(memory.touched(6 * 4096..40 * 4096).unwrap().is_empty());
    }

    #[test]
    fn closed_range_is_never_handed_out_again_and_is_wiped() {
        let mut memory = Memory::new(3 * 4096).unwrap();
        memory.bytes_mut(0..3 * 4096).unwrap().fill(7);
        memory.close(4096..8192).unwrap();
        assert!(memory.bytes(4096..8192).is_none());
        assert!(memory.bytes(8191..8193).is_none());
        assert!(memory.bytes(0..4096).is_some() && memory.bytes(8192..3 * 4096).is_some());
        assert_eq!(memory.close(4096..8192), Err(Errno::INVAL));
        // Another mapping of the same file sees zeros, not the secret.
        let mut read = [9; 4096];
        assert_eq!(rustix::io::pread(memory.file(), &mut read, 4096), Ok(4096));
        assert_eq!(read, [0; 4096]);
    }

    #[test]
    fn file_cannot_shrink_under_the_mapping() {
        let memory = Memory::new(4096).unwrap();
        assert_eq!(rustix::fs::ftruncate(memory.file(), 0), Err(Errno::PERM));
    }
}
