//! The command line: what can be asked, and who answers it.

use core::net::SocketAddr;
use core::time::Duration;
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::SystemTime;

use clap::{ArgMatches, Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};

use crate::admin::client;
use crate::arbiter::{self, ArbiterArgs};
use crate::challenge::{self, ChallengeArgs};
use crate::exit::{self, Exit};
use crate::fuzz::{self, FuzzArgs};
use crate::log::{self, LogArgs};
use crate::plan::{MachineKind, Restart};
use crate::target::{self, TargetArgs};
use crate::{config, mint, page, run, terminal};

/// A memory-safe TLS endpoint: a sealed guest without a kernel terminates TLS on its own hypervisor.
#[derive(Debug, Parser)]
#[command(name = "bountybox", version, arg_required_else_help = true, after_long_help = EXAMPLES)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

const EXAMPLES: &str = "\
Examples:
  bountybox demo
      try it: a throw-away certificate, a demo page, and the curl line that fetches it
  bountybox mint localhost 127.0.0.1 --dir pki
      make an authority and a server certificate for these names
  bountybox check --config bountybox.toml
      say what is wrong with the configuration, its certificates and keys
  bountybox run --config bountybox.toml
      serve
  bountybox status --config bountybox.toml --watch
      show what it does, and go on showing it
  bountybox reload --config bountybox.toml
      take new connections by what the files say now
  bountybox drain --config bountybox.toml
      accept nothing new, finish what runs, and end
  bountybox replay box.rec.1 --key operator.key
      run a recorded cell again, and say where it goes another way
  bountybox inspect
      say what is in the embedded guest image, and whether it holds an instruction that it must not
  bountybox target --sessions 10000 --junit report.xml -- your-fuzzer {host} {port}
      be fuzzed by any program that speaks TCP: each connection begins from the same state and is judged; what did harm is kept
  bountybox target --misbehave all -- curl --silent --cacert {ca} https://{host}:{port}/
      judge a TLS client: answer it wrongly in every way, and say what it did not notice
  bountybox fuzz crashes/
      try inputs on the guest image, each from the same state, and say what they did to it
  bountybox challenge --lab
      a box that is there to be broken, with known flags, to try things on
  bountybox challenge init --name Contest --host contest.example --source REVISION
      mint a contest: keys, certificates, manifest, transcript, configuration; on a terminal it asks for what is not said, and shows each step
  bountybox challenge change --rules rules --prize auth=2000EUR --key operator.key
      change what a contest promises, by a new version of its manifest that its log tells of
  bountybox arbiter verify --manifest manifest --operator example.org/contest+KEY --claim claim
      judge a claim that somebody broke a contest's box, from public material alone
  bountybox log verify FOLDER --log example.org/log+KEY --operator example.org/contest+KEY --since kept-checkpoint
      check a contest's log: every entry, every hash, and that its past is what it was

A configuration:
  [[listen]]
  address = \"127.0.0.1:8443\"
  [[certificate]]
  chain = \"pki/chain.pem\"
  key = \"pki/key.pem\"
  [[route]]
  backends = [\"127.0.0.1:8080\"]";

/// What can be asked.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve as the configuration says.
    Run(RunArgs),
    /// Serve a demo page with a throw-away certificate.
    Demo(DemoArgs),
    /// Make a certification authority and a server certificate.
    Mint(MintArgs),
    /// Say what is wrong with a configuration, its certificates and keys; start nothing.
    Check(CheckArgs),
    /// Say how a running bountybox stands.
    Status(StatusArgs),
    /// Have a running bountybox read its configuration again.
    Reload(AskArgs),
    /// Have a running bountybox finish what runs, and end.
    Drain(AskArgs),
    /// Say what is in a guest image.
    Inspect(InspectArgs),
    /// Run a recorded cell again and compare all that it sends; ends with 0 where all is as recorded.
    Replay(ReplayArgs),
    /// Be fuzzed over TCP: a box that is judged and brought back after each session. With --misbehave: judge TLS clients by answering them wrongly.
    Target(TargetArgs),
    /// Try inputs on the guest image, each from the same state; the end that AFL++ drives.
    Fuzz(FuzzArgs),
    /// Mint a contest whose box is there to be broken, or serve one to try things on.
    Challenge(ChallengeArgs),
    /// Judge claims that a contest's box was broken.
    Arbiter(ArbiterArgs),
    /// Check a contest's transparency log.
    Log(LogArgs),
    /// Run one guest; started by the supervisor only.
    #[command(hide = true)]
    Tender,
    /// Serve a contest's page; started by the supervisor only.
    #[command(hide = true)]
    Page,
}

/// `run`
#[derive(Debug, Clone, Args)]
pub struct RunArgs {
    /// The configuration file.
    #[arg(long, value_name = "FILE", default_value = "bountybox.toml")]
    pub config: PathBuf,
    /// The guest image, instead of the embedded one or the configuration's.
    #[arg(long, value_name = "FILE")]
    pub image: Option<PathBuf>,
    /// The machine, instead of the configuration's.
    #[arg(long, value_enum, value_name = "KIND")]
    pub machine: Option<MachineKind>,
    /// When to start a cell that ended anew, instead of what the configuration says.
    #[arg(long, value_enum, value_name = "WHEN")]
    pub restart: Option<Restart>,
    /// Write all lines as JSON, one object each: the guest's, the tender's, the supervisor's own.
    #[arg(long)]
    pub json: bool,
}

/// `demo`
#[derive(Debug, Clone, Args)]
pub struct DemoArgs {
    /// Where to listen; port 0 lets the system choose.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8443")]
    pub listen: SocketAddr,
    /// Where the throw-away authority and certificate go.
    #[arg(long, value_name = "DIR", default_value = "target/demo")]
    pub dir: PathBuf,
    /// The guest image, instead of the embedded one.
    #[arg(long, value_name = "FILE")]
    pub image: Option<PathBuf>,
    /// The machine.
    #[arg(long, value_enum, value_name = "KIND", default_value_t = MachineKind::Auto)]
    pub machine: MachineKind,
}

/// `mint`
#[derive(Debug, Clone, Args)]
pub struct MintArgs {
    /// Host names (`*.name` too) and IP addresses that the certificate is for.
    #[arg(required = true, value_name = "NAME")]
    pub names: Vec<String>,
    /// Where ca.pem, ca.key.pem, chain.pem and key.pem go.
    #[arg(long, value_name = "DIR", default_value = "pki")]
    pub dir: PathBuf,
    /// How long the server's certificate is good for.
    #[arg(long, value_name = "DAYS", default_value_t = 90, value_parser = clap::value_parser!(u32).range(1..=3650))]
    pub days: u32,
    /// The kind of keys.
    #[arg(long, value_enum, value_name = "KIND", default_value_t = KeyKind::P256)]
    pub key: KeyKind,
    /// Write over files that stand there already.
    #[arg(long)]
    pub force: bool,
}

/// Keys that the mint makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum KeyKind {
    /// ECDSA P-256.
    P256,
    /// ECDSA P-384.
    P384,
    /// Ed25519; browsers do not take it.
    Ed25519,
}

/// `check`
#[derive(Debug, Clone, Args)]
pub struct CheckArgs {
    /// The configuration file.
    #[arg(long, value_name = "FILE", default_value = "bountybox.toml")]
    pub config: PathBuf,
    /// Write one JSON object, as docs/check.md describes it.
    #[arg(long)]
    pub json: bool,
}

/// `status`
#[derive(Debug, Clone, Args)]
pub struct StatusArgs {
    /// The configuration file of the one that runs; its `[admin] socket` is where it is asked.
    #[arg(long, value_name = "FILE", default_value = "bountybox.toml")]
    pub config: PathBuf,
    /// Ask again and again.
    #[arg(long)]
    pub watch: bool,
    /// Write one JSON object, as docs/status.md describes it.
    #[arg(long)]
    pub json: bool,
}

/// `reload` and `drain`
#[derive(Debug, Clone, Args)]
pub struct AskArgs {
    /// The configuration file of the one that runs; its `[admin] socket` is where it is asked.
    #[arg(long, value_name = "FILE", default_value = "bountybox.toml")]
    pub config: PathBuf,
}

/// `inspect`
#[derive(Debug, Clone, Args)]
pub struct InspectArgs {
    /// The image; without it, the embedded one.
    #[arg(value_name = "IMAGE")]
    pub image: Option<PathBuf>,
    /// Write one JSON object.
    #[arg(long)]
    pub json: bool,
}

/// `replay`
#[derive(Debug, Clone, Args)]
#[command(group = clap::ArgGroup::new("opened").args(["pcap", "key_log"]).multiple(true))]
pub struct ReplayArgs {
    /// The recording.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// The age identity that opens it, as `age-keygen` writes it.
    #[arg(long, value_name = "IDENTITY")]
    pub key: PathBuf,
    /// The guest image that was recorded, instead of the embedded one.
    #[arg(long, value_name = "FILE")]
    pub image: Option<PathBuf>,
    /// Take the image even if it is not the one that was recorded.
    #[arg(long)]
    pub other_image: bool,
    /// Stop before the first turn that begins later than this after the cell's start.
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub until: Option<Duration>,
    /// Replay a damaged recording as far as it is sound, instead of refusing it.
    #[arg(long)]
    pub up_to_damage: bool,
    /// Write the frames of both links to this new file, as pcapng.
    #[arg(long, value_name = "FILE")]
    pub pcap: Option<PathBuf>,
    /// Get the secrets of the TLS sessions out of the guest, for --pcap and --key-log. It takes an --image that gives them away: `appliance/build-image keylog`.
    #[arg(long, requires = "opened")]
    pub secrets: bool,
    /// Write the secrets to this new file, as SSLKEYLOGFILE has them.
    #[arg(long, value_name = "FILE", requires = "secrets")]
    pub key_log: Option<PathBuf>,
    /// Say what TLS was spoken on the front link, as far as it is in the clear.
    #[arg(long)]
    pub messages: bool,
    /// Write one JSON object, as docs/replay.md describes it.
    #[arg(long)]
    pub json: bool,
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse::<f64>().map_err(|_| "a number of seconds is wanted, as 12.5")?;
    Duration::try_from_secs_f64(seconds).map_err(|fault| fault.to_string())
}

/// Reads the arguments and does what they ask.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let command = Cli::command().after_help(exit::help()).after_long_help(format!("{EXAMPLES}\n\n{}", exit::help()));
    let command = if terminal::is_attended() { challenge::may_be_asked(command) } else { command };
    match command.try_get_matches_from(arguments).and_then(|matches| parsed(&matches)) {
        // Its codes are a table of their own.
        Ok(Cli { command: Command::Tender }) => run::tender(),
        Ok(cli) => dispatch(cli.command).into(),
        Err(fault) => usage(&fault).into(),
    }
}

fn parsed(matches: &ArgMatches) -> Result<Cli, clap::Error> {
    let mut cli = Cli::from_arg_matches(matches)?;
    if let Command::Challenge(args) = &mut cli.command {
        args.note_given(matches);
    }
    Ok(cli)
}

fn dispatch(command: Command) -> Exit {
    match command {
        Command::Run(args) => run::run(&args),
        Command::Demo(args) => run::demo(&args),
        Command::Mint(args) => mint::mint(&args),
        Command::Check(args) => check(&args),
        Command::Inspect(args) => crate::image::inspect(&args),
        Command::Replay(args) => crate::replay::replay(&args),
        Command::Status(args) => client::status(&args),
        Command::Reload(args) => client::reload(&args),
        Command::Drain(args) => client::drain(&args),
        Command::Target(args) => target::target(&args),
        Command::Fuzz(args) => fuzz::fuzz(&args),
        Command::Challenge(args) => challenge::challenge(&args),
        Command::Arbiter(args) => arbiter::arbiter(&args),
        Command::Log(args) => log::log(&args),
        Command::Page => page::page(),
        Command::Tender => Exit::Internal,
    }
}

/// Help and version are results, everything else is a complaint.
fn usage(fault: &clap::Error) -> Exit {
    let text = fault.render().to_string();
    if fault.use_stderr() {
        text.lines().for_each(terminal::note);
        return Exit::Usage;
    }
    terminal::result_lines(text);
    Exit::Success
}

fn check(args: &CheckArgs) -> Exit {
    let report = config::examine(&args.config, unix_now());
    if args.json {
        terminal::result(report.to_json());
        return report.exit();
    }
    report.lines().for_each(terminal::result);
    let (errors, warnings) = (report.count(crate::rule::Severity::Error), report.count(crate::rule::Severity::Warning));
    match (errors, warnings) {
        (0, 0) => terminal::result(format!("{}: all is well", args.config.display())),
        _ => terminal::result(format!("{}: {errors} errors, {warnings} warnings", args.config.display())),
    }
    report.exit()
}

/// The time since 1970, by this machine's clock.
#[must_use]
pub fn unix_now() -> Duration {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
}
