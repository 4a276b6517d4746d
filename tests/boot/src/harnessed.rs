//! The shipped image under the harness, as the tests want it.

use core::net::Ipv4Addr;
use core::time::Duration;

use harness::subject::{Order, Stage, Subject};
use harness::verdict::Secrets;
use harness::wire::Ends;
use machine::Kind;
use zeroize::Zeroizing;

use crate::{bundle, image_file};

/// Both.
pub const MACHINES: [Kind; 2] = [Kind::Kvm, Kind::Process];
/// As [`bundle`] has them.
pub const ENDS: Ends = Ends {
    guest_mac: [2, 0, 0, 0, 0, 1],
    gateway_mac: [2, 0, 0, 0, 1, 1],
    guest: (Ipv4Addr::new(10, 0, 2, 15), 8443),
    client: (Ipv4Addr::new(203, 0, 113, 7), 50_000),
};

/// A subject with the boot seed 7.
///
/// # Panics
/// If the bundle is unsound.
#[must_use]
pub fn order(kind: Kind, stage: Stage) -> Order {
    Order {
        kind,
        stage,
        seed: 7,
        bundle: Zeroizing::new(bundle().encode().expect("a sound bundle").expose().to_vec()),
        heap_len: abi::limits::HEAP_LEN_MIN,
        unix: Duration::from_secs(1_800_000_000),
        ends: ENDS,
        contest: None,
    }
}

/// The subject of that order.
///
/// # Panics
/// If the image does not come to its stage.
#[must_use]
pub fn start(kind: Kind, stage: Stage, secrets: Secrets) -> Subject {
    Subject::start(order(kind, stage), &image_file(), secrets).expect("the image comes to its stage")
}
