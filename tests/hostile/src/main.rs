//! Attacks on a running box. `make hostile` mounts them all, `make hostile HOSTILE=short` a short profile of two to three minutes.
//!
//! An attack ([`attack`]) is data: a name, a row of the list ([`rows`]), the layer that stops it, a naive endpoint that it succeeds against ([`naive`]), and a
//! function that attacks a [`target`] without knowing which of both it is. From the attacks come the trials (`machine/suite/name` and `teeth/suite/name`), the page
//! `docs/attacks.md` ([`page`]), and at the end of a run one table ([`summary`]).
//!
//! On the box an attack is judged ([`judge`]) by more than its own eyes: a legitimate client ([`probe`]) must not notice it, and the box's [`figures`] must be as
//! before. The attacks of a suite share a box ([`stage`]), made by its [`set_up`], with a backend that gives an account ([`witness`]).
//!
//! To add a suite: a function `fn suite() -> Outcome<Suite>`, a line in [`suites`]. Nothing else knows of it.
//!
//! - [`tls`]: rows T, on raw records; most of them on the user net;
//! - [`network`]: rows N, below TLS, on a TAP;
//! - [`elsewhere`]: tests of attacks that need no running box, and [`planted`], what they fail against.
//!
//! Traffic goes to loopback, or into a namespace of the run's own.
#![forbid(unsafe_code)]

mod attack;
mod elsewhere;
mod figures;
mod judge;
mod naive;
mod network;
mod page;
mod planted;
mod probe;
mod rows;
mod set_up;
mod stage;
mod summary;
mod target;
mod tls;
mod witness;

use std::io::Write as _;
use std::process::ExitCode;
use std::sync::Arc;
use std::thread;

use attack::{Attack, Profile, Suite};
use e2e::{Machine, Outcome, ensure};
use libtest_mimic::{Arguments, Completion, Failed, Trial};
use summary::{Entry, Verdict};
use target::Target;

/// All suites.
fn suites() -> Outcome<Vec<Arc<Suite>>> {
    Ok(tls::suites()?.into_iter().chain(network::suites()?).map(Arc::new).collect())
}

fn main() -> ExitCode {
    let (mut arguments, profile, json) = arguments();
    // One box at a time: what it takes is measured.
    arguments.test_threads = Some(1);
    let suites = match suites() {
        Ok(suites) => suites,
        Err(fault) => {
            say(&format!("the attacks cannot be prepared: {fault}"));
            return ExitCode::FAILURE;
        }
    };
    if wants_page() {
        write_page(&suites);
        return ExitCode::SUCCESS;
    }
    let conclusion = libtest_mimic::run(&arguments, trials(&suites, profile));
    stage::close();
    if !arguments.list {
        report(&suites, json);
    }
    conclusion.exit_code()
}

/// `page` alone: the page is written, and nothing is attacked.
fn wants_page() -> bool {
    std::env::args().skip(1).eq(["page"])
}

/// `--short` (or `short`) and `--json` are ours, the rest is libtest's.
fn arguments() -> (Arguments, Profile, bool) {
    let ours = |word: &str, name: &str| word.trim_start_matches("--") == name;
    let is_short = |word: &String| ours(word, "short");
    let is_json = |word: &String| ours(word, "json");
    let words: Vec<String> = std::env::args().collect();
    let profile = if words.iter().any(is_short) { Profile::Short } else { Profile::Full };
    let json = words.iter().any(is_json);
    let rest = words.into_iter().filter(|word| !is_short(word) && !is_json(word));
    (Arguments::from_iter(rest), profile, json)
}

fn report(suites: &[Arc<Suite>], json: bool) {
    let entries = summary::entries();
    if json {
        let _ = writeln!(std::io::stdout(), "{}", summary::json(&entries));
    } else {
        say(&summary::table(&entries));
    }
    write_page(suites);
}

fn write_page(suites: &[Arc<Suite>]) {
    match page::write(suites) {
        Ok(true) => say("docs/attacks.md differs from before: read it, and commit it"),
        Ok(false) => {}
        Err(fault) => say(&format!("docs/attacks.md cannot be written: {fault}")),
    }
}

fn trials(suites: &[Arc<Suite>], profile: Profile) -> Vec<Trial> {
    let cases = || {
        suites.iter().flat_map(move |suite| {
            let wanted = suite.attacks.iter().enumerate().filter(move |(_, attack)| profile.runs(attack));
            wanted.map(move |(index, attack)| (suite, index, attack))
        })
    };
    let on_boxes = [Machine::Kvm, Machine::Process].into_iter().flat_map(|machine| {
        cases().map(move |(suite, index, attack)| {
            let (name, suite) = (attack.name.clone(), Arc::clone(suite));
            let missing = machine.missing().or(suite.net.missing());
            let group = format!("{}/{}", machine.name(), suite.name);
            trial(group, name, missing, move || {
                let record = stage::run(&suite, index, machine, profile)?;
                let fault = record.fault.clone();
                Ok((Some(record), fault))
            })
        })
    });
    let teeth = cases().map(|(suite, index, attack)| {
        let (name, suite) = (format!("{}/{}", suite.name, attack.name), Arc::clone(suite));
        let missing = suite.net.missing();
        trial("teeth".into(), name, missing, move || bite(&suite, index, profile).map(|()| (None, None)))
    });
    // The teeth are of the attacks, not of the box: a full run looks at them.
    on_boxes.chain(teeth.filter(|_| profile == Profile::Full)).collect()
}

/// What was recorded, and why the trial has failed although it could be made.
type Finding = (Option<judge::Record>, Option<String>);

fn trial(group: String, name: String, missing: Option<&'static str>, run: impl FnOnce() -> Outcome<Finding> + Send + 'static) -> Trial {
    Trial::ignorable_test(format!("{group}/{name}"), move || {
        let (record, verdict) = match missing {
            Some(reason) => (None, Verdict::Skipped(reason.into())),
            None => match run() {
                Ok((record, fault)) => (record, fault.map_or(Verdict::Passed, Verdict::Failed)),
                Err(fault) => (None, Verdict::Failed(fault.to_string())),
            },
        };
        summary::note(Entry { group, name, verdict: verdict.clone(), record });
        match verdict {
            Verdict::Passed => Ok(Completion::Completed),
            Verdict::Skipped(reason) => Ok(Completion::ignored_with(reason)),
            Verdict::Failed(why) => Err(Failed::from(why)),
        }
    })
}

/// The attack must succeed against its naive endpoint.
fn bite(suite: &Arc<Suite>, index: usize, profile: Profile) -> Outcome {
    let suite = Arc::clone(suite);
    let bitten = thread::spawn(move || -> Outcome {
        let attack: &Attack = suite.attacks.get(index).ok_or("no such attack")?;
        let place = stage::place(Machine::Process, suite.net)?;
        let target = Target::of_naive(attack.naive, &place, profile)?;
        let naive = attack.naive;
        ensure(
            (attack.run)(&target).is_err(),
            format!("it cannot fail: it does not even succeed against {naive:?}, which {}", naive.says()),
        )
    });
    bitten.join().map_err(|_| "the attack panicked")?
}

/// A line for who runs this, on standard error.
fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}
