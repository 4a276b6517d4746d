//! `replay TARGET FILE-OR-FOLDER..`: gives a target these inputs, one after the other. A crash is a panic, with its backtrace, and without a fuzzer round it.
#![forbid(unsafe_code)]

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::{env, fs, io};

fn main() -> ExitCode {
    let mut words = env::args_os().skip(1);
    let name = words.next().unwrap_or_default();
    let Some((_, target)) = targets::ALL.iter().find(|(known, _)| name == *known) else {
        say(&format!("replay TARGET FILE-OR-FOLDER..; targets are {}", targets::ALL.map(|(name, _)| name).join(" ")));
        return ExitCode::FAILURE;
    };
    let mut count = 0_usize;
    for path in words.map(PathBuf::from).flat_map(|path| files(&path)) {
        match fs::read(&path) {
            Ok(bytes) => target(&bytes),
            Err(fault) => {
                say(&format!("{}: {fault}", path.display()));
                return ExitCode::FAILURE;
            }
        }
        count += 1;
    }
    say(&format!("{}: {count} inputs", name.display()));
    ExitCode::SUCCESS
}

/// The file itself, or the files of a folder.
fn files(path: &Path) -> Vec<PathBuf> {
    let list = |folder: &Path| -> io::Result<Vec<PathBuf>> { fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path())).collect() };
    list(path).unwrap_or_else(|_| vec![path.to_owned()])
}

#[expect(clippy::print_stderr, reason = "a program's words")]
fn say(line: &str) {
    eprintln!("{line}");
}
