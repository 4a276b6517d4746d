//! A hierarchical timer wheel: arming, disarming and expiry cost the same with ten timers or a hundred thousand.
//!
//! Six levels of 64 slots; a slot of level 0 is one tick of a millisecond, a slot of level n+1 is all of level n. A timer lies on the
//! level of the highest digit (base 64) in which its tick differs from the wheel's position, and moves down as the position comes near
//! (Varghese and Lauck, scheme 6). It never fires early, and at most one tick late.

use alloc::vec::Vec;
use core::time::Duration;

const LEVELS: usize = 6;
const TOP_LEVEL: u32 = 5;
const SLOTS: usize = 64;
const DIGIT_BITS: u32 = 6;
/// Beyond this many ticks (two years) a timer is clamped.
const TICKS_MAX: u64 = (1 << (DIGIT_BITS as u64 * LEVELS as u64)) - 1;
const NONE: u32 = u32::MAX;
const _: () = assert!(TOP_LEVEL as usize == LEVELS - 1);

/// Names an armed timer. Stale names are harmless.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timer {
    index: u32,
    generation: u32,
}

/// A set of deadlines, each with a key.
///
/// ```
/// # use core::time::Duration;
/// let mut wheel = net::Wheel::new(Duration::ZERO);
/// let first = wheel.arm(Duration::from_millis(5), "first");
/// wheel.arm(Duration::from_secs(60), "second");
/// assert_eq!(wheel.expired(Duration::from_millis(4)), None);
/// assert_eq!(wheel.expired(Duration::from_millis(5)), Some("first"));
/// assert!(!wheel.disarm(first), "it has fired");
/// assert!(wheel.deadline() <= Some(Duration::from_secs(60)));
/// ```
#[derive(Debug)]
pub struct Wheel<K> {
    /// The tick up to which everything has fired.
    position: u64,
    levels: [Level; LEVELS],
    nodes: Vec<Node<K>>,
    free: u32,
    armed: usize,
    /// First of the chain of those that are due.
    due: u32,
}

#[derive(Debug, Clone, Copy)]
struct Level {
    occupied: u64,
    heads: [u32; SLOTS],
}

#[derive(Debug)]
struct Node<K> {
    key: K,
    tick: u64,
    generation: u32,
    place: Place,
    previous: u32,
    next: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Free,
    Due,
    Slot { level: u8, slot: u8 },
}

impl<K: Copy> Wheel<K> {
    /// An empty wheel that stands at `now`.
    #[must_use]
    pub fn new(now: Duration) -> Self {
        let level = Level { occupied: 0, heads: [NONE; SLOTS] };
        Self { position: floor_tick(now), levels: [level; LEVELS], nodes: Vec::new(), free: NONE, armed: 0, due: NONE }
    }

    /// How many timers are armed.
    #[must_use]
    pub fn len(&self) -> usize {
        self.armed
    }

    /// Whether none is armed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.armed == 0
    }

    /// Arms a timer; it fires at the first `expired` whose `now` is not before `at`.
    pub fn arm(&mut self, at: Duration, key: K) -> Timer {
        let tick = ceil_tick(at);
        let index = self.take_node(key, tick);
        self.place(index);
        self.armed += 1;
        Timer { index, generation: self.nodes[index as usize].generation }
    }

    /// Disarms a timer; false if it had fired or was disarmed before.
    pub fn disarm(&mut self, timer: Timer) -> bool {
        let current = |node: &Node<K>| node.generation == timer.generation && node.place != Place::Free;
        if !self.nodes.get(timer.index as usize).is_some_and(current) {
            return false;
        }
        self.unlink(timer.index);
        self.release(timer.index);
        true
    }

    /// Takes one timer that is due at `now`; call until `None`.
    pub fn expired(&mut self, now: Duration) -> Option<K> {
        if self.due == NONE {
            self.turn(floor_tick(now));
        }
        if self.due == NONE {
            return None;
        }
        let index = self.due;
        let key = self.nodes[index as usize].key;
        self.unlink(index);
        self.release(index);
        Some(key)
    }

    /// When to call `expired` next. Never after the first deadline; for a far one it may be before it, so that the wheel can turn.
    #[must_use]
    pub fn deadline(&self) -> Option<Duration> {
        if self.due != NONE {
            return Some(Duration::from_millis(self.position));
        }
        self.next_stop().map(|(_, _, tick)| Duration::from_millis(tick))
    }

    /// Moves the position up to `target`, stop by stop, until something is due.
    fn turn(&mut self, target: u64) {
        while self.due == NONE {
            match self.next_stop() {
                Some((level, slot, tick)) if tick <= target => {
                    self.position = self.position.max(tick);
                    self.empty_slot(level, slot);
                }
                _ => {
                    self.position = self.position.max(target);
                    return;
                }
            }
        }
    }

    /// The nearest occupied slot and the tick at which it begins.
    fn next_stop(&self) -> Option<(usize, usize, u64)> {
        let level = self.levels.iter().position(|level| level.occupied != 0)?;
        let shift = DIGIT_BITS * u32::try_from(level).unwrap_or(0);
        let digit = u32::try_from((self.position >> shift) & 63).unwrap_or(0);
        let ahead = self.levels[level].occupied.rotate_right(digit).trailing_zeros();
        let slot = (digit + ahead) % 64;
        let begin = (((self.position >> shift) + u64::from(ahead)) << shift).max(self.position);
        Some((level, slot as usize, begin))
    }

    /// Everything in the slot becomes due or moves to a lower level.
    fn empty_slot(&mut self, level: usize, slot: usize) {
        let mut index = self.levels[level].heads[slot];
        self.levels[level].heads[slot] = NONE;
        self.levels[level].occupied &= !(1 << slot);
        while index != NONE {
            let next = self.nodes[index as usize].next;
            self.place(index);
            index = next;
        }
    }

    fn place(&mut self, index: u32) {
        let tick = self.nodes[index as usize].tick;
        if tick <= self.position {
            return self.push(index, Place::Due);
        }
        let difference = tick ^ self.position;
        let level = ((63 - difference.leading_zeros()) / DIGIT_BITS).min(TOP_LEVEL);
        let slot = (tick >> (DIGIT_BITS * level)) & 63;
        let place = Place::Slot { level: u8::try_from(level).unwrap_or(0), slot: u8::try_from(slot).unwrap_or(0) };
        self.push(index, place);
    }

    fn push(&mut self, index: u32, place: Place) {
        let head = core::mem::replace(self.head(place), index);
        if let Place::Slot { level, slot } = place {
            self.levels[usize::from(level)].occupied |= 1 << slot;
        }
        let node = &mut self.nodes[index as usize];
        (node.place, node.previous, node.next) = (place, NONE, head);
        if head != NONE {
            self.nodes[head as usize].previous = index;
        }
    }

    fn unlink(&mut self, index: u32) {
        let Node { place, previous, next, .. } = self.nodes[index as usize];
        if next != NONE {
            self.nodes[next as usize].previous = previous;
        }
        if previous != NONE {
            self.nodes[previous as usize].next = next;
            return;
        }
        *self.head(place) = next;
        if let (NONE, Place::Slot { level, slot }) = (next, place) {
            self.levels[usize::from(level)].occupied &= !(1 << slot);
        }
    }

    fn head(&mut self, place: Place) -> &mut u32 {
        match place {
            Place::Slot { level, slot } => &mut self.levels[usize::from(level)].heads[usize::from(slot)],
            Place::Due | Place::Free => &mut self.due,
        }
    }

    fn take_node(&mut self, key: K, tick: u64) -> u32 {
        let tick = tick.min(self.position.saturating_add(TICKS_MAX >> 1));
        if self.free == NONE {
            let index = u32::try_from(self.nodes.len()).expect("invariant: fewer than 2^32 timers fit in memory");
            self.nodes.push(Node { key, tick, generation: 0, place: Place::Free, previous: NONE, next: NONE });
            return index;
        }
        let index = self.free;
        let node = &mut self.nodes[index as usize];
        self.free = node.next;
        (node.key, node.tick) = (key, tick);
        index
    }

    fn release(&mut self, index: u32) {
        let node = &mut self.nodes[index as usize];
        node.generation = node.generation.wrapping_add(1);
        node.place = Place::Free;
        node.next = self.free;
        self.free = index;
        self.armed -= 1;
    }
}

fn floor_tick(at: Duration) -> u64 {
    u64::try_from(at.as_millis()).unwrap_or(u64::MAX >> 1).min(u64::MAX >> 1)
}

fn ceil_tick(at: Duration) -> u64 {
    floor_tick(at.saturating_add(Duration::from_nanos(999_999)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::collections::BTreeMap;
    use proptest::prelude::*;

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn timers_fire_in_order_of_their_ticks_and_never_early() {
        let mut wheel = Wheel::new(ms(123_456));
        for after in [0, 1, 63, 64, 65, 4095, 4096, 262_143, 262_144, 1 << 30] {
            wheel.arm(ms(123_456 + after), after);
        }
        let mut fired = Vec::new();
        while let Some(at) = wheel.deadline() {
            while let Some(after) = wheel.expired(at) {
                assert_eq!(at, ms(123_456 + after));
                fired.push(after);
            }
        }
        assert_eq!(fired, [0, 1, 63, 64, 65, 4095, 4096, 262_143, 262_144, 1 << 30]);
    }

    #[test]
    fn a_deadline_within_a_tick_is_not_fired_before_it() {
        let mut wheel = Wheel::new(ms(10));
        wheel.arm(Duration::from_micros(12_001), ());
        assert_eq!((wheel.expired(Duration::from_micros(12_999)), wheel.expired(ms(13))), (None, Some(())));
    }

    #[test]
    fn the_deadline_is_reached_in_few_steps_however_far_it_is() {
        let mut wheel = Wheel::new(ms(1));
        wheel.arm(Duration::from_secs(86_400 * 365), ());
        let mut steps = 0;
        while let Some(at) = wheel.deadline() {
            steps += 1;
            wheel.expired(at);
        }
        assert!(steps <= LEVELS + 1, "{steps}");
    }

    proptest! {
        #[test]
        fn a_wheel_behaves_like_a_sorted_map(moves in proptest::collection::vec((0..4u8, 0..100_000u64), 1..300)) {
            let mut wheel = Wheel::new(ms(5));
            let mut model: BTreeMap<(u64, usize), Timer> = BTreeMap::new();
            let mut now = 5;
            for (key, (kind, number)) in moves.into_iter().enumerate() {
                match kind {
                    0 | 1 => {
                        let at = now + number;
                        model.insert((at, key), wheel.arm(ms(at), key));
                    }
                    2 => {
                        let nth = usize::try_from(number).unwrap() % model.len().max(1);
                        if let Some((&entry, &timer)) = model.iter().nth(nth) {
                            model.remove(&entry);
                            prop_assert!(wheel.disarm(timer));
                            prop_assert!(!wheel.disarm(timer));
                        }
                    }
                    _ => {
                        now += number / 10;
                        let mut fired: Vec<usize> = core::iter::from_fn(|| wheel.expired(ms(now))).collect();
                        let mut due: Vec<usize> = model.keys().filter(|(at, _)| *at <= now).map(|(_, key)| *key).collect();
                        model.retain(|(at, _), _| *at > now);
                        fired.sort_unstable();
                        due.sort_unstable();
                        prop_assert_eq!(fired, due);
                    }
                }
                prop_assert_eq!(wheel.len(), model.len());
                let first = model.keys().next().map(|(at, _)| ms(*at));
                prop_assert!(wheel.deadline() <= first || first.is_none() && wheel.deadline().is_none());
                prop_assert_eq!(wheel.deadline().is_none(), first.is_none());
            }
        }
    }
}
