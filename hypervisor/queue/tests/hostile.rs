//! Whatever the other side leaves in a window: what is read lies within it, and nothing panics.

use abi::limits::{FRAME_LEN_MAX, QUEUE_DATA_LEN, QUEUE_SLOTS, QUEUE_WINDOW_LEN};
use abi::queue::{DATA_OFFSET, FLAG_NEEDS_CSUM, GSO_TCPV4, HEADER_LEN, SLOT_LEN};
use proptest::prelude::*;
use queue::{Batch, Fault, Offload, clear, frames};

fn window() -> Vec<u8> {
    vec![0; QUEUE_WINDOW_LEN]
}

/// Claims `count` slots whose lengths are `lengths`.
fn claim(count: u32, lengths: &[u32]) -> Vec<u8> {
    let mut window = window();
    window[..4].copy_from_slice(&count.to_le_bytes());
    for (index, len) in lengths.iter().enumerate() {
        let at = HEADER_LEN + index * SLOT_LEN;
        window[at..at + 4].copy_from_slice(&len.to_le_bytes());
    }
    window
}

proptest! {
    #[test]
    fn what_is_pushed_is_read(contents in prop::collection::vec((prop::collection::vec(any::<u8>(), 1..3000), any::<[u16; 4]>()), 0..64)) {
        let mut window = window();
        let mut batch = Batch::new(&mut window).unwrap();
        let offload = |numbers: [u16; 4]| Offload { hdr_len: numbers[0], gso_size: numbers[1], csum_start: numbers[2], csum_offset: numbers[3], ..Offload::default() };
        for (bytes, numbers) in &contents {
            batch.push(bytes, offload(*numbers)).unwrap();
        }
        let read: Vec<_> = frames(&window).unwrap().map(Result::unwrap).collect();
        prop_assert_eq!(read.len(), contents.len());
        for (frame, (bytes, numbers)) in read.iter().zip(&contents) {
            prop_assert_eq!(frame.bytes, &bytes[..]);
            prop_assert_eq!(frame.offload, offload(*numbers));
        }
    }

    #[test]
    fn any_claim_yields_frames_within_the_window(count in any::<u32>(), lengths in prop::collection::vec(any::<u32>(), 0..QUEUE_SLOTS)) {
        let window = claim(count, &lengths);
        let range = window.as_ptr_range();
        match frames(&window) {
            Err(fault) => prop_assert!(fault == Fault::PeerCount && count as usize > QUEUE_SLOTS),
            Ok(read) => for frame in read.filter_map(Result::ok) {
                prop_assert!(!frame.bytes.is_empty() && frame.bytes.len() <= FRAME_LEN_MAX);
                prop_assert!(range.start <= frame.bytes.as_ptr() && frame.bytes.as_ptr_range().end <= range.end);
            },
        }
    }

    #[test]
    fn any_offload_that_fits_stays_within_its_frame(flags in any::<u8>(), gso_type in any::<u8>(), numbers in any::<[u16; 4]>(), len in 0_usize..FRAME_LEN_MAX) {
        let offload = Offload { flags, gso_type, hdr_len: numbers[0], gso_size: numbers[1], csum_start: numbers[2], csum_offset: numbers[3] };
        if offload.fits(len) {
            prop_assert!(flags & FLAG_NEEDS_CSUM == 0 || usize::from(numbers[2]) + usize::from(numbers[3]) + 2 <= len);
            prop_assert!(gso_type == 0 || (usize::from(numbers[0]) < len && numbers[1] > 0));
        }
    }
}

#[test]
fn a_count_is_believed_up_to_the_number_of_slots() {
    let slots = u32::try_from(QUEUE_SLOTS).unwrap();
    assert!(frames(&claim(slots, &[])).is_ok());
    assert_eq!(frames(&claim(slots + 1, &[])).err(), Some(Fault::PeerCount));
}

#[test]
fn a_length_is_believed_from_one_to_the_longest_frame() {
    let longest = u32::try_from(FRAME_LEN_MAX).unwrap();
    for (len, good) in [(0, false), (1, true), (longest, true), (longest + 1, false), (u32::MAX, false)] {
        assert_eq!(frames(&claim(1, &[len])).unwrap().next().unwrap().is_ok(), good, "length {len}");
    }
}

#[test]
fn the_first_bad_slot_ends_the_batch() {
    let window = claim(3, &[60, 0, 60]);
    let read: Vec<_> = frames(&window).unwrap().map(|frame| frame.map(|f| f.bytes.len())).collect();
    assert_eq!(read, [Ok(60), Err(Fault::PeerLength)]);
}

#[test]
fn frames_that_together_exceed_the_window_end_the_batch() {
    let longest = u32::try_from(FRAME_LEN_MAX).unwrap();
    let window = claim(64, &[longest; 64]);
    let (good, bad): (Vec<_>, Vec<_>) = frames(&window).unwrap().partition(Result::is_ok);
    assert_eq!((good.len(), bad), (QUEUE_DATA_LEN / FRAME_LEN_MAX.next_multiple_of(64), vec![Err(Fault::PeerLength)]));
}

#[test]
fn a_full_batch_says_so_and_keeps_what_it_has() {
    let mut window = window();
    let mut batch = Batch::new(&mut window).unwrap();
    for _ in 0..QUEUE_SLOTS {
        batch.push(&[1; 60], Offload::default()).unwrap();
    }
    assert_eq!((batch.room(), batch.push(&[1; 60], Offload::default())), (0, Err(Fault::Full)));
    assert_eq!(frames(&window).unwrap().count(), QUEUE_SLOTS);
}

#[test]
fn the_last_byte_of_the_window_can_be_used() {
    let mut window = window();
    let mut batch = Batch::new(&mut window).unwrap();
    while batch.room() == FRAME_LEN_MAX {
        batch.push(&vec![1; FRAME_LEN_MAX], Offload::default()).unwrap();
    }
    let last = batch.room();
    batch.push(&vec![2; last], Offload::default()).unwrap();
    assert_eq!(batch.room(), 0);
    assert_eq!(frames(&window).unwrap().last().unwrap().unwrap().bytes, &vec![2; last][..]);
    assert_eq!(window.last(), Some(&2));
}

#[test]
fn a_fill_that_declines_or_lies_queues_nothing() {
    let mut window = window();
    let mut batch = Batch::new(&mut window).unwrap();
    assert_eq!(batch.fill(60, |_| None), Ok(false));
    assert_eq!(batch.fill(60, |_| Some((61, Offload::default()))), Err(Fault::FrameLength));
    assert_eq!(batch.fill(60, |_| Some((0, Offload::default()))), Err(Fault::FrameLength));
    assert_eq!(batch.fill(FRAME_LEN_MAX + 1, |_| None), Err(Fault::FrameLength));
    assert!(batch.is_empty());
}

#[test]
fn a_short_window_and_a_cleared_one() {
    assert_eq!(frames(&[0; 64]).err(), Some(Fault::WindowTooShort));
    assert_eq!(Batch::new(&mut [0; 64]).err(), Some(Fault::WindowTooShort));
    let mut window = claim(1, &[60]);
    clear(&mut window);
    assert_eq!(frames(&window).unwrap().count(), 0);
    assert!(window[DATA_OFFSET..].iter().all(|byte| *byte == 0));
}

#[test]
fn segmentation_without_a_partial_checksum_does_not_fit() {
    let offload = Offload { gso_type: GSO_TCPV4, gso_size: 1448, hdr_len: 54, csum_start: 34, csum_offset: 16, flags: 0 };
    assert!(!offload.fits(3000));
    assert!(Offload { flags: FLAG_NEEDS_CSUM, ..offload }.fits(3000));
    assert!(!Offload { flags: FLAG_NEEDS_CSUM, gso_type: 9, ..offload }.fits(3000));
}
