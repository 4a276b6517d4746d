//! One route's TLS configuration: certificates, protocols, versions, tickets.

use alloc::sync::Arc;
use alloc::vec::Vec;

use keys::Secret;
use rustls::ServerConfig;
use rustls::server::NoServerSessionStorage;
use rustls::version::{TLS12, TLS13};

use crate::certificates::{Certificates, Identity};
use crate::limits::{TICKETS_DEFAULT, TICKETS_MAX};
use crate::ticketer::Ticketer;
use crate::{Clock, Provider, Version};

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
    /// Resumption; none turns it off.
    pub tickets: Option<Tickets<'a>>,
}

/// How sessions are resumed.
#[derive(Debug)]
pub struct Tickets<'a> {
    /// What the ticket keys are derived from; the same for all configurations of a boot.
    pub secret: &'a Secret<[u8; 32]>,
    /// What tells this configuration's tickets from others': a ticket never works across two domains.
    pub domain: &'a [u8],
    /// How long a ticket is good for, in seconds; between 1 and [`TICKET_LIFETIME_MAX_S`](crate::limits::TICKET_LIFETIME_MAX_S).
    pub lifetime_s: u32,
    /// How many tickets a TLS 1.3 client gets; at most [`TICKETS_MAX`].
    pub count: usize,
}

impl<'a> Tickets<'a> {
    /// The usual two tickets.
    pub fn new(secret: &'a Secret<[u8; 32]>, domain: &'a [u8], lifetime_s: u32) -> Self {
        Self { secret, domain, lifetime_s, count: TICKETS_DEFAULT }
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
    /// A number is out of its bounds.
    Tickets,
    /// The parts do not work together.
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
        let versions: &[_] = match parts.min_version {
            Version::Tls12 => &[&TLS13, &TLS12],
            Version::Tls13 => &[&TLS13],
        };
        let builder = ServerConfig::builder_with_details(Arc::clone(&parts.provider.crypto), Arc::new(parts.clock.clone()));
        let mut config = builder
            .with_protocol_versions(versions)
            .map_err(|_| ConfigFault::Provider)?
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(Certificates::new(parts.identities)?));
        config.alpn_protocols = parts.alpn;
        // 0-RTT is off (T9), and so is anything that keeps sessions.
        config.max_early_data_size = 0;
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
        // The record layer of an established session is ours: see `Traffic`.
        config.enable_secret_extraction = true;
        if let Some(tickets) = parts.tickets {
            add_tickets(&mut config, &tickets, parts.clock, parts.provider)?;
        }
        Ok(Self(Arc::new(config)))
    }
}

fn add_tickets(config: &mut ServerConfig, tickets: &Tickets<'_>, clock: &Clock, provider: &Provider) -> Result<(), ConfigFault> {
    let lifetimes = 1..=crate::limits::TICKET_LIFETIME_MAX_S;
    if tickets.count > TICKETS_MAX || !lifetimes.contains(&tickets.lifetime_s) {
        return Err(ConfigFault::Tickets);
    }
    let ticketer = Ticketer::new(tickets.secret, tickets.domain, tickets.lifetime_s, clock.clone(), provider.random);
    config.ticketer = Arc::new(ticketer);
    config.send_tls13_tickets = tickets.count;
    Ok(())
}
