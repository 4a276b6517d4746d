//! What the other ends draw. It follows from how much has been drawn since the input began, so that an input does the same whenever and wherever it is tried. What the box draws follows
//! from its seed. Shares of P-256 alone are *ring*'s to draw, for whoever asks for another share than that of X25519.

use core::cell::Cell;

use rustls_std::crypto::{GetRandomFailed, SecureRandom};

thread_local! {
    /// Words that have been drawn.
    static DRAWN: Cell<u64> = const { Cell::new(0) };
}

/// The randomness of a peer that is rustls.
#[derive(Debug)]
pub(crate) struct Draws;

impl SecureRandom for Draws {
    fn fill(&self, buf: &mut [u8]) -> Result<(), GetRandomFailed> {
        for piece in buf.chunks_mut(8) {
            let word = DRAWN.replace(DRAWN.get() + 1);
            piece.copy_from_slice(&mixed(word).to_le_bytes()[..piece.len()]);
        }
        Ok(())
    }
}

/// An input begins.
pub(crate) fn rewind() {
    DRAWN.set(0);
}

/// Something is made that all inputs share, in whichever it is wanted first: it neither follows from that one nor changes it.
pub(crate) fn apart<T>(make: impl FnOnce() -> T) -> T {
    let drawn = DRAWN.replace(0);
    let made = make();
    DRAWN.set(drawn);
    made
}

/// SplitMix64's output function, of its state after so many steps.
fn mixed(word: u64) -> u64 {
    let mut z = word.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ z >> 31
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{cell, dial, peer, record};

    type Input<'i> = (fn(&[u8]), &'i [u8]);

    fn draw() -> [u8; 12] {
        let mut buf = [0; 12];
        Draws.fill(&mut buf).expect("it never fails");
        buf
    }

    /// By the secrets of the traffic, in which all that either end has drawn and said comes together.
    #[test]
    fn an_input_does_the_same_whatever_came_before_it() {
        let secrets = |target: fn(&[u8]), input: &[u8]| {
            peer::forget_secrets();
            target(input);
            peer::traffic_secrets()
        };
        let connects = [0, 0, 0, 0, 7, 0, 4, 0, 0, 0, 7, 0, 4];
        let inputs: [Input<'_>; 4] = [(cell, &connects), (record, &[0]), (record, &[2]), (dial, &[0; 3])];
        let all = || inputs.map(|(target, input)| secrets(target, input));
        let first = all();
        assert!(first.iter().flatten().all(|secret| secret.len() == 32), "hands are shaken: {first:?}");
        assert_ne!(first[1], first[2], "a resumption is another handshake");
        (1..inputs.len()).for_each(|at| drop(secrets(inputs[at].0, inputs[at].1)));
        assert_eq!(all(), first);
    }

    #[test]
    fn what_is_drawn_follows_from_what_was_drawn_since_the_input_began() {
        rewind();
        let (one, other) = (draw(), draw());
        assert_ne!(one, other);
        rewind();
        assert_eq!(draw(), one);
        assert_eq!(apart(draw), one, "as at a beginning");
        assert_eq!(draw(), other, "nobody has drawn between");
    }
}
