//! `bountybox log verify`: checks all of a contest's transparency log, as somebody who trusts two keys and what he has kept.

use std::path::{Path, PathBuf};

use arbiter::note::VerifierKey;
use bounty_log::check::{Finding, Report, Trust, check, check_at};
use bounty_log::entry::{Entry, Kind};
use bounty_log::limits::CHECKPOINT_LEN_MAX;
use bounty_log::names;
use bounty_log::store::Folder;
use clap::{Args, Subcommand};
use serde_json::{Value, json};

use crate::cli::unix_now;
use crate::config::read_bounded;
use crate::exit::Exit;
use crate::run::refuse;
use crate::terminal;

/// `log`
#[derive(Debug, Clone, Args)]
pub struct LogArgs {
    /// What is to be done.
    #[command(subcommand)]
    pub command: LogCommand,
}

/// What can be done with a log.
#[derive(Debug, Clone, Subcommand)]
pub enum LogCommand {
    /// Check a log, whole; ends with 0 where it holds.
    Verify(VerifyLogArgs),
}

/// `log verify`
#[derive(Debug, Clone, Args)]
pub struct VerifyLogArgs {
    /// The log: a folder in the layout of tlog-tiles.
    #[arg(value_name = "FOLDER")]
    pub folder: PathBuf,
    /// The log's key, as NAME+ID+BASE64: the manifest has it.
    #[arg(long, value_name = "KEY")]
    pub log: String,
    /// The operator's key, in the same form. Without it the entries' documents are not looked at.
    #[arg(long, value_name = "KEY")]
    pub operator: Option<String>,
    /// A checkpoint of this log that was kept earlier, or a folder with a copy of it: its past must be the same. May be given more than once.
    #[arg(long, value_name = "PATH")]
    pub since: Vec<PathBuf>,
    /// When the log was as it is, in seconds since 1970, instead of now: when a copy was fetched. A log that was to go on until then must have.
    #[arg(long, value_name = "SECONDS")]
    pub at: Option<u64>,
    /// Write one JSON object, as docs/log.md describes it.
    #[arg(long)]
    pub json: bool,
}

/// `bountybox log`
pub(crate) fn log(args: &LogArgs) -> Exit {
    let LogCommand::Verify(args) = &args.command;
    verify(args).unwrap_or_else(|exit| exit)
}

fn verify(args: &VerifyLogArgs) -> Result<Exit, Exit> {
    let key = |option: &str, text: &str| VerifierKey::parse(text).map_err(|wrong| refuse(Exit::Usage, format!("--{option}: {wrong}")));
    let log = key("log", &args.log)?;
    let operator = args.operator.as_deref().map(|text| key("operator", text)).transpose()?;
    let earlier = args.since.iter().map(|path| earlier(path)).collect::<Result<_, _>>()?;
    let trust = Trust { log: &log, operator: operator.as_ref(), earlier };
    let now = args.at.unwrap_or_else(|| unix_now().as_secs());
    let mut report = check_at(&Folder::new(&args.folder), &trust, now);
    if !report.is_sound() {
        compare(args, &mut report);
    }
    let exit = if report.is_sound() { Exit::Success } else { Exit::Rewritten };
    if args.json {
        terminal::result(to_json(&report, exit));
    } else {
        lines(&report, now).into_iter().for_each(terminal::result);
    }
    Ok(exit)
}

/// An earlier head.
fn earlier(path: &Path) -> Result<(String, Vec<u8>), Exit> {
    let file = if path.is_dir() { path.join(names::CHECKPOINT) } else { path.to_owned() };
    match read_bounded(&file, CHECKPOINT_LEN_MAX) {
        Ok(bytes) => Ok((file.display().to_string(), bytes)),
        Err(fault) => Err(refuse(Exit::Usage, format!("--since: {}: it cannot be read: {fault}", file.display()))),
    }
}

/// Where there is a copy, shows the first entry that is another one now.
fn compare(args: &VerifyLogArgs, report: &mut Report) {
    for copy in args.since.iter().filter(|path| path.is_dir()) {
        let Ok(key) = VerifierKey::parse(&args.log) else { return };
        let kept = check(&Folder::new(copy), &Trust { log: &key, operator: None, earlier: Vec::new() });
        let differs = kept.entries.iter().zip(&report.entries).position(|(then, now)| then != now);
        let at = differs.or_else(|| (kept.entries.len() > report.entries.len()).then_some(report.entries.len()));
        if let Some(at) = at {
            let told = |entries: &[Vec<u8>]| entries.get(at).map_or_else(|| "nothing".to_owned(), |bytes| describe(bytes));
            let message = format!("it was {}, and is {} now", told(&kept.entries), told(&report.entries));
            report.count = report.count.saturating_add(1);
            report.findings.push(Finding { code: "rewritten", place: format!("entry {at}"), message });
        }
    }
}

fn describe(bytes: &[u8]) -> String {
    match Entry::parse(bytes) {
        Ok(Entry { time, kind, document }) => format!("`{}` at {time} with {} bytes", kind.name(), document.len()),
        Err(_) => "no entry".to_owned(),
    }
}

fn count(report: &Report, kind: Kind) -> usize {
    report.entries.iter().filter(|bytes| Entry::parse(bytes).is_ok_and(|entry| entry.kind == kind)).count()
}

fn lines(report: &Report, now: u64) -> Vec<String> {
    let mut lines: Vec<String> = report.findings.iter().map(ToString::to_string).collect();
    let more = report.count.saturating_sub(u64::try_from(report.findings.len()).unwrap_or(u64::MAX));
    if more > 0 {
        lines.push(format!("and {more} more"));
    }
    if let Some(head) = &report.head {
        let kinds: Vec<String> = Kind::ALL.iter().map(|kind| format!("{} {}", kind.name(), count(report, *kind))).collect();
        lines.push(format!("{}: {} entries, root {}; {}", head.origin, head.size, head.root, kinds.join(", ")));
    }
    lines.extend(report.last_time().map(|last| format!("the last entry's time is {last}: {}", apart(last, now))));
    lines.push(if report.is_sound() { "the log holds".to_owned() } else { format!("the log does not hold: {} findings", report.count) });
    lines
}

fn apart(last: u64, now: u64) -> String {
    if last > now { format!("{} s after {now}", last.abs_diff(now)) } else { format!("{} s before {now}", now.abs_diff(last)) }
}

fn to_json(report: &Report, exit: Exit) -> Value {
    let findings: Vec<Value> =
        report.findings.iter().map(|one| json!({ "code": one.code, "place": one.place, "message": one.message })).collect();
    let kinds: serde_json::Map<String, Value> =
        Kind::ALL.iter().map(|kind| (kind.name().to_owned(), count(report, *kind).into())).collect();
    json!({
        "version": 1, "exit_code": exit.code(), "sound": report.is_sound(),
        "origin": report.head.as_ref().map(|head| head.origin.clone()), "size": report.head.as_ref().map(|head| head.size),
        "root": report.head.as_ref().map(|head| head.root.to_string()), "entries": kinds, "last_time": report.last_time(),
        "findings": findings, "finding_count": report.count,
    })
}
