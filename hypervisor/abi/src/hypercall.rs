//! The three hypercalls, the fourth of a contest, and how the gate page reaches them.
//!
//! The guest calls the gate's address, which the boot info names, as `extern "sysv64" fn(number: u32, value: u32)`. It returns when the
//! tender lets the guest go on, with every register but the caller-saved ones as it was. The gate's code is the machine's, not the
//! image's: on `kvm` it is `out dx, eax`, the number being the port; on `process` it is a `syscall` that no kernel ever sees.
//! The numbers lie four apart, because an `out` of 32 bits needs four ports open: so none of them opens a neighbour, nor [`CRASH`].
//! No hypercall takes a pointer: what is larger than 32 bits lies in the [control page](crate::control), or comes back in registers.

/// End of a turn: the tender takes the queued frames, brings new ones, and returns at the deadline of the control page at the latest.
/// The value is not used and must be 0.
pub const WAIT: u32 = 0x5b0;

/// The guest ends. The value is its exit code, see [`exit`].
pub const EXIT: u32 = 0x5b4;

/// Start-up is over: the tender takes seed and bundle out of the guest's address space. Accepted once. The value must be 0.
pub const SEALED: u32 = 0x5b8;

/// Where the exception stubs report on `kvm`. Closed to the guest: it is not in its I/O-permission bitmap.
pub const CRASH: u32 = 0x5bc;

/// Only in a cell that has a [contest](crate::boot::BootInfo::flag): the flag of `exec`, which nobody has a reason to ask for but who has got code to run in the
/// guest. The value must be 0. It may be called at any time, some thousand times a turn, and does not end the turn.
/// When the guest goes on, the flag's [`FLAG_LEN`](crate::limits::FLAG_LEN) bytes are in [`PRIZE_REGISTERS`], eight in each, little-endian, the first ones first;
/// all four are caller-saved, so that whoever calls the gate as a function loses nothing. Everywhere else it is as closed as any number that is none.
pub const PRIZE: u32 = 0x5c0;

/// What [`PRIZE`] is answered in.
pub const PRIZE_REGISTERS: [&str; 4] = ["rax", "rcx", "rdx", "rsi"];

/// The hypercalls that the gate opens to every guest.
pub const ALL: [u32; 3] = [WAIT, EXIT, SEALED];

const _: () =
    assert!(WAIT.is_multiple_of(4) && WAIT + 4 == EXIT && EXIT + 4 == SEALED && SEALED + 4 == CRASH, "one aligned 32-bit port each");
const _: () = assert!(CRASH + 4 == PRIZE, "a port of its own, too, which opens nothing of CRASH");

/// Exit codes that the guest hands to [`EXIT`].
pub mod exit {
    /// The guest was told to stop, and did.
    pub const DONE: u32 = 0;
    /// The guest panicked; its last words are in the log window.
    pub const PANIC: u32 = 1;
    /// The heap is exhausted.
    pub const OUT_OF_MEMORY: u32 = 2;
    /// The boot info, the seed or the bundle is not what this guest was built for.
    pub const BAD_BOOT: u32 = 3;
    /// The seed page held no seed: the guest refuses to serve.
    pub const NO_SEED: u32 = 4;
}
