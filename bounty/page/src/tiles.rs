//! Which paths are files of the log, and of how long a log they speak.

use bounty_log::limits::{ENTRIES_MAX, TILE_BITS, TILE_WIDTH};

/// A file of hashes or entries, by its path in a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct File {
    /// Entries that a log has at least which has this file: it may be written before, and is still to change then.
    pub size: u64,
}

impl File {
    /// Reads `tile/<L>/<N>[.p/<W>]` or `tile/entries/<N>[.p/<W>]`, written in the only way that there is (tlog-tiles).
    #[must_use]
    pub fn parse(path: &str) -> Option<Self> {
        let (level, rest) = path.strip_prefix("tile/")?.split_once('/')?;
        let level: u32 = if level == "entries" { 0 } else { number(level)? };
        let (index, width) = match rest.split_once(".p/") {
            Some((index, width)) => (index, number(width).filter(|width| (1..TILE_WIDTH).contains(width))?),
            None => (rest, TILE_WIDTH),
        };
        let hashes = groups(index)?.checked_mul(u64::try_from(TILE_WIDTH).ok()?)?.checked_add(u64::try_from(width).ok()?)?;
        // Each hash of a level stands for so many entries.
        let size = 1_u64.checked_shl(level.checked_mul(TILE_BITS.into())?)?.checked_mul(hashes)?;
        (size <= ENTRIES_MAX).then_some(Self { size })
    }
}

/// `x001/x234/067` is 1234067.
fn groups(index: &str) -> Option<u64> {
    let mut groups = index.split('/').rev();
    let three = |group: &str| (group.len() == 3 && group.bytes().all(|byte| byte.is_ascii_digit())).then(|| group.parse().ok())?;
    let mut sum: u64 = three(groups.next()?)?;
    let (mut weight, mut first) = (1_u64, None);
    for group in groups {
        let group: u64 = three(group.strip_prefix('x')?)?;
        weight = weight.checked_mul(1000)?;
        sum = group.checked_mul(weight)?.checked_add(sum)?;
        first = Some(group);
    }
    // The first group is none of zeroes, or it would not be there.
    (first != Some(0)).then_some(sum)
}

fn number<N: core::str::FromStr + ToString>(text: &str) -> Option<N> {
    text.parse().ok().filter(|number: &N| number.to_string() == text)
}

#[cfg(test)]
mod tests {
    use bounty_log::names;

    use super::*;

    #[test]
    fn every_file_of_a_log_is_one_and_speaks_of_no_longer_log() {
        for size in [1, 2, 255, 256, 257, 70_000, 300_001] {
            for tile in names::hashes(size).into_iter().chain(names::bundles(size)) {
                let name = names::of(&tile);
                let file = File::parse(&name).unwrap_or_else(|| panic!("{name}"));
                assert!(file.size <= size && file.size > 0, "{name}: {} of {size}", file.size);
            }
        }
    }

    #[test]
    fn how_long_a_log_must_be() {
        for (name, size) in
            [("tile/0/000", 256), ("tile/entries/000.p/7", 7), ("tile/1/000.p/3", 768), ("tile/0/x001/234.p/5", 1234 * 256 + 5)]
        {
            assert_eq!(File::parse(name), Some(File { size }), "{name}");
        }
    }

    #[test]
    fn nothing_else_is() {
        for name in [
            "",
            "checkpoint",
            "tile",
            "tile/",
            "tile/0",
            "tile/0/",
            "tile/0/0",
            "tile/0/0000",
            "tile/00/000",
            "tile/+0/000",
            "tile/0/-01",
            "tile/0/+01",
            "tile/0/x000/001",
            "tile/0/001/002",
            "tile/0/000.p/0",
            "tile/0/000.p/256",
            "tile/0/000.p/01",
            "tile/0/000.p/1/2",
            "tile/0/../checkpoint",
            "tile/0/000/..",
            "tile/9/000",
            "tile/99999/000",
            "tile/0/x999/x999/x999/x999/x999/x999/x999/999",
            "tile/data/000",
        ] {
            assert_eq!(File::parse(name), None, "{name}");
        }
    }
}
