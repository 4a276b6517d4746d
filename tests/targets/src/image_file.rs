//! The smallest file that the loader takes: three segments, RELRO, a relocation, our note.

use core::ops::Range;

const PAGE: usize = 4096;
const LOAD: u32 = 1;
const DYNAMIC: u32 = 2;
const NOTE: u32 = 4;
const RELRO: u32 = 0x6474_e552;
const R: u32 = 4;
const RW: u32 = 6;
const RX: u32 = 5;

const HEADERS_AT: usize = 64;
const NOTE_AT: usize = 0x400;
const RELOCATIONS_AT: usize = 0x500;
const CODE_AT: usize = PAGE;
const DATA_AT: usize = 2 * PAGE;
const DYNAMIC_AT: usize = DATA_AT + 64;
const FILE_LEN: usize = 3 * PAGE + 256;
const ENTRY: usize = CODE_AT + 16;

pub(crate) fn image_file() -> Vec<u8> {
    let mut file = vec![0; FILE_LEN];
    put(&mut file, 0, b"\x7fELF\x02\x01\x01\x00");
    put(&mut file, 16, &[3, 0, 62, 0, 1, 0, 0, 0]);
    put(&mut file, 24, &words(&[ENTRY, HEADERS_AT, 0]));
    put(&mut file, 52, &[64, 0, 56, 0, 6, 0, 64]);
    let headers = [
        header(LOAD, R, 0..PAGE, PAGE),
        header(LOAD, RX, CODE_AT..CODE_AT + 64, 64),
        header(LOAD, RW, DATA_AT..FILE_LEN, 2 * PAGE),
        header(RELRO, R, DATA_AT..DATA_AT + 256, PAGE),
        header(DYNAMIC, RW, DYNAMIC_AT..DYNAMIC_AT + 64, 64),
        header(NOTE, R, NOTE_AT..NOTE_AT + 28, 28),
    ];
    put(&mut file, HEADERS_AT, &headers.concat());
    put(&mut file, NOTE_AT, &[10, 0, 0, 0, 4, 0, 0, 0, 1]);
    put(&mut file, NOTE_AT + 12, b"bountybox");
    put(&mut file, NOTE_AT + 24, &abi::boot::VERSION.to_le_bytes());
    put(&mut file, RELOCATIONS_AT, &words(&[DATA_AT + 8, 8, ENTRY]));
    put(&mut file, DYNAMIC_AT, &words(&[7, RELOCATIONS_AT, 8, 24, 9, 24, 0, 0]));
    put(&mut file, 3 * PAGE, b"data");
    file
}

/// The same with a table of symbols, of which one names the entry.
pub(crate) fn image_file_with_symbols() -> Vec<u8> {
    const NAMES: &[u8; 8] = b"\0start\0\0";
    let mut file = image_file();
    let symbols_at = file.len();
    file.extend([0; 24]);
    // At 1 in the table of names; a function, in some section.
    file.extend([1, 0, 0, 0, 2, 0, 1, 0]);
    file.extend(words(&[ENTRY, 16]));
    let names_at = file.len();
    file.extend(NAMES);
    let sections_at = file.len();
    file.extend([0; 64]);
    file.extend(section([2, 0, 2, 1], symbols_at, names_at - symbols_at, 24));
    file.extend(section([3, 0, 0, 0], names_at, NAMES.len(), 0));
    // A reader that finds sections looks for the dynamic one among them.
    file.extend(section([6, 3, 2, 0], DYNAMIC_AT, 64, 16));
    put(&mut file, 40, &words(&[sections_at]));
    put(&mut file, 58, &[64, 0, 4, 0]);
    file
}

/// One section header: its type, its flags, the section that it goes with, and how much of it is local.
fn section([kind, flags, link, locals]: [u8; 4], at: usize, len: usize, entry_len: usize) -> Vec<u8> {
    let short = |value: u8| [value, 0, 0, 0];
    [&[0; 4][..], &short(kind), &words(&[flags.into(), 0, at, len]), &short(link), &short(locals), &words(&[8, entry_len])].concat()
}

fn put(file: &mut [u8], at: usize, bytes: &[u8]) {
    file[at..at + bytes.len()].copy_from_slice(bytes);
}

fn words(values: &[usize]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

/// One program header; the file's places are the addresses.
fn header(kind: u32, flags: u32, range: Range<usize>, memory_len: usize) -> Vec<u8> {
    let align = if kind == NOTE { 4 } else { PAGE };
    let head = [kind.to_le_bytes(), flags.to_le_bytes()].concat();
    [head, words(&[range.start, range.start, range.start, range.len(), memory_len, align])].concat()
}
