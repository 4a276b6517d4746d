//! See `targets::peek`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| targets::peek(data));
