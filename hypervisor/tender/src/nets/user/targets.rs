//! The table of backends: where each of the guest's virtual addresses really is, and which of its addresses is tried next.

use core::net::SocketAddr;
use std::collections::HashMap;

use crate::nets::user::socket::Socket;
use crate::order::Backend;

/// The backends, by the address that the guest knows them under.
#[derive(Debug)]
pub(super) struct Targets {
    backends: HashMap<SocketAddr, Hosts>,
}

#[derive(Debug)]
struct Hosts {
    addresses: Vec<SocketAddr>,
    /// Where the next connection begins to try.
    first: usize,
}

/// Which of a backend's addresses is being tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Attempt {
    guest: SocketAddr,
    index: usize,
    tried: usize,
}

impl Targets {
    pub(super) fn new(backends: Vec<Backend>) -> Self {
        let backends = backends.into_iter().map(|backend| (backend.guest, Hosts { addresses: backend.host, first: 0 })).collect();
        Self { backends }
    }

    /// Whether the guest knows a backend by this address.
    pub(super) fn has(&self, guest: SocketAddr) -> bool {
        self.backends.contains_key(&guest)
    }

    /// Begins to connect to the backend that the guest calls `guest`.
    pub(super) fn first_attempt(&mut self, guest: SocketAddr) -> Option<(Socket, Attempt)> {
        let hosts = self.backends.get_mut(&guest)?;
        let index = hosts.first;
        self.open_from(Attempt { guest, index, tried: 0 })
    }

    /// Goes on with the backend's next address. What follows begins there too: the address that failed is tried last.
    pub(super) fn next_attempt(&mut self, failed: Attempt) -> Option<(Socket, Attempt)> {
        self.open_from(self.following(failed)?)
    }

    fn open_from(&mut self, mut attempt: Attempt) -> Option<(Socket, Attempt)> {
        loop {
            let hosts = self.backends.get_mut(&attempt.guest)?;
            let host = *hosts.addresses.get(attempt.index)?;
            if let Ok(socket) = Socket::connect(host) {
                hosts.first = attempt.index;
                return Some((socket, attempt));
            }
            attempt = self.following(attempt)?;
        }
    }

    fn following(&self, attempt: Attempt) -> Option<Attempt> {
        let count = self.backends.get(&attempt.guest)?.addresses.len();
        let tried = attempt.tried.checked_add(1).filter(|tried| *tried < count)?;
        let index = attempt.index.checked_add(1)?.checked_rem(count)?;
        Some(Attempt { index, tried, ..attempt })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    fn refused() -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap()
    }

    #[test]
    fn every_address_is_tried_once_and_the_last_good_one_first_next_time() {
        let guest: SocketAddr = "100.64.0.1:80".parse().unwrap();
        let hosts = vec![refused(), refused(), refused()];
        let mut targets = Targets::new(vec![Backend { guest, host: hosts }]);
        let (_, first) = targets.first_attempt(guest).unwrap();
        let (_, second) = targets.next_attempt(first).unwrap();
        let (_, third) = targets.next_attempt(second).unwrap();
        assert_eq!([first.index, second.index, third.index], [0, 1, 2]);
        assert!(targets.next_attempt(third).is_none());
        assert_eq!(targets.first_attempt(guest).unwrap().1.index, 2);
    }

    #[test]
    fn an_address_that_is_no_backend_is_not_tried() {
        let mut targets = Targets::new(Vec::new());
        assert!(targets.first_attempt("100.64.0.1:80".parse().unwrap()).is_none());
    }

    #[test]
    fn backend_without_addresses_is_not_tried() {
        let guest: SocketAddr = "100.64.0.1:80".parse().unwrap();
        assert!(Targets::new(vec![Backend { guest, host: Vec::new() }]).first_attempt(guest).is_none());
    }
}
