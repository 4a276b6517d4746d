//! What `challenge init` asks on a terminal for the flags that were not said: one after the other, each with its default, each again until it will do.
//!
//! Nothing is written meanwhile; who ends it, by Ctrl-C, by the end of what is read or by a "no", leaves nothing behind.

use std::io::{BufRead, Read as _};
use std::path::{Path, PathBuf};

use arbiter::Tier;
use ceremony::order::{check_name, check_names, check_period, check_prize, check_rules, check_source};
use clap::ValueEnum;

use super::{Chain, FOLDER, InitArgs, now, prize, read_text, refuse};
use crate::exit::Exit;
use crate::limits::{ANSWERS_MAX, TYPED_LEN_MAX};
use crate::{image, terminal};

/// Who asks, and reads the answers.
#[derive(Debug)]
pub(super) struct Asker<R> {
    answers: R,
}

/// What is asked for.
#[derive(Debug, Clone, Copy)]
struct Question<'a> {
    name: &'a str,
    about: &'a str,
    /// What an empty line means.
    default: Option<&'a str>,
}

impl<R: BufRead> Asker<R> {
    pub(super) const fn new(answers: R) -> Self {
        Self { answers }
    }

    /// Asks until an answer will do, and says what was wrong with those that did not.
    fn ask<T>(&mut self, question: &Question<'_>, read: impl Fn(&str) -> Result<T, String>) -> Result<T, Exit> {
        let Question { name, about, default } = question;
        terminal::note("");
        terminal::note(format!("{name}: {about}"));
        let prompt = default.map_or_else(|| format!("{name}> "), |default| format!("{name} [{default}]> "));
        for _ in 0..ANSWERS_MAX {
            terminal::prompt(&prompt);
            let line = self.line()?;
            let answer = line.trim();
            match read(if answer.is_empty() { default.unwrap_or_default() } else { answer }) {
                Ok(found) => return Ok(found),
                Err(why) => terminal::note(format!("  not that: {why}")),
            }
        }
        Err(ended(&format!("none of {ANSWERS_MAX} answers will do")))
    }

    /// Whether to go on.
    pub(super) fn goes_on(&mut self, about: &str) -> Result<bool, Exit> {
        let question = Question { name: "go on", about, default: Some("yes") };
        self.ask(&question, |answer| match answer {
            "y" | "yes" => Ok(true),
            "n" | "no" => Ok(false),
            _ => Err("yes or no is wanted".into()),
        })
    }

    fn line(&mut self) -> Result<String, Exit> {
        let mut bytes = Vec::new();
        let read = self.answers.by_ref().take(TYPED_LEN_MAX).read_until(b'\n', &mut bytes);
        match (read, bytes.strip_suffix(b"\n")) {
            (Ok(_), Some(line)) => Ok(String::from_utf8_lossy(line).into_owned()),
            (Ok(_), None) => Err(ended("there was no more to read")),
            (Err(fault), _) => Err(ended(&fault.to_string())),
        }
    }
}

/// Nothing was minted.
fn ended(why: &str) -> Exit {
    // The prompt's line is not ended.
    terminal::note("");
    terminal::note(format!("error: {why}: nothing was minted"));
    Exit::Usage
}

const NAME: Question<'_> =
    Question { name: "name", about: "what the contest is called; it stands on the page and in the manifest", default: None };
const HOSTS: Question<'_> = Question {
    name: "host",
    about: "host names and addresses under which people reach the page, with spaces between; the first also names the keys",
    default: None,
};
const LISTEN: Question<'_> = Question {
    name: "listen",
    about: "where the page is served over TLS, an address of this machine and a port",
    default: Some("127.0.0.1:8443"),
};
const PORTS: Question<'_> = Question {
    name: "ports",
    about: "the first of six ports on the same address: server, call-back, where the box calls back, reverse, the page behind the box, the page without TLS",
    default: Some("10000"),
};
const START: Question<'_> =
    Question { name: "start", about: "the first second of the contest, since 1970, or `now`", default: Some("now") };
const DAYS: Question<'_> = Question { name: "days", about: "how many days it lasts, 1 to 3650", default: Some("365") };
const RULES_FILE: Question<'_> = Question {
    name: "rules",
    about: "a file with the rules, or `built-in` for those that this command was built with",
    default: Some("built-in"),
};
const PRIZE: Question<'_> = Question {
    name: "prize",
    about: "what there is to be won in a tier, as auth=1,000 EUR; where nothing is said it is honour; asked again until you say `done`",
    default: Some("done"),
};
const NETWORK: Question<'_> =
    Question { name: "network", about: "the chain of the wallet's address: bitcoin, testnet or regtest", default: Some("testnet") };
const SOURCE: Question<'_> = Question {
    name: "source",
    about: "the revision of the sources that image and program were built from, 40 or 64 hexadecimal digits (git rev-parse HEAD)",
    default: None,
};
const DIR: Question<'_> =
    Question { name: "dir", about: "where the contest goes: no contest may be there yet", default: Some("challenge") };

/// Asks for every flag that was not said.
pub(super) fn complete(args: &InitArgs, asker: &mut Asker<impl BufRead>) -> Result<InitArgs, Exit> {
    // Before anybody answers a dozen questions for nothing.
    image::read_to_run(args.image.as_deref())?;
    if args.has("dir") {
        free(&args.dir).map_err(|why| refuse(Exit::Output, why))?;
    }
    let mut args = args.clone();
    terminal::note(
        "A contest is to be minted. What the command line does not say is asked for here; an empty line takes what stands in brackets.",
    );
    terminal::note(
        "Nothing is written before the end, and Ctrl-C ends it at any time. Flags that are not asked for: bountybox challenge init --help",
    );
    identity(&mut args, asker)?;
    places(&mut args, asker)?;
    period(&mut args, asker)?;
    promises(&mut args, asker)?;
    if !args.has("dir") {
        args.dir = asker.ask(&DIR, |answer| free(Path::new(answer)))?;
    }
    Ok(args)
}

fn identity(args: &mut InitArgs, asker: &mut Asker<impl BufRead>) -> Result<(), Exit> {
    if !args.has("name") {
        args.name = Some(asker.ask(&NAME, |answer| check_name(answer).map(|()| answer.to_owned()).map_err(|fault| fault.to_string()))?);
    }
    if !args.has("hosts") {
        args.hosts = asker.ask(&HOSTS, |answer| {
            let names: Vec<String> = answer.split_whitespace().map(str::to_owned).collect();
            check_names(&names).map(|()| names).map_err(|fault| fault.to_string())
        })?;
    }
    Ok(())
}

fn places(args: &mut InitArgs, asker: &mut Asker<impl BufRead>) -> Result<(), Exit> {
    if !args.has("listen") {
        args.places.listen =
            asker.ask(&LISTEN, |answer| answer.parse().map_err(|_| "an address and a port are wanted, as 192.0.2.1:443".into()))?;
    }
    if !args.has("ports") {
        let read = |answer: &str| answer.parse().ok().filter(|port| (1..=65_530).contains(port));
        args.places.ports = asker.ask(&PORTS, |answer| read(answer).ok_or_else(|| "a number from 1 to 65530 is wanted".into()))?;
    }
    Ok(())
}

fn period(args: &mut InitArgs, asker: &mut Asker<impl BufRead>) -> Result<(), Exit> {
    if !args.has("start") {
        args.start = asker.ask(&START, |answer| match answer {
            "now" => Ok(None),
            _ => answer.parse().map(Some).map_err(|_| "seconds since 1970 or `now` are wanted; `date -d 2027-01-15 +%s` says them".into()),
        })?;
    }
    let start = args.start.unwrap_or_else(now);
    if !args.has("days") {
        let ends = |days: u32| InitArgs { days, ..args.clone() }.end(start);
        args.days = asker.ask(&DAYS, |answer| {
            let days = answer.parse().ok().filter(|days| (1..=3650).contains(days)).ok_or("a number from 1 to 3650 is wanted")?;
            check_period(start, ends(days), now()).map(|()| days).map_err(|fault| fault.to_string())
        })?;
    }
    Ok(())
}

fn promises(args: &mut InitArgs, asker: &mut Asker<impl BufRead>) -> Result<(), Exit> {
    if !args.has("rules") {
        args.rules = asker.ask(&RULES_FILE, |answer| if answer == "built-in" { Ok(None) } else { rules(answer).map(Some) })?;
    }
    if !args.has("prizes") {
        // A tier may be corrected: its last prize counts.
        for _ in 0..ANSWERS_MAX {
            let Some(more) = asker.ask(&PRIZE, |answer| if answer == "done" { Ok(None) } else { checked_prize(answer).map(Some) })? else {
                break;
            };
            args.prizes.push(more);
        }
    }
    if !args.has("network") {
        args.network =
            asker.ask(&NETWORK, |answer| Chain::from_str(answer, false).map_err(|_| "bitcoin, testnet or regtest is wanted".into()))?;
    }
    if !args.has("source") {
        args.source =
            Some(asker.ask(&SOURCE, |answer| check_source(answer).map(|()| answer.to_owned()).map_err(|fault| fault.to_string()))?);
    }
    Ok(())
}

fn rules(file: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(file);
    // What was wrong with the file was said.
    let text = read_text(&path).map_err(|_| "another file is wanted".to_owned())?;
    check_rules(&text).map(|()| path).map_err(|fault| fault.to_string())
}

fn checked_prize(answer: &str) -> Result<(Tier, String), String> {
    let (tier, text) = prize(answer)?;
    check_prize(tier, &text).map(|()| (tier, text)).map_err(|fault| fault.to_string())
}

fn free(dir: &Path) -> Result<PathBuf, String> {
    let folder = dir.join(FOLDER);
    if folder.symlink_metadata().is_ok() { Err(format!("{} stands there already", folder.display())) } else { Ok(dir.to_owned()) }
}
