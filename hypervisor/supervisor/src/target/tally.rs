//! What became of the sessions so far; and the files of those after which something was wrong.

use core::time::Duration;
use std::fs::{self, File};
use std::io;
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
use crate::limits::FINDINGS_MAX;
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
    /// `state` is what the box is brought back to.
    pub(super) fn new(state: [u8; 32], kind: Kind, specimen: &SpecimenArgs, folder: PathBuf) -> Self {
        let machine = match kind {
            Kind::Kvm => "kvm",
            Kind::Process => "process",
        };
        let SpecimenArgs { image, config, seed, .. } = specimen;
        let named =
            |option: &str, path: &Option<PathBuf>| path.iter().map(|path| format!(" --{option} {}", path.display())).collect::<String>();
        let again =
            format!("bountybox fuzz --stage sealed --machine {machine} --seed {seed}{}{}", named("image", image), named("config", config));
        let begun = Instant::now();
        Self { begun, state, again, folder, sessions: 0, found: 0, slowest: Duration::ZERO, findings: Vec::new() }
    }

    pub(super) fn sessions(&self) -> u64 {
        self.sessions
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
        let reset = subject.reset().map_err(|fault| of_subject(&fault))?;
        self.slowest = self.slowest.max(reset);
        let state = subject.state().map_err(|fault| of_subject(&fault))?;
        if state != self.state {
            return Err(refuse(Exit::Internal, format!("after session {} the box was not brought back to where it was", self.sessions)));
        }
        let mut outcome = Outcome { verdict: verdict.name(), told, input: None, reset, state };
        if !verdict.is_sound() {
            outcome.input = self.keep(subject, verdict, (&outcome.told, mark), record)?;
        }
        Ok(outcome)
    }

    /// Keeps the first session of each finding.
    fn keep(
        &mut self,
        subject: &mut Subject,
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
        // Tried once more, from what was written down alone.
        let again = subject.run(&record.input, ACTS_MAX).map_err(|fault| of_subject(&fault))?;
        let is_reproduced = again == *verdict;
        subject.reset().map_err(|fault| of_subject(&fault))?;
        let name = self.folder.join(format!("{}-{:03}", verdict.name(), self.findings.len()));
        let input = name.with_extension("input");
        let replay = format!("{} --clock {} {}", self.again, subject.unix().as_secs(), input.display());
        let about = json!({
            "version": 1, "session": self.sessions, "verdict": verdict.name(), "text": told,
            "state": self.state(), "is_whole": !record.is_cut, "is_reproduced": is_reproduced, "replay": replay,
        });
        let write = || -> io::Result<()> {
            fs::create_dir_all(&self.folder)?;
            fs::write(&input, &record.input)?;
            write_frames(&name.with_extension("pcapng"), &record.frames)?;
            fs::write(name.with_extension("json"), format!("{about:#}\n"))
        };
        write().map_err(|fault| refuse(Exit::Output, format!("{}: {fault}", name.display())))?;
        let how = if is_reproduced { "" } else { "; trying it again did something else" };
        terminal::note(format!("found: {told}; again with: {replay}{how}"));
        self.findings.push(Finding { verdict: verdict.name(), told: told.to_owned(), mark, input: Some(input.clone()), times: 1 });
        Ok(Some(input.display().to_string()))
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

fn write_frames(path: &Path, frames: &[Sighting]) -> io::Result<()> {
    let mut pcap = Pcap::begin(File::create(path)?)?;
    for frame in frames {
        let way = if frame.by_guest { Way::FromGuest } else { Way::ToGuest };
        let unix_ns = u64::try_from(frame.unix.as_nanos()).unwrap_or(u64::MAX);
        pcap.frame(frame.link, way, unix_ns, &frame.bytes)?;
    }
    pcap.flush()
}
