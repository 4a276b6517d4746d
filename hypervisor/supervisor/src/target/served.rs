//! `bountybox target`: a box that is there to be fuzzed over TCP. Each session begins from the same state, is judged, and is kept if something is wrong.
//!
//! One thread: it moves bytes between sockets and the guest, lets time pass where somebody waits for it, and answers at the second channel in between. What came
//! before a question or a wish is heard first: a verdict is about all that was sent until then.

use core::net::SocketAddr;
use core::time::Duration;
use std::io;
use std::net::TcpListener;
use std::path::PathBuf;
use std::time::Instant;

use clap::{Args, ValueEnum};
use harness::subject::Stage;
use harness::visit::Visit;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use serde_json::json;

use super::control::{self, Asked, Control};
use super::fuzzer::Fuzzer;
use super::present::Present;
use super::tally::Tally;
use crate::exit::Exit;
use crate::findings::ReportArgs;
use crate::limits::{TARGET_HEAR_MAX, TARGET_LAST_SESSIONS_MAX, TARGET_LINGER};
use crate::run::{Signals, refuse};
use crate::specimen::{Specimen, SpecimenArgs, hex, of_subject};
use crate::terminal;

/// What belongs to a box that is fuzzed.
#[derive(Debug, Clone, Args)]
pub struct ServedArgs {
    /// Which box.
    #[command(flatten)]
    pub specimen: SpecimenArgs,
    /// When a session ends, and the box is brought back.
    #[arg(long, value_enum, value_name = "WHEN", default_value_t = Session::Connection)]
    pub session: Session,
    /// End after so many sessions.
    #[arg(long, value_name = "NUMBER")]
    pub sessions: Option<u64>,
    /// The second channel, HTTP: GET /healthz, GET /status, POST /reset, POST /stop. Give it a loopback address: whoever reaches it may ask for all of these.
    #[arg(long, value_name = "ADDRESS")]
    pub control: Option<SocketAddr>,
    /// The folder for sessions after which something was wrong. It is made when the first is found.
    #[arg(long, value_name = "FOLDER", default_value = "target-findings")]
    pub findings: PathBuf,
    /// What programs read.
    #[command(flatten)]
    pub reports: ReportArgs,
}

/// When a session ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Session {
    /// When its only connection ends; the next client waits for that.
    Connection,
    /// When it is asked for at the second channel; until then everybody is let in.
    Asked,
}

/// What stays over all sessions.
struct Server<'a> {
    args: &'a ServedArgs,
    listener: TcpListener,
    control: Option<Control>,
    signals: Signals,
    fuzzer: Option<Fuzzer>,
    tally: Tally,
    /// How many sessions may still follow, once nobody wants more than that those who wait are heard.
    last: Option<usize>,
}

/// Why a session ended.
enum Over {
    /// It had its connection.
    Done,
    /// Somebody came for whom there is no place in it.
    Full,
    /// Somebody waits for the box to be brought back.
    Reset(control::Answer),
    /// Somebody waits for the end.
    Stop(control::Answer),
    /// The command behind `--` has ended.
    Left,
    /// A signal: whoever waits is not waited for.
    Signal,
}

pub(super) fn serve(args: &ServedArgs, listen: SocketAddr, command: &[String], json: bool) -> Exit {
    let begun = Instant::now();
    let run = || -> Result<Exit, Exit> {
        let mut specimen = args.specimen.start(Stage::Sealed)?;
        let mut server = Server::open(args, listen, &specimen)?;
        server.announce(&specimen, begun.elapsed());
        server.fuzzer = server.start(command)?;
        let fault = loop {
            match server.session(&mut specimen) {
                Ok(true) => {}
                Ok(false) => break None,
                Err(fault) => break Some(fault),
            }
        };
        Ok(server.conclude(json, fault))
    };
    run().unwrap_or_else(|exit| exit)
}

impl<'a> Server<'a> {
    fn open(args: &'a ServedArgs, listen: SocketAddr, specimen: &Specimen) -> Result<Self, Exit> {
        let cannot = |what: SocketAddr, fault: io::Error| refuse(Exit::Net, format!("cannot listen on {what}: {fault}"));
        let listener = TcpListener::bind(listen).map_err(|fault| cannot(listen, fault))?;
        listener.set_nonblocking(true).map_err(|fault| cannot(listen, fault))?;
        let control = args.control.map(|address| Control::open(address).map_err(|fault| cannot(address, fault))).transpose()?;
        if control.is_none() && args.session == Session::Asked {
            return Err(refuse(Exit::Usage, "--session asked wants a --control where it can be asked"));
        }
        let signals = Signals::to_stop().map_err(|fault| refuse(Exit::Internal, fault))?;
        let state = specimen.subject.state().map_err(|fault| of_subject(&fault))?;
        let tally = Tally::new((state, specimen.subject.unix()), specimen.subject.kind(), &args.specimen, args.findings.clone());
        Ok(Self { args, listener, control, signals, fuzzer: None, tally, last: None })
    }

    fn address(&self) -> Result<SocketAddr, Exit> {
        self.listener.local_addr().map_err(|fault| refuse(Exit::Internal, fault))
    }

    fn start(&self, command: &[String]) -> Result<Option<Fuzzer>, Exit> {
        let Some((program, rest)) = command.split_first() else { return Ok(None) };
        let address = self.address()?;
        let control = self.control.as_ref().map(|control| control.address().to_string()).unwrap_or_default();
        let (host, port) = (address.ip().to_string(), address.port().to_string());
        let fill = |word: &String| word.replace("{host}", &host).replace("{port}", &port).replace("{control}", &control);
        Fuzzer::start(program, rest.iter().map(fill)).map(Some)
    }

    fn announce(&self, specimen: &Specimen, took: Duration) {
        let address = self.address().map(|address| address.to_string()).unwrap_or_default();
        let name = specimen.name.as_ref().map(|name| format!(", for {name}")).unwrap_or_default();
        let control = self.control.as_ref().map(|control| format!(", control on http://{}", control.address())).unwrap_or_default();
        let state = self.tally.state();
        terminal::note(format!("ready: tls on {address}{name}{control}; {:.1} ms; state {state}", took.as_secs_f64() * 1e3));
    }

    /// One session. Returns whether there is to be another.
    fn session(&mut self, specimen: &mut Specimen) -> Result<bool, Exit> {
        let (over, has_come, verdict, record) = {
            let mut visit = Visit::begin(&mut specimen.subject, &specimen.links).map_err(|fault| of_subject(&fault))?;
            let over = self.attend(&mut visit)?;
            visit.probe().map_err(|fault| of_subject(&fault))?;
            let has_come = visit.has_come();
            let (verdict, record) = visit.end();
            (over, has_come, verdict, record)
        };
        // Nobody came before the end: that was no session, unless something was found by asking.
        if matches!(over, Over::Left | Over::Signal) && !has_come && verdict.is_sound() {
            return Ok(false);
        }
        let outcome = self.tally.take(&mut specimen.subject, &verdict, &record)?;
        let answer = json!({ "session": self.tally.sessions(), "verdict": outcome.verdict, "text": outcome.told, "input": outcome.input,
            "reset_ms": outcome.reset.as_secs_f64() * 1e3, "state": hex(&outcome.state) });
        match over {
            Over::Done => {}
            Over::Full => self.tally.note_full(),
            Over::Reset(waiting) => waiting.give(&answer),
            Over::Stop(waiting) => {
                waiting.give(&answer);
                self.last.get_or_insert(TARGET_LAST_SESSIONS_MAX);
            }
            Over::Left => {
                self.last.get_or_insert(TARGET_LAST_SESSIONS_MAX);
            }
            Over::Signal => return Ok(false),
        }
        Ok(self.goes_on())
    }

    fn goes_on(&mut self) -> bool {
        if let Some(last) = &mut self.last {
            *last = last.saturating_sub(1);
        }
        self.last != Some(0) && self.args.sessions.is_none_or(|most| self.tally.sessions() < most)
    }

    /// Moves bytes until the session is over.
    fn attend(&self, visit: &mut Visit<'_>) -> Result<Over, Exit> {
        let mut present = Present::nobody(self.args.session);
        loop {
            let ready = self.wait(visit, &present)?;
            if ready.signal {
                self.hear(visit, &mut present, Duration::ZERO)?;
                return Ok(Over::Signal);
            }
            if ready.fuzzer || self.last.is_some() {
                self.hear(visit, &mut present, TARGET_LINGER)?;
                return Ok(Over::Left);
            }
            if ready.control
                && let Some(over) = self.converse(visit, &mut present)?
            {
                return Ok(over);
            }
            if ready.client && visit.is_full() {
                return Ok(Over::Full);
            }
            if ready.client {
                present.let_in(&self.listener, visit);
            }
            if present.advance(visit).map_err(|fault| of_subject(&fault))? {
                return Ok(Over::Done);
            }
        }
    }

    /// Answers whoever asks at the second channel. Returns what he wants, where that ends the session.
    fn converse(&self, visit: &mut Visit<'_>, present: &mut Present) -> Result<Option<Over>, Exit> {
        let Some(control) = &self.control else { return Ok(None) };
        let mut heard = Ok(());
        let asked = control.hear(|| {
            heard = self.hear(visit, present, Duration::ZERO);
            control::look(visit, &self.tally)
        });
        heard?;
        let over = match asked {
            Asked::Nothing => return Ok(None),
            Asked::Reset(answer) => Over::Reset(answer),
            Asked::Stop(answer) => Over::Stop(answer),
        };
        self.hear(visit, present, Duration::ZERO)?;
        Ok(Some(over))
    }

    /// Hears what has come already: those who wait are let in, and what they have said reaches the guest, until nothing more is there for so long.
    fn hear(&self, visit: &mut Visit<'_>, present: &mut Present, linger: Duration) -> Result<(), Exit> {
        let begun = Instant::now();
        while visit.verdict().is_sound() && begun.elapsed() < TARGET_HEAR_MAX {
            // What is on its way to the guest makes room for more.
            visit.settle().map_err(|fault| of_subject(&fault))?;
            let mut fds: Vec<PollFd<'_>> = present.fds(visit, PollFlags::IN).collect();
            // For whom there is no place is not waited for.
            fds.extend(self.door(visit, present).filter(|_| !visit.is_full()));
            sleep(&mut fds, Some(linger))?;
            let has_come = fds.iter().any(|fd| !fd.revents().is_empty());
            drop(fds);
            if !has_come {
                break;
            }
            present.let_in(&self.listener, visit);
            if present.advance(visit).map_err(|fault| of_subject(&fault))? {
                break;
            }
        }
        Ok(())
    }

    /// Where somebody new is waited for.
    fn door(&self, visit: &Visit<'_>, present: &Present) -> Option<PollFd<'_>> {
        present.has_room(visit).then(|| PollFd::new(&self.listener, PollFlags::IN))
    }

    /// Sleeps until something comes, or somebody wants to go on by himself.
    fn wait(&self, visit: &Visit<'_>, present: &Present) -> Result<Ready, Exit> {
        let patience = self.last.map_or_else(|| present.patience(visit), |_| Some(Duration::ZERO));
        let control = self.control.as_ref().map(|control| PollFd::new(control, PollFlags::IN));
        let fuzzer = self.fuzzer.as_ref().and_then(Fuzzer::ended).map(|ended| PollFd::from_borrowed_fd(ended, PollFlags::IN));
        let fixed = [self.door(visit, present), control, fuzzer, Some(PollFd::new(&self.signals, PollFlags::IN))];
        let is_there = fixed.each_ref().map(Option::is_some);
        let mut fds: Vec<PollFd<'_>> = fixed.into_iter().flatten().chain(present.fds(visit, PollFlags::all())).collect();
        sleep(&mut fds, patience)?;
        let mut came = fds.iter().map(|fd| !fd.revents().is_empty());
        let [client, control, fuzzer, signal] = is_there.map(|is_there| is_there && came.next().unwrap_or(false));
        Ok(Ready { client, control, fuzzer, signal })
    }

    /// Says what came of it, whatever has ended it. What was found weighs more than what went wrong besides.
    fn conclude(mut self, json: bool, fault: Option<Exit>) -> Exit {
        let ended = self.fuzzer.as_mut().map_or(Ok(None), Fuzzer::end);
        let written = self.args.reports.write(&self.tally.summary());
        let exit = match (&ended, fault.or(written.err())) {
            _ if !self.tally.is_sound() => Exit::Broken,
            (_, Some(fault)) => fault,
            (Err(fault), None) => *fault,
            (Ok(Some(_)), None) => Exit::Fuzzer,
            (Ok(None), None) => Exit::Success,
        };
        self.tally.tell(json, exit);
        if let Ok(Some(how)) = ended {
            terminal::note(format!("error: the command behind `--` failed: {how}"));
        }
        exit
    }
}

/// What came.
struct Ready {
    client: bool,
    control: bool,
    fuzzer: bool,
    signal: bool,
}

/// Waits until one of them is ready, for so long at most.
fn sleep(fds: &mut [PollFd<'_>], patience: Option<Duration>) -> Result<(), Exit> {
    let timeout = patience.map(|patience| Timespec {
        tv_sec: i64::try_from(patience.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: patience.subsec_nanos().into(),
    });
    match poll(fds, timeout.as_ref()) {
        Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
        Err(fault) => Err(refuse(Exit::Internal, fault)),
    }
}
