//! The listeners of the admin interface, and a few threads behind them.

use core::net::SocketAddr;
use core::sync::atomic::{AtomicUsize, Ordering};
use std::fs;
use std::io;
use std::net::TcpListener;
use std::os::unix::fs::FileTypeExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;

use rustix::fs::Mode;
use rustix::process::umask;

use super::answer::{self, Door};
use super::board::Board;
use super::http::{self, Timed};
use crate::exit::Exit;
use crate::limits::{ADMIN_CONNECTIONS_MAX, ADMIN_STACK_LEN};
use crate::plan;
use crate::run::refuse;

/// The open interface. Its socket's file goes when this does.
#[derive(Debug)]
pub(crate) struct Admin {
    tcp: Option<TcpListener>,
    unix: Option<(UnixListener, PathBuf)>,
}

impl Admin {
    /// Opens what the plan asks for; nobody is answered yet.
    pub(crate) fn open(plan: &plan::Admin) -> Result<Self, Exit> {
        let cannot = |what: String, fault: io::Error| refuse(Exit::Net, format!("[admin] cannot listen on {what}: {fault}"));
        let tcp = plan.address.map(|address| TcpListener::bind(address).map_err(|fault| cannot(address.to_string(), fault)));
        let unix = plan.socket.as_ref().map(|path| bind(path).map_err(|fault| cannot(path.display().to_string(), fault)));
        let unix = unix.transpose()?;
        Ok(Self { tcp: tcp.transpose()?, unix: unix.zip(plan.socket.clone()) })
    }

    /// Where it listens on TCP.
    pub(crate) fn address(&self) -> Option<SocketAddr> {
        self.tcp.as_ref()?.local_addr().ok()
    }

    /// Answers from now on, on threads of its own.
    pub(crate) fn answer(&self, board: &Arc<Board>) -> io::Result<()> {
        let slots = Slots::default();
        if let Some(tcp) = &self.tcp {
            let (listener, slots, board) = (tcp.try_clone()?, slots.clone(), Arc::clone(board));
            spawn(move || accept(|| listener.accept().map(|(stream, _)| stream), &slots, &board, Door::Tcp))?;
        }
        if let Some((unix, _)) = &self.unix {
            let (listener, slots, board) = (unix.try_clone()?, slots, Arc::clone(board));
            spawn(move || accept(|| listener.accept().map(|(stream, _)| stream), &slots, &board, Door::Owner))?;
        }
        Ok(())
    }
}

impl Drop for Admin {
    fn drop(&mut self) {
        if let Some((_, path)) = &self.unix {
            // Somebody else may have removed it.
            let _gone = fs::remove_file(path);
        }
    }
}

/// A socket that only its owner may open. One that a supervisor has left behind is replaced; one that answers, or another file, is not.
fn bind(path: &Path) -> io::Result<UnixListener> {
    let abandoned = fs::symlink_metadata(path).is_ok_and(|found| found.file_type().is_socket())
        && UnixStream::connect(path).is_err_and(|fault| fault.kind() == io::ErrorKind::ConnectionRefused);
    if abandoned {
        fs::remove_file(path)?;
    }
    // No other thread runs yet that could make a file meanwhile.
    let before = umask(Mode::from_raw_mode(0o177));
    let bound = UnixListener::bind(path);
    umask(before);
    bound
}

fn spawn(work: impl FnOnce() + Send + 'static) -> io::Result<()> {
    thread::Builder::new().name("admin".into()).stack_size(ADMIN_STACK_LEN).spawn(work).map(|_| ())
}

/// Connections that are being answered.
#[derive(Debug, Clone, Default)]
struct Slots(Arc<AtomicUsize>);

impl Slots {
    /// A place among them, given back when dropped.
    fn take(&self) -> Option<Slot> {
        let one_more = |taken: usize| (taken < ADMIN_CONNECTIONS_MAX).then_some(taken.saturating_add(1));
        self.0.fetch_update(Ordering::SeqCst, Ordering::SeqCst, one_more).ok()?;
        Some(Slot(self.clone()))
    }
}

struct Slot(Slots);

impl Drop for Slot {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::SeqCst);
    }
}

fn accept<S: Timed + Send + 'static>(mut next: impl FnMut() -> io::Result<S>, slots: &Slots, board: &Arc<Board>, door: Door) {
    loop {
        let Ok(mut stream) = next() else {
            // Out of descriptors, or a client that is gone already: not faster than that.
            thread::sleep(crate::limits::ADMIN_ACCEPT_PAUSE);
            continue;
        };
        // Beyond the bound a connection is closed unheard.
        let Some(slot) = slots.take() else { continue };
        let board = Arc::clone(board);
        let _unheard = spawn(move || {
            let _gone = http::serve(&mut stream, |request| answer::answer(request, door, &board));
            drop(slot);
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn the_socket_is_its_owners_alone_and_an_abandoned_one_is_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("admin.sock");
        let first = bind(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(bind(&path).is_err(), "somebody answers there");
        drop(first);
        bind(&path).unwrap();
        fs::remove_file(&path).unwrap();
        fs::write(&path, "precious").unwrap();
        assert!(bind(&path).is_err());
        assert_eq!(fs::read(&path).unwrap(), b"precious");
    }

    #[test]
    fn places_are_bounded_and_given_back() {
        let slots = Slots::default();
        let taken: Vec<_> = core::iter::from_fn(|| slots.take()).collect();
        assert_eq!(taken.len(), ADMIN_CONNECTIONS_MAX);
        drop(taken);
        assert!(slots.take().is_some());
    }
}
