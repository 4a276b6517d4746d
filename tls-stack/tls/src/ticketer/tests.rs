//! Tickets: rotation, forgery, other routes.

use alloc::boxed::Box;
use core::time::Duration;

use super::*;

const HOUR_S: u32 = 3600;
const START_S: u64 = 1_800_000_000;

fn ticketer(seed: u8, domain: &[u8], clock: &Clock) -> Ticketer {
    let random = Box::leak(Box::new(Drbg::new(Zeroizing::new([9; 32]))));
    Ticketer::new(&Secret::new([seed; 32]), domain, HOUR_S, clock.clone(), random)
}

fn clock() -> Clock {
    Clock::new(Duration::from_secs(START_S))
}

fn set(clock: &Clock, after_start_s: u64) {
    clock.set(Duration::from_secs(START_S + after_start_s));
}

#[test]
fn a_ticket_opens_for_its_lifetime_and_one_second_more_is_too_late() {
    let clock = clock();
    let ticketer = ticketer(1, b"route", &clock);
    set(&clock, 100);
    let ticket = ticketer.encrypt(b"state").unwrap();
    assert_eq!(ticketer.decrypt(&ticket).as_deref(), Some(&b"state"[..]));
    set(&clock, 100 + u64::from(HOUR_S));
    assert_eq!(ticketer.decrypt(&ticket).as_deref(), Some(&b"state"[..]), "under the previous key");
    set(&clock, 101 + u64::from(HOUR_S));
    assert_eq!(ticketer.decrypt(&ticket), None);
}

#[test]
fn two_periods_later_the_key_is_gone() {
    let clock = clock();
    let ticketer = ticketer(1, b"route", &clock);
    let ticket = ticketer.encrypt(b"state").unwrap();
    set(&clock, 2 * u64::from(HOUR_S));
    assert_eq!(ticketer.decrypt(&ticket), None);
    assert!(ticketer.ring.lock().previous.is_none(), "a skipped period leaves no key");
}

#[test]
fn a_new_period_seals_under_a_new_key() {
    let clock = clock();
    let ticketer = ticketer(1, b"route", &clock);
    let before = ticketer.encrypt(b"state").unwrap();
    set(&clock, u64::from(HOUR_S));
    let after = ticketer.encrypt(b"state").unwrap();
    assert_ne!(before[..ID_LEN], after[..ID_LEN]);
}

#[test]
fn a_clock_set_back_refuses_tickets_from_its_future() {
    let clock = clock();
    let ticketer = ticketer(1, b"route", &clock);
    set(&clock, 10);
    let ticket = ticketer.encrypt(b"state").unwrap();
    set(&clock, 9);
    assert_eq!(ticketer.decrypt(&ticket), None);
}

#[test]
fn another_route_another_boot_and_a_forgery_open_nothing() {
    let clock = clock();
    let ticketer_a = ticketer(1, b"route a", &clock);
    let ticket = ticketer_a.encrypt(b"state").unwrap();
    assert_eq!(ticketer(1, b"route b", &clock).decrypt(&ticket), None);
    assert_eq!(ticketer(2, b"route a", &clock).decrypt(&ticket), None);
    for at in 0..ticket.len() {
        let mut forged = ticket.clone();
        forged[at] ^= 1;
        assert_eq!(ticketer_a.decrypt(&forged), None, "byte {at}");
    }
    for len in 0..ticket.len() {
        assert_eq!(ticketer_a.decrypt(&ticket[..len]), None, "cut to {len}");
    }
}

#[test]
fn a_ticket_of_another_key_with_our_key_id_does_not_open() {
    let clock = clock();
    let (ours, theirs) = (ticketer(1, b"route", &clock), ticketer(2, b"route", &clock));
    let mut ticket = theirs.encrypt(b"state").unwrap();
    ticket[..ID_LEN].copy_from_slice(&ours.ring.lock().current.id);
    assert_eq!(ours.decrypt(&ticket), None);
}
