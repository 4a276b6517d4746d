//! Every length of interest, at every alignment, against what safe Rust does.

use super::*;
use std::vec;
use std::vec::Vec;

/// Around the borders of all size classes.
const LENGTHS: &[usize] = &[
    0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 128, 129, 130, 191, 192, 193, 200, 256, 257, 511, 512, 513, 1000,
    1279, 1280, 1281, 2047, 2048, 2049, 5000,
];

fn pattern(len: usize) -> Vec<u8> {
    (0..len).map(|at| u8::try_from(at * 31 % 251).unwrap()).collect()
}

#[test]
fn a_copy_is_the_same_bytes_and_touches_no_other() {
    for &len in LENGTHS {
        for skew in 0..17 {
            let from = pattern(len + skew);
            let mut to = vec![0xee; len + 40];
            // SAFETY: both pieces lie inside their vectors.
            unsafe { copy(to[skew..].as_mut_ptr(), from[skew..].as_ptr(), len) };
            assert_eq!(to[skew..skew + len], from[skew..], "{len} bytes");
            assert!(to[..skew].iter().chain(&to[skew + len..]).all(|byte| *byte == 0xee), "{len} bytes at {skew}");
        }
    }
}

#[test]
fn overlapping_bytes_move_whole_in_both_directions() {
    for &len in LENGTHS {
        for distance in [1, 8, 15, 16, 17, 63, 64, 65, 100] {
            for (from, to) in [(distance, 0), (0, distance)] {
                let mut memory = pattern(len + distance);
                let mut expected = memory.clone();
                expected.copy_within(from..from + len, to);
                let base = memory.as_mut_ptr();
                // SAFETY: both pieces lie inside the vector.
                unsafe { displace(base.wrapping_add(to), base.wrapping_add(from), len) };
                assert_eq!(memory, expected, "{len} bytes by {distance}");
            }
        }
    }
}

#[test]
fn set_bytes_are_set_and_no_other() {
    for &len in LENGTHS {
        let mut to = vec![0xee; len + 40];
        // SAFETY: the piece lies inside the vector.
        unsafe { set(to[3..].as_mut_ptr(), 0x5a, len) };
        assert!(to[3..3 + len].iter().all(|byte| *byte == 0x5a), "{len} bytes");
        assert!(to[..3].iter().chain(&to[3 + len..]).all(|byte| *byte == 0xee), "{len} bytes");
    }
}

#[test]
fn comparison_is_that_of_slices_wherever_they_differ() {
    for &len in LENGTHS {
        let one = pattern(len);
        for at in (0..len).chain([len]).take(70) {
            for change in [1, 0x80, 0xff] {
                let mut two = one.clone();
                two.iter_mut().skip(at).for_each(|byte| *byte ^= change);
                // SAFETY: both are readable for `len` bytes.
                let ordering = unsafe { compare(one.as_ptr(), two.as_ptr(), len) };
                assert_eq!(ordering, one.cmp(&two), "{len} bytes, at {at}");
            }
        }
    }
}
