//! Writes the seeds that are made to `fuzz/seeds/TARGET/`, from the repository's root. Those that stand there under other names are left alone.
#![forbid(unsafe_code)]

use std::path::Path;
use std::{fs, io};

fn main() -> io::Result<()> {
    for (target, name, bytes) in targets::seeds::all() {
        let folder = Path::new("fuzz/seeds").join(target);
        fs::create_dir_all(&folder)?;
        fs::write(folder.join(name), bytes)?;
    }
    Ok(())
}
