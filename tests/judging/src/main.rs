//! Judges real TLS clients by `bountybox target --misbehave all` and `resumed`, and writes docs/misbehave.md.
//!
//! Arguments: words of the names of the clients to judge (all without any), and then no page is written. `rustls ADDRESS PORT NAME ROOT once|resume` is one of the
//! judged clients itself.
//!
//! It fails when a client refuses the honest server or cannot be judged of something, and when the careless one is not caught. What a careful one was
//! fooled by is explained in [`notes`], or said to be undecided.
#![forbid(unsafe_code)]

mod client;
mod judgement;
mod notes;
mod page;
mod rustls;

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::{env, fs};

use e2e::Outcome;

use crate::client::CLIENTS;
use crate::judgement::Judgement;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let ended = match arguments.split_first() {
        Some((first, rest)) if first == "rustls" && !rest.is_empty() => rustls::ask(rest),
        _ => judge(&arguments),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            say(&format!("failed: {fault}"));
            ExitCode::FAILURE
        }
    }
}

/// The repository.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// To standard error, a line.
fn say(line: &str) {
    let _gone = writeln!(io::stderr(), "{line}");
}

fn judge(words: &[String]) -> Outcome {
    env::set_current_dir(root())?;
    let chosen = CLIENTS.iter().filter(|client| words.is_empty() || words.iter().any(|word| client.name.contains(word.as_str())));
    // One after another: a client that waits for a processor is taken for one that went on.
    let mut judgements = Vec::new();
    for client in chosen {
        let judgement = Judgement::of(client)?;
        say(&format!("{}: {}", judgement.name, judgement.summary()));
        judgements.push(judgement);
    }
    let complaints = notes::complaints(&judgements);
    if !complaints.is_empty() {
        return Err(complaints.join("\n").into());
    }
    if words.is_empty() {
        fs::write("docs/misbehave.md", page::page(&judgements))?;
        say("wrote docs/misbehave.md");
    }
    Ok(())
}
