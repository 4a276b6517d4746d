//! Whether comparisons are told to libFuzzer is a flag of LLVM's own, `__sancov_should_track`: a word, 0 unless somebody says otherwise. The linker says otherwise here, by
//! calling a place by that name which never is 0: the beginning of `main`.

fn main() {
    println!("cargo::rustc-link-arg-bin=fuzzer=-Wl,--defsym=__sancov_should_track=main");
    println!("cargo::rerun-if-changed=build.rs");
}
