//! The hashes of a log: RFC 6962 section 2.1, kept as `tlog_tiles` numbers them.

use arbiter::Digest;
use tlog_tiles::{Error, Hash, HashReader, Tile, record_hash, stored_hashes, tree_hash};

/// All of them, of a log that is in memory.
#[derive(Debug, Clone, Default)]
pub struct Tree {
    hashes: Hashes,
    size: u64,
}

#[derive(Debug, Clone, Default)]
struct Hashes(Vec<Hash>);

impl HashReader for Hashes {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<Hash>, Error> {
        let at = |index: &u64| usize::try_from(*index).ok().and_then(|index| self.0.get(index)).copied();
        indexes.iter().map(|index| at(index).ok_or(Error::IndexesNotInTree)).collect()
    }
}

impl Tree {
    /// The tree of these entries.
    pub fn of<E: AsRef<[u8]>>(entries: impl IntoIterator<Item = E>) -> Self {
        let mut tree = Self::default();
        entries.into_iter().for_each(|entry| tree.append(entry.as_ref()));
        tree
    }

    /// Adds an entry.
    pub fn append(&mut self, entry: &[u8]) {
        // All that is asked for is there: it was put there by the calls before.
        if let Ok(new) = stored_hashes(self.size, entry, &self.hashes) {
            self.hashes.0.extend(new);
            self.size = self.size.saturating_add(1);
        }
    }

    /// Entries.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The root, as it was when the log had so many entries; `None` if it never had.
    #[must_use]
    pub fn root(&self, size: u64) -> Option<Digest> {
        if size > self.size {
            return None;
        }
        tree_hash(size, &self.hashes).ok().map(|Hash(bytes)| Digest(bytes))
    }

    /// What stands in a tile's file.
    #[must_use]
    pub fn tile(&self, tile: &Tile) -> Option<Vec<u8>> {
        tile.read_data(&self.hashes).ok()
    }

    /// The proof that the entry of this number is in the log of that size: RFC 6962 section 2.1.1.
    #[must_use]
    pub fn inclusion(&self, size: u64, entry: u64) -> Option<Vec<Digest>> {
        if entry >= size || size > self.size {
            return None;
        }
        let proof = tlog_tiles::prove_record(size, entry, &self.hashes).ok()?;
        Some(proof.iter().map(|Hash(bytes)| Digest(*bytes)).collect())
    }

    /// The proof that the log of the one size became that of the other by growing: RFC 6962 section 2.1.2.
    #[must_use]
    pub fn consistency(&self, before: u64, size: u64) -> Option<Vec<Digest>> {
        if before == 0 || before > size || size > self.size {
            return None;
        }
        let proof = tlog_tiles::prove_tree(size, before, &self.hashes).ok()?;
        Some(proof.iter().map(|Hash(bytes)| Digest(*bytes)).collect())
    }
}

/// Whether `proof` shows that `entry` has this number in a log of that size and root.
#[must_use]
pub fn includes(proof: &[Digest], (size, root): (u64, Digest), number: u64, entry: &[u8]) -> bool {
    number < size && tlog_tiles::check_record(&hashes(proof), size, Hash(root.0), number, record_hash(entry)).is_ok()
}

/// Whether `proof` shows that a log of the first size and root became that of the second by growing.
#[must_use]
pub fn grew(proof: &[Digest], (before, old): (u64, Digest), (size, root): (u64, Digest)) -> bool {
    (1..=size).contains(&before) && tlog_tiles::check_tree(&hashes(proof), size, Hash(root.0), before, Hash(old.0)).is_ok()
}

fn hashes(proof: &[Digest]) -> Vec<Hash> {
    proof.iter().map(|digest| Hash(digest.0)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(size: u64) -> Tree {
        Tree::of((0..size).map(|number| number.to_be_bytes()))
    }

    /// RFC 6962 section 2.1: the empty tree's is the hash of nothing, one entry's that of a zero byte and it.
    #[test]
    fn roots_are_those_of_the_rfc() {
        assert_eq!(tree(0).root(0), Some(Digest::of(&[])));
        assert_eq!(Tree::of([b"entry"]).root(1), Some(Digest::of(&[&[0], b"entry"])));
        let leaves = [Digest::of(&[&[0], b"a"]), Digest::of(&[&[0], b"b"])];
        assert_eq!(Tree::of([b"a", b"b"]).root(2), Some(Digest::of(&[&[1], &leaves[0].0, &leaves[1].0])));
    }

    #[test]
    fn a_root_stays_what_it_was() {
        let grown = tree(700);
        for size in [0, 1, 2, 255, 256, 257, 511, 700] {
            assert_eq!(grown.root(size), tree(size).root(size), "{size}");
        }
        assert_eq!(grown.root(701), None);
    }

    #[test]
    fn proofs_hold_for_what_they_are_of_and_for_nothing_else() {
        let tree = tree(70);
        let root = |size| (size, tree.root(size).unwrap());
        for (number, size) in [(0_u64, 1), (0, 70), (13, 14), (13, 70), (69, 70)] {
            let proof = tree.inclusion(size, number).unwrap();
            assert!(includes(&proof, root(size), number, &number.to_be_bytes()), "{number} of {size}");
            assert!(!includes(&proof, root(size), number, &(number + 1).to_be_bytes()));
            assert!(!includes(&proof, (size, Digest([1; 32])), number, &number.to_be_bytes()));
        }
        for (before, size) in [(1, 2), (1, 70), (64, 70), (69, 70), (70, 70)] {
            let proof = tree.consistency(before, size).unwrap();
            assert!(grew(&proof, root(before), root(size)), "{before} to {size}");
            assert!(!grew(&proof, (before, Digest([1; 32])), root(size)), "{before} to {size}");
        }
        assert!(tree.inclusion(70, 70).is_none() && tree.inclusion(71, 1).is_none() && tree.consistency(0, 5).is_none());
        assert!(!includes(&[], (0, Digest([0; 32])), 0, b"") && !grew(&[], (3, Digest([0; 32])), (2, Digest([0; 32]))));
    }
}
