//! Moving plaintext between a session and a backend's flow: decrypted in place in the ring it came in, written once into the ring it leaves by.

use net::{FlowId, Net};
use tls::limits::{RECORD_CIPHER_LEN_MAX, RECORD_OVERHEAD_MAX};
use tls::{Session, Sink};

use super::client::{Client, Written};
use crate::limits::{PASS_LEN, SEND_LEN_MIN, TURN_LEN, WRAP_LEN};
use crate::world::World;

/// Whether one turn was enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pace {
    /// All that could be moved was moved; an event will tell when there is more.
    Enough,
    /// The turn was over before the bytes.
    More,
}

impl Pace {
    pub(super) fn and(self, other: Self) -> Self {
        if self == Self::More { self } else { other }
    }

    fn after(moved: usize) -> Self {
        if moved < TURN_LEN { Self::Enough } else { Self::More }
    }
}

/// Client to backend.
pub(super) fn up(client: &mut Client, backend: FlowId, world: &mut World) -> Pace {
    let mut sink = Upstream { net: &mut world.back, flow: backend, put: 0 };
    let mut read = 0_usize;
    while read < TURN_LEN {
        let before = (sink.put, client.session.buffered());
        match client.read(&mut world.front, &mut sink) {
            // A record that the session had taken before may have found room now.
            0 if before == (sink.put, client.session.buffered()) => break,
            taken => read = read.saturating_add(taken),
        }
    }
    let put = sink.put;
    if is_held_up(client, backend, world) {
        world.back.want_room(backend, RECORD_CIPHER_LEN_MAX);
    }
    if read > 0 || put > 0 {
        client.moved = world.now.mono;
    }
    client.log.bytes_up = client.log.bytes_up.saturating_add(put);
    world.counters.bytes_up = world.counters.bytes_up.saturating_add(put);
    Pace::after(read)
}

/// Whether something of the client's may be waiting for room towards the backend.
pub(super) fn is_held_up(client: &Client, backend: FlowId, world: &World) -> bool {
    let waiting = client.session.buffered() > 0 || world.front.readable(client.flow) > 0;
    waiting && world.back.writable(backend) < RECORD_CIPHER_LEN_MAX
}

/// Backend to client. The session's own bytes go first: records are numbered.
pub(super) fn down(client: &mut Client, backend: FlowId, world: &mut World) -> Pace {
    let mut moved = 0_usize;
    while moved < TURN_LEN && client.write(&mut world.front) == Written::All {
        match move_down(client, backend, &mut world.front, &mut world.back) {
            // The session may have had something of its own to say, such as a change of keys.
            0 if !client.session.wants_transmit() => break,
            bytes => moved = moved.saturating_add(bytes),
        }
    }
    if moved > 0 {
        client.moved = world.now.mono;
    }
    let bytes = u64::try_from(moved).unwrap_or(u64::MAX);
    client.log.bytes_down = client.log.bytes_down.saturating_add(bytes);
    world.counters.bytes_down = world.counters.bytes_down.saturating_add(bytes);
    Pace::after(moved)
}

fn move_down(client: &mut Client, backend: FlowId, front: &mut Net, back: &mut Net) -> usize {
    let moved = back.recv(backend, |plain| {
        let sealed = seal(&mut client.session, plain, front, client.flow);
        (sealed, sealed)
    });
    moved.unwrap_or(0)
}

/// Encrypts the beginning of `plain` into the flow's ring; returns how much of it.
fn seal(session: &mut Session, plain: &[u8], front: &mut Net, flow: FlowId) -> usize {
    let wanted = plain.len().saturating_add(RECORD_OVERHEAD_MAX).min(SEND_LEN_MIN);
    if plain.is_empty() {
        return 0;
    }
    if front.writable(flow) < wanted {
        // Small records for a reader that falls behind would cost both sides more than they carry.
        front.want_room(flow, plain.len().saturating_add(RECORD_OVERHEAD_MAX));
        return 0;
    }
    let sent = front.send(flow, |space| {
        if space.len() < wanted {
            return (0, None);
        }
        let sent = session.send(plain, space);
        (sent.produced, Some(sent.consumed))
    });
    match sent {
        Ok(Some(consumed)) => consumed,
        Ok(None) => seal_across(session, plain, front, flow),
        Err(net::FlowGone) => 0,
    }
}

/// The same where the ring's end is too near for a whole record: the record is made on the stack and written in two pieces.
fn seal_across(session: &mut Session, plain: &[u8], front: &mut Net, flow: FlowId) -> usize {
    let mut record = [0; WRAP_LEN];
    let room = front.writable(flow).min(WRAP_LEN);
    let Some(space) = record.get_mut(..room) else { return 0 };
    let sent = session.send(plain, space);
    let mut rest = record.get(..sent.produced).unwrap_or_default();
    while !rest.is_empty() {
        match front.send(flow, |space| copy(rest, space)) {
            Ok(0) | Err(net::FlowGone) => break,
            Ok(copied) => rest = rest.get(copied..).unwrap_or_default(),
        }
    }
    sent.consumed
}

/// Copies what fits; how much that was, twice.
pub(super) fn copy(from: &[u8], to: &mut [u8]) -> (usize, usize) {
    let len = from.len().min(to.len());
    if let (Some(from), Some(to)) = (from.get(..len), to.get_mut(..len)) {
        to.copy_from_slice(from);
    }
    (len, len)
}

/// Client to backend, byte for byte.
pub(super) fn pass_up(client: &mut Client, backend: FlowId, world: &mut World) -> Pace {
    let moved = pass(&mut world.front, client.flow, &mut world.back, backend);
    count_up(moved, client, world);
    Pace::after(moved)
}

/// Backend to client, byte for byte.
pub(super) fn pass_down(client: &mut Client, backend: FlowId, world: &mut World) -> Pace {
    let moved = pass(&mut world.back, backend, &mut world.front, client.flow);
    let bytes = u64::try_from(moved).unwrap_or(u64::MAX);
    client.log.bytes_down = client.log.bytes_down.saturating_add(bytes);
    world.counters.bytes_down = world.counters.bytes_down.saturating_add(bytes);
    if moved > 0 {
        client.moved = world.now.mono;
    }
    Pace::after(moved)
}

/// Books bytes that went to the backend as they came.
pub(super) fn count_up(moved: usize, client: &mut Client, world: &mut World) {
    let bytes = u64::try_from(moved).unwrap_or(u64::MAX);
    client.log.bytes_up = client.log.bytes_up.saturating_add(bytes);
    world.counters.bytes_up = world.counters.bytes_up.saturating_add(bytes);
    if moved > 0 {
        client.moved = world.now.mono;
    }
}

/// From one ring into the other, within a turn. What finds no room waits where it is, and closes its sender's window.
fn pass(from: &mut Net, source: FlowId, to: &mut Net, target: FlowId) -> usize {
    let mut moved = 0_usize;
    while moved < TURN_LEN {
        let taken = from.recv(source, |bytes| {
            let sent = to.send(target, |space| copy(bytes, space)).unwrap_or(0);
            (sent, sent)
        });
        match taken {
            Ok(len) if len > 0 => moved = moved.saturating_add(len),
            _ => break,
        }
    }
    if from.readable(source) > 0 && to.writable(target) == 0 {
        to.want_room(target, PASS_LEN);
    }
    moved
}

/// The backend's transmit ring as a place for plaintext.
struct Upstream<'n> {
    net: &'n mut Net,
    flow: FlowId,
    put: u64,
}

impl Sink for Upstream<'_> {
    fn room(&self) -> usize {
        self.net.writable(self.flow)
    }

    fn put(&mut self, plain: &[u8]) {
        let mut rest = plain;
        while !rest.is_empty() {
            match self.net.send(self.flow, |space| copy(rest, space)) {
                Ok(0) | Err(net::FlowGone) => return,
                Ok(copied) => rest = rest.get(copied..).unwrap_or_default(),
            }
        }
        self.put = self.put.saturating_add(u64::try_from(plain.len()).unwrap_or(u64::MAX));
    }
}
