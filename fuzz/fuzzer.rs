//! The fuzzer of every target: the name under which it was started says of which one. `tools/fuzz` makes a link for each.
//!
//! One program, so that the tree is compiled once. It is linked twice: `scripts` is not told of comparisons. In a script of decisions there are no words to be found, and looking for them took a
//! quarter of the time of a whole appliance.
#![no_main]

use std::path::PathBuf;
use std::sync::LazyLock;

static TARGET: LazyLock<fn(&[u8])> = LazyLock::new(|| {
    let started_as = std::env::args_os().next().map(PathBuf::from).unwrap_or_default();
    let name = started_as.file_name().unwrap_or_default();
    let target = targets::ALL.iter().find(|(known, _)| name == *known);
    target.unwrap_or_else(|| panic!("{} is no target's name", started_as.display())).1
});

libfuzzer_sys::fuzz_target!(|data: &[u8]| TARGET(data));
