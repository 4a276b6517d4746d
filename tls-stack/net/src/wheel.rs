//! A hierarchical timer wheel: arming, disarming and expiry cost the same with ten timers or a hundred thousand.
//!
//! Six levels of 64 slots; a slot of level 0 is one tick of a millisecond, a slot of level n+1 is all of level n. A timer lies on the
//! level of the highest digit (base 64) in which its tick differs from the wheel's position, and moves down as the position comes near
//! (Varghese and Lauck, scheme 6). It never fires early, and at most one tick late.

use alloc::vec::Vec;
use core::time::Duration;

const LEVELS: usize = 6;
const SLOTS: usize = 64;
const DIGIT_BITS: u32 = 6;
/// Beyond this many ticks (two years) a timer is clamped.
const TICKS_MAX: u64 = (1 << (DIGIT_BITS as u64 * LEVELS as u64)) - 1;
const NONE: u32 = u32::MAX;

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
        let level = ((63 - difference.leading_zeros()) / DIGIT_BITS).min(LEVELS as u32 - 1);
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
