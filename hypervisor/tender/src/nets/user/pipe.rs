//! Pipes: each joins one flow of our TCP end with one host socket.

use std::collections::VecDeque;
use std::io;

use net::{CloseReason, FlowId};

use crate::nets::user::KIND_PIPE;
use crate::nets::user::socket::{Moved, Socket};
use crate::poller::{Poller, Readiness, Token};

/// A flow and its socket.
#[derive(Debug)]
pub(super) struct Pipe {
    flow: FlowId,
    socket: Socket,
    serial: u16,
    queued: bool,
    readable: bool,
    writable: bool,
    towards_guest: Way,
    towards_host: Way,
}

/// How far one direction has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// Bytes may come.
    Open,
    /// The source has said its last; what it sent before may still be under way here.
    Ending,
    /// The last byte was passed on, and the end behind it.
    Done,
}

/// What becomes of a pipe that was pumped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// Nothing to do until an event.
    Rests,
    /// Its share of the turn is used up.
    GoesOn,
    /// Both sides have said their last, and all was passed on.
    Ends,
    /// The host's side broke: the guest is to see a RST.
    Breaks,
}

impl Pipe {
    /// A pipe whose socket is connected.
    pub(super) fn connected(flow: FlowId, socket: Socket) -> Self {
        Self { flow, socket, serial: 0, queued: false, readable: true, writable: true, towards_guest: Way::Open, towards_host: Way::Open }
    }

    pub(super) fn guest_has_finished(&mut self) {
        if self.towards_host == Way::Open {
            self.towards_host = Way::Ending;
        }
    }

    /// Moves bytes both ways, at most `len_max` each.
    pub(super) fn pump(&mut self, net: &mut net::Net, len_max: usize) -> Fate {
        let fates = [self.pump_towards_host(net, len_max), self.pump_towards_guest(net, len_max)];
        if fates.contains(&Fate::Breaks) {
            Fate::Breaks
        } else if self.towards_guest == Way::Done && self.towards_host == Way::Done {
            Fate::Ends
        } else if fates.contains(&Fate::GoesOn) {
            Fate::GoesOn
        } else {
            Fate::Rests
        }
    }

    fn pump_towards_guest(&mut self, net: &mut net::Net, len_max: usize) -> Fate {
        let mut moved = 0_usize;
        while self.readable && self.towards_guest == Way::Open {
            if moved >= len_max {
                return Fate::GoesOn;
            }
            let socket = &self.socket;
            let step = net.send(self.flow, |space| match space.is_empty() {
                true => (0, None),
                false => {
                    let step = socket.read(space);
                    (step.len(), Some(step))
                }
            });
            match step {
                Ok(Some(Moved::Bytes(len))) => moved = moved.saturating_add(len),
                Ok(Some(Moved::NotNow)) => self.readable = false,
                Ok(Some(Moved::End)) => {
                    net.shutdown(self.flow);
                    self.towards_guest = Way::Done;
                }
                Ok(Some(Moved::Broken)) => return Fate::Breaks,
                Ok(None) | Err(net::FlowGone) => break,
            }
        }
        Fate::Rests
    }

    fn pump_towards_host(&mut self, net: &mut net::Net, len_max: usize) -> Fate {
        let mut moved = 0_usize;
        while self.writable && self.towards_host != Way::Done {
            if moved >= len_max {
                return Fate::GoesOn;
            }
            let socket = &self.socket;
            let step = net.recv(self.flow, |bytes| match bytes.is_empty() {
                true => (0, None),
                false => {
                    let step = socket.write(bytes);
                    (step.len(), Some(step))
                }
            });
            match step {
                Ok(Some(Moved::Bytes(len))) => moved = moved.saturating_add(len),
                Ok(Some(Moved::NotNow)) => self.writable = false,
                Ok(Some(Moved::End | Moved::Broken)) => return Fate::Breaks,
                Ok(None) if self.towards_host == Way::Ending => {
                    self.socket.finish();
                    self.towards_host = Way::Done;
                }
                Ok(None) | Err(net::FlowGone) => break,
            }
        }
        Fate::Rests
    }
}

impl Moved {
    fn len(self) -> usize {
        match self {
            Self::Bytes(len) => len,
            Self::End | Self::NotNow | Self::Broken => 0,
        }
    }
}

/// The pipes of a link, found by their flow.
#[derive(Debug)]
pub(super) struct Pipes {
    owner: u8,
    slots: Vec<Option<Pipe>>,
    count: usize,
    count_max: usize,
    serial: u16,
    queue: VecDeque<FlowId>,
}

impl Pipes {
    /// No pipes, of `count_max` at most, for the link number `link`.
    pub(super) fn new(link: usize, count_max: usize) -> Self {
        let owner = u8::try_from(link).unwrap_or(u8::MAX);
        Self { owner, slots: Vec::new(), count: 0, count_max, serial: 0, queue: VecDeque::new() }
    }

    pub(super) fn is_full(&self) -> bool {
        self.room() == 0
    }

    /// How many more there may be.
    pub(super) fn room(&self) -> usize {
        self.count_max.saturating_sub(self.count)
    }

    /// Takes in a pipe and watches its socket.
    ///
    /// # Errors
    /// What epoll_ctl(2) says; the socket is closed then.
    pub(super) fn insert(&mut self, poller: &Poller, pipe: Pipe) -> io::Result<()> {
        self.place(pipe, |socket, token| poller.watch(socket, token))
    }

    /// Takes in a pipe whose socket is watched already, under another name.
    ///
    /// # Errors
    /// What epoll_ctl(2) says; the socket is closed then.
    pub(super) fn adopt(&mut self, poller: &Poller, pipe: Pipe) -> io::Result<()> {
        self.place(pipe, |socket, token| poller.rename(socket, token))
    }

    fn place(&mut self, mut pipe: Pipe, watch: impl FnOnce(&Socket, Token) -> io::Result<()>) -> io::Result<()> {
        let index = pipe.flow.index();
        self.serial = self.serial.wrapping_add(1);
        pipe.serial = self.serial;
        let token_index = u32::try_from(index).map_err(|_| io::ErrorKind::OutOfMemory)?;
        watch(&pipe.socket, Token { owner: self.owner, kind: KIND_PIPE, serial: pipe.serial, index: token_index })?;
        if self.slots.len() <= index {
            self.slots.resize_with(index.saturating_add(1), || None);
        }
        if let Some(slot) = self.slots.get_mut(index) {
            self.count = self.count.saturating_add(usize::from(slot.is_none()));
            *slot = Some(pipe);
        }
        Ok(())
    }

    pub(super) fn get(&mut self, flow: FlowId) -> Option<&mut Pipe> {
        self.slots.get_mut(flow.index())?.as_mut().filter(|pipe| pipe.flow == flow)
    }

    pub(super) fn edit(&mut self, flow: FlowId, edit: impl FnOnce(&mut Pipe)) {
        if let Some(pipe) = self.get(flow) {
            edit(pipe);
        }
    }

    /// Marks a pipe to be pumped.
    pub(super) fn queue(&mut self, flow: FlowId) {
        let Some(pipe) = self.get(flow) else { return };
        if !pipe.queued {
            pipe.queued = true;
            self.queue.push_back(flow);
        }
    }

    /// How many entries [`Pipes::next`] has.
    pub(super) fn queued(&self) -> usize {
        self.queue.len()
    }

    /// The next pipe to be pumped; it may be gone.
    pub(super) fn next(&mut self) -> Option<FlowId> {
        let flow = self.queue.pop_front()?;
        self.edit(flow, |pipe| pipe.queued = false);
        Some(flow)
    }

    pub(super) fn ready(&mut self, token: Token, readiness: Readiness) {
        let index = usize::try_from(token.index).unwrap_or(usize::MAX);
        let Some(pipe) = self.slots.get_mut(index).and_then(Option::as_mut).filter(|pipe| pipe.serial == token.serial) else { return };
        pipe.readable |= readiness.readable;
        pipe.writable |= readiness.writable;
        let flow = pipe.flow;
        self.queue(flow);
    }

    pub(super) fn remove(&mut self, flow: FlowId) -> Option<Pipe> {
        let slot = self.slots.get_mut(flow.index()).filter(|slot| slot.as_ref().is_some_and(|pipe| pipe.flow == flow))?;
        self.count = self.count.saturating_sub(1);
        slot.take()
    }

    pub(super) fn remove_with_reset(&mut self, flow: FlowId) {
        if let Some(pipe) = self.remove(flow) {
            pipe.socket.reset();
        }
    }

    /// The guest's side is gone: the host's side goes the same way.
    pub(super) fn flow_is_gone(&mut self, flow: FlowId, reason: CloseReason) {
        let Some(pipe) = self.remove(flow) else { return };
        if reason != CloseReason::Done {
            pipe.socket.reset();
        }
    }
}
