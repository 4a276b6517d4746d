//! How the box is a client: whom it takes, what it shows, what it offers.

use alloc::string::String;
use alloc::sync::Arc;

use rustls::client::{ResolvesClientCert, Resumption, UnbufferedClientConnection};
use rustls::pki_types::{DnsName, ServerName};
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, SignatureScheme};
use spin::Mutex;

use crate::clients::Verifier;
use crate::config::{give_away, versions};
use crate::{Clock, ConfigFault, Fault, Identity, Own, Provider, Servers, Version};

/// What a [`Caller`] is made of.
#[derive(Debug)]
pub struct CallerParts<'a> {
    /// Suites, groups and randomness.
    pub provider: &'a Provider,
    /// Unix time, for the dates of certificates.
    pub clock: &'a Clock,
    /// What is shown to a server that asks for a certificate.
    pub identity: Identity,
    /// Whose certificate is taken, and by what name they are asked for.
    pub servers: Arc<Servers>,
    /// The lowest version that is negotiated.
    pub min_version: Version,
}

/// The client's end of connections, ready to be used by any number of sessions; cheap to clone.
///
/// Every handshake is a full one: nothing is kept for resumption, no early data is sent, no application protocol is offered.
#[derive(Debug, Clone)]
pub struct Caller {
    config: ClientConfig,
    identity: Arc<CertifiedKey>,
    name: DnsName<'static>,
}

impl Caller {
    /// Puts the parts together.
    ///
    /// # Errors
    /// [`ConfigFault::Provider`]: no suite works with any version, or no group does.
    pub fn new(parts: CallerParts<'_>) -> Result<Self, ConfigFault> {
        let CallerParts { provider, clock, identity, servers, min_version } = parts;
        let (identity, name) = (identity.certified(), servers.name.clone());
        let mut config = ClientConfig::builder_with_details(Arc::clone(&provider.crypto), Arc::new(clock.clone()))
            .with_protocol_versions(&versions(provider, min_version))
            .map_err(|_| ConfigFault::Provider)?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Verifier::new(servers, &provider.crypto)))
            .with_client_cert_resolver(Arc::new(Certificate::new(Arc::clone(&identity))));
        config.resumption = Resumption::disabled();
        config.enable_early_data = false;
        // The record layer of an established session is ours: see `Traffic`.
        config.enable_secret_extraction = true;
        give_away(&mut config.key_log);
        Ok(Self { config, identity, name })
    }

    /// A connection that has its hello to say, and where it will be seen whether the server asks for our certificate.
    pub(crate) fn connect(&self) -> Result<(UnbufferedClientConnection, Arc<Certificate>), Fault> {
        let certificate = Arc::new(Certificate::new(Arc::clone(&self.identity)));
        // rustls asks the configuration for a certificate and does not say for which connection: so each has its own.
        let mut config = self.config.clone();
        config.client_auth_cert_resolver = Arc::clone(&certificate) as Arc<dyn ResolvesClientCert>;
        let connection =
            UnbufferedClientConnection::new(Arc::new(config), ServerName::DnsName(self.name.clone())).map_err(|_| Fault::Internal)?;
        Ok((connection, certificate))
    }

    /// The name that servers are asked for.
    pub(crate) fn name(&self) -> String {
        self.name.as_ref().into()
    }
}

/// Our certificate in one handshake.
#[derive(Debug)]
pub(crate) struct Certificate {
    identity: Arc<CertifiedKey>,
    own: Mutex<Own>,
}

impl Certificate {
    fn new(identity: Arc<CertifiedKey>) -> Self {
        Self { identity, own: Mutex::new(Own::NotAsked) }
    }

    /// What became of it.
    pub(crate) fn own(&self) -> Own {
        *self.own.lock()
    }
}

impl ResolvesClientCert for Certificate {
    /// The authorities that the server names are not looked at: there is one certificate, and who does not take it says so.
    fn resolve(&self, _: &[&[u8]], schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        let fits = self.identity.key.choose_scheme(schemes).is_some();
        *self.own.lock() = if fits { Own::Shown } else { Own::Unfit };
        fits.then(|| Arc::clone(&self.identity))
    }

    fn has_certs(&self) -> bool {
        true
    }
}
