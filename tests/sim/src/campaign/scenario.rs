//! What may happen in a run.

use core::fmt;
use core::time::Duration;

use keys::bundle::{Limits, Memory, Upstream};

use crate::client::Then;
use crate::identity::Kind;
use crate::wire::Faults;

/// A run, before it has happened.
#[derive(Debug, Clone)]
pub struct Scenario {
    /// Of all dice that are thrown on the way.
    pub seed: u64,
    /// Of the certificates.
    pub kind: Kind,
    /// The cell's memory.
    pub memory: Memory,
    /// Its limits at the start.
    pub limits: Limits,
    /// How its routes use their backends.
    pub upstream: Upstream,
    /// Whether super-frames pass.
    pub offload: bool,
    /// What happens, in order of time.
    pub acts: Vec<Act>,
}

/// One thing that happens.
#[derive(Debug, Clone)]
pub struct Act {
    /// When.
    pub at: Duration,
    /// What.
    pub what: What,
}

/// See [`Act`].
#[derive(Debug, Clone)]
pub enum What {
    /// An honest client comes.
    Visit(Visit),
    /// Somebody sends these bytes and waits.
    Noise(u16, Vec<u8>),
    /// What befalls frames on the front link from now on.
    Weather(Faults),
    /// A backend hears nothing any more.
    Mute(u8),
    /// It hears again.
    Unmute(u8),
    /// A backend dies.
    Stop(u8),
    /// It comes back.
    Start(u8),
    /// The cell is given another bundle.
    Reload(Change),
    /// The cell, and all the world, stand still for so long.
    Pause(Duration),
    /// The wall clock goes wrong by so many seconds.
    Jump(i64),
    /// The cell is lost, and a fresh one takes its place.
    Restart,
}

/// An honest client.
#[derive(Debug, Clone)]
pub struct Visit {
    /// Its number: its address and its words.
    pub who: u16,
    /// Which route, by its place among them: one that echoes, one that echoes after the end, one that speaks.
    pub route: usize,
    /// Blocks that it says.
    pub blocks: usize,
    /// What it does then.
    pub then: Then,
    /// Bytes that it sends at once, and how often, if it is slow.
    pub trickle: Option<(usize, Duration)>,
    /// When and for how long, counted from its start, it reads nothing.
    pub deaf: Option<(Duration, Duration)>,
}

/// What a reload changes.
#[derive(Debug, Clone)]
pub enum Change {
    /// The limits.
    Limits(Limits),
    /// How backends are used.
    Upstream(Upstream),
    /// All certificates are new.
    Certificates,
    /// Nothing, for the bundle is unsound.
    Unsound,
}

/// The routes: a name, what its backends do, and which these are.
pub(super) const ROUTES: [(&str, Manner, &[u8]); 3] =
    [("echo.test", Manner::Echo, &[1, 2]), ("late.test", Manner::EchoAfterEnd, &[3]), ("speak.test", Manner::Speak, &[4, 5])];
/// Every backend.
pub(super) const BACKENDS: core::ops::RangeInclusive<u8> = 1..=5;
/// What the backends of a route do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Manner {
    Echo,
    EchoAfterEnd,
    Speak,
}
/// Blocks that a speaking backend says.
pub(super) const SPEECH_BLOCKS: usize = 3000;
/// Whose words they are: nobody's who comes as a client.
pub(super) const SPEECH_SPEAKER: u64 = u64::MAX;

impl fmt::Display for Act {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:>12?}  ", self.at)?;
        match &self.what {
            What::Noise(who, bytes) => write!(f, "Noise({who}, {} bytes)", bytes.len()),
            What::Reload(Change::Limits(limits)) => write!(
                f,
                "Reload(connections {}, waiting {}, handshakes {}, idle {} ms)",
                limits.connections, limits.waiting, limits.handshakes, limits.idle_timeout_ms
            ),
            What::Reload(Change::Upstream(_)) => f.write_str("Reload(upstream)"),
            what => write!(f, "{what:?}"),
        }
    }
}
