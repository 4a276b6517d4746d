//! `bountybox arbiter verify`: reads the files, asks the arbiter, and says what it found and where.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use arbiter::limits::NOTE_LEN_MAX;
use arbiter::{Commitment, Context, Digest, Document, Fault, Verdict, verify};
use clap::{Args, Subcommand};
use serde_json::{Value, json};

use crate::cli::unix_now;
use crate::config::read_bounded;
use crate::exit::Exit;
use crate::limits::WRITE_UP_LEN_MAX;
use crate::terminal;

/// `arbiter`
#[derive(Debug, Clone, Args)]
pub struct ArbiterArgs {
    /// What the arbiter is to do.
    #[command(subcommand)]
    pub command: ArbiterCommand,
}

/// What the arbiter can do.
#[derive(Debug, Clone, Subcommand)]
pub enum ArbiterCommand {
    /// Judge a claim from public material alone; ends with 0 where it holds.
    Verify(VerifyArgs),
}

/// `arbiter verify`
#[derive(Debug, Clone, Args)]
pub struct VerifyArgs {
    /// The contest's manifest, as its operator signed it.
    #[arg(long, value_name = "FILE")]
    pub manifest: PathBuf,
    /// The key that is trusted to have signed it, as NAME+ID+BASE64.
    #[arg(long, value_name = "KEY")]
    pub operator: String,
    /// The claim.
    #[arg(long, value_name = "FILE")]
    pub claim: PathBuf,
    /// The log's receipt for what was committed to before the claim was shown.
    #[arg(long, value_name = "FILE", requires = "opening")]
    pub commitment: Option<PathBuf>,
    /// What opens the commitment: the write-up's digest and the salt.
    #[arg(long, value_name = "FILE", requires = "commitment")]
    pub opening: Option<PathBuf>,
    /// The write-up. Without it the opening's word for its digest is taken.
    #[arg(long, value_name = "FILE", requires = "commitment")]
    pub write_up: Option<PathBuf>,
    /// When the claim is judged, in seconds since 1970, instead of now: the time of the log's entry of it.
    #[arg(long, value_name = "SECONDS")]
    pub at: Option<u64>,
    /// Write one JSON object, as docs/arbiter.md describes it.
    #[arg(long)]
    pub json: bool,
}

/// `bountybox arbiter`
pub(crate) fn arbiter(args: &ArbiterArgs) -> Exit {
    let ArbiterCommand::Verify(args) = &args.command;
    match judge(args) {
        Ok(verdict) => show(args, &verdict),
        Err((path, fault)) => {
            terminal::note(format!("error: {}: it cannot be read: {fault}", path.display()));
            Exit::SetupError
        }
    }
}

/// A file that could not be read, and why.
type Unread<'a> = (&'a Path, io::Error);

fn judge(args: &VerifyArgs) -> Result<Verdict, Unread<'_>> {
    let manifest = read(&args.manifest)?;
    let claim = read(&args.claim)?;
    let write_up = args.write_up.as_deref().map(|path| read_bounded(path, WRITE_UP_LEN_MAX).map_err(|fault| (path, fault))).transpose()?;
    let handed = match (&args.commitment, &args.opening) {
        (Some(receipt), Some(opening)) => Some((read(receipt)?, read(opening)?)),
        _ => None,
    };
    let write_up = write_up.map(|bytes| Digest::of(&[&bytes]));
    let commitment = handed.as_ref().map(|(receipt, opening)| Commitment { receipt, opening, write_up });
    let now = args.at.unwrap_or_else(|| unix_now().as_secs());
    Ok(verify(&manifest, &args.operator, &claim, &Context { now, commitment }))
}

/// A document, or of one that is too long as much as shows that it is.
fn read(path: &Path) -> Result<Vec<u8>, Unread<'_>> {
    let most = u64::try_from(NOTE_LEN_MAX).unwrap_or(u64::MAX).saturating_add(1);
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(most).read_to_end(&mut bytes));
    read.map(|_| bytes).map_err(|fault| (path, fault))
}

fn show(args: &VerifyArgs, verdict: &Verdict) -> Exit {
    if args.json {
        terminal::result(to_json(args, verdict));
    } else {
        lines(args, verdict).into_iter().for_each(terminal::result);
    }
    exit(verdict)
}

const fn exit(verdict: &Verdict) -> Exit {
    match verdict {
        Verdict::Falsified { .. } => Exit::Success,
        Verdict::NotFalsified { .. } => Exit::NotFalsified,
        Verdict::SetupError { .. } => Exit::SetupError,
    }
}

const fn name(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Falsified { .. } => "Falsified",
        Verdict::NotFalsified { .. } => "NotFalsified",
        Verdict::SetupError { .. } => "SetupError",
    }
}

fn reasons(verdict: &Verdict) -> &[Fault] {
    match verdict {
        Verdict::Falsified { .. } => &[],
        Verdict::NotFalsified { reasons } | Verdict::SetupError { reasons } => reasons,
    }
}

fn lines(args: &VerifyArgs, verdict: &Verdict) -> Vec<String> {
    let mut lines = vec![match verdict {
        Verdict::Falsified { tier, claimant, time, committed } => {
            let committed = committed.map_or_else(String::new, |committed| format!(", committed to at {committed}"));
            format!("Falsified: {tier}, by {claimant}, claimed for {time}{committed}")
        }
        _ => name(verdict).to_owned(),
    }];
    lines.extend(reasons(verdict).iter().map(|fault| format!("  {}", reason(args, fault))));
    lines
}

/// `file:line: field: what is wrong`
fn reason(args: &VerifyArgs, fault: &Fault) -> String {
    let line = if fault.place.line > 0 { format!(":{}", fault.place.line) } else { String::new() };
    let field = if fault.place.field.is_empty() { String::new() } else { format!("{}: ", fault.place.field) };
    format!("{}{line}: {field}{}", file(args, fault.place.document), fault.wrong)
}

/// Where a document came from.
fn file(args: &VerifyArgs, document: Document) -> String {
    let path = |path: &Option<PathBuf>| path.as_deref().unwrap_or(Path::new(document.name())).display().to_string();
    match document {
        Document::Operator => "--operator".into(),
        Document::Manifest => args.manifest.display().to_string(),
        Document::Claim | Document::Possession | Document::Checkpoint => args.claim.display().to_string(),
        Document::Crash => format!("{} (its crash record)", args.claim.display()),
        Document::Receipt => path(&args.commitment),
        Document::Opening => path(&args.opening),
        Document::WriteUp => path(&args.write_up),
    }
}

fn to_json(args: &VerifyArgs, verdict: &Verdict) -> Value {
    let rows = reasons(verdict).iter().map(|fault| {
        let line = (fault.place.line > 0).then_some(fault.place.line);
        let (document, field) = (fault.place.document, fault.place.field);
        let message = fault.wrong.to_string();
        json!({ "document": document.name(), "file": file(args, document), "line": line, "field": field, "code": fault.wrong.code(), "message": message })
    });
    let reasons: Vec<Value> = rows.collect();
    let mut value = json!({ "version": 1, "verdict": name(verdict), "exit_code": exit(verdict).code(), "reasons": reasons });
    if let Verdict::Falsified { tier, claimant, time, committed } = verdict {
        value["falsified"] = json!({ "tier": tier.name(), "claimant": claimant, "time": time, "committed": committed });
    }
    value
}
