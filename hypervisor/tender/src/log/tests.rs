//! Frames as defmt's own encoder makes them, and frames as an attacker would.

use super::*;
use crate::order::Lines;
use proptest::prelude::*;

fn log() -> Log {
    let table = serde_json::json!({
        "timestamp": null,
        "entries": {
            "1": { "string": { "tag": "Info", "string": "hello {=u8} {=str}" }, "raw_symbol": "a" },
            "2": { "string": { "tag": "Derived", "string": "S {{ x: {=?} }}" }, "raw_symbol": "b" },
            "3": { "string": { "tag": "Error", "string": "nested {=?}" }, "raw_symbol": "c" }
        },
        "bitflags": {},
        "encoding": "Rzcobs"
    });
    Log { table: Some(serde_json::from_value(table).unwrap()), access: None, secret: None, malformed: 0 }
}

/// A log whose image makes access records, as format 4, and gives secrets away, as format 5.
fn log_with_access() -> Log {
    let table = serde_json::json!({
        "timestamp": { "string": { "tag": "Timestamp", "string": "{=u64:us}" }, "raw_symbol": "t" },
        "entries": {
            "3": { "string": { "tag": "Info", "string": "hello" }, "raw_symbol": "a" },
            "4": { "string": { "tag": "Info", "string": "access {=[u8]}" }, "raw_symbol": "b" },
            "5": { "string": { "tag": "Info", "string": "secret {=[u8]}" }, "raw_symbol": "c" }
        },
        "bitflags": {},
        "encoding": "Rzcobs"
    });
    let table: Table = serde_json::from_value(table).unwrap();
    Log::with_table(table).unwrap()
}

fn stuffed(frame: &[u8]) -> Vec<u8> {
    let mut encoder = defmt::Encoder::new();
    let mut out = Vec::new();
    encoder.start_frame(|bytes| out.extend_from_slice(bytes));
    encoder.write(frame, |bytes| out.extend_from_slice(bytes));
    encoder.end_frame(|bytes| out.extend_from_slice(bytes));
    out
}

fn window(frames: &[u8], dropped: u32) -> Vec<u8> {
    let mut window = vec![0; LOG_WINDOW_LEN];
    window[..4].copy_from_slice(&u32::try_from(frames.len()).unwrap().to_le_bytes());
    window[4..8].copy_from_slice(&dropped.to_le_bytes());
    window[8..8 + frames.len()].copy_from_slice(frames);
    window
}

fn text(lines: &[Line]) -> Vec<String> {
    lines.iter().map(|line| line.render(Lines::Text)).collect()
}

#[test]
fn frames_become_lines_and_the_window_is_empty() {
    let frame = stuffed(&[1, 0, 7, 3, 0, 0, 0, b'a', 0x1b, b'c']);
    let mut window = window(&[frame.clone(), frame].concat(), 2);
    let lines = log().take(&mut window, &mut |_| ());
    assert_eq!(text(&lines[..2]), ["guest info hello 7 a\\u{1b}c\n", "guest info hello 7 a\\u{1b}c\n"]);
    assert_eq!(text(&lines[2..]), ["tender warn the guest's log window was full count=2\n"]);
    assert_eq!(window[..8], [0; 8]);
    assert!(log().take(&mut window, &mut |_| ()).is_empty());
}

/// The frame of an access record: index, time, length, bytes.
fn access_frame(record: &[u8]) -> Vec<u8> {
    let len = u32::try_from(record.len()).unwrap().to_le_bytes();
    stuffed(&[&[4, 0, 1, 2, 3, 4, 5, 6, 7, 8][..], &len, record].concat())
}

fn record(serial: u64) -> Vec<u8> {
    let record = Access {
        serial,
        source: "203.0.113.9:51000".parse().unwrap(),
        front_end: None,
        server_name: Some("www.example.org"),
        agreed: None,
        route: None,
        backend: None,
        passed: false,
        bytes_up: 0,
        bytes_down: 0,
        handshake_us: None,
        connect_us: None,
        time_us: 0,
        end: status::End::UnknownName,
        failure: None,
    };
    record.encode(&mut [0; status::limits::ACCESS_LEN_MAX]).unwrap().to_vec()
}

#[test]
fn access_records_stand_between_lines_and_are_told_apart() {
    let line = stuffed(&[3, 0, 1, 0, 0, 0, 0, 0, 0, 0]);
    let mut seen = Vec::new();
    let mut window = window(&[access_frame(&record(1)), line, access_frame(&record(2))].concat(), 0);
    let lines = log_with_access().take(&mut window, &mut |access| seen.push((access.serial, access.server_name.map(str::to_owned))));
    assert_eq!(seen, [(1, Some("www.example.org".to_owned())), (2, Some("www.example.org".to_owned()))]);
    assert_eq!(text(&lines), ["guest info hello at=0.000001\n"]);
}

#[test]
fn an_access_record_that_lies_is_malformed_and_nothing_more() {
    let sound = record(1);
    let cut = access_frame(&sound[..sound.len() - 1]);
    let long = access_frame(&[&sound[..], &[1]].concat());
    let mut lying = [4, 0, 1, 2, 3, 4, 5, 6, 7, 8].to_vec();
    lying.extend([0xff; 8]);
    for frame in [cut, long, stuffed(&lying), stuffed(&[4, 0]), access_frame(&[])] {
        let lines = log_with_access().take(&mut window(&frame, 0), &mut |_| panic!("no record"));
        assert_eq!(text(&lines), ["tender warn a log frame is malformed count=1\n"]);
    }
}

#[test]
fn secrets_are_shown_among_other_frames_and_stay_where_they_are() {
    let frame = |index: u8, len: u8| stuffed(&[&[index, 0, 1, 2, 3, 4, 5, 6, 7, 8, len, 0, 0, 0][..], b"a\0b"].concat());
    let frames = [frame(5, 3), frame(3, 3), access_frame(&record(7)), vec![0xff, 0], frame(5, 9), frame(5, 3)].concat();
    let window = window(&frames, 0);
    let shown = |log: &Log| {
        let mut shown = Vec::new();
        log.secrets(&window, |secret| shown.push(secret.to_vec()));
        shown
    };
    assert_eq!(shown(&log_with_access()), [b"a\0b", b"a\0b"], "one of them says that it is longer than it is");
    assert_eq!(shown(&log()), [] as [Vec<u8>; 0], "an image that gives none away");
}

#[test]
fn a_malformed_frame_costs_itself_only() {
    let good = stuffed(&[1, 0, 7, 0, 0, 0, 0]);
    let bad = stuffed(&[99, 0]);
    let lines = log().take(&mut window(&[bad, vec![0], good].concat(), 0), &mut |_| ());
    assert_eq!(text(&lines), ["tender warn a log frame is malformed count=1\n", "guest info hello 7 \n"]);
}

#[test]
fn a_frame_that_would_nest_without_end_is_refused() {
    let deep = [&[3, 0][..], &[2, 0].repeat(LOG_FRAME_LEN_MAX)].concat();
    let lines = log().take(&mut window(&stuffed(&deep), 0), &mut |_| ());
    assert_eq!(text(&lines), ["tender warn a log frame is malformed count=1\n"]);
}

/// On half of the stack that a process's first thread has.
#[test]
fn the_deepest_frame_that_is_decoded_does_not_break_the_decoder() {
    let deepest = || {
        let deep = [&[3, 0][..], &[2, 0].repeat(LOG_FRAME_LEN_MAX / 2 - 2)].concat();
        log().take(&mut window(&stuffed(&deep), 0), &mut |_| ()).len()
    };
    let thread = std::thread::Builder::new().stack_size(4 << 20).spawn(deepest).unwrap();
    assert_eq!(thread.join().unwrap(), 1);
}

#[test]
fn a_length_beyond_the_window_is_clamped() {
    let mut window = window(&[], 0);
    window[..4].copy_from_slice(&u32::MAX.to_le_bytes());
    window[8..].fill(0x41);
    assert_eq!(log().take(&mut window, &mut |_| ()).len(), 1);
}

#[test]
fn an_image_without_a_table_is_said_so() {
    assert_eq!(Log::new(b"no ELF file").1, Some(TableFault::Missing));
}

proptest! {
    #[test]
    fn nothing_panics(frames in proptest::collection::vec(any::<u8>(), 0..600), known in 1..4_u8) {
        let _any = log().take(&mut window(&frames, 0), &mut |_| ());
        let _access = log_with_access().take(&mut window(&stuffed(&[&[4, 0][..], &frames].concat()), 0), &mut |_| ());
        log_with_access().secrets(&window(&frames, 0), |_| ());
        log_with_access().secrets(&window(&stuffed(&[&[5, 0][..], &frames].concat()), 0), |_| ());
        let _known = log().take(&mut window(&stuffed(&[&[known, 0][..], &frames].concat()), 0), &mut |_| ());
    }

    #[test]
    fn unstuffing_undoes_stuffing(frame in proptest::collection::vec(any::<u8>(), 0..600)) {
        let stuffed = stuffed(&frame);
        let inner: Vec<u8> = stuffed.iter().copied().filter(|byte| *byte != 0).collect();
        let plain = unstuff(&inner).unwrap();
        prop_assert_eq!(plain.get(..frame.len()), Some(&frame[..]));
        prop_assert!(plain.iter().skip(frame.len()).all(|byte| *byte == 0));
    }
}
