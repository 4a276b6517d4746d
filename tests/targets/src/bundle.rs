//! Boundary: the boot bundle as the guest is handed it.

use keys::bundle::Bundle;

/// What decodes is within every bound, so it encodes again, to a bundle that is the same.
pub fn bundle(data: &[u8]) {
    let Ok(bundle) = Bundle::decode(data) else { return };
    let encoded = bundle.encode().expect("what decodes encodes");
    assert_eq!(Bundle::decode(encoded.expose()), Ok(bundle));
}
