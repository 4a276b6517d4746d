//! Who may come in: budgets in all and for each [`Source`], the cheapest check first; and who makes way when too many are at their beginning.
//!
//! A connection is counted from its flow on. Until its hello is whole it is one of those who wait, then one of those who shake hands; each of
//! the two is a [`Crowd`] with a limit of its own, in which a newcomer displaces instead of being refused. What is remembered of a source that has
//! left is bounded in number and time.

use alloc::collections::{BTreeMap, VecDeque};
use core::net::IpAddr;
use core::time::Duration;

use keys::bundle::Limits;

use crate::crowd::Crowd;
use crate::limits::{BURST_S, SOURCES_LEFT_MAX, WAITING_KEPT};
use crate::rate::Rate;
use crate::report::{Budget, Serial};
use crate::source::Source;
use crate::table::ConnectionId;

/// See the module.
#[derive(Debug)]
pub(crate) struct Admission {
    connections: u32,
    connections_max: u32,
    connections_per_source: u32,
    /// New connections of one source, and of all.
    source_rate: Rate,
    rate: Rate,
    /// When the bucket of all is full again.
    full_at: Duration,
    sources: BTreeMap<Source, Load>,
    /// Sources without connections, in the order in which they left.
    left: VecDeque<Source>,
    waiting: Crowd<ConnectionId>,
    handshaking: Crowd<ConnectionId>,
    /// Who had to make way, and has not been told yet.
    displaced: VecDeque<(ConnectionId, Budget)>,
}

#[derive(Debug, Clone, Copy)]
struct Load {
    connections: u32,
    /// When the source's bucket is full again.
    full_at: Duration,
}

/// One connection, as it is counted.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Entry {
    pub(crate) id: ConnectionId,
    pub(crate) serial: Serial,
    pub(crate) peer: IpAddr,
}

impl Admission {
    pub(crate) fn new(limits: &Limits) -> Self {
        let burst = Duration::from_secs(BURST_S);
        Self {
            connections: 0,
            connections_max: limits.connections,
            connections_per_source: limits.connections_per_source,
            source_rate: Rate::new(limits.new_per_source_per_s, burst),
            rate: Rate::new(limits.new_per_s, burst),
            full_at: Duration::ZERO,
            sources: BTreeMap::new(),
            left: VecDeque::new(),
            waiting: Crowd::new(limits.waiting),
            handshaking: Crowd::new(limits.handshakes),
            displaced: VecDeque::new(),
        }
    }

    /// Takes these limits from now on. What is in stays in and is counted; who comes next is held against them.
    pub(crate) fn set_limits(&mut self, limits: &Limits) {
        let Self { connections_max, connections_per_source, source_rate, rate, .. } = Self::new(limits);
        (self.connections_max, self.connections_per_source) = (connections_max, connections_per_source);
        (self.source_rate, self.rate) = (source_rate, rate);
        self.waiting.set_max(limits.waiting);
        self.handshaking.set_max(limits.handshakes);
    }

    /// Takes one connection of `peer` into account, or says which budget forbids it. Who is refused uses up nothing. With as many connections as
    /// there may be, one of those who wait makes way, if many do.
    pub(crate) fn admit(&mut self, peer: IpAddr, now: Duration) -> Result<(), Budget> {
        self.check_room()?;
        let source = Source::of(peer);
        let load = self.one_more(source, now)?;
        self.take(source, load, now)
    }

    /// The same for a front end. It speaks for others, each of whom has the limits of a source; it has none.
    pub(crate) fn admit_front_end(&mut self, peer: IpAddr, now: Duration) -> Result<(), Budget> {
        self.check_room()?;
        let source = Source::of(peer);
        let load = self.load(source, now);
        self.take(source, Load { connections: load.connections.saturating_add(1), ..load }, now)
    }

    /// A front end has said for whom it speaks: from now on the connection, which waits for its hello, is counted as that client's, or which
    /// budget forbids that.
    pub(crate) fn introduce(&mut self, entry: Entry, client: IpAddr, now: Duration) -> Result<(), Budget> {
        let (from, to) = (Source::of(entry.peer), Source::of(client));
        let load = self.one_more(to, now)?;
        self.sources.insert(to, load);
        self.one_less(from, now);
        self.waiting.leave(from, entry.serial);
        self.wait(Entry { peer: client, ..entry });
        Ok(())
    }

    fn is_full(&self) -> bool {
        self.connections >= self.connections_max
    }

    fn check_room(&self) -> Result<(), Budget> {
        if self.is_full() && self.waiting.len() <= WAITING_KEPT { Err(Budget::Connections) } else { Ok(()) }
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
        let full_at = self.source_rate.take(load.full_at, now).ok_or(Budget::NewPerSource)?;
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

    fn take(&mut self, source: Source, load: Load, now: Duration) -> Result<(), Budget> {
        self.full_at = self.rate.take(self.full_at, now).ok_or(Budget::New)?;
        self.sources.insert(source, load);
        if self.is_full() {
            self.displaced.extend(self.waiting.displace().map(|id| (id, Budget::Connections)));
        }
        self.connections = self.connections.saturating_add(1);
        Ok(())
    }

    /// From now on the connection waits for its client's hello.
    pub(crate) fn wait(&mut self, entry: Entry) {
        let displaced = self.waiting.enter(Source::of(entry.peer), entry.serial, entry.id);
        self.displaced.extend(displaced.map(|id| (id, Budget::Waiting)));
    }

    /// The hello is whole: the handshake begins.
    pub(crate) fn shake_hands(&mut self, entry: Entry) {
        let source = Source::of(entry.peer);
        self.waiting.leave(source, entry.serial);
        let displaced = self.handshaking.enter(source, entry.serial, entry.id);
        self.displaced.extend(displaced.map(|id| (id, Budget::Handshakes)));
    }

    /// The connection's beginning is over: the handshake is done, or will not be.
    pub(crate) fn begun(&mut self, entry: Entry) {
        let source = Source::of(entry.peer);
        self.waiting.leave(source, entry.serial);
        self.handshaking.leave(source, entry.serial);
    }

    /// One that had to make way, and for which budget. It is no longer counted among those who begin, but its connection still is.
    pub(crate) fn next_displaced(&mut self) -> Option<(ConnectionId, Budget)> {
        self.displaced.pop_front()
    }

    /// The connection is over.
    pub(crate) fn over(&mut self, entry: Entry, now: Duration) {
        self.begun(entry);
        self.connections = self.connections.saturating_sub(1);
        self.one_less(Source::of(entry.peer), now);
    }

    /// How many wait for their hello, and how many shake hands.
    pub(crate) fn beginning(&self) -> (usize, usize) {
        (self.waiting.len(), self.handshaking.len())
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

#[cfg(test)]
mod tests {
    use super::*;
    use core::net::Ipv4Addr;

    const START: Duration = Duration::from_secs(100);

    fn admission(connections: u32, per_source: u32, rate: u32) -> Admission {
        Admission::new(&Limits { connections, connections_per_source: per_source, new_per_source_per_s: rate, ..Limits::default() })
    }

    fn source(last: u8) -> IpAddr {
        Ipv4Addr::new(192, 0, 2, last).into()
    }

    fn entry(peer: IpAddr, n: u32) -> Entry {
        Entry { id: ConnectionId::of_test(n), serial: Serial(n.into()), peer }
    }

    #[test]
    fn a_front_end_has_no_limits_and_each_client_that_it_speaks_for_has() {
        let mut admission = admission(10, 2, 1000);
        let (front_end, client) = (source(1), source(2));
        for n in 0..5 {
            assert_eq!(admission.admit_front_end(front_end, START), Ok(()));
            admission.wait(entry(front_end, n));
        }
        for n in 0..2 {
            assert_eq!(admission.introduce(entry(front_end, n), client, START), Ok(()));
        }
        assert_eq!(admission.introduce(entry(front_end, 2), client, START), Err(Budget::ConnectionsPerSource));
        assert_eq!(admission.admit(client, START), Err(Budget::ConnectionsPerSource), "however it comes");
        assert_eq!((admission.connections, admission.beginning()), (5, (5, 0)), "who was refused is counted until it is over");
        admission.over(entry(front_end, 2), START);
        admission.over(entry(client, 0), START);
        assert_eq!(admission.introduce(entry(front_end, 3), client, START), Ok(()));
        for gone in [entry(client, 1), entry(client, 3), entry(front_end, 4)] {
            admission.over(gone, START);
        }
        assert_eq!((admission.connections, admission.beginning()), (0, (0, 0)));
        assert!(admission.sources.values().all(|load| load.connections == 0));
    }

    #[test]
    fn connections_in_all_are_counted_and_given_back() {
        let mut admission = admission(2, 10, 1000);
        assert_eq!(admission.admit(source(1), START), Ok(()));
        assert_eq!(admission.admit(source(2), START), Ok(()));
        assert_eq!(admission.admit(source(3), START), Err(Budget::Connections));
        admission.over(entry(source(1), 1), START);
        assert_eq!(admission.admit(source(3), START), Ok(()));
    }

    #[test]
    fn a_table_full_of_those_who_wait_still_takes_newcomers() {
        let most = u32::try_from(WAITING_KEPT).unwrap() + 1;
        let mut admission = admission(most, most, 1000);
        for n in 0..most {
            assert_eq!(admission.admit(source(1), START), Ok(()));
            admission.wait(entry(source(1), n));
        }
        assert_eq!(admission.admit(source(2), START), Ok(()));
        assert_eq!(admission.next_displaced(), Some((entry(source(1), 0).id, Budget::Connections)));
        admission.over(entry(source(1), 0), START);
        admission.wait(entry(source(2), most));
        admission.begun(entry(source(2), most));
        assert_eq!(admission.admit(source(3), START), Err(Budget::Connections), "so many may wait in peace");
        assert_eq!(admission.next_displaced(), None);
    }

    #[test]
    fn one_source_cannot_take_the_place_of_another() {
        let mut admission = admission(10, 2, 1000);
        assert_eq!(admission.admit(source(1), START), Ok(()));
        assert_eq!(admission.admit(source(1), START), Ok(()));
        assert_eq!(admission.admit(source(1), START), Err(Budget::ConnectionsPerSource));
        assert_eq!(admission.admit(source(2), START), Ok(()));
    }

    #[test]
    fn a_64_is_counted_as_one_source() {
        let mut admission = admission(10, 1, 1000);
        assert_eq!(admission.admit("2001:db8::1".parse().unwrap(), START), Ok(()));
        assert_eq!(admission.admit("2001:db8::ffff:2".parse().unwrap(), START), Err(Budget::ConnectionsPerSource));
        assert_eq!(admission.admit("2001:db8:0:1::1".parse().unwrap(), START), Ok(()));
    }

    #[test]
    fn the_rate_holds_over_closed_connections_and_recovers() {
        let mut admission = admission(1000, 1000, 10);
        let burst = 10 * u32::try_from(BURST_S).unwrap();
        for n in 0..burst {
            assert_eq!(admission.admit(source(1), START), Ok(()));
            admission.over(entry(source(1), n), START);
        }
        assert_eq!(admission.admit(source(1), START), Err(Budget::NewPerSource));
        assert_eq!(admission.admit(source(1), START + Duration::from_millis(99)), Err(Budget::NewPerSource));
        assert_eq!(admission.admit(source(1), START + Duration::from_millis(100)), Ok(()));
    }

    #[test]
    fn the_rate_in_all_holds_and_who_is_refused_for_himself_takes_nothing_of_it() {
        let mut admission = Admission::new(&Limits { new_per_s: 2, new_per_source_per_s: 1, ..Limits::default() });
        let of = |admission: &mut Admission, n| admission.admit(source(n), START);
        assert_eq!([of(&mut admission, 1), of(&mut admission, 1)], [Ok(()); 2]);
        assert_eq!([of(&mut admission, 1), of(&mut admission, 1)], [Err(Budget::NewPerSource); 2]);
        assert_eq!([of(&mut admission, 2), of(&mut admission, 3)], [Ok(()); 2]);
        assert_eq!(of(&mut admission, 4), Err(Budget::New));
        assert_eq!(admission.admit(source(4), START + Duration::from_millis(500)), Ok(()), "and nothing of its own was used up");
    }

    #[test]
    fn those_who_wait_and_those_who_shake_hands_are_counted_apart() {
        let mut admission = Admission::new(&Limits { waiting: 2, handshakes: 1, ..Limits::default() });
        let [a, b, c] = [1, 2, 3].map(|n| entry(source(n), n.into()));
        admission.wait(a);
        admission.wait(b);
        assert_eq!((admission.next_displaced(), admission.beginning()), (None, (2, 0)));
        admission.shake_hands(a);
        admission.wait(c);
        assert_eq!((admission.next_displaced(), admission.beginning()), (None, (2, 1)));
        admission.shake_hands(b);
        assert_eq!(admission.next_displaced(), Some((a.id, Budget::Handshakes)), "the oldest");
        admission.wait(entry(source(4), 4));
        admission.wait(entry(source(4), 5));
        assert_eq!(admission.next_displaced(), Some((entry(source(4), 4).id, Budget::Waiting)), "who has two");
        [b, c].into_iter().for_each(|entry| admission.over(entry, START));
        assert_eq!((admission.next_displaced(), admission.beginning()), (None, (1, 0)));
    }

    #[test]
    fn what_is_remembered_is_bounded_in_number_and_time() {
        let mut admission = admission(10, 10, 1);
        admission.rate = Rate::new(u32::MAX, Duration::from_secs(BURST_S));
        for n in 0..=u32::try_from(SOURCES_LEFT_MAX).unwrap() + 10 {
            let peer = IpAddr::V4(Ipv4Addr::from_bits(n));
            assert_eq!(admission.admit(peer, START), Ok(()));
            admission.over(entry(peer, n), START);
        }
        assert_eq!(admission.sources.len(), SOURCES_LEFT_MAX);
        let later = START + Duration::from_secs(BURST_S + 1);
        assert_eq!(admission.admit(source(1), later), Ok(()));
        admission.over(entry(source(1), 1), later);
        assert_eq!(admission.sources.len(), 1, "only the last one is remembered");
    }
}
