//! The private side: the table of backends, and connection attempts to where they really are.

use core::net::SocketAddr;
use core::time::Duration;
use std::collections::{HashMap, VecDeque};

use net::FlowId;

use crate::limits::BACKEND_CONNECT_TIMEOUT;
use crate::nets::user::socket::Socket;
use crate::order::Backend;

/// The backends, by the address that the guest knows them under.
#[derive(Debug)]
pub(super) struct Back {
    backends: HashMap<SocketAddr, Targets>,
    /// Attempts in the order of their deadlines: all take equally long.
    attempts: VecDeque<(Duration, FlowId)>,
}

#[derive(Debug)]
struct Targets {
    hosts: Vec<SocketAddr>,
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

impl Back {
    pub(super) fn new(backends: Vec<Backend>) -> Self {
        let backends = backends.into_iter().map(|backend| (backend.guest, Targets { hosts: backend.host, first: 0 })).collect();
        Self { backends, attempts: VecDeque::new() }
    }

    /// Begins to connect to the backend that the guest calls `guest`.
    pub(super) fn first_attempt(&mut self, guest: SocketAddr) -> Option<(Socket, Attempt)> {
        let targets = self.backends.get_mut(&guest)?;
        let index = targets.first;
        self.open_from(Attempt { guest, index, tried: 0 })
    }

    /// Goes on with the backend's next address. What follows begins there too: the address that failed is tried last.
    pub(super) fn next_attempt(&mut self, failed: Attempt) -> Option<(Socket, Attempt)> {
        self.open_from(self.following(failed)?)
    }

    fn open_from(&mut self, mut attempt: Attempt) -> Option<(Socket, Attempt)> {
        loop {
            let targets = self.backends.get_mut(&attempt.guest)?;
            let host = *targets.hosts.get(attempt.index)?;
            if let Ok(socket) = Socket::connect(host) {
                targets.first = attempt.index;
                return Some((socket, attempt));
            }
            attempt = self.following(attempt)?;
        }
    }

    fn following(&self, attempt: Attempt) -> Option<Attempt> {
        let count = self.backends.get(&attempt.guest)?.hosts.len();
        let tried = attempt.tried.checked_add(1).filter(|tried| *tried < count)?;
        let index = attempt.index.checked_add(1)?.checked_rem(count)?;
        Some(Attempt { index, tried, ..attempt })
    }

    pub(super) fn watch_attempt(&mut self, flow: FlowId, now: Duration) {
        self.attempts.push_back((now.saturating_add(BACKEND_CONNECT_TIMEOUT), flow));
    }

    /// A flow whose attempt took too long, unless it has succeeded since.
    pub(super) fn overdue(&mut self, now: Duration) -> Option<FlowId> {
        let (_, flow) = self.attempts.pop_front_if(|(deadline, _)| *deadline <= now)?;
        Some(flow)
    }

    pub(super) fn deadline(&self) -> Option<Duration> {
        self.attempts.front().map(|(deadline, _)| *deadline)
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
        let mut back = Back::new(vec![Backend { guest, host: hosts }]);
        let (_, first) = back.first_attempt(guest).unwrap();
        let (_, second) = back.next_attempt(first).unwrap();
        let (_, third) = back.next_attempt(second).unwrap();
        assert_eq!([first.index, second.index, third.index], [0, 1, 2]);
        assert!(back.next_attempt(third).is_none());
        assert_eq!(back.first_attempt(guest).unwrap().1.index, 2);
    }

    #[test]
    fn an_address_that_is_no_backend_is_not_tried() {
        let mut back = Back::new(Vec::new());
        assert!(back.first_attempt("100.64.0.1:80".parse().unwrap()).is_none());
    }

    #[test]
    fn backend_without_addresses_is_not_tried() {
        let guest: SocketAddr = "100.64.0.1:80".parse().unwrap();
        assert!(Back::new(vec![Backend { guest, host: Vec::new() }]).first_attempt(guest).is_none());
    }
}
