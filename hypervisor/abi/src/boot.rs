//! The boot info: one read-only page, whose address is the entry point's only argument.
//!
//! The tender chooses every address anew at each boot, keeps a guard on both sides of each region, and maps nothing else. A contest's two windows alone lie where
//! everybody was told that they lie.

use crate::limits::LINKS;

/// Marks a boot info: `BOUNTYBX` in ASCII, little-endian.
pub const MAGIC: u64 = u64::from_le_bytes(*b"BOUNTYBX");

/// The version of everything in this crate. Tender and guest must agree on it exactly.
pub const VERSION: u32 = 3;

/// A piece of the guest's address space.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(C)]
pub struct Region {
    /// First address.
    pub base: u64,
    /// Length in bytes.
    pub len: u64,
}

/// The two queues of one link.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct Link {
    /// Frames towards the guest; the guest must not write it.
    pub rx: Region,
    /// Frames from the guest.
    pub tx: Region,
}

/// Index of the public link in [`BootInfo::links`].
pub const FRONT: usize = 0;
/// Index of the private link, to the backends.
pub const BACK: usize = 1;

/// [`BootInfo::machine`]: hardware virtualisation.
pub const MACHINE_KVM: u32 = 1;
/// [`BootInfo::machine`]: a traced child process.
pub const MACHINE_PROCESS: u32 = 2;

/// What the guest is told at its start.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct BootInfo {
    /// [`MAGIC`].
    pub magic: u64,
    /// [`VERSION`].
    pub version: u32,
    /// [`MACHINE_KVM`] or [`MACHINE_PROCESS`]; for the log only.
    pub machine: u32,
    /// Address of the gate, see [`crate::hypercall`].
    pub gate: u64,
    /// Writable, zero at the start.
    pub heap: Region,
    /// Writable; the stack pointer starts at its end.
    pub stack: Region,
    /// See [`crate::control`].
    pub control: Region,
    /// See [`crate::log`].
    pub log: Region,
    /// The boot seed; gone after `sealed`.
    pub seed: Region,
    /// The boot bundle, `len` being its exact length; gone after `sealed`.
    pub bundle: Region,
    /// Letters to the guest, which must not write it; see [`crate::mailbox`].
    pub inbox: Region,
    /// Letters from the guest.
    pub outbox: Region,
    /// The links: [`FRONT`], [`BACK`].
    pub links: [Link; LINKS],
    /// A contest's read-only page at a published address: its first [`FLAG_LEN`](crate::limits::FLAG_LEN) bytes are the flag of `read`, the rest is zero. It stays after
    /// `sealed`. Base and length are 0 where there is no contest.
    pub flag: Region,
    /// A contest's writable page at a published address, zero at the start: its first 8 bytes are the word of `write`, little-endian. The guest itself never
    /// writes it. There if and only if [`BootInfo::flag`] is.
    pub word: Region,
}

const _: () = assert!(size_of::<BootInfo>() == 24 + 8 * 16 + LINKS * 32 + 2 * 16, "no padding");
