//! One route's TLS configuration: certificates, protocols, versions, tickets.

use alloc::sync::Arc;
use alloc::vec::Vec;

#[cfg(not(feature = "keylog"))]
use rustls::KeyLog;
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{NoClientAuth, NoServerSessionStorage};
use rustls::version::{TLS12, TLS13};
use rustls::{ServerConfig, SupportedProtocolVersion};

use crate::certificates::{Certificates, Identity};
use crate::clients::Verifier;
#[cfg(feature = "keylog")]
pub(crate) use crate::keylog::give_away;
use crate::limits::{TICKETS_DEFAULT, TICKETS_MAX};
use crate::ticketer::{TicketKeys, Ticketer};
use crate::{Clients, Clock, Provider, Version};

/// What a [`Config`] is made of.
#[derive(Debug)]
pub struct ConfigParts<'a> {
    /// Suites, groups and randomness.
    pub provider: &'a Provider,
    /// Unix time, for tickets.
    pub clock: &'a Clock,
    /// At least one. The first, and those with the same names, serve clients that ask for no name or an unknown one.
    pub identities: Vec<Identity>,
    /// Application protocols, best first. If there are any, a client that offers others only is refused.
    pub alpn: Vec<Vec<u8>>,
    /// The lowest version that is negotiated.
    pub min_version: Version,
    /// Whose certificates are taken; none asks for no certificate.
    pub clients: Option<Arc<Clients>>,
    /// Resumption; none turns it off, and so do [`clients`](Self::clients): who resumes shows no certificate.
    pub tickets: Option<Tickets<'a>>,
}

/// How sessions are resumed.
#[derive(Debug, Clone, Copy)]
pub struct Tickets<'a> {
    /// The keys, the same for all configurations of a boot.
    pub keys: &'a TicketKeys,
    /// What tells this configuration's tickets from others': a ticket never works across two domains.
    pub domain: &'a [u8],
    /// How many tickets a TLS 1.3 client gets; at most [`TICKETS_MAX`].
    pub count: usize,
}

impl<'a> Tickets<'a> {
    /// The usual two tickets.
    pub fn new(keys: &'a TicketKeys, domain: &'a [u8]) -> Self {
        Self { keys, domain, count: TICKETS_DEFAULT }
    }
}

/// Why there is no configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConfigFault {
    /// There is no certificate.
    NoCertificate,
    /// There are more than [`IDENTITIES_MAX`](crate::limits::IDENTITIES_MAX) certificates.
    TooManyCertificates,
    /// A chain is empty, or its leaf is not an X.509 certificate that rustls understands.
    Chain,
    /// A key does not belong to its leaf.
    KeyMismatch,
    /// An ALPN protocol is empty or longer than 255 bytes.
    Alpn,
    /// More tickets than [`TICKETS_MAX`].
    Tickets,
    /// No suite of the provider works with any version, or no group does.
    Provider,
}

/// A configuration, ready to be used by any number of sessions; cheap to clone.
#[derive(Debug, Clone)]
pub struct Config(pub(crate) Arc<ServerConfig>);

impl Config {
    /// Puts the parts together.
    ///
    /// # Errors
    /// Parts that cannot work, see [`ConfigFault`].
    pub fn new(parts: ConfigParts<'_>) -> Result<Self, ConfigFault> {
        if parts.alpn.iter().any(|protocol| !(1..=255).contains(&protocol.len())) {
            return Err(ConfigFault::Alpn);
        }
        let builder = ServerConfig::builder_with_details(Arc::clone(&parts.provider.crypto), Arc::new(parts.clock.clone()));
        let verifier: Arc<dyn ClientCertVerifier> = match &parts.clients {
            None => Arc::new(NoClientAuth),
            Some(clients) => Arc::new(Verifier::new(Arc::clone(clients), &parts.provider.crypto)),
        };
        let mut config = builder
            .with_protocol_versions(&versions(parts.provider, parts.min_version))
            .map_err(|_| ConfigFault::Provider)?
            .with_client_cert_verifier(verifier)
            .with_cert_resolver(Arc::new(Certificates::new(parts.identities)?));
        config.alpn_protocols = parts.alpn;
        // 0-RTT is off (T9), and so is anything that keeps sessions.
        config.max_early_data_size = 0;
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
        // The record layer of an established session is ours: see `Traffic`.
        config.enable_secret_extraction = true;
        give_away(&mut config.key_log);
        // A session that is resumed has no certificate of its own, and a ticket outlives its revocation. Without a ticketer no ticket of anybody's opens here.
        if let (Some(tickets), None) = (parts.tickets, parts.clients) {
            add_tickets(&mut config, tickets, parts.provider)?;
        }
        Ok(Self(Arc::new(config)))
    }
}

/// Nothing is given away: rustls' own key log, which does nothing, stays.
#[cfg(not(feature = "keylog"))]
pub(crate) fn give_away(_: &mut Arc<dyn KeyLog>) {}

/// The versions that are wanted and have a suite.
pub(crate) fn versions(provider: &Provider, min_version: Version) -> Vec<&'static SupportedProtocolVersion> {
    let has_suite = |version: &SupportedProtocolVersion| provider.crypto.cipher_suites.iter().any(|suite| suite.version() == version);
    let wanted: &[&'static SupportedProtocolVersion] = match min_version {
        Version::Tls12 => &[&TLS13, &TLS12],
        Version::Tls13 => &[&TLS13],
    };
    wanted.iter().copied().filter(|version| has_suite(version)).collect()
}

fn add_tickets(config: &mut ServerConfig, tickets: Tickets<'_>, provider: &Provider) -> Result<(), ConfigFault> {
    if tickets.count > TICKETS_MAX {
        return Err(ConfigFault::Tickets);
    }
    config.ticketer = Arc::new(Ticketer::new(tickets.keys.clone(), tickets.domain, provider.random));
    config.send_tls13_tickets = tickets.count;
    Ok(())
}
