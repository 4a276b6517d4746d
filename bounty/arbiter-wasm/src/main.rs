//! The arbiter as a program: questions on standard input, answers on standard output.
#![forbid(unsafe_code)]

use std::io::{self, BufReader, BufWriter};

fn main() -> io::Result<()> {
    arbiter_wasm::answer_all(&mut BufReader::new(io::stdin().lock()), &mut BufWriter::new(io::stdout().lock()))
}
