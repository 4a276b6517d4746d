//! What the bytes of an input mean: a row of acts, each a kind, a length (16 bits, little-endian), and so many bytes.
//!
//! Every row of bytes is an input. A kind is taken modulo [`KINDS`]; a length that reaches behind the end stops there.

/// Kinds of acts.
pub const KINDS: u8 = 5;

/// One thing that happens to the guest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act<'i> {
    /// A frame comes on the front link, from the Ethernet header on (kind 0).
    Front(&'i [u8]),
    /// A frame comes on the back link (kind 1).
    Back(&'i [u8]),
    /// The client's next bytes come, in a segment of its connection (kind 2). At the stage where there is none, an IP packet on the front link.
    Bytes(&'i [u8]),
    /// So many milliseconds pass: the length field itself, without bytes behind it (kind 3).
    Pass(u16),
    /// An IP packet comes on the front link (kind 4).
    Packet(&'i [u8]),
}

/// The acts of an input.
pub fn acts(input: &[u8]) -> impl Iterator<Item = Act<'_>> {
    let mut rest = input;
    core::iter::from_fn(move || {
        let ([kind, low, high], behind) = rest.split_first_chunk::<3>()?;
        let len = u16::from_le_bytes([*low, *high]);
        if kind % KINDS == 3 {
            rest = behind;
            return Some(Act::Pass(len));
        }
        let (bytes, behind) = behind.split_at(usize::from(len).min(behind.len()));
        rest = behind;
        Some(match kind % KINDS {
            0 => Act::Front(bytes),
            1 => Act::Back(bytes),
            2 => Act::Bytes(bytes),
            _ => Act::Packet(bytes),
        })
    })
}

/// An input of these acts, for seeds and tests. Bytes behind 65,535 are left out.
#[must_use]
pub fn encode(acts: &[Act<'_>]) -> Vec<u8> {
    acts.iter().flat_map(encode_one).collect()
}

/// An input of one act.
#[must_use]
pub fn encode_one(act: &Act<'_>) -> Vec<u8> {
    let (kind, bytes) = match *act {
        Act::Front(bytes) => (0, bytes),
        Act::Back(bytes) => (1, bytes),
        Act::Bytes(bytes) => (2, bytes),
        Act::Pass(ms) => {
            let [low, high] = ms.to_le_bytes();
            return vec![3, low, high];
        }
        Act::Packet(bytes) => (4, bytes),
    };
    let len = u16::try_from(bytes.len()).unwrap_or(u16::MAX);
    let [low, high] = len.to_le_bytes();
    [kind, low, high].into_iter().chain(bytes.iter().copied().take(len.into())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_encoded_is_read() {
        let row = [Act::Front(&[1, 2]), Act::Back(&[]), Act::Bytes(b"GET"), Act::Pass(500), Act::Packet(&[0x45])];
        assert_eq!(acts(&encode(&row)).collect::<Vec<_>>(), row);
    }

    #[test]
    fn any_bytes_are_an_input() {
        assert_eq!(acts(&[]).count(), 0);
        assert_eq!(acts(&[0, 1]).count(), 0);
        assert_eq!(acts(&[5, 9, 0, 7]).collect::<Vec<_>>(), [Act::Front(&[7])]);
        assert_eq!(acts(&[3; 3000]).count(), 1000);
    }
}
