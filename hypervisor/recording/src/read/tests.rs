//! Recordings that come back as they were written, and bytes that never were one.

use super::*;
use crate::event::{Came, Contest, Crash, How};
use crate::key::Identity;
use crate::limits::{BEGINNING_LEN_MAX, EVENT_LEN_MAX};
use crate::seal::Sealer;
use crate::write::{Stopped, Windows, Writer};
use abi::limits::QUEUE_WINDOW_LEN;
use proptest::prelude::*;
use queue::Batch;

fn identity() -> Identity {
    Identity::from_bytes([7; 32])
}

fn beginning() -> Beginning {
    Beginning {
        machine: 2,
        image: [3; 32],
        heap_len: 1 << 30,
        draw: Zeroizing::new(core::array::from_fn(|at| at as u64 * 77)),
        seed: Zeroizing::new([5; 32]),
        bundle: Zeroizing::new(vec![9; 100_000]),
        contest: None,
    }
}

fn contested() -> Beginning {
    let contest = Contest {
        flag: Zeroizing::new([0xf1; 32]),
        flag_address: 0x1337_0000_0000,
        word_address: 0x4242_4242_0000,
        prize: Zeroizing::new([0xe7; 32]),
    };
    Beginning { contest: Some(contest), ..beginning() }
}

fn window(frames: &[Vec<u8>]) -> Vec<u8> {
    let mut window = vec![0; QUEUE_WINDOW_LEN];
    let mut batch = Batch::new(&mut window).unwrap();
    for frame in frames {
        let offload = Offload { flags: 1, gso_type: 4, hdr_len: 54, gso_size: 1400, csum_start: 34, csum_offset: 16 };
        batch.push(frame, offload).unwrap();
    }
    window
}

fn write(events: &[Event], over: Over) -> Vec<u8> {
    let mut writer = Writer::begin(Vec::new(), identity().recipient(), 1 << 30, &beginning()).unwrap();
    for event in events {
        match event {
            Event::Go(given) => {
                let rx = given.frames.each_ref().map(|frames| window(&frames.iter().map(|frame| frame.bytes.clone()).collect::<Vec<_>>()));
                let letter = given.letter.as_ref().map(|letter| (letter.kind, &letter.bytes[..]));
                let Given { now_ns, unix_ns, request, .. } = *given;
                writer.go(&Windows { now_ns, unix_ns, request, letter, rx: rx.each_ref().map(Vec::as_slice) }).unwrap();
            }
            Event::Came(came) => writer.came(came).unwrap(),
            Event::Over(_) => unreachable!(),
        }
    }
    writer.over(over).unwrap()
}

fn read(file: &[u8], chunks_max: u64) -> Result<(Vec<Event>, Option<ReadFault>), ReadFault> {
    let (mut reader, found) = Reader::begin(Opener::begin(file, &identity())?, chunks_max)?;
    assert_eq!(found, beginning());
    let mut events = Vec::new();
    loop {
        match reader.next_event() {
            Ok(event @ Event::Over(_)) => {
                events.push(event);
                return Ok((events, None));
            }
            Ok(event) => events.push(event),
            Err(fault) => return Ok((events, Some(fault))),
        }
    }
}

fn frame() -> impl Strategy<Value = Received> {
    let offload = Offload { flags: 1, gso_type: 4, hdr_len: 54, gso_size: 1400, csum_start: 34, csum_offset: 16 };
    prop::collection::vec(any::<u8>(), 1..3000).prop_map(move |bytes| Received { bytes, offload })
}

fn given() -> impl Strategy<Value = Event> {
    let letter = prop::option::of((1_u32..3, prop::collection::vec(any::<u8>(), 0..70_000)));
    let frames = || prop::collection::vec(frame(), 0..5);
    (any::<u64>(), any::<u64>(), 0_u32..2, letter, frames(), frames()).prop_map(|(now_ns, unix_ns, request, letter, front, back)| {
        let letter = letter.map(|(kind, bytes)| Posted { kind, bytes: Zeroizing::new(bytes) });
        Event::Go(Given { now_ns, unix_ns, request, letter, frames: [front, back] })
    })
}

fn digest() -> impl Strategy<Value = Digest> {
    any::<u64>().prop_map(Digest)
}

fn came() -> impl Strategy<Value = Event> {
    let sent = || (any::<u16>(), digest()).prop_map(|(frames, digest)| Sent { frames, digest });
    let wait = (any::<u64>(), sent(), sent(), digest()).prop_map(|(deadline_ns, front, back, answer)| How::Wait {
        deadline_ns,
        sent: [front, back],
        answer,
    });
    let quiet = any::<u64>().prop_map(|deadline_ns| How::Wait { deadline_ns, sent: Default::default(), answer: Digest(0) });
    let crash =
        (any::<u8>(), any::<[u64; 2]>(), any::<u64>()).prop_map(|(kind, values, offset)| How::Crash(Crash { kind, values, offset }));
    let how = prop_oneof![wait, quiet, Just(How::Sealed), any::<u32>().prop_map(How::Exit), crash];
    (how, prop_oneof![Just(Digest(0)), digest()]).prop_map(|(how, log)| Event::Came(Came { how, log }))
}

#[test]
fn a_recording_that_reaches_its_bound_is_closed_within_it() {
    let len_max = BEGINNING_LEN_MAX + 100_000;
    let mut writer = Writer::begin(Vec::new(), identity().recipient(), len_max, &beginning()).unwrap();
    let rx = window(&[vec![1; 1000]]);
    let quiet = vec![0; QUEUE_WINDOW_LEN];
    let given = Windows { now_ns: 1, unix_ns: 2, request: 0, letter: None, rx: [&rx, &quiet] };
    let stopped = loop {
        if let Err(stopped) = writer.go(&given) {
            break stopped;
        }
    };
    assert!(matches!(stopped, Stopped::LimitLen));
    let file = writer.over(Over::Full).unwrap();
    assert!(file.len() as u64 <= len_max && file.len() as u64 + 1000 + 3 * EVENT_LEN_MAX as u64 > len_max, "{}", file.len());
    let (events, fault) = read(&file, u64::MAX).unwrap();
    assert!(fault.is_none() && events.last() == Some(&Event::Over(Over::Full)));
    let least = Writer::begin(Vec::new(), identity().recipient(), BEGINNING_LEN_MAX - 1, &beginning());
    assert!(matches!(least, Err(Stopped::LimitLen)));
}

#[test]
fn another_version_and_other_files_are_told_apart() {
    let file = |bytes: &[u8]| {
        let mut sealer = Sealer::begin(Vec::new(), identity().recipient()).unwrap();
        sealer.append(bytes).unwrap();
        sealer.finish().unwrap()
    };
    for other in [1, 3] {
        assert!(
            matches!(read(&file(&[b"bbrecord", &[other, 0, 0, 0][..]].concat()), 9), Err(ReadFault::PeerVersion(version)) if version == u32::from(other))
        );
    }
    assert!(matches!(read(&file(b"a letter to my love"), 9), Err(ReadFault::PeerFormat)));
    assert!(matches!(read(&file(b"bb"), 9), Err(ReadFault::PeerFormat)));
}

#[test]
fn a_contest_comes_back_as_it_was() {
    let writer = Writer::begin(Vec::new(), identity().recipient(), 1 << 30, &contested()).unwrap();
    let file = writer.over(Over::Guest).unwrap();
    let (mut reader, found) = Reader::begin(Opener::begin(&file[..], &identity()).unwrap(), u64::MAX).unwrap();
    assert_eq!(found, contested());
    assert!(matches!(reader.next_event(), Ok(Event::Over(Over::Guest))));
    assert!(!format!("{:?}{:?}", found, found.contest).contains("241"), "no flag is ever printed");
}

#[test]
fn a_contest_that_is_neither_there_nor_not_is_no_recording() {
    let mut sealer = Sealer::begin(Vec::new(), identity().recipient()).unwrap();
    let whole = write(&[], Over::Guest);
    let mut opener = Opener::begin(&whole[..], &identity()).unwrap();
    let mut plain = Vec::new();
    while opener.advance().unwrap() == Ahead::More {
        plain.extend_from_slice(opener.bytes());
    }
    plain.extend_from_slice(opener.bytes());
    let mark = plain.len() - 4;
    assert_eq!(plain[mark], 0);
    plain[mark] = 2;
    sealer.append(&plain).unwrap();
    assert!(matches!(read(&sealer.finish().unwrap(), u64::MAX), Err(ReadFault::PeerFormat)));
}

#[test]
fn something_behind_the_end_is_no_recording() {
    let mut writer = Sealer::begin(Vec::new(), identity().recipient()).unwrap();
    let whole = write(&[], Over::Guest);
    let mut opener = Opener::begin(&whole[..], &identity()).unwrap();
    loop {
        let ahead = opener.advance().unwrap();
        writer.append(opener.bytes()).unwrap();
        if ahead != Ahead::More {
            break;
        }
    }
    writer.append(b"more").unwrap();
    let (_, fault) = read(&writer.finish().unwrap(), 99).unwrap();
    assert!(matches!(fault, Some(ReadFault::PeerFormat)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn events_come_back_as_they_were(events in prop::collection::vec(prop_oneof![given(), came()], 0..8)) {
        let file = write(&events, Over::HostileQueue(1));
        let (mut found, fault) = read(&file, u64::MAX).unwrap();
        prop_assert!(fault.is_none());
        prop_assert_eq!(found.pop(), Some(Event::Over(Over::HostileQueue(1))));
        prop_assert_eq!(found, events);
    }

    /// Read up to some chunk, the same events come, only fewer.
    #[test]
    fn a_part_of_it_is_a_part(events in prop::collection::vec(prop_oneof![given(), came()], 0..8), chunks in 2_u64..8) {
        let file = write(&events, Over::Guest);
        let (found, fault) = read(&file, chunks).unwrap();
        if matches!(fault, Some(ReadFault::Cut)) {
            prop_assert_eq!(&found[..], &events[..found.len()]);
        } else {
            prop_assert!(fault.is_none() && found.len() == events.len() + 1);
        }
    }

    /// Whoever holds the public key can seal what they like: it is parsed as hostile, without a panic and within its bounds.
    #[test]
    fn sealed_noise_never_panics(noise in prop::collection::vec(any::<u8>(), 0..4000)) {
        let mut sealer = Sealer::begin(Vec::new(), identity().recipient()).unwrap();
        let whole = write(&[], Over::Guest);
        let mut opener = Opener::begin(&whole[..], &identity()).unwrap();
        let mut plain = Vec::new();
        while opener.advance().unwrap() == Ahead::More {
            plain.extend_from_slice(opener.bytes());
        }
        plain.extend_from_slice(opener.bytes());
        plain.truncate(plain.len() - 3);
        sealer.append(&plain).unwrap();
        sealer.append(&noise).unwrap();
        let (events, _) = read(&sealer.finish().unwrap(), u64::MAX).unwrap();
        prop_assert!(events.len() <= noise.len());
    }
}
