//! Who is there in a session, and how far things have come with them.

use core::time::Duration;
use std::net::TcpListener;
use std::time::Instant;

use harness::subject::Fault;
use harness::visit::Visit;
use rustix::event::{PollFd, PollFlags};

use super::served::Session;
use super::wire::Wire;
use crate::limits::TARGET_CONNECTIONS_MAX;

#[derive(Debug)]
pub(super) struct Present {
    session: Session,
    wires: Vec<Wire>,
    /// The guest's time begins with its first client.
    began: Option<Instant>,
}

impl Present {
    pub(super) fn nobody(session: Session) -> Self {
        Self { session, wires: Vec::new(), began: None }
    }

    /// Whether somebody new would be let in. A guest that is no more lets nobody in.
    pub(super) fn has_room(&self, visit: &Visit<'_>) -> bool {
        let room = match self.session {
            Session::Connection => usize::from(!visit.has_come()),
            Session::Asked => TARGET_CONNECTIONS_MAX,
        };
        self.wires.len() < room && visit.verdict().is_sound()
    }

    pub(super) fn let_in(&mut self, listener: &TcpListener, visit: &mut Visit<'_>) {
        while self.has_room(visit) && !visit.is_full() {
            let Ok((stream, _)) = listener.accept() else { break };
            if let Some(wire) = visit.connect().and_then(|client| Wire::new(stream, client).ok()) {
                self.wires.push(wire);
            }
        }
        if visit.has_come() {
            self.began.get_or_insert_with(Instant::now);
        }
    }

    /// How long nothing happens unless somebody comes or says something.
    pub(super) fn patience(&self, visit: &Visit<'_>) -> Option<Duration> {
        self.began.and_then(|began| visit.deadline().map(|at| at.saturating_sub(began.elapsed())))
    }

    /// What is waited for at their sockets. One of which nothing is wanted is left alone: that it is closed would be told again and again.
    pub(super) fn fds(&self, visit: &Visit<'_>, of: PollFlags) -> impl Iterator<Item = PollFd<'_>> {
        let wanted = self.wires.iter().map(move |wire| (wire, wire.wants(visit) & of));
        wanted.filter(|(_, wants)| !wants.is_empty()).map(|(wire, wants)| PollFd::new(wire, wants))
    }

    /// Moves bytes, and time. Returns whether the session has had its connection.
    pub(super) fn advance(&mut self, visit: &mut Visit<'_>) -> Result<bool, Fault> {
        visit.settle()?;
        if let Some(lasted) = self.began.map(|began| began.elapsed())
            && visit.deadline().is_some_and(|at| at <= lasted)
        {
            visit.pass(lasted)?;
        }
        self.wires.retain_mut(|wire| wire.pump(visit));
        // What was said and what was heard makes room at the other end.
        visit.settle()?;
        self.wires.retain_mut(|wire| wire.pump(visit));
        let has_had_it = self.session == Session::Connection && visit.has_come() && self.wires.is_empty();
        if !has_had_it && visit.verdict().is_sound() {
            return Ok(false);
        }
        visit.settle()?;
        // Where the guest is no more its clients see it, and whoever asks is told.
        self.wires.clear();
        Ok(self.session == Session::Connection)
    }
}
