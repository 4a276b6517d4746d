//! Bundles: up to 256 entries in a file, each behind its length as 16 bits, most significant first (tlog-tiles).

use crate::limits::{ENTRY_LEN_MAX, TILE_WIDTH};

/// The bundle of these entries; `None` if one is too long for it.
#[must_use]
pub fn encode<E: AsRef<[u8]>>(entries: &[E]) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    for entry in entries {
        let entry = entry.as_ref();
        bytes.extend(u16::try_from(entry.len()).ok()?.to_be_bytes());
        bytes.extend(entry);
    }
    Some(bytes)
}

/// The entries of a bundle that holds so many and nothing else.
#[must_use]
pub fn decode(mut bytes: &[u8], count: usize) -> Option<Vec<&[u8]>> {
    let mut entries = Vec::with_capacity(count.min(TILE_WIDTH));
    for _ in 0..count {
        let (len, rest) = bytes.split_first_chunk::<2>()?;
        let (entry, rest) = rest.split_at_checked(u16::from_be_bytes(*len).into())?;
        entries.push(entry);
        bytes = rest;
    }
    bytes.is_empty().then_some(entries)
}

/// Bytes of a bundle's file at most.
pub const LEN_MAX: usize = TILE_WIDTH * (2 + ENTRY_LEN_MAX);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_encoded_is_read_and_nothing_else() {
        let entries: [&[u8]; 3] = [b"one", b"", &[7; ENTRY_LEN_MAX]];
        let bytes = encode(&entries).unwrap();
        assert_eq!(bytes[..5], [0, 3, b'o', b'n', b'e']);
        assert_eq!(decode(&bytes, 3).unwrap(), entries);
        assert_eq!(decode(&bytes, 2), None, "something behind the last");
        assert_eq!(decode(&bytes, 4), None, "one too few");
        assert_eq!(decode(&bytes[..bytes.len() - 1], 3), None);
        assert_eq!(encode(&[[7; ENTRY_LEN_MAX + 1]]), None);
    }
}
