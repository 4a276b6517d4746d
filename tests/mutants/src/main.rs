//! `mutants NAME IMAGE`: tries an exploit on a box of its own, and says in one line what it came to, tier and seconds first. `COMMAND` in the environment names
//! the command, `MACHINE` the machine. `mutants` alone names the exploits. tools/mutants builds what this is given.
#![forbid(unsafe_code)]

use std::env;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use mutants::Outcome;
use mutants::exploits::{ALL, Exploit};
use mutants::lab::{Lab, Parts};

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let told = match &arguments[..] {
        [] => Ok(ALL.map(|exploit| exploit.name).join("\n")),
        [name, image] => attempt(name, PathBuf::from(image)),
        _ => Err("usage: mutants [NAME IMAGE]".into()),
    };
    let (line, code) = match told {
        Ok(line) => (line, ExitCode::SUCCESS),
        Err(fault) => (format!("failed: {fault}"), ExitCode::FAILURE),
    };
    let written = writeln!(io::stdout(), "{line}");
    if written.is_ok() { code } else { ExitCode::FAILURE }
}

fn attempt(name: &str, image: PathBuf) -> Outcome<String> {
    let exploit: &Exploit = ALL.iter().find(|exploit| exploit.name == name).ok_or("there is no exploit of this name")?;
    let variable = |name: &str, otherwise: &str| env::var(name).unwrap_or_else(|_| otherwise.to_owned());
    let parts = Parts { command: variable("COMMAND", "target/debug/bountybox").into(), image, machine: variable("MACHINE", "auto") };
    let lab = Lab::start(&parts)?;
    let begun = Instant::now();
    let verdict = lab.attack(exploit).map_err(|fault| format!("{fault}\nthe box said:\n{}", lab.said()))?;
    Ok(format!("{} {:.1} {verdict}", exploit.tier, begun.elapsed().as_secs_f64()))
}
