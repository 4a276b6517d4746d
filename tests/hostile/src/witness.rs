//! The backend, which remembers how each of its connections ended. It answers a line with `answer to LINE`, and reads on.

use core::time::Duration;
use std::collections::HashMap;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Instant;

use e2e::Outcome;
use e2e::backend::Backend;

/// The account, shared with whoever asks for it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Witness(Arc<Mutex<HashMap<String, Heard>>>);

/// What came behind a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Heard {
    /// Bytes behind the line.
    pub(crate) bytes: usize,
    pub(crate) end: Ending,
}

/// How a stream ended for who reads it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    /// In order: whoever reads may believe that this was all.
    Orderly,
    /// Visibly cut.
    Broken,
}

/// Lines that begin so are legitimate clients', and nobody asks for them.
pub(crate) const LEGITIMATE: &str = "legitimate";

const PATIENCE: Duration = Duration::from_secs(5);

impl Witness {
    /// Starts a backend that gives this account.
    pub(crate) fn start() -> io::Result<(Self, Backend)> {
        let witness = Self::default();
        let notes = witness.clone();
        let backend = Backend::start(move |stream| notes.serve(stream))?;
        Ok((witness, backend))
    }

    fn serve(&self, mut stream: TcpStream) -> io::Result<()> {
        let (mut reader, mut line) = (BufReader::new(stream.try_clone()?), String::new());
        reader.read_line(&mut line)?;
        write!(stream, "answer to {line}")?;
        if !line.contains("stay") {
            stream.shutdown(Shutdown::Write)?;
        }
        self.listen(&line, &mut reader);
        Ok(())
    }

    /// Reads to the end, and notes it under `line`.
    pub(crate) fn listen(&self, line: &str, reader: &mut impl Read) {
        let mut rest = Vec::new();
        let end = if reader.read_to_end(&mut rest).is_ok() { Ending::Orderly } else { Ending::Broken };
        if !line.starts_with(LEGITIMATE) {
            let heard = Heard { bytes: rest.len(), end };
            self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(line.trim_end().to_owned(), heard);
        }
    }

    /// How the connection that began with `line` ended; waits for the end.
    pub(crate) fn of(&self, line: &str) -> Outcome<Heard> {
        let end = Instant::now() + PATIENCE;
        while Instant::now() < end {
            if let Some(heard) = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(line) {
                return Ok(*heard);
            }
            thread::sleep(Duration::from_millis(2));
        }
        Err(format!("the backend has not heard the end of {line:?}").into())
    }
}
