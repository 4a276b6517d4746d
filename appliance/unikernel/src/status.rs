//! How the appliance stands, as the bytes of a status letter. The tender passes them on unread.

use appliance::Appliance;

/// Writes the status to the front of `space`; says how long it is.
///
/// Three numbers, little-endian: connections now, connections accepted, handshakes done.
pub(crate) fn write(appliance: &Appliance, space: &mut [u8]) -> usize {
    let counters = appliance.counters();
    let bytes = [counters.connections, counters.accepted, counters.handshakes].map(u64::to_le_bytes);
    let bytes = bytes.as_flattened();
    let Some(place) = space.get_mut(..bytes.len()) else { return 0 };
    place.copy_from_slice(bytes);
    bytes.len()
}
