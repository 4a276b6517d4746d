//! Attackers below TLS: rows N, on a TAP in a network namespace of the run's own.
//!
//! A suite with [`Net::Tap`](e2e::Net::Tap) runs on a thread that lives in its namespace, and so do the threads that it starts: the host's end of the link is `bb0` with
//! 10.77.0.1 and fd77::1, the box answers at [`Target::address`](crate::target::Target::address). A naive endpoint is started in a place of the same kind.

use e2e::Outcome;

use crate::attack::Suite;

/// The suites of this folder.
pub(crate) fn suites() -> Outcome<Vec<Suite>> {
    Ok(Vec::new())
}
