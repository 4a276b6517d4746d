//! The public side: host listeners, whose clients are connected to the guest under their own addresses, those on loopback too: what comes from
//! 127.0.0.0/8 or ::1 there is this host, for no packet of a network has such a source.

use core::net::SocketAddr;
use core::time::Duration;
use std::os::fd::{AsFd, OwnedFd};

use net::{ConnectFault, FlowId};
use rustix::io::Errno;

use crate::limits::ACCEPTS_PER_TURN;
use crate::nets::user::KIND_DOOR;
use crate::nets::user::pipe::{Pipe, Pipes};
use crate::nets::user::socket::{self, Socket};
use crate::poller::{Poller, Token};

/// The listeners.
#[derive(Debug)]
pub(super) struct Front {
    doors: Vec<Door>,
}

#[derive(Debug)]
struct Door {
    listener: OwnedFd,
    guest: SocketAddr,
    knocked: bool,
}

impl Front {
    pub(super) fn new(doors: Vec<(OwnedFd, SocketAddr)>) -> Self {
        let doors = doors.into_iter().map(|(listener, guest)| Door { listener, guest, knocked: true }).collect();
        Self { doors }
    }

    pub(super) fn watch(&self, poller: &Poller) -> std::io::Result<()> {
        for (door, index) in self.doors.iter().zip(0..) {
            socket::make_non_blocking(door.listener.as_fd())?;
            let owner = u8::try_from(abi::boot::FRONT).unwrap_or(u8::MAX);
            poller.watch(&door.listener, Token { owner, kind: KIND_DOOR, serial: 0, index })?;
        }
        Ok(())
    }

    pub(super) fn knock(&mut self, index: u32) {
        let index = usize::try_from(index).unwrap_or(usize::MAX);
        if let Some(door) = self.doors.get_mut(index) {
            door.knocked = true;
        }
    }

    /// Whether a client may be waiting.
    pub(super) fn is_knocked(&self) -> bool {
        self.doors.iter().any(|door| door.knocked)
    }

    /// Takes no more clients: the supervisor still holds the listeners, so those that come wait for the next cell.
    pub(super) fn close(&mut self) {
        self.doors.clear();
    }

    /// Lets waiting clients in, while there is room for them.
    pub(super) fn accept(&mut self, net: &mut net::Net, pipes: &mut Pipes, poller: &Poller, now: Duration) {
        for door in &mut self.doors {
            for _ in 0..ACCEPTS_PER_TURN {
                if !door.knocked || pipes.is_full() {
                    break;
                }
                match Socket::accept(door.listener.as_fd()) {
                    Ok((socket, client)) => {
                        let Ok(flow) = connect_guest(net, door.guest, seen_by_guest(client), now) else {
                            socket.reset();
                            continue;
                        };
                        if pipes.insert(poller, Pipe::connected(flow, socket)).is_err() {
                            net.abort(flow);
                        }
                    }
                    // Out of descriptors or memory is no reason to spin: the next client knocks again.
                    Err(Errno::AGAIN | Errno::MFILE | Errno::NFILE | Errno::NOMEM | Errno::NOBUFS) => door.knocked = false,
                    // This client is gone already; the next may wait behind it.
                    Err(_) => {}
                }
            }
        }
    }
}

/// Connects to the guest's listener as `client`. A client that looks like another after the mapping gets a port of ours.
fn connect_guest(net: &mut net::Net, guest: SocketAddr, client: SocketAddr, now: Duration) -> Result<FlowId, ConnectFault> {
    if client.is_ipv4() != guest.is_ipv4() {
        return net.connect(guest, None, now);
    }
    net.connect(guest, Some(client), now).or_else(|_| net.connect(guest, Some(SocketAddr::new(client.ip(), 0)), now))
}

/// The client's address as the guest is to see it: an IPv4 address in IPv6's clothes is what it is.
fn seen_by_guest(client: SocketAddr) -> SocketAddr {
    SocketAddr::new(client.ip().to_canonical(), client.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_keeps_its_address() {
        for (client, seen) in [
            ("192.0.2.7:44", "192.0.2.7:44"),
            ("[::ffff:192.0.2.7]:44", "192.0.2.7:44"),
            ("[2001:db8::1]:44", "[2001:db8::1]:44"),
            ("127.0.0.9:5", "127.0.0.9:5"),
            ("[::ffff:127.0.0.1]:5", "127.0.0.1:5"),
            ("[::1]:5", "[::1]:5"),
        ] {
            assert_eq!(seen_by_guest(client.parse().unwrap()).to_string(), seen);
        }
    }
}
