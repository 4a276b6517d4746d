//! Layouts over many seeds.

use proptest::prelude::*;

use super::*;
use crate::image::tests::good_image;

/// A stream of words that depends on `seed` alone (splitmix64).
fn words(mut seed: u64) -> impl FnMut() -> u64 {
    move || {
        seed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = seed;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^ (word >> 31)
    }
}

fn draw(seed: u64, heap_len: u64, bundle_len: u64) -> Layout {
    Layout::draw(&good_image(), heap_len, bundle_len, &mut words(seed)).unwrap()
}

proptest! {
    #[test]
    fn regions_are_apart_by_a_guard_and_inside_the_lower_half(seed: u64, heap_len in 8_u64 << 20..16 << 30, bundle_len in 1_u64..4 << 20) {
        let layout = draw(seed, heap_len, bundle_len);
        let own = Place { part: Part::Heap, address: layout.machine(), len: MACHINE_LEN, offset: 0 };
        let mut places: Vec<Place> = layout.places().iter().copied().chain([own]).collect();
        places.sort_unstable_by_key(|place| place.address);
        prop_assert!(places[0].address > (64 << 10) + PAGE);
        prop_assert!(places[0].address >= ADDRESS_MIN);
        for pair in places.windows(2) {
            prop_assert!(pair[0].address + pages_len(pair[0].len) + GUARD_LEN <= pair[1].address);
        }
        let last = places.last().unwrap();
        prop_assert!(last.address + pages_len(last.len) <= ADDRESS_MAX);
    }

    #[test]
    fn addresses_and_offsets_are_aligned(seed: u64, heap_len in 8_u64 << 20..1 << 30) {
        let layout = draw(seed, heap_len, 1);
        for mapping in layout.mappings() {
            prop_assert_eq!((mapping.address | mapping.offset | mapping.len) % PAGE, 0);
        }
        prop_assert_eq!(layout.place(Part::Image).address % IMAGE_ALIGN, 0);
        let heap = layout.place(Part::Heap);
        prop_assert_eq!((heap.address | heap.offset | heap.len) % HEAP_ALIGN, 0);
        prop_assert!(heap.len >= heap_len);
    }

    #[test]
    fn mappings_never_share_memory_and_stay_inside(seed: u64, bundle_len in 1_u64..4 << 20) {
        let layout = draw(seed, 8 << 20, bundle_len);
        let mappings = layout.mappings();
        for pair in mappings.windows(2) {
            prop_assert!(pair[0].offset + pair[0].len <= pair[1].offset);
        }
        let last = mappings.last().unwrap();
        prop_assert_eq!(last.offset + last.len, layout.memory_len());
    }
}

#[test]
fn two_boots_share_no_address() {
    let (one, other) = (draw(1, 8 << 20, 100), draw(2, 8 << 20, 100));
    for (one, other) in one.places().iter().zip(other.places()) {
        assert_ne!(one.address, other.address, "{:?}", one.part);
    }
}

#[test]
fn source_without_randomness_is_refused() {
    assert_eq!(Layout::draw(&good_image(), 8 << 20, 1, &mut || 0).err(), Some(LoadFault::HostLayout));
}

#[test]
fn guest_may_write_only_what_is_its_own() {
    let layout = draw(3, 8 << 20, 100);
    for mapping in layout.mappings().iter().filter(|mapping| mapping.part != Part::Image) {
        let writable = matches!(mapping.part, Part::Control | Part::Log | Part::Outbox | Part::Tx(_) | Part::Stack | Part::Heap);
        assert_eq!(mapping.access == Access::Write, writable, "{:?}", mapping.part);
        assert_eq!(mapping.access == Access::Execute, mapping.part == Part::Gate, "{:?}", mapping.part);
    }
}

#[test]
fn boot_info_is_encoded_as_it_is_laid_out() {
    let layout = draw(4, 8 << 20, 100);
    let info = layout.boot_info(7);
    let bytes = encode(&info);
    assert_eq!(bytes.len(), size_of::<BootInfo>());
    let word = |at: usize| u64::from_le_bytes(*bytes[at..].first_chunk::<8>().unwrap());
    assert_eq!(word(core::mem::offset_of!(BootInfo, magic)), MAGIC);
    assert_eq!(word(core::mem::offset_of!(BootInfo, version)), u64::from(VERSION) | 7 << 32);
    assert_eq!(word(core::mem::offset_of!(BootInfo, gate)), info.gate);
    assert_eq!(word(core::mem::offset_of!(BootInfo, heap)), info.heap.base);
    assert_eq!(word(core::mem::offset_of!(BootInfo, bundle) + 8), 100);
    assert_eq!(word(core::mem::offset_of!(BootInfo, outbox)), info.outbox.base);
    assert_eq!(word(core::mem::offset_of!(BootInfo, inbox) + 8), abi::limits::INBOX_WINDOW_LEN as u64);
    assert_eq!(word(core::mem::offset_of!(BootInfo, links) + 32 + 16), info.links[1].tx.base);
}
