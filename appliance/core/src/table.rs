//! The connections, by an id that is never reused while anyone may still hold it.

use alloc::boxed::Box;
use alloc::vec::Vec;

use crate::connection::Connection;

/// One connection: its place in the table, and which of those that stood there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ConnectionId {
    index: u32,
    generation: u32,
}

#[cfg(test)]
impl ConnectionId {
    /// An id for tests of what only passes ids on.
    pub(crate) fn numbered(index: u32) -> Self {
        Self { index, generation: 0 }
    }
}

/// The table. Each connection is one allocation, given back when it ends.
#[derive(Debug, Default)]
pub(crate) struct Table {
    slots: Vec<Slot>,
    free: Vec<u32>,
    len: usize,
}

#[derive(Debug)]
struct Slot {
    generation: u32,
    connection: Option<Box<Connection>>,
}

impl Table {
    /// Connections in it.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Adds what `make` makes of its id; `None` if the ids are used up.
    pub(crate) fn insert(&mut self, make: impl FnOnce(ConnectionId) -> Connection) -> Option<ConnectionId> {
        let index = match self.free.pop() {
            Some(index) => index,
            None => self.grow()?,
        };
        let slot = self.slots.get_mut(usize::try_from(index).ok()?)?;
        let id = ConnectionId { index, generation: slot.generation };
        slot.connection = Some(Box::new(make(id)));
        self.len = self.len.saturating_add(1);
        Some(id)
    }

    fn grow(&mut self) -> Option<u32> {
        let index = u32::try_from(self.slots.len()).ok()?;
        self.slots.push(Slot { generation: 0, connection: None });
        Some(index)
    }

    /// The connection, if it still lives.
    pub(crate) fn get_mut(&mut self, id: ConnectionId) -> Option<&mut Connection> {
        self.slot(id)?.connection.as_deref_mut()
    }

    /// Takes the connection out for good.
    pub(crate) fn remove(&mut self, id: ConnectionId) -> Option<Box<Connection>> {
        let slot = self.slot(id)?;
        let connection = slot.connection.take()?;
        slot.generation = slot.generation.wrapping_add(1);
        self.free.push(id.index);
        self.len = self.len.saturating_sub(1);
        Some(connection)
    }

    /// The ids of all that live: for the end of a drain, never for a step.
    pub(crate) fn ids(&self) -> Vec<ConnectionId> {
        let live = self.slots.iter().zip(0..).filter(|(slot, _)| slot.connection.is_some());
        live.map(|(slot, index)| ConnectionId { index, generation: slot.generation }).collect()
    }

    fn slot(&mut self, id: ConnectionId) -> Option<&mut Slot> {
        let slot = self.slots.get_mut(usize::try_from(id.index).ok()?)?;
        (slot.generation == id.generation).then_some(slot)
    }
}

#[cfg(test)]
impl ConnectionId {
    /// An id of no table, for tests of what only passes ids on.
    pub(crate) fn of_test(index: u32) -> Self {
        Self { index, generation: 0 }
    }
}
