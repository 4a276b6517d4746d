//! Who may come in: budgets in all and for each source, the cheapest check first.
//!
//! A source is an IPv4 address or an IPv6 /64, because a /64 is what one subscriber has. What is remembered of a source that has left is bounded
//! in number and time. Each new connection begins one handshake, so the rate of a source's new connections is its handshake budget too.

use alloc::collections::{BTreeMap, VecDeque};
use core::net::{IpAddr, Ipv6Addr};
use core::time::Duration;

use keys::bundle::Limits;

use crate::limits::{BURST_S, SOURCES_LEFT_MAX};
use crate::report::Budget;

/// See the module.
#[derive(Debug)]
pub(crate) struct Admission {
    connections: Gauge,
    handshakes: Gauge,
    connections_per_source: u32,
    /// Between two connections of one source, at its allowed rate.
    interval: Duration,
    sources: BTreeMap<Source, Load>,
    /// Sources without connections, in the order in which they left.
    left: VecDeque<Source>,
}

/// How much of a budget is used.
#[derive(Debug, Clone, Copy)]
struct Gauge {
    used: u32,
    max: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Source(IpAddr);

#[derive(Debug, Clone, Copy)]
struct Load {
    connections: u32,
    /// When the source's bucket is full again (the generic cell rate algorithm's arrival time).
    full_at: Duration,
}

impl Admission {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            connections: Gauge { used: 0, max: limits.connections },
            handshakes: Gauge { used: 0, max: limits.handshakes },
            connections_per_source: limits.connections_per_source,
            interval: Duration::from_secs(1).checked_div(limits.new_per_source_per_s).unwrap_or_default(),
            sources: BTreeMap::new(),
            left: VecDeque::new(),
        }
    }

    /// Takes these limits from now on. What is in stays in and is counted; who comes next is held against them.
    pub(crate) fn set_limits(&mut self, limits: &Limits) {
        let Self { connections, handshakes, connections_per_source, interval, .. } = Self::new(limits);
        self.connections.max = connections.max;
        self.handshakes.max = handshakes.max;
        self.connections_per_source = connections_per_source;
        self.interval = interval;
    }

    /// Takes one connection of `peer` into account, or says which budget forbids it.
    pub(crate) fn admit(&mut self, peer: IpAddr, now: Duration) -> Result<(), Budget> {
        self.check_room()?;
        let source = Source::of(peer);
        let load = self.one_more(source, now)?;
        self.take(source, load);
        Ok(())
    }

    /// The same for a front end. It speaks for others, each of whom has the limits of a source; it has none.
    pub(crate) fn admit_front_end(&mut self, peer: IpAddr, now: Duration) -> Result<(), Budget> {
        self.check_room()?;
        let source = Source::of(peer);
        let load = self.load(source, now);
        self.take(source, Load { connections: load.connections.saturating_add(1), ..load });
        Ok(())
    }

    /// A front end has said for whom it speaks: from now on the connection is counted as that client's, or which budget forbids that.
    pub(crate) fn introduce(&mut self, front_end: IpAddr, client: IpAddr, now: Duration) -> Result<(), Budget> {
        let (from, to) = (Source::of(front_end), Source::of(client));
        let load = self.one_more(to, now)?;
        self.sources.insert(to, load);
        self.one_less(from, now);
        Ok(())
    }

    fn check_room(&self) -> Result<(), Budget> {
        self.connections.check(Budget::Connections)?;
        self.handshakes.check(Budget::Handshakes)
    }

    fn load(&self, source: Source, now: Duration) -> Load {
        self.sources.get(&source).copied().unwrap_or(Load { connections: 0, full_at: now })
    }

    /// What a source would have with one more, if it may.
    fn one_more(&self, source: Source, now: Duration) -> Result<Load, Budget> {
        let load = self.load(source, now);
        if load.connections >= self.connections_per_source {
            return Err(Budget::ConnectionsPerSource);
        }
        let full_at = load.full_at.max(now).saturating_add(self.interval);
        if full_at > now.saturating_add(Duration::from_secs(BURST_S)) {
            return Err(Budget::NewPerSource);
        }
        Ok(Load { connections: load.connections.saturating_add(1), full_at })
    }

    fn one_less(&mut self, source: Source, now: Duration) {
        let Some(load) = self.sources.get_mut(&source) else { return };
        load.connections = load.connections.saturating_sub(1);
        if load.connections == 0 {
            self.left.push_back(source);
            self.forget(now);
        }
    }

    fn take(&mut self, source: Source, load: Load) {
        self.sources.insert(source, load);
        self.connections.take();
        self.handshakes.take();
    }

    /// One handshake is over: done, or its connection is.
    pub(crate) fn handshake_over(&mut self) {
        self.handshakes.give_back();
    }

    /// One connection of `peer` is over.
    pub(crate) fn connection_over(&mut self, peer: IpAddr, now: Duration) {
        self.connections.give_back();
        self.one_less(Source::of(peer), now);
    }

    /// Forgets those that have left and whose bucket is full again; and the first of them anyway if there are too many.
    fn forget(&mut self, now: Duration) {
        while let Some(first) = self.left.front().copied() {
            let load = self.sources.get(&first);
            let remembered = load.is_some_and(|load| load.connections == 0 && load.full_at > now);
            if remembered && self.left.len() <= SOURCES_LEFT_MAX {
                return;
            }
            self.left.pop_front();
            if load.is_some_and(|load| load.connections == 0) {
                self.sources.remove(&first);
            }
        }
    }
}

impl Gauge {
    fn check(self, budget: Budget) -> Result<(), Budget> {
        if self.used < self.max { Ok(()) } else { Err(budget) }
    }

    fn take(&mut self) {
        self.used = self.used.saturating_add(1);
    }

    fn give_back(&mut self) {
        self.used = self.used.saturating_sub(1);
    }
}

impl Source {
    fn of(peer: IpAddr) -> Self {
        Self(source_of(peer))
    }
}

/// What one subscriber has: an IPv4 address, or the prefix of an IPv6 /64.
pub(crate) fn source_of(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() >> 64 << 64)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::net::Ipv4Addr;

    const START: Duration = Duration::from_secs(100);

    fn admission(connections: u32, handshakes: u32, per_source: u32, rate: u32) -> Admission {
        Admission::new(&Limits {
            connections,
            handshakes,
            connections_per_source: per_source,
            new_per_source_per_s: rate,
            ..Limits::default()
        })
    }

    fn source(last: u8) -> IpAddr {
        Ipv4Addr::new(192, 0, 2, last).into()
    }

    #[test]
    fn a_front_end_has_no_limits_and_each_client_that_it_speaks_for_has() {
        let mut admission = admission(10, 10, 2, 1000);
        let (front_end, client) = (source(1), source(2));
        for _ in 0..5 {
            assert_eq!(admission.admit_front_end(front_end, START), Ok(()));
        }
        for _ in 0..2 {
            assert_eq!(admission.introduce(front_end, client, START), Ok(()));
        }
        assert_eq!(admission.introduce(front_end, client, START), Err(Budget::ConnectionsPerSource));
        assert_eq!(admission.admit(client, START), Err(Budget::ConnectionsPerSource), "however it comes");
        assert_eq!(admission.connections.used, 5, "who was refused is counted until it is over");
        admission.connection_over(front_end, START);
        admission.connection_over(client, START);
        assert_eq!(admission.introduce(front_end, client, START), Ok(()));
        for peer in [client, client, front_end] {
            admission.connection_over(peer, START);
        }
        assert_eq!(admission.connections.used, 0);
        assert!(admission.sources.values().all(|load| load.connections == 0));
    }

    #[test]
    fn connections_in_all_are_counted_and_given_back() {
        let mut admission = admission(2, 10, 10, 1000);
        assert_eq!(admission.admit(source(1), START), Ok(()));
        assert_eq!(admission.admit(source(2), START), Ok(()));
        assert_eq!(admission.admit(source(3), START), Err(Budget::Connections));
        admission.connection_over(source(1), START);
        assert_eq!(admission.admit(source(3), START), Ok(()));
    }

    #[test]
    fn a_finished_handshake_makes_room_for_the_next_while_its_connection_lives() {
        let mut admission = admission(10, 1, 10, 1000);
        assert_eq!(admission.admit(source(1), START), Ok(()));
        assert_eq!(admission.admit(source(2), START), Err(Budget::Handshakes));
        admission.handshake_over();
        assert_eq!(admission.admit(source(2), START), Ok(()));
    }

    #[test]
    fn one_source_cannot_take_the_place_of_another() {
        let mut admission = admission(10, 10, 2, 1000);
        assert_eq!(admission.admit(source(1), START), Ok(()));
        assert_eq!(admission.admit(source(1), START), Ok(()));
        assert_eq!(admission.admit(source(1), START), Err(Budget::ConnectionsPerSource));
        assert_eq!(admission.admit(source(2), START), Ok(()));
    }

    #[test]
    fn a_64_is_one_source_and_a_mapped_address_is_the_v4_one() {
        let mut admission = admission(10, 10, 1, 1000);
        assert_eq!(admission.admit("2001:db8::1".parse().unwrap(), START), Ok(()));
        assert_eq!(admission.admit("2001:db8::ffff:2".parse().unwrap(), START), Err(Budget::ConnectionsPerSource));
        assert_eq!(admission.admit("2001:db8:0:1::1".parse().unwrap(), START), Ok(()));
        assert_eq!(admission.admit(source(1), START), Ok(()));
        assert_eq!(admission.admit("::ffff:192.0.2.1".parse().unwrap(), START), Err(Budget::ConnectionsPerSource));
    }

    #[test]
    fn the_rate_holds_over_closed_connections_and_recovers() {
        let mut admission = admission(1000, 1000, 1000, 10);
        let burst = 10 * u32::try_from(BURST_S).unwrap();
        for _ in 0..burst {
            assert_eq!(admission.admit(source(1), START), Ok(()));
            admission.connection_over(source(1), START);
        }
        assert_eq!(admission.admit(source(1), START), Err(Budget::NewPerSource));
        assert_eq!(admission.admit(source(1), START + Duration::from_millis(99)), Err(Budget::NewPerSource));
        assert_eq!(admission.admit(source(1), START + Duration::from_millis(100)), Ok(()));
    }

    #[test]
    fn what_is_remembered_is_bounded_in_number_and_time() {
        let mut admission = admission(10, u32::MAX, 10, 1);
        for n in 0..=u32::try_from(SOURCES_LEFT_MAX).unwrap() + 10 {
            let peer = IpAddr::V4(Ipv4Addr::from_bits(n));
            assert_eq!(admission.admit(peer, START), Ok(()));
            admission.connection_over(peer, START);
        }
        assert_eq!(admission.sources.len(), SOURCES_LEFT_MAX);
        let later = START + Duration::from_secs(BURST_S + 1);
        assert_eq!(admission.admit(source(1), later), Ok(()));
        admission.connection_over(source(1), later);
        assert_eq!(admission.sources.len(), 1, "only the last one is remembered");
    }
}
