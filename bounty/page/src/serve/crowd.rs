//! How many are here, and from where.

use core::net::{IpAddr, Ipv4Addr};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::limits::Limits;
use crate::rates;

/// See the module.
#[derive(Debug)]
pub(super) struct Crowd {
    places: Arc<Semaphore>,
    of_source: usize,
    /// Those with a seat, by source: never more than there are places.
    seats: Mutex<HashMap<IpAddr, usize>>,
}

/// A connection that counts for its source.
#[derive(Debug)]
pub(super) struct Seat<'a> {
    crowd: &'a Crowd,
    source: IpAddr,
}

impl Crowd {
    pub(super) fn new(limits: &Limits) -> Self {
        let places = limits.connections.min(Semaphore::MAX_PERMITS);
        Self { places: Arc::new(Semaphore::new(places)), of_source: limits.connections_of_source, seats: Mutex::default() }
    }

    /// A place, if there is one.
    pub(super) fn enter(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.places).try_acquire_owned().ok()
    }

    /// A seat, if the source has not all of its own.
    pub(super) fn sit(&self, peer: Option<IpAddr>) -> Option<Seat<'_>> {
        let source = rates::source(peer.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED)));
        let mut seats = self.seats();
        let count = seats.get(&source).copied().unwrap_or(0);
        if count >= self.of_source {
            return None;
        }
        seats.insert(source, count.saturating_add(1));
        Some(Seat { crowd: self, source })
    }

    fn seats(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        self.seats.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Seat<'_> {
    fn drop(&mut self) {
        let mut seats = self.crowd.seats();
        match seats.get_mut(&self.source) {
            Some(count) if *count > 1 => *count = count.saturating_sub(1),
            _ => drop(seats.remove(&self.source)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_has_its_seats_and_gives_them_back() {
        let crowd = Crowd::new(&Limits { connections: 2, connections_of_source: 2, ..Limits::default() });
        let (here, there) = (Some("192.0.2.1".parse().unwrap()), Some("192.0.2.2".parse().unwrap()));
        let first = crowd.sit(here).expect("a seat");
        let second = crowd.sit(here).expect("a seat");
        assert!(crowd.sit(here).is_none() && crowd.sit(there).is_some());
        drop(first);
        assert!(crowd.sit(here).is_some());
        drop(second);
        assert!(crowd.seats().is_empty());
    }

    #[test]
    fn there_are_so_many_places() {
        let crowd = Crowd::new(&Limits { connections: 1, ..Limits::default() });
        let place = crowd.enter().expect("a place");
        assert!(crowd.enter().is_none());
        drop(place);
        assert!(crowd.enter().is_some());
    }
}
