//! Boundary: the boot bundle as the guest is handed it.
#![no_main]
#![forbid(unsafe_code)]

use keys::bundle::Bundle;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Ok(bundle) = Bundle::decode(data) else { return };
    // What decodes is within every bound, so it encodes again.
    let encoded = bundle.encode().unwrap();
    assert!(Bundle::decode(encoded.expose()).is_ok());
});
