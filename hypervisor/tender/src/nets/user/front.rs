//! The public side: host listeners, whose clients are connected to the guest under their own addresses, those on loopback too: what comes from
//! 127.0.0.0/8 or ::1 there is this host, for no packet of a network has such a source. Whoever came to the door of a call-back, and whom the guest
//! sees under its own address, may be called back there.

use core::net::SocketAddr;
use core::time::Duration;
use std::os::fd::{AsFd, OwnedFd};

use net::{ConnectFault, FlowId};
use rustix::io::Errno;

use crate::callers::Callers;
use crate::limits::ACCEPTS_PER_TURN;
use crate::nets::user::KIND_DOOR;
use crate::nets::user::pipe::{Pipe, Pipes};
use crate::nets::user::socket::{self, Socket};
use crate::order::CallBack;
use crate::poller::{Poller, Token};

/// The listeners, and whom they let the guest call back.
#[derive(Debug)]
pub(super) struct Front {
    doors: Vec<Door>,
    call_back: Option<CallBack>,
    callers: Callers,
}

#[derive(Debug)]
struct Door {
    listener: OwnedFd,
    guest: SocketAddr,
    knocked: bool,
}

impl Front {
    pub(super) fn new(doors: Vec<(OwnedFd, SocketAddr)>, call_back: Option<CallBack>) -> Self {
        let doors = doors.into_iter().map(|(listener, guest)| Door { listener, guest, knocked: true }).collect();
        Self { doors, call_back, callers: Callers::default() }
    }

    /// Whether anybody is called back here.
    pub(super) fn calls_back(&self) -> bool {
        self.call_back.is_some()
    }

    /// Where on the host that is which the guest calls `peer`, if it may connect there.
    pub(super) fn called_back(&self, peer: SocketAddr, now: Duration) -> Option<SocketAddr> {
        self.call_back.filter(|call_back| call_back.port == peer.port())?;
        self.callers.find(peer.ip(), now).map(|client| on_the_host(client, peer.port()))
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
        let Self { doors, call_back, callers } = self;
        for door in doors {
            let calls_back = call_back.is_some_and(|call_back| call_back.door.is_at(door.guest));
            for _ in 0..ACCEPTS_PER_TURN {
                if !door.knocked || pipes.is_full() {
                    break;
                }
                match Socket::accept(door.listener.as_fd()) {
                    Ok((socket, client)) => {
                        let seen = seen_by_guest(client);
                        let Ok(flow) = connect_guest(net, door.guest, seen, now) else {
                            socket.reset();
                            continue;
                        };
                        if calls_back && seen.is_ipv4() == door.guest.is_ipv4() {
                            callers.remember(client, now);
                        }
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

/// The other way round, at another port. A link-local address keeps the link that it is on.
fn on_the_host(client: SocketAddr, port: u16) -> SocketAddr {
    let mut host = if client.ip().to_canonical().is_ipv4() { seen_by_guest(client) } else { client };
    host.set_port(port);
    host
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

    #[test]
    fn a_client_is_called_back_where_it_is() {
        for (client, host) in [
            ("192.0.2.7:44", "192.0.2.7:4433"),
            ("[::ffff:192.0.2.7]:44", "192.0.2.7:4433"),
            ("[2001:db8::1]:44", "[2001:db8::1]:4433"),
            ("[fe80::1%3]:44", "[fe80::1%3]:4433"),
            ("[::1]:5", "[::1]:4433"),
        ] {
            assert_eq!(on_the_host(client.parse().unwrap(), 4433).to_string(), host);
        }
    }
}
