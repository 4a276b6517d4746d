//! Attackers that speak TLS, or nearly so: on raw records, with a handshake and record protection of their own, as no honest library would do what they do.
//!
//! - [`peer`]: a TCP connection that reads and writes records; [`alert`]: what must come back;
//! - [`foreign`]: what is not TLS at all.

mod alert;
mod foreign;
mod peer;
mod protection;

use e2e::{Net, Outcome};

use crate::attack::Suite;
use crate::set_up::SetUp;

/// The suites of this folder.
pub(crate) fn suites() -> Outcome<Vec<Suite>> {
    Ok(vec![Suite { name: "tls", net: Net::User, set_up: SetUp::plain, attacks: foreign::attacks() }])
}
