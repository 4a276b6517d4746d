//! The core's frames in the queues' windows.
//!
//! What the tender left wrong ends that link's batch for the turn and is counted ([`QueueWires::malformed`]); it never panics.

use abi::limits::FRAME_LEN_MAX;
use appliance::{Link, Room, Wires};
use platform::LinkWindows;
use queue::{Batch, Frames, Offload};

/// Both links' queues for one turn.
pub(crate) struct QueueWires<'t> {
    front: Pair<'t>,
    back: Pair<'t>,
}

/// One link's queues. A window that cannot be read has no frames, one that cannot be filled no room.
struct Pair<'t> {
    rx: Option<Frames<'t>>,
    tx: Option<Batch<'t>>,
    /// What stands in the receive window is no batch, or one of its frames is none.
    malformed: bool,
}

impl<'t> QueueWires<'t> {
    pub(crate) fn new([front, back]: [LinkWindows<'t>; abi::limits::LINKS]) -> Self {
        Self { front: Pair::new(front), back: Pair::new(back) }
    }

    /// How many links' batches were malformed, as far as they were read.
    pub(crate) fn malformed(&self) -> u64 {
        u64::from(self.front.malformed).saturating_add(self.back.malformed.into())
    }

    fn pair(&mut self, link: Link) -> &mut Pair<'t> {
        match link {
            Link::Front => &mut self.front,
            Link::Back => &mut self.back,
        }
    }
}

impl<'t> Pair<'t> {
    fn new(windows: LinkWindows<'t>) -> Self {
        let rx = queue::frames(windows.rx).ok();
        Self { malformed: rx.is_none(), rx, tx: Batch::new(windows.tx).ok() }
    }
}

impl Wires for QueueWires<'_> {
    fn receive(&mut self, link: Link) -> Option<(&[u8], net::Offload)> {
        let pair = self.pair(link);
        let Ok(frame) = pair.rx.as_mut()?.next()? else {
            pair.rx = None;
            pair.malformed = true;
            return None;
        };
        Some((frame.bytes, of_net(frame.offload)))
    }

    fn transmit(&mut self, link: Link, fill: &mut dyn FnMut(&mut [u8]) -> Option<(usize, net::Offload)>) -> Room {
        let Some(tx) = &mut self.pair(link).tx else { return Room::Full };
        if tx.room() < FRAME_LEN_MAX {
            return Room::Full;
        }
        // A frame of a length that no queue carries is not sent: TCP will notice.
        let _ = tx.fill(FRAME_LEN_MAX, |space| fill(space).map(|(len, offload)| (len, of_queue(offload))));
        Room::Left
    }
}

fn of_net(offload: Offload) -> net::Offload {
    let Offload { flags, gso_type, hdr_len, gso_size, csum_start, csum_offset } = offload;
    net::Offload { flags, gso_type, hdr_len, gso_size, csum_start, csum_offset }
}

fn of_queue(offload: net::Offload) -> Offload {
    let net::Offload { flags, gso_type, hdr_len, gso_size, csum_start, csum_offset } = offload;
    Offload { flags, gso_type, hdr_len, gso_size, csum_start, csum_offset }
}
