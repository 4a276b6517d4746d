//! What the fuzzers run: one function for each boundary that somebody hostile writes to, and what must hold there.
//!
//! A target takes any bytes. It never panics but by an assertion of its own: what is wrong then is the product, or what we believe of it. `fuzz/`
//! gives each a fuzzer; `cargo test -p targets` gives each its seeds and every input that ever broke it, on stable.
//!
//! | target | who writes, and who reads |
//! |---|---|
//! | [`frame()`] | anybody's Ethernet frames, read by the front link's stack |
//! | [`segment()`] | a peer's TCP segments on a flow that it has made |
//! | [`neighbor()`] | whoever is on the wire over which a box dials: link addresses, ICMP errors, answers |
//! | [`hello()`] | a client's first bytes, in any split |
//! | [`peek()`] | the same, beside what rustls reads in them |
//! | [`record()`] | a client's records, beneath the encryption |
//! | [`dial()`] | a server's answer, to the box where it is the client |
//! | [`ticket()`] | what a client brings back as a ticket |
//! | [`client()`] | the certificates that a client shows |
//! | [`proxy()`] | a front end's PROXY header |
//! | [`cell()`] | all of it at once, to a whole appliance: connections, backends, time, faults |
//! | [`guest()`] | a tender's queues, as the guest reads them |
//! | [`queue()`] | a guest's queue, as the tender reads it |
//! | [`egress()`] | a guest's frames, held against the filter of a TAP |
//! | [`letter()`] | the mailbox, as either side reads it |
//! | [`log()`] | a guest's log |
//! | [`status()`] | what a guest says about itself |
//! | [`bundle()`] | the bundle that a cell starts with |
//! | [`recording()`] | a recording's events, read by a replay |
//! | [`image()`] | a guest image, read by the loader |
//! | [`config()`] | the configuration file |
//! | [`page()`] | requests to the challenge's page, and what people wrote into it |
//! | [`desk()`] | what the process of that page asks of the supervisor |
//! | [`claim()`] | a claim that a contest was won, and what goes with it, read by the arbiter |
#![forbid(unsafe_code)]

mod bundle;
mod callee;
mod cell;
mod claim;
mod client;
mod config;
mod desk;
mod dial;
mod draws;
mod egress;
mod exchange;
mod flight;
mod frame;
mod guest;
mod hello;
mod hosts;
mod image;
mod image_file;
mod letter;
mod log;
mod neighbor;
mod page;
mod peek;
mod peer;
mod proxy;
mod queue_wires;
mod queues;
mod record;
mod recording;
mod script;
mod sealing;
pub mod seeds;
mod segment;
mod setting;
mod status;
mod stuffing;
mod tcp;
mod ticket;

pub use bundle::bundle;
pub use cell::cell;
pub use claim::claim;
pub use client::client;
pub use config::config;
pub use desk::desk;
pub use dial::dial;
pub use egress::egress;
pub use frame::frame;
pub use guest::guest;
pub use hello::hello;
pub use image::image;
pub use letter::letter;
pub use log::log;
pub use neighbor::neighbor;
pub use page::page;
pub use peek::peek;
pub use proxy::proxy;
pub use queues::queue;
pub use record::record;
pub use recording::recording;
pub use segment::segment;
pub use status::status;
pub use ticket::ticket;

/// A target by its name.
pub type Target = (&'static str, fn(&[u8]));

/// All of them. `fuzz/` has a fuzzer for each, `fuzz/seeds/` a folder.
pub const ALL: [Target; 24] = [
    ("bundle", bundle),
    ("cell", cell),
    ("claim", claim),
    ("client", client),
    ("config", config),
    ("desk", desk),
    ("dial", dial),
    ("egress", egress),
    ("frame", frame),
    ("guest", guest),
    ("hello", hello),
    ("image", image),
    ("letter", letter),
    ("log", log),
    ("neighbor", neighbor),
    ("page", page),
    ("peek", peek),
    ("proxy", proxy),
    ("queue", queue),
    ("record", record),
    ("recording", recording),
    ("segment", segment),
    ("status", status),
    ("ticket", ticket),
];
