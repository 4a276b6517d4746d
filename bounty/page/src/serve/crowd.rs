//! How many are here, from where, and who makes way when all places are taken.
//!
//! All of it happens on the page's one thread: between two turns of it nobody comes, goes or is answered. What is being answered is never cut off.

use core::cmp::Reverse;
use core::net::{IpAddr, Ipv4Addr};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::task::AbortHandle;

use crate::limits::Limits;
use crate::rates;

/// See the module.
#[derive(Debug)]
pub(super) struct Crowd {
    places: usize,
    of_source: usize,
    here: Mutex<Here>,
}

/// Those who are here: never more than there are places.
#[derive(Debug, Default)]
struct Here {
    guests: HashMap<u64, Guest>,
    /// Counts those who came, and the answers that were ready: what has a lower number was before.
    turn: u64,
}

/// A connection.
#[derive(Debug)]
struct Guest {
    /// Nothing, until it says whom it is for.
    source: Option<IpAddr>,
    /// All that do not say so yet are of one.
    allotment: IpAddr,
    /// Since when the page waits for them; nothing while they wait for the page.
    awaited: Option<u64>,
    /// Ends the connection.
    end: Option<AbortHandle>,
}

/// A place in the crowd, until this is dropped.
#[derive(Debug)]
pub(super) struct Place {
    crowd: Arc<Crowd>,
    id: u64,
}

const UNKNOWN: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);

impl Crowd {
    pub(super) fn new(limits: &Limits) -> Self {
        Self { places: limits.connections, of_source: limits.connections_of_source, here: Mutex::default() }
    }

    /// Gives a place to a connection that `begin` begins with it. Where all are taken somebody makes way; where nobody can it is not begun.
    pub(super) fn admit(self: &Arc<Self>, begin: impl FnOnce(Place) -> AbortHandle) {
        let Some(id) = self.here().enter(self.places) else { return };
        let end = begin(Place { crowd: Arc::clone(self), id });
        if let Some(guest) = self.here().guests.get_mut(&id) {
            guest.end = Some(end);
        }
    }

    fn here(&self) -> MutexGuard<'_, Here> {
        self.here.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Here {
    fn enter(&mut self, places: usize) -> Option<u64> {
        if self.guests.len() >= places {
            let gone = self.guests.remove(&self.who_makes_way()?)?;
            gone.end.inspect(AbortHandle::abort);
        }
        let id = self.turn();
        self.guests.insert(id, Guest { source: None, allotment: UNKNOWN, awaited: Some(id), end: None });
        Some(id)
    }

    /// Of the allotment that holds most places, whoever has been waited for longest. Where each holds one, that is the longest of all.
    fn who_makes_way(&self) -> Option<u64> {
        let mut held = HashMap::<IpAddr, usize>::new();
        for guest in self.guests.values() {
            let count = held.entry(guest.allotment).or_default();
            *count = count.saturating_add(1);
        }
        let awaited = self.guests.iter().filter_map(|(id, guest)| Some((held.get(&guest.allotment), Reverse(guest.awaited?), *id)));
        awaited.max().map(|(.., id)| id)
    }

    fn turn(&mut self) -> u64 {
        self.turn = self.turn.saturating_add(1);
        self.turn
    }
}

impl Place {
    /// Says whom it is for. Whether the source has not all of its places already.
    pub(super) fn sit(&self, peer: Option<IpAddr>) -> bool {
        let peer = peer.unwrap_or(UNKNOWN);
        let (source, allotment) = (rates::source(peer), rates::allotment(peer));
        let mut here = self.crowd.here();
        let others = here.guests.iter().filter(|(id, guest)| **id != self.id && guest.source == Some(source)).count();
        if let Some(guest) = here.guests.get_mut(&self.id) {
            (guest.source, guest.allotment) = (Some(source), allotment);
        }
        others < self.crowd.of_source
    }

    /// A request is whole, and is being answered.
    pub(super) fn is_asking(&self) {
        self.set(|_| None);
    }

    /// The answer is ready: the page waits for them to take it, and for the next request.
    pub(super) fn is_answered(&self) {
        self.set(|here| Some(here.turn()));
    }

    fn set(&self, awaited: impl FnOnce(&mut Here) -> Option<u64>) {
        let mut here = self.crowd.here();
        let awaited = awaited(&mut here);
        if let Some(guest) = here.guests.get_mut(&self.id) {
            guest.awaited = awaited;
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.crowd.here().guests.remove(&self.id);
    }
}

#[cfg(test)]
mod tests {
    use core::future::pending;

    use tokio::runtime::Builder;
    use tokio::task::yield_now;

    use super::*;

    fn crowd(connections: usize, connections_of_source: usize) -> Arc<Crowd> {
        Arc::new(Crowd::new(&Limits { connections, connections_of_source, ..Limits::default() }))
    }

    /// A connection of this source that does nothing by itself.
    fn come(crowd: &Arc<Crowd>, from: &str) -> Option<Place> {
        let mut place = None;
        crowd.admit(|given| {
            given.sit(Some(from.parse().unwrap()));
            place = Some(given);
            tokio::spawn(pending::<()>()).abort_handle()
        });
        place
    }

    /// The places of those who are still here.
    fn here(crowd: &Arc<Crowd>) -> Vec<u64> {
        let mut here: Vec<u64> = crowd.here().guests.keys().copied().collect();
        here.sort_unstable();
        here
    }

    fn run(test: impl Future<Output = ()>) {
        Builder::new_current_thread().build().unwrap().block_on(test);
    }

    #[test]
    fn a_source_has_its_places_and_gives_them_back() {
        run(async {
            let crowd = crowd(4, 2);
            let (_first, second, third) =
                (come(&crowd, "192.0.2.1").unwrap(), come(&crowd, "192.0.2.1").unwrap(), come(&crowd, "192.0.2.2").unwrap());
            let here = Some("192.0.2.1".parse().unwrap());
            assert!(second.sit(here) && !third.sit(here));
            drop(second);
            assert!(third.sit(here));
            drop((_first, third));
            assert!(crowd.here().guests.is_empty());
        });
    }

    #[test]
    fn idle_connections_of_few_do_not_shut_the_page_to_others() {
        run(async {
            let crowd = crowd(8, 2);
            // One allotment has four networks, and takes two places from each.
            let held: Vec<Place> = (0..8).map(|n| come(&crowd, &format!("2001:db8:1:{}::1", n / 2)).expect("a place")).collect();
            let ends: Vec<AbortHandle> = held.iter().filter_map(|place| crowd.here().guests[&place.id].end.clone()).collect();
            let honest = come(&crowd, "198.51.100.1").expect("somebody makes way");
            yield_now().await;
            assert_eq!(ends.iter().map(AbortHandle::is_finished).collect::<Vec<_>>(), (0..8).map(|n| n == 0).collect::<Vec<_>>());
            // However often the others come again, it is one of theirs that makes way.
            let again: Vec<Option<Place>> = (0..50).map(|n| come(&crowd, &format!("2001:db8:1:{}::1", 100 + n))).collect();
            assert!(again.iter().all(Option::is_some) && here(&crowd).contains(&honest.id));
            assert_eq!(here(&crowd).len(), 8, "there are so many places");
        });
    }

    #[test]
    fn where_each_holds_one_place_whoever_was_waited_for_longest_makes_way() {
        run(async {
            let crowd = crowd(3, 2);
            let [first, second, third] = ["192.0.2.1", "192.0.2.2", "192.0.2.3"].map(|from| come(&crowd, from).expect("a place"));
            first.is_asking();
            first.is_answered();
            let fourth = come(&crowd, "192.0.2.4").expect("the second makes way");
            assert_eq!(here(&crowd), [first.id, third.id, fourth.id]);
            drop(second);
            assert_eq!(here(&crowd).len(), 3, "whoever made way gives nothing back");
        });
    }

    #[test]
    fn who_is_being_answered_does_not_make_way() {
        run(async {
            let crowd = crowd(2, 2);
            let [first, second] = ["192.0.2.1", "192.0.2.1"].map(|from| come(&crowd, from).expect("a place"));
            first.is_asking();
            second.is_asking();
            assert!(come(&crowd, "192.0.2.2").is_none());
            second.is_answered();
            assert!(come(&crowd, "192.0.2.2").is_some_and(|_| here(&crowd).contains(&first.id)));
        });
    }

    #[test]
    fn there_may_be_no_place_at_all() {
        run(async { assert!(come(&crowd(0, 2), "192.0.2.1").is_none()) });
    }
}
