//! Writes `bounty/vectors` and the examples of `docs/arbiter.md` anew.
#![forbid(unsafe_code)]

use std::{fs, io};

use contest::{page, vectors};

fn main() -> io::Result<()> {
    let text = fs::read_to_string(page::path())?;
    fs::write(page::path(), page::renewed(&text))?;
    fs::create_dir_all(vectors::folder())?;
    vectors::files().into_iter().try_for_each(|(name, text)| fs::write(vectors::folder().join(name), text))
}
