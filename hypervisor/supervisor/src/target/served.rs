//! `bountybox target`: a box that is there to be fuzzed over TCP. Each session begins from the same state, is judged, and is kept if something is wrong.
//!
//! One thread: it moves bytes between sockets and the guest, lets time pass where somebody waits for it, and answers at the second channel in between.

use core::net::SocketAddr;
use core::time::Duration;
use std::io;
use std::net::TcpListener;
use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;
use std::process::{Child, Command};
use std::time::Instant;

use clap::{Args, ValueEnum};
use harness::subject::Stage;
use harness::visit::Visit;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use serde_json::json;

use super::control::{self, Asked, Control};
use super::tally::Tally;
use super::wire::Wire;
use crate::exit::Exit;
use crate::findings::ReportArgs;
use crate::limits::TARGET_CONNECTIONS_MAX;
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
}

/// The command behind `--`.
struct Fuzzer {
    child: Child,
    ended: OwnedFd,
}

/// Why a session ended.
enum Over {
    /// It had its connection.
    Done,
    /// Somebody waits for the box to be brought back.
    Reset(control::Answer),
    /// Nobody wants another one.
    Stop(Option<control::Answer>),
}

pub(super) fn serve(args: &ServedArgs, listen: SocketAddr, command: &[String], json: bool) -> Exit {
    let begun = Instant::now();
    let run = || -> Result<Exit, Exit> {
        let mut specimen = args.specimen.start(Stage::Sealed)?;
        let mut server = Server::open(args, listen, &specimen)?;
        server.announce(&specimen, begun.elapsed());
        server.fuzzer = start(command, &server)?;
        while server.session(&mut specimen)? {}
        server.conclude(json)
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
        let tally = Tally::new(state, specimen.subject.kind(), &args.specimen, args.findings.clone());
        Ok(Self { args, listener, control, signals, fuzzer: None, tally })
    }

    fn address(&self) -> Result<SocketAddr, Exit> {
        self.listener.local_addr().map_err(|fault| refuse(Exit::Internal, fault))
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
        // Nobody came before the end: that was no session.
        if let (Over::Stop(None), false) = (&over, has_come) {
            return Ok(false);
        }
        let outcome = self.tally.take(&mut specimen.subject, &verdict, &record)?;
        let goes_on = |server: &Self| server.args.sessions.is_none_or(|most| server.tally.sessions() < most);
        let answer = json!({ "session": self.tally.sessions(), "verdict": outcome.verdict, "text": outcome.told, "input": outcome.input,
            "reset_ms": outcome.reset.as_secs_f64() * 1e3, "state": hex(&outcome.state) });
        Ok(match over {
            Over::Done => goes_on(self),
            Over::Reset(waiting) => {
                waiting.give(&answer);
                goes_on(self)
            }
            Over::Stop(waiting) => {
                if let Some(waiting) = waiting {
                    waiting.give(&answer);
                }
                false
            }
        })
    }

    /// Moves bytes until the session is over.
    fn attend(&mut self, visit: &mut Visit<'_>) -> Result<Over, Exit> {
        let fault = |fault: harness::subject::Fault| of_subject(&fault);
        let mut wires: Vec<Wire> = Vec::new();
        // The guest's time begins with its first client.
        let mut began: Option<Instant> = None;
        loop {
            let lasted = began.map(|began| began.elapsed());
            let patience = lasted.and_then(|lasted| visit.deadline().map(|at| at.saturating_sub(lasted)));
            let ready = self.wait(&wires, visit, patience)?;
            if ready.stop {
                return Ok(Over::Stop(None));
            }
            if ready.control
                && let Some(control) = &self.control
            {
                match control.hear(|| control::look(visit, &self.tally)) {
                    Asked::Nothing => {}
                    Asked::Reset(answer) => return Ok(Over::Reset(answer)),
                    Asked::Stop(answer) => return Ok(Over::Stop(Some(answer))),
                }
            }
            if ready.client {
                self.let_in(visit, &mut wires);
                if visit.has_come() {
                    began.get_or_insert_with(Instant::now);
                }
            }
            visit.settle().map_err(fault)?;
            if let Some(lasted) = began.map(|began| began.elapsed())
                && visit.deadline().is_some_and(|at| at <= lasted)
            {
                visit.pass(lasted).map_err(fault)?;
            }
            wires.retain_mut(|wire| wire.pump(visit));
            // What was said and what was heard makes room at the other end.
            visit.settle().map_err(fault)?;
            wires.retain_mut(|wire| wire.pump(visit));
            let is_over = visit.has_come() && wires.is_empty() && self.args.session == Session::Connection;
            if is_over || !visit.verdict().is_sound() {
                visit.settle().map_err(fault)?;
                if self.args.session == Session::Connection {
                    return Ok(Over::Done);
                }
                // The guest is no more; its clients see it, and whoever asks is told.
                wires.clear();
            }
        }
    }

    fn let_in(&self, visit: &mut Visit<'_>, wires: &mut Vec<Wire>) {
        while wires.len() < self.room() {
            let Ok((stream, _)) = self.listener.accept() else { break };
            if let Some(wire) = visit.connect().and_then(|client| Wire::new(stream, client).ok()) {
                wires.push(wire);
            }
        }
    }

    fn room(&self) -> usize {
        match self.args.session {
            Session::Connection => 1,
            Session::Asked => TARGET_CONNECTIONS_MAX,
        }
    }

    /// Sleeps until something comes, for so long at most.
    fn wait(&self, wires: &[Wire], visit: &Visit<'_>, patience: Option<Duration>) -> Result<Ready, Exit> {
        // A guest that is no more lets nobody in.
        let lets_in = wires.len() < self.room() && visit.verdict().is_sound();
        let listener = lets_in.then(|| self.listener.as_fd());
        let control = self.control.as_ref().map(AsFd::as_fd);
        let fuzzer = self.fuzzer.as_ref().map(|fuzzer| fuzzer.ended.as_fd());
        let fixed = [listener, control, fuzzer, Some(self.signals.as_fd())];
        let mut fds: Vec<PollFd<'_>> = fixed.into_iter().flatten().map(|fd| PollFd::from_borrowed_fd(fd, PollFlags::IN)).collect();
        fds.extend(wires.iter().map(|wire| PollFd::from_borrowed_fd(wire.as_fd(), wire.wants(visit))));
        let timeout = patience.map(|patience| Timespec {
            tv_sec: i64::try_from(patience.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: patience.subsec_nanos().into(),
        });
        match poll(&mut fds, timeout.as_ref()) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(fault) => return Err(refuse(Exit::Internal, fault)),
        }
        let mut came = fds.iter().map(|fd| !fd.revents().is_empty());
        let mut came = |is_there: bool| is_there && came.next().unwrap_or(false);
        let (client, control) = (came(listener.is_some()), came(control.is_some()));
        let stop = came(fuzzer.is_some()) | came(true);
        Ok(Ready { client, control, stop })
    }

    fn conclude(mut self, json: bool) -> Result<Exit, Exit> {
        let failed = match &mut self.fuzzer {
            Some(fuzzer) => fuzzer.ended()?,
            None => None,
        };
        let exit = if self.tally.is_sound() { failed.as_ref().map_or(Exit::Success, |_| Exit::Fuzzer) } else { Exit::Broken };
        self.tally.tell(json, exit);
        if let Some(how) = failed {
            terminal::note(format!("error: the command behind `--` failed: {how}"));
        }
        self.args.reports.write(&self.tally.summary())?;
        Ok(exit)
    }
}

/// What came.
struct Ready {
    client: bool,
    control: bool,
    stop: bool,
}

fn start(words: &[String], server: &Server<'_>) -> Result<Option<Fuzzer>, Exit> {
    let Some((program, rest)) = words.split_first() else { return Ok(None) };
    let address = server.address()?;
    let control = server.control.as_ref().map(|control| control.address().to_string()).unwrap_or_default();
    let (host, port) = (address.ip().to_string(), address.port().to_string());
    let fill = |word: &String| word.replace("{host}", &host).replace("{port}", &port).replace("{control}", &control);
    let child = Command::new(program).args(rest.iter().map(fill)).spawn();
    let child = child.map_err(|fault| refuse(Exit::Usage, format!("{program} cannot be started: {fault}")))?;
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw).ok_or(Exit::Internal)?;
    let ended = pidfd_open(pid, PidfdFlags::empty()).map_err(|fault| refuse(Exit::Internal, fault))?;
    Ok(Some(Fuzzer { child, ended }))
}

impl Fuzzer {
    /// How it failed, if it did. One that still runs is ended: what it was there for is gone.
    fn ended(&mut self) -> Result<Option<String>, Exit> {
        let fault = |fault: io::Error| refuse(Exit::Internal, fault);
        match self.child.try_wait().map_err(fault)? {
            Some(status) => Ok((!status.success()).then(|| status.to_string())),
            None => {
                self.child.kill().map_err(fault)?;
                self.child.wait().map_err(fault)?;
                Ok(None)
            }
        }
    }
}
