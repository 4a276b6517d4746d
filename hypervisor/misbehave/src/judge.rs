//! The judgement: one connection for each misbehaviour, or two where it is said to a client that comes back, from whoever comes or from a command that
//! is started for it.

use core::net::SocketAddr;
use core::time::Duration;
use std::io::{self, ErrorKind, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Instant;

use time::OffsetDateTime;

use crate::authority::{Authority, NAME};
use crate::conversation::{Host, Stage};
use crate::limits::{LOOK, PATIENCES_MAX};
use crate::misbehaviour::{Evidence, Misbehaviour};
use crate::verdict::{Absence, Folly, Notice, Verdict};
use crate::wire::Fault;

/// See the module.
#[derive(Debug)]
pub struct Judge {
    listener: TcpListener,
    authority: Authority,
    patience: Duration,
}

/// Who is judged.
#[derive(Debug, Clone, Copy)]
pub enum Client<'a> {
    /// Whoever connects.
    Anybody,
    /// This command, started anew each time; `{host}`, `{port}` and `{ca}` in it are filled in.
    Command(&'a [String], &'a str),
}

/// Why there is no judgement.
#[derive(Debug)]
pub enum JudgeFault {
    /// There is nobody who could sign.
    Making,
    /// The address is not to be had.
    Listening(ErrorKind),
    /// The client's command does not start.
    Starting(String, ErrorKind),
    /// What was to be said could not be made.
    Saying(Fault),
}

impl core::fmt::Display for JudgeFault {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Making => f.write_str("no certificate could be made"),
            Self::Listening(kind) => write!(f, "the address is not to be had: {kind}"),
            Self::Starting(program, kind) => write!(f, "{program} does not start: {kind}"),
            Self::Saying(fault) => write!(f, "nothing could be said: {fault}"),
        }
    }
}

impl core::error::Error for JudgeFault {}

/// What a command reads from its standard input, for those that ask for what they are told to ask for.
const REQUEST: &str = "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";

impl Judge {
    /// Listens, with a new authority. A client may take as long as `patience` for one thing.
    ///
    /// # Errors
    /// The address is not to be had, or no certificate could be made.
    pub fn new(address: SocketAddr, now: OffsetDateTime, patience: Duration) -> Result<Self, JudgeFault> {
        let authority = Authority::new(now).map_err(|_| JudgeFault::Making)?;
        let listener = TcpListener::bind(address).map_err(|fault| JudgeFault::Listening(fault.kind()))?;
        listener.set_nonblocking(true).map_err(|fault| JudgeFault::Listening(fault.kind()))?;
        Ok(Self { listener, authority, patience })
    }

    /// Where it listens.
    ///
    /// # Errors
    /// The system does not say.
    pub fn address(&self) -> Result<SocketAddr, JudgeFault> {
        self.listener.local_addr().map_err(|fault| JudgeFault::Listening(fault.kind()))
    }

    /// What clients are to trust, as PEM.
    #[must_use]
    pub fn root(&self) -> &str {
        self.authority.pem()
    }

    /// Judges.
    ///
    /// # Errors
    /// There was nobody or nothing to begin with; what a client does is never one.
    pub fn judge(&self, misbehaviour: &Misbehaviour, client: Client<'_>) -> Result<Verdict, JudgeFault> {
        match client {
            Client::Anybody => {
                let verdict = self.meet(misbehaviour, None)?;
                Ok(weigh(misbehaviour, verdict, None))
            }
            Client::Command(words, ca) => {
                let mut started = self.start(words, ca)?;
                let verdict = self.meet(misbehaviour, Some(&mut started));
                let ended = self.wait(started);
                Ok(weigh(misbehaviour, verdict?, Some(ended)))
            }
        }
    }

    fn start(&self, words: &[String], ca: &str) -> Result<Child, JudgeFault> {
        let port = self.address()?.port().to_string();
        let mut words = words.iter().map(|word| word.replace("{host}", NAME).replace("{port}", &port).replace("{ca}", ca));
        let program = words.next().unwrap_or_default();
        let mut command = Command::new(&program);
        command.args(words).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = command.spawn().map_err(|fault| JudgeFault::Starting(program, fault.kind()))?;
        if let Some(input) = child.stdin.as_mut() {
            // Who does not read it does not need it.
            let _ = input.write_all(REQUEST.as_bytes()).and_then(|()| input.flush());
        }
        Ok(child)
    }

    /// Speaks to the next who connects; and again, if it is said to those who come back.
    fn meet(&self, misbehaviour: &Misbehaviour, mut child: Option<&mut Child>) -> Result<Verdict, JudgeFault> {
        let host = Host { authority: &self.authority, patience: self.patience };
        let Some(tcp) = self.next(child.as_deref_mut()) else { return Ok(Verdict::NoClient(Absence::Nobody)) };
        let Some(first) = misbehaviour.first else { return host.converse(tcp, misbehaviour, None).map_err(JudgeFault::Saying) };
        let stage = if misbehaviour.is_honest() { Stage::Wrong } else { Stage::Sound };
        let session = match host.acquaint(tcp, &first, stage).map_err(JudgeFault::Saying)? {
            Ok(session) => session,
            Err(verdict) => return Ok(verdict),
        };
        let Some(tcp) = self.next(child) else { return Ok(Verdict::Untried) };
        host.converse(tcp, misbehaviour, Some(&session)).map_err(JudgeFault::Saying)
    }

    /// Whoever connects next, if somebody does.
    fn next(&self, mut child: Option<&mut Child>) -> Option<TcpStream> {
        let until = Instant::now() + self.patience * PATIENCES_MAX;
        while Instant::now() < until {
            // Looked at before the listener: who has gone may have come before.
            let gone = child.as_mut().is_some_and(|child| !matches!(child.try_wait(), Ok(None)));
            let came = self.accept();
            if came.is_some() || gone {
                return came;
            }
            thread::sleep(LOOK);
        }
        None
    }

    fn accept(&self) -> Option<TcpStream> {
        let (tcp, _) = self.listener.accept().ok()?;
        tcp.set_nonblocking(false).ok()?;
        Some(tcp)
    }

    /// Whether it ended well; one that does not end is ended. Whoever tries again meanwhile is let go.
    fn wait(&self, mut child: Child) -> Ended {
        drop(child.stdin.take());
        let until = Instant::now() + self.patience;
        while Instant::now() < until {
            match child.try_wait() {
                Ok(Some(status)) if status.success() => return Ended::Well,
                Ok(Some(_)) | Err(_) => return Ended::Badly,
                Ok(None) => drop(self.accept()),
            }
            thread::sleep(LOOK);
        }
        end(&mut child);
        Ended::Never
    }
}

/// How a client's command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ended {
    Well,
    Badly,
    Never,
}

fn end(child: &mut Child) {
    let _: io::Result<()> = child.kill();
    let _ = child.wait();
}

/// What was seen on the connection, and how the client itself says that it went. An alert is beyond doubt; an end without one may mean either.
fn weigh(misbehaviour: &Misbehaviour, seen: Verdict, ended: Option<Ended>) -> Verdict {
    if misbehaviour.is_honest() {
        return honest(seen, ended);
    }
    match (seen, ended, misbehaviour.evidence) {
        (Verdict::Noticed(Notice::Closed), Some(Ended::Well), _) => Verdict::Fooled(Folly::Succeeded),
        (Verdict::Noticed(Notice::Closed), Some(Ended::Badly), Evidence::ExitCode) => Verdict::Noticed(Notice::Failed),
        (Verdict::Noticed(Notice::Closed) | Verdict::Fooled(Folly::WentOn), Some(Ended::Never), Evidence::ExitCode) => {
            Verdict::Fooled(Folly::WentOn)
        }
        _ => seen,
    }
}

fn honest(seen: Verdict, ended: Option<Ended>) -> Verdict {
    match (seen, ended) {
        (Verdict::Fooled(Folly::Data), Some(Ended::Badly | Ended::Never)) => Verdict::Refused(Notice::Failed),
        (Verdict::Fooled(Folly::Data), _) => Verdict::Accepted,
        (Verdict::Fooled(_), _) => Verdict::Refused(Notice::Silent),
        (Verdict::Noticed(notice), _) => Verdict::Refused(notice),
        _ => seen,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::{HONEST, find};

    #[test]
    fn an_end_without_an_alert_is_what_the_exit_code_makes_of_it() {
        let expired = find("expired").expect("there");
        let closed = Verdict::Noticed(Notice::Closed);
        assert_eq!(weigh(expired, closed, Some(Ended::Well)), Verdict::Fooled(Folly::Succeeded));
        assert_eq!(weigh(expired, closed, Some(Ended::Badly)), closed);
        assert_eq!(weigh(expired, closed, None), closed);
        let alert = Verdict::Noticed(Notice::Alert(45));
        assert_eq!(weigh(expired, alert, Some(Ended::Well)), alert);
        let data = Verdict::Fooled(Folly::Data);
        assert_eq!(weigh(expired, data, Some(Ended::Badly)), data);
    }

    #[test]
    fn only_the_exit_code_tells_of_an_end_that_is_cut() {
        let truncated = find("truncated").expect("there");
        let closed = Verdict::Noticed(Notice::Closed);
        assert_eq!(weigh(truncated, closed, Some(Ended::Badly)), Verdict::Noticed(Notice::Failed));
        assert_eq!(weigh(truncated, closed, Some(Ended::Well)), Verdict::Fooled(Folly::Succeeded));
        assert_eq!(weigh(truncated, closed, Some(Ended::Never)), Verdict::Fooled(Folly::WentOn));
    }

    #[test]
    fn the_control_is_accepted_by_who_asks_and_ends_well() {
        let data = Verdict::Fooled(Folly::Data);
        assert_eq!(weigh(&HONEST, data, Some(Ended::Well)), Verdict::Accepted);
        assert_eq!(weigh(&HONEST, data, Some(Ended::Badly)), Verdict::Refused(Notice::Failed));
        assert_eq!(weigh(&HONEST, Verdict::Fooled(Folly::WentOn), None), Verdict::Refused(Notice::Silent));
        assert_eq!(weigh(&HONEST, Verdict::Noticed(Notice::Alert(48)), None), Verdict::Refused(Notice::Alert(48)));
    }
}
