//! The guest's log: defmt frames from the log window, decoded with the table that stands in the image.
//!
//! Access records travel as bytes in such a frame, and are read without the decoder. So do the secrets of sessions, which an image for replay logs and no other.
//!
//! The decoder is made for friendly input, so hostile frames are kept within what it can bear: they are split here, a long one is not decoded (the
//! decoder recurses once per two bytes at most), and an image whose table uses counted lists, whose count the decoder trusts, gets no decoder.

use abi::limits::LOG_WINDOW_LEN;
use abi::log::HEADER_LEN;
use defmt_decoder::{Encoding, Table};
use serde_json::Value;
use status::Access;

use crate::limits::LOG_FRAME_LEN_MAX;
use crate::line::{Kind, Line};

/// The guest's format string of an access record. It and the next are all that this module knows by itself.
const ACCESS_FORMAT: &str = "access {=[u8]}";
/// The guest's format string of a session's secret.
const SECRET_FORMAT: &str = "secret {=[u8]}";
/// The guest's timestamps: microseconds in eight bytes.
const TIMESTAMP_FORMAT: &str = "{=u64:us}";
const TIMESTAMP_LEN: usize = 8;

/// How a format string says that a list follows, whose length the decoder would take from the frame and allocate.
const COUNTED_LIST: &[u8] = b"{=[?]";

/// Decodes what a guest logs.
pub struct Log {
    table: Option<Table>,
    /// How frames with access records begin, if the image makes any.
    access: Option<u16>,
    /// How frames with secrets begin, likewise.
    secret: Option<u16>,
    malformed: u64,
}

/// Why an image's frames cannot be decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TableFault {
    /// The image has no defmt section, or a damaged one.
    Missing,
    /// Its frames are not delimited (rzCOBS is).
    Encoding,
    /// A format string has a counted list.
    CountedList,
}

impl Log {
    /// A decoder for the guest of this image file.
    #[must_use]
    pub fn new(image: &[u8]) -> (Self, Option<TableFault>) {
        match table_of(image).and_then(Self::with_table) {
            Ok(log) => (log, None),
            Err(fault) => (Self { table: None, access: None, secret: None, malformed: 0 }, Some(fault)),
        }
    }

    /// A decoder for frames that this table describes.
    ///
    /// # Errors
    /// The table is one that the decoder cannot be trusted with.
    pub fn with_table(table: Table) -> Result<Self, TableFault> {
        check(&table)?;
        Ok(Self { access: index_of(&table, ACCESS_FORMAT), secret: index_of(&table, SECRET_FORMAT), table: Some(table), malformed: 0 })
    }

    /// Shows the bytes of each secret in the window, and takes nothing out of it.
    pub fn secrets(&self, window: &[u8], mut tell: impl FnMut(&[u8])) {
        let Some((header, frames)) = window.split_first_chunk::<HEADER_LEN>() else { return };
        for frame in whole_frames(*header, frames) {
            let plain = unstuff(frame).filter(|plain| plain.len() <= LOG_FRAME_LEN_MAX).unwrap_or_default();
            let behind = self.secret.and_then(|index| plain.strip_prefix(&index.to_le_bytes()));
            if let Some(secret) = behind.and_then(bytes_of) {
                tell(secret);
            }
        }
    }

    /// Takes all frames out of the window, which is empty afterwards. Access records go to `record`, the rest comes back as lines.
    pub fn take(&mut self, window: &mut [u8], record: &mut dyn FnMut(&Access<'_>)) -> Vec<Line> {
        let Some((header, frames)) = window.split_first_chunk_mut::<HEADER_LEN>() else { return Vec::new() };
        let [.., d0, d1, d2, d3] = *header;
        let frames = whole_frames(core::mem::take(header), frames);
        let mut lines: Vec<Line> = frames.filter_map(|frame| self.entry(frame, record)).collect();
        let dropped = u32::from_le_bytes([d0, d1, d2, d3]);
        if dropped > 0 {
            lines.push(Line::tender("warn", "the guest's log window was full").with("count", dropped));
        }
        lines
    }

    fn entry(&mut self, frame: &[u8], record: &mut dyn FnMut(&Access<'_>)) -> Option<Line> {
        match self.decode(frame, record) {
            Ok(line) => line,
            Err(Malformed) => {
                self.malformed = self.malformed.saturating_add(1);
                Some(Line::tender("warn", "a log frame is malformed").with("count", self.malformed))
            }
        }
    }

    fn decode(&self, frame: &[u8], record: &mut dyn FnMut(&Access<'_>)) -> Result<Option<Line>, Malformed> {
        let plain = unstuff(frame).filter(|plain| plain.len() <= LOG_FRAME_LEN_MAX).ok_or(Malformed)?;
        if let Some(bytes) = self.access.and_then(|index| plain.strip_prefix(&index.to_le_bytes())) {
            record(&access(bytes).ok_or(Malformed)?);
            return Ok(None);
        }
        self.decode_line(&plain).map(Some).ok_or(Malformed)
    }

    fn decode_line(&self, plain: &[u8]) -> Option<Line> {
        let (frame, _) = self.table.as_ref()?.decode(plain).ok()?;
        let level = frame.level().map_or("info", |level| level.as_str());
        let line = Line::new(Kind::Guest, level, frame.display_message().to_string());
        Some(match frame.display_timestamp() {
            Some(time) => line.with("at", time.to_string()),
            None => line,
        })
    }
}

impl core::fmt::Debug for Log {
    fn fmt(&self, out: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        out.debug_struct("Log").field("table", &self.table.is_some()).field("malformed", &self.malformed).finish()
    }
}

/// The frame is none of this image's.
struct Malformed;

/// What the header says of what stands behind it, cut where a zero says that a frame ends.
fn whole_frames([l0, l1, l2, l3, ..]: [u8; HEADER_LEN], frames: &[u8]) -> impl Iterator<Item = &[u8]> {
    let len = usize::try_from(u32::from_le_bytes([l0, l1, l2, l3])).unwrap_or(usize::MAX);
    let frames = frames.get(..len.min(LOG_WINDOW_LEN.saturating_sub(HEADER_LEN)).min(frames.len())).unwrap_or_default();
    frames.split(|byte| *byte == 0).filter(|frame| !frame.is_empty())
}

/// Which frames are of this format string, of which the image has one. Their shape is known then, and the decoder, which would make text of their bytes, is not
/// needed.
fn index_of(table: &Table, format: &str) -> Option<u16> {
    let table = serde_json::to_value(table).ok()?;
    let string = |entry: &Value| entry.get("string")?.get("string")?.as_str().map(str::to_owned);
    if string(table.get("timestamp")?)? != TIMESTAMP_FORMAT {
        return None;
    }
    let entries = table.get("entries")?.as_object()?;
    let (index, _) = entries.iter().find(|(_, entry)| string(entry).as_deref() == Some(format))?;
    index.parse().ok()
}

fn access(bytes: &[u8]) -> Option<Access<'_>> {
    Access::decode(bytes_of(bytes)?).ok()
}

/// What stands behind the index: the timestamp, the record's length, the record; then zeros, as the last stuffed group may be padded.
fn bytes_of(bytes: &[u8]) -> Option<&[u8]> {
    let (_, bytes) = bytes.split_first_chunk::<TIMESTAMP_LEN>()?;
    let (len, bytes) = bytes.split_first_chunk::<4>()?;
    let (record, rest) = bytes.split_at_checked(usize::try_from(u32::from_le_bytes(*len)).ok()?)?;
    rest.iter().all(|byte| *byte == 0).then_some(record)
}

fn table_of(image: &[u8]) -> Result<Table, TableFault> {
    Table::parse(image).ok().flatten().ok_or(TableFault::Missing)
}

fn check(table: &Table) -> Result<(), TableFault> {
    if table.encoding() != Encoding::Rzcobs {
        return Err(TableFault::Encoding);
    }
    let strings = postcard::to_stdvec(table).map_err(|_| TableFault::Missing)?;
    let counted = strings.windows(COUNTED_LIST.len()).any(|window| window == COUNTED_LIST);
    if counted { Err(TableFault::CountedList) } else { Ok(()) }
}

/// Undoes rzCOBS (<https://github.com/Dirbaio/rzcobs>), which keeps frames free of zeros. Read from its end.
fn unstuff(frame: &[u8]) -> Option<Vec<u8>> {
    let mut reversed = Vec::new();
    let mut rest = frame;
    while let Some((control, before)) = rest.split_last() {
        rest = before;
        match *control {
            0 => return None,
            mask @ 0x01..=0x7f => {
                for bit in 0..7 {
                    if mask & (1 << (6 - bit)) == 0 {
                        reversed.push(take_last(&mut rest)?);
                    } else {
                        reversed.push(0);
                    }
                }
            }
            run @ 0x80..=0xfe => {
                reversed.push(0);
                for _ in 0..(run & 0x7f) + 7 {
                    reversed.push(take_last(&mut rest)?);
                }
            }
            0xff => {
                for _ in 0..134 {
                    reversed.push(take_last(&mut rest)?);
                }
            }
        }
        if reversed.len() > LOG_FRAME_LEN_MAX.saturating_mul(2) {
            return None;
        }
    }
    reversed.reverse();
    Some(reversed)
}

fn take_last(rest: &mut &[u8]) -> Option<u8> {
    let (last, before) = rest.split_last()?;
    *rest = before;
    Some(*last)
}

#[cfg(test)]
mod tests;
