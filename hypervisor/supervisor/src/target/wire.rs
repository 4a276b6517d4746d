//! One client's socket, and what goes over it.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::os::fd::{AsFd, BorrowedFd};

use harness::visit::{Client, Standing, Visit};
use rustix::event::PollFlags;
use rustix::net::sockopt::set_socket_linger;

use crate::limits::TARGET_READ_LEN;

#[derive(Debug)]
pub(super) struct Wire {
    stream: TcpStream,
    client: Client,
    /// The client has said its last.
    is_heard: bool,
    /// The guest has, and the client knows.
    is_told: bool,
}

impl Wire {
    pub(super) fn new(stream: TcpStream, client: Client) -> io::Result<Self> {
        stream.set_nonblocking(true)?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, client, is_heard: false, is_told: false })
    }

    /// What is to be waited for at the socket.
    pub(super) fn wants(&self, visit: &Visit<'_>) -> PollFlags {
        let mut flags = PollFlags::empty();
        flags.set(PollFlags::IN, !self.is_heard && visit.room(self.client) > 0);
        flags.set(PollFlags::OUT, visit.waiting(self.client) > 0);
        flags
    }

    /// Moves what can be moved. Returns whether it lives on.
    pub(super) fn pump(&mut self, visit: &mut Visit<'_>) -> bool {
        let Ok(()) = self.pump_in(visit).and_then(|()| self.pump_out(visit)) else {
            visit.hang_up(self.client);
            return false;
        };
        match visit.standing(self.client) {
            Standing::Talks => {}
            Standing::Finished | Standing::Done if visit.waiting(self.client) > 0 || self.is_told => {}
            Standing::Finished | Standing::Done => {
                self.is_told = true;
                // Who is gone already does not need to be told.
                let _gone = self.stream.shutdown(Shutdown::Write);
            }
            Standing::Reset => {
                // So that its close is a reset as well, RFC 9293 section 3.10.4.
                let _plain = set_socket_linger(&self.stream, Some(core::time::Duration::ZERO));
                return false;
            }
        }
        !(self.is_heard && self.is_told)
    }

    fn pump_in(&mut self, visit: &mut Visit<'_>) -> io::Result<()> {
        let mut bytes = [0; TARGET_READ_LEN];
        while !self.is_heard {
            let room = visit.room(self.client).min(bytes.len());
            let Some(space) = bytes.get_mut(..room).filter(|space| !space.is_empty()) else { break };
            match self.stream.read(space) {
                Ok(0) => {
                    self.is_heard = true;
                    visit.finish(self.client);
                }
                Ok(len) => {
                    visit.say(self.client, space.get(..len).unwrap_or_default());
                }
                Err(fault) if fault.kind() == ErrorKind::WouldBlock => break,
                Err(fault) if fault.kind() == ErrorKind::Interrupted => {}
                Err(fault) => return Err(fault),
            }
        }
        Ok(())
    }

    fn pump_out(&mut self, visit: &mut Visit<'_>) -> io::Result<()> {
        let mut outcome = Ok(());
        while outcome.is_ok() && visit.waiting(self.client) > 0 {
            let stream = &mut self.stream;
            let taken = visit.hear(self.client, |bytes| match stream.write(bytes) {
                Ok(len) => len,
                Err(fault) if matches!(fault.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => 0,
                Err(fault) => {
                    outcome = Err(fault);
                    0
                }
            });
            if taken == 0 {
                break;
            }
        }
        outcome
    }
}

impl AsFd for Wire {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }
}
