//! The order: what the supervisor tells a tender before it starts a cell. Secrets travel apart from it, as the bundle's bytes.

use core::net::{IpAddr, SocketAddr};

use serde::{Deserialize, Serialize};

/// What to run, and on what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// The machine. The supervisor has made the choice that `auto` leaves to it.
    pub machine: Machine,
    /// The guest's heap, in bytes.
    pub heap_len: u64,
    /// The public link. Its descriptors come first.
    pub front: Front,
    /// The private link. Its descriptors come behind the front's.
    pub back: Back,
    /// How lines are printed.
    pub lines: Lines,
    /// Where access lines go.
    pub access: AccessLog,
    /// Whether the public link's frames go to a pipe that does not block: one descriptor, behind that of the access log.
    pub capture: bool,
    /// Whether the cell is recorded. Its file comes behind the descriptors of links and lines.
    pub record: Option<Record>,
    /// How long a guest may take to stop when it is asked to, in milliseconds.
    pub drain_ms: u64,
    /// What the jail takes away.
    pub jail: JailWish,
    /// Whether there is something to be won from the cell. Its two descriptors come last of all, see [`crate::contest`].
    pub contest: Option<Contest>,
}

/// Which machine runs the guest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Machine {
    /// Hardware virtualisation by `/dev/kvm`.
    Kvm,
    /// A traced child process.
    Process,
}

/// How the public link is made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Front {
    /// Host listeners, one descriptor for each door.
    User {
        /// Both ends of the link.
        ends: Ends,
        /// For each listener, the guest's listener that its connections go to.
        doors: Vec<SocketAddr>,
        /// Whom the guest may connect to.
        call_back: Option<CallBack>,
    },
    /// A TAP: one descriptor.
    Tap {
        /// What the guest may say on it.
        wire: Wire,
        /// The ports that the guest listens on.
        ports: Vec<u16>,
        /// Whom the guest may connect to.
        call_back: Option<CallBack>,
    },
}

/// The one exception to the rule that the guest opens no connection on the public link: whoever has connected to `door` may be connected to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallBack {
    /// The guest's listener.
    pub door: Listener,
    /// The only port at which it is called back.
    pub port: u16,
}

/// A listener of the guest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listener {
    /// The address, or `None` for each of the guest's.
    pub address: Option<IpAddr>,
    /// The port.
    pub port: u16,
}

/// How the private link is made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Back {
    /// Host sockets; no descriptor.
    User {
        /// Both ends of the link.
        ends: Ends,
        /// The backends.
        backends: Vec<Backend>,
        /// Ports, beside those of the backends, that reloads may bring. What the jail has not been told at its start it cannot allow later.
        later_ports: Vec<u16>,
    },
    /// A TAP: one descriptor.
    Tap {
        /// What the guest may say on it.
        wire: Wire,
        /// Where the guest may connect to.
        backends: Vec<SocketAddr>,
    },
}

/// What a reload changes for the tender itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Update {
    /// The backends from now on; on a TAP without hosts.
    pub backends: Vec<Backend>,
    /// How long the backends that are not among them stay within the guest's reach, in milliseconds: a connection keeps the configuration
    /// that it began with, and may still be on its way to its backend.
    pub linger_ms: u64,
    /// As in [`Order`].
    pub drain_ms: u64,
}

/// Both ends of a link that ends in the tender's own TCP.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ends {
    /// The guest's link address.
    pub guest_mac: [u8; 6],
    /// The guest's addresses.
    pub guest: Vec<IpAddr>,
    /// The tender's link address: the gateway that is pinned in the guest.
    pub host_mac: [u8; 6],
    /// The tender's addresses: the guest's gateways.
    pub host: Vec<IpAddr>,
    /// Bytes of the largest IP packet that is not offloaded.
    pub mtu: u16,
}

/// The guest's identity on a TAP: what it sends under another one is dropped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wire {
    /// Its link address.
    pub mac: [u8; 6],
    /// Its addresses.
    pub addresses: Vec<IpAddr>,
}

/// A backend of the user net.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Backend {
    /// Where the guest connects to. It names the backend and exists nowhere else.
    pub guest: SocketAddr,
    /// Where it really is; tried in turn.
    pub host: Vec<SocketAddr>,
}

/// How lines are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Lines {
    /// For people.
    Text,
    /// One JSON object each.
    Json,
}

/// Where access lines go, and how they are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessLog {
    /// Where to.
    pub to: AccessTo,
    /// How.
    pub lines: Lines,
}

/// How a cell is recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// The public key that the recording is sealed for.
    pub recipient: [u8; 32],
    /// The file at most, in bytes.
    pub len_max: u64,
}

/// Where a contest's two pages lie in the guest. The flags travel apart from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contest {
    /// The page with the flag of `read`.
    pub flag_address: u64,
    /// The page with the word of `write`.
    pub word_address: u64,
}

/// Where access lines go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum AccessTo {
    /// They are not written.
    Nowhere,
    /// To standard error, among the other lines.
    Stderr,
    /// To a pipe that does not block: one descriptor, behind the back link's.
    Pipe,
}

impl AccessTo {
    /// How many descriptors it takes.
    #[must_use]
    pub fn descriptors(self) -> usize {
        usize::from(self == Self::Pipe)
    }
}

/// How far the jail goes. What the host does not allow is reported, never silent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum JailWish {
    /// Everything that the host allows; the system-call filter is not optional.
    Full,
    /// As [`JailWish::Full`], but without new namespaces: for hosts that forbid them, and for the tests of that case.
    WithoutNamespaces,
}

impl Listener {
    /// Whether it listens there.
    #[must_use]
    pub fn is_at(&self, at: SocketAddr) -> bool {
        self.port == at.port() && self.address.is_none_or(|address| address == at.ip())
    }
}

impl Order {
    /// How many descriptors go with it, beside the image.
    #[must_use]
    pub fn descriptors(&self) -> usize {
        let Self { front, back, access, capture, record, contest, .. } = self;
        let contest = if contest.is_some() { crate::contest::DESCRIPTORS } else { 0 };
        [front.descriptors(), back.descriptors(), access.to.descriptors(), usize::from(*capture), usize::from(record.is_some()), contest]
            .iter()
            .sum()
    }
}

impl Front {
    /// How many descriptors it takes.
    #[must_use]
    pub fn descriptors(&self) -> usize {
        match self {
            Self::User { doors, .. } => doors.len(),
            Self::Tap { .. } => 1,
        }
    }
}

impl Back {
    /// How many descriptors it takes.
    #[must_use]
    pub fn descriptors(&self) -> usize {
        match self {
            Self::User { .. } => 0,
            Self::Tap { .. } => 1,
        }
    }
}
