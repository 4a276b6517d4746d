//! The table of backends: where each of the guest's virtual addresses really is, and which of its addresses is tried next.

use core::net::SocketAddr;
use core::time::Duration;
use std::collections::HashMap;

use crate::nets::user::socket::Socket;
use crate::order::Backend;

/// The backends, by the address that the guest knows them under.
#[derive(Debug)]
pub(super) struct Targets {
    backends: HashMap<SocketAddr, Hosts>,
    /// When the first of those that have a time is to be forgotten.
    forget_at: Option<Duration>,
}

#[derive(Debug)]
struct Hosts {
    addresses: Vec<SocketAddr>,
    /// Where the next connection begins to try.
    first: usize,
    /// When it is forgotten, if a reload has left it out or it was only lent.
    until: Option<Duration>,
}

impl Hosts {
    fn new(addresses: Vec<SocketAddr>) -> Self {
        Self { addresses, first: 0, until: None }
    }
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
        let backends = backends.into_iter().map(|backend| (backend.guest, Hosts::new(backend.host))).collect();
        Self { backends, forget_at: None }
    }

    /// Takes these for the backends from now on. Those that are not among them stay for `linger` more, unless there are too many.
    pub(super) fn reload(&mut self, backends: &[Backend], linger: Duration, now: Duration) {
        let mut before = core::mem::take(&mut self.backends);
        for Backend { guest, host } in backends {
            // A backend that is where it was goes on with the address that was good last.
            let first = before.remove(guest).filter(|hosts| hosts.addresses == *host).map_or(0, |hosts| hosts.first);
            self.backends.insert(*guest, Hosts { first, ..Hosts::new(host.clone()) });
        }
        let room = net::limits::LISTENERS_MAX.saturating_sub(self.backends.len());
        let until = now.saturating_add(linger);
        for (guest, hosts) in before.into_iter().take(room) {
            self.backends.insert(guest, Hosts { until: Some(hosts.until.unwrap_or(until)), ..hosts });
        }
        self.forget_at = self.first_until();
    }

    /// Takes a backend in until its time has come. There are `count_max` such at most: the one that would be forgotten next makes way. Says whether the
    /// addresses under which the guest reaches something are others now.
    pub(super) fn lend(&mut self, guest: SocketAddr, host: SocketAddr, until: Duration, count_max: usize) -> bool {
        let is_new = !self.has(guest);
        if is_new && self.backends.len() >= count_max {
            let next = self.backends.iter().filter_map(|(guest, hosts)| Some((hosts.until?, *guest))).min();
            next.map(|(_, guest)| self.backends.remove(&guest));
        }
        self.backends.insert(guest, Hosts { until: Some(until), ..Hosts::new(vec![host]) });
        self.forget_at = self.first_until();
        is_new
    }

    /// Forgets what a reload has left out or what was lent, when its time has come. Says whether there was any.
    pub(super) fn forget_retired(&mut self, now: Duration) -> bool {
        if self.forget_at.is_none_or(|at| at > now) {
            return false;
        }
        self.backends.retain(|_, hosts| hosts.until.is_none_or(|until| until > now));
        self.forget_at = self.first_until();
        true
    }

    fn first_until(&self) -> Option<Duration> {
        self.backends.values().filter_map(|hosts| hosts.until).min()
    }

    /// The addresses under which the guest reaches backends.
    pub(super) fn guests(&self) -> impl Iterator<Item = SocketAddr> + '_ {
        self.backends.keys().copied()
    }

    /// Where the backend is that the guest calls `guest`: the address that was tried last, which is the one that took the last connection.
    pub(super) fn real(&self, guest: SocketAddr) -> Option<SocketAddr> {
        let hosts = self.backends.get(&guest)?;
        hosts.addresses.get(hosts.first).copied()
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

    #[test]
    fn a_reload_keeps_what_it_leaves_out_for_a_while_and_no_longer() {
        let [old, kept, new] = ["100.64.0.1:80", "100.64.0.2:80", "100.64.0.3:80"].map(|guest| guest.parse::<SocketAddr>().unwrap());
        let backend = |guest| Backend { guest, host: vec![refused()] };
        let (linger, second) = (Duration::from_secs(10), Duration::from_secs(1));
        let mut targets = Targets::new(vec![backend(old), backend(kept)]);
        targets.reload(&[backend(kept), backend(new)], linger, second);
        assert_eq!(targets.guests().collect::<std::collections::BTreeSet<_>>(), [old, kept, new].into());
        assert!(targets.first_attempt(old).is_some() && targets.first_attempt(new).is_some());
        assert!(!targets.forget_retired(Duration::from_millis(10_999)));
        // A second reload does not prolong it.
        targets.reload(&[backend(kept), backend(new)], linger, 5 * second);
        assert!(targets.forget_retired(11 * second));
        assert!(!targets.has(old) && targets.has(kept));
        assert!(!targets.forget_retired(100 * second));
    }

    #[test]
    fn what_is_lent_is_forgotten_in_its_time_and_the_first_to_go_makes_way() {
        let guests: Vec<SocketAddr> = (1..=3).map(|last| SocketAddr::from(([192, 0, 2, last], 4433))).collect();
        let second = Duration::from_secs(1);
        let mut targets = Targets::new(Vec::new());
        assert!(targets.lend(guests[0], refused(), 5 * second, 2));
        assert!(targets.lend(guests[1], refused(), 4 * second, 2));
        assert!(!targets.lend(guests[0], refused(), 6 * second, 2), "prolonged");
        assert!(targets.lend(guests[2], refused(), 7 * second, 2));
        assert_eq!(guests.iter().map(|guest| targets.has(*guest)).collect::<Vec<_>>(), [true, false, true]);
        assert!(!targets.forget_retired(5 * second));
        assert!(targets.forget_retired(6 * second));
        assert_eq!(guests.iter().map(|guest| targets.has(*guest)).collect::<Vec<_>>(), [false, false, true]);
    }

    #[test]
    fn a_backend_that_comes_back_is_not_forgotten() {
        let guest: SocketAddr = "100.64.0.1:80".parse().unwrap();
        let backend = Backend { guest, host: vec![refused()] };
        let mut targets = Targets::new(vec![backend.clone()]);
        targets.reload(&[], Duration::from_secs(1), Duration::ZERO);
        targets.reload(&[backend], Duration::from_secs(1), Duration::ZERO);
        assert!(!targets.forget_retired(Duration::from_secs(2)));
        assert!(targets.has(guest));
    }

    #[test]
    fn a_backend_that_stays_goes_on_with_the_address_that_was_good_unless_it_has_moved() {
        let guest: SocketAddr = "100.64.0.1:80".parse().unwrap();
        let backend = Backend { guest, host: vec![refused(), refused()] };
        let mut targets = Targets::new(vec![backend.clone()]);
        let (_, first) = targets.first_attempt(guest).unwrap();
        targets.next_attempt(first).unwrap();
        targets.reload(&[backend], Duration::ZERO, Duration::ZERO);
        assert_eq!(targets.first_attempt(guest).unwrap().1.index, 1);
        targets.reload(&[Backend { guest, host: vec![refused(), refused()] }], Duration::ZERO, Duration::ZERO);
        assert_eq!(targets.first_attempt(guest).unwrap().1.index, 0);
    }
}
