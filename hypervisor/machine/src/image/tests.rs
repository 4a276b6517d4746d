//! Images: a good one, each way to be a bad one, and random damage.

use core::ops::Range;

use proptest::prelude::*;

use super::{Access, Field, Image, ImageFault};

const PAGE: usize = 4096;
const LOAD: u32 = 1;
const DYNAMIC: u32 = 2;
const NOTE: u32 = 4;
const RELRO: u32 = 0x6474_e552;
const R: u32 = 4;
const RW: u32 = 6;
const RX: u32 = 5;

/// Where things lie in the good file: read-only data, then code, then RELRO and data in one segment.
const PHDRS: usize = 64;
const NOTE_AT: usize = 0x400;
const RELA_AT: usize = 0x500;
const CODE_AT: usize = PAGE;
const DATA_AT: usize = 2 * PAGE;
const DYNAMIC_AT: usize = DATA_AT + 64;
const FILE_LEN: usize = 3 * PAGE + 256;
const ENTRY: u64 = CODE_AT as u64 + 16;

fn put(file: &mut [u8], at: usize, bytes: &[u8]) {
    file[at..at + bytes.len()].copy_from_slice(bytes);
}

fn words(values: &[u64]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

/// One program header; the file's places are the addresses.
fn header(kind: u32, flags: u32, range: Range<usize>, memory_len: usize) -> Vec<u8> {
    let mut bytes = [kind.to_le_bytes(), flags.to_le_bytes()].concat();
    let start = range.start as u64;
    let align = if kind == NOTE { 4 } else { PAGE as u64 };
    bytes.extend(words(&[start, start, start, (range.end - range.start) as u64, memory_len as u64, align]));
    bytes
}

/// A file that parses: three segments, RELRO, a relocation, a note, no symbols.
fn good_file() -> Vec<u8> {
    let mut file = vec![0; FILE_LEN];
    put(&mut file, 0, b"\x7fELF\x02\x01\x01\x00");
    put(&mut file, 16, &3_u16.to_le_bytes());
    put(&mut file, 18, &62_u16.to_le_bytes());
    put(&mut file, 20, &1_u32.to_le_bytes());
    put(&mut file, 24, &words(&[ENTRY, PHDRS as u64, 0]));
    put(&mut file, 52, &[64_u16, 56, 6, 64, 0, 0].iter().flat_map(|field| field.to_le_bytes()).collect::<Vec<_>>());
    let headers = [
        header(LOAD, R, 0..PAGE, PAGE),
        header(LOAD, RX, CODE_AT..CODE_AT + 64, 64),
        header(LOAD, RW, DATA_AT..FILE_LEN, 2 * PAGE),
        header(RELRO, R, DATA_AT..DATA_AT + 256, PAGE),
        header(DYNAMIC, RW, DYNAMIC_AT..DYNAMIC_AT + 64, 64),
        header(NOTE, R, NOTE_AT..NOTE_AT + 28, 28),
    ];
    put(&mut file, PHDRS, &headers.concat());
    put(&mut file, NOTE_AT, &[10_u32, 4, 1].iter().flat_map(|field| field.to_le_bytes()).collect::<Vec<_>>());
    put(&mut file, NOTE_AT + 12, b"bountybox\0\0\0");
    put(&mut file, NOTE_AT + 24, &abi::boot::VERSION.to_le_bytes());
    put(&mut file, RELA_AT, &words(&[DATA_AT as u64 + 8, 8, ENTRY]));
    put(&mut file, DYNAMIC_AT, &words(&[7, RELA_AT as u64, 8, 24, 9, 24, 0, 0]));
    put(&mut file, 3 * PAGE, b"data");
    file
}

/// The image of [`good_file`], for the tests of other modules.
pub(crate) fn good_image() -> Image {
    Image::parse(&good_file()).unwrap()
}

/// The fault that `damage` to the good file leads to.
fn fault(damage: impl FnOnce(&mut Vec<u8>)) -> Option<ImageFault> {
    let mut file = good_file();
    damage(&mut file);
    Image::parse(&file).err()
}

/// The fault that another value of a program header's field leads to.
fn header_fault(index: usize, field: usize, value: u64, len: usize) -> Option<ImageFault> {
    fault(|file| put(file, PHDRS + index * 56 + field, &value.to_le_bytes()[..len]))
}

#[test]
fn good_image_is_taken_apart() {
    let image = good_image();
    let segments: Vec<(Range<u64>, Access)> = image.segments().iter().map(|segment| (segment.range.clone(), segment.access)).collect();
    let page = PAGE as u64;
    let expected = [
        (0..page, Access::Read),
        (page..2 * page, Access::Execute),
        (2 * page..3 * page, Access::Read),
        (3 * page..4 * page, Access::Write),
    ];
    assert_eq!(segments, expected);
    assert_eq!(image.entry(), ENTRY);
    assert_eq!(image.span_len(), 4 * page);
    assert_eq!(image.symbol(ENTRY), None);
}

#[test]
fn placed_image_is_relocated_and_zero_behind_its_bytes() {
    let image = good_image();
    let mut memory = vec![0; 4 * PAGE];
    image.place(0x7000_0000, &mut memory).unwrap();
    assert_eq!(memory[DATA_AT + 8..DATA_AT + 16], (0x7000_0000 + ENTRY).to_le_bytes());
    assert_eq!(memory[3 * PAGE..3 * PAGE + 4], *b"data");
    assert!(memory[FILE_LEN..].iter().all(|byte| *byte == 0));
    assert!(image.place(0, &mut memory[..4 * PAGE - 4000]).is_none());
}

#[test]
fn file_header_fields_are_checked() {
    assert_eq!(Image::parse(&[]).err(), Some(ImageFault::NotElf));
    assert_eq!(fault(|file| file[0] = 0), Some(ImageFault::NotElf));
    assert_eq!(fault(|file| file[4] = 1), Some(ImageFault::NotElf), "32-bit");
    assert_eq!(fault(|file| file[5] = 2), Some(ImageFault::NotElf), "big-endian");
    assert_eq!(fault(|file| file[7] = 9), Some(ImageFault::Header(Field::OsAbi)));
    assert_eq!(fault(|file| file[16] = 2), Some(ImageFault::Header(Field::Type)), "not position-independent");
    assert_eq!(fault(|file| file[18] = 40), Some(ImageFault::Header(Field::Machine)));
    assert_eq!(fault(|file| put(file, 24, &0_u64.to_le_bytes())), Some(ImageFault::Entry), "entry in read-only data");
    assert_eq!(fault(|file| put(file, 24, &u64::MAX.to_le_bytes())), Some(ImageFault::Entry));
    assert_eq!(fault(|file| put(file, 56, &33_u16.to_le_bytes())), Some(ImageFault::ProgramHeaders));
}

#[test]
fn segments_are_checked() {
    assert_eq!(header_fault(1, 4, 7, 4), Some(ImageFault::SegmentWritableExecutable));
    assert_eq!(header_fault(1, 4, 3, 4), Some(ImageFault::SegmentWritableExecutable));
    assert_eq!(header_fault(1, 4, 1, 4), Some(ImageFault::SegmentUnreadable));
    assert_eq!(header_fault(2, 40, 0, 8), Some(ImageFault::SegmentLength), "nothing in memory");
    assert_eq!(header_fault(2, 40, 1 << 40, 8), Some(ImageFault::SegmentLength));
    assert_eq!(header_fault(2, 40, u64::MAX, 8), Some(ImageFault::SegmentLength));
    assert_eq!(header_fault(2, 32, 2 * PAGE as u64, 8), Some(ImageFault::SegmentFile), "longer than the file");
    assert_eq!(header_fault(2, 8, u64::MAX - 0xfff, 8), Some(ImageFault::SegmentFile));
    assert_eq!(header_fault(2, 48, 3, 8), Some(ImageFault::SegmentAlignment));
    assert_eq!(header_fault(2, 16, 2 * PAGE as u64 + 1, 8), Some(ImageFault::SegmentAlignment));
    assert_eq!(header_fault(1, 16, 0, 8), Some(ImageFault::SegmentOverlap));
    assert_eq!(header_fault(0, 40, PAGE as u64 + 1, 8), Some(ImageFault::SegmentOverlap), "into the next page");
    assert_eq!(header_fault(0, 0, 3, 4), Some(ImageFault::Interpreter));
    assert_eq!(header_fault(0, 0, 7, 4), Some(ImageFault::ThreadLocal));
}

#[test]
fn executable_stack_is_refused() {
    let stack = 0x6474_e551_u64 | 7 << 32;
    assert_eq!(header_fault(3, 0, stack, 8), Some(ImageFault::ExecutableStack));
    assert_eq!(header_fault(3, 0, 0x6474_e551 | 6 << 32, 8), None);
}

#[test]
fn relro_is_checked() {
    assert_eq!(header_fault(3, 16, CODE_AT as u64, 8), Some(ImageFault::Relro), "not in writable memory");
    assert_eq!(header_fault(3, 16, 3 * PAGE as u64, 8), Some(ImageFault::Relro), "not at its start");
    assert_eq!(header_fault(3, 40, 2 * PAGE as u64 + 1, 8), Some(ImageFault::Relro), "beyond its end");
    assert_eq!(header_fault(3, 40, u64::MAX, 8), Some(ImageFault::Relro));
    assert_eq!(header_fault(5, 0, u64::from(RELRO), 4), Some(ImageFault::NoteMissing));
}

#[test]
fn relro_that_ends_inside_a_page_leaves_that_page_writable() {
    let mut file = good_file();
    put(&mut file, PHDRS + 3 * 56 + 40, &(PAGE as u64 + 8).to_le_bytes());
    let image = Image::parse(&file).unwrap();
    assert_eq!(image.segments().last().map(|last| (last.range.start, last.access)), Some((3 * PAGE as u64, Access::Write)));
}

#[test]
fn notes_are_checked() {
    assert_eq!(fault(|file| file[NOTE_AT + 12] = b'x'), Some(ImageFault::NoteMissing));
    assert_eq!(fault(|file| file[NOTE_AT + 8] = 2), Some(ImageFault::NoteMissing));
    assert_eq!(fault(|file| put(file, NOTE_AT + 24, &999_u32.to_le_bytes())), Some(ImageFault::NoteVersion(999)));
    assert_eq!(header_fault(5, 32, 1 << 40, 8), Some(ImageFault::NoteMissing));
}

#[test]
fn dynamic_section_is_checked() {
    let tag = |tag: i64| fault(|file| put(file, DYNAMIC_AT + 32, &tag.to_le_bytes()));
    for refused in [1, 2, 17, 20, 22, 23, 35, 36] {
        assert_eq!(tag(refused), Some(ImageFault::DynamicTag(refused)));
    }
    for constructors in [12, 13, 27, 28, 33] {
        assert_eq!(tag(constructors), Some(ImageFault::Constructors));
    }
    assert_eq!(fault(|file| put(file, DYNAMIC_AT + 40, &8_u64.to_le_bytes())), Some(ImageFault::RelocationTable), "entries of 8 bytes");
    assert_eq!(header_fault(4, 8, 1 << 40, 8), Some(ImageFault::Dynamic));
}

#[test]
fn relocations_are_checked() {
    let entry = |offset: u64, info: u64, addend: u64| fault(|file| put(file, RELA_AT, &words(&[offset, info, addend])));
    assert_eq!(entry(DATA_AT as u64, 8, 0), None);
    assert_eq!(entry(4 * PAGE as u64 - 8, 8, 4 * PAGE as u64), None, "the last word, and one past the end");
    assert_eq!(entry(4 * PAGE as u64 - 7, 8, 0), Some(ImageFault::RelocationTarget));
    assert_eq!(entry(CODE_AT as u64, 8, 0), Some(ImageFault::RelocationTarget), "code");
    assert_eq!(entry(u64::MAX, 8, 0), Some(ImageFault::RelocationTarget));
    assert_eq!(entry(DATA_AT as u64, 8, 4 * PAGE as u64 + 1), Some(ImageFault::RelocationAddend));
    assert_eq!(entry(DATA_AT as u64, 8, u64::MAX), Some(ImageFault::RelocationAddend));
    assert_eq!(entry(DATA_AT as u64, 1, 0), Some(ImageFault::RelocationType(1)));
    assert_eq!(entry(DATA_AT as u64, 8 | 1 << 32, 0), Some(ImageFault::RelocationType(8)), "with a symbol");
    let table = |at: usize, value: u64| fault(|file| put(file, DYNAMIC_AT + at, &value.to_le_bytes()));
    assert_eq!(table(8, 1 << 40), Some(ImageFault::RelocationTable));
    assert_eq!(table(24, 23), Some(ImageFault::RelocationTable));
    assert_eq!(table(24, u64::MAX), Some(ImageFault::RelocationTable));
    assert_eq!(table(24, 0), None);
}

/// What every image that parses must keep, whatever its file was.
fn assert_sound(image: &Image) {
    let mut end = 0;
    for segment in image.segments() {
        assert!(segment.range.start >= end && segment.range.start < segment.range.end);
        assert_eq!((segment.range.start | segment.range.end) % PAGE as u64, 0);
        end = segment.range.end;
    }
    assert_eq!(image.span_len(), end);
    assert!(end <= crate::limits::IMAGE_LEN_MAX);
    let holds_entry = |segment: &super::Segment| segment.access == Access::Execute && segment.range.contains(&image.entry());
    assert!(image.segments().iter().any(holds_entry));
    let mut memory = vec![0; usize::try_from(end).unwrap()];
    assert!(image.place(0x1000_0000, &mut memory).is_some());
    let _ = image.symbol(image.entry());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn damaged_headers_give_a_sound_image_or_a_fault(damages in prop::collection::vec((0_usize..RELA_AT + 24, any::<u8>()), 1..4)) {
        let mut file = good_file();
        damages.into_iter().for_each(|(at, byte)| file[at] = byte);
        if let Ok(image) = Image::parse(&file) {
            assert_sound(&image);
        }
    }

    #[test]
    fn damaged_words_give_a_sound_image_or_a_fault(at in 0_usize..64, value in prop_oneof![any::<u64>(), 0_u64..0x8000], word in 0_usize..48) {
        let mut file = good_file();
        let place = [PHDRS + word * 8, DYNAMIC_AT + (word % 8) * 8, RELA_AT + (word % 3) * 8, 24 + (word % 3) * 8][at % 4];
        put(&mut file, place, &value.to_le_bytes());
        if let Ok(image) = Image::parse(&file) {
            assert_sound(&image);
        }
    }

    #[test]
    fn cut_files_give_a_fault(len in 0_usize..FILE_LEN) {
        prop_assert!(Image::parse(&good_file()[..len]).is_err());
    }

    #[test]
    fn any_bytes_give_a_fault(bytes in prop::collection::vec(any::<u8>(), 0..512)) {
        prop_assert!(Image::parse(&bytes).is_err());
    }
}
