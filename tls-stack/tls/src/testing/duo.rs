//! The client's end in tests: a session that dials, joined in memory to a session that answers or to a real rustls server.

use alloc::string::ToString;
use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;
use std::sync::LazyLock;

use keys::profile::Profile;
use keys::{Secret, Signer};
use peers::{Authority, Order, Shown};
use rustls::ServerConnection;

use super::{NAME, PROVIDER, START};
use crate::{Caller, CallerParts, Clock, Config, Event, Fault, Identity, Servers, Session, Summary, Version};

/// Who makes servers' certificates.
pub(crate) static OF_SERVERS: LazyLock<Authority> = LazyLock::new(|| Authority::new("of servers"));
/// Who makes clients' certificates.
pub(crate) static OF_CLIENTS: LazyLock<Authority> = LazyLock::new(|| Authority::new("of clients"));

/// What is shown, as an identity for [`NAME`].
pub(crate) fn identity_of(shown: &Shown) -> Identity {
    let signer = Signer::from_der(&Secret::new(shown.key.clone())).unwrap();
    Identity::new(shown.chain.clone(), signer, vec![NAME.to_string()]).unwrap()
}

/// What a caller of a test differs in.
pub(crate) struct Calling {
    pub(crate) shown: Shown,
    pub(crate) servers: Arc<Servers>,
    pub(crate) min_version: Version,
    /// Suites and groups.
    pub(crate) offer: (Vec<u16>, Vec<u16>),
}

impl Default for Calling {
    fn default() -> Self {
        Self {
            shown: OF_CLIENTS.make(&Order::for_client(NAME)),
            servers: Arc::new(Servers::new(OF_SERVERS.der(), NAME).unwrap()),
            min_version: Version::Tls12,
            offer: (Profile::default().suites(), Profile::default().groups()),
        }
    }
}

impl Calling {
    /// One that speaks this version alone.
    pub(crate) fn of(version: Version) -> Self {
        let usual = Self::default();
        let suites = usual.offer.0.iter().copied().filter(|suite| (suite >> 8 == 0x13) == (version == Version::Tls13)).collect();
        Self { offer: (suites, usual.offer.1), ..usual }
    }

    pub(crate) fn caller(self) -> Caller {
        let (provider, clock) = (&PROVIDER.with(&self.offer.0, &self.offer.1).unwrap(), &Clock::new(START));
        let (identity, servers, min_version) = (identity_of(&self.shown), self.servers, self.min_version);
        Caller::new(CallerParts { provider, clock, identity, servers, min_version }).unwrap()
    }
}

/// One session with what it reported and read.
pub(crate) struct End {
    pub(crate) session: Session,
    pub(crate) events: Vec<Event>,
    pub(crate) plain: Vec<u8>,
    /// The longest slice that the session gets at once.
    pub(crate) segment_len: usize,
}

impl End {
    pub(crate) fn new(session: Session) -> Self {
        let mut end = Self { session, events: vec![], plain: vec![], segment_len: usize::MAX };
        end.collect_events(None);
        end
    }

    /// Everything that the session wants to send.
    pub(crate) fn bytes(&mut self) -> Vec<u8> {
        let mut bytes = vec![];
        let mut buf = [0; 1500];
        while self.session.wants_transmit() {
            let len = self.session.poll_transmit(&mut buf);
            bytes.extend_from_slice(&buf[..len]);
        }
        bytes
    }

    pub(crate) fn deliver(&mut self, bytes: &[u8], config: Option<&Config>) {
        for segment in bytes.chunks(self.segment_len.min(bytes.len()).max(1)) {
            let mut segment = segment.to_vec();
            let mut taken = 0;
            loop {
                let step = self.session.receive(&mut segment[taken..], &mut self.plain);
                taken += step;
                let progress = self.collect_events(config);
                if taken == segment.len() || (step == 0 && !progress) {
                    break;
                }
            }
            assert_eq!(taken, segment.len(), "a session with room takes everything");
        }
    }

    pub(crate) fn collect_events(&mut self, config: Option<&Config>) -> bool {
        let before = self.events.len();
        while let Some(event) = self.session.poll_event() {
            if let (Event::Hello(_), Some(config)) = (&event, config) {
                self.session.accept(config);
            }
            self.events.push(event);
        }
        self.events.len() > before
    }

    /// All of `data`, sealed.
    pub(crate) fn sealed(&mut self, data: &[u8]) -> Vec<u8> {
        let (mut bytes, mut rest, mut buf) = (vec![], data, vec![0; 20_000]);
        while !rest.is_empty() {
            let sent = self.session.send(rest, &mut buf);
            assert!(sent.produced > 0);
            rest = &rest[sent.consumed..];
            bytes.extend_from_slice(&buf[..sent.produced]);
        }
        bytes
    }

    pub(crate) fn summary(&self) -> &Summary {
        let found = self.events.iter().find_map(|event| if let Event::Established(summary) = event { Some(summary) } else { None });
        found.unwrap_or_else(|| panic!("not established: {:?}", self.events))
    }

    pub(crate) fn faults(&self) -> Vec<Fault> {
        self.events.iter().filter_map(|event| if let Event::Fault(fault) = event { Some(*fault) } else { None }).collect()
    }
}

/// The box talking to itself.
pub(crate) struct Duo {
    pub(crate) client: End,
    pub(crate) server: End,
    pub(crate) config: Config,
}

impl Duo {
    pub(crate) fn new(caller: &Caller, config: &Config) -> Self {
        Self { client: End::new(Session::dial(caller)), server: End::new(Session::new()), config: config.clone() }
    }

    /// Exchanges bytes until both ends are silent.
    pub(crate) fn run(&mut self) -> &mut Self {
        loop {
            let (there, back) = (self.client.bytes(), self.server.bytes());
            if there.is_empty() && back.is_empty() {
                return self;
            }
            self.server.deliver(&there, Some(&self.config));
            self.client.deliver(&back, None);
        }
    }
}

/// A session that dials a real server.
pub(crate) struct Dialled {
    pub(crate) client: End,
    pub(crate) server: ServerConnection,
    /// What the server made of what it got, if it gave up.
    pub(crate) server_fault: Option<rustls::Error>,
}

impl Dialled {
    pub(crate) fn new(caller: &Caller, config: &Arc<rustls::ServerConfig>) -> Self {
        let server = ServerConnection::new(Arc::clone(config)).unwrap();
        Self { client: End::new(Session::dial(caller)), server, server_fault: None }
    }

    pub(crate) fn run(&mut self) -> &mut Self {
        loop {
            let (there, back) = (self.client.bytes(), self.server_bytes());
            if there.is_empty() && back.is_empty() {
                return self;
            }
            self.server_reads(&there);
            self.client.deliver(&back, None);
        }
    }

    /// Everything that the server wants to send.
    pub(crate) fn server_bytes(&mut self) -> Vec<u8> {
        let mut bytes = vec![];
        while self.server.wants_write() && self.server.write_tls(&mut bytes).unwrap() > 0 {}
        bytes
    }

    pub(crate) fn server_reads(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() && self.server_fault.is_none() {
            self.server.read_tls(&mut bytes).unwrap();
            self.server_fault = self.server.process_new_packets().err();
        }
    }

    /// What the server read of `data`, which the session sends.
    pub(crate) fn send(&mut self, data: &[u8]) -> Vec<u8> {
        use std::io::Read;
        let mut read = vec![];
        for part in data.chunks(10_000) {
            let bytes = self.client.sealed(part);
            self.server_reads(&bytes);
            let mut buf = vec![0; 20_000];
            while let Ok(len @ 1..) = self.server.reader().read(&mut buf) {
                read.extend_from_slice(&buf[..len]);
            }
        }
        read
    }

    /// Sends data from the server.
    pub(crate) fn server_sends(&mut self, data: &[u8]) {
        use std::io::Write;
        for part in data.chunks(30_000) {
            self.server.writer().write_all(part).unwrap();
            let bytes = self.server_bytes();
            self.client.deliver(&bytes, None);
        }
    }
}
