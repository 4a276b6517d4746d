//! The process: arguments in, exit code out.
#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    bountybox::cli::main(std::env::args_os())
}
