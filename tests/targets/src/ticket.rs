//! Boundary: what a client brings back as a ticket, at any time, to any route.

use core::time::Duration;

use keys::Secret;
use ring::digest::{SHA256, digest};
use tls::{Clock, TicketKeys, TicketTimes};

use crate::script::Script;

const START_S: u64 = 1_800_000_000;
const LIFETIME_S: u32 = 7200;
const TIMES: TicketTimes = TicketTimes { lifetime_s: LIFETIME_S, rotation_s: 3600 };
/// How far ahead the clock of another box may be.
const SKEW_S: u64 = tls::limits::TICKET_SKEW_S;
const NONCE: [u8; 12] = [5; 12];

/// The first byte chooses: bytes that never were a ticket, or a ticket of ours that is changed and comes late, to boot keys or shared ones.
pub fn ticket(data: &[u8]) {
    let mut script = Script(data);
    let choice = script.byte();
    let clock = Clock::new(Duration::from_secs(START_S));
    // A fuzzer sees what a tag is compared with. Of other bytes it is another one.
    let secret = digest(&SHA256, data).as_ref().try_into().expect("32 bytes");
    let secret = Secret::<[u8; 32]>::new(secret);
    let is_shared = choice & 2 != 0;
    let keys = if is_shared { TicketKeys::shared(&secret, TIMES, &clock) } else { TicketKeys::of_boot(&secret, TIMES, &clock) };
    if choice & 1 == 0 {
        assert_eq!(keys.open(b"route", script.0), None, "a ticket that nobody made");
        return;
    }
    round(&keys, &clock, script, if is_shared { SKEW_S } else { 0 });
}

/// A ticket opens if nobody touched it, its time has come and is not over, and it is this route's.
fn round(keys: &TicketKeys, clock: &Clock, mut script: Script<'_>, skew_s: u64) {
    let made_s = START_S + u64::from(script.short());
    clock.set(Duration::from_secs(made_s));
    let state = script.text();
    let Some(whole) = keys.seal(b"route", NONCE, state) else { return };
    let mut ticket = whole.clone();
    for _ in 0..script.byte() % 4 {
        let (at, change) = (usize::from(script.short()) % ticket.len(), script.byte());
        ticket[at] ^= change;
    }
    let cut = usize::from(script.byte() % 8).saturating_sub(4);
    ticket.truncate(ticket.len() - cut.min(ticket.len()));
    let domain: &[u8] = if script.byte() % 8 == 7 { b"other" } else { b"route" };
    // The clock goes forth, and sometimes back.
    let mut now_s = made_s;
    let mut is_straight = true;
    for _ in 0..3 {
        let by_s = u64::from(script.short());
        let back = script.byte() % 8 == 7;
        now_s = if back { now_s - by_s } else { now_s + by_s };
        is_straight &= !back || by_s == 0;
        clock.set(Duration::from_secs(now_s));
        let opened = keys.open(domain, &ticket);
        let counts = made_s <= now_s + skew_s && now_s.saturating_sub(made_s) <= LIFETIME_S.into();
        let is_good = ticket == whole && domain == b"route" && counts;
        assert!(opened.is_none() || is_good, "a ticket that should not open, {now_s} s");
        assert!(opened.is_some() || !is_good || !is_straight, "a ticket that should open, {now_s} s");
        assert!(opened.is_none_or(|opened| opened == state));
    }
}
