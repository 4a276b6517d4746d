//! What TLS configurations are made with, and what outlives them: the provider's randomness, the clock, the ticket keys.
//!
//! A bundle's routes are made into configurations with it; tickets go on from one bundle to the next as long as their times are the same.

use alloc::sync::Arc;
use alloc::vec::Vec;

use keys::bundle::{self, Bundle};
use keys::{Secret, Signer};
use tls::{Clients, Clock, ConfigParts, Identity, Provider, TicketKeys, TicketTimes, Tickets};

use crate::lobby::DoorFault;
use crate::router::RouteId;
use crate::start::StartFault;

/// See the module.
#[derive(Debug)]
pub(crate) struct Makings {
    provider: Provider,
    pub(crate) clock: Clock,
    /// Where the keys of a boot begin; gone once they have.
    seed: Option<Secret<[u8; 32]>>,
    /// The keys of this boot and the times that they were made for.
    boot: Option<(TicketTimes, TicketKeys)>,
}

impl Makings {
    pub(crate) fn new(provider: Provider, tickets: Secret<[u8; 32]>, clock: Clock) -> Self {
        Self { provider, clock, seed: Some(tickets), boot: None }
    }

    /// What one bundle's configurations have in common.
    pub(crate) fn of<'b>(&mut self, bundle: &'b Bundle) -> Result<Shared<'b>, StartFault> {
        let provider = self.provider.with(&bundle.tls.suites, &bundle.tls.groups).map_err(StartFault::ConfigProvider)?;
        Ok(Shared { bundle, provider, clock: self.clock.clone(), tickets: self.tickets(bundle) })
    }

    /// The ticket keys as they are, before a bundle that may want others is known to be sound.
    pub(crate) fn boot_tickets(&self) -> Option<(TicketTimes, TicketKeys)> {
        self.boot.clone()
    }

    /// Goes back to them. A cell that has none yet does not start.
    pub(crate) fn set_boot_tickets(&mut self, tickets: Option<(TicketTimes, TicketKeys)>) {
        self.boot = tickets.or(self.boot.take());
    }

    fn tickets(&mut self, bundle: &Bundle) -> Option<TicketKeys> {
        let times = TicketTimes { lifetime_s: bundle.tls.ticket_lifetime_s, rotation_s: bundle.tls.ticket_rotation_s };
        if times.lifetime_s == 0 {
            return None;
        }
        let key = bundle.ticket_key.as_ref().and_then(|key| key.secret.expose().first_chunk());
        Some(match key {
            Some(key) => TicketKeys::shared(&Secret::new(*key), times, &self.clock),
            None => self.boot_keys(times),
        })
    }

    /// The keys of this boot, or new ones if the times have changed: tickets from before cost a full handshake then.
    fn boot_keys(&mut self, times: TicketTimes) -> TicketKeys {
        if let Some((_, keys)) = self.boot.as_ref().filter(|(made_for, _)| *made_for == times) {
            return keys.clone();
        }
        let seed = self.seed.take().unwrap_or_else(|| self.provider.draw_secret());
        let keys = TicketKeys::of_boot(&seed, times, &self.clock);
        self.boot = Some((times, keys.clone()));
        keys
    }
}

/// What the TLS configurations of one bundle have in common.
pub(crate) struct Shared<'b> {
    pub(crate) bundle: &'b Bundle,
    pub(crate) provider: Provider,
    pub(crate) clock: Clock,
    tickets: Option<TicketKeys>,
}

impl Shared<'_> {
    /// The configuration of a route that ends TLS.
    pub(crate) fn config(&self, id: RouteId, route: &bundle::Route) -> Result<tls::Config, StartFault> {
        let tls = &self.bundle.tls;
        let alpn = if route.alpn.is_empty() { &tls.alpn } else { &route.alpn };
        let domain = ticket_domain(route);
        let clients = route.client.as_ref().map(|auth| Clients::new(auth).map(Arc::new)).transpose();
        let parts = ConfigParts {
            provider: &self.provider,
            clock: &self.clock,
            identities: route
                .certificates
                .iter()
                .map(|index| self.identity(*index).map_err(|fault| fault.of_route(id)))
                .collect::<Result<_, _>>()?,
            alpn: alpn.iter().map(|protocol| protocol.as_bytes().to_vec()).collect(),
            min_version: version(tls.min_version),
            clients: clients.map_err(|fault| StartFault::ConfigClients(id, fault))?,
            tickets: self.tickets.as_ref().map(|keys| Tickets::new(keys, &domain)),
        };
        tls::Config::new(parts).map_err(|fault| StartFault::ConfigTls(id, fault))
    }

    /// The certificate of this place in the bundle, with its key.
    pub(crate) fn identity(&self, index: u16) -> Result<Identity, DoorFault> {
        let certificate = self.bundle.certificates.get(usize::from(index)).ok_or(DoorFault::Certificate)?;
        let signer = Signer::from_der(&certificate.key).map_err(DoorFault::Key)?;
        Identity::new(certificate.chain.clone(), signer, certificate.names.clone()).map_err(DoorFault::Tls)
    }
}

/// A bundle's version, as TLS has it.
pub(crate) fn version(version: bundle::Version) -> tls::Version {
    match version {
        bundle::Version::Tls12 => tls::Version::Tls12,
        bundle::Version::Tls13 => tls::Version::Tls13,
    }
}

/// What tells a route's tickets from those of others (ATTACKS T14): its names and protocols, so that it is the same route after a reload and on another box,
/// wherever it stands there. Each text goes behind its length, and a zero between the two lists.
fn ticket_domain(route: &bundle::Route) -> Vec<u8> {
    let mut names: Vec<&str> = route.sni.iter().map(alloc::string::String::as_str).collect();
    names.sort_unstable();
    let protocols = route.alpn.iter().map(alloc::string::String::as_str);
    let texts = names.into_iter().chain([""]).chain(protocols);
    texts.flat_map(|text| u16::try_from(text.len()).unwrap_or(u16::MAX).to_be_bytes().into_iter().chain(text.bytes())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;
    use core::time::Duration;
    use keys::bundle::{Mode, ProxyOut, Upstream};

    fn domain(sni: &[&str], alpn: &[&str]) -> Vec<u8> {
        let texts = |list: &[&str]| list.iter().map(ToString::to_string).collect();
        ticket_domain(&bundle::Route {
            name: "any".into(),
            sni: texts(sni),
            alpn: texts(alpn),
            mode: Mode::Terminate,
            certificates: Vec::new(),
            client: None,
            backends: Vec::new(),
            upstream: Upstream::default(),
            proxy: ProxyOut::Off,
        })
    }

    #[test]
    fn a_routes_tickets_are_its_own_whatever_order_its_names_stand_in() {
        assert_eq!(domain(&["a.org", "b.org"], &["h2"]), domain(&["b.org", "a.org"], &["h2"]));
        let all = [
            domain(&[], &[]),
            domain(&["a.org"], &[]),
            domain(&["a.org", "b.org"], &[]),
            domain(&["a.org"], &["b.org"]),
            domain(&[], &["a.org"]),
        ];
        for (index, one) in all.iter().enumerate() {
            assert!(!all.iter().skip(index + 1).any(|other| one == other));
        }
    }

    #[test]
    fn boot_keys_go_on_as_long_as_their_times_do_and_begin_anew_with_others() {
        let mut makings =
            Makings::new(Provider::new(Secret::new([1; 32])), Secret::new([2; 32]), Clock::new(Duration::from_secs(1_800_000_000)));
        let times = TicketTimes { lifetime_s: 7200, rotation_s: 3600 };
        let first = makings.boot_keys(times);
        assert!(makings.boot_keys(times).is_same(&first));
        let other = makings.boot_keys(TicketTimes { rotation_s: 1800, ..times });
        assert!(!other.is_same(&first));
        assert!(!makings.boot_keys(times).is_same(&first), "what was given up does not come back");
    }
}
