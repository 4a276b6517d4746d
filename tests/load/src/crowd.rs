//! Child processes, seen from their parent: started, counted, ended. None outlives its handle.

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Instant;

use e2e::Outcome;

use crate::limits::{CHILD_END, CROWD_STANDS, TICK};
use crate::orders::{Orders, Progress};

/// See the module.
#[derive(Debug)]
pub(crate) struct Crowd(Vec<Member>);

#[derive(Debug)]
struct Member {
    child: Child,
    stdin: Option<ChildStdin>,
    progress: Arc<Mutex<Option<Progress>>>,
    reader: Option<JoinHandle<()>>,
}

impl Crowd {
    /// Starts a child for each of the orders.
    pub(crate) fn start(orders: &[Orders]) -> Outcome<Self> {
        orders.iter().map(Member::start).collect::<Outcome<_>>().map(Self)
    }

    /// How far they have come.
    pub(crate) fn progress(&self) -> Progress {
        self.0.iter().filter_map(Member::progress).sum()
    }

    /// Waits until each of them has said something: backends listen from then on.
    pub(crate) fn wait_until_heard(&self) -> Outcome {
        self.wait_until("say anything", || self.0.iter().all(|member| member.progress().is_some()), |_| {})
    }

    /// Waits until so many stand.
    pub(crate) fn wait_until_open(&self, count: u64, watch: impl Fn(&Progress)) -> Outcome {
        self.wait_until("come to stand", || self.progress().open >= count, watch)
    }

    /// Waits until so many have begun; they may have been ended since.
    pub(crate) fn wait_until_begun(&self, count: u64, watch: impl Fn(&Progress)) -> Outcome {
        self.wait_until("begin", || self.progress().begun >= count, watch)
    }

    /// Waits until none stands.
    pub(crate) fn wait_until_ended(&self, watch: impl Fn(&Progress)) -> Outcome {
        self.wait_until("end", || self.progress().open == 0, watch)
    }

    fn wait_until(&self, what: &str, holds: impl Fn() -> bool, watch: impl Fn(&Progress)) -> Outcome {
        let end = Instant::now() + CROWD_STANDS;
        while !holds() {
            watch(&self.progress());
            if Instant::now() > end || self.0.iter().any(Member::is_gone) {
                return Err(format!("the crowd did not {what}: {:?}", self.progress()).into());
            }
            thread::sleep(TICK);
        }
        Ok(())
    }

    /// Has them end, and waits for it: how far they had come.
    pub(crate) fn end(mut self) -> Outcome<Progress> {
        for member in &mut self.0 {
            member.stdin = None;
        }
        for member in &mut self.0 {
            member.wait()?;
        }
        Ok(self.progress())
    }
}

impl Member {
    fn start(orders: &Orders) -> Outcome<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("--child").arg(serde_json::to_string(orders)?);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let (stdin, progress) = (child.stdin.take(), Arc::default());
        let reader = child.stdout.take().map(|stdout| listen(stdout, Arc::clone(&progress)));
        Ok(Self { child, stdin, progress, reader })
    }

    fn progress(&self) -> Option<Progress> {
        *self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_gone(&self) -> bool {
        self.reader.as_ref().is_none_or(JoinHandle::is_finished)
    }

    fn wait(&mut self) -> Outcome {
        let end = Instant::now() + CHILD_END;
        while !self.is_gone() {
            if Instant::now() > end {
                return Err("a child does not end".into());
            }
            thread::sleep(TICK);
        }
        let status = self.child.wait()?;
        if status.success() { Ok(()) } else { Err(format!("a child ended with {status}").into()) }
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn listen(from: ChildStdout, into: Arc<Mutex<Option<Progress>>>) -> JoinHandle<()> {
    thread::spawn(move || {
        let lines = BufReader::new(from).lines().map_while(Result::ok);
        for progress in lines.filter_map(|line| serde_json::from_str(&line).ok()) {
            *into.lock().unwrap_or_else(PoisonError::into_inner) = Some(progress);
        }
    })
}
