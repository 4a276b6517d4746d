//! Boundary: what a guest says about itself. The supervisor decodes its status, the tender its access records.

use status::{Access, Status, limits};

/// What is sound stays so on its way, is within its bounds, and has nothing behind it.
pub fn status(bytes: &[u8]) {
    let longer = [bytes, &[0]].concat();
    if let Ok(status) = Status::decode(bytes) {
        assert!(status.routes.len() <= limits::ROUTES_MAX && status.handshakes.len() <= limits::HANDSHAKE_KINDS_MAX);
        assert!(Status::decode(&longer).is_err(), "something behind a status");
        assert_eq!(Status::decode(&status.clone().encode()), Ok(status));
    }
    if let Ok(access) = Access::decode(bytes) {
        assert!(access.server_name.is_none_or(|name| name.len() <= limits::NAME_LEN_MAX));
        assert!(Access::decode(&longer).is_err(), "something behind a record");
        let mut space = [0; limits::ACCESS_LEN_MAX];
        let again = access.encode(&mut space).map(Access::decode);
        assert_eq!(again, Some(Ok(access)));
    }
}
