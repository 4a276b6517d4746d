//! `bountybox fuzz`: tries inputs on the guest image itself, each from the same state, on the machine that serves it.

use core::time::Duration;
use std::path::{Path, PathBuf};
use std::time::Instant;
use std::{fs, io};

use clap::{Args, ValueEnum};
use harness::forkserver::{self, ServeFault};
use harness::limits::{ACTS_MAX, INPUT_LEN_MAX};
use harness::subject::{Stage, Subject};
use serde_json::{Value, json};

use crate::config::read_bounded;
use crate::exit::Exit;
use crate::findings::{Finding, ReportArgs, Summary};
use crate::run::refuse;
use crate::specimen::{SpecimenArgs, hex, mark, of_subject, tell};
use crate::terminal;

/// `fuzz`
#[derive(Debug, Clone, Args)]
pub struct FuzzArgs {
    /// Inputs, and folders of them (docs/fuzz-box.md says what their bytes mean). Not needed under AFL++.
    #[arg(value_name = "INPUT")]
    pub inputs: Vec<PathBuf>,
    /// Which box.
    #[command(flatten)]
    pub specimen: SpecimenArgs,
    /// How far the guest is when an input begins.
    #[arg(long, value_enum, value_name = "STAGE", default_value_t = StageName::Connected)]
    pub stage: StageName,
    /// Try each input so often, and say how fast that went.
    #[arg(long, value_name = "TIMES", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=1_000_000_000))]
    pub repeat: u64,
    /// Write one JSON object.
    #[arg(long)]
    pub json: bool,
    /// What programs read.
    #[command(flatten)]
    pub reports: ReportArgs,
}

/// See [`Stage`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum StageName {
    /// It serves, and nobody has spoken to it.
    Sealed,
    /// A client has a connection, and has said nothing.
    Connected,
}

/// `bountybox fuzz`
pub(crate) fn fuzz(args: &FuzzArgs) -> Exit {
    let stage = match args.stage {
        StageName::Sealed => Stage::Sealed,
        StageName::Connected => Stage::Connected,
    };
    let subject = match args.specimen.start(stage) {
        Ok(specimen) => specimen.subject,
        Err(exit) => return exit,
    };
    let done = if forkserver::is_wanted() { serve(subject) } else { attempt(subject, args) };
    done.unwrap_or_else(|exit| exit)
}

/// AFL++ chooses the inputs, and keeps those that are not sound.
fn serve(mut subject: Subject) -> Result<Exit, Exit> {
    match forkserver::serve(&mut subject) {
        Ok(()) => Ok(Exit::Success),
        Err(fault @ ServeFault::NoFuzzer(_)) => Err(refuse(Exit::Usage, fault)),
        Err(fault @ ServeFault::Io(_)) => Err(refuse(Exit::Internal, fault)),
        Err(ServeFault::Subject(fault)) => Err(of_subject(&fault)),
    }
}

fn attempt(mut subject: Subject, args: &FuzzArgs) -> Result<Exit, Exit> {
    let inputs = inputs(&args.inputs)?;
    let before = subject.state().map_err(|fault| of_subject(&fault))?;
    let begun = Instant::now();
    let (mut tried, mut slowest, mut count) = (Vec::new(), Duration::ZERO, 0_u64);
    for (file, input) in &inputs {
        for _ in 0..args.repeat {
            let verdict = subject.run(input, ACTS_MAX).map_err(|fault| of_subject(&fault))?;
            count = count.saturating_add(1);
            slowest = slowest.max(subject.reset().map_err(|fault| of_subject(&fault))?);
            if verdict.is_sound() {
                continue;
            }
            tried.push(Finding {
                verdict: verdict.name(),
                told: tell(&verdict, &subject),
                mark: mark(&verdict, &subject),
                input: Some(file.clone()),
                times: 1,
            });
            break;
        }
    }
    let spent = begun.elapsed();
    let after = subject.state().map_err(|fault| of_subject(&fault))?;
    let exit = if tried.is_empty() { Exit::Success } else { Exit::Broken };
    let same = before == after;
    if args.json {
        let found: Vec<Value> = tried.iter().map(|one| json!({ "input": one.place(), "verdict": one.verdict, "text": one.told })).collect();
        terminal::result(json!({
            "version": 1, "exit_code": exit.code(), "inputs": inputs.len(), "executions": count, "state": hex(&before), "state_after_resets": hex(&after),
            "seconds": spent.as_secs_f64(), "slowest_reset_ms": slowest.as_secs_f64() * 1e3, "found": found,
        }));
    } else {
        tried.iter().for_each(|one| terminal::result(format!("{}: {}", one.place(), one.told)));
        let rate = count as f64 / spent.as_secs_f64().max(1e-9);
        terminal::result(format!(
            "{} of {} inputs are sound; {count} executions, {rate:.0} a second; slowest reset {:.3} ms; state {}",
            inputs.len().saturating_sub(tried.len()),
            inputs.len(),
            slowest.as_secs_f64() * 1e3,
            hex(&before)
        ));
    }
    args.reports.write(&Summary { name: "bountybox fuzz", tries: count, spent, findings: tried })?;
    if !same {
        return Err(refuse(Exit::Internal, "the guest's state is not what it was before the first input"));
    }
    Ok(exit)
}

/// What stands in AFL++'s folder of crashes and is none.
const EXPLANATION: &str = "README.txt";

/// The files, and those in the folders, in order.
fn inputs(paths: &[PathBuf]) -> Result<Vec<(PathBuf, Vec<u8>)>, Exit> {
    if paths.is_empty() {
        return Err(refuse(Exit::Usage, "no input is named: give files or folders, or have AFL++ start this (docs/fuzz-box.md)"));
    }
    let cannot = |path: &Path, fault: io::Error| refuse(Exit::Usage, format!("{} cannot be read: {fault}", path.display()));
    let mut files = Vec::new();
    for path in paths {
        if path.is_dir() {
            let inside = inside(path).map_err(|(path, fault)| cannot(&path, fault))?;
            if inside.is_empty() {
                return Err(refuse(Exit::Usage, format!("{} holds no input; folders in it are not looked into", path.display())));
            }
            files.extend(inside);
        } else {
            files.push(path.clone());
        }
    }
    files
        .into_iter()
        .map(|path| read_bounded(&path, INPUT_LEN_MAX).map_err(|fault| cannot(&path, fault)).map(|bytes| (path, bytes)))
        .collect()
}

/// The files of one folder, but not of those in it; or what cannot be looked at.
fn inside(folder: &Path) -> Result<Vec<PathBuf>, (PathBuf, io::Error)> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(|fault| (folder.to_owned(), fault))? {
        let path = entry.map_err(|fault| (folder.to_owned(), fault))?.path();
        let is_file = fs::metadata(&path).map_err(|fault| (path.clone(), fault))?.is_file();
        if is_file && path.file_name().is_some_and(|name| name != EXPLANATION) {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_without_an_input_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let of = || inputs(&[folder.path().to_owned()]).map(|inputs| inputs.len());
        assert_eq!(of(), Err(Exit::Usage));
        fs::create_dir(folder.path().join("default")).expect("made");
        fs::write(folder.path().join("default/id:000000"), "below").expect("written");
        fs::write(folder.path().join(EXPLANATION), "Command line used to find this crash").expect("written");
        assert_eq!(of(), Err(Exit::Usage), "neither a folder in it nor AFL++'s words are an input");
        fs::write(folder.path().join("id:000000"), "").expect("written");
        assert_eq!(of(), Ok(1));
    }

    #[test]
    fn what_cannot_be_looked_at_is_not_left_out() {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("sound"), "").expect("written");
        std::os::unix::fs::symlink("nowhere", folder.path().join("gone")).expect("a link");
        assert_eq!(inputs(&[folder.path().to_owned()]), Err(Exit::Usage));
    }
}
