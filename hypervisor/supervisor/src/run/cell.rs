//! One cell, seen from outside: the tender process and the channel to it.

use core::time::Duration;
use std::collections::BTreeSet;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use rustix::process::{Pid, PidfdFlags, pidfd_open};
use tender::channel::{ChannelFault, Heard, Supervised};
use tender::contest::Files;
use tender::ending::Ending;
use tender::mailbox::{Ask, Number};
use tender::order::{Order, Update};

use crate::run::opening::Opened;

/// A running tender.
#[derive(Debug)]
pub(super) struct Cell {
    child: Child,
    /// Readable once the process has ended.
    ended: OwnedFd,
    channel: Supervised,
    started: Instant,
    /// See [`Opened::ports`].
    open_ports: Option<BTreeSet<u16>>,
}

impl Cell {
    /// Starts a tender and hands it what was opened. It gets no argument, no variable and no descriptor but the channel and standard error.
    ///
    /// # Errors
    /// What the system says.
    pub(super) fn start(opened: &Opened) -> io::Result<Self> {
        let (mut channel, theirs) = Supervised::pair()?;
        tender::mark_close_on_exec()?;
        let mut command = Command::new("/proc/self/exe");
        command.arg0("bountybox").arg("tender").env_clear().current_dir("/").process_group(0).stdin(theirs).stdout(Stdio::null());
        let child = command.spawn()?;
        // Only then does the far end have one owner.
        drop(command);
        let ended = pidfd_open(Pid::from_child(&child), PidfdFlags::empty())?;
        let recording = opened.recordings.as_ref().and_then(|recordings| Some((recordings.order(), recordings.fresh()?)));
        let order = Order { record: recording.as_ref().map(|(order, _)| *order), ..opened.order.clone() };
        let mut descriptors = opened.borrowed();
        descriptors.extend(recording.as_ref().map(|(_, file)| file.as_fd()));
        descriptors.extend(opened.contest.iter().flat_map(Files::descriptors));
        let sent = channel.send(&order, &opened.bundle, opened.image.as_fd(), &descriptors);
        let cell = Self { child, ended, channel, started: Instant::now(), open_ports: opened.ports() };
        // A tender that dies while it is told says why by its exit code.
        drop(sent);
        Ok(cell)
    }

    /// Readable when the tender says something.
    pub(super) fn channel(&self) -> BorrowedFd<'_> {
        self.channel.as_fd()
    }

    /// Readable when the tender has ended.
    pub(super) fn ended(&self) -> BorrowedFd<'_> {
        self.ended.as_fd()
    }

    /// What the tender says next; to be called until it is [`Heard::Nothing`].
    pub(super) fn hear(&mut self) -> Heard {
        self.channel.hear()
    }

    /// Asks the guest how it stands.
    pub(super) fn ask_status(&mut self) {
        // If it cannot be asked, its last answer grows old.
        let _gone = self.channel.ask_status();
    }

    /// Asks the guest of a contest for something; the answer has the number.
    ///
    /// # Errors
    /// The tender is gone, or reads nothing any more; or it is too much.
    pub(super) fn ask(&mut self, number: Number, ask: &Ask) -> Result<(), ChannelFault> {
        self.channel.ask(number, ask)
    }

    /// The ports that the tender may connect to; `None` where it connects to none itself.
    pub(super) fn open_ports(&self) -> Option<&BTreeSet<u16>> {
        self.open_ports.as_ref()
    }

    /// Sends the guest another bundle, and its tender what goes with it.
    ///
    /// # Errors
    /// The tender is gone, or reads nothing any more.
    pub(super) fn reload(&mut self, update: &Update, bundle: &[u8]) -> Result<(), ChannelFault> {
        self.channel.reload(update, bundle)
    }

    /// Whether something waits for the tender to read on.
    pub(super) fn is_waiting(&self) -> bool {
        self.channel.is_waiting()
    }

    /// Sends on what waits.
    pub(super) fn flush(&mut self) {
        // If it cannot be told, it is ending anyhow.
        let _gone = self.channel.flush();
    }

    /// Asks the guest to finish.
    pub(super) fn drain(&mut self) {
        // If it cannot be asked, it is ending anyhow.
        let _gone = self.channel.drain();
    }

    /// Ends it at once.
    pub(super) fn kill(&mut self) {
        let _gone = self.child.kill();
    }

    /// How it ended, and after how long; waits for it.
    pub(super) fn join(mut self) -> (Ending, Duration) {
        let code = self.child.wait().ok().and_then(|status| status.code());
        (code.map_or(Ending::Unknown, Ending::from_code), self.started.elapsed())
    }
}
