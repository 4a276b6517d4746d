//! See `targets::egress`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| targets::egress(data));
