//! Session tickets without state: what a client must bring back is sealed under keys that change with each period and that no other configuration has.
//!
//! A ticket is `period (8) | nonce (12) | AES-256-GCM(issued at (8) | rustls' session state)`, the period authenticated. Each period has a secret,
//! and each configuration its own key made of that and of its domain. There are two ways to a period's secret:
//!
//! - [`TicketKeys::of_boot`]: a ratchet. Each period's secret is made of the last one's, which is then gone as soon as no ticket may need it any more: what
//!   leaks today opens nothing that is older than the lifetime.
//! - [`TicketKeys::shared`]: each made of one key, which several boxes have. They open each other's tickets, without talking to each other; and
//!   whoever gets at that key opens all tickets that were ever sealed with it. It is for the owner to change the key.
//!
//! A ticket that does not open (forged, too old, of another route or boot) costs one full handshake and nothing else. Secrets at rest are wiped when they
//! are dropped; the AES key that ring expands for one ticket lies on the stack for as long as that takes.

use alloc::sync::Arc;
use alloc::vec::Vec;

use keys::Secret;
use keys::limits::TICKET_KEYS_MAX;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::hmac::{self, HMAC_SHA256};
use rustls::server::ProducesTickets;
use spin::Mutex;
use zeroize::Zeroizing;

use crate::Clock;
use crate::limits::{TICKET_LIFETIME_MAX_S, TICKET_SKEW_S};
use crate::random::Drbg;

const PERIOD_LEN: usize = 8;
const TIME_LEN: usize = 8;
const SECRET_LEN: usize = 32;

type PeriodSecret = Zeroizing<[u8; SECRET_LEN]>;

/// The secrets of all periods whose tickets still count, for any number of configurations; cheap to clone.
///
/// Whoever changes configurations without a new start keeps this, and the tickets with it.
#[derive(Clone)]
pub struct TicketKeys(Arc<Shared>);

struct Shared {
    origin: Mutex<Origin>,
    times: TicketTimes,
    clock: Clock,
}

/// How long tickets and their keys live.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TicketTimes {
    /// How long a ticket is good for, in seconds; from 1 to [`TICKET_LIFETIME_MAX_S`].
    pub lifetime_s: u32,
    /// How long new tickets are sealed under one key, in seconds; at least a [`TICKET_KEYS_MAX`]th of the lifetime.
    pub rotation_s: u32,
}

impl TicketTimes {
    /// The nearest that is within the bounds.
    fn bounded(self) -> Self {
        let lifetime_s = self.lifetime_s.clamp(1, TICKET_LIFETIME_MAX_S);
        let least = lifetime_s.div_ceil(TICKET_KEYS_MAX);
        Self { lifetime_s, rotation_s: self.rotation_s.clamp(least, TICKET_LIFETIME_MAX_S) }
    }

    /// How many periods a ticket may be older than the current one.
    fn periods(self) -> u64 {
        u64::from(self.lifetime_s.div_ceil(self.rotation_s))
    }
}

impl TicketKeys {
    /// Keys that begin and end with this boot; `secret` must be fresh.
    pub fn of_boot(secret: &Secret<[u8; SECRET_LEN]>, times: TicketTimes, clock: &Clock) -> Self {
        let times = times.bounded();
        let first = derive(secret.expose(), b"bountybox ticket boot", &[]);
        Self::new(Origin::Ratchet(Ratchet::new(&first, period_at(clock, times))), times, clock)
    }

    /// Keys that every box with the same key has. Their clocks may differ by [`TICKET_SKEW_S`].
    pub fn shared(key: &Secret<[u8; SECRET_LEN]>, times: TicketTimes, clock: &Clock) -> Self {
        let key = derive(key.expose(), b"bountybox ticket shared", &[]);
        Self::new(Origin::Common(key), times.bounded(), clock)
    }

    /// Whether both are the same keys, and not only alike.
    pub fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// Seals what a client is to bring back, for the configuration of this domain. A nonce may serve once.
    pub fn seal(&self, domain: &[u8], nonce: [u8; NONCE_LEN], plain: &[u8]) -> Option<Vec<u8>> {
        let (period, key) = self.current(domain);
        seal(&key, period, nonce, self.now_s(), plain)
    }

    /// What was sealed, if this is a ticket of this domain that counts now. Nothing is learnt from any other.
    pub fn open(&self, domain: &[u8], ticket: &[u8]) -> Option<Vec<u8>> {
        let (period, rest) = ticket.split_first_chunk::<PERIOD_LEN>()?;
        let key = self.of_period(u64::from_be_bytes(*period), domain)?;
        let (issued_s, plain) = open(&key, period, rest)?;
        // A ticket from the future was made before the clock was set back, or by a box whose clock is far off: it is refused as well.
        let now_s = self.now_s();
        let counts = issued_s <= now_s.saturating_add(self.skew_s());
        let age_s = now_s.saturating_sub(issued_s);
        (counts && age_s <= u64::from(self.0.times.lifetime_s)).then_some(plain)
    }

    fn now_s(&self) -> u64 {
        self.0.clock.unix_s()
    }

    fn new(origin: Origin, times: TicketTimes, clock: &Clock) -> Self {
        Self(Arc::new(Shared { origin: Mutex::new(origin), times, clock: clock.clone() }))
    }

    /// The key under which a configuration seals now, and its period.
    fn current(&self, domain: &[u8]) -> (u64, LessSafeKey) {
        let period = period_at(&self.0.clock, self.0.times);
        let (period, secret) = match &mut *self.0.origin.lock() {
            Origin::Ratchet(ratchet) => {
                ratchet.advance(period, self.0.times.periods());
                (ratchet.period, ratchet.secret.clone())
            }
            Origin::Common(key) => (period, secret_of_period(key, period)),
        };
        (period, key_of_domain(&secret, domain))
    }

    /// The key under which a configuration sealed in `period`, if its tickets may still count.
    fn of_period(&self, period: u64, domain: &[u8]) -> Option<LessSafeKey> {
        let now = period_at(&self.0.clock, self.0.times);
        let secret = match &mut *self.0.origin.lock() {
            Origin::Ratchet(ratchet) => {
                ratchet.advance(now, self.0.times.periods());
                ratchet.secret_of(period)?.clone()
            }
            Origin::Common(key) => {
                // One ahead: another box's clock may be.
                let counts = now.saturating_sub(self.0.times.periods())..=now.saturating_add(1);
                counts.contains(&period).then(|| secret_of_period(key, period))?
            }
        };
        Some(key_of_domain(&secret, domain))
    }

    /// How far ahead of ours the clock of a ticket's maker may be, in seconds.
    fn skew_s(&self) -> u64 {
        if matches!(*self.0.origin.lock(), Origin::Common(_)) { TICKET_SKEW_S } else { 0 }
    }
}

impl core::fmt::Debug for TicketKeys {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("TicketKeys").field("times", &self.0.times).finish_non_exhaustive()
    }
}

fn period_at(clock: &Clock, times: TicketTimes) -> u64 {
    clock.unix_s().checked_div(times.rotation_s.into()).unwrap_or(0)
}

/// Where the secrets of the periods come from.
enum Origin {
    Ratchet(Ratchet),
    Common(PeriodSecret),
}

/// The secrets of this period and of those before it that still count, and what the next is made of.
struct Ratchet {
    period: u64,
    secret: PeriodSecret,
    /// Oldest first, with their periods; bounded by [`TICKET_KEYS_MAX`].
    past: Vec<(u64, PeriodSecret)>,
}

impl Ratchet {
    fn new(first: &PeriodSecret, period: u64) -> Self {
        Self { period, secret: secret_of_period(first, period), past: Vec::new() }
    }

    /// Goes on to `period`, and forgets what is more than `kept` periods older. Periods that were skipped leave no secrets; a clock that was set back
    /// changes nothing.
    fn advance(&mut self, period: u64, kept: u64) {
        if period <= self.period {
            return;
        }
        let next = secret_of_period(&derive(&self.secret, b"bountybox ticket next", &[]), period);
        let last = core::mem::replace(&mut self.secret, next);
        self.past.push((self.period, last));
        self.period = period;
        self.past.retain(|(past, _)| period.saturating_sub(*past) <= kept);
    }

    fn secret_of(&self, period: u64) -> Option<&PeriodSecret> {
        let past = || self.past.iter().find(|(past, _)| *past == period).map(|(_, secret)| secret);
        if period == self.period { Some(&self.secret) } else { past() }
    }
}

/// Seals and opens the tickets of one configuration.
pub(crate) struct Ticketer {
    keys: TicketKeys,
    domain: Vec<u8>,
    random: &'static Drbg,
}

impl Ticketer {
    /// `domain` tells this configuration's keys from those that others make of the same secrets.
    pub(crate) fn new(keys: TicketKeys, domain: &[u8], random: &'static Drbg) -> Self {
        Self { keys, domain: domain.to_vec(), random }
    }
}

impl core::fmt::Debug for Ticketer {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Ticketer(..)")
    }
}

impl ProducesTickets for Ticketer {
    fn enabled(&self) -> bool {
        true
    }

    fn lifetime(&self) -> u32 {
        self.keys.0.times.lifetime_s
    }

    fn encrypt(&self, plain: &[u8]) -> Option<Vec<u8>> {
        let mut nonce = [0; NONCE_LEN];
        self.random.draw(&mut nonce);
        self.keys.seal(&self.domain, nonce, plain)
    }

    fn decrypt(&self, ticket: &[u8]) -> Option<Vec<u8>> {
        self.keys.open(&self.domain, ticket)
    }
}

fn seal(key: &LessSafeKey, period: u64, nonce: [u8; NONCE_LEN], issued_s: u64, plain: &[u8]) -> Option<Vec<u8>> {
    let period = period.to_be_bytes();
    let mut body = Vec::with_capacity(PERIOD_LEN + NONCE_LEN + TIME_LEN + plain.len() + AES_256_GCM.tag_len());
    body.extend_from_slice(&issued_s.to_be_bytes());
    body.extend_from_slice(plain);
    key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(period), &mut body).ok()?;
    body.splice(..0, period.into_iter().chain(nonce));
    Some(body)
}

fn open(key: &LessSafeKey, period: &[u8; PERIOD_LEN], rest: &[u8]) -> Option<(u64, Vec<u8>)> {
    let (nonce, sealed) = rest.split_first_chunk::<NONCE_LEN>()?;
    let mut sealed = Zeroizing::new(sealed.to_vec());
    let plain = key.open_in_place(Nonce::assume_unique_for_key(*nonce), Aad::from(period), &mut sealed).ok()?;
    let (issued_s, plain) = plain.split_first_chunk::<TIME_LEN>()?;
    Some((u64::from_be_bytes(*issued_s), plain.to_vec()))
}

fn secret_of_period(secret: &PeriodSecret, period: u64) -> PeriodSecret {
    derive(secret, b"bountybox ticket period", &period.to_be_bytes())
}

fn key_of_domain(secret: &PeriodSecret, domain: &[u8]) -> LessSafeKey {
    let key = derive(secret, b"bountybox ticket domain", domain);
    LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &*key).expect("invariant: AES-256 takes 32 bytes"))
}

/// HMAC-SHA256 as a key derivation: `label` and `input` under `secret`.
fn derive(secret: &[u8; SECRET_LEN], label: &[u8], input: &[u8]) -> PeriodSecret {
    let mut context = hmac::Context::with_key(&hmac::Key::new(HMAC_SHA256, secret));
    context.update(label);
    context.update(&[0]);
    context.update(input);
    let tag = context.sign();
    Zeroizing::new(tag.as_ref().try_into().expect("invariant: SHA-256 gives 32 bytes"))
}

#[cfg(test)]
mod tests;
