//! What a guest says about itself: the supervisor decodes its status, the tender its access records.
#![no_main]
#![forbid(unsafe_code)]

use libfuzzer_sys::fuzz_target;
use status::{Access, Status};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(status) = Status::decode(bytes) {
        // What is sound stays so on its way.
        assert_eq!(Status::decode(&status.clone().encode()), Ok(status));
    }
    if let Ok(access) = Access::decode(bytes) {
        let mut space = [0; status::limits::ACCESS_LEN_MAX];
        let again = access.encode(&mut space).map(Access::decode);
        assert_eq!(again, Some(Ok(access)));
    }
});
