//! The challenge's transparency log: what happened, in order, in a Merkle tree that can only grow.
//!
//! The log is a folder in the layout of [C2SP's tlog-tiles](https://c2sp.org/tlog-tiles): a signed checkpoint, tiles of hashes, bundles of entries. Any static file server publishes it, any tool for
//! such logs reads it, and witnesses may sign its checkpoints. `tlog_tiles` has the tree's arithmetic, `arbiter` the notes and the documents that entries hold.
//!
//! - [`entry`]: one thing that happened; [`change`]: a new version of what is promised; [`reveal`]: a claim with what it was committed to; [`bundle`]: 256 of them as a file;
//! - [`tree`]: the hashes; [`names`]: which file holds what;
//! - [`checkpoint`]: the signed head;
//! - [`append`]: writing, so that a reader never finds a head without what it stands for;
//! - [`check`]: reading all of it as somebody who trusts only keys, and earlier heads; [`life`]: whether what the entries say holds together;
//! - [`limits`]: every bound.
//!
//! Nothing here knows the time or draws a number, and the signature is the caller's to make.
#![forbid(unsafe_code)]

pub mod append;
pub mod bundle;
pub mod change;
pub mod check;
pub mod checkpoint;
pub mod entry;
pub mod life;
pub mod limits;
pub mod names;
pub mod reveal;
pub mod store;
pub mod tree;
