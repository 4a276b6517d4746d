//! Takes away what a full file of the log has made needless.
//!
//! A log that grows writes a partial file at every step, each with all that the one before it held: of 256 entries one file is kept and 255 are not read any more. tlog-tiles lets them go once the full
//! one is there; whoever still asks for one of them takes the full one.

use std::fs;
use std::path::Path;

use bounty_log::names;

/// After the entry of this number was written: the partial files of the tiles that it has filled. What cannot be removed stays, and does no harm.
pub(crate) fn prune(log: &Path, number: u64) {
    let size = number.saturating_add(1);
    if !size.is_multiple_of(u64::try_from(bounty_log::limits::TILE_WIDTH).unwrap_or(u64::MAX)) {
        return;
    }
    for name in names::grown(number, size).iter().map(names::of).filter(|name| !name.contains(".p/")) {
        for name in [name.replacen("tile/0/", "tile/entries/", 1), name] {
            let _needless = fs::remove_dir_all(log.join(format!("{name}.p")));
        }
    }
}
