//! The page's process: where the HTTP of a contest's visitors is parsed. It is jailed, and holds neither a key nor a file.
//!
//! The supervisor (`run::challenge`) hands it one parcel over its standard input: listeners, streams over which it asks, and an [`Order`]. It serves until that socket ends.

use std::io::{self, Read, Write};
use std::net::TcpListener;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::sync::Arc;

use bounty_page::remote::Remote;
use bounty_page::{Assets, Limits, Peers, Ready, Served, Site};
use serde::{Deserialize, Serialize};
use tender::handover;
use tender::jail::Crew;
use tender::order::JailWish;

use crate::exit::Exit;
use crate::limits::{ARBITER_LEN_MAX, PAGE_DESCRIPTORS_RESERVED, PAGE_ORDER_LEN_MAX};
use crate::run::refuse;
use crate::terminal;

/// What is to be served.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Order {
    /// Where people reach the page.
    pub(crate) base: String,
    /// The arbiter for browsers.
    pub(crate) arbiter: Option<Vec<u8>>,
    /// How many listeners there are behind a terminator that names its clients. They come first.
    pub(crate) named: usize,
    /// How many others there are.
    pub(crate) plain: usize,
    /// Speak JSON.
    pub(crate) json: bool,
}

/// What the process says once it serves, and all that it ever says to its parent.
const SERVING: u8 = b'S';

impl Order {
    /// Hands everything to the process at the other end of this socket, and waits until it serves.
    ///
    /// # Errors
    /// What the system says, or that the process is gone.
    pub(crate) fn hand_over(&self, mut socket: &UnixStream, listeners: &[TcpListener], streams: &[UnixStream]) -> io::Result<()> {
        let order = postcard::to_stdvec(self).map_err(io::Error::other)?;
        let len = u32::try_from(order.len()).map_err(io::Error::other)?;
        let descriptors: Vec<BorrowedFd<'_>> = listeners.iter().map(AsFd::as_fd).chain(streams.iter().map(AsFd::as_fd)).collect();
        handover::give(socket, &len.to_le_bytes(), &descriptors)?;
        socket.write_all(&order)?;
        let mut said = [0];
        socket.read_exact(&mut said)?;
        if said == [SERVING] { Ok(()) } else { Err(io::ErrorKind::InvalidData.into()) }
    }
}

/// `bountybox page`
pub(crate) fn page() -> Exit {
    // For people who list processes.
    let _unnamed = rustix::thread::set_name(c"bountybox-page");
    let taken = take().map_err(|fault| refuse(Exit::Usage, format!("the page's process has no order from a supervisor: {fault}")));
    match taken.and_then(serve) {
        Ok(()) => Exit::Success,
        Err(exit) => exit,
    }
}

/// All that this process gets.
struct Parcel {
    socket: UnixStream,
    order: Order,
    listeners: Vec<TcpListener>,
    streams: Vec<UnixStream>,
}

fn take() -> io::Result<Parcel> {
    let socket = io::stdin().as_fd().try_clone_to_owned()?;
    rustix::stdio::dup2_stdin(std::fs::File::open("/dev/null")?)?;
    let mut socket = UnixStream::from(socket);
    let mut len = [0; 4];
    let mut descriptors = handover::take(&socket, &mut len)?;
    let len = usize::try_from(u32::from_le_bytes(len)).unwrap_or(usize::MAX);
    if len > PAGE_ORDER_LEN_MAX {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut order = vec![0; len];
    socket.read_exact(&mut order)?;
    let order: Order = postcard::from_bytes(&order).map_err(io::Error::other)?;
    let listeners = order.named.saturating_add(order.plain);
    if listeners == 0 || listeners >= descriptors.len() {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let streams = descriptors.split_off(listeners).into_iter().map(OwnedFd::into).collect();
    let listeners = descriptors.into_iter().map(OwnedFd::into).collect();
    Ok(Parcel { socket, order, listeners, streams })
}

fn serve(Parcel { mut socket, order, listeners, streams }: Parcel) -> Result<(), Exit> {
    let Order { base, arbiter, named, json, .. } = order;
    if json {
        terminal::speak_json();
    }
    let limits = Limits::default();
    let connections = limits.connections.saturating_mul(listeners.len());
    let crew = Crew {
        wish: JailWish::Full,
        listeners: listeners.iter().map(AsRawFd::as_raw_fd).collect(),
        descriptors_max: u64::try_from(connections).unwrap_or(u64::MAX).saturating_add(PAGE_DESCRIPTORS_RESERVED),
    };
    let unjailed = |fault| refuse(Exit::Permission, format!("the page's jail cannot be put up, so nobody is served: {fault:?}"));
    let walled = crew.wall_in().map_err(unjailed)?;
    let peers = (0..).map(|index| if index < named { Peers::AreNamed } else { Peers::Connect });
    let site = Site { base, assets: Assets { arbiter } };
    let ready = Ready::new(listeners.into_iter().zip(peers).collect(), Arc::new(Remote::new(streams)), site, limits);
    let ready = ready.map_err(|fault| refuse(Exit::Internal, format!("the page cannot be served: {fault}")))?;
    let applied = walled.seal().map_err(unjailed)?;
    let refused = applied.refused();
    if refused.is_empty() {
        terminal::note(format!("page: jailed: {}", applied.done().join(",")));
    } else {
        terminal::note(format!("warning: page: jailed: {}; refused by the host: {}", applied.done().join(","), refused.join("; ")));
    }
    let _served: Served = ready.serve();
    // Nothing more comes but the end.
    let _ended = socket.write_all(&[SERVING]).and_then(|()| socket.read(&mut [0]));
    Ok(())
}

const _: () = assert!(PAGE_ORDER_LEN_MAX > ARBITER_LEN_MAX, "an arbiter fits");
