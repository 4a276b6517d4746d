//! The network stack of a bountybox: a **doorman**, **flows**, and timers round smoltcp's TCP. Frames and `now` go in; frames, events and
//! a deadline come out. No clock, no socket, no thread; the same seed and the same inputs give the same bytes.
//!
//! A frame that belongs to no flow is the doorman's: he answers ARP, neighbour discovery, echo and SYNs, and remembers none of them. A flow
//! begins when a SYN cookie comes back, which proves the peer's address. From then on every segment is found by a keyed hash, passes a
//! guard (RFC 5961), and only then reaches smoltcp. Nothing here ever walks over all flows.
//!
//! ```
//! use core::time::Duration;
//! use net::{Cidr, Config, Event, Limits, Listen, Net, Trust, limits};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let config = |last: u8, listen| Config {
//!     mac: [2, 0, 0, 0, 0, last],
//!     addresses: vec![Cidr { address: [192, 0, 2, last].into(), prefix_len: 24 }],
//!     gateways: vec![],
//!     mtu: 1500,
//!     offload: true,
//!     trust: Trust::Public,
//!     listen,
//!     limits: Limits::default(),
//! };
//! let now = Duration::from_secs(1);
//! let mut server = Net::new(config(1, vec![Listen { address: None, port: 443 }]), [1; 32], now).map_err(|_| "configuration")?;
//! let mut client = Net::new(config(2, vec![]), [2; 32], now).map_err(|_| "configuration")?;
//!
//! let ours = client.connect("192.0.2.1:443".parse()?, None, now).map_err(|_| "connect")?;
//! let mut buf = vec![0; limits::FRAME_LEN_MAX];
//! let mut settle = |client: &mut Net, server: &mut Net| {
//!     for _ in 0..4 {
//!         while let Some((len, offload)) = client.poll_transmit(&mut buf, now) {
//!             server.receive(&buf[..len], offload, now);
//!         }
//!         while let Some((len, offload)) = server.poll_transmit(&mut buf, now) {
//!             client.receive(&buf[..len], offload, now);
//!         }
//!     }
//! };
//! settle(&mut client, &mut server);
//! assert_eq!(client.poll_event(), Some(Event::Connected(ours)));
//! let Some(Event::Accepted { flow: theirs, .. }) = server.poll_event() else { return Err("not accepted".into()) };
//!
//! client.send(ours, |room| (5, room[..5].copy_from_slice(b"hello"))).map_err(|_| "gone")?;
//! settle(&mut client, &mut server);
//! assert_eq!(server.poll_event(), Some(Event::Readable(theirs)));
//! let heard = server.recv(theirs, |bytes| (bytes.len(), bytes.to_vec())).map_err(|_| "gone")?;
//! assert_eq!(heard, b"hello");
//! # Ok(())
//! # }
//! ```
//!
//! | module | noun |
//! |---|---|
//! | [`Net`] | what the user holds: frames in, frames out, flows |
//! | `config`, [`limits`], `event`, `counters`, [`offload`] | the words of its interface, and its bounds |
//! | `packet`, `segment` | what came in, checked |
//! | `cookie`, `keys`, `neighbor`, `dial` | what the doorman needs in order to remember nothing, and to go out |
//! | `flow`, `guard`, `closing`, `linger`, `table` | flows: their books, who may speak to them, what is left of them, where they live |
//! | `engine` | the one file that drives smoltcp's TCP |
//! | `reply`, `outbox`, `checksum`, `bucket` | frames of our own making, and how many |
//! | [`Wheel`] | deadlines, at constant cost |
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod bucket;
mod budget;
mod checksum;
mod closing;
mod config;
mod cookie;
mod counters;
mod dial;
mod engine;
mod event;
mod flow;
mod guard;
mod keys;
pub mod limits;
mod linger;
mod neighbor;
mod net;
pub mod offload;
mod outbox;
mod packet;
mod reply;
mod segment;
mod table;
mod wheel;

pub use config::{Cidr, Config, ConfigFault, Gateway, Limits, Listen, Trust};
pub use counters::Counters;
pub use event::{CloseReason, ConnectFault, Event, FlowGone, FlowId};
pub use net::Net;
pub use offload::Offload;
pub use wheel::{Timer, Wheel};
