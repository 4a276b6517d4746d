//! Tests with real peers: the clients of two Debians, a browser, servers before and behind the box, and scanners. `make interop` runs them.
//!
//! Everything is judged by what the peer says, as that is what a user would see. A peer that is not installed is reported as
//! `skipped: reason`, never as passed. Reports and programs built for the tests lie in `target/interop/`.
//!
//! - [`matrix`]: [`client`] x [`authority::Key`] x [`suite::Version`], judged by body and negotiated parameters;
//! - [`exchange`]: the same clients x [`group::Group`];
//! - [`home`]: Debian sid, where the newer of them are; [`record`]: what the box's access log says of them;
//! - [`visitor`]: clients' certificates;
//! - [`neighbour`]: nginx and HAProxy ([`server`]), and what a PROXY header says ([`header`], [`base64`]);
//! - [`moving`]: the peers' configurations in `docs/coming-from.md`, read by the peers;
//! - [`browser`]: Chromium, headless;
//! - [`page`]: what stands behind the box; [`served`]: a started server;
//! - [`scan`]: testssl.sh, sslyze, sslscan and nmap;
//! - [`summary`]: the page `docs/interop.md`;
//! - [`command`]: running programs.
#![forbid(unsafe_code)]

mod authority;
mod base64;
mod browser;
mod client;
mod command;
mod exchange;
mod group;
mod header;
mod home;
mod matrix;
mod moving;
mod neighbour;
mod page;
mod record;
mod scan;
mod served;
mod server;
mod suite;
mod summary;
mod visitor;

use core::sync::atomic::{AtomicU16, Ordering};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::thread;

use authority::Authority;
use e2e::{Machine, Net, Outcome, Place};
use libtest_mimic::{Arguments, Failed, Trial};
use server::{Proxy, Software};

/// Trials at a time.
const AT_A_TIME: usize = 3;
/// Where boxes answer: below the ports that a kernel gives away, and away from those of the end-to-end tests.
const FIRST_PORT: u16 = 21000;
const PORTS: u16 = 2000;

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    // More would take processor time from each other, and some of the peers have little patience.
    arguments.test_threads = Some(AT_A_TIME);
    let authority = match Authority::new("interop") {
        Ok(authority) => Arc::new(authority),
        Err(fault) => {
            say(&format!("no certificates to test with: {fault}"));
            return ExitCode::FAILURE;
        }
    };
    let trials: Vec<_> = [Machine::Kvm, Machine::Process].into_iter().flat_map(|machine| trials(machine, &authority)).collect();
    let all = trials.len();
    let conclusion = libtest_mimic::run(&arguments, trials);
    let run = conclusion.num_passed + conclusion.num_failed;
    if usize::try_from(run).is_ok_and(|run| run == all) {
        report();
    } else if conclusion.num_passed > 0 && conclusion.num_failed == 0 {
        summary::keep(&tables());
        report();
    } else {
        say("docs/interop.md is left as it was: this was not a whole run");
    }
    conclusion.exit_code()
}

fn report() {
    match summary::write(&tables()) {
        Ok(true) => say("docs/interop.md differs from before: read it, and commit it"),
        Ok(false) => say("docs/interop.md is as it was"),
        Err(fault) => say(&format!("docs/interop.md cannot be written: {fault}")),
    }
}

/// What `docs/interop.md` shows.
fn tables() -> Vec<summary::Table> {
    vec![matrix::table(), exchange::table(), visitor::table(), browser::table(), neighbour::table(), scan::table()]
}

fn trials(machine: Machine, authority: &Arc<Authority>) -> Vec<Trial> {
    let peers = matrix_cases(machine).chain(exchange_cases(machine)).chain(visitor_cases()).chain(neighbour_cases()).chain(browser_cases());
    let cases = peers.chain(scan_cases(machine)).chain(moving_cases(machine));
    cases.map(|case| trial(machine, case, Arc::clone(authority))).collect()
}

/// A case: its name, why it cannot be tried here (if so), and what it does in a place.
struct Case {
    name: String,
    missing: Option<String>,
    net: Net,
    run: Run,
}

type Run = Box<dyn FnOnce(&Place, &Authority) -> Outcome + Send>;

impl Case {
    fn new(name: String, missing: Option<String>, run: impl FnOnce(&Place, &Authority) -> Outcome + Send + 'static) -> Self {
        Self { name, missing, net: Net::User, run: Box::new(run) }
    }

    fn on(self, net: Net) -> Self {
        Self { net, ..self }
    }
}

fn matrix_cases(machine: Machine) -> impl Iterator<Item = Case> {
    let meetings = matrix::meetings(machine).into_iter();
    let meetings =
        meetings.map(|meeting| Case::new(meeting.name(), meeting.client.missing(), move |place, authority| meeting.run(place, authority)));
    meetings.chain([Case::new("each_client_gets_the_chain_that_it_can_verify".into(), None, matrix::two_keys)])
}

fn exchange_cases(machine: Machine) -> impl Iterator<Item = Case> {
    let exchanges = exchange::exchanges(machine).into_iter();
    exchanges.map(|exchange| Case::new(exchange.name(), exchange.client.missing(), move |place, authority| exchange.run(place, authority)))
}

fn visitor_cases() -> impl Iterator<Item = Case> {
    let visits = client::HERE
        .into_iter()
        .map(|client| Case::new(visitor::name(&client), client.missing(), move |place, authority| visitor::run(&client, place, authority)));
    visits.chain([Case::new("nothing_is_resumed_where_a_certificate_is_required".into(), None, visitor::never_resumes)])
}

fn neighbour_cases() -> impl Iterator<Item = Case> {
    let own = Case::new("every_tlv_of_a_proxy_header_is_right".into(), None, neighbour::tlvs);
    Software::BOTH.into_iter().flat_map(cases_with).chain([own])
}

fn cases_with(software: Software) -> Vec<Case> {
    let (name, missing) = (software.name(), software.missing());
    let mut cases = vec![
        Case::new(format!("{name}_is_a_backend"), missing.clone(), move |place, authority| neighbour::behind(software, place, authority)),
        Case::new(format!("{name}_has_its_tls_passed_through"), missing.clone(), move |place, authority| {
            neighbour::passes_through(software, place, authority)
        }),
    ];
    cases.extend([Proxy::V1, Proxy::V2, Proxy::V2Tls].map(|proxy| {
        Case::new(format!("{name}_decodes_proxy_{proxy}"), missing.clone(), move |place, authority| {
            neighbour::decodes(software, proxy, place, authority)
        })
    }));
    cases.extend(software.sends().iter().map(|proxy| {
        Case::new(format!("{name}_sends_proxy_{proxy}"), missing.clone(), move |place, authority| {
            neighbour::sends(software, *proxy, place, authority)
        })
    }));
    cases
}

fn browser_cases() -> impl Iterator<Item = Case> {
    let demo = Case::new("chromium_shows_the_page_of_the_demo".into(), browser::missing(), |place, _| browser::demo(place));
    let rsa = Case::new("chromium_shows_a_page_over_rsa_and_tls_1.2".into(), browser::missing(), browser::rsa_over_tls_1_2);
    [demo, rsa].into_iter()
}

/// The scanners look at TLS, which does not know of the machine; one is enough.
fn scan_cases(machine: Machine) -> impl Iterator<Item = Case> {
    let scans = scan::SCANNERS.into_iter().flat_map(|scanner| scan::Profile::BOTH.map(|profile| (scanner, profile)));
    scans.filter(move |_| machine == Machine::Kvm).map(|(scanner, profile)| {
        let case = Case::new(scanner.trial(profile), scanner.missing(), move |place, authority| scanner.run(place, authority, profile));
        case.on(scanner.net)
    })
}

/// Nothing of ours runs in them; one machine is enough.
fn moving_cases(machine: Machine) -> impl Iterator<Item = Case> {
    let peers = moving::Peer::ALL.into_iter().filter(move |_| machine == Machine::Process);
    peers.map(|peer| Case::new(format!("{}_reads_its_part_of_coming_from", peer.name()), peer.missing(), move |_, _| peer.run()))
}

fn trial(machine: Machine, case: Case, authority: Arc<Authority>) -> Trial {
    let missing = machine.missing().map(str::to_owned).or(case.missing);
    let name = format!("{}/{}", machine.name(), case.name);
    if let Some(reason) = &missing {
        say(&format!("skipped: {reason}: {name}"));
    }
    Trial::test(name, move || in_place(machine, case.net, authority, case.run)).with_ignored_flag(missing.is_some())
}

fn in_place(
    machine: Machine,
    net: Net,
    authority: Arc<Authority>,
    run: impl FnOnce(&Place, &Authority) -> Outcome + Send + 'static,
) -> Result<(), Failed> {
    // A port of its own: its box is not the only one at the time.
    static STARTED: AtomicU16 = AtomicU16::new(0);
    let port = FIRST_PORT + STARTED.fetch_add(1, Ordering::Relaxed) % PORTS;
    match thread::spawn(move || run(&Place::new(machine, net)?.on_port(port), &authority)).join() {
        Ok(Ok(())) => Ok(()),
        Ok(Err(fault)) => Err(fault.to_string().into()),
        Err(_) => Err("the case panicked".into()),
    }
}

/// The repository's root.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Where reports and built programs are kept.
fn target() -> PathBuf {
    root().join("target/interop")
}

/// A line for who runs this, on standard error.
fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}
