//! Session tickets without state: what a client must bring back is sealed under keys that change by the hour and that no other
//! configuration has.
//!
//! A ticket is `key id (8) | nonce (12) | AES-256-GCM(issued at (8) | rustls' session state)`, the key id authenticated. Keys follow a
//! ratchet: each period's secret is made of the last one's, which is then gone; so what leaks today opens no ticket from before the
//! previous period. A ticket that does not open (forged, too old, of another route or boot) costs one full handshake and nothing else.

use alloc::vec::Vec;

use keys::Secret;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::hmac::{self, HMAC_SHA256};
use rustls::server::ProducesTickets;
use spin::Mutex;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::Clock;
use crate::limits::TICKET_LIFETIME_MAX_S;
use crate::random::Drbg;

const ID_LEN: usize = 8;
const TIME_LEN: usize = 8;
const HEADER_LEN: usize = ID_LEN + NONCE_LEN;

/// Seals and opens the tickets of one configuration.
pub(crate) struct Ticketer {
    ring: Mutex<KeyRing>,
    lifetime_s: u32,
    clock: Clock,
    random: &'static Drbg,
}

impl Ticketer {
    /// `domain` tells this configuration's keys from those that others derive from the same secret.
    pub(crate) fn new(secret: &Secret<[u8; 32]>, domain: &[u8], lifetime_s: u32, clock: Clock, random: &'static Drbg) -> Self {
        let lifetime_s = lifetime_s.clamp(1, TICKET_LIFETIME_MAX_S);
        let period = clock.unix_s() / u64::from(lifetime_s);
        let chain = derive(secret.expose(), b"bountybox ticket domain", domain);
        Self { ring: Mutex::new(KeyRing::new(chain, period)), lifetime_s, clock, random }
    }

    /// Brings the ring to the current period and lets `f` use it.
    fn with_keys<R>(&self, f: impl FnOnce(&KeyRing) -> R) -> R {
        let mut ring = self.ring.lock();
        ring.advance(self.clock.unix_s() / u64::from(self.lifetime_s));
        f(&ring)
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
        self.lifetime_s
    }

    fn encrypt(&self, plain: &[u8]) -> Option<Vec<u8>> {
        let mut nonce = [0; NONCE_LEN];
        self.random.draw(&mut nonce);
        self.with_keys(|ring| ring.current.seal(nonce, self.clock.unix_s(), plain))
    }

    fn decrypt(&self, ticket: &[u8]) -> Option<Vec<u8>> {
        let (issued_s, plain) = self.with_keys(|ring| ring.open(ticket))?;
        // A ticket from the future was made before the clock was set back: it is refused as well.
        let age_s = self.clock.unix_s().checked_sub(issued_s)?;
        (age_s <= u64::from(self.lifetime_s)).then_some(plain)
    }
}

/// The keys of this period and of the last.
struct KeyRing {
    chain: Zeroizing<[u8; 32]>,
    period: u64,
    current: TicketKey,
    previous: Option<TicketKey>,
}

impl KeyRing {
    fn new(chain: Zeroizing<[u8; 32]>, period: u64) -> Self {
        let (chain, current) = TicketKey::of_period(&chain, period);
        Self { chain, period, current, previous: None }
    }

    /// Goes on to `period`. Periods that were skipped leave no keys; a clock that was set back changes nothing.
    fn advance(&mut self, period: u64) {
        if period <= self.period {
            return;
        }
        let (chain, next) = TicketKey::of_period(&self.chain, period);
        let last = core::mem::replace(&mut self.current, next);
        self.previous = (period - self.period == 1).then_some(last);
        self.chain = chain;
        self.period = period;
    }

    fn open(&self, ticket: &[u8]) -> Option<(u64, Vec<u8>)> {
        let (id, _) = ticket.split_first_chunk::<ID_LEN>()?;
        let keys = core::iter::once(&self.current).chain(&self.previous);
        keys.into_iter().find(|key| bool::from(key.id.ct_eq(id)))?.open(ticket)
    }
}

struct TicketKey {
    id: [u8; ID_LEN],
    key: LessSafeKey,
}

impl TicketKey {
    /// The chain behind `period`, and the key of that period.
    fn of_period(chain: &[u8; 32], period: u64) -> (Zeroizing<[u8; 32]>, Self) {
        let secret = derive(chain, b"bountybox ticket period", &period.to_be_bytes());
        let id = derive(&secret, b"bountybox ticket key id", &[]);
        let key = derive(&secret, b"bountybox ticket key", &[]);
        let key = UnboundKey::new(&AES_256_GCM, &*key).expect("invariant: AES-256 takes 32 bytes");
        let id = *id.first_chunk().expect("invariant: 8 of 32 bytes");
        (derive(&secret, b"bountybox ticket next", &[]), Self { id, key: LessSafeKey::new(key) })
    }

    fn seal(&self, nonce: [u8; NONCE_LEN], issued_s: u64, plain: &[u8]) -> Option<Vec<u8>> {
        let mut body = Vec::with_capacity(HEADER_LEN + TIME_LEN + plain.len() + AES_256_GCM.tag_len());
        body.extend_from_slice(&issued_s.to_be_bytes());
        body.extend_from_slice(plain);
        self.key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(self.id), &mut body).ok()?;
        body.splice(..0, self.id.into_iter().chain(nonce));
        Some(body)
    }

    fn open(&self, ticket: &[u8]) -> Option<(u64, Vec<u8>)> {
        let (id, rest) = ticket.split_first_chunk::<ID_LEN>()?;
        let (nonce, sealed) = rest.split_first_chunk::<NONCE_LEN>()?;
        let mut sealed = Zeroizing::new(sealed.to_vec());
        let plain = self.key.open_in_place(Nonce::assume_unique_for_key(*nonce), Aad::from(id), &mut sealed).ok()?;
        let (issued_s, plain) = plain.split_first_chunk::<TIME_LEN>()?;
        Some((u64::from_be_bytes(*issued_s), plain.to_vec()))
    }
}

/// HMAC-SHA256 as a key derivation: `label` and `input` under `secret`.
fn derive(secret: &[u8; 32], label: &[u8], input: &[u8]) -> Zeroizing<[u8; 32]> {
    let mut context = hmac::Context::with_key(&hmac::Key::new(HMAC_SHA256, secret));
    context.update(label);
    context.update(&[0]);
    context.update(input);
    let tag = context.sign();
    Zeroizing::new(tag.as_ref().try_into().expect("invariant: SHA-256 gives 32 bytes"))
}

#[cfg(test)]
mod tests;
