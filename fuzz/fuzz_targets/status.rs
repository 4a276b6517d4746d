//! See `targets::status`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| targets::status(data));
