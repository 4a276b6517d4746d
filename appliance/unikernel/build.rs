//! Marks an image that gives its secrets away with a symbol of its own, by which everybody who would have it serve refuses it.

use std::io::{self, Write};

/// As [`machine`'s reader](../../hypervisor/machine/src/image/symbols.rs) looks for it.
const MARK: &str = "bountybox_gives_its_secrets_away";

fn main() -> io::Result<()> {
    let mut cargo = io::stdout();
    writeln!(cargo, "cargo::rerun-if-changed=build.rs")?;
    if std::env::var_os("CARGO_FEATURE_KEYLOG").is_some() {
        writeln!(cargo, "cargo::rustc-link-arg-bins=-Wl,--defsym={MARK}=1")?;
    }
    Ok(())
}
