//! Which file holds what: the paths of tlog-tiles.

use tlog_tiles::Tile;

use crate::limits::TILE_BITS;

/// The signed head.
pub const CHECKPOINT: &str = "checkpoint";

/// The file of a tile of hashes, `tile/<L>/<N>[.p/<W>]`.
///
/// ```
/// use tlog_tiles::Tile;
/// assert_eq!(bounty_log::names::of(&Tile::new(8, 0, 1234, 5, false)), "tile/0/x001/234.p/5");
/// assert_eq!(bounty_log::names::of(&Tile::new(8, 0, 7, 256, true)), "tile/entries/007");
/// ```
#[must_use]
pub fn of(tile: &Tile) -> String {
    // The crate writes the path as Go's checksum database has it: with the height, and `data` for entries.
    let path = tile.path();
    let path = path.strip_prefix(&format!("tile/{TILE_BITS}/")).unwrap_or(&path);
    path.strip_prefix("data/").map_or_else(|| format!("tile/{path}"), |path| format!("tile/entries/{path}"))
}

/// The bundles of entries of a log of this size, in order.
pub fn bundles(size: u64) -> impl Iterator<Item = Tile> {
    hashes(size).into_iter().filter(|tile| tile.level() == 0).map(|mut tile| {
        tile.set_is_data();
        tile
    })
}

/// The tiles of hashes of a log of this size.
#[must_use]
pub fn hashes(size: u64) -> Vec<Tile> {
    Tile::new_tiles(TILE_BITS, 0, size)
}

/// The tiles of hashes that are new when a log grows.
#[must_use]
pub fn grown(before: u64, size: u64) -> Vec<Tile> {
    Tile::new_tiles(TILE_BITS, before, size)
}
