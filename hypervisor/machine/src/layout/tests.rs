//! Layouts over many seeds.

use proptest::prelude::*;

use super::*;
use crate::contest::Contest;
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
    draw_round(None, seed, heap_len, bundle_len)
}

fn draw_round(published: Option<Published>, seed: u64, heap_len: u64, bundle_len: u64) -> Layout {
    Layout::draw(&good_image(), heap_len, bundle_len, published, &mut words(seed)).unwrap()
}

fn published(flag_address: u64, word_address: u64) -> Option<Published> {
    let contest = Contest { flag: [1; 32].into(), flag_address, word_address, prize: [2; 32].into() };
    Published::of(&contest).ok()
}

/// No contest, or two pages somewhere: anywhere at all, or at a border.
fn contests() -> impl Strategy<Value = Option<Published>> {
    let page = || prop_oneof![ADDRESS_MIN / PAGE..ADDRESS_MAX / PAGE, Just(ADDRESS_MIN / PAGE), Just(ADDRESS_MAX / PAGE - 1)];
    let pair = (page(), page()).prop_filter_map("a guard apart", |(flag, word)| published(flag * PAGE, word * PAGE));
    prop_oneof![Just(None), pair.prop_map(Some)]
}

proptest! {
    #[test]
    fn regions_are_apart_by_a_guard_and_inside_the_lower_half(seed: u64, heap_len in 8_u64 << 20..16 << 30, bundle_len in 1_u64..4 << 20, published in contests()) {
        let layout = draw_round(published, seed, heap_len, bundle_len);
        prop_assert_eq!(layout.places().len(), if published.is_some() { PARTS.len() } else { PARTS.len() - 2 });
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
    fn a_contests_pages_lie_where_they_were_published_and_all_else_is_drawn_anew(seed: u64, published in contests()) {
        let (layout, other) = (draw_round(published, seed, 8 << 20, 1), draw_round(published, !seed, 8 << 20, 1));
        let found = [Part::Flag, Part::Word].map(|part| layout.place(part));
        prop_assert_eq!(found.map(|place| place.address), published.map_or([0, 0], |published| [published.flag(), published.word()]));
        prop_assert_eq!(found.map(|place| place.len), published.map_or([0, 0], |_| [PAGE, PAGE]));
        for (one, other) in layout.places().iter().zip(other.places()) {
            let fixed = matches!(one.part, Part::Flag | Part::Word);
            prop_assert_eq!(one.address == other.address, fixed, "{:?}", one.part);
        }
    }

    #[test]
    fn addresses_and_offsets_are_aligned(seed: u64, heap_len in 8_u64 << 20..1 << 30, published in contests()) {
        let layout = draw_round(published, seed, heap_len, 1);
        for mapping in layout.mappings() {
            prop_assert_eq!((mapping.address | mapping.offset | mapping.len) % PAGE, 0);
        }
        prop_assert_eq!(layout.place(Part::Image).address % IMAGE_ALIGN, 0);
        let heap = layout.place(Part::Heap);
        prop_assert_eq!((heap.address | heap.offset | heap.len) % HEAP_ALIGN, 0);
        prop_assert!(heap.len >= heap_len);
    }

    #[test]
    fn mappings_never_share_memory_and_stay_inside(seed: u64, bundle_len in 1_u64..4 << 20, published in contests()) {
        let layout = draw_round(published, seed, 8 << 20, bundle_len);
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
    assert_eq!(Layout::draw(&good_image(), 8 << 20, 1, None, &mut || 0).err(), Some(LoadFault::HostLayout));
}

#[test]
fn guest_may_write_only_what_is_its_own() {
    let layout = draw_round(published(0x1000_0000_0000, 0x2000_0000_0000), 3, 8 << 20, 100);
    for mapping in layout.mappings().iter().filter(|mapping| mapping.part != Part::Image) {
        let writable =
            matches!(mapping.part, Part::Control | Part::Log | Part::Outbox | Part::Tx(_) | Part::Word | Part::Stack | Part::Heap);
        assert_eq!(mapping.access == Access::Write, writable, "{:?}", mapping.part);
        assert_eq!(mapping.access == Access::Execute, mapping.part == Part::Gate, "{:?}", mapping.part);
    }
}

#[test]
fn boot_info_is_encoded_as_it_is_laid_out() {
    let layout = draw_round(published(0x1000_0000_0000, 0x2000_0000_0000), 4, 8 << 20, 100);
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
    assert_eq!(word(core::mem::offset_of!(BootInfo, flag)), 0x1000_0000_0000);
    assert_eq!((word(core::mem::offset_of!(BootInfo, word)), word(core::mem::offset_of!(BootInfo, word) + 8)), (0x2000_0000_0000, PAGE));
    let without = draw(4, 8 << 20, 100).boot_info(7);
    assert_eq!([without.flag, without.word], [Region { base: 0, len: 0 }; 2]);
}
