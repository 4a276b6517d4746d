//! Writes `bounty/vectors` and the examples of `docs/arbiter.md` anew.
#![forbid(unsafe_code)]

use std::{fs, io};

use contest::page;

fn main() -> io::Result<()> {
    let text = fs::read_to_string(page::path())?;
    fs::write(page::path(), page::renewed(&text))
}
