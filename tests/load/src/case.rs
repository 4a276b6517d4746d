//! The cases: who crowds the box, how the box is configured, and what its counters must say afterwards.

use core::net::{Ipv4Addr, SocketAddr};

use e2e::Config;
use e2e::eye::ADMIN;

use crate::field::{Back, CROWD, CROWD_NAME, Field, HONEST_NAME};
use crate::limits::IDLE_LEN_MAX;
use crate::orders::{Manner, Orders, Serve, Visit};

/// A case. Numbers are those of a full run; [`Size`] divides them.
#[derive(Debug)]
pub(crate) struct Case {
    pub(crate) name: &'static str,
    /// What it is, for people.
    pub(crate) what: &'static str,
    pub(crate) back: Back,
    /// Child processes with backends for the crowd, two ports each.
    pub(crate) servers: u16,
    pub(crate) endless: bool,
    pub(crate) parties: &'static [Party],
    pub(crate) settings: Settings,
    /// Whether the crowd stays until the box has ended all of it.
    pub(crate) outstays: bool,
    /// Which time of honest clients is judged.
    pub(crate) judged: Judged,
    /// The limits that must be reached, and no others.
    pub(crate) limits: &'static [&'static str],
    /// The ways in which connections must end, and no others.
    pub(crate) ends: &'static [&'static str],
    /// Heap that a connection of the crowd may take at the worst, in bytes.
    pub(crate) heap_each_max: u64,
}

/// Clients of one manner: a child process.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Party {
    pub(crate) manner: Manner,
    pub(crate) count: u32,
    /// Beginnings in a second.
    pub(crate) per_s: u32,
    pub(crate) pause_ms: u64,
    pub(crate) drip_ms: u64,
}

/// What the file says beyond the defaults: `[machine] heap_mib`, and keys of `[limits]`, those of which that are counts of clients being divided too.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Settings {
    pub(crate) heap_mib: u32,
    pub(crate) counts: &'static [(&'static str, u32)],
    pub(crate) times_ms: &'static [(&'static str, u64)],
}

/// See [`Case::judged`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Judged {
    Handshake,
    Visit,
}

/// A full run, or a part of it to try things out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Size {
    pub(crate) part: u32,
}

const IDLE: Party = Party { manner: Manner::Idle, count: 12_500, per_s: 300, pause_ms: 1000, drip_ms: 0 };
const HALF_OPEN: Party = Party { manner: Manner::Silent, count: 4400, per_s: 2000, pause_ms: 2000, drip_ms: 0 };

pub(crate) const ALL: &[Case] = &[
    Case {
        name: "idle",
        what: "50,000 clients that have shaken hands and say nothing, each with its backend",
        back: Back::Tap,
        servers: 4,
        endless: false,
        parties: &[IDLE, IDLE, IDLE, IDLE],
        settings: Settings { heap_mib: 4096, counts: &[("connections", 60_000)], times_ms: &[] },
        outstays: false,
        judged: Judged::Handshake,
        limits: &[],
        ends: &["client_gone", "done"],
        heap_each_max: 2 * IDLE_LEN_MAX,
    },
    Case {
        name: "slow-hellos",
        what: "5,000 clients that send a byte of their hello every three seconds",
        back: Back::User,
        servers: 1,
        endless: false,
        parties: &[Party { manner: Manner::DripHello, count: 5000, per_s: 1000, pause_ms: 500, drip_ms: 3000 }],
        settings: Settings { heap_mib: 1024, counts: &[("waiting", 8192)], times_ms: &[] },
        outstays: false,
        judged: Judged::Visit,
        limits: &[],
        ends: &["client_gone", "done", "handshake_timeout"],
        heap_each_max: IDLE_LEN_MAX,
    },
    Case {
        name: "slow-streams",
        what: "5,000 clients that shake hands and then send a byte every three seconds, to backends that never answer",
        back: Back::User,
        servers: 1,
        endless: false,
        parties: &[Party { manner: Manner::DripStream, count: 5000, per_s: 500, pause_ms: 600_000, drip_ms: 3000 }],
        settings: Settings { heap_mib: 1024, counts: &[], times_ms: &[("lifetime_ms", 45_000)] },
        outstays: true,
        judged: Judged::Visit,
        limits: &[],
        ends: &["done", "lifetime_timeout"],
        heap_each_max: 2 * IDLE_LEN_MAX,
    },
    Case {
        name: "half-open",
        what: "10,000 clients that begin a handshake and do not go on: 4,400 say nothing, 4,400 half of a hello, 1,200 a whole one",
        back: Back::User,
        servers: 1,
        endless: false,
        parties: &[
            HALF_OPEN,
            Party { manner: Manner::HalfHello, ..HALF_OPEN },
            Party { manner: Manner::WholeHello, count: 1200, per_s: 400, pause_ms: 5000, drip_ms: 0 },
        ],
        settings: Settings { heap_mib: 1024, counts: &[("waiting", 8192), ("handshakes", 1024)], times_ms: &[] },
        outstays: false,
        judged: Judged::Visit,
        limits: &["handshakes", "waiting"],
        ends: &["client_gone", "displaced", "done", "first_byte_timeout", "handshake_timeout"],
        heap_each_max: 2 * IDLE_LEN_MAX,
    },
    Case {
        name: "deaf-readers",
        what: "500 clients that never read, while their backends send as much as they can",
        back: Back::User,
        servers: 1,
        endless: true,
        parties: &[Party { manner: Manner::Deaf, count: 500, per_s: 100, pause_ms: 1000, drip_ms: 0 }],
        settings: Settings { heap_mib: 1024, counts: &[], times_ms: &[("stall_timeout_ms", 10_000)] },
        outstays: false,
        judged: Judged::Visit,
        limits: &[],
        ends: &["client_gone", "done", "stall_timeout"],
        heap_each_max: 512 * 1024,
    },
];

impl Size {
    /// A full run's number at this size.
    pub(crate) fn of(self, full: u32) -> u32 {
        (full / self.part).max(1)
    }
}

impl Case {
    /// Clients in the crowd.
    pub(crate) fn connections(&self, size: Size) -> u64 {
        self.parties.iter().map(|party| u64::from(size.of(party.count))).sum()
    }

    /// The box's configuration.
    pub(crate) fn config(&self, honest: SocketAddr, size: Size) -> Config {
        let crowd: Vec<_> = (0..self.servers).flat_map(|server| self.ports(server)).collect();
        let config = Config::default().machine("heap_mib", self.settings.heap_mib);
        let config = config.route(&[HONEST_NAME], &[honest]).route(&[CROWD_NAME], &crowd);
        let config = config.more(&self.back.lines()).more(ADMIN).more("[log]\naccess = \"off\"");
        let config = self.settings.counts.iter().fold(config, |config, (key, full)| config.limit(key, size.of(*full)));
        self.settings.times_ms.iter().fold(config, |config, (key, value)| config.limit(key, value))
    }

    /// Where the backend for honest clients is.
    pub(crate) fn honest_backend(&self) -> SocketAddr {
        self.back.backend(9000)
    }

    fn ports(&self, server: u16) -> Vec<SocketAddr> {
        [1, 2].map(|port| self.back.backend(9000 + 2 * server + port)).into()
    }

    /// The backends of the crowd.
    pub(crate) fn backends(&self) -> Vec<Orders> {
        (0..self.servers).map(|server| Orders::Serve(Serve { addresses: self.ports(server), endless: self.endless })).collect()
    }

    /// The crowd: each party has 250 addresses of its own.
    pub(crate) fn visits(&self, field: &Field, size: Size) -> Vec<Orders> {
        let visit = |(party, index): (&Party, u32)| {
            Orders::Visit(Visit {
                manner: party.manner,
                count: size.of(party.count),
                per_s: party.per_s,
                pause_ms: party.pause_ms,
                drip_ms: party.drip_ms,
                target: field.place.front(),
                name: CROWD_NAME.into(),
                ca: field.ca.clone(),
                source: Ipv4Addr::from_bits(CROWD.to_bits() + 256 * index + 1),
                sources: 250,
            })
        };
        self.parties.iter().zip(0..).map(visit).collect()
    }

    /// Whether a crowd that has come stays until it goes by itself.
    pub(crate) fn stands(&self) -> bool {
        self.ends.iter().all(|end| matches!(*end, "client_gone" | "done"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_crowds_are_as_large_as_the_issue_wants() {
        let full = Size { part: 1 };
        let counts: Vec<_> = ALL.iter().map(|case| (case.name, case.connections(full))).collect();
        assert_eq!(counts, [("idle", 50_000), ("slow-hellos", 5000), ("slow-streams", 5000), ("half-open", 10_000), ("deaf-readers", 500)]);
    }

    #[test]
    fn no_process_needs_more_descriptors_than_a_host_gives() {
        for case in ALL {
            assert!(case.parties.iter().all(|party| party.count < 16_000), "{}", case.name);
            assert!(case.connections(Size { part: 1 }) < 16_000 * u64::from(case.servers), "{}", case.name);
        }
    }
}
