//! Programs that are run to their end: with input, with a bound on their time, with all that they say.

use core::time::Duration;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::{self, JoinHandle};
use std::time::Instant;

use e2e::Outcome;

/// No client takes longer.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a program left behind.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) success: bool,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: String,
}

impl Ended {
    /// Everything that it said, for a message.
    pub(crate) fn said(&self) -> String {
        format!("{}\n{}", String::from_utf8_lossy(&self.stdout), self.stderr)
    }
}

/// Runs a program that must succeed. Its standard output.
///
/// # Errors
/// What it said, if it failed.
pub(crate) fn check(program: &Path, arguments: &[&str]) -> Outcome<String> {
    let mut command = Command::new(program);
    command.args(arguments);
    let ended = run(command, b"", PATIENCE)?;
    if ended.success {
        return Ok(String::from_utf8_lossy(&ended.stdout).into_owned());
    }
    Err(format!("{} {}: {}", program.display(), arguments.join(" "), ended.said()).into())
}

/// Runs a client to its end, with `input` on its standard input, which stays open until then: some clients leave at its end.
///
/// # Errors
/// When it does not start, or does not end in time.
pub(crate) fn client(command: Command, input: &[u8]) -> Outcome<Ended> {
    run(command, input, PATIENCE)
}

/// The same, for a program that needs more time.
///
/// # Errors
/// When it does not start, or does not end in time.
pub(crate) fn run(mut command: Command, input: &[u8], patience: Duration) -> Outcome<Ended> {
    let started = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut child = started.map_err(|fault| format!("{} does not start: {fault}", command.get_program().display()))?;
    let (stdout, stderr) = (collect(child.stdout.take()), collect(child.stderr.take()));
    let mut stdin = child.stdin.take();
    if let Some(stdin) = stdin.as_mut() {
        // A client that is gone already says why.
        let _ = stdin.write_all(input).and_then(|()| stdin.flush());
    }
    let success = wait(&mut child, patience)?;
    drop(stdin);
    let [stdout, stderr] = [stdout, stderr].map(|reader| reader.join().unwrap_or_default());
    Ok(Ended { success, stdout, stderr: String::from_utf8_lossy(&stderr).into_owned() })
}

fn wait(child: &mut Child, patience: Duration) -> Outcome<bool> {
    let end = Instant::now() + patience;
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status.success());
        }
        if Instant::now() > end {
            let _ = child.kill();
            let _ = child.wait();
            return Err(format!("the program did not end within {patience:?}").into());
        }
        thread::sleep(Duration::from_millis(2));
    }
}

fn collect(from: Option<impl Read + Send + 'static>) -> JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut from) = from {
            let _ = from.read_to_end(&mut bytes);
        }
        bytes
    })
}

/// Where a program lies, if it is installed.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var("PATH").unwrap_or_default();
    let folders = path.split(':').chain(["/usr/sbin", "/sbin"]);
    folders.map(|folder| Path::new(folder).join(program)).find(|path| path.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_told_with_what_was_said() {
        let fault = check(Path::new("sh"), &["-c", "echo why >&2; exit 3"]).err().map(|fault| fault.to_string());
        assert!(fault.is_some_and(|fault| fault.contains("why")));
        assert_eq!(check(Path::new("sh"), &["-c", "echo good"]).ok().as_deref(), Some("good\n"));
    }

    #[test]
    fn a_program_that_does_not_end_is_ended() {
        let mut command = Command::new("sleep");
        command.arg("1000");
        assert!(run(command, b"", Duration::from_millis(50)).is_err());
    }

    #[test]
    fn the_input_arrives_and_stays_open() {
        let mut command = Command::new("head");
        command.args(["-c", "3"]);
        assert_eq!(client(command, b"abcdef").map(|ended| ended.stdout).ok(), Some(b"abc".to_vec()));
    }
}
