//! Attackers that speak TLS, or nearly so: on raw records, with a handshake and record protection of their own, as no honest library would do what they do.
//!
//! - [`peer`]: a TCP connection that reads and writes records; [`hello`], [`flight`]: messages; what lies beneath them, keys and all, is
//!   [`misbehave::wire`];
//! - [`v13`], [`v12`]: clients that do as they are told;
//! - [`foreign`], [`hellos`], [`shares`], [`finishing`], [`traffic`], [`strays`]: attacks on what is said, in the order in which it is said;
//! - [`tickets`], [`clients`] (with their [`authority`]): suites of their own, on boxes of their own;
//! - [`endings`], [`lost`]: attacks on the end; [`effort`], [`slow`]: on the box's time.

mod authority;
mod clients;
mod effort;
mod endings;
mod finishing;
mod flight;
mod foreign;
mod hello;
mod hellos;
mod lost;
mod peer;
mod shares;
mod slow;
mod strays;
mod tickets;
mod traffic;
mod v12;
mod v13;

use core::net::{IpAddr, Ipv4Addr};

use e2e::{Net, Outcome};

use misbehave::wire::registry::alert;
use misbehave::wire::{bytes, schedule};

use crate::attack::Suite;
use crate::set_up::SetUp;

/// The suites of this folder.
pub(crate) fn suites() -> Outcome<Vec<Suite>> {
    let attacks = [
        foreign::attacks(),
        hellos::attacks(),
        shares::attacks(),
        finishing::attacks(),
        strays::attacks(),
        traffic::attacks(),
        endings::attacks(),
        lost::attacks(),
        effort::attacks(),
    ]
    .into_iter()
    .flatten()
    .collect();
    let plain = Suite { name: "tls", net: Net::User, set_up: SetUp::plain, attacks };
    Ok(vec![plain, tickets::suite(), clients::suite(), slow::suite(), on_a_tap()])
}

/// What depends on how the other side's TCP is told of an end: over a TAP that is the guest's own doing, and no socket of the host's stands between.
fn on_a_tap() -> Suite {
    Suite { name: "tap", net: Net::Tap, set_up: on_the_link, attacks: endings::attacks().into_iter().chain(lost::attacks()).collect() }
}

fn on_the_link() -> Outcome<SetUp> {
    Ok(SetUp { visitor: IpAddr::V4(Ipv4Addr::new(10, 77, 0, 1)), ..SetUp::plain()? })
}
