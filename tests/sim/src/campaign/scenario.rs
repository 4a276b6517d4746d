//! What may happen in a run.

use core::fmt;
use core::time::Duration;

use keys::bundle::{Limits, Memory, Upstream};

use crate::client::Then;
use crate::identity::{Dialect, Shown};
use crate::wire::Faults;

/// A run, before it has happened.
#[derive(Debug, Clone)]
pub struct Scenario {
    /// Of all dice that are thrown on the way.
    pub seed: u64,
    /// The cell's memory.
    pub memory: Memory,
    /// Its limits at the start.
    pub limits: Limits,
    /// How its routes use their backends.
    pub upstream: Upstream,
    /// Whether super-frames pass.
    pub offload: bool,
    /// How long tickets are good for, and how often their key changes, in seconds.
    pub tickets: (u32, u32),
    /// Whether the tickets' key is of the bundle, and outlives the cell.
    pub shared_tickets: bool,
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
    /// Somebody sends an alert: its level and its description.
    Alert(u16, Before, [u8; 2]),
    /// What befalls frames on the front link from now on.
    Weather(Faults),
    /// The same on the back link.
    BackWeather(Faults),
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
    /// The cell is asked to drain, and when it has, a fresh one takes its place.
    Drain,
    /// The guest is granted so many allocations more. At the next it ends, in the middle of a turn, and a fresh one takes its place.
    Exhaust(u64),
}

/// What comes before an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Before {
    /// Nothing.
    Nothing,
    /// A whole hello.
    Hello(Dialect),
}

/// An honest client.
#[derive(Debug, Clone)]
pub struct Visit {
    /// Its number: its address and its words.
    pub who: u16,
    /// Which route, by its place among them: one that echoes, one that echoes after the end, one that speaks, one that echoes to members only.
    pub route: usize,
    /// What it speaks.
    pub dialect: Dialect,
    /// What it shows where it is asked.
    pub shown: Shown,
    /// Blocks that it says.
    pub blocks: usize,
    /// What it does then.
    pub then: Then,
    /// Bytes that it sends at once, and how often, if it is slow.
    pub trickle: Option<(usize, Duration)>,
    /// When and for how long, counted from its start, it reads nothing.
    pub deaf: Option<(Duration, Duration)>,
}

impl Scenario {
    /// Whether nothing happens but visits, and no limit is low: then everybody who is plain is served.
    pub(super) fn is_calm(&self) -> bool {
        let Limits { idle_timeout_ms, lifetime_ms, .. } = self.limits;
        self.acts.iter().all(|act| matches!(act.what, What::Visit(_)))
            && self.limits == Limits { idle_timeout_ms, lifetime_ms, ..Limits::default() }
            && self.memory == Memory::default()
            && self.upstream.connections == 0
    }
}

impl Visit {
    /// Whether it neither dawdles nor breaks off, and its route serves it.
    pub(super) fn is_plain(&self) -> bool {
        self.then == Then::Close && self.trickle.is_none() && self.deaf.is_none() && self.may_enter()
    }

    /// Whether its route serves it at all.
    pub(super) fn may_enter(&self) -> bool {
        self.route != GUARDED || self.shown == Shown::Member
    }
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
pub(super) const ROUTES: [(&str, Manner, &[u8]); 4] = [
    ("echo.test", Manner::Echo, &[1, 2]),
    ("late.test", Manner::EchoAfterEnd, &[3]),
    ("speak.test", Manner::Speak, &[4, 5]),
    ("guarded.test", Manner::Echo, &[6]),
];
/// The route that takes members only.
pub(super) const GUARDED: usize = 3;
/// Every backend.
pub(super) const BACKENDS: core::ops::RangeInclusive<u8> = 1..=6;
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
