//! What became of the guest.

use core::fmt;

use machine::Crash;
use memchr::memmem::Finder;

use crate::limits::SECRET_PIECE_LEN;

/// What an input did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The guest waits for more.
    Sound,
    /// It did what it must not, or hung.
    Crash(Crash),
    /// It ended, with this code of [`abi::hypercall::exit`].
    Ended(u32),
    /// It asked to go on at once, turn after turn, without end.
    Restless,
    /// It left a queue that no honest guest leaves.
    Queue(queue::Fault),
    /// A piece of this secret left it.
    Leak(&'static str),
    /// It does not answer those who come.
    Deaf,
}

impl Verdict {
    /// Whether there is nothing to report.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        *self == Self::Sound
    }

    /// The words of [`name`](Self::name) for what is not sound, each with what it means.
    pub const FINDINGS: [(&'static str, &'static str); 6] = [
        ("crash", "the guest does what it must not, or hangs"),
        ("ended", "the guest gives up"),
        ("restless", "the guest never comes to rest"),
        ("queue", "the guest leaves a malformed queue"),
        ("leak", "a piece of a secret leaves the guest"),
        ("deaf", "the guest does not answer somebody new"),
    ];

    /// One word for each kind.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Sound => "sound",
            Self::Crash(_) => "crash",
            Self::Ended(_) => "ended",
            Self::Restless => "restless",
            Self::Queue(_) => "queue",
            Self::Leak(_) => "leak",
            Self::Deaf => "deaf",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sound => write!(out, "sound"),
            Self::Crash(crash) => write!(out, "crash: {crash}"),
            Self::Ended(code) => write!(out, "the guest ended with code {code}"),
            Self::Restless => write!(out, "the guest never comes to rest"),
            Self::Queue(fault) => write!(out, "the guest left a malformed queue: {fault:?}"),
            Self::Leak(what) => write!(out, "a piece of {what} left the guest"),
            Self::Deaf => write!(out, "the guest does not answer a SYN of somebody new"),
        }
    }
}

/// What must never leave the guest.
#[derive(Debug, Clone, Default)]
pub struct Secrets(Vec<(&'static str, Finder<'static>)>);

impl Secrets {
    /// Watches for every piece of `bytes` of [`SECRET_PIECE_LEN`] bytes that begins at a multiple of four.
    pub fn watch(&mut self, name: &'static str, bytes: &[u8]) {
        let pieces = bytes.windows(SECRET_PIECE_LEN).step_by(4);
        self.0.extend(pieces.map(|piece| (name, Finder::new(piece).into_owned())));
    }

    /// The first secret of which a piece stands in `bytes`.
    #[must_use]
    pub fn found_in(&self, bytes: &[u8]) -> Option<&'static str> {
        self.0.iter().find(|(_, finder)| finder.find(bytes).is_some()).map(|(name, _)| *name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_piece_is_found_wherever_it_stands() {
        let secret: Vec<u8> = (100..132).collect();
        let mut secrets = Secrets::default();
        secrets.watch("the key", &secret);
        let around = |piece: &[u8]| [&[0; 7][..], piece, &[0; 5]].concat();
        assert_eq!(secrets.found_in(&around(&secret)), Some("the key"));
        assert_eq!(secrets.found_in(&around(&secret[8..20])), Some("the key"));
        assert_eq!(secrets.found_in(&around(&secret[9..20])), None);
        assert_eq!(secrets.found_in(&[0; 100]), None);
    }
}
