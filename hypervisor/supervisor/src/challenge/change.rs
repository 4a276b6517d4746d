//! `bountybox challenge change`: a new version of a contest's manifest, with other rules, prizes or another end.

use std::path::{Path, PathBuf};

use arbiter::Tier;
use ceremony::{AmendFault, Wish, amend, files};
use clap::Args;
use zeroize::Zeroizing;

use super::{CONFIGURATION, FOLDER, now, prize, read_text, refuse};
use crate::config::read_bounded;
use crate::exit::Exit;
use crate::limits::CONFIG_LEN_MAX;
use crate::terminal;

/// `challenge change`
#[derive(Debug, Clone, Args)]
#[command(group = clap::ArgGroup::new("changed").args(["rules", "prizes", "end"]).multiple(true).required(true))]
pub(super) struct ChangeArgs {
    /// Where the contest is, as `challenge init` was told.
    #[arg(long, value_name = "DIR", default_value = "challenge")]
    dir: PathBuf,
    /// The operator's key, brought back for this, instead of the one in the contest's folder.
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// The new rules.
    #[arg(long, value_name = "FILE")]
    rules: Option<PathBuf>,
    /// What there is to be won from now on: a tier and a text, as `auth=2,000 EUR`.
    #[arg(long = "prize", value_name = "TIER=TEXT", value_parser = prize)]
    prizes: Vec<(Tier, String)>,
    /// The new first second behind the contest, since 1970.
    #[arg(long, value_name = "SECONDS")]
    end: Option<u64>,
}

pub(super) fn change(args: &ChangeArgs) -> Result<(), Exit> {
    let folder = args.dir.join(FOLDER);
    let file = args.key.clone().unwrap_or_else(|| folder.join(files::OPERATOR_KEY));
    let key = read_bounded(&file, CONFIG_LEN_MAX).map(Zeroizing::new);
    let key = key.map_err(|fault| refuse(Exit::Challenge, format!("{}: the operator's key cannot be read: {fault}", file.display())))?;
    let rules = args.rules.as_ref().map(|file| read_text(file)).transpose()?;
    let prizes = Tier::ALL.map(|tier| args.prizes.iter().rfind(|(of, _)| *of == tier).map(|(_, prize)| prize.as_str()));
    let wish = Wish { rules: rules.as_deref(), prizes, end: args.end };
    let made = amend(&folder, &key, &wish, now()).map_err(|fault| refuse(exit(&fault), fault))?;
    made.change.to_string().lines().for_each(terminal::result);
    tell(&args.dir, &made.file);
    Ok(())
}

const fn exit(fault: &AmendFault) -> Exit {
    match fault {
        AmendFault::Write(_) => Exit::Output,
        _ => Exit::Challenge,
    }
}

fn tell(dir: &Path, file: &Path) {
    let configuration = dir.join(CONFIGURATION);
    for line in [
        format!("the new version is in {}", file.display()),
        "  1. take the operator's key away again, and publish the digest of the new manifest where people look for it".into(),
        format!("  2. if this is not the box's machine, copy the file to the same place in the contest's folder there: {}", file.display()),
        format!(
            "  3. stop the box and start it anew: bountybox run --config {}; the log takes the change then, and from then on it is in force",
            configuration.display()
        ),
    ] {
        terminal::note(line);
    }
}
