//! The page's process, seen from outside: started, answered, and started anew when it has ended.

use core::time::Duration;
use std::io;
use std::net::TcpListener;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Instant;

use bounty_page::Limits;
use bounty_page::contest::Contest;
use bounty_page::limits::THREADS_MAX;
use bounty_page::remote::Answering;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use tender::jail::Crew;

use crate::limits::PAGE_START_PATIENCE;
use crate::page::Order;
use crate::run::backoff::Backoff;
use crate::terminal;

/// See the module.
#[derive(Debug)]
pub(super) struct Page {
    /// Its end is the page's.
    stop: UnixStream,
    keeper: JoinHandle<()>,
}

impl Page {
    /// Starts the process, and keeps one running until [`Page::close`]. Listeners behind the terminator come first, as [`Order::named`] counts them.
    ///
    /// # Errors
    /// What the system says, or that the process does not serve; it has said why.
    pub(super) fn open(listeners: Vec<TcpListener>, order: Order, contest: Arc<dyn Contest>) -> io::Result<Self> {
        let (stop, stopped) = UnixStream::pair()?;
        let starter = Starter { listeners, order, answering: Arc::new(Answering::new(contest, &Limits::default())) };
        let first = starter.start()?;
        let keeper = thread::Builder::new().name("page".into()).spawn(move || starter.keep(first, &stopped))?;
        Ok(Self { stop, keeper })
    }

    /// Ends it.
    pub(super) fn close(self) {
        drop(self.stop);
        let _ended = self.keeper.join();
    }
}

/// What each of the processes, one after the other, is given.
struct Starter {
    listeners: Vec<TcpListener>,
    order: Order,
    answering: Arc<Answering>,
}

/// One of them.
struct Running {
    child: Child,
    /// Readable once it has ended.
    ended: Arc<OwnedFd>,
    /// Its end is the process's.
    socket: UnixStream,
    since: Instant,
}

impl Starter {
    /// It gets no argument, no variable but the one that its jail asks for, and no descriptor but the socket and standard error.
    fn start(&self) -> io::Result<Running> {
        let (socket, theirs) = UnixStream::pair()?;
        socket.set_read_timeout(Some(PAGE_START_PATIENCE))?;
        let pairs = (0..THREADS_MAX).map(|_| UnixStream::pair()).collect::<io::Result<Vec<_>>>()?;
        let (ours, for_them): (Vec<_>, Vec<_>) = pairs.into_iter().unzip();
        tender::mark_close_on_exec()?;
        let mut command = Command::new("/proc/self/exe");
        let (variable, value) = Crew::ENVIRONMENT;
        command.arg0("bountybox").arg("page").env_clear().env(variable, value).current_dir("/").process_group(0);
        let child = command.stdin(OwnedFd::from(theirs)).stdout(Stdio::null()).spawn()?;
        // Only then does the far end have one owner.
        drop(command);
        let ended = Arc::new(pidfd_open(Pid::from_child(&child), PidfdFlags::empty())?);
        let mut running = Running { child, ended, socket, since: Instant::now() };
        if let Err(fault) = self.order.hand_over(&running.socket, &self.listeners, &for_them) {
            running.end();
            return Err(fault);
        }
        for stream in ours {
            let (answering, ended) = (Arc::clone(&self.answering), Arc::clone(&running.ended));
            thread::Builder::new().name("desk".into()).spawn(move || {
                answering.attend(stream);
                // It has ended, or it says what it never would.
                let _gone = pidfd_send_signal(&*ended, Signal::KILL);
            })?;
        }
        Ok(running)
    }

    fn keep(&self, first: Running, stopped: &UnixStream) {
        let mut backoff = Backoff::new();
        let mut running = Some(first);
        loop {
            let life = running.take().map(|mut running| {
                let stop = wait(stopped, Some(&running.ended), None);
                (stop, running.end(), running.since.elapsed())
            });
            let (why, life) = match life {
                Some((true, ..)) => return,
                Some((false, status, life)) => (format!("the page's process ended ({status})"), life),
                None => ("the page's process cannot be started".into(), Duration::ZERO),
            };
            let delay = backoff.after(life);
            terminal::note(format!("warning: {why}; a fresh one starts in {} ms", delay.as_millis()));
            if wait(stopped, None, Some(delay)) {
                return;
            }
            running = self.start().map_err(|fault| terminal::note(format!("error: the page is not served: {fault}"))).ok();
        }
    }
}

impl Running {
    /// How it ended; kills it, if it has not.
    fn end(&mut self) -> String {
        let _gone = self.child.kill();
        self.child.wait().map_or_else(|fault| fault.to_string(), |status| status.to_string())
    }
}

/// Waits for the stop, for a process's end, or until the time is over; whether it is the stop.
fn wait(stopped: &UnixStream, ended: Option<&OwnedFd>, at_most: Option<Duration>) -> bool {
    let mut looked_at: Vec<PollFd<'_>> = core::iter::once(stopped.as_fd())
        .chain(ended.map(AsFd::as_fd))
        .map(|descriptor| PollFd::from_borrowed_fd(descriptor, PollFlags::IN))
        .collect();
    let at_most = at_most.and_then(|time| Timespec::try_from(time).ok());
    loop {
        match poll(&mut looked_at, at_most.as_ref()) {
            Err(rustix::io::Errno::INTR) => {}
            Err(_) => return true,
            Ok(_) => return looked_at.first().is_some_and(|stopped| !stopped.revents().is_empty()),
        }
    }
}
