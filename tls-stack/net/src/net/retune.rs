//! What may change while a stack lives: where it listens, and how much it takes on. Flows that there are live on as they are.

use alloc::vec::Vec;

use super::Net;
use crate::config::{ConfigFault, Limits, Listen};

impl Net {
    /// From now on these are the listeners, and no others.
    ///
    /// # Errors
    /// Too many, or one on port 0; then nothing has changed.
    pub fn listen_at(&mut self, listen: Vec<Listen>) -> Result<(), ConfigFault> {
        Listen::check_all(&listen)?;
        self.config.listen = listen;
        Ok(())
    }

    /// Takes these limits for what begins from now on; the sizes of single rings stay as they were, for flows are charged by them. A stack
    /// that holds more than it now may takes nothing new until enough has ended.
    ///
    /// # Errors
    /// A limit is unsound; then nothing has changed.
    pub fn set_limits(&mut self, limits: &Limits) -> Result<(), ConfigFault> {
        let new = limits.with_rings_of(&self.config.limits);
        new.check()?;
        self.budget.resize(new.ring_bytes);
        self.config.limits = new;
        Ok(())
    }
}
