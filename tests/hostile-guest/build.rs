//! Links the guest as the machine wants it: a static PIE without start files or libraries.
#![forbid(unsafe_code)]

fn main() {
    for argument in ["-nostartfiles", "-nostdlib", "-static-pie", "-Wl,-z,relro", "-Wl,-z,now", "-Wl,-z,separate-code"] {
        println!("cargo:rustc-link-arg-bins={argument}");
    }
    println!("cargo:rerun-if-changed=build.rs");
}
