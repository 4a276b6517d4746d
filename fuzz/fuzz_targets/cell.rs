//! See `targets::cell`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| targets::cell(data));
