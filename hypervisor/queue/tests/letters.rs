//! Letters: whatever the other side leaves in a mailbox window, what is read lies within it, and nothing panics.

use abi::limits::OUTBOX_WINDOW_LEN;
use abi::mailbox::{DONE, HEADER_LEN, NONE, RELOAD};
use proptest::prelude::*;
use queue::{Fault, Letter, discard, letter, post};

/// A window whose header claims this.
fn claim(kind: u32, len: u32, window_len: usize) -> Vec<u8> {
    let mut window = vec![7; window_len];
    window[..4].copy_from_slice(&kind.to_le_bytes());
    window[4..8].copy_from_slice(&len.to_le_bytes());
    window
}

fn put(window: &mut [u8], kind: u32, bytes: &[u8]) -> Result<usize, Fault> {
    post(window, kind, |space| {
        space[..bytes.len()].copy_from_slice(bytes);
        bytes.len()
    })
}

proptest! {
    #[test]
    fn what_is_posted_is_read(kind in 1_u32.., bytes in prop::collection::vec(any::<u8>(), 0..5000)) {
        let mut window = vec![0xff; OUTBOX_WINDOW_LEN];
        prop_assert_eq!(put(&mut window, kind, &bytes), Ok(HEADER_LEN + bytes.len()));
        prop_assert_eq!(letter(&window), Ok(Some(Letter { kind, bytes: &bytes })));
        discard(&mut window);
        prop_assert_eq!(letter(&window), Ok(None));
    }

    #[test]
    fn any_claim_is_refused_or_within_the_window(kind in any::<u32>(), len in prop_oneof![any::<u32>(), 0_u32..300], window_len in HEADER_LEN..300) {
        let window = claim(kind, len, window_len);
        match letter(&window) {
            Ok(None) => prop_assert_eq!(kind, NONE),
            Ok(Some(letter)) => {
                prop_assert!(letter.kind == kind && letter.bytes.len() == len as usize);
                prop_assert!(window.as_ptr_range().end >= letter.bytes.as_ptr_range().end);
            }
            Err(fault) => prop_assert!(fault == Fault::PeerLength && len as usize > window_len - HEADER_LEN),
        }
    }
}

#[test]
fn a_letter_may_fill_its_window_and_no_more() {
    let full = claim(RELOAD, 92, 100);
    assert_eq!(letter(&full).unwrap().unwrap().bytes.len(), 92);
    assert_eq!(letter(&claim(RELOAD, 93, 100)), Err(Fault::PeerLength));
    assert_eq!(letter(&[0; HEADER_LEN - 1]), Err(Fault::WindowTooShort));
}

#[test]
fn a_letter_that_does_not_fit_leaves_none_behind() {
    let mut window = claim(DONE, 4, 100);
    assert_eq!(post(&mut window, RELOAD, |space| space.len() + 1), Err(Fault::Full));
    assert_eq!(letter(&window), Ok(None));
    assert_eq!(post(&mut window, RELOAD, |space| space.len()), Ok(100));
}
