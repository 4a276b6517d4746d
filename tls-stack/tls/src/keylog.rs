//! The secrets of sessions, given away: for an image that runs recorded cells again (`appliance/build-image keylog`), so that whoever holds a recording and its key can read
//! what was said. No other build has this module.
//!
//! rustls hands secrets out as it makes them; here they wait in memory of their own, no heap, until the image has room for them in its log. So nothing else goes otherwise than it
//! did without them.

use heapless::{Deque, Vec};
use rustls::KeyLog;
use spin::Mutex;

use alloc::sync::Arc;

use crate::limits::{LOGGED_LEN_MAX, LOGGED_MAX};

/// A secret as it is logged: the label's length in one byte, the label, the client's random (32 bytes), the secret. Labels are those of the NSS key log. Where the label has no
/// length, there is a number in eight bytes, little-endian: so many secrets found no room.
pub type Logged = Vec<u8, LOGGED_LEN_MAX>;

/// One for the whole image: rustls knows no context that it would give a key log.
static WAITING: Mutex<Waiting> = Mutex::new(Waiting { secrets: Deque::new(), lost: 0 });

struct Waiting {
    secrets: Deque<Logged, LOGGED_MAX>,
    lost: u64,
}

/// The oldest secret that waits, or how many found no room since that was told last.
#[must_use]
pub fn pop() -> Option<Logged> {
    let mut waiting = WAITING.lock();
    match core::mem::take(&mut waiting.lost) {
        0 => waiting.secrets.pop_front(),
        lost => {
            let mut logged = Logged::from_slice(&[0]).ok()?;
            logged.extend_from_slice(&lost.to_le_bytes()).ok().map(|()| logged)
        }
    }
}

/// Has the sessions of this configuration give their secrets away.
pub(crate) fn give_away(key_log: &mut Arc<dyn KeyLog>) {
    *key_log = Arc::new(Giver);
}

#[derive(Debug)]
struct Giver;

impl KeyLog for Giver {
    fn log(&self, label: &str, client_random: &[u8], secret: &[u8]) {
        let mut waiting = WAITING.lock();
        let kept = logged(label, client_random, secret).and_then(|secret| waiting.secrets.push_back(secret).ok());
        if kept.is_none() {
            waiting.lost = waiting.lost.saturating_add(1);
        }
    }
}

fn logged(label: &str, client_random: &[u8], secret: &[u8]) -> Option<Logged> {
    let mut logged = Logged::new();
    logged.push(u8::try_from(label.len()).ok()?).ok()?;
    for part in [label.as_bytes(), client_random, secret] {
        logged.extend_from_slice(part).ok()?;
    }
    Some(logged)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_come_out_as_they_went_in_and_too_many_are_counted() {
        let random = [7; 32];
        Giver.log("CLIENT_RANDOM", &random, &[9; 48]);
        let wanted = [&[13][..], b"CLIENT_RANDOM", &random, &[9; 48]].concat();
        assert_eq!(pop().as_deref(), Some(&wanted[..]));
        for _ in 0..LOGGED_MAX + 2 {
            Giver.log("LABEL", &random, &[1; 32]);
        }
        Giver.log("LABEL", &random, &[1; 2000]);
        assert_eq!(pop().as_deref(), Some(&[0, 3, 0, 0, 0, 0, 0, 0, 0][..]));
        assert_eq!(core::iter::from_fn(pop).count(), LOGGED_MAX);
    }
}
