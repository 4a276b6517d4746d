//! What copying and setting memory costs the guest, beside the C library that a host program has.
//!
//! `cargo bench -p platform --bench copy` prints the table of docs/bench/copy.md.
#![expect(clippy::print_stdout, reason = "a bench prints")]
#![expect(unsafe_code, reason = "what it measures is unsafe to call; docs/unsafe.md counts it")]

use core::hint::black_box;
use std::time::Instant;

use platform::copy;

const ROUNDS: usize = 7;
/// Bytes moved in one round, about.
const ROUND_LEN: usize = 32 << 20;
/// Neither side is aligned.
const FROM: usize = 7;
const TO: usize = 13;
const LENGTHS: [usize; 14] = [8, 20, 60, 100, 200, 500, 1000, 1460, 2047, 2048, 4096, 8192, 16_384, 65_000];
const ROOM: usize = 1 << 17;

fn main() {
    let (from, mut to) = (vec![1_u8; ROOM], vec![2_u8; ROOM]);
    println!("| bytes | copy, ours | copy, C library | set, ours | set, C library |\n|--:|--:|--:|--:|--:|");
    for len in LENGTHS {
        let from = &from[FROM..FROM + len];
        let to = &mut to[TO..TO + len];
        let costs = [
            best(len, || {
                // SAFETY: two slices of `len` bytes, one of them mutable.
                unsafe { copy::copy(to.as_mut_ptr(), black_box(from).as_ptr(), len) }
            }),
            best(len, || black_box(&mut *to).copy_from_slice(black_box(from))),
            best(len, || {
                // SAFETY: a mutable slice of `len` bytes.
                unsafe { copy::set(black_box(&mut *to).as_mut_ptr(), 3, len) }
            }),
            best(len, || black_box(&mut *to).fill(black_box(3))),
        ];
        println!("| {len} | {} |", costs.map(|cost| format!("{cost:.1}")).join(" | "));
    }
}

/// Nanoseconds a call, of the best round.
fn best(len: usize, mut call: impl FnMut()) -> f64 {
    let calls = u32::try_from(ROUND_LEN / (len + 64)).unwrap_or(u32::MAX);
    let rounds = (0..ROUNDS).map(|_| {
        let start = Instant::now();
        for _ in 0..calls {
            call();
        }
        start.elapsed().as_secs_f64() * 1e9 / f64::from(calls)
    });
    rounds.fold(f64::INFINITY, f64::min)
}
