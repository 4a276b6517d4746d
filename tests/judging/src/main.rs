//! Judges real TLS clients by `bountybox target --misbehave all`, and writes docs/misbehave.md.
//!
//! Arguments: words of the names of the clients to judge (all without any), and then no page is written. `rustls ADDRESS PORT NAME ROOT` is one of the
//! judged clients itself.
//!
//! It fails when a client refuses the honest server, when one is fooled and [`notes`] does not say why, when a note is about nothing any more, and when
//! the careless one is not caught.
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
    let mut judgements = Vec::new();
    for client in chosen {
        say(&format!("judging {}", client.name));
        let judgement = Judgement::of(client)?;
        say(&judgement.summary());
        judgements.push(judgement);
    }
    let complaints = notes::complaints(&judgements, words.is_empty());
    if !complaints.is_empty() {
        return Err(complaints.join("\n").into());
    }
    if words.is_empty() {
        fs::write("docs/misbehave.md", page::page(&judgements))?;
        say("wrote docs/misbehave.md");
    }
    Ok(())
}
