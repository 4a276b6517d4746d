//! Chromium's developer tools over a pair of pipes: JSON messages, each ended by a zero byte.

use core::time::Duration;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::Instant;

use serde_json::{Value, json};

use crate::Outcome;

/// No step takes longer.
const PATIENCE: Duration = Duration::from_secs(60);

/// It wants the pipes as descriptors 3 and 4; it resolves no name but ours, calls nobody up, and asks no key ring. The sandbox is off because it does
/// not start for root, and because the page is our own.
const START: &str = "exec chromium --headless --no-sandbox --disable-gpu --no-first-run --password-store=basic --remote-debugging-pipe \
                     --disable-background-networking --disable-component-update --disable-sync --disable-dev-shm-usage \
                     --host-resolver-rules='MAP * ~NOTFOUND, EXCLUDE localhost' \"$@\" about:blank 3<&0 4>&1 </dev/null >/dev/null";

/// A browser with one page.
#[derive(Debug)]
pub struct Devtools {
    child: Child,
    to: ChildStdin,
    from: Receiver<Value>,
    /// Events that came while something else was awaited.
    events: Vec<Value>,
    session: Option<String>,
    calls: u64,
}

impl Devtools {
    /// Starts a browser in a home of its own, and opens a page.
    ///
    /// # Errors
    /// When it does not start, or not talk.
    pub fn start(home: &Path, flags: &[&str]) -> Outcome<Self> {
        let mut command = Command::new("sh");
        command.args(["-c", START, "chromium"]).arg(format!("--user-data-dir={}", home.join("profile").display())).args(flags);
        command.env("HOME", home).env_remove("XDG_CONFIG_HOME").env_remove("XDG_DATA_HOME").env_remove("DBUS_SESSION_BUS_ADDRESS");
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
        let (to, from) = (child.stdin.take().ok_or("no pipe")?, child.stdout.take().ok_or("no pipe")?);
        let mut tools = Self { child, to, from: messages(from), events: Vec::new(), session: None, calls: 0 };
        let target = tools.call("Target.createTarget", &json!({"url": "about:blank"}))?["targetId"].take();
        let session = tools.call("Target.attachToTarget", &json!({"targetId": target, "flatten": true}))?;
        tools.session = session["sessionId"].as_str().map(str::to_owned);
        Ok(tools)
    }

    /// Calls a method; its result.
    ///
    /// # Errors
    /// What the browser says is wrong, or that it says nothing.
    pub fn call(&mut self, method: &str, parameters: &Value) -> Outcome<Value> {
        self.calls += 1;
        let mut call = json!({"id": self.calls, "method": method, "params": parameters});
        if parameters.is_null() {
            call["params"] = json!({});
        }
        if let Some(session) = &self.session {
            call["sessionId"] = session.clone().into();
        }
        self.to.write_all(format!("{call}\0").as_bytes())?;
        self.to.flush()?;
        loop {
            let mut message = self.next(method)?;
            if message["id"] == self.calls {
                let fault = &message["error"];
                return if fault.is_null() { Ok(message["result"].take()) } else { Err(format!("{method}: {fault}").into()) };
            }
            self.events.push(message);
        }
    }

    /// The first event of this name for which `wanted` holds, whether it came already or is yet to come.
    ///
    /// # Errors
    /// When none comes.
    pub fn event(&mut self, name: &str, wanted: impl Fn(&Value) -> bool) -> Outcome<Value> {
        let matches = |message: &Value| message["method"] == name && wanted(&message["params"]);
        if let Some(at) = self.events.iter().position(matches) {
            return Ok(self.events.swap_remove(at)["params"].take());
        }
        loop {
            let mut message = self.next(name)?;
            if matches(&message) {
                return Ok(message["params"].take());
            }
            self.events.push(message);
        }
    }

    /// The events of these names so far that nobody asked for.
    pub fn seen<'a>(&'a self, names: &'a [&str]) -> impl Iterator<Item = &'a Value> {
        self.events.iter().filter(|message| message["method"].as_str().is_some_and(|method| names.contains(&method)))
    }

    /// The value of an expression in the page; of a promise, what it promises.
    ///
    /// # Errors
    /// What the page throws.
    pub fn evaluate(&mut self, expression: &str) -> Outcome<Value> {
        let mut result = self.call("Runtime.evaluate", &json!({"expression": expression, "returnByValue": true, "awaitPromise": true}))?;
        let fault = &result["exceptionDetails"];
        if fault.is_null() { Ok(result["result"]["value"].take()) } else { Err(format!("{expression}: {fault}").into()) }
    }

    fn next(&self, awaited: &str) -> Outcome<Value> {
        self.from.recv_timeout(PATIENCE).map_err(|fault| match fault {
            RecvTimeoutError::Timeout => format!("the browser said nothing for {PATIENCE:?}, waiting for {awaited}").into(),
            RecvTimeoutError::Disconnected => format!("the browser ended, waiting for {awaited}").into(),
        })
    }
}

impl Drop for Devtools {
    /// A browser that is asked to close takes its processes with it.
    fn drop(&mut self) {
        self.session = None;
        let _ = self.to.write_all(b"{\"id\":0,\"method\":\"Browser.close\"}\0");
        let end = Instant::now() + Duration::from_secs(5);
        while matches!(self.child.try_wait(), Ok(None)) && Instant::now() < end {
            thread::sleep(Duration::from_millis(10));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn messages(from: ChildStdout) -> Receiver<Value> {
    let (sender, receiver) = channel();
    thread::spawn(move || {
        for message in BufReader::new(from).split(0).map_while(Result::ok) {
            let Ok(message) = serde_json::from_slice(&message) else { break };
            if sender.send(message).is_err() {
                break;
            }
        }
    });
    receiver
}
