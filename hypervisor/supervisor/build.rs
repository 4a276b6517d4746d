//! Embeds the guest image, if there is one: from `BOUNTYBOX_IMAGE`, or from where `make image` leaves it.
//!
//! Without one the command builds all the same, and says at run time what is missing.

use std::path::PathBuf;
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or(io::ErrorKind::NotFound)?).join("embedded.rs");
    fs::write(out, format!("const EMBEDDED: Option<&[u8]> = {};\n", embedded()))
}

fn embedded() -> String {
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default()).join("../..");
    let named = env::var_os("BOUNTYBOX_IMAGE").map(PathBuf::from);
    let image = named.unwrap_or_else(|| root.join("target/image/bountybox.elf"));
    // Standard output is how a build script speaks to cargo.
    let told = io::Write::write_all(
        &mut io::stdout(),
        format!("cargo::rerun-if-env-changed=BOUNTYBOX_IMAGE\ncargo::rerun-if-changed={}\n", image.display()).as_bytes(),
    );
    match (told, fs::canonicalize(&image)) {
        (Ok(()), Ok(path)) => format!("Some(include_bytes!({path:?}))"),
        _ => "None".into(),
    }
}
