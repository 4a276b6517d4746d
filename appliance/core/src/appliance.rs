//! The appliance: everything between the frames of two links, as one function of its inputs.

use keys::bundle::Bundle;

use crate::report::Report;
use crate::wires::{Deadline, Now, Wires};

/// See the crate's page.
#[derive(Debug)]
pub struct Appliance {}

/// Why there is no appliance: what is wrong with the bundle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StartFault {
    /// The front link's configuration.
    Front(net::ConfigFault),
    /// The back link's configuration.
    Back(net::ConfigFault),
}

impl Appliance {
    /// An appliance that has heard nothing yet. `seed` is its only randomness, so it must be fresh at each start.
    ///
    /// # Errors
    /// What is wrong with the bundle.
    pub fn new(_bundle: Bundle, _seed: [u8; 32], _now: Now) -> Result<Self, StartFault> {
        Ok(Self {})
    }

    /// Takes the frames that have come in, does what is to be done, and hands out frames. Says when it wants to be called again.
    pub fn step(&mut self, _now: Now, _wires: &mut dyn Wires) -> Deadline {
        Deadline::Never
    }

    /// The next thing that happened.
    pub fn poll_report(&mut self) -> Option<Report> {
        None
    }

    /// Accepts nothing more; what runs may finish within the bundle's drain limit.
    pub fn drain(&mut self, _now: Now) {}

    /// Whether a drain was asked for and nothing runs any more.
    #[must_use]
    pub fn drained(&self) -> bool {
        false
    }
}
