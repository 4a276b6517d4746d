//! `bountybox challenge`: mints a contest, and serves one for the laboratory.
//!
//! A contest's box is an ordinary box: what is written here is an ordinary configuration with a `[challenge]` section, which `bountybox run` serves.

mod change;
mod trace;
mod walk;
mod watched;

use core::net::SocketAddr;
use core::sync::atomic::AtomicBool;
use core::time::Duration;
use std::fs;
use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arbiter::wallet::Network;
use arbiter::{Digest, Tier};
use ceremony::{Folder, Minted, Mode, Nobody, Order, Page, Ports, Program, Watch, WriteFault};
use clap::parser::ValueSource;
use clap::{ArgMatches, Args, Subcommand, ValueEnum};
use signal_hook::consts::SIGINT;

use crate::cli::unix_now;
use crate::config::read_bounded;
use crate::exit::Exit;
use crate::limits::{CONFIG_LEN_MAX, PROGRAM_LEN_MAX};
use crate::plan::MachineKind;
use crate::{image, run, terminal};
use walk::Asker;
use watched::Watched;

/// `challenge`
#[derive(Debug, Clone, Args)]
#[command(args_conflicts_with_subcommands = true, arg_required_else_help = true)]
pub struct ChallengeArgs {
    #[command(subcommand)]
    command: Option<ChallengeCommand>,
    #[command(flatten)]
    lab: LabArgs,
}

#[derive(Debug, Clone, Subcommand)]
enum ChallengeCommand {
    /// Mint a contest: keys, certificates, manifest, transcript and a configuration to run it with. On a terminal, without the flags that it needs, it asks for them and shows each step.
    Init(Box<InitArgs>),
    /// Change the rules, the prizes or the end of a contest: a new version of its manifest, signed with the operator's key, that the log tells of.
    Change(change::ChangeArgs),
    /// Tell what TLS is spoken in the pcapng that comes on standard input, as a box has kept it; knows nothing else.
    #[command(hide = true)]
    Trace,
}

/// `challenge --lab`
#[derive(Debug, Clone, Args)]
struct LabArgs {
    /// Serve a contest whose flags and authorities' keys are published, to try things at home; minted if it is not there yet.
    #[arg(long)]
    lab: bool,
    /// Where it is, or goes.
    #[arg(long, value_name = "DIR", default_value = "target/challenge")]
    dir: PathBuf,
    #[command(flatten)]
    places: Places,
    /// The guest image, instead of the embedded one.
    #[arg(long, value_name = "FILE")]
    image: Option<PathBuf>,
    /// The machine.
    #[arg(long, value_enum, value_name = "KIND", default_value_t = MachineKind::Auto)]
    machine: MachineKind,
}

/// `challenge init`
#[derive(Debug, Clone, Args)]
struct InitArgs {
    /// What the contest is called.
    #[arg(long, required = true, value_name = "TEXT")]
    name: Option<String>,
    /// Host names and addresses under which the page is reached; the first also names the keys.
    #[arg(long = "host", required = true, value_name = "HOST")]
    hosts: Vec<String>,
    /// Where it goes: a folder that is not there yet.
    #[arg(long, value_name = "DIR", default_value = "challenge")]
    dir: PathBuf,
    #[command(flatten)]
    places: Places,
    /// The first second of the contest, since 1970; without it, now.
    #[arg(long, value_name = "SECONDS")]
    start: Option<u64>,
    /// How long it lasts.
    #[arg(long, value_name = "DAYS", default_value_t = 365, value_parser = clap::value_parser!(u32).range(1..=3650))]
    days: u32,
    /// The rules, instead of those that this command was built with.
    #[arg(long, value_name = "FILE")]
    rules: Option<PathBuf>,
    /// What there is to be won: a tier and a text, as `auth=1,000 EUR`. Where nothing is said it is honour.
    #[arg(long = "prize", value_name = "TIER=TEXT", value_parser = prize)]
    prizes: Vec<(Tier, String)>,
    /// The chain of the wallet's address.
    #[arg(long, value_enum, value_name = "CHAIN", default_value_t = Chain::Testnet)]
    network: Chain,
    /// The revision of the sources that image and tender were built from: 40 or 64 hexadecimal digits.
    #[arg(long, required = true, value_name = "REVISION")]
    source: Option<String>,
    /// The guest image, instead of the embedded one.
    #[arg(long, value_name = "FILE")]
    image: Option<PathBuf>,
    /// The flags that the command line has, by name: what is not among them is asked for on a terminal.
    #[arg(skip)]
    given: Vec<String>,
}

/// The flags of `challenge init` without which nothing is minted.
const NEEDED: [&str; 3] = ["name", "hosts", "source"];

/// The command line where somebody sits who can be asked: what `challenge init` needs may be left out.
pub(crate) fn may_be_asked(command: clap::Command) -> clap::Command {
    let init = |init: clap::Command| NEEDED.into_iter().fold(init, |init, name| init.mut_arg(name, |flag| flag.required(false)));
    command.mut_subcommand("challenge", |challenge| challenge.mut_subcommand("init", init))
}

impl ChallengeArgs {
    /// Notes which flags the command line has: a default that stands there is an answer, one that does not is a question.
    pub(crate) fn note_given(&mut self, matches: &ArgMatches) {
        let (Some(ChallengeCommand::Init(args)), Some(matches)) =
            (&mut self.command, matches.subcommand_matches("challenge").and_then(|matches| matches.subcommand_matches("init")))
        else {
            return;
        };
        let is_given = |id: &&str| matches.value_source(id) == Some(ValueSource::CommandLine);
        args.given = matches.ids().map(clap::Id::as_str).filter(is_given).map(str::to_owned).collect();
    }
}

impl InitArgs {
    /// The first second behind it.
    fn end(&self, start: u64) -> u64 {
        start.saturating_add(u64::from(self.days).saturating_mul(24 * 3600))
    }

    fn has(&self, flag: &str) -> bool {
        self.given.iter().any(|given| given == flag)
    }
}

/// Where a contest's box is reached.
#[derive(Debug, Clone, Args)]
struct Places {
    /// Where the page is, over TLS.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8443")]
    listen: SocketAddr,
    /// Six ports from here on, on the same address: server, call-back, where the box calls back, reverse, the page behind the box (loopback), the page without TLS.
    #[arg(long, value_name = "PORT", default_value_t = 10_000, value_parser = clap::value_parser!(u16).range(1..=65_530))]
    ports: u16,
    /// The arbiter for browsers, as `bounty/arbiter-wasm/build` makes it.
    #[arg(long, value_name = "FILE")]
    arbiter: Option<PathBuf>,
    /// How often the log gets proofs that the flags are there, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 3600, value_parser = clap::value_parser!(u64).range(1..=3600))]
    heartbeat: u64,
}

/// Which chain a wallet's address is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Chain {
    /// The public one.
    Bitcoin,
    /// The public one for tests.
    Testnet,
    /// One of one's own.
    Regtest,
}

impl Chain {
    const fn network(self) -> Network {
        match self {
            Self::Bitcoin => Network::Main,
            Self::Testnet => Network::Test,
            Self::Regtest => Network::Regtest,
        }
    }
}

fn prize(text: &str) -> Result<(Tier, String), String> {
    let (tier, prize) = text.split_once('=').ok_or("a tier and a text are wanted, as auth=honour")?;
    let names = || Tier::ALL.map(Tier::name).join(", ");
    let tier = Tier::from_name(tier).ok_or_else(|| format!("{tier} is none of {}", names()))?;
    Ok((tier, prize.to_owned()))
}

/// `bountybox challenge`
pub(crate) fn challenge(args: &ChallengeArgs) -> Exit {
    leave_no_core();
    let done = match &args.command {
        Some(ChallengeCommand::Init(init)) => mint(init).map(|()| Exit::Success),
        Some(ChallengeCommand::Change(args)) => change::change(args).map(|()| Exit::Success),
        Some(ChallengeCommand::Trace) => Ok(trace::trace()),
        None if args.lab.lab => lab(&args.lab),
        None => {
            terminal::note("error: `bountybox challenge init` mints a contest, `bountybox challenge --lab` serves one to try things on");
            Err(Exit::Usage)
        }
    };
    done.unwrap_or_else(|exit| exit)
}

fn mint(args: &InitArgs) -> Result<(), Exit> {
    if NEEDED.iter().all(|flag| args.has(flag)) {
        let rules = rules_of(args)?;
        let minted = Wanted::of(args, &rules).mint(&args.dir, args.image.as_deref(), &mut Nobody)?;
        minted.transcript().lines().for_each(terminal::result);
        tell_next(&args.dir, &minted);
        return Ok(());
    }
    let mut asker = Asker::new(std::io::stdin().lock());
    let args = walk::complete(args, &mut asker)?;
    let rules = rules_of(&args)?;
    let wanted = Wanted::of(&args, &rules);
    let made = wanted.make(args.image.as_deref(), &mut Watched::new(&mut asker))?;
    watched::show_fingerprints(&made, &mut asker)?;
    made.write(&args.dir)?;
    if !std::io::stdout().is_terminal() {
        made.minted.transcript().lines().for_each(terminal::result);
    }
    watched::tell_witnesses(&args.dir.join(FOLDER));
    tell_next(&args.dir, &made.minted);
    Ok(())
}

/// The rules that were asked for.
fn rules_of(args: &InitArgs) -> Result<String, Exit> {
    args.rules.as_ref().map_or_else(|| Ok(RULES.to_owned()), |file| read_text(file))
}

/// What is to be done with a contest that was minted.
fn tell_next(dir: &Path, minted: &Minted) {
    let dir = dir.display();
    for line in [
        format!("the contest is in {dir}/{FOLDER}, and its configuration {dir}/{CONFIGURATION}"),
        format!("  1. have witnesses sign {dir}/{FOLDER}/public/ceremony: docs/ceremony.md"),
        format!("  2. take {dir}/{FOLDER}/operator.key away from this machine: the box works without it"),
        format!("  3. publish the operator's key where people look for it: {}", minted.operator()),
        format!("  4. bountybox run --config {dir}/{CONFIGURATION}"),
    ] {
        terminal::note(line);
    }
}

fn lab(args: &LabArgs) -> Result<Exit, Exit> {
    let file = args.dir.join(CONFIGURATION);
    if Folder::open(&args.dir.join(FOLDER)).is_err() {
        let hosts = ["localhost".to_owned(), args.places.listen.ip().to_string()];
        let wanted = Wanted {
            name: "Laboratory",
            hosts: &hosts,
            places: &args.places,
            start: now(),
            end: now().saturating_add(LAB_DAYS * 24 * 3600),
            prizes: &[],
            rules: RULES,
            network: Network::Regtest,
            source: NO_SOURCE,
            mode: Mode::Lab,
        };
        wanted.mint(&args.dir, args.image.as_deref(), &mut Nobody)?;
    }
    let folder = args.dir.join(FOLDER);
    terminal::result(format!("flags and authorities' keys of this laboratory: {}", folder.join("lab").display()));
    terminal::result(format!("curl --cacert {} {}/", folder.join("public/page-authority.pem").display(), args.places.base("localhost")));
    Ok(run::run_lab(file, args.machine, args.image.clone()))
}

/// What a contest is to be.
struct Wanted<'a> {
    name: &'a str,
    hosts: &'a [String],
    places: &'a Places,
    start: u64,
    end: u64,
    prizes: &'a [(Tier, String)],
    rules: &'a str,
    network: Network,
    source: &'a str,
    mode: Mode,
}

/// A contest that is in memory, with its configuration.
struct Made {
    minted: Minted,
    configuration: String,
    image: Digest,
    program: Digest,
}

impl Made {
    /// Writes the configuration beside the folder, which is there whole or not at all. Ctrl-C comes too late now.
    fn write(&self, dir: &Path) -> Result<(), Exit> {
        let file = dir.join(CONFIGURATION);
        let cannot = |fault: std::io::Error| refuse(Exit::Output, format!("{}: {fault}", file.display()));
        let _deaf = signal_hook::flag::register(SIGINT, Arc::new(AtomicBool::new(false))).map_err(cannot)?;
        fs::create_dir_all(dir).map_err(cannot)?;
        self.minted.write(&dir.join(FOLDER)).map_err(|fault: WriteFault| refuse(Exit::Output, fault))?;
        fs::write(&file, &self.configuration).map_err(cannot)
    }
}

impl<'a> Wanted<'a> {
    /// What was asked for, once nothing is missing.
    fn of(args: &'a InitArgs, rules: &'a str) -> Self {
        let start = args.start.unwrap_or_else(now);
        Self {
            name: args.name.as_deref().unwrap_or_default(),
            hosts: &args.hosts,
            places: &args.places,
            start,
            end: args.end(start),
            prizes: &args.prizes,
            rules,
            network: args.network.network(),
            source: args.source.as_deref().unwrap_or_default(),
            mode: Mode::Sealed,
        }
    }

    /// Mints it and writes it.
    fn mint(&self, dir: &Path, image_file: Option<&Path>, watch: &mut dyn Watch) -> Result<Minted, Exit> {
        let made = self.make(image_file, watch)?;
        made.write(dir)?;
        Ok(made.minted)
    }

    /// Mints it, in memory.
    fn make(&self, image_file: Option<&Path>, watch: &mut dyn Watch) -> Result<Made, Exit> {
        let image = Digest::of(&[&image::read_to_run(image_file)?]);
        let program = own_program()?;
        let configuration = self.configuration(image_file);
        let prizes = Tier::ALL.map(|tier| self.prizes.iter().rfind(|(of, _)| *of == tier).map_or("honour", |(_, prize)| prize.as_str()));
        let order = Order {
            name: self.name,
            names: self.hosts,
            page: Page::Minted,
            ports: self.places.doors(),
            start: self.start,
            end: self.end,
            prizes,
            rules: self.rules,
            image,
            tender: program,
            source: self.source,
            configuration: Digest::of(&[configuration.as_bytes()]),
            program: Program { version: env!("CARGO_PKG_VERSION"), digest: program },
            network: self.network,
            mode: self.mode,
            now: now(),
        };
        let minted = ceremony::mint_watched(&order, watch).map_err(|fault| refuse(Exit::Challenge, fault))?;
        Ok(Made { minted, configuration, image, program })
    }

    fn configuration(&self, image: Option<&Path>) -> String {
        let Places { listen, ports, heartbeat, arbiter } = self.places;
        let at = |place: u16| SocketAddr::new(listen.ip(), ports.saturating_add(place));
        let page = SocketAddr::new(core::net::Ipv4Addr::LOCALHOST.into(), ports.saturating_add(4));
        let absolute = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        let line = |key: &str, path: Option<&Path>| {
            path.map_or_else(String::new, |path| format!("{key} = {:?}\n", absolute(path).display().to_string()))
        };
        let machine = image.map_or_else(String::new, |image| format!("[machine]\n{}\n", line("image", Some(image))));
        let base = self.places.base(self.hosts.first().map_or("localhost", String::as_str));
        format!(
            "# Written by `bountybox challenge`: its digest stands in the manifest, and a box that is served by another text says so.\n\
             {machine}[[listen]]\naddress = \"{listen}\"\n\n\
             [[certificate]]\nchain = \"{FOLDER}/public/page.pem\"\nkey = \"{FOLDER}/secret/page.pem\"\n\n\
             [[route]]\nname = \"page\"\nbackends = [\"{page}\"]\nproxy_protocol = \"v2\"\n\n\
             [challenge]\nfolder = \"{FOLDER}\"\nserver = \"{}\"\ncall_back = \"{}\"\nreverse = \"{}\"\npage = \"{page}\"\nplain = \"{}\"\nbase = \"{base}\"\n\
             heartbeat_s = {heartbeat}\n{}",
            at(0),
            at(1),
            at(3),
            at(5),
            line("arbiter", arbiter.as_deref()),
        )
    }
}

impl Places {
    fn doors(&self) -> Ports {
        let port = |place: u16| self.ports.saturating_add(place);
        Ports { server: port(0), call_back: port(1), dials: port(2), reverse: port(3) }
    }

    fn base(&self, host: &str) -> String {
        match self.listen.port() {
            443 => format!("https://{host}"),
            port => format!("https://{host}:{port}"),
        }
    }
}

const FOLDER: &str = "contest";
const CONFIGURATION: &str = "bountybox.toml";
const RULES: &str = include_str!("../../../bounty/rules/default.txt");
/// How long a laboratory lasts.
const LAB_DAYS: u64 = 365;
/// In a laboratory nobody asks for the revision.
const NO_SOURCE: &str = "0000000000000000000000000000000000000000";

/// Flags and the operator's key are in this process's memory, and reach no core file. What the host does not allow is told, as the jail tells it.
pub(crate) fn leave_no_core() {
    if let Err(fault) = tender::jail::leave_no_core() {
        terminal::note(format!("warning: the host may write this process's memory into a core file: {fault}"));
    }
}

/// The digest of this very program: the tender is it.
pub(crate) fn own_program() -> Result<Digest, Exit> {
    let bytes = read_bounded(Path::new("/proc/self/exe"), PROGRAM_LEN_MAX);
    bytes.map(|bytes| Digest::of(&[&bytes])).map_err(|fault| refuse(Exit::Internal, format!("this program cannot be read: {fault}")))
}

fn read_text(file: &Path) -> Result<String, Exit> {
    let bytes = read_bounded(file, CONFIG_LEN_MAX).map_err(|fault| refuse(Exit::Challenge, format!("{}: {fault}", file.display())))?;
    String::from_utf8(bytes).map_err(|fault| refuse(Exit::Challenge, format!("{}: {fault}", file.display())))
}

fn now() -> u64 {
    let now: Duration = unix_now();
    now.as_secs()
}

fn refuse(exit: Exit, why: impl core::fmt::Display) -> Exit {
    terminal::note(format!("error: {why}"));
    exit
}
