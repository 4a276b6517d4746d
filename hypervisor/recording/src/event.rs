//! What stands in a recording: a beginning, then by turns what the guest was given and how it came back, then why there is no more.

use abi::limits::FLAG_LEN;
use queue::Offload;
use zeroize::Zeroizing;

use crate::digest::{Digest, Sent};
use crate::limits::DRAW_WORDS;

/// All that the guest had at its start.
#[derive(Clone, PartialEq, Eq)]
pub struct Beginning {
    /// What the boot info said of the machine.
    pub machine: u32,
    /// SHA-256 of the image's file.
    pub image: [u8; 32],
    /// The heap, in bytes.
    pub heap_len: u64,
    /// What the layout was drawn from.
    pub draw: Zeroizing<[u64; DRAW_WORDS]>,
    /// The boot seed.
    pub seed: Zeroizing<[u8; 32]>,
    /// The boot bundle.
    pub bundle: Zeroizing<Vec<u8>>,
    /// What was to be won from it, if anything.
    pub contest: Option<Contest>,
}

/// What was to be won from the guest, as its machine was given it.
#[derive(Clone, PartialEq, Eq)]
pub struct Contest {
    /// The flag of `read`.
    pub flag: Zeroizing<[u8; FLAG_LEN]>,
    /// Where its page lay.
    pub flag_address: u64,
    /// Where the page with the word of `write` lay.
    pub word_address: u64,
    /// The flag of `exec`.
    pub prize: Zeroizing<[u8; FLAG_LEN]>,
}

impl core::fmt::Debug for Contest {
    fn fmt(&self, out: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        out.write_str("Contest(..)")
    }
}

impl core::fmt::Debug for Beginning {
    fn fmt(&self, out: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        out.debug_struct("Beginning").field("machine", &self.machine).field("heap_len", &self.heap_len).finish_non_exhaustive()
    }
}

/// What comes behind the beginning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The guest goes on with this.
    Go(Given),
    /// It has come back like this.
    Came(Came),
    /// There is no more.
    Over(Over),
}

/// What a guest is given for a turn.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Given {
    /// Nanoseconds since the cell's start.
    pub now_ns: u64,
    /// Nanoseconds since 1970.
    pub unix_ns: u64,
    /// See [`abi::control`].
    pub request: u32,
    /// The letter in its inbox.
    pub letter: Option<Posted>,
    /// The frames of each link.
    pub frames: [Vec<Received>; abi::limits::LINKS],
}

/// A letter to the guest; it may hold a bundle.
#[derive(Clone, PartialEq, Eq)]
pub struct Posted {
    /// See [`abi::mailbox`].
    pub kind: u32,
    /// Its bytes.
    pub bytes: Zeroizing<Vec<u8>>,
}

impl core::fmt::Debug for Posted {
    fn fmt(&self, out: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        out.debug_struct("Posted").field("kind", &self.kind).field("len", &self.bytes.len()).finish()
    }
}

/// A frame to the guest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// What is left to do to it.
    pub offload: Offload,
}

/// How a guest ended its turn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Came {
    /// Why it stopped.
    pub how: How,
    /// Of what it left in its log; 0 where that is nothing.
    pub log: Digest,
}

/// Why a guest stopped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum How {
    /// It called `wait`.
    Wait {
        /// When it wants to go on at the latest.
        deadline_ns: u64,
        /// What it left in each link's queue.
        sent: [Sent; abi::limits::LINKS],
        /// Of its answer, where it had a letter and answered it; else 0.
        answer: Digest,
    },
    /// It called `sealed`.
    Sealed,
    /// It called `exit` with this code.
    Exit(u32),
    /// The machine stopped it.
    Crash(Crash),
}

/// What of a crash does not depend on where things lay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Crash {
    /// Which kind of cause, as the tender numbers them.
    pub kind: u8,
    /// What goes with the kind.
    pub values: [u64; 2],
    /// Where, seen from the image's first byte.
    pub offset: u64,
}

/// Why a recording has no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Over {
    /// The guest has ended, as was told last.
    Guest,
    /// The guest left a malformed queue on this link, and was ended for it.
    HostileQueue(u8),
    /// The file has reached its bound; the guest ran on.
    Full,
    /// The guest did not drain in time.
    DrainOver,
    /// The supervisor went away.
    Orphaned,
    /// The host failed.
    Host,
    /// The disk was too slow; the guest ran on.
    Slow,
}
