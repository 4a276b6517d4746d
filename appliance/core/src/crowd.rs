//! Those who stand at one stage of a connection's beginning, and who of them makes way when there are too many: the oldest of the source that
//! has most.
//!
//! An honest client passes through a stage in a round trip or two; who fills a stage is there for longer, or more often. So whoever comes is
//! let in, and a flood displaces itself: from few sources because each of them has more than anybody else, from many because its members are
//! older. Each call costs a few steps in ordered maps, however many there are.

use alloc::collections::BTreeMap;
use core::cmp::Reverse;

use crate::report::Serial;
use crate::source::Source;

/// See the module. `T` is what its user knows a member by.
#[derive(Debug)]
pub(crate) struct Crowd<T> {
    max: usize,
    /// Everybody, those of one source in the order in which they were accepted.
    members: BTreeMap<(Source, Serial), T>,
    ranks: BTreeMap<Source, Rank>,
    /// The same from the other side: who has most comes last, and among equals the source with the oldest member.
    order: BTreeMap<Rank, Source>,
}

/// What a source has here. No two sources have the same rank, because no two have the same oldest member.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Rank {
    count: u32,
    oldest: Reverse<Serial>,
}

impl<T: Copy> Crowd<T> {
    pub(crate) fn new(max: u32) -> Self {
        let max = usize::try_from(max).unwrap_or(usize::MAX);
        Self { max, members: BTreeMap::new(), ranks: BTreeMap::new(), order: BTreeMap::new() }
    }

    /// So many from now on; who is here stays until newcomers come.
    pub(crate) fn set_max(&mut self, max: u32) {
        self.max = usize::try_from(max).unwrap_or(usize::MAX);
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.members.len()
    }

    /// One more. Returns who is no longer here, because there were too many.
    pub(crate) fn enter(&mut self, source: Source, serial: Serial, id: T) -> Option<T> {
        self.members.insert((source, serial), id);
        self.rank_anew(source, 1);
        if self.members.len() > self.max { self.displace() } else { None }
    }

    /// One goes; nothing happens if it is not here.
    pub(crate) fn leave(&mut self, source: Source, serial: Serial) {
        if self.members.remove(&(source, serial)).is_some() {
            self.rank_anew(source, -1);
        }
    }

    /// Who makes way.
    pub(crate) fn displace(&mut self) -> Option<T> {
        let (rank, source) = self.order.last_key_value()?;
        let (source, serial) = (*source, rank.oldest.0);
        let id = self.members.remove(&(source, serial))?;
        self.rank_anew(source, -1);
        Some(id)
    }

    /// Puts right what the maps say of a source that has just got or lost one.
    fn rank_anew(&mut self, source: Source, change: i32) {
        let before = self.ranks.remove(&source);
        if let Some(rank) = before {
            self.order.remove(&rank);
        }
        let count = before.map_or(0, |rank| rank.count).saturating_add_signed(change);
        let first = self.members.range((source, Serial(0))..=(source, Serial(u64::MAX))).next();
        if let Some(((_, oldest), _)) = first {
            let rank = Rank { count, oldest: Reverse(*oldest) };
            self.ranks.insert(source, rank);
            self.order.insert(rank, source);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;
    use core::net::Ipv4Addr;

    /// Members are known by the order of their coming: 1, 2, 3 and so on.
    struct Scene {
        crowd: Crowd<u64>,
        come: u64,
    }

    fn scene(max: u32) -> Scene {
        Scene { crowd: Crowd::new(max), come: 0 }
    }

    fn source(n: u32) -> Source {
        Source::of(Ipv4Addr::from_bits(0x0a00_0000 + n).into())
    }

    impl Scene {
        /// One of this source comes; who goes for it.
        fn come(&mut self, from: u32) -> Option<u64> {
            self.come += 1;
            self.crowd.enter(source(from), Serial(self.come), self.come)
        }
    }

    #[test]
    fn as_many_as_there_is_room_for_displace_nobody() {
        let mut scene = scene(3);
        assert_eq!([scene.come(1), scene.come(1), scene.come(2)], [None; 3]);
        assert_eq!(scene.come(3), Some(1), "the oldest of the source with two");
        assert_eq!(scene.crowd.len(), 3);
    }

    #[test]
    fn one_loud_source_displaces_only_itself() {
        let mut scene = scene(4);
        assert_eq!((scene.come(1), scene.come(2)), (None, None));
        let displaced: Vec<u64> = (0..100).filter_map(|_| scene.come(9)).collect();
        assert_eq!(displaced, (3..=100).collect::<Vec<_>>());
    }

    #[test]
    fn among_equals_the_oldest_goes_whatever_its_address() {
        let mut scene = scene(3);
        for from in [7, 1, 9] {
            assert_eq!(scene.come(from), None);
        }
        assert_eq!([scene.come(5), scene.come(3), scene.come(8)], [Some(1), Some(2), Some(3)]);
    }

    #[test]
    fn who_has_left_is_not_displaced_and_makes_room() {
        let mut scene = scene(2);
        assert_eq!((scene.come(1), scene.come(1)), (None, None));
        scene.crowd.leave(source(1), Serial(1));
        assert_eq!(scene.come(2), None);
        assert_eq!(scene.come(3), Some(2));
        scene.crowd.leave(source(1), Serial(2));
        scene.crowd.leave(source(77), Serial(4));
        assert_eq!(scene.crowd.len(), 2, "whoever is not here cannot leave");
    }

    #[test]
    fn room_for_one_is_the_latest_ones() {
        let mut scene = scene(1);
        assert_eq!([scene.come(1), scene.come(1), scene.come(2)], [None, Some(1), Some(2)]);
    }

    /// The maps tell the same story as a plain list, searched.
    #[test]
    fn a_crowd_behaves_like_a_list() {
        let mut scene = scene(20);
        let mut list: Vec<(u32, u64)> = Vec::new();
        let mut dice = 1_u32;
        for _ in 0..5000 {
            dice = dice.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let from = (dice >> 16) % 7;
            if (dice >> 24).is_multiple_of(3) && !list.is_empty() {
                let (from, serial) = list.remove((dice >> 8) as usize % list.len());
                scene.crowd.leave(source(from), Serial(serial));
                continue;
            }
            let displaced = scene.come(from);
            list.push((from, scene.come));
            let count = |from| list.iter().filter(|member| member.0 == from).count();
            let first = |from| list.iter().position(|member| member.0 == from).unwrap_or(0);
            let expected = (list.len() > 20).then(|| (0..7).max_by_key(|from| (count(*from), Reverse(first(*from)))).map(first)).flatten();
            let expected = expected.map(|index| list.remove(index).1);
            assert_eq!(displaced, expected);
            assert_eq!(scene.crowd.len(), list.len());
        }
    }
}
