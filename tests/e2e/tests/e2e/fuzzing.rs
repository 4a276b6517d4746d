//! `bountybox fuzz`: what it says of inputs, and that each begins from the same state.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use e2e::{Outcome, Place, bountybox, ensure, image, images};
use serde_json::Value;
use tempfile::{NamedTempFile, TempDir};

/// Inputs of the repository, from which AFL++ begins, and those that ever broke something.
fn inputs() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/box");
    ["seeds", "crashes"].into_iter().map(|name| folder.join(name)).filter(|path| path.exists()).collect()
}

fn fuzz(place: &Place, image: &Path, arguments: &[&str]) -> Outcome<Output> {
    let mut command = Command::new(bountybox());
    command.args(["fuzz", "--json", "--machine", place.machine.name(), "--image"]).arg(image).args(arguments).args(inputs());
    Ok(command.output()?)
}

fn report(output: &Output, code: i32) -> Outcome<Value> {
    let complaint = String::from_utf8_lossy(&output.stderr);
    ensure(output.status.code() == Some(code), format!("{code} was wanted, {}: {complaint}", output.status))?;
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// All that follows from the seed follows from it in each process anew.
pub(crate) fn is_brought_back(place: &Place) -> Outcome {
    for stage in ["connected", "sealed"] {
        let arguments = |seed| ["--stage", stage, "--repeat", "20", "--seed", seed];
        let state = |seed| -> Outcome<String> {
            let report = report(&fuzz(place, &image(), &arguments(seed))?, 0)?;
            let inputs = report["inputs"].as_u64().unwrap_or_default();
            ensure(inputs >= 10 && report["executions"] == inputs * 20, report.to_string())?;
            ensure(report["found"].as_array().is_some_and(Vec::is_empty), report.to_string())?;
            ensure(report["state"] == report["state_after_resets"], report.to_string())?;
            Ok(report["state"].as_str().unwrap_or_default().to_owned())
        };
        let [first, again, other] = [state("1")?, state("1")?, state("2")?];
        ensure(first == again, format!("{stage}: two processes, two states: {first}, {again}"))?;
        ensure(first != other, format!("{stage}: two seeds, one state: {first}"))?;
    }
    Ok(())
}

/// Whoever begins a key exchange runs into a trap, and nobody else does.
pub(crate) fn crash_is_told(place: &Place) -> Outcome {
    let trapped = images::with_traps(&fs::read(image())?, &["x25519_public_from_private"])?;
    let file = NamedTempFile::new()?;
    fs::write(file.path(), trapped)?;
    let report = report(&fuzz(place, file.path(), &["--repeat", "3"])?, 29)?;
    let found = report["found"].as_array().cloned().unwrap_or_default();
    let sound = report["inputs"].as_u64().unwrap_or_default() - u64::try_from(found.len())?;
    ensure(report["executions"] == sound * 3 + u64::try_from(found.len())?, format!("what breaks the guest is tried once: {report}"))?;
    let named = |name: &str| {
        let one = found.iter().find(|one| one["input"].as_str().is_some_and(|input| input.ends_with(name)));
        one.and_then(|one| one["text"].as_str()).unwrap_or_default().to_owned()
    };
    let told = named("/hello");
    ensure(told.starts_with("crash: exception 6 (#UD)") && told.contains("x25519"), report.to_string())?;
    ensure(named("/http").is_empty() && named("/arp").is_empty(), report.to_string())?;
    ensure(report["state"] == report["state_after_resets"], format!("a cell that was loaded anew is not the same: {report}"))
}

/// What cannot be tried is said, by a code of its own.
pub(crate) fn refusals(place: &Place) -> Outcome {
    let run = |arguments: &[&str]| Command::new(bountybox()).args(["fuzz", "--machine", place.machine.name()]).args(arguments).output();
    let own = image();
    let own = own.to_str().unwrap_or_default();
    let empty = TempDir::new()?;
    let empty = empty.path().to_str().unwrap_or_default();
    for (arguments, code, words) in [
        (&["--image", own][..], 2, "no input is named"),
        (&["--image", own, "/no/such/input"], 2, "/no/such/input"),
        (&["--image", own, empty], 2, empty),
        (&["--image", concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"), "x"], 13, "no ELF file"),
        (&["--image", own, "--config", "/no/such/file", "x"], 10, "/no/such/file"),
    ] {
        let output = run(arguments)?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure(
            output.status.code() == Some(code) && said.contains(words),
            format!("{arguments:?}: {code} was wanted, {}: {said}", output.status),
        )?;
    }
    Ok(())
}
