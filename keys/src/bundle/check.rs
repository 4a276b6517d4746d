//! The rules that every bundle keeps, on the side that makes it and on the side that reads it.

use alloc::collections::BTreeSet;
use alloc::string::String;
use core::net::{IpAddr, SocketAddr};

use super::{Bundle, BundleFault, Certificate, Limits, Link, Listener, Route};
use crate::limits::{
    ADDRESSES_MAX, ALPN_LEN_MAX, ALPN_MAX, CERTIFICATE_LEN_MAX, CERTIFICATE_NAMES_MAX, CERTIFICATES_MAX, CHAIN_MAX, COUNT_MAX,
    GATEWAYS_MAX, KEY_LEN_MAX, LISTENERS_MAX, MTU_MIN, ROUTE_BACKENDS_MAX, ROUTE_CERTIFICATES_MAX, ROUTE_NAMES_MAX, ROUTES_MAX,
    TICKET_LIFETIME_S_MAX, TIMEOUT_MS_MAX,
};
use crate::names::is_pattern;

impl Bundle {
    /// Whether every rule holds.
    ///
    /// # Errors
    /// The first rule that does not hold.
    pub fn check(&self) -> Result<(), BundleFault> {
        require(self.front.is_sound() && self.back.is_sound(), BundleFault::Link)?;
        self.check_listeners()?;
        require((1..=CERTIFICATES_MAX).contains(&self.certificates.len()), BundleFault::Certificate(0))?;
        for (index, certificate) in self.certificates.iter().enumerate() {
            require(certificate.is_sound(), BundleFault::Certificate(index))?;
        }
        self.check_routes()?;
        require(alpn_is_sound(&self.tls.alpn), BundleFault::Alpn)?;
        require(self.tls.ticket_lifetime_s <= TICKET_LIFETIME_S_MAX, BundleFault::TicketLifetime)?;
        require(self.limits.is_sound(), BundleFault::Limits)?;
        require(self.memory.holds(&self.limits), BundleFault::Memory)
    }

    fn check_listeners(&self) -> Result<(), BundleFault> {
        require((1..=LISTENERS_MAX).contains(&self.listeners.len()), BundleFault::Listener(0))?;
        for (index, listener) in self.listeners.iter().enumerate() {
            let first = self.listeners.iter().position(|other| other == listener) == Some(index);
            require(first && self.front.has(listener), BundleFault::Listener(index))?;
        }
        Ok(())
    }

    fn check_routes(&self) -> Result<(), BundleFault> {
        require((1..=ROUTES_MAX).contains(&self.routes.len()), BundleFault::Route(0))?;
        let mut names = BTreeSet::new();
        let mut defaults = 0_usize;
        for (index, route) in self.routes.iter().enumerate() {
            require(route.is_sound(self.certificates.len()), BundleFault::Route(index))?;
            require(route.sni.iter().all(|name| names.insert(name)), BundleFault::Route(index))?;
            require(alpn_is_sound(&route.alpn), BundleFault::Alpn)?;
            defaults = defaults.saturating_add(usize::from(route.sni.is_empty()));
            require(defaults <= 1, BundleFault::Route(index))?;
        }
        Ok(())
    }
}

impl Link {
    fn is_sound(&self) -> bool {
        let mac = is_unicast_mac(self.mac);
        let counts = (1..=ADDRESSES_MAX).contains(&self.addresses.len()) && self.gateways.len() <= GATEWAYS_MAX;
        let addresses = self.addresses.iter().all(|cidr| is_unicast(cidr.address) && cidr.prefix_len <= prefix_len_max(cidr.address));
        let gateways = self.gateways.iter().all(|gateway| {
            let family = self.addresses.iter().any(|cidr| cidr.address.is_ipv4() == gateway.address.is_ipv4());
            family && is_unicast(gateway.address) && gateway.mac.is_none_or(is_unicast_mac)
        });
        mac && counts && addresses && gateways && self.mtu >= MTU_MIN
    }

    fn has(&self, listener: &Listener) -> bool {
        listener.port != 0 && listener.address.is_none_or(|address| self.addresses.iter().any(|cidr| cidr.address == address))
    }
}

impl Certificate {
    fn is_sound(&self) -> bool {
        let chain = (1..=CHAIN_MAX).contains(&self.chain.len());
        let sizes = self.chain.iter().all(|der| (1..=CERTIFICATE_LEN_MAX).contains(&der.len()));
        let key = (1..=KEY_LEN_MAX).contains(&self.key.expose().len());
        chain && sizes && key && self.names.len() <= CERTIFICATE_NAMES_MAX && self.names.iter().all(|name| is_pattern(name))
    }
}

impl Route {
    fn is_sound(&self, certificates: usize) -> bool {
        let names = self.sni.len() <= ROUTE_NAMES_MAX && self.sni.iter().all(|name| is_pattern(name));
        let count = (1..=ROUTE_CERTIFICATES_MAX).contains(&self.certificates.len());
        let known = self.certificates.iter().all(|&index| usize::from(index) < certificates);
        let backends = (1..=ROUTE_BACKENDS_MAX).contains(&self.backends.len()) && self.backends.iter().all(is_backend);
        names && count && known && backends
    }
}

impl Limits {
    fn is_sound(&self) -> bool {
        let timeouts = [
            self.handshake_timeout_ms,
            self.idle_timeout_ms,
            self.lifetime_ms,
            self.half_close_timeout_ms,
            self.drain_timeout_ms,
            self.connect_timeout_ms,
        ];
        let counts = [self.connections, self.connections_per_source, self.new_per_source_per_s, self.handshakes];
        timeouts.iter().all(|ms| (1..=TIMEOUT_MS_MAX).contains(ms)) && counts.iter().all(|count| (1..=COUNT_MAX).contains(count))
    }
}

fn alpn_is_sound(list: &[String]) -> bool {
    list.len() <= ALPN_MAX && list.iter().all(|protocol| (1..=ALPN_LEN_MAX).contains(&protocol.len()))
}

fn is_backend(backend: &SocketAddr) -> bool {
    backend.port() != 0 && is_unicast(backend.ip())
}

fn is_unicast(address: IpAddr) -> bool {
    let broadcast = matches!(address, IpAddr::V4(v4) if v4.is_broadcast());
    !(address.is_unspecified() || address.is_multicast() || address.is_loopback() || broadcast)
}

const fn prefix_len_max(address: IpAddr) -> u8 {
    if address.is_ipv4() { 32 } else { 128 }
}

fn is_unicast_mac(mac: [u8; 6]) -> bool {
    mac[0] & 1 == 0 && mac != [0; 6]
}

fn require(holds: bool, fault: BundleFault) -> Result<(), BundleFault> {
    if holds { Ok(()) } else { Err(fault) }
}
