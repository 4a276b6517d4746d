//! How `ring` gets its random bytes: through `getrandom`, which asks the C function `syscall`, which is this one.

use core::ffi::{c_int, c_long, c_uint};
use core::ptr;
use core::slice;
use core::sync::atomic::{AtomicI32, Ordering};

use crate::drbg::Drbg;
use crate::sole::Sole;

static DRBG: Sole<Option<Drbg>> = Sole::new(None);
static ERRNO: AtomicI32 = AtomicI32::new(0);

/// `SYS_getrandom` of x86-64.
const GETRANDOM: c_long = 318;
/// `ENOSYS`, for every other call.
const ENOSYS: c_int = 38;

/// Sets the generator that [`syscall`] draws from.
pub(crate) fn install(drbg: Drbg) {
    DRBG.with(|slot| *slot = Some(drbg));
}

/// Answers `getrandom(2)` and nothing else. No kernel is involved.
///
/// # Safety
/// For `GETRANDOM`, `out` is writable for `len` bytes, or `len` is 0.
#[unsafe(no_mangle)]
unsafe extern "C" fn syscall(number: c_long, out: *mut u8, len: usize, _flags: c_uint) -> c_long {
    if number != GETRANDOM {
        return refuse();
    }
    if len == 0 {
        return 0;
    }
    // SAFETY: the caller's promise; zeroes make them initialised, as a slice must be.
    unsafe { ptr::write_bytes(out, 0, len) };
    // SAFETY: as above.
    let out = unsafe { slice::from_raw_parts_mut(out, len) };
    let filled = DRBG.with(|slot| slot.as_mut().map(|drbg| drbg.fill(out)));
    if filled.flatten().is_some() { c_long::try_from(len).unwrap_or_else(|_| refuse()) } else { refuse() }
}

fn refuse() -> c_long {
    ERRNO.store(ENOSYS, Ordering::Relaxed);
    -1
}

/// Where the caller of [`syscall`] finds out why it failed.
#[unsafe(no_mangle)]
extern "C" fn __errno_location() -> *mut c_int {
    ERRNO.as_ptr()
}
