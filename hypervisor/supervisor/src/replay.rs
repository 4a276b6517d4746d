//! `replay`: a recorded cell, run again; what the tender's [`replay`](tender::replay) finds, in words and as JSON.
//!
//! - `messages`: what TLS was spoken meanwhile.

pub(crate) mod messages;

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use recording::HeaderFault;
use recording::event::Over;
use recording::key::Identity;
use recording::open::OpenFault;
use recording::read::ReadFault;
use serde_json::{Value, json};
use tender::Use;
use tender::replay::{Damage, Difference, End, ReplayFault, Report, Secrets, Task, Watch};
use transcript::Told;
use zeroize::Zeroizing;

use crate::cli::ReplayArgs;
use crate::config::read_bounded;
use crate::exit::Exit;
use crate::limits::IDENTITY_LEN_MAX;
use crate::specimen::hex;
use crate::{image, terminal};
use messages::Front;

/// `bountybox replay`
pub(crate) fn replay(args: &ReplayArgs) -> Exit {
    run(args).unwrap_or_else(|exit| exit)
}

fn run(args: &ReplayArgs) -> Result<Exit, Exit> {
    let (recording, identity) = prepare(args)?;
    let image = image::read_for(if args.secrets { Use::GivingSecretsAway } else { Use::Serving }, args.image.as_deref())?;
    let (pcap, key_log) = (new_file(args.pcap.as_deref())?, new_file(args.key_log.as_deref())?);
    let damage = if args.up_to_damage { Damage::StopBefore } else { Damage::Refuse };
    let mut front = args.messages.then(Front::default);
    let watch = front.as_mut().map(|front| front as &mut dyn Watch);
    let (until, image_may_differ) = (args.until, args.other_image);
    let secrets = args.secrets.then_some(Secrets { key_log });
    let task = Task { recording, identity, image: &image, image_may_differ, damage, until, pcap, watch, secrets };
    let report = tender::replay::replay(task).map_err(|fault| refuse(&args.file, &fault))?;
    tell(args, &report, front.map(Front::end).as_ref());
    Ok(if report.difference_count == 0 { Exit::Success } else { Exit::Differs })
}

fn tell(args: &ReplayArgs, report: &Report, told: Option<&Told>) {
    if args.json {
        let mut json = to_json(report);
        if let (Some(told), Some(object)) = (told, json.as_object_mut()) {
            object.extend(messages::to_json(told));
        }
        return terminal::result(json);
    }
    if let Some(told) = told {
        messages::lines(told).for_each(terminal::result);
    }
    lines(report).into_iter().for_each(terminal::result);
}

/// Everything that is read is opened before anything is written.
fn prepare(args: &ReplayArgs) -> Result<(File, Identity), Exit> {
    let recording = File::open(&args.file).map_err(|fault| {
        told(&args.file, &fault);
        if fault.kind() == io::ErrorKind::PermissionDenied { Exit::Permission } else { Exit::Recording }
    })?;
    let key = read_bounded(&args.key, IDENTITY_LEN_MAX).map(Zeroizing::new).map_err(|fault| {
        told(&args.key, &fault);
        Exit::Key
    })?;
    let identity = core::str::from_utf8(&key).ok().and_then(Identity::parse_file).ok_or_else(|| {
        told(&args.key, &"this is no age identity without a passphrase, as AGE-SECRET-KEY-1..");
        Exit::Key
    })?;
    Ok((recording, identity))
}

/// A file that only its owner reads, and that was not there.
fn new_file(path: Option<&Path>) -> Result<Option<File>, Exit> {
    let new = |path: &Path| {
        OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(|fault| {
            told(path, &fault);
            Exit::Output
        })
    };
    path.map(new).transpose()
}

fn told(path: &Path, fault: &dyn core::fmt::Display) {
    terminal::note(format!("error: {}: {fault}", path.display()));
}

fn refuse(file: &Path, fault: &ReplayFault) -> Exit {
    let (exit, why) = match fault {
        ReplayFault::Read(fault) => (Exit::Recording, of_reading(fault)),
        ReplayFault::OtherImage(digest) => {
            (Exit::OtherImage, format!("it was made with the image of SHA-256 {}; --image names one, --other-image takes any", hex(digest)))
        }
        ReplayFault::Load(fault) => (Exit::Machine, format!("the guest cannot be loaded: {fault}")),
        ReplayFault::Jail(fault) => (Exit::Permission, format!("the jail cannot be closed: {fault:?}")),
        ReplayFault::Host(fault) => (Exit::Machine, format!("the host failed: {fault}")),
        ReplayFault::KeyLog(fault) => (Exit::Output, format!("the key log cannot be written: {fault}")),
        ReplayFault::Pcap(fault) => (Exit::Output, format!("the pcapng file cannot be written: {fault}")),
    };
    terminal::note(format!("error: {}: {why}", file.display()));
    exit
}

fn of_reading(fault: &ReadFault) -> String {
    match fault {
        ReadFault::Open(OpenFault::HostIo(fault)) => format!("it cannot be read: {fault}"),
        ReadFault::Open(OpenFault::Header(HeaderFault::PeerFormat)) => "this is no recording: it has no age header".into(),
        ReadFault::Open(OpenFault::Header(HeaderFault::PeerRecipient)) => "it is for another key than this one".into(),
        ReadFault::Open(OpenFault::Header(HeaderFault::PeerMac)) => "its header was changed after it was written".into(),
        ReadFault::Open(OpenFault::PeerChunk(number)) => {
            format!(
                "it was changed, or cut within a chunk: chunk {number} is not what was written. --up-to-damage replays what stands before it"
            )
        }
        ReadFault::PeerVersion(version) => format!("its format has version {version}, which this bountybox does not know"),
        ReadFault::PeerFormat => "it opens, and yet it is no recording".into(),
        ReadFault::Cut => "it ends before its first turn".into(),
    }
}

fn lines(report: &Report) -> Vec<String> {
    let mut lines: Vec<String> = report.differences.iter().map(|difference| format!("differs: {}", of_difference(difference))).collect();
    let more = report.difference_count.saturating_sub(u64::try_from(report.differences.len()).unwrap_or(0));
    if more > 0 {
        lines.push(format!("differs: and in {more} more places"));
    }
    lines.extend(report.last.clone());
    lines.push(format!("end: {}", of_end(&report.end)));
    if let Some(given) = report.secrets {
        let lost = if given.lost > 0 { format!("; for {} more the guest had no room", given.lost) } else { String::new() };
        lines.push(format!("{} secrets were given away{lost}; the log is not compared", given.secrets));
    }
    let sent: u64 = report.frames.sent.iter().sum();
    let given: u64 = report.frames.given.iter().sum();
    let verdict = if report.difference_count == 0 { "every turn is as recorded" } else { "the replay differs" };
    lines.push(format!(
        "{verdict}: {} turns, {sent} frames sent and compared, {given} received, {:.3} s",
        report.turns,
        report.now.as_secs_f64()
    ));
    lines
}

fn of_difference(difference: &Difference) -> String {
    let Difference { turn, now, link, what } = difference;
    let link = link.map(|link| format!(", {} link", link_name(link))).unwrap_or_default();
    format!("turn {turn} at {:.6} s{link}: {what}", now.as_secs_f64())
}

fn link_name(link: usize) -> &'static str {
    ["front", "back"].get(link).copied().unwrap_or("no such")
}

fn of_end(end: &End) -> &'static str {
    match end {
        End::Over(Over::Guest) => "the guest ended here",
        End::Over(Over::HostileQueue(_)) => "the guest was ended here for a malformed queue",
        End::Over(Over::Full) => "the recording had reached max_bytes",
        End::Over(Over::DrainOver) => "the guest had not drained in time",
        End::Over(Over::Orphaned) => "the supervisor had gone",
        End::Over(Over::Host) => "the host had failed",
        End::Over(Over::Slow) => "the disk had been too slow",
        End::Cut => "the recording is cut here: its tender was killed, or the file was shortened",
        End::Damaged => "the recording is damaged behind this",
        End::Until => "stopped at the time that was asked for",
        End::Parted => "the guest went another way",
    }
}

fn end_name(end: &End) -> &'static str {
    match end {
        End::Over(Over::Guest) => "guest",
        End::Over(Over::HostileQueue(_)) => "hostile_queue",
        End::Over(Over::Full) => "full",
        End::Over(Over::DrainOver) => "drain_over",
        End::Over(Over::Orphaned) => "orphaned",
        End::Over(Over::Host) => "host",
        End::Over(Over::Slow) => "slow",
        End::Cut => "cut",
        End::Damaged => "damaged",
        End::Until => "until",
        End::Parted => "parted",
    }
}

fn to_json(report: &Report) -> Value {
    let differences: Vec<Value> = report
        .differences
        .iter()
        .map(|Difference { turn, now, link, what }| {
            json!({ "turn": turn, "time_s": now.as_secs_f64(), "link": link.map(link_name), "what": what.to_string() })
        })
        .collect();
    let by_link = |counts: [u64; 2]| json!({ "front": counts[0], "back": counts[1] });
    json!({
        "same": report.difference_count == 0,
        "end": end_name(&report.end),
        "last": report.last,
        "turns": report.turns,
        "time_s": report.now.as_secs_f64(),
        "frames_sent": by_link(report.frames.sent),
        "frames_received": by_link(report.frames.given),
        "image_sha256": hex(&report.image),
        "machine": match report.machine { 1 => "kvm", 2 => "process", _ => "unknown" },
        "secrets": report.secrets.map(|given| json!({ "given": given.secrets, "lost": given.lost })),
        "differences": differences,
        "difference_count": report.difference_count,
    })
}
