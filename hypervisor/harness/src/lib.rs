//! The shipped image under a fuzzer, without a tender and without a network.
//!
//! - [`subject`]: a cell that is brought to a stage once, and back to it after each input;
//! - [`input`]: what the bytes of an input mean; [`wire`]: the frames that it takes to say it;
//! - [`verdict`]: what became of the guest, and whether a secret left it;
//! - [`coverage`]: the counters that a fuzz build of the image carries;
//! - [`visit`]: clients that speak TCP to it, and what of that can be tried again; `backend`: the one that answers them;
//! - [`forkserver`]: AFL++ as the one that chooses inputs;
//! - [`limits`]: every bound.
//!
//! The guest runs as it does in a tender, on the same machines, from the same image; its clock is the harness', its randomness a seed's. So an input does the same
//! each time, wherever it is tried.
//!
//! ```
//! use harness::input::{Act, acts};
//! let bytes = [0, 3, 0, 0xaa, 0xbb, 0xcc, 3, 0xe8, 0x03];
//! assert_eq!(acts(&bytes).collect::<Vec<_>>(), [Act::Front(&[0xaa, 0xbb, 0xcc]), Act::Pass(1000)]);
//! ```
#![forbid(unsafe_code)]

mod backend;
pub mod coverage;
pub mod forkserver;
pub mod input;
pub mod limits;
pub mod subject;
pub mod verdict;
pub mod visit;
pub mod wire;

pub use machine::{Crash, Kind};
