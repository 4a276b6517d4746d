//! `bountybox status`, `reload` and `drain`: what is asked of a running supervisor, over the socket that its configuration names.

use core::time::Duration;
use std::io::{self, IsTerminal, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::thread;

use crate::cli::{AskArgs, StatusArgs};
use crate::exit::Exit;
use crate::limits::{ANSWER_LEN_MAX, RELOAD_PATIENCE, WATCH_INTERVAL};
use crate::report::Report;
use crate::run::refuse;
use crate::{config, terminal};

/// `bountybox status`
pub(crate) fn status(args: &StatusArgs) -> Exit {
    let path = if args.json { "/status" } else { "/status?text" };
    let ask = || socket(&args.config).and_then(|socket| ask(&socket, "GET", path));
    if !args.watch {
        return ask().map_or_else(|exit| exit, |answer| show(&answer));
    }
    loop {
        match ask() {
            Ok(answer) => {
                clear();
                let _shown = show(&answer);
            }
            Err(exit) => return exit,
        }
        thread::sleep(WATCH_INTERVAL);
    }
}

/// `bountybox reload`
pub(crate) fn reload(args: &AskArgs) -> Exit {
    socket(&args.config).and_then(|socket| ask(&socket, "POST", "/reload")).map_or_else(|exit| exit, |answer| show(&answer))
}

/// `bountybox drain`
pub(crate) fn drain(args: &AskArgs) -> Exit {
    socket(&args.config).and_then(|socket| ask(&socket, "POST", "/drain")).map_or_else(|exit| exit, |answer| show(&answer))
}

/// The socket that the configuration names. What else is wrong with the file does not matter here.
fn socket(file: &Path) -> Result<PathBuf, Exit> {
    let mut report = Report::default();
    let Some(config) = config::read(file, &mut report) else {
        report.lines().for_each(terminal::note);
        return Err(report.exit());
    };
    config.admin.socket.ok_or_else(|| refuse(Exit::Config, format!("{}: [admin] has no `socket`, by which to ask", file.display())))
}

/// An answer: its status, and its body.
#[derive(Debug, PartialEq, Eq)]
struct Answer {
    status: u16,
    body: String,
}

fn ask(socket: &Path, method: &str, path: &str) -> Result<Answer, Exit> {
    let nobody = |fault: io::Error| refuse(Exit::Unreachable, format!("nobody answers at {}: {fault}", socket.display()));
    let stream = UnixStream::connect(socket).map_err(nobody)?;
    exchange(stream, method, path).map_err(nobody)
}

fn exchange(mut stream: UnixStream, method: &str, path: &str) -> io::Result<Answer> {
    stream.set_read_timeout(Some(RELOAD_PATIENCE.saturating_add(Duration::from_secs(5))))?;
    stream.write_all(format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\n\r\n").as_bytes())?;
    let mut text = String::new();
    stream.take(ANSWER_LEN_MAX).read_to_string(&mut text)?;
    parse(&text).ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "it is no bountybox that answers"))
}

fn parse(text: &str) -> Option<Answer> {
    let (head, body) = text.split_once("\r\n\r\n")?;
    let status = head.strip_prefix("HTTP/1.1 ")?.get(..3)?.parse().ok()?;
    Some(Answer { status, body: body.to_owned() })
}

/// Shows an answer, where it belongs.
fn show(answer: &Answer) -> Exit {
    if (200..300).contains(&answer.status) {
        terminal::result_lines(&answer.body);
        return Exit::Success;
    }
    answer.body.lines().for_each(terminal::note);
    if answer.status == 409 { Exit::Refused } else { Exit::Unreachable }
}

/// Empties the screen, where there is one; elsewhere the tables follow each other.
fn clear() {
    let mut out = io::stdout();
    if out.is_terminal() {
        // A screen that cannot be cleared scrolls.
        let _gone = out.write_all(b"\x1b[H\x1b[2J");
    } else {
        terminal::result("");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_taken_apart_and_anything_else_is_none() {
        let answer = parse("HTTP/1.1 409 Conflict\r\nContent-Length: 3\r\n\r\nno\n").unwrap();
        assert_eq!((answer.status, &*answer.body), (409, "no\n"));
        assert_eq!(show(&answer), Exit::Refused);
        for text in ["", "HTTP/1.1 200 OK\r\n", "SSH-2.0-x\r\n\r\n", "HTTP/1.1 2\r\n\r\n", "HTTP/1.1 abc\r\n\r\n"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_socket_that_nobody_listens_on_is_told_apart() {
        assert_eq!(ask("/nonexistent/admin.sock".as_ref(), "GET", "/status"), Err(Exit::Unreachable));
    }
}
