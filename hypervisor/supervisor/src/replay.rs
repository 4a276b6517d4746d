//! `replay`: a recorded cell, run again; what the tender's [`replay`](tender::replay) finds, in words and as JSON.

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
use tender::replay::{Damage, Difference, End, ReplayFault, Report, Task};
use zeroize::Zeroizing;

use crate::cli::ReplayArgs;
use crate::config::read_bounded;
use crate::exit::Exit;
use crate::limits::IDENTITY_LEN_MAX;
use crate::{image, terminal};

/// `bountybox replay`
pub(crate) fn replay(args: &ReplayArgs) -> Exit {
    prepare(args).and_then(|(recording, identity, pcap)| run(args, recording, identity, pcap)).unwrap_or_else(|exit| exit)
}

fn run(args: &ReplayArgs, recording: File, identity: Identity, pcap: Option<File>) -> Result<Exit, Exit> {
    let image = image::read_to_run(args.image.as_deref())?;
    let damage = if args.up_to_damage { Damage::StopBefore } else { Damage::Refuse };
    let task = Task { recording, identity, image: &image, image_may_differ: args.other_image, damage, until: args.until, pcap };
    let report = tender::replay::replay(task).map_err(|fault| refuse(&args.file, &fault))?;
    if args.json {
        terminal::result(to_json(&report));
    } else {
        lines(&report).into_iter().for_each(terminal::result);
    }
    Ok(if report.difference_count == 0 { Exit::Success } else { Exit::Differs })
}

/// Everything that is opened is opened first.
fn prepare(args: &ReplayArgs) -> Result<(File, Identity, Option<File>), Exit> {
    let told = |path: &Path, fault: &dyn core::fmt::Display| terminal::note(format!("error: {}: {fault}", path.display()));
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
    let pcap = args.pcap.as_deref().map(|path| {
        OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(|fault| {
            told(path, &fault);
            Exit::Output
        })
    });
    Ok((recording, identity, pcap.transpose()?))
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
        "differences": differences,
        "difference_count": report.difference_count,
    })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
