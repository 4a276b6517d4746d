//! The shipped image, and copies of it with something smuggled in.
//!
//! They read `target/image/bountybox.elf`, which `make image` builds; without it they fail.
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests fail this way")]

use std::fs;
use std::path::{Path, PathBuf};

use inspect::audit::Cause;
use inspect::{Report, report_bytes};

/// What the image may take of memory, in bytes. Clients' certificates take some 170,000 of it: path building, and the verification of Ed25519 and RSA.
const LOADED_LEN_MAX: u64 = 2_300_000;

/// Every instruction that must not be there, in one encoding at least.
const FORBIDDEN: &[(&str, &[u8])] = &[
    ("syscall", &[0x0f, 0x05]),
    ("sysenter", &[0x0f, 0x34]),
    ("sysexit", &[0x0f, 0x35]),
    ("sysret", &[0x0f, 0x07]),
    ("int", &[0xcd, 0x80]),
    ("int1", &[0xf1]),
    ("int3", &[0xcc]),
    ("iretq", &[0x48, 0xcf]),
    ("in", &[0xe4, 0x10]),
    ("in", &[0xec]),
    ("out", &[0xe6, 0x10]),
    ("out", &[0xef]),
    ("insb", &[0x6c]),
    ("outsd", &[0x6f]),
    ("hlt", &[0xf4]),
    ("cli", &[0xfa]),
    ("sti", &[0xfb]),
    ("rdmsr", &[0x0f, 0x32]),
    ("wrmsr", &[0x0f, 0x30]),
    ("rdtsc", &[0x0f, 0x31]),
    ("rdtscp", &[0x0f, 0x01, 0xf9]),
    ("rdpmc", &[0x0f, 0x33]),
    ("rdrand", &[0x48, 0x0f, 0xc7, 0xf0]),
    ("rdseed", &[0x48, 0x0f, 0xc7, 0xf8]),
    ("rdpid", &[0xf3, 0x0f, 0xc7, 0xf8]),
    ("mov", &[0x0f, 0x20, 0xc0]),
    ("mov", &[0x0f, 0x22, 0xd8]),
    ("mov", &[0x0f, 0x21, 0xf8]),
    ("mov", &[0x0f, 0x23, 0xf8]),
    ("mov", &[0x8e, 0xd8]),
    ("lgdt", &[0x0f, 0x01, 0x10]),
    ("lidt", &[0x0f, 0x01, 0x18]),
    ("sgdt", &[0x0f, 0x01, 0x00]),
    ("sidt", &[0x0f, 0x01, 0x08]),
    ("lldt", &[0x0f, 0x00, 0xd0]),
    ("ltr", &[0x0f, 0x00, 0xd8]),
    ("lmsw", &[0x0f, 0x01, 0xf0]),
    ("invlpg", &[0x0f, 0x01, 0x38]),
    ("invd", &[0x0f, 0x08]),
    ("wbinvd", &[0x0f, 0x09]),
    ("swapgs", &[0x0f, 0x01, 0xf8]),
    ("vmcall", &[0x0f, 0x01, 0xc1]),
    ("vmmcall", &[0x0f, 0x01, 0xd9]),
    ("xsetbv", &[0x0f, 0x01, 0xd1]),
    ("wrpkru", &[0x0f, 0x01, 0xef]),
    ("wrfsbase", &[0xf3, 0x48, 0x0f, 0xae, 0xd0]),
    ("wrgsbase", &[0xf3, 0x48, 0x0f, 0xae, 0xd8]),
    ("monitor", &[0x0f, 0x01, 0xc8]),
    ("mwait", &[0x0f, 0x01, 0xc9]),
    ("retf", &[0xcb]),
];

fn image() -> Vec<u8> {
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target"), PathBuf::from);
    let path = target.join("image/bountybox.elf");
    fs::read(&path).unwrap_or_else(|fault| panic!("{}: {fault}; build it with `make image`", path.display()))
}

/// Where the entry function, `_start`, lies in the file.
fn entry_at(image: &[u8]) -> usize {
    let report = report_bytes(image).unwrap();
    let code = report.headers.segments.iter().find(|segment| segment.execute).unwrap();
    usize::try_from(report.entry - code.address).unwrap() + usize::try_from(code_offset(image, code.address)).unwrap()
}

/// The file offset of the segment at `address`, from the program headers.
fn code_offset(image: &[u8], address: u64) -> u64 {
    let word = |at: usize| u64::from_le_bytes(*image[at..].first_chunk().unwrap());
    let table = usize::try_from(word(32)).unwrap();
    let load = |header: &usize| image[*header] == 1 && word(header + 16) == address;
    let header = (0..16).map(|index| table + 56 * index).find(load).unwrap();
    word(header + 8)
}

fn with(image: &[u8], at: usize, bytes: &[u8]) -> Report {
    let mut copy = image.to_vec();
    copy[at..at + bytes.len()].copy_from_slice(bytes);
    report_bytes(&copy).unwrap()
}

#[test]
fn the_shipped_image_is_clean_and_small() {
    let report = report_bytes(&image()).unwrap();
    assert!(report.clean, "{report}");
    assert!(report.loaded_len <= LOADED_LEN_MAX, "{report}");
    assert!(report.audit.instructions > 10_000 && report.audit.functions > 100, "{report}");
    // Which version it must have is the loader's to say.
    assert!(report.headers.note_version.is_some(), "{report}");
}

#[test]
fn each_forbidden_instruction_smuggled_in_is_refused_by_name() {
    let image = image();
    let at = entry_at(&image);
    for (name, bytes) in FORBIDDEN {
        let report = with(&image, at, bytes);
        let first = &report.audit.findings[0];
        assert!(!report.clean, "{name}");
        assert_eq!((first.cause, first.mnemonic.as_str(), first.symbol.as_str()), (Cause::Forbidden, *name, "_start"), "{bytes:x?}");
    }
}

#[test]
fn an_instruction_that_a_program_may_hold_is_none_of_them() {
    let image = image();
    let at = entry_at(&image);
    // ud2, cpuid, xgetbv, pause, a nop.
    for bytes in [&[0x0f, 0x0b][..], &[0x0f, 0xa2], &[0x0f, 0x01, 0xd0], &[0xf3, 0x90], &[0x90]] {
        let findings = with(&image, at, bytes).audit.findings;
        assert!(findings.iter().all(|finding| finding.cause != Cause::Forbidden), "{bytes:x?}: {findings:?}");
    }
}

#[test]
fn bytes_that_are_no_instruction_are_refused() {
    let image = image();
    let report = with(&image, entry_at(&image), &[0x06]);
    assert_eq!(report.audit.findings[0].cause, Cause::Undecodable);
}

#[test]
fn code_hidden_between_functions_is_refused() {
    let image = image();
    let gap = image.windows(12).position(|bytes| bytes == [0xcc; 12]).unwrap();
    let report = with(&image, gap + 4, &[0x0f, 0x05]);
    assert!(report.audit.findings.iter().any(|finding| finding.cause == Cause::Stray), "{report}");
    assert!(!report.clean);
}

#[test]
fn an_image_without_symbols_is_refused() {
    let mut image = image();
    // The section headers are where symbols are found.
    image[40..48].fill(0);
    image[60..62].fill(0);
    let report = report_bytes(&image).unwrap();
    assert_eq!(report.audit.findings[0].cause, Cause::NoSymbols);
}

#[test]
fn a_writable_code_segment_and_an_executable_stack_are_refused() {
    let image = image();
    let table = usize::try_from(u64::from_le_bytes(*image[32..].first_chunk().unwrap())).unwrap();
    let kind = |header: usize| u32::from_le_bytes(*image[header..].first_chunk().unwrap());
    let headers = || (0..9).map(|index| table + 56 * index);
    let code = headers().find(|header| kind(*header) == 1 && image[header + 4] == 5).unwrap();
    let stack = headers().find(|header| kind(*header) == 0x6474_e551).unwrap();
    assert!(with(&image, code + 4, &[7]).complaints()[0].contains("writable and executable"));
    assert!(with(&image, stack + 4, &[7]).complaints()[0].contains("stack"));
}

#[test]
fn the_report_is_text_and_json() {
    let report = report_bytes(&image()).unwrap();
    let json: serde_json::Value = serde_json::to_value(&report).unwrap();
    assert_eq!(json["clean"], true);
    assert_eq!(json["segments"].as_array().unwrap().len(), report.headers.segments.len());
    assert!(report.to_string().contains(&report.sha256) && report.to_string().ends_with("verdict      clean\n"));
}
