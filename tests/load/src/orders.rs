//! What a child process is told, and what it tells: one JSON argument in, JSON lines out.
//!
//! A process may have no more descriptors than its host allows, often 20,000; so a crowd is several processes, each this program again.

use core::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// The whole of what a child does.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) enum Orders {
    /// Be clients of the box.
    Visit(Visit),
    /// Be backends.
    Serve(Serve),
}

/// Clients of one manner.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Visit {
    pub(crate) manner: Manner,
    /// How many at once.
    pub(crate) count: u32,
    /// How many begin in a second at most.
    pub(crate) per_s: u32,
    /// From the end of one to the beginning of the one in its place.
    pub(crate) pause_ms: u64,
    /// From one byte to the next, of those who drip.
    pub(crate) drip_ms: u64,
    pub(crate) target: SocketAddr,
    /// The server name.
    pub(crate) name: String,
    /// Who vouches for the box.
    pub(crate) ca: PathBuf,
    /// They come from so many addresses, beginning here.
    pub(crate) source: Ipv4Addr,
    pub(crate) sources: u32,
}

/// What a client does, or fails to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Manner {
    /// Shakes hands and says nothing.
    Idle,
    /// Connects and says nothing.
    Silent,
    /// Says half of its hello and nothing more.
    HalfHello,
    /// Says all of its hello and nothing more.
    WholeHello,
    /// Says its hello byte by byte.
    DripHello,
    /// Shakes hands, and says what it has to say byte by byte.
    DripStream,
    /// Shakes hands, and never reads what comes.
    Deaf,
}

/// Backends.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Serve {
    pub(crate) addresses: Vec<SocketAddr>,
    /// Whether they send as much as they can, or nothing.
    pub(crate) endless: bool,
}

/// How far a child, or a crowd, has come. All but `open` only grow.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Progress {
    /// Those that stand as their manner wants it.
    pub(crate) open: u64,
    /// Connections begun.
    pub(crate) begun: u64,
    /// Those that were ended by the other side.
    pub(crate) ended: u64,
    /// Those of them that had not come to stand.
    pub(crate) failed: u64,
}

impl core::iter::Sum for Progress {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), |sum, one| Self {
            open: sum.open + one.open,
            begun: sum.begun + one.begun,
            ended: sum.ended + one.ended,
            failed: sum.failed + one.failed,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_come_back_as_they_went() {
        let orders = Orders::Serve(Serve { addresses: vec![SocketAddr::from(([127, 0, 0, 1], 9001))], endless: true });
        let text = serde_json::to_string(&orders).expect("JSON");
        let read: Orders = serde_json::from_str(&text).expect("the same");
        assert!(matches!(read, Orders::Serve(Serve { addresses, endless: true }) if addresses.len() == 1));
    }

    #[test]
    fn a_crowds_progress_is_the_sum() {
        let one = Progress { open: 1, begun: 4, ended: 3, failed: 2 };
        assert_eq!([one, one].into_iter().sum::<Progress>(), Progress { open: 2, begun: 8, ended: 6, failed: 4 });
    }
}
