//! The guest's own file: the unikernel is built for the image alone, so what it does with its queues is compiled here a second time, from the same text.

#[path = "../../../appliance/unikernel/src/wires.rs"]
mod wires;

pub(crate) use wires::QueueWires;
