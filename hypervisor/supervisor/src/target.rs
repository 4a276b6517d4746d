//! `bountybox target`: a box that is there to be fuzzed (`served`, who is there `present`, their sockets `wire`, the command that fuzzes it `fuzzer`, its second channel `control`,
//! what came of it `tally`); and with `--misbehave` a judge of TLS clients, which answers them wrongly and says which of them noticed.

mod control;
mod fuzzer;
mod present;
mod served;
mod tally;
mod wire;

use core::net::SocketAddr;
use core::time::Duration;
use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use misbehave::catalogue::{self, CONTROLS};
use misbehave::judge::{Client, Judge, JudgeFault};
use misbehave::misbehaviour::{Evidence, Misbehaviour};
use misbehave::verdict::{Notice, Verdict};
use serde_json::{Value, json};

use crate::config::suggest::nearest;
use crate::exit::Exit;
use crate::terminal;
use served::ServedArgs;

/// `target`
#[derive(Debug, Clone, Args)]
pub struct TargetArgs {
    /// The box.
    #[command(flatten)]
    pub served: ServedArgs,
    /// Judge clients instead of being fuzzed: misbehaviours by name, `all`, `resumed` (what is said to a client that comes back), or `list` to see what there is
    /// (docs/misbehave.md).
    #[arg(long, value_name = "NAMES", value_delimiter = ',', conflicts_with_all = BOX_ARGS)]
    pub misbehave: Vec<String>,
    /// Where to listen; port 0 lets the system choose.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    pub listen: SocketAddr,
    /// Where the throw-away root goes that the client is to trust.
    #[arg(long, value_name = "FILE", default_value = "misbehave-ca.pem", requires = "misbehave")]
    pub ca: PathBuf,
    /// Write over the file if it stands there already.
    #[arg(long, requires = "misbehave")]
    pub force: bool,
    /// Write one JSON object.
    #[arg(long)]
    pub json: bool,
    /// How long a client may take for one thing. One that neither leaves nor complains by then has gone on.
    #[arg(long, value_name = "SECONDS", default_value_t = 5, requires = "misbehave", value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub timeout: u64,
    /// What fuzzes the box: started once, with {host}, {port} and {control} filled in; the box ends when it does. With --misbehave the client: started for each
    /// misbehaviour, with {host}, {port} and {ca} filled in, a request on its standard input, and its output thrown away. Without it, whoever connects is judged.
    #[arg(last = true, value_name = "CLIENT")]
    pub client: Vec<String>,
}

/// What means nothing to a judge.
const BOX_ARGS: [&str; 11] =
    ["image", "config", "machine", "seed", "clock", "session", "sessions", "control", "findings", "junit", "sarif"];

/// One misbehaviour, and what became of it.
type Judged = (&'static Misbehaviour, Verdict);

pub(crate) fn target(args: &TargetArgs) -> Exit {
    if args.misbehave.is_empty() {
        return served::serve(&args.served, args.listen, &args.client, args.json);
    }
    if args.misbehave.iter().any(|name| name == "list") {
        return list(args);
    }
    let chosen = match choose(args) {
        Ok(chosen) => chosen,
        Err(complaint) => return usage(&complaint),
    };
    match judge(args, &chosen) {
        Ok(judged) => conclude(args, &judged),
        Err(exit) => exit,
    }
}

fn list(args: &TargetArgs) -> Exit {
    if args.json {
        let rows = catalogue::all().map(|one| json!({ "name": one.name, "wrong": one.wrong, "rfc": one.rfc, "alerts": alerts(one) }));
        terminal::result(json!({ "version": 1, "misbehaviours": rows.collect::<Vec<_>>() }));
        return Exit::Success;
    }
    let width = catalogue::all().map(|one| one.name.len()).max().unwrap_or_default();
    catalogue::all().for_each(|one| terminal::result(format!("{:width$}  {} ({})", one.name, one.wrong, one.rfc)));
    Exit::Success
}

/// What is to be judged, each of it once, in the catalogue's order.
fn choose(args: &TargetArgs) -> Result<Vec<&'static Misbehaviour>, String> {
    let names: Vec<&str> = args.misbehave.iter().map(String::as_str).collect();
    let is_known = |name: &str| ["all", "resumed"].contains(&name) || catalogue::find(name).is_some();
    if let Some(unknown) = names.iter().find(|name| !is_known(name)) {
        let near = nearest(unknown, catalogue::all().map(|one| one.name).chain(["resumed"]));
        let advice = near.map_or_else(|| "`--misbehave list` shows all".to_owned(), |name| format!("did you mean `{name}`?"));
        return Err(format!("there is no misbehaviour {unknown:?}; {advice}"));
    }
    // Without a client's exit code nothing would tell.
    let tells = |one: &Misbehaviour| one.evidence != Evidence::ExitCode || !args.client.is_empty();
    if let Some(mute) = catalogue::all().find(|one| names.contains(&one.name) && !tells(one)) {
        return Err(format!(
            "only the exit code of a client tells whether it noticed {}: give the client's command behind `--`",
            mute.name
        ));
    }
    let is_wanted = |one: &Misbehaviour| names.iter().any(|name| is_meant(name, one));
    Ok(catalogue::all().filter(|one| is_wanted(one) && tells(one)).collect())
}

/// By a misbehaviour's name, or a group's.
fn is_meant(name: &str, one: &Misbehaviour) -> bool {
    match name {
        "all" => !one.is_honest(),
        "resumed" => one.is_resumed() && !one.is_honest(),
        name => name == one.name,
    }
}

/// The controls come first: what a client notices that refuses an honest server means nothing.
fn judge(args: &TargetArgs, chosen: &[&'static Misbehaviour]) -> Result<Vec<Judged>, Exit> {
    let patience = Duration::from_secs(args.timeout);
    let judge = Judge::new(args.listen, time::OffsetDateTime::now_utc(), patience).map_err(|fault| refuse(&fault))?;
    lay_down(&args.ca, judge.root(), args.force)?;
    let address = judge.address().map_err(|fault| refuse(&fault))?;
    let ca = args.ca.display().to_string();
    let client = if args.client.is_empty() { Client::Anybody } else { Client::Command(&args.client, &ca) };
    terminal::note(format!("ready: {address}, for clients that trust {ca} and ask for localhost"));
    let mut judged: Vec<Judged> = Vec::new();
    for one in controls(args, chosen).into_iter().chain(chosen.iter().copied()) {
        // What a client does not do with an honest server cannot be said wrongly to it.
        let verdict = if is_untried(one, &judged) { Verdict::Untried } else { judge.judge(one, client).map_err(|fault| refuse(&fault))? };
        if !args.json {
            terminal::result(line(one, verdict));
        }
        let is_over = matches!(verdict, Verdict::Refused(_)) || (judged.is_empty() && verdict != Verdict::Accepted);
        judged.push((one, verdict));
        if is_over {
            break;
        }
    }
    Ok(judged)
}

/// Of all that is chosen, and what is chosen of them by name.
fn controls(args: &TargetArgs, chosen: &[&'static Misbehaviour]) -> Vec<&'static Misbehaviour> {
    let is_needed = |control: &Misbehaviour| chosen.iter().any(|one| catalogue::control(one).is_some_and(|of| of.name == control.name));
    CONTROLS.iter().filter(|control| is_needed(control) || args.misbehave.iter().any(|name| name == control.name)).collect()
}

fn is_untried(one: &Misbehaviour, judged: &[Judged]) -> bool {
    let control = catalogue::control(one).map(|control| control.name);
    judged.iter().any(|(honest, verdict)| Some(honest.name) == control && *verdict == Verdict::Untried)
}

/// The file is made new, so that nobody's own authorities are written over by mistake.
fn lay_down(path: &Path, pem: &str, force: bool) -> Result<(), Exit> {
    let mut options = OpenOptions::new();
    options.write(true);
    if force {
        options.create(true).truncate(true)
    } else {
        options.create_new(true)
    };
    options.open(path).and_then(|mut file| file.write_all(pem.as_bytes())).map_err(|fault| {
        let advice = if fault.kind() == ErrorKind::AlreadyExists { "; choose another --ca, or write over it with --force" } else { "" };
        terminal::note(format!("error: {}: {}{advice}", path.display(), fault.kind()));
        Exit::Output
    })
}

fn refuse(fault: &JudgeFault) -> Exit {
    terminal::note(format!("error: {fault}"));
    match fault {
        JudgeFault::Making | JudgeFault::Saying(_) => Exit::Internal,
        JudgeFault::Listening(_) => Exit::Net,
        JudgeFault::Starting(..) => Exit::Usage,
    }
}

fn usage(complaint: &str) -> Exit {
    terminal::note(format!("error: {complaint}"));
    Exit::Usage
}

fn conclude(args: &TargetArgs, judged: &[Judged]) -> Exit {
    let exit = exit(judged, &args.misbehave);
    let fooled: Vec<&str> = judged.iter().filter(|(_, verdict)| matches!(verdict, Verdict::Fooled(_))).map(|(one, _)| one.name).collect();
    let count = |is: fn(&Verdict) -> bool| judged.iter().filter(|(one, verdict)| !one.is_honest() && is(verdict)).count();
    let untried = count(|verdict| *verdict == Verdict::Untried);
    if args.json {
        let rows: Vec<Value> = judged.iter().map(|(one, verdict)| row(one, *verdict)).collect();
        terminal::result(json!({ "version": 1, "exit_code": exit.code(), "fooled": fooled, "untried": untried, "judged": rows }));
        return exit;
    }
    let (noticed, wrong) = (count(|verdict| matches!(verdict, Verdict::Noticed(_))), count(|_| true));
    let rest = if untried == 0 { String::new() } else { format!(", {untried} untried") };
    terminal::result(format!("{noticed} of {wrong} noticed{rest}"));
    if !fooled.is_empty() {
        terminal::result(format!("fooled by: {}", fooled.join(", ")));
    }
    exit
}

/// `names` is what was asked for.
fn exit(judged: &[Judged], names: &[String]) -> Exit {
    let any = |is: fn(&Verdict) -> bool| judged.iter().any(|(_, verdict)| is(verdict));
    let accepted = judged.first().is_some_and(|(one, verdict)| one.is_honest() && *verdict == Verdict::Accepted);
    if any(|verdict| matches!(verdict, Verdict::Refused(_))) {
        return Exit::Control;
    }
    if any(|verdict| matches!(verdict, Verdict::Fooled(_))) {
        return Exit::Fooled;
    }
    let is_missed = names.iter().any(|name| is_left_untried(name, judged));
    if !accepted || is_missed || any(|verdict| matches!(verdict, Verdict::NoClient(_))) {
        return Exit::NoClient;
    }
    Exit::Success
}

/// Whether nothing of what this name means was tried. Of a group there may be what the client does not offer.
fn is_left_untried(name: &str, judged: &[Judged]) -> bool {
    let mut meant = judged.iter().filter(|(one, _)| is_meant(name, one)).peekable();
    meant.peek().is_some() && meant.all(|(_, verdict)| *verdict == Verdict::Untried)
}

fn line(one: &Misbehaviour, verdict: Verdict) -> String {
    let aside = match verdict {
        Verdict::Noticed(Notice::Alert(alert)) if !one.wants(alert) => format!("; {} wants {}", one.rfc, alerts(one).join(" or ")),
        _ => String::new(),
    };
    format!("{}: {verdict}{aside}", one.name)
}

fn row(one: &Misbehaviour, verdict: Verdict) -> Value {
    let (word, alert, expected) = match verdict {
        Verdict::Noticed(Notice::Alert(alert)) => ("noticed", Some(misbehave::wire::registry::alert::name(alert)), Some(one.wants(alert))),
        Verdict::Noticed(_) => ("noticed", None, None),
        Verdict::Fooled(_) => ("fooled", None, None),
        Verdict::Accepted => ("accepted", None, None),
        Verdict::Refused(_) => ("refused", None, None),
        Verdict::Untried => ("untried", None, None),
        Verdict::NoClient(_) => ("no client", None, None),
    };
    json!({ "name": one.name, "verdict": word, "text": verdict.to_string(), "alert": alert, "alert_is_expected": expected })
}

fn alerts(one: &Misbehaviour) -> Vec<&'static str> {
    one.alerts.iter().map(|&alert| misbehave::wire::registry::alert::name(alert)).collect()
}

#[cfg(test)]
mod tests {
    use misbehave::catalogue::{HONEST, HONEST_RESUMED};
    use misbehave::verdict::{Absence, Folly};

    use super::*;

    fn expired() -> &'static Misbehaviour {
        catalogue::find("expired").expect("there")
    }

    #[test]
    fn the_exit_code_says_the_gravest_thing() {
        let sound: Judged = (&HONEST, Verdict::Accepted);
        let noticed = (expired(), Verdict::Noticed(Notice::Closed));
        let fooled = (expired(), Verdict::Fooled(Folly::Data));
        let nobody = (expired(), Verdict::NoClient(Absence::Nobody));
        let exit = |judged: &[Judged]| exit(judged, &["all".to_owned()]);
        assert_eq!(exit(&[sound, noticed]), Exit::Success);
        assert_eq!(exit(&[sound, nobody, fooled]), Exit::Fooled);
        assert_eq!(exit(&[sound, noticed, nobody]), Exit::NoClient);
        assert_eq!(exit(&[(&HONEST, Verdict::NoClient(Absence::Nobody))]), Exit::NoClient);
        assert_eq!(exit(&[(&HONEST, Verdict::Refused(Notice::Closed)), fooled]), Exit::Control);
    }

    #[test]
    fn what_was_asked_for_and_left_untried_was_not_noticed() {
        let noticed = Verdict::Noticed(Notice::Closed);
        let [beyond, suite] = ["resumed-beyond", "resumed-suite-1.2"].map(|name| catalogue::find(name).expect("there"));
        let of = |names: &[&str], resumed: Verdict| {
            let judged: [Judged; 4] = [(&HONEST, Verdict::Accepted), (expired(), noticed), (beyond, resumed), (suite, Verdict::Untried)];
            exit(&judged, &names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>())
        };
        assert_eq!(of(&["all", "resumed"], noticed), Exit::Success, "of a group there may be what a client does not offer");
        assert_eq!(of(&["all"], Verdict::Untried), Exit::Success);
        assert_eq!(of(&["expired", "resumed"], Verdict::Untried), Exit::NoClient, "but something of it must be tried");
        assert_eq!(of(&["all", "resumed-suite-1.2"], noticed), Exit::NoClient);
        let untried = [(&HONEST, Verdict::Accepted), (expired(), Verdict::Untried)];
        assert_eq!(exit(&untried, &["all".to_owned()]), Exit::NoClient);
        assert_eq!(exit(&untried, &["honest".to_owned()]), Exit::Success);
    }

    #[test]
    fn who_does_not_resume_is_tried_by_nothing_that_needs_it() {
        let judged: Vec<Judged> = vec![(&HONEST, Verdict::Accepted), (&HONEST_RESUMED, Verdict::Untried)];
        let of = |name| is_untried(catalogue::find(name).expect("there"), &judged);
        assert!(of("resumed-beyond") && !of("resumed-suite-1.2") && !of("expired"));
    }

    #[test]
    fn an_alert_that_the_rfc_does_not_name_is_said_so() {
        let proof = catalogue::find("proof-altered").expect("there");
        assert_eq!(line(proof, Verdict::Noticed(Notice::Alert(51))), "proof-altered: noticed (alert decrypt_error)");
        let other = line(proof, Verdict::Noticed(Notice::Alert(80)));
        assert_eq!(other, "proof-altered: noticed (alert internal_error); RFC 8446 4.4.3 wants decrypt_error");
    }
}
