//! How the appliance stands, as the bytes of a status letter. The tender passes them on unread.

use appliance::Appliance;
use status::{Memory, Status};

/// What the core does not know of itself.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Own {
    /// Receive batches that the tender left malformed.
    pub(crate) batches_malformed: u64,
}

/// Writes the status to the front of `space`; says how long it is.
pub(crate) fn write(appliance: &Appliance, own: Own, space: &mut [u8]) -> usize {
    let mut status: Status = appliance.status();
    status.memory = memory();
    status.work.batches_malformed = own.batches_malformed;
    let bytes = status.encode();
    let Some(place) = space.get_mut(..bytes.len()) else { return 0 };
    place.copy_from_slice(&bytes);
    bytes.len()
}

fn memory() -> Memory {
    let usage = platform::heap::usage();
    let [used, peak, limit] = [usage.used, usage.peak, usage.limit].map(|bytes| u64::try_from(bytes).unwrap_or(u64::MAX));
    Memory { used, peak, limit }
}

const _: () =
    assert!(status::limits::STATUS_LEN_MAX + abi::mailbox::HEADER_LEN <= abi::limits::OUTBOX_WINDOW_LEN, "the longest status is a letter");
