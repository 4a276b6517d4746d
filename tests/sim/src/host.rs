//! A stack at the far end of a link, and its frames.

use core::net::SocketAddr;
use core::time::Duration;
use std::collections::BTreeSet;

use net::{Event, FlowId, Net};

use crate::wire::{Frame, Lane};

/// See the module.
#[derive(Debug)]
pub(crate) struct Host {
    pub(crate) net: Net,
    /// Listeners that are closed for the time being: who asks for them is refused.
    pub(crate) closed: BTreeSet<SocketAddr>,
    buf: Vec<u8>,
}

impl Host {
    pub(crate) fn new(net: Net) -> Self {
        Self { net, closed: BTreeSet::new(), buf: vec![0; net::limits::FRAME_LEN_MAX] }
    }

    /// Takes the frames that have arrived, and lets time pass. False if nothing has happened.
    pub(crate) fn receive(&mut self, now: Duration, lane: &mut Lane) -> bool {
        let mut happened = false;
        while let Some(frame) = lane.arrived(now) {
            match asks_for(&frame.bytes) {
                Some(listener) if self.closed.contains(&listener) => self.net.refuse(&frame.bytes, frame.offload),
                _ => self.net.receive(&frame.bytes, frame.offload, now),
            }
            happened = true;
        }
        if self.net.deadline().is_some_and(|at| at <= now) {
            self.net.handle_timeout(now);
            happened = true;
        }
        happened
    }

    /// Sends what there is to send.
    pub(crate) fn transmit(&mut self, now: Duration, lane: &mut Lane) {
        while let Some((len, offload)) = self.net.poll_transmit(&mut self.buf, now) {
            lane.send(Frame { bytes: self.buf[..len].to_vec(), offload }, now);
        }
    }
}

/// Whom a frame asks for a connection: the destination of a SYN over IPv4.
fn asks_for(frame: &[u8]) -> Option<SocketAddr> {
    let (address, port) = (<[u8; 4]>::try_from(frame.get(30..34)?).ok()?, <[u8; 2]>::try_from(frame.get(36..38)?).ok()?);
    let syn = frame.get(12..14)? == [8, 0] && frame.get(47)? & 0x12 == 0x02;
    syn.then(|| SocketAddr::from((address, u16::from_be_bytes(port))))
}

/// Which flow an event is of.
pub(crate) fn flow_of(event: Event) -> FlowId {
    match event {
        Event::Accepted { flow, .. } | Event::Closed { flow, .. } => flow,
        Event::Connected(flow) | Event::Readable(flow) | Event::Writable(flow) | Event::Finished(flow) => flow,
    }
}
