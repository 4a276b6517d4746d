//! Who watches a ceremony: is told before each step what is about to happen, may stop it there, and hears afterwards what stands in the transcript.

use core::fmt;

/// What a ceremony does, one behind the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// The operator's key, the log's and the flags are drawn.
    Keys,
    /// The authorities of the doors are made, sign for the box, and end. Nobody can sign with them afterwards.
    Doors,
    /// The page gets its certificate.
    Page,
    /// The published addresses and the word are drawn.
    Places,
    /// All of it is promised.
    Manifest,
}

impl Step {
    /// All of them, in their order.
    pub const ALL: [Self; 5] = [Self::Keys, Self::Doors, Self::Page, Self::Places, Self::Manifest];
}

/// Whoever watches would not have the next step happen. What was made is wiped, and nothing was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stop;

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the ceremony was stopped: what was made is wiped, and nothing was written")
    }
}

impl core::error::Error for Stop {}

/// See the module.
pub trait Watch {
    /// This is about to happen.
    ///
    /// # Errors
    /// [`Stop`]: it is not to happen, and nothing behind it.
    fn before(&mut self, step: Step) -> Result<(), Stop>;

    /// It has happened: the transcript's line, which holds nothing secret.
    fn told(&mut self, line: &str);
}

/// Nobody watches.
#[derive(Debug, Clone, Copy)]
pub struct Nobody;

impl Watch for Nobody {
    fn before(&mut self, _: Step) -> Result<(), Stop> {
        Ok(())
    }

    fn told(&mut self, _: &str) {}
}
