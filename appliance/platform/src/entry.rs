//! Where the machine starts the guest.

use abi::boot::BootInfo;
use abi::hypercall::exit;

use crate::drbg::Drbg;
use crate::gate::Gate;
use crate::layout::{Fault, Layout};
use crate::sole::Sole;
use crate::window::Windows;
use crate::{Platform, Start, entropy, heap, logger};

static GATE: Sole<Option<Gate>> = Sole::new(None);

/// Names the function that the guest begins with: `fn(Start) -> u32`, which returns a code of [`abi::hypercall::exit`].
#[macro_export]
macro_rules! entry {
    ($serve:path) => {
        /// Where the machine starts the guest.
        #[unsafe(no_mangle)]
        unsafe extern "sysv64" fn _start(boot: *const $crate::entry::BootInfoPage) -> ! {
            // SAFETY: the machine passes the address of the boot info page, and starts the guest once.
            unsafe { $crate::entry::start(boot, $serve) }
        }
    };
}

/// What [`entry!`]'s function is given.
pub type BootInfoPage = BootInfo;

/// Checks what the tender left, builds the guest's world from it, and runs `serve` in it.
///
/// # Safety
/// `boot` is the machine's boot info page, and this is called once.
pub unsafe fn start(boot: *const BootInfo, serve: fn(Start) -> u32) -> ! {
    if boot.is_null() || !boot.is_aligned() {
        trap();
    }
    // SAFETY: the caller vouches for the page; it is aligned, and read-only for both sides.
    let boot = unsafe { &*boot };
    let layout = match Layout::check(boot) {
        Ok(layout) => layout,
        // Without the magic the gate's address is no more to be believed than the rest.
        Err(Fault::HostMagic | Fault::HostGate) => trap(),
        // SAFETY: the magic stands, and the gate's place is the same in every version.
        Err(_) => unsafe { gate_of(boot) }.exit(exit::BAD_BOOT),
    };
    // SAFETY: the layout was checked.
    let gate = unsafe { gate_of(boot) };
    GATE.with(|slot| *slot = Some(gate));
    // SAFETY: the tender maps what the boot info says, and this runs once.
    let windows = unsafe { Windows::claim(&layout) };
    logger::install(windows.log.leak());
    // SAFETY: the heap's span was checked, is zero, and is given to the allocator alone.
    unsafe { heap::global::install(layout.heap) };
    let Some(mut drbg) = Drbg::take(windows.seed.bytes()) else { gate.exit(exit::NO_SEED) };
    entropy::install(drbg.split());
    let Windows { control, bundle, inbox, outbox, links, contest, .. } = windows;
    gate.exit(serve(Start::new(Platform::new(gate, control, (inbox, outbox), links, contest), bundle, drbg)))
}

/// # Safety
/// The boot info's magic was seen to stand.
unsafe fn gate_of(boot: &BootInfo) -> Gate {
    let address = usize::try_from(boot.gate).unwrap_or(usize::MAX);
    // SAFETY: the tender put the gate where it says.
    unsafe { Gate::at(address) }
}

/// Ends the guest from anywhere.
pub(crate) fn exit(code: u32) -> ! {
    GATE.reclaim();
    match GATE.with(|gate| *gate).flatten() {
        Some(gate) => gate.exit(code),
        None => trap(),
    }
}

/// Ends the guest where there is no gate: the tender sees an invalid opcode.
fn trap() -> ! {
    // SAFETY: `ud2` raises an exception, and nothing else.
    unsafe { core::arch::asm!("ud2", options(noreturn, nomem, nostack)) }
}
