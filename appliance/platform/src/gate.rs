//! The gate: how the guest makes a hypercall.

use abi::hypercall;

type Entry = extern "sysv64" fn(number: u32, value: u32);

/// The machine's code that passes a hypercall on. The image itself holds no instruction that could.
#[derive(Debug, Clone, Copy)]
pub struct Gate(Entry);

impl Gate {
    /// A gate that is an ordinary function: the other side of a test.
    #[must_use]
    pub const fn new(entry: Entry) -> Self {
        Self(entry)
    }

    /// The gate at `address`, as the boot info gives it.
    ///
    /// # Safety
    /// At `address` stands code with the calling convention of [`abi::hypercall`], until the guest ends.
    #[must_use]
    pub unsafe fn at(address: usize) -> Self {
        let code = core::ptr::with_exposed_provenance::<()>(address);
        // SAFETY: a code pointer is as wide as a data pointer on x86-64, and the caller vouches for what it points to.
        Self(unsafe { core::mem::transmute::<*const (), Entry>(code) })
    }

    pub(crate) fn wait(self) {
        (self.0)(hypercall::WAIT, 0);
    }

    pub(crate) fn sealed(self) {
        (self.0)(hypercall::SEALED, 0);
    }

    /// Ends the guest with a code of [`hypercall::exit`].
    pub fn exit(self, code: u32) -> ! {
        loop {
            (self.0)(hypercall::EXIT, code);
        }
    }
}
