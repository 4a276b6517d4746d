//! The shipped image under the harness: what it says of an input, and that the image is brought back behind it, on both machines.

use boot::harnessed::{MACHINES, order, start};
use boot::image_file;
use elf::ElfBytes;
use elf::endian::LittleEndian;
use harness::input::{Act, encode};
use harness::limits::ACTS_MAX;
use harness::subject::{Fault, Order, Stage, Subject};
use harness::verdict::{Secrets, Verdict};
use machine::Kind;
use zeroize::Zeroizing;

/// Who has 10.0.2.15? Tell 10.0.2.2.
const QUESTION: [u8; 42] = [
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 1, 1, 8, 6, 0, 1, 8, 0, 6, 4, 0, 1, 2, 0, 0, 0, 1, 1, 10, 0, 2, 2, 0, 0, 0, 0, 0, 0,
    10, 0, 2, 15,
];
/// What the answer says of whom: the guest's link address and address, and the asker's link address.
const ANSWER: [u8; 16] = [2, 0, 0, 0, 0, 1, 10, 0, 2, 15, 2, 0, 0, 0, 1, 1];

#[test]
fn whatever_it_is_told_it_is_brought_back() {
    let inputs = [
        encode(&[Act::Front(&QUESTION), Act::Back(&QUESTION)]),
        encode(&[Act::Bytes(b"GET / HTTP/1.1\r\n\r\n")]),
        encode(&[Act::Bytes(&[22, 3, 1]), Act::Pass(60_000), Act::Bytes(&[0, 5])]),
        encode(&[Act::Packet(&[0x45; 40]), Act::Packet(&[0x60; 60])]),
        (0..=255).cycle().take(5000).collect(),
    ];
    for kind in MACHINES {
        let mut subject = start(kind, Stage::Connected, Secrets::default());
        let before = subject.state().expect("it can be looked at");
        for input in &inputs {
            for _ in 0..3 {
                assert_eq!(subject.run(input, ACTS_MAX), Ok(Verdict::Sound), "{kind:?}");
                assert_ne!(subject.state().expect("it can be looked at"), before, "{kind:?}: an input leaves a trace");
                subject.reset().expect("it can be brought back");
                assert_eq!(subject.state().expect("it can be looked at"), before, "{kind:?}");
            }
        }
    }
}

#[test]
fn the_same_seed_gives_the_same_state_and_another_another() {
    let bundle = order(Kind::Kvm, Stage::Connected).bundle;
    for kind in MACHINES {
        let state = |seed| {
            let order = Order { seed, bundle: bundle.clone(), ..order(kind, Stage::Connected) };
            Subject::start(order, &image_file(), Secrets::default()).expect("it starts").state().expect("it can be looked at")
        };
        assert_eq!(state(7), state(7), "{kind:?}");
        assert_ne!(state(7), state(8), "{kind:?}");
    }
}

#[test]
fn what_must_not_leave_is_found_in_a_frame() {
    for kind in MACHINES {
        let mut secrets = Secrets::default();
        secrets.watch("an address", &ANSWER);
        let mut subject = start(kind, Stage::Sealed, secrets);
        assert_eq!(subject.run(&encode(&[Act::Pass(1)]), ACTS_MAX), Ok(Verdict::Sound), "{kind:?}");
        assert_eq!(subject.run(&encode(&[Act::Front(&QUESTION)]), ACTS_MAX), Ok(Verdict::Leak("an address")), "{kind:?}");
        assert_eq!(subject.run(&encode(&[Act::Pass(1)]), ACTS_MAX), Ok(Verdict::Sound), "{kind:?}: it was brought back");
    }
}

#[test]
fn an_image_that_does_not_come_to_its_stage_is_told() {
    for kind in MACHINES {
        let bundle = Zeroizing::new(b"no bundle".to_vec());
        let fault = Subject::start(Order { bundle, ..order(kind, Stage::Sealed) }, &image_file(), Secrets::default());
        assert!(matches!(&fault, Err(Fault::Stage(_))), "{kind:?}: {:?}", fault.err());
    }
}

#[test]
fn what_was_counted_on_the_way_to_the_stage_is_no_inputs() {
    let image = with_counters();
    for kind in MACHINES {
        let subject = Subject::start(order(kind, Stage::Connected), &image, Secrets::default()).expect("it starts");
        assert!(!subject.counters().is_empty() && subject.counters().iter().all(|&count| count == 0), "{kind:?}: {:?}", subject.counters());
    }
}

/// The shipped image, whose section of counters is empty, with its `.data` in there: these bytes are not zero when it comes to its stage. Only up to there does it run.
fn with_counters() -> Vec<u8> {
    const OFFSET_OF_SIZE: usize = 32;
    let mut image = image_file();
    let elf = ElfBytes::<LittleEndian>::minimal_parse(&image).expect("an ELF file");
    let (sections, names) = elf.section_headers_with_strtab().expect("sections");
    let (sections, names) = (sections.expect("sections"), names.expect("their names"));
    let of_name = |name| sections.iter().position(|section| names.get(section.sh_name as usize).is_ok_and(|own| own == name)).expect(name);
    let (counters, data) = (of_name("__sancov_cntrs"), of_name(".data"));
    let at = usize::try_from(elf.ehdr.e_shoff).expect("small") + counters * usize::from(elf.ehdr.e_shentsize) + OFFSET_OF_SIZE;
    let [counters, data] = [counters, data].map(|at| sections.get(at).expect("it was found"));
    assert_eq!((counters.sh_size, counters.sh_addr), (0, data.sh_addr), "appliance/image.ld has one behind the other");
    image[at..at + 8].copy_from_slice(&data.sh_size.to_le_bytes());
    image
}
