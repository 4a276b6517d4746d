//! What became of the sessions so far; and the files of those after which something was wrong.

use core::time::Duration;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

use harness::Kind;
use harness::limits::ACTS_MAX;
use harness::subject::Subject;
use harness::verdict::Verdict;
use harness::visit::{Record, Sighting};
use recording::pcap::{Pcap, Way};
use serde_json::json;

use crate::exit::Exit;
use crate::findings::{Finding, Summary};
use crate::limits::{FINDING_NUMBERS_MAX, FINDINGS_MAX};
use crate::run::refuse;
use crate::specimen::{SpecimenArgs, hex, mark, of_subject, tell};
use crate::terminal;

#[derive(Debug)]
pub(super) struct Tally {
    begun: Instant,
    state: [u8; 32],
    /// The command that tries an input on the same box.
    again: String,
    folder: PathBuf,
    sessions: u64,
    full: u64,
    found: u64,
    slowest: Duration,
    findings: Vec<Finding>,
}

/// What became of one session.
#[derive(Debug)]
pub(super) struct Outcome {
    pub(super) verdict: &'static str,
    pub(super) told: String,
    pub(super) input: Option<String>,
    pub(super) reset: Duration,
    pub(super) state: [u8; 32],
}

impl Tally {
    /// `state` is what the box is brought back to, `unix` what its clock says then.
    pub(super) fn new((state, unix): ([u8; 32], Duration), kind: Kind, specimen: &SpecimenArgs, folder: PathBuf) -> Self {
        let machine = match kind {
            Kind::Kvm => "kvm",
            Kind::Process => "process",
        };
        let SpecimenArgs { image, config, seed, .. } = specimen;
        let named =
            |option: &str, path: &Option<PathBuf>| path.iter().map(|path| format!(" --{option} {}", path.display())).collect::<String>();
        let named = format!("{}{}", named("image", image), named("config", config));
        let again = format!("bountybox fuzz --stage sealed --machine {machine} --seed {seed} --clock {}{named}", unix.as_secs());
        let begun = Instant::now();
        Self { begun, state, again, folder, sessions: 0, full: 0, found: 0, slowest: Duration::ZERO, findings: Vec::new() }
    }

    pub(super) fn sessions(&self) -> u64 {
        self.sessions
    }

    /// Sessions that ended because no further client had a place in them.
    pub(super) fn full(&self) -> u64 {
        self.full
    }

    pub(super) fn note_full(&mut self) {
        self.full = self.full.saturating_add(1);
        terminal::note(format!("session {} was full: the box is brought back for the next client", self.sessions));
    }

    pub(super) fn found(&self) -> u64 {
        self.found
    }

    pub(super) fn is_sound(&self) -> bool {
        self.found == 0
    }

    pub(super) fn state(&self) -> String {
        hex(&self.state)
    }

    /// Brings the box back, and takes note of what became of the session.
    pub(super) fn take(&mut self, subject: &mut Subject, verdict: &Verdict, record: &Record) -> Result<Outcome, Exit> {
        self.sessions = self.sessions.saturating_add(1);
        let (told, mark) = (tell(verdict, subject), mark(verdict, subject));
        let back = self.bring_back(subject);
        // What was found is kept even if the box does not come back.
        let input = if verdict.is_sound() { Ok(None) } else { self.keep(back.is_ok().then_some(subject), verdict, (&told, mark), record) };
        let (reset, state) = back?;
        Ok(Outcome { verdict: verdict.name(), told, input: input?, reset, state })
    }

    fn bring_back(&mut self, subject: &mut Subject) -> Result<(Duration, [u8; 32]), Exit> {
        let reset = subject.reset().map_err(|fault| of_subject(&fault))?;
        self.slowest = self.slowest.max(reset);
        let state = subject.state().map_err(|fault| of_subject(&fault))?;
        if state != self.state {
            return Err(refuse(Exit::Internal, format!("after session {} the box was not brought back to where it was", self.sessions)));
        }
        Ok((reset, state))
    }

    /// Keeps the first session of each finding, and tries it again where there is a box to do so.
    fn keep(
        &mut self,
        subject: Option<&mut Subject>,
        verdict: &Verdict,
        (told, mark): (&str, String),
        record: &Record,
    ) -> Result<Option<String>, Exit> {
        self.found = self.found.saturating_add(1);
        if let Some(known) = self.findings.iter_mut().find(|known| known.verdict == verdict.name() && known.mark == mark) {
            known.times = known.times.saturating_add(1);
            return Ok(known.input.as_ref().map(|path| path.display().to_string()));
        }
        if self.findings.len() >= FINDINGS_MAX {
            return Ok(None);
        }
        let mut finding = Finding { verdict: verdict.name(), told: told.to_owned(), mark, input: None, times: 1 };
        let again = subject.map_or(Ok(None), |subject| again(subject, verdict, record));
        let kept = self.write(&finding, record, again.unwrap_or(None));
        // Reports tell it even if it could not be written down.
        finding.input = kept.as_ref().ok().cloned();
        self.findings.push(finding);
        again.and(kept).map(|input| Some(input.display().to_string()))
    }

    /// Writes the files of a finding. `again` is whether it came again when it was tried again, if it was.
    fn write(&self, finding: &Finding, record: &Record, again: Option<bool>) -> Result<PathBuf, Exit> {
        let fault = |fault: io::Error| refuse(Exit::Output, format!("{}: {fault}", self.folder.display()));
        let (name, mut input) = begin(&self.folder, finding.verdict).map_err(fault)?;
        let path = name.with_extension("input");
        // Of a verdict beyond the acts `fuzz` would say that all is sound.
        let replay = (!record.is_beyond_acts).then(|| format!("{} {}", self.again, path.display()));
        let about = json!({
            "version": 1, "session": self.sessions, "verdict": finding.verdict, "text": finding.told, "state": self.state(),
            "is_whole": !record.is_input_cut, "are_frames_whole": !record.are_frames_cut, "is_reproduced": again, "replay": replay,
        });
        let mut write = || -> io::Result<()> {
            input.write_all(&record.input)?;
            write_frames(&name.with_extension("pcapng"), &record.frames)?;
            File::create_new(name.with_extension("json"))?.write_all(format!("{about:#}\n").as_bytes())
        };
        write().map_err(fault)?;
        let how = match again {
            Some(true) => "",
            Some(false) => "; trying it again did something else",
            None => "; it was not tried again",
        };
        let place = replay.map_or_else(|| format!("kept as {}", path.display()), |replay| format!("again with: {replay}"));
        terminal::note(format!("found: {}; {place}{how}", finding.told));
        Ok(path)
    }

    pub(super) fn tell(&self, json: bool, exit: Exit) {
        let Self { sessions, found, findings, slowest, .. } = self;
        let spent = self.begun.elapsed();
        if json {
            let found: Vec<_> = findings
                .iter()
                .map(|one| json!({ "input": one.place(), "verdict": one.verdict, "text": one.told, "times": one.times }))
                .collect();
            terminal::result(json!({
                "version": 1, "exit_code": exit.code(), "sessions": sessions, "seconds": spent.as_secs_f64(),
                "slowest_reset_ms": slowest.as_secs_f64() * 1e3, "state": self.state(), "found": found,
            }));
            return;
        }
        let rate = *sessions as f64 / spent.as_secs_f64().max(1e-9);
        let slowest = slowest.as_secs_f64() * 1e3;
        terminal::result(format!("{sessions} sessions, {rate:.0} a second, {found} of them with findings; slowest reset {slowest:.3} ms"));
        findings.iter().for_each(|one| terminal::result(format!("{}: {} ({} times)", one.place(), one.told, one.times)));
    }

    pub(super) fn summary(&self) -> Summary {
        Summary { name: "bountybox target", tries: self.sessions, spent: self.begun.elapsed(), findings: self.findings.clone() }
    }
}

/// Tries once more what was written down. Whether it came to the same; `None` where that takes clients who answer, of whom nothing is written down.
fn again(subject: &mut Subject, verdict: &Verdict, record: &Record) -> Result<Option<bool>, Exit> {
    if record.is_beyond_acts && *verdict != Verdict::Deaf {
        return Ok(None);
    }
    let again = subject.run_and_ask(&record.input, ACTS_MAX).map_err(|fault| of_subject(&fault))?;
    subject.reset().map_err(|fault| of_subject(&fault))?;
    Ok(Some(again == *verdict))
}

/// The first name of this kind that no file in the folder has, and its first file. What another run has found stays.
fn begin(folder: &Path, kind: &str) -> io::Result<(PathBuf, File)> {
    fs::create_dir_all(folder)?;
    for number in 0..FINDING_NUMBERS_MAX {
        let name = folder.join(format!("{kind}-{number:03}"));
        if ["json", "pcapng"].iter().any(|extension| name.with_extension(extension).exists()) {
            continue;
        }
        match File::create_new(name.with_extension("input")) {
            Ok(file) => return Ok((name, file)),
            Err(fault) if fault.kind() == ErrorKind::AlreadyExists => {}
            Err(fault) => return Err(fault),
        }
    }
    Err(io::Error::new(ErrorKind::AlreadyExists, format!("no number is left for {kind}")))
}

fn write_frames(path: &Path, frames: &[Sighting]) -> io::Result<()> {
    let mut pcap = Pcap::begin(File::create_new(path)?)?;
    for frame in frames {
        let way = if frame.by_guest { Way::FromGuest } else { Way::ToGuest };
        let unix_ns = u64::try_from(frame.unix.as_nanos()).unwrap_or(u64::MAX);
        pcap.frame(frame.link, way, unix_ns, &frame.bytes)?;
    }
    pcap.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_another_run_has_found_is_not_written_over() {
        let folder = tempfile::tempdir().expect("a folder");
        let folder = folder.path().join("findings");
        let begun = |kind: &str| begin(&folder, kind).expect("there is room").0;
        assert_eq!(begun("crash"), folder.join("crash-000"));
        assert_eq!(begun("crash"), folder.join("crash-001"));
        assert_eq!(begun("deaf"), folder.join("deaf-000"));
        fs::write(folder.join("crash-002.json"), "of one whose input was moved away").expect("a file");
        assert_eq!(begun("crash"), folder.join("crash-003"));
    }
}
