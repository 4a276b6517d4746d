//! The instructions that a guest must not execute, by name.

use core::arch::asm;

/// A function that executes one instruction.
pub type Try = fn();

macro_rules! instructions {
    ($($name:literal: $($line:literal),+;)*) => {
        /// Names, in the order of [`TRIES`].
        pub const NAMES: &[&str] = &[$($name),*];
        /// What executes them.
        pub const TRIES: &[Try] = &[$({
            fn attempt() {
                // SAFETY: none needed of the guest: what becomes of it is what the test asks. All registers are given up.
                unsafe {
                    asm!($($line),+, out("rax") _, out("rcx") _, out("rdx") _, out("rsi") _, out("rdi") _, out("r8") _, out("r9") _,
                        out("r10") _, out("r11") _);
                }
            }
            attempt as Try
        }),*];
    };
}

include!("instructions.in");
