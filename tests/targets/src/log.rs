//! Boundary: a guest's log window. Its frames are decoded by a crate that was made for friends, its access records by ours.

use std::sync::LazyLock;

use abi::limits::LOG_WINDOW_LEN;
use defmt_decoder::Table;
use serde_json::{Value, json};
use status::Access;
use tender::access::Row;
use tender::limits::LINE_LEN_MAX;
use tender::line::Line;
use tender::log::Log;
use tender::order::Lines;

use crate::script::Script;
use crate::stuffing::stuffed;

/// Format strings of every kind that our guest has, and of a few that it has not.
const FORMATS: [&str; 8] = [
    "hello {=u8} {=str}",
    "S {{ x: {=?} }}",
    "nested {=?}",
    "access {=[u8]}",
    "{=u64} {=i32:#x} {=bool} {=f32}",
    "{=[u8;4]} {=char} {=u8:b}",
    "{=istr} {=__internal_FormatSequence}",
    "{0=0..4} {0=4..8} {=u128:us}",
];

static TABLE: LazyLock<Value> = LazyLock::new(|| {
    let entry = |index: usize, string: &str| {
        let tag = if index == 1 { "Derived" } else { "Info" };
        (index.to_string(), json!({ "string": { "tag": tag, "string": string }, "raw_symbol": format!("s{index}") }))
    };
    let entries: serde_json::Map<String, Value> = FORMATS.iter().zip(1..).map(|(string, index)| entry(index, string)).collect();
    json!({
        "timestamp": { "string": { "tag": "Timestamp", "string": "{=u64:us}" }, "raw_symbol": "t" },
        "entries": entries, "bitflags": {}, "encoding": "Rzcobs"
    })
});

thread_local! {
    static LOG: core::cell::RefCell<Log> = {
        let table: Table = serde_json::from_value(TABLE.clone()).expect("a table");
        core::cell::RefCell::new(Log::with_table(table).expect("a table that can be trusted with frames"))
    };
}

/// The first byte says whether the rest is the window itself, or frames that are stuffed first: each a format's index and what stands behind it.
pub fn log(data: &[u8]) {
    let mut script = Script(data);
    let frames = if script.byte() & 1 == 0 { script.0.to_vec() } else { made(script) };
    let mut window = window(&frames);
    let mut count = 0;
    let lines = LOG.with_borrow_mut(|log| log.take(&mut window, &mut |access| is_sound(access, &mut count)));
    assert_eq!(window[..8], [0; 8], "an empty window");
    let most = frames.split(|byte| *byte == 0).count() + 1;
    assert!(lines.len() + count <= most, "more entries than frames");
    lines.iter().for_each(is_printable);
}

fn made(mut script: Script<'_>) -> Vec<u8> {
    let mut frames = Vec::new();
    while !script.is_over() {
        let index = u16::from(script.byte()) % 10;
        frames.extend(stuffed(&[&index.to_le_bytes()[..], script.text()].concat()));
        frames.push(0);
    }
    frames
}

fn window(frames: &[u8]) -> Vec<u8> {
    let mut window = vec![0; LOG_WINDOW_LEN];
    let len = frames.len().min(LOG_WINDOW_LEN - 8);
    window[..4].copy_from_slice(&u32::try_from(len).unwrap_or(0).to_le_bytes());
    window[8..8 + len].copy_from_slice(&frames[..len]);
    window
}

/// A record that was taken is a record, and its line is one line.
fn is_sound(access: &Access<'_>, count: &mut usize) {
    *count += 1;
    assert!(access.encode(&mut [0; status::limits::ACCESS_LEN_MAX]).is_some());
    for lines in [Lines::Text, Lines::Json] {
        let rendered = Row::new(access, core::time::Duration::ZERO, |_| None).render(lines);
        is_one_line(&rendered);
    }
}

/// No line that a guest made can move a cursor, and none is endless.
fn is_printable(line: &Line) {
    for lines in [Lines::Text, Lines::Json] {
        let rendered = line.render(lines);
        is_one_line(&rendered);
        assert!(rendered.len() <= 4 * LINE_LEN_MAX, "{} bytes", rendered.len());
    }
}

fn is_one_line(rendered: &str) {
    let (newline, rest) = rendered.as_bytes().split_last().expect("a line");
    assert!(*newline == b'\n' && rest.iter().all(|byte| (b' '..=b'~').contains(byte)), "{rendered:?}");
}
