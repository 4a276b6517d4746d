//! A guest that ends badly, in the way that the first byte of its bundle names; `tests/boot` builds and boots it.
//!
//! The platform beneath it is the appliance's, built with the same flags: what is tested is how a panic, an empty heap and a boot info that is
//! none end a guest, and what it finds of a contest. On the host there is nothing to run.
#![cfg_attr(guest, no_std, no_main)]
#![cfg_attr(guest, expect(unsafe_code, reason = "the entry point, and the boot info and bundle behind it"))]

#[cfg(guest)]
extern crate alloc;

#[cfg(guest)]
mod guest {
    use alloc::vec::Vec;
    use core::hint::black_box;

    use abi::boot::BootInfo;
    use platform::Start;

    /// Where the machine starts the guest. Two endings change a copy of the boot info before the platform sees it.
    #[unsafe(no_mangle)]
    unsafe extern "sysv64" fn _start(boot: *const BootInfo) -> ! {
        // SAFETY: the machine passes the address of the boot info page.
        let mut copy = unsafe { *boot };
        // SAFETY: the bundle is at least a byte long.
        match unsafe { *(copy.bundle.base as *const u8) } {
            b'm' => copy.magic = 0,
            b'v' => copy.version = u32::MAX,
            _ => {}
        }
        // SAFETY: the copy is a boot info, and the guest is started once.
        unsafe { platform::entry::start(&raw const copy, end) }
    }

    fn end(start: Start) -> u32 {
        let ending = start.bundle().first().copied().unwrap_or_default();
        defmt::info!("ending {=u8}", ending);
        match ending {
            b'p' => assert!(black_box(false), "the last words of {}", "a guest"),
            b'o' => exhaust(),
            b'c' => win(start),
            b'x' => drop(Vec::<u64>::with_capacity(black_box(1 << 62))),
            _ => {}
        }
        abi::hypercall::exit::DONE
    }

    /// Where `tests/boot` has the word published.
    const WORD_ADDRESS: usize = 0x4242_4242_0000;

    /// Says what there is to be won, before and after it is sealed, and after it has written where only somebody who has broken in could.
    fn win(start: Start) {
        defmt::info!("unsealed flag {} words {}", start.flag(), start.words());
        let platform = start.seal();
        defmt::info!("sealed flag {} words {}", platform.flag(), platform.words());
        if platform.words().is_some() {
            let words = core::ptr::with_exposed_provenance_mut::<[u64; 2]>(WORD_ADDRESS);
            // SAFETY: the page is there, writable, and no slice of it is ever made.
            unsafe { words.write_volatile([7, 9]) };
            defmt::info!("written flag {} words {}", platform.flag(), platform.words());
        }
    }

    /// Takes memory until there is none.
    fn exhaust() {
        let mut taken = Vec::new();
        loop {
            taken.push(black_box(Vec::<u8>::with_capacity(64 * 1024)));
        }
    }
}

/// On the host there is nothing to run.
#[cfg(not(guest))]
fn main() {}
