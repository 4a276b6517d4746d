//! See `targets::letter`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| targets::letter(data));
