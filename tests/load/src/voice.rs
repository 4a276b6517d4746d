//! A child's ear and voice: it hears when to end, and says how far it has come when that is news, and not too often.

use core::time::Duration;
use std::io::{Read as _, Write as _};
use std::sync::mpsc::{Receiver, TryRecvError, channel};
use std::thread;
use std::time::Instant;

use e2e::Outcome;

use crate::limits::CHILD_LIFE_MAX;
use crate::orders::Progress;

/// From one line to the next at least.
const PACE: Duration = Duration::from_millis(100);

/// See the module.
#[derive(Debug)]
pub(crate) struct Voice {
    told: Receiver<()>,
    start: Instant,
    said: Option<(Progress, Instant)>,
}

impl Voice {
    /// Begins to listen on standard input.
    pub(crate) fn new() -> Self {
        let (sender, told) = channel();
        thread::spawn(move || {
            let _ = std::io::stdin().read(&mut [0]);
            drop(sender);
        });
        Self { told, start: Instant::now(), said: None }
    }

    /// Whether to go on: the parent is there and wants it, and the child is not too old.
    pub(crate) fn goes_on(&self) -> bool {
        self.start.elapsed() < CHILD_LIFE_MAX && self.told.try_recv() == Err(TryRecvError::Empty)
    }

    /// Says it if it is time to.
    pub(crate) fn say(&mut self, progress: Progress) -> Outcome {
        let due = self.said.is_none_or(|(said, at)| said != progress && at.elapsed() >= PACE);
        if due { self.say_now(progress) } else { Ok(()) }
    }

    /// Says it.
    pub(crate) fn say_now(&mut self, progress: Progress) -> Outcome {
        self.said = Some((progress, Instant::now()));
        Ok(writeln!(std::io::stdout(), "{}", serde_json::to_string(&progress)?)?)
    }
}
