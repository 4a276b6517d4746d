//! `docs/coming-from.md`: the peers' configurations on it are read by the peers themselves.

use core::time::Duration;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;

use e2e::Outcome;

use crate::command;

/// stunnel has no mode that only checks: it has read its configuration when it says so.
const PATIENCE: Duration = Duration::from_secs(10);

/// A peer on the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Peer {
    Nginx,
    Haproxy,
    Hitch,
    Stunnel,
}

impl Peer {
    pub(crate) const ALL: [Self; 4] = [Self::Nginx, Self::Haproxy, Self::Hitch, Self::Stunnel];

    /// The program, and the word behind the fence of its example.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Nginx => "nginx",
            Self::Haproxy => "haproxy",
            Self::Hitch => "hitch",
            Self::Stunnel => "stunnel",
        }
    }

    pub(crate) fn missing(self) -> Option<String> {
        command::find(self.name()).is_none().then(|| format!("no {}", self.name()))
    }

    /// # Errors
    /// What the peer says of its configuration.
    pub(crate) fn run(self) -> Outcome {
        let page = fs::read_to_string(crate::root().join("docs/coming-from.md"))?;
        let dir = tempfile::tempdir()?;
        mint(dir.path())?;
        let file = dir.path().join("peer.conf");
        fs::write(&file, example(&page, self.name())?)?;
        let program = command::find(self.name()).ok_or("it is not installed")?;
        let mut command = Command::new(program);
        command.current_dir(dir.path());
        match self {
            Self::Nginx => command.arg("-t").arg("-p").arg(dir.path()).arg("-c").arg(&file),
            Self::Haproxy => command.arg("-c").arg("-f").arg(&file),
            Self::Hitch => command.arg("--test").arg(format!("--config={}", file.display())),
            Self::Stunnel => return says(command.arg(&file), "Configuration successful"),
        };
        let ended = command::client(command, b"")?;
        if ended.success { Ok(()) } else { Err(ended.said().into()) }
    }
}

/// The page's example for a peer.
fn example<'p>(page: &'p str, name: &str) -> Outcome<&'p str> {
    let begin = page.split_once(&format!("```{name}\n")).ok_or("the page has no example")?.1;
    Ok(begin.split_once("```").ok_or("the example has no end")?.0)
}

/// The files that the examples name.
fn mint(dir: &Path) -> Outcome {
    let pki = dir.join("pki");
    command::check(&e2e::bountybox(), &["mint", "--dir", &pki.display().to_string(), "shop.example"])?;
    let joined = fs::read_to_string(pki.join("chain.pem"))? + &fs::read_to_string(pki.join("key.pem"))?;
    Ok(fs::write(pki.join("joined.pem"), joined)?)
}

/// Runs a program that does not end until it has said this.
fn says(command: &mut Command, word: &str) -> Outcome {
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn()?;
    let lines = BufReader::new(child.stderr.take().ok_or("no stderr")?).lines();
    let (sender, receiver) = mpsc::channel();
    let wanted = word.to_owned();
    let reader = thread::spawn(move || {
        let mut said = String::new();
        for line in lines.map_while(Result::ok) {
            said = said + &line + "\n";
            if line.contains(&wanted) {
                let _ = sender.send(());
            }
        }
        said
    });
    let found = receiver.recv_timeout(PATIENCE).is_ok();
    let _ = child.kill();
    let _ = child.wait();
    let said = reader.join().unwrap_or_default();
    if found { Ok(()) } else { Err(said.into()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_example_is_what_stands_in_its_fence() {
        let page = "text\n```nginx\nevents {}\n```\n```hitch\nworkers = 1\n```\n";
        assert_eq!(example(page, "hitch").ok(), Some("workers = 1\n"));
        assert!(example(page, "haproxy").is_err());
    }

    #[test]
    fn a_program_that_says_something_else_is_told_with_what_it_said() {
        let fault = says(Command::new("sh").args(["-c", "echo no good >&2"]), "good news").err();
        assert!(fault.is_some_and(|fault| fault.to_string().contains("no good")));
        assert!(says(Command::new("sh").args(["-c", "echo good news >&2; exec sleep 60"]), "good news").is_ok());
    }
}
