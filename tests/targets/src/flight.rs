//! What a server says at once, taken apart beneath the encryption, changed, and put together again.

use tls::Version;

use crate::peer::{handshake_secret, records};
use crate::script::Script;
use crate::sealing::{ALERT, HANDSHAKE, Sealing};

const CHANGE_CIPHER_SPEC: u8 = 20;
const HEADER_LEN: usize = 5;
/// What nobody may take: a record that was changed on its way.
const SPOILT: u8 = 255;
/// Changes that one flight has at most.
const CHANGES_MAX: usize = 8;

/// A message of the handshake, or another record's content.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Piece {
    kind: u8,
    sealed: bool,
    bytes: Vec<u8>,
    /// The longest fragment that it goes in.
    cut: usize,
    padding: u8,
    /// The second byte of the version that a record in the clear has.
    minor: u8,
    /// What is changed on the way: where in the record, and which bits.
    flip: Option<(u16, u8)>,
}

impl Piece {
    fn new(kind: u8, sealed: bool, bytes: Vec<u8>) -> Self {
        Self { kind, sealed, bytes, cut: usize::MAX, padding: 0, minor: 3, flip: None }
    }

    /// Whether it is no longer, in its records, than what a session waits for.
    fn is_waited_for(&self) -> bool {
        let records = self.bytes.len().div_ceil(self.cut);
        self.bytes.len() + records * (HEADER_LEN + 1 + usize::from(self.padding) + 16) <= tls::limits::HANDSHAKE_INPUT_LEN_MAX
    }

    /// A message whose length says what there is.
    fn mend(&mut self) {
        let len = self.bytes.len().saturating_sub(4);
        if let [_, high, middle, low, ..] = &mut self.bytes[..] {
            [*high, *middle, *low] = u32::try_from(len).unwrap_or(u32::MAX).to_be_bytes().last_chunk().copied().unwrap_or_default();
        }
    }
}

/// How a flight compares with what the server has said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Verdict {
    /// It is the same.
    Sound,
    /// All of it is there, with something between the records or behind them.
    Odd,
    /// It is another.
    Broken,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Flight {
    version: Version,
    pieces: Vec<Piece>,
    /// The server's hello asks for another of ours, if it was put in.
    pub(crate) asks_again: bool,
}

impl Flight {
    /// Takes apart what a server has said.
    pub(crate) fn of(bytes: &[u8], version: Version) -> Self {
        let mut opener = None;
        let mut pieces = Vec::new();
        for record in records(bytes) {
            let (kind, fragment) = (record[0], &record[HEADER_LEN..]);
            match kind {
                // TLS 1.2 seals its last message alone, behind a ChangeCipherSpec.
                HANDSHAKE if version == Version::Tls12 && pieces.last().is_some_and(|last: &Piece| last.kind == CHANGE_CIPHER_SPEC) => {
                    pieces.push(Piece::new(kind, true, fragment.to_vec()));
                }
                HANDSHAKE => pieces.extend(messages(fragment).map(|message| Piece::new(kind, false, message))),
                CHANGE_CIPHER_SPEC | ALERT => pieces.push(Piece::new(kind, false, fragment.to_vec())),
                _ => match opener.get_or_insert_with(|| Sealing::of_secret(&handshake_secret())).open(record) {
                    Some((HANDSHAKE, content)) => pieces.extend(messages(&content).map(|message| Piece::new(HANDSHAKE, true, message))),
                    Some((kind, content)) => pieces.push(Piece::new(kind, true, content)),
                    // Under keys that come later: an alert of a server that is past its handshake.
                    None => pieces.push(Piece::new(kind, false, fragment.to_vec())),
                },
            }
        }
        Self { version, pieces, asks_again: false }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }

    /// Changes what the script says; how it compares then.
    pub(crate) fn change(&mut self, script: &mut Script<'_>, hello: &[u8]) -> Verdict {
        let before = self.pieces.clone();
        for _ in 0..usize::from(script.byte()) % (CHANGES_MAX + 1) {
            self.change_one(script, hello);
        }
        self.verdict(&before)
    }

    fn change_one(&mut self, script: &mut Script<'_>, hello: &[u8]) {
        let (what, at) = (script.byte(), usize::from(script.byte()));
        let Some(at) = at.checked_rem(self.pieces.len()) else { return };
        let piece = &mut self.pieces[at];
        match what % 14 {
            9 if piece.sealed && self.version == Version::Tls13 => piece.flip = Some((script.short(), script.byte() | 1)),
            0 | 9 => {
                let (place, bits) = (usize::from(script.short()), script.byte());
                if let Some(byte) = place.checked_rem(piece.bytes.len()).and_then(|place| piece.bytes.get_mut(place)) {
                    *byte ^= bits;
                }
            }
            1 => piece.bytes.truncate(script.short().into()),
            2 => drop(self.pieces.remove(at)),
            3 => {
                let again = piece.clone();
                self.pieces.insert(at, again);
            }
            4 => self.pieces.swap(at, 0),
            5 => {
                // A type of 0 would make one of the text's bytes the type (RFC 8446 section 5.4).
                let (kind, sealed) = (script.byte().max(1), what & 16 != 0);
                self.pieces.insert(at, Piece::new(kind, sealed, script.text().to_vec()));
            }
            6 => {
                piece.bytes.truncate(4);
                piece.bytes.extend_from_slice(script.text());
                piece.mend();
            }
            7 => piece.cut = usize::from(script.byte()) + 1,
            8 => piece.padding = script.byte(),
            10 => {
                self.asks_again = true;
                self.pieces.insert(at, Piece::new(HANDSHAKE, false, retry(hello, script.short())));
            }
            // Some of it becomes something else.
            11 | 12 => {
                let (from, len) = (usize::from(script.short()) % (piece.bytes.len() + 1), usize::from(script.byte()));
                let to = (from + len).min(piece.bytes.len());
                piece.bytes.splice(from..to, script.text().iter().copied());
                if what % 14 == 11 {
                    piece.mend();
                }
            }
            _ => piece.minor = script.byte(),
        }
    }

    fn verdict(&self, before: &[Piece]) -> Verdict {
        let (said, meant) = (essence(&self.pieces, self.version), essence(before, self.version));
        if !begins(&said, &meant) {
            return Verdict::Broken;
        }
        let looks = |piece: &Piece| Piece { cut: 0, padding: 0, ..piece.clone() };
        let is_same = self.pieces.iter().map(looks).eq(before.iter().map(looks));
        if is_same && self.pieces.iter().all(Piece::is_waited_for) { Verdict::Sound } else { Verdict::Odd }
    }

    /// As records.
    pub(crate) fn records(&self) -> Vec<u8> {
        let mut sealer = None;
        let mut bytes = Vec::new();
        for piece in &self.pieces {
            // What TLS 1.2 seals is sealed already.
            let seals = piece.sealed && self.version == Version::Tls13;
            let cut = if piece.sealed && !seals { usize::MAX } else { piece.cut };
            let empty = piece.bytes.is_empty().then_some(&[][..]);
            for fragment in piece.bytes.chunks(cut.min(piece.bytes.len()).max(1)).chain(empty) {
                let mut record = if seals {
                    let sealer = sealer.get_or_insert_with(|| Sealing::of_secret(&handshake_secret()));
                    sealer.seal(piece.kind, fragment, piece.padding.into())
                } else {
                    let [high, low] = u16::try_from(fragment.len()).unwrap_or(u16::MAX).to_be_bytes();
                    [&[piece.kind, 3, piece.minor, high, low], fragment].concat()
                };
                let flipped = piece.flip.and_then(|(at, bits)| Some((usize::from(at).checked_rem(record.len() - HEADER_LEN)?, bits)));
                if let Some((at, bits)) = flipped {
                    record[HEADER_LEN + at] ^= bits;
                }
                bytes.extend_from_slice(&record);
            }
        }
        bytes
    }
}

/// What a handshake is made of: records of one kind, in the clear or not, and what they hold together. A warning is no part of it, nor in TLS 1.3 a
/// ChangeCipherSpec.
fn essence(pieces: &[Piece], version: Version) -> Vec<(u8, bool, Vec<u8>)> {
    let mut parts: Vec<(u8, bool, Vec<u8>)> = Vec::new();
    for piece in pieces {
        let kind = if piece.flip.is_some() { SPOILT } else { piece.kind };
        if kind == ALERT || (kind == CHANGE_CIPHER_SPEC && version == Version::Tls13) {
            continue;
        }
        match parts.last_mut().filter(|last| (last.0, last.1) == (kind, piece.sealed)) {
            Some(last) => last.2.extend_from_slice(&piece.bytes),
            None => parts.push((kind, piece.sealed, piece.bytes.clone())),
        }
    }
    parts
}

fn begins(said: &[(u8, bool, Vec<u8>)], meant: &[(u8, bool, Vec<u8>)]) -> bool {
    let Some((last, first)) = meant.split_last() else { return true };
    let Some(end) = said.get(first.len()) else { return false };
    said.starts_with(first) && (end.0, end.1) == (last.0, last.1) && end.2.starts_with(&last.2)
}

/// The messages of the handshake in these bytes; the last may be cut.
fn messages(bytes: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    let mut rest = bytes;
    core::iter::from_fn(move || {
        let [_, high, middle, low] = *rest.first_chunk()?;
        let len = 4 + (usize::from(high) << 16 | usize::from(middle) << 8 | usize::from(low));
        let (message, behind) = rest.split_at(len.min(rest.len()));
        rest = behind;
        Some(message.to_vec())
    })
}

/// RFC 8446 section 4.1.3: the random that makes a ServerHello a HelloRetryRequest.
const RETRY: [u8; 32] = [
    0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91, 0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb,
    0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
];

/// A HelloRetryRequest for a group, in answer to this hello.
fn retry(hello: &[u8], group: u16) -> Vec<u8> {
    let session_id = hello.get(HEADER_LEN + 4 + 34..).and_then(|rest| rest.get(..33)).unwrap_or(&[0]);
    let [high, low] = group.to_be_bytes();
    let body = [&[3, 3][..], &RETRY, session_id, &[0x13, 1, 0, 0, 12, 0, 43, 0, 2, 3, 4, 0, 51, 0, 2, high, low]].concat();
    let mut piece = Piece::new(HANDSHAKE, false, [&[2, 0, 0, 0][..], &body].concat());
    piece.mend();
    piece.bytes
}
