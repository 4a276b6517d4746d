//! The fuzzer of every target: the name under which it was started says of which one. `tools/fuzz` makes a link for each.
//!
//! One program, so that the tree is compiled and linked once.
#![no_main]

use std::path::PathBuf;
use std::sync::LazyLock;

static TARGET: LazyLock<&'static targets::Target> = LazyLock::new(|| {
    let started_as = std::env::args_os().next().map(PathBuf::from).unwrap_or_default();
    let name = started_as.file_name().unwrap_or_default();
    let target = targets::ALL.iter().find(|(known, _)| name == *known);
    target.unwrap_or_else(|| panic!("{} is no target's name", started_as.display()))
});

unsafe extern "C" {
    /// Whether comparisons are told to libFuzzer, which looks in them for words that an input could have. The compiler makes it, and it is 0.
    static mut __sancov_should_track: u64;
}

/// In a script of decisions there are no words to be found, and looking for them took a quarter of the time of a whole appliance.
fn choose_whether_comparisons_are_told() {
    let is_script = TARGET.0 == "cell";
    // SAFETY: libFuzzer calls this once, before there are other threads; all others read.
    unsafe { __sancov_should_track = u64::from(!is_script) };
}

libfuzzer_sys::fuzz_target!(init: choose_whether_comparisons_are_told(), |data: &[u8]| TARGET.1(data));
