//! Where a client's programs are: in this system, or in a folder with Debian sid that `tools/sid` makes.
//!
//! A program of the folder runs in it by `chroot`, in a mount namespace of its own: `/proc`, `/dev`, the folder of temporary files and (as `/mnt`) this
//! repository are there for it, and nothing of that is left when it ends. It has the network of whoever starts it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use e2e::Outcome;

use crate::command;

/// A system with programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Home {
    /// This one.
    Here,
    /// Debian sid.
    Sid,
}

/// Stands in the folder when it is whole.
const STAMP: &str = "packages";

/// Arguments: the folder, the folder of temporary files, the repository, and what to run. `unshare` has made all mounts private before.
const ENTER: &str = "mount -t proc proc \"$1/proc\" && mount --rbind /dev \"$1/dev\" && mkdir -p \"$1$2\" && mount --bind \"$2\" \"$1$2\" && \
                     mount --bind \"$3\" \"$1/mnt\" && root=$1 && shift 3 && exec chroot \"$root\" \"$@\"";

impl Home {
    /// A name for folders.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Here => "here",
            Self::Sid => "sid",
        }
    }

    /// A program of this system.
    pub(crate) fn command(self, program: &str) -> Command {
        if self == Self::Here {
            return Command::new(program);
        }
        let mut command = Command::new("unshare");
        command.args(["--mount", "sh", "-c", ENTER, "sid"]).args([root(), std::env::temp_dir(), crate::root()]).arg(program);
        command.env("PATH", "/usr/local/bin:/usr/sbin:/usr/bin").env("LC_ALL", "C.UTF-8").env("HOME", "/root");
        command
    }

    /// Where a file of this repository is for a program of this system.
    pub(crate) fn file(self, path: &str) -> PathBuf {
        if self == Self::Here { crate::root().join(path) } else { Path::new("/mnt").join(path) }
    }

    /// Why a program cannot be run, if so.
    pub(crate) fn missing(self, program: &str) -> Option<String> {
        static SID: OnceLock<Option<String>> = OnceLock::new();
        match self {
            Self::Here => command::find(program).is_none().then(|| format!("no {program}")),
            Self::Sid => SID.get_or_init(no_sid).clone().or_else(|| absent(&root(), program)),
        }
    }

    /// Runs a program that must succeed. Its standard output.
    pub(crate) fn check(self, program: &str, arguments: &[&str]) -> Outcome<String> {
        let mut command = self.command(program);
        command.args(arguments);
        let ended = command::client(command, b"")?;
        if ended.success {
            return Ok(String::from_utf8_lossy(&ended.stdout).into_owned());
        }
        Err(format!("{program} {}: {}", arguments.join(" "), ended.said()).into())
    }
}

/// The folder with sid.
fn root() -> PathBuf {
    let named = |key: &str| std::env::var_os(key).filter(|value| !value.is_empty()).map(PathBuf::from);
    let cache = || named("XDG_CACHE_HOME").or_else(|| Some(named("HOME")?.join(".cache")));
    named("BOUNTYBOX_SID").unwrap_or_else(|| cache().unwrap_or_else(std::env::temp_dir).join("bountybox/sid"))
}

fn no_sid() -> Option<String> {
    if !rustix::process::geteuid().is_root() {
        return Some("not root: cannot enter the folder with Debian sid".into());
    }
    let wanted = command::check(&crate::root().join("tools/sid"), &["list"]).ok();
    let have = fs::read_to_string(root().join(STAMP)).ok();
    (have.is_none() || have != wanted).then(|| format!("no Debian sid in {}; tools/sid makes it", root().display()))
}

fn absent(root: &Path, program: &str) -> Option<String> {
    let folders = ["usr/bin", "usr/sbin", "usr/local/bin"];
    let found = folders.iter().any(|folder| root.join(folder).join(program).symlink_metadata().is_ok());
    (!found).then(|| format!("no {program} in Debian sid"))
}
