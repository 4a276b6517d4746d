//! Tickets: rotation, forgery, other routes, other boxes.

use alloc::boxed::Box;
use core::time::Duration;

use super::*;

const HOUR_S: u64 = 3600;
const TIMES: TicketTimes = TicketTimes { lifetime_s: 7200, rotation_s: 3600 };
/// The start of an hour.
const START_S: u64 = 1_800_000_000;

fn clock() -> Clock {
    Clock::new(Duration::from_secs(START_S))
}

fn set(clock: &Clock, after_start_s: u64) {
    clock.set(Duration::from_secs(START_S + after_start_s));
}

fn ticketer_with(keys: &TicketKeys, domain: &[u8]) -> Ticketer {
    let random = Box::leak(Box::new(Drbg::new(Zeroizing::new([9; 32]))));
    Ticketer::new(keys.clone(), domain, random)
}

fn ticketer(seed: u8, domain: &[u8], clock: &Clock) -> Ticketer {
    ticketer_with(&TicketKeys::of_boot(&Secret::new([seed; 32]), TIMES, clock), domain)
}

fn shared(key: u8, clock: &Clock) -> Ticketer {
    ticketer_with(&TicketKeys::shared(&Secret::new([key; 32]), TIMES, clock), b"route")
}

fn opens(ticketer: &Ticketer, ticket: &[u8]) -> bool {
    let plain = ticketer.decrypt(ticket);
    assert!(plain.as_deref().is_none_or(|plain| plain == b"state"));
    plain.is_some()
}

#[test]
fn a_ticket_opens_for_its_lifetime_over_rotations_and_one_second_more_is_too_late() {
    let makes: [fn(&Clock) -> Ticketer; 2] = [|clock| ticketer(1, b"route", clock), |clock| shared(1, clock)];
    for make in makes {
        let clock = clock();
        let ticketer = make(&clock);
        set(&clock, HOUR_S - 1);
        let ticket = ticketer.encrypt(b"state").unwrap();
        for after in [HOUR_S - 1, HOUR_S, 2 * HOUR_S, 3 * HOUR_S - 1] {
            set(&clock, after);
            assert!(opens(&ticketer, &ticket), "{after}");
        }
        set(&clock, 3 * HOUR_S);
        assert!(!opens(&ticketer, &ticket));
    }
}

#[test]
fn a_secret_is_gone_once_no_ticket_needs_it() {
    let clock = clock();
    let ticketer = ticketer(1, b"route", &clock);
    for hour in 0..20 {
        set(&clock, hour * HOUR_S);
        let _ = ticketer.encrypt(b"state").unwrap();
        let Origin::Ratchet(ratchet) = &*ticketer.keys.0.origin.lock() else { unreachable!() };
        assert_eq!(ratchet.past.len() as u64, hour.min(2));
        assert!(ratchet.past.iter().all(|(period, _)| ratchet.period - period <= 2));
    }
}

#[test]
fn the_ratchet_does_not_go_back() {
    let clock = clock();
    let ticketer = ticketer(1, b"route", &clock);
    let early = ticketer.encrypt(b"state").unwrap();
    set(&clock, 9 * HOUR_S);
    let _ = ticketer.encrypt(b"state").unwrap();
    set(&clock, 0);
    assert!(!opens(&ticketer, &early), "its secret is gone");
    let late = ticketer.encrypt(b"state").unwrap();
    assert!(opens(&ticketer, &late), "new ones are sealed under the secret that is there");
}

#[test]
fn a_new_period_seals_under_a_new_key() {
    let clock = clock();
    let keys = TicketKeys::of_boot(&Secret::new([1; 32]), TIMES, &clock);
    let (first, _) = keys.current(b"route");
    set(&clock, HOUR_S);
    let (second, _) = keys.current(b"route");
    assert_eq!(second, first + 1);
    let Origin::Ratchet(ratchet) = &*keys.0.origin.lock() else { unreachable!() };
    assert_ne!(ratchet.secret_of(first), ratchet.secret_of(second));
}

#[test]
fn a_clock_set_back_refuses_tickets_from_its_future() {
    let clock = clock();
    let ticketer = ticketer(1, b"route", &clock);
    set(&clock, 10);
    let ticket = ticketer.encrypt(b"state").unwrap();
    set(&clock, 9);
    assert!(!opens(&ticketer, &ticket));
}

#[test]
fn boxes_that_share_a_key_open_each_others_tickets_even_if_one_clock_is_ahead() {
    let (here, there) = (clock(), clock());
    set(&there, 2 * HOUR_S + TICKET_SKEW_S - 1);
    let (one, two) = (shared(1, &here), shared(1, &there));
    set(&here, 2 * HOUR_S - 1);
    assert!(opens(&one, &two.encrypt(b"state").unwrap()), "of the period to come");
    assert!(opens(&two, &one.encrypt(b"state").unwrap()));
    set(&there, 2 * HOUR_S + TICKET_SKEW_S);
    assert!(!opens(&one, &two.encrypt(b"state").unwrap()), "one second too far");
    assert!(!opens(&shared(2, &here), &one.encrypt(b"state").unwrap()), "another key");
}

#[test]
fn another_route_another_boot_and_a_forgery_open_nothing() {
    let clock = clock();
    let ticketer_a = ticketer(1, b"route a", &clock);
    let ticket = ticketer_a.encrypt(b"state").unwrap();
    assert!(!opens(&ticketer(1, b"route b", &clock), &ticket));
    assert!(!opens(&ticketer(2, b"route a", &clock), &ticket));
    assert!(!opens(&ticketer_with(&TicketKeys::shared(&Secret::new([1; 32]), TIMES, &clock), b"route a"), &ticket));
    for at in 0..ticket.len() {
        let mut forged = ticket.clone();
        forged[at] ^= 1;
        assert!(!opens(&ticketer_a, &forged), "byte {at}");
    }
    for len in 0..ticket.len() {
        assert!(!opens(&ticketer_a, &ticket[..len]), "cut to {len}");
    }
}

#[test]
fn times_out_of_bounds_are_brought_within_them() {
    let bounded = |lifetime_s, rotation_s| TicketTimes { lifetime_s, rotation_s }.bounded();
    assert_eq!(bounded(0, 0), TicketTimes { lifetime_s: 1, rotation_s: 1 });
    assert_eq!(bounded(u32::MAX, 1).periods(), u64::from(TICKET_KEYS_MAX));
    assert_eq!(bounded(7200, u32::MAX).periods(), 1);
}
