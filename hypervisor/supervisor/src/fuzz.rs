//! `bountybox fuzz`: tries inputs on the guest image itself, each from the same state, on the machine that serves it.

mod plain;

use core::net::{IpAddr, Ipv4Addr};
use core::time::Duration;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::{Args, ValueEnum};
use harness::Kind;
use harness::forkserver::{self, ServeFault};
use harness::limits::{HEAP_LEN, INPUT_LEN_MAX};
use harness::subject::{Fault, Order, Stage, Subject};
use harness::verdict::{Secrets, Verdict};
use harness::wire::Ends;
use keys::bundle::Bundle;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use crate::cli::unix_now;
use crate::config::read_bounded;
use crate::exit::Exit;
use crate::plan::MachineKind;
use crate::run::refuse;
use crate::{config, image, terminal};

/// `fuzz`
#[derive(Debug, Clone, Args)]
pub struct FuzzArgs {
    /// Inputs, and folders of them (docs/fuzz.md says what their bytes mean). Not needed under AFL++.
    #[arg(value_name = "INPUT")]
    pub inputs: Vec<PathBuf>,
    /// The guest image, instead of the embedded one; AFL++ wants one that counts: `appliance/build-image fuzz`.
    #[arg(long, value_name = "FILE")]
    pub image: Option<PathBuf>,
    /// A configuration whose box is fuzzed, instead of one with a throw-away key.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// The machine.
    #[arg(long, value_enum, value_name = "KIND", default_value_t = MachineKind::Process)]
    pub machine: MachineKind,
    /// How far the guest is when an input begins.
    #[arg(long, value_enum, value_name = "STAGE", default_value_t = StageName::Connected)]
    pub stage: StageName,
    /// What the guest's randomness and its address space come from.
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    pub seed: u64,
    /// Try each input so often, and say how fast that went.
    #[arg(long, value_name = "TIMES", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=1_000_000_000))]
    pub repeat: u64,
    /// Write one JSON object.
    #[arg(long)]
    pub json: bool,
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
    let subject = match subject(args) {
        Ok(subject) => subject,
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

/// One input, and what became of it.
struct Tried {
    file: PathBuf,
    verdict: Verdict,
    told: String,
}

fn attempt(mut subject: Subject, args: &FuzzArgs) -> Result<Exit, Exit> {
    let inputs = inputs(&args.inputs)?;
    let before = subject.state().map_err(|fault| of_subject(&fault))?;
    let begun = Instant::now();
    let (mut tried, mut slowest) = (Vec::new(), Duration::ZERO);
    for (file, input) in &inputs {
        for _ in 0..args.repeat {
            let verdict = subject.run(input).map_err(|fault| of_subject(&fault))?;
            slowest = slowest.max(subject.reset().map_err(|fault| of_subject(&fault))?);
            if verdict.is_sound() {
                continue;
            }
            let told = tell(&verdict, &subject);
            tried.push(Tried { file: file.clone(), verdict, told });
            break;
        }
    }
    let count = args.repeat.saturating_mul(u64::try_from(inputs.len()).unwrap_or(u64::MAX));
    let spent = begun.elapsed();
    let after = subject.state().map_err(|fault| of_subject(&fault))?;
    let exit = if tried.is_empty() { Exit::Success } else { Exit::Broken };
    let same = before == after;
    if args.json {
        let found: Vec<Value> = tried
            .iter()
            .map(|one| json!({ "input": one.file.display().to_string(), "verdict": one.verdict.name(), "text": one.told }))
            .collect();
        terminal::result(json!({
            "version": 1, "exit_code": exit.code(), "inputs": inputs.len(), "executions": count, "state": hex(&before), "state_after_resets": hex(&after),
            "seconds": spent.as_secs_f64(), "slowest_reset_ms": slowest.as_secs_f64() * 1e3, "found": found,
        }));
    } else {
        tried.iter().for_each(|one| terminal::result(format!("{}: {}", one.file.display(), one.told)));
        let rate = count as f64 / spent.as_secs_f64().max(1e-9);
        terminal::result(format!(
            "{} of {} inputs are sound; {count} executions, {rate:.0} a second; slowest reset {:.3} ms; state {}",
            inputs.len().saturating_sub(tried.len()),
            inputs.len(),
            slowest.as_secs_f64() * 1e3,
            hex(&before)
        ));
    }
    if !same {
        return Err(refuse(Exit::Internal, "the guest's state is not what it was before the first input"));
    }
    Ok(exit)
}

/// The verdict, and where in the image a crash happened.
fn tell(verdict: &Verdict, subject: &Subject) -> String {
    let Verdict::Crash(crash) = verdict else { return verdict.to_string() };
    let offset = crash.registers.rip.wrapping_sub(crash.image_base);
    let place = subject.image().symbol(offset).map(|(name, distance)| format!(" in {name}+{distance:#x}")).unwrap_or_default();
    format!("{verdict}{place}")
}

/// The files, and those in the folders, in order.
fn inputs(paths: &[PathBuf]) -> Result<Vec<(PathBuf, Vec<u8>)>, Exit> {
    if paths.is_empty() {
        return Err(refuse(Exit::Usage, "no input is named: give files or folders, or have AFL++ start this (docs/fuzz.md)"));
    }
    let cannot = |path: &Path, fault: std::io::Error| refuse(Exit::Usage, format!("{} cannot be read: {fault}", path.display()));
    let mut files = Vec::new();
    for path in paths {
        if path.is_dir() {
            let entries = fs::read_dir(path).map_err(|fault| cannot(path, fault))?;
            let mut inside: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).filter(|path| path.is_file()).collect();
            inside.sort();
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

fn subject(args: &FuzzArgs) -> Result<Subject, Exit> {
    let image = image::read_to_run(args.image.as_deref())?;
    let (bundle, heap_len, unix) = match &args.config {
        None => (plain::bundle(), HEAP_LEN, Duration::from_secs(plain::UNIX_S)),
        Some(file) => {
            let plan = config::load(file, unix_now()).map_err(|report| {
                report.lines().for_each(terminal::note);
                report.exit()
            })?;
            (plan.bundle, plan.heap_len, unix_now())
        }
    };
    let ends = ends(&bundle)
        .ok_or_else(|| refuse(Exit::Config, "the box has no IPv4 address to listen on, and clients of the fuzzer speak IPv4"))?;
    let mut secrets = Secrets::default();
    for certificate in &bundle.certificates {
        secrets.watch("a private key", private_part(certificate.key.expose()));
    }
    let encoded = bundle.encode().map_err(|fault| refuse(Exit::Config, fault))?;
    let stage = match args.stage {
        StageName::Sealed => Stage::Sealed,
        StageName::Connected => Stage::Connected,
    };
    let order =
        Order { kind: Kind::Process, stage, seed: args.seed, bundle: Zeroizing::new(encoded.expose().to_vec()), heap_len, unix, ends };
    let on = |kind| Subject::start(Order { kind, ..order.clone() }, &image, Secrets::clone(&secrets));
    match args.machine {
        MachineKind::Kvm => on(Kind::Kvm),
        MachineKind::Process => on(Kind::Process),
        MachineKind::Auto => match tender::probe(tender::order::Machine::Kvm, &image) {
            Ok(()) => on(Kind::Kvm),
            Err(fault) => {
                terminal::note(format!("machine: process, as kvm is not to be had: {fault}"));
                on(Kind::Process)
            }
        },
    }
    .map_err(|fault| of_subject(&fault))
}

fn of_subject(fault: &Fault) -> Exit {
    let exit = match fault {
        _ if fault.is_of_the_image() => Exit::Image,
        Fault::Load(_) | Fault::Host(_) => Exit::Machine,
        Fault::Stage(_) => Exit::Guest,
    };
    refuse(exit, fault)
}

/// The first listener that an IPv4 client reaches, and a client behind the first gateway.
fn ends(bundle: &Bundle) -> Option<Ends> {
    const CLIENT: (Ipv4Addr, u16) = (Ipv4Addr::new(203, 0, 113, 7), 50_000);
    const SOME_GATEWAY: [u8; 6] = [2, 0xbb, 0, 0, 0, 0xfe];
    let v4 = |address: IpAddr| match address {
        IpAddr::V4(address) => Some(address),
        IpAddr::V6(_) => None,
    };
    let own = bundle.front.addresses.iter().find_map(|cidr| v4(cidr.address));
    let guest = bundle.listeners.iter().find_map(|listener| {
        let address = listener.address.map_or(own, v4)?;
        Some((address, listener.port))
    })?;
    let gateway_mac = bundle.front.gateways.iter().find_map(|gateway| gateway.mac).unwrap_or(SOME_GATEWAY);
    Some(Ends { guest_mac: bundle.front.mac, gateway_mac, guest, client: CLIENT })
}

/// The secret number in a PKCS#8 key: the innermost octet string of 32 or 48 bytes (RFC 5915, RFC 8410). The rest of it is public.
fn private_part(key: &[u8]) -> &[u8] {
    let piece = |at: usize, len: usize| key.get(at.saturating_add(2)..at.saturating_add(2).saturating_add(len));
    let heads = key.windows(2).enumerate().skip(14);
    let octets = |(at, head): (usize, &[u8])| match head {
        [4, 32] => piece(at, 32),
        [4, 48] => piece(at, 48),
        _ => None,
    };
    heads.filter_map(octets).next().unwrap_or(key)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
