//! A stack at the far end of a link, and its frames.

use core::time::Duration;

use net::{Event, FlowId, Net};

use crate::wire::{Frame, Lane};

/// See the module.
#[derive(Debug)]
pub(crate) struct Host {
    pub(crate) net: Net,
    buf: Vec<u8>,
}

impl Host {
    pub(crate) fn new(net: Net) -> Self {
        Self { net, buf: vec![0; net::limits::FRAME_LEN_MAX] }
    }

    /// Takes the frames that have arrived, and lets time pass. False if nothing has happened.
    pub(crate) fn receive(&mut self, now: Duration, lane: &mut Lane) -> bool {
        let mut happened = false;
        while let Some(frame) = lane.arrived(now) {
            self.net.receive(&frame.bytes, frame.offload, now);
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

/// Which flow an event is of.
pub(crate) fn flow_of(event: Event) -> FlowId {
    match event {
        Event::Accepted { flow, .. } | Event::Closed { flow, .. } => flow,
        Event::Connected(flow) | Event::Readable(flow) | Event::Writable(flow) | Event::Finished(flow) => flow,
    }
}
