//! `memcpy`, `memmove`, `memset` and `memcmp`, which the compiler calls and no C library is there to give.
//!
//! Short lengths are covered by two loads that overlap in the middle, so that no length needs a loop of bytes; long ones by blocks of 64
//! bytes, and very long ones by the processor's own string instructions. Every load of a size class comes before its first store, so that
//! the classes without a loop serve overlapping memory too. The steps are assembly because the compiler may turn a Rust loop that copies
//! into a call of the very function that it stands in.
//!
//! `symbols` gives them their C names, in the image alone.
//!
//! # Safety
//! Of every function here: `from` is readable and `to` writable for `len` bytes; apart from [`displace`], they do not overlap.

use core::arch::asm;
use core::cmp::Ordering;

/// From here on `rep movsb` beats the loop, in bytes, on the AMD and Intel processors that it was measured on; `cargo bench -p platform` compares with glibc.
const STRING_COPY_LEN_MIN: usize = 1280;

/// From here on `rep stosb` beats the loop, in bytes.
const STRING_SET_LEN_MIN: usize = 512;

/// Bytes that one round of the loops handles.
const BLOCK_LEN: usize = 64;

/// Copies bytes.
///
/// # Safety
/// See the [module](self).
#[inline]
pub unsafe fn copy(to: *mut u8, from: *const u8, len: usize) {
    if len <= 2 * BLOCK_LEN {
        // SAFETY: the caller's promise.
        unsafe { short(to, from, len) }
    } else if len < STRING_COPY_LEN_MIN {
        // SAFETY: the caller's promise, and more than a block.
        unsafe { forward(to, from, len) }
    } else {
        // SAFETY: the caller's promise; the direction flag is clear, as the ABI has it.
        unsafe {
            asm!("rep movsb", inout("rcx") len => _, inout("rdi") to => _, inout("rsi") from => _, options(nostack, preserves_flags));
        }
    }
}

/// Copies bytes that may overlap.
///
/// # Safety
/// See the [module](self).
#[inline]
pub unsafe fn displace(to: *mut u8, from: *const u8, len: usize) {
    let ahead = to.addr().wrapping_sub(from.addr());
    if len <= 2 * BLOCK_LEN {
        // SAFETY: the caller's promise; it loads all before it stores.
        unsafe { short(to, from, len) }
    } else if ahead >= len {
        // SAFETY: the caller's promise; what is stored was loaded before, as `to` does not lie inside what is still to be loaded.
        unsafe { forward(to, from, len) }
    } else {
        // SAFETY: the caller's promise; `to` lies behind `from`, so the last bytes go first.
        unsafe { backward(to, from, len) }
    }
}

/// Sets bytes.
///
/// # Safety
/// `to` is writable for `len` bytes.
#[inline]
pub unsafe fn set(to: *mut u8, byte: u8, len: usize) {
    let word = u64::from(byte).wrapping_mul(0x0101_0101_0101_0101);
    if len >= 16 {
        // SAFETY: the caller's promise, and at least 16 bytes.
        unsafe { set_long(to, word, len) }
    } else if len >= 8 {
        // SAFETY: two stores of 8 bytes that overlap lie inside 8 to 15 bytes.
        unsafe {
            asm!("mov [{t}], {w}", "mov [{t} + {n} - 8], {w}",
                 t = in(reg) to, n = in(reg) len, w = in(reg) word, options(nostack, preserves_flags));
        }
    } else if len >= 4 {
        // SAFETY: two stores of 4 bytes that overlap lie inside 4 to 7 bytes.
        unsafe {
            asm!("mov [{t}], {w:e}", "mov [{t} + {n} - 4], {w:e}",
                 t = in(reg) to, n = in(reg) len, w = in(reg) word, options(nostack, preserves_flags));
        }
    } else if len > 0 {
        // SAFETY: the first, the middle and the last of 1 to 3 bytes.
        unsafe {
            asm!("mov byte ptr [{t}], {b}", "mov byte ptr [{t} + {h}], {b}", "mov byte ptr [{t} + {n} - 1], {b}",
                 t = in(reg) to, h = in(reg) len / 2, n = in(reg) len, b = in(reg_byte) byte, options(nostack, preserves_flags));
        }
    }
}

/// Which of two pieces comes first, as bytes compare.
///
/// # Safety
/// Both are readable for `len` bytes.
#[inline]
pub unsafe fn compare(one: *const u8, two: *const u8, len: usize) -> Ordering {
    let words = len / 8;
    for word in 0..words {
        // SAFETY: the word lies inside `one`.
        let a = unsafe { word_at(one, word) };
        // SAFETY: and inside `two`.
        let b = unsafe { word_at(two, word) };
        if a != b {
            return a.swap_bytes().cmp(&b.swap_bytes());
        }
    }
    for at in 8 * words..len {
        // SAFETY: the byte lies inside `one`.
        let a = unsafe { one.wrapping_add(at).read() };
        // SAFETY: and inside `two`.
        let b = unsafe { two.wrapping_add(at).read() };
        if a != b {
            return a.cmp(&b);
        }
    }
    Ordering::Equal
}

/// # Safety
/// `from` is readable up to the end of its word number `word`.
#[inline]
unsafe fn word_at(from: *const u8, word: usize) -> u64 {
    let value;
    // SAFETY: the caller's promise.
    unsafe {
        asm!("mov {v}, [{f} + 8 * {w}]", v = out(reg) value, f = in(reg) from, w = in(reg) word, options(nostack, preserves_flags, readonly, pure));
    }
    value
}

/// Up to 128 bytes, overlapping or not.
///
/// # Safety
/// As [`displace`].
#[inline]
unsafe fn short(to: *mut u8, from: *const u8, len: usize) {
    match len {
        0 => (),
        // SAFETY: the first, the middle and the last of 1 to 3 bytes.
        1..=3 => unsafe {
            asm!(
                "movzx {a:e}, byte ptr [{f}]", "movzx {b:e}, byte ptr [{f} + {h}]", "movzx {c:e}, byte ptr [{f} + {n} - 1]",
                "mov byte ptr [{t}], {a:l}", "mov byte ptr [{t} + {h}], {b:l}", "mov byte ptr [{t} + {n} - 1], {c:l}",
                t = in(reg) to, f = in(reg) from, n = in(reg) len, h = in(reg) len / 2,
                a = out(reg) _, b = out(reg) _, c = out(reg) _, options(nostack, preserves_flags)
            );
        },
        // SAFETY: two pieces of 4 bytes cover 4 to 7.
        4..=7 => unsafe {
            asm!(
                "mov {a:e}, [{f}]", "mov {b:e}, [{f} + {n} - 4]", "mov [{t}], {a:e}", "mov [{t} + {n} - 4], {b:e}",
                t = in(reg) to, f = in(reg) from, n = in(reg) len, a = out(reg) _, b = out(reg) _, options(nostack, preserves_flags)
            );
        },
        // SAFETY: two pieces of 8 bytes cover 8 to 15.
        8..=15 => unsafe {
            asm!(
                "mov {a}, [{f}]", "mov {b}, [{f} + {n} - 8]", "mov [{t}], {a}", "mov [{t} + {n} - 8], {b}",
                t = in(reg) to, f = in(reg) from, n = in(reg) len, a = out(reg) _, b = out(reg) _, options(nostack, preserves_flags)
            );
        },
        // SAFETY: two pieces of 16 bytes cover 16 to 32.
        16..=32 => unsafe {
            asm!(
                "movups {a}, [{f}]", "movups {b}, [{f} + {n} - 16]", "movups [{t}], {a}", "movups [{t} + {n} - 16], {b}",
                t = in(reg) to, f = in(reg) from, n = in(reg) len, a = out(xmm_reg) _, b = out(xmm_reg) _, options(nostack, preserves_flags)
            );
        },
        // SAFETY: two pieces of 32 bytes cover 33 to 64.
        33..=64 => unsafe {
            asm!(
                "movups {a}, [{f}]", "movups {b}, [{f} + 16]", "movups {c}, [{f} + {n} - 32]", "movups {d}, [{f} + {n} - 16]",
                "movups [{t}], {a}", "movups [{t} + 16], {b}", "movups [{t} + {n} - 32], {c}", "movups [{t} + {n} - 16], {d}",
                t = in(reg) to, f = in(reg) from, n = in(reg) len,
                a = out(xmm_reg) _, b = out(xmm_reg) _, c = out(xmm_reg) _, d = out(xmm_reg) _, options(nostack, preserves_flags)
            );
        },
        // SAFETY: two pieces of 64 bytes cover 65 to 128.
        _ => unsafe {
            asm!(
                "movups {a}, [{f}]", "movups {b}, [{f} + 16]", "movups {c}, [{f} + 32]", "movups {d}, [{f} + 48]",
                "movups {e}, [{f} + {n} - 64]", "movups {g}, [{f} + {n} - 48]", "movups {h}, [{f} + {n} - 32]", "movups {i}, [{f} + {n} - 16]",
                "movups [{t}], {a}", "movups [{t} + 16], {b}", "movups [{t} + 32], {c}", "movups [{t} + 48], {d}",
                "movups [{t} + {n} - 64], {e}", "movups [{t} + {n} - 48], {g}", "movups [{t} + {n} - 32], {h}", "movups [{t} + {n} - 16], {i}",
                t = in(reg) to, f = in(reg) from, n = in(reg) len,
                a = out(xmm_reg) _, b = out(xmm_reg) _, c = out(xmm_reg) _, d = out(xmm_reg) _,
                e = out(xmm_reg) _, g = out(xmm_reg) _, h = out(xmm_reg) _, i = out(xmm_reg) _, options(nostack, preserves_flags)
            );
        },
    }
}

/// More than a block, from the front on; the last block is loaded first of all and stored last of all.
///
/// # Safety
/// As [`displace`], `to` not behind `from` within `len`, and `len` above 64.
#[inline]
unsafe fn forward(to: *mut u8, from: *const u8, len: usize) {
    // SAFETY: the rounds cover whole blocks that begin below `len - 64`, the last block covers the rest.
    unsafe {
        asm!(
            "movups {e}, [{f} + {n}]", "movups {g}, [{f} + {n} + 16]", "movups {h}, [{f} + {n} + 32]", "movups {i}, [{f} + {n} + 48]",
            "lea {last}, [{t} + {n}]",
            "2:",
            "movups {a}, [{f}]", "movups {b}, [{f} + 16]", "movups {c}, [{f} + 32]", "movups {d}, [{f} + 48]",
            "movups [{t}], {a}", "movups [{t} + 16], {b}", "movups [{t} + 32], {c}", "movups [{t} + 48], {d}",
            "add {f}, 64", "add {t}, 64", "cmp {t}, {last}", "jb 2b",
            "movups [{last}], {e}", "movups [{last} + 16], {g}", "movups [{last} + 32], {h}", "movups [{last} + 48], {i}",
            t = inout(reg) to => _, f = inout(reg) from => _, n = in(reg) len - BLOCK_LEN, last = out(reg) _,
            a = out(xmm_reg) _, b = out(xmm_reg) _, c = out(xmm_reg) _, d = out(xmm_reg) _,
            e = out(xmm_reg) _, g = out(xmm_reg) _, h = out(xmm_reg) _, i = out(xmm_reg) _, options(nostack)
        );
    }
}

/// More than a block, from the end on; the first block is loaded first of all and stored last of all.
///
/// # Safety
/// As [`displace`], `to` not before `from`, and `len` above 64.
#[inline]
unsafe fn backward(to: *mut u8, from: *const u8, len: usize) {
    // SAFETY: the rounds cover whole blocks that end above 64, the first block covers the rest.
    unsafe {
        asm!(
            "movups {e}, [{f}]", "movups {g}, [{f} + 16]", "movups {h}, [{f} + 32]", "movups {i}, [{f} + 48]",
            "2:",
            "movups {a}, [{f} + {n} - 64]", "movups {b}, [{f} + {n} - 48]", "movups {c}, [{f} + {n} - 32]", "movups {d}, [{f} + {n} - 16]",
            "movups [{t} + {n} - 64], {a}", "movups [{t} + {n} - 48], {b}", "movups [{t} + {n} - 32], {c}", "movups [{t} + {n} - 16], {d}",
            "sub {n}, 64", "cmp {n}, 64", "ja 2b",
            "movups [{t}], {e}", "movups [{t} + 16], {g}", "movups [{t} + 32], {h}", "movups [{t} + 48], {i}",
            t = in(reg) to, f = in(reg) from, n = inout(reg) len => _,
            a = out(xmm_reg) _, b = out(xmm_reg) _, c = out(xmm_reg) _, d = out(xmm_reg) _,
            e = out(xmm_reg) _, g = out(xmm_reg) _, h = out(xmm_reg) _, i = out(xmm_reg) _, options(nostack)
        );
    }
}

/// 16 bytes and more, each pair of words being `word` twice.
///
/// # Safety
/// As [`set`], and `len` at least 16.
#[inline]
unsafe fn set_long(to: *mut u8, word: u64, len: usize) {
    if len >= STRING_SET_LEN_MIN {
        // SAFETY: the caller's promise; the direction flag is clear, as the ABI has it.
        unsafe {
            asm!("rep stosb", inout("rcx") len => _, inout("rdi") to => _, in("rax") word, options(nostack, preserves_flags));
        }
    } else {
        // SAFETY: the rounds cover pieces of 16 bytes that begin below `len - 16`, the last piece covers the rest.
        unsafe {
            asm!(
                "movq {x}, {w}", "punpcklqdq {x}, {x}", "lea {last}, [{t} + {n}]", "movups [{last}], {x}",
                "2:", "cmp {t}, {last}", "jae 3f", "movups [{t}], {x}", "add {t}, 16", "jmp 2b", "3:",
                t = inout(reg) to => _, n = in(reg) len - 16, w = in(reg) word, last = out(reg) _, x = out(xmm_reg) _, options(nostack)
            );
        }
    }
}

#[cfg(test)]
mod tests;
