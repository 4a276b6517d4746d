//! Where flows live: a slab, found by a keyed hash of both ends, and a count for each source. Every operation costs the same however many
//! flows there are.
//!
//! A slot outlives its flow while an event for the user or an entry in a queue still names it; only then is it used again, under a new
//! generation. So queues need no search, and hold each slot at most once.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::time::Duration;

use hashbrown::HashTable;

use crate::dial::Dial;
use crate::event::{CloseReason, FlowId};
use crate::flow::Flow;
use crate::keys::{Ends, Keys, source_of};
use crate::linger::Linger;
use crate::wheel::Timer;

/// See the module.
#[derive(Debug)]
pub(crate) struct Table {
    slots: Vec<Slot>,
    free: Vec<u32>,
    by_ends: HashTable<u32>,
    by_source: HashTable<(u128, u32)>,
    /// Slots that may have something to transmit.
    ready: VecDeque<u32>,
    /// Slots with news for the user.
    news: VecDeque<u32>,
}

/// One place in the slab.
#[derive(Debug)]
pub(crate) struct Slot {
    generation: u32,
    hash: u64,
    pub(crate) ends: Ends,
    pub(crate) state: State,
    pub(crate) pending: Pending,
    pub(crate) timer: Option<(Timer, Duration)>,
    pub(crate) counted: Counted,
    in_ready: bool,
    in_news: bool,
    in_free: bool,
}

/// What a slot holds.
#[derive(Debug)]
pub(crate) enum State {
    /// Nothing: the flow is over, or never was.
    Vacant,
    Dialing(Box<Dial>),
    Open(Box<Flow>),
    Lingering(Linger),
}

/// Whether the flow counts against its source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Counted {
    BySource,
    Not,
}

/// Events that wait to be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Pending {
    pub(crate) accepted: bool,
    pub(crate) connected: bool,
    pub(crate) readable: bool,
    pub(crate) writable: bool,
    pub(crate) finished: bool,
    pub(crate) closed: Option<CloseReason>,
}

impl Pending {
    fn any(&self) -> bool {
        *self != Self::default()
    }
}

impl Table {
    pub(crate) fn new() -> Self {
        Self {
            slots: Vec::new(),
            free: Vec::new(),
            by_ends: HashTable::new(),
            by_source: HashTable::new(),
            ready: VecDeque::new(),
            news: VecDeque::new(),
        }
    }

    pub(crate) fn find(&self, keys: &Keys, ends: &Ends) -> Option<u32> {
        self.by_ends.find(keys.table_hash(ends), |&index| self.slots[index as usize].ends == *ends).copied()
    }

    /// Adds a flow between ends that have none.
    pub(crate) fn insert(&mut self, keys: &Keys, ends: Ends, state: State, counted: Counted) -> u32 {
        let hash = keys.table_hash(&ends);
        let slot = Slot {
            generation: 0,
            hash,
            ends,
            state,
            pending: Pending::default(),
            timer: None,
            counted,
            in_ready: false,
            in_news: false,
            in_free: false,
        };
        let index = self.place(slot);
        let slots = &self.slots;
        self.by_ends.insert_unique(hash, index, |&index| slots[index as usize].hash);
        if counted == Counted::BySource {
            *self.source_count(keys, ends) += 1;
        }
        index
    }

    fn place(&mut self, slot: Slot) -> u32 {
        let Some(index) = self.free.pop() else {
            self.slots.push(slot);
            return u32::try_from(self.slots.len() - 1).expect("invariant: FLOWS_MAX and time_waits are far below 2^32");
        };
        let old = &mut self.slots[index as usize];
        *old = Slot { generation: old.generation, ..slot };
        index
    }

    fn source_count(&mut self, keys: &Keys, ends: Ends) -> &mut u32 {
        let source = source_of(ends.peer.ip());
        let entry = self.by_source.entry(keys.source_hash(source), |entry| entry.0 == source, |entry| keys.source_hash(entry.0));
        &mut entry.or_insert((source, 0)).into_mut().1
    }

    /// Accepted flows that this peer's source has.
    pub(crate) fn flows_of_source(&self, keys: &Keys, ends: &Ends) -> usize {
        let source = source_of(ends.peer.ip());
        let entry = self.by_source.find(keys.source_hash(source), |entry| entry.0 == source);
        entry.map_or(0, |entry| entry.1 as usize)
    }

    /// Takes a flow off its source's account.
    pub(crate) fn discount(&mut self, keys: &Keys, index: u32) {
        let slot = &mut self.slots[index as usize];
        if core::mem::replace(&mut slot.counted, Counted::Not) == Counted::Not {
            return;
        }
        let source = source_of(slot.ends.peer.ip());
        if let Ok(mut entry) = self.by_source.find_entry(keys.source_hash(source), |entry| entry.0 == source) {
            entry.get_mut().1 -= 1;
            if entry.get().1 == 0 {
                entry.remove();
            }
        }
    }

    pub(crate) fn slot(&self, index: u32) -> &Slot {
        &self.slots[index as usize]
    }

    pub(crate) fn slot_mut(&mut self, index: u32) -> &mut Slot {
        &mut self.slots[index as usize]
    }

    /// The slot of a name that is still good.
    pub(crate) fn resolve(&self, flow: FlowId) -> Option<u32> {
        let slot = self.slots.get(flow.index())?;
        (slot.generation == flow.generation).then_some(flow.index)
    }

    /// The slot of a flow that its user has closed, if it is still there.
    pub(crate) fn closing(&self, flow: FlowId) -> Option<u32> {
        let index = self.resolve(flow)?;
        matches!(&self.slot(index).state, State::Open(flow) if flow.is_discarding()).then_some(index)
    }

    pub(crate) fn name(&self, index: u32) -> FlowId {
        FlowId { index, generation: self.slots[index as usize].generation }
    }

    /// The user's name for the flow, and all that it should still have heard, are void from now on.
    pub(crate) fn disown(&mut self, index: u32) {
        let slot = self.slot_mut(index);
        slot.generation = slot.generation.wrapping_add(1);
        slot.pending = Pending::default();
        self.reclaim(index);
    }

    /// The flow is over: its ends are free for another, its buffers are gone. The slot stays while something names it.
    pub(crate) fn vacate(&mut self, index: u32) {
        let Slot { hash, .. } = self.slots[index as usize];
        if let Ok(entry) = self.by_ends.find_entry(hash, |&other| other == index) {
            entry.remove();
        }
        self.slot_mut(index).state = State::Vacant;
        self.reclaim(index);
    }

    fn reclaim(&mut self, index: u32) {
        let slot = &mut self.slots[index as usize];
        let over = matches!(slot.state, State::Vacant) && !slot.pending.any();
        if over && !slot.in_ready && !slot.in_news && !slot.in_free {
            slot.in_free = true;
            slot.generation = slot.generation.wrapping_add(1);
            self.free.push(index);
        }
    }

    pub(crate) fn mark_ready(&mut self, index: u32) {
        if !core::mem::replace(&mut self.slot_mut(index).in_ready, true) {
            self.ready.push_back(index);
        }
    }

    pub(crate) fn has_ready(&self) -> bool {
        !self.ready.is_empty()
    }

    /// The next slot that may have something to transmit; it is off the list.
    pub(crate) fn next_ready(&mut self) -> Option<u32> {
        let index = self.ready.pop_front()?;
        self.slot_mut(index).in_ready = false;
        self.reclaim(index);
        Some(index)
    }

    /// Lists the slot if it has news.
    pub(crate) fn mark_news(&mut self, index: u32) {
        let slot = self.slot_mut(index);
        if slot.pending.any() && !core::mem::replace(&mut slot.in_news, true) {
            self.news.push_back(index);
        }
    }

    /// The slot whose news is to be told next.
    pub(crate) fn first_news(&mut self) -> Option<u32> {
        loop {
            let index = *self.news.front()?;
            if self.slot(index).pending.any() {
                return Some(index);
            }
            self.news.pop_front();
            self.slot_mut(index).in_news = false;
            self.reclaim(index);
        }
    }
}
