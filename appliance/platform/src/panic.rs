//! The end of a guest that found itself wrong.

use core::panic::PanicInfo;

use abi::hypercall::exit;

use crate::last_words::LastWords;
use crate::{entry, heap, logger};

#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    logger::reclaim();
    let words = LastWords::of(info.message());
    let (file, line) = info.location().map_or(("?", 0), |place| (place.file(), place.line()));
    if words.is_allocation_failure() && heap::global::has_refused() {
        defmt::error!("out of memory: {=str}", words.text());
        entry::exit(exit::OUT_OF_MEMORY);
    }
    defmt::error!("panic at {=str}:{=u32}: {=str}", file, line, words.text());
    entry::exit(exit::PANIC)
}

/// What unwinding would need. The image never unwinds: a panic ends it.
#[unsafe(no_mangle)]
extern "C" fn rust_eh_personality() {}

/// Where unwinding would go on. The core library, which is built to unwind, mentions it.
#[unsafe(no_mangle)]
extern "C" fn _Unwind_Resume() -> ! {
    entry::exit(exit::PANIC)
}
