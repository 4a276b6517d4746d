//! Seeing into a running box: its admin address, and the command line beside it.

use core::net::SocketAddr;
use core::time::Duration;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::{Command, Output};
use std::thread;
use std::time::Instant;

use crate::{Outcome, Running, bountybox};

/// Lines for a configuration: an admin address of the system's choice, and a socket.
pub const ADMIN: &str = "[admin]\naddress = \"127.0.0.1:0\"\nsocket = \"admin.sock\"\n";

const PATIENCE: Duration = Duration::from_secs(10);

/// A box with [`ADMIN`], seen from outside.
#[derive(Debug)]
pub struct Eye<'r> {
    running: &'r Running,
    address: SocketAddr,
}

impl<'r> Eye<'r> {
    /// Finds the admin address in what the box has said.
    ///
    /// # Errors
    /// When it has said none.
    pub fn new(running: &'r Running) -> Outcome<Self> {
        let said = running.said();
        let address = said.split("admin: http://").nth(1).and_then(|rest| rest.split('/').next()).ok_or("no admin address")?;
        Ok(Self { running, address: address.parse()? })
    }

    /// GET: the status, and the body.
    ///
    /// # Errors
    /// When there is no answer.
    pub fn get(&self, path: &str) -> Outcome<(u16, String)> {
        self.ask("GET", path)
    }

    /// The same with any method.
    ///
    /// # Errors
    /// When there is no answer.
    pub fn ask(&self, method: &str, path: &str) -> Outcome<(u16, String)> {
        let mut stream = TcpStream::connect_timeout(&self.address, PATIENCE)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        write!(stream, "{method} {path} HTTP/1.1\r\nHost: localhost\r\n\r\n")?;
        let mut text = String::new();
        stream.read_to_string(&mut text)?;
        let (head, body) = text.split_once("\r\n\r\n").ok_or("no head")?;
        Ok((head.split(' ').nth(1).ok_or("no status")?.parse()?, body.to_owned()))
    }

    /// The sum over the series of a metric whose labels contain all of these: `("bountybox_connections_total", &[])`.
    ///
    /// # Errors
    /// When there is no such series.
    pub fn metric(&self, name: &str, labels: &[&str]) -> Outcome<f64> {
        let (_, text) = self.get("/metrics")?;
        let of = |line: &&str| {
            let series = line.rsplit_once(' ').map_or("", |(series, _)| series);
            series.split('{').next() == Some(name) && labels.iter().all(|label| series.contains(label))
        };
        let values: Vec<f64> = text.lines().filter(of).filter_map(|line| line.rsplit_once(' ')?.1.parse().ok()).collect();
        if values.is_empty() { Err(format!("no {name} {labels:?} in:\n{text}").into()) } else { Ok(values.iter().sum()) }
    }

    /// Waits until a metric is what is wanted; it may be asked for before what it counts has happened.
    ///
    /// # Errors
    /// When it never is.
    pub fn wait_for(&self, name: &str, labels: &[&str], wanted: impl Fn(f64) -> bool) -> Outcome<f64> {
        let end = Instant::now() + PATIENCE;
        loop {
            let value = self.metric(name, labels);
            if let Ok(value) = value
                && wanted(value)
            {
                return Ok(value);
            }
            if Instant::now() > end {
                return Err(format!("{name} {labels:?} is {value:?}").into());
            }
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Waits until `/readyz` answers with this status.
    ///
    /// # Errors
    /// When it never does; with its last words.
    pub fn wait_until_ready_is(&self, status: u16) -> Outcome<String> {
        let end = Instant::now() + PATIENCE;
        loop {
            let (found, why) = self.get("/readyz")?;
            if found == status {
                return Ok(why);
            }
            if Instant::now() > end {
                return Err(format!("/readyz answers {found}: {why}").into());
            }
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// `bountybox VERB .. --config` of this box.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn command(&self, arguments: &[&str]) -> Outcome<Output> {
        Ok(Command::new(bountybox()).args(arguments).arg("--config").arg(self.running.config_file()).output()?)
    }
}
