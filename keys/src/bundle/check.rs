//! The rules that every bundle keeps, on the side that makes it and on the side that reads it.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use alloc::vec::Vec;
use core::net::{IpAddr, SocketAddr};

use super::{
    Bundle, BundleFault, Certificate, Check, CheckKind, Cidr, ClientAuth, Contest, Door, Limits, Link, Listener, Mode, Role, Route, Tls,
    Upstream, Version,
};
use crate::altname::AltPattern;
use crate::limits::{
    ADDRESSES_MAX, ALPN_LEN_MAX, ALPN_MAX, BACKENDS_MAX, CERTIFICATE_LEN_MAX, CERTIFICATE_NAMES_MAX, CERTIFICATES_MAX, CHAIN_MAX,
    CHECK_COUNT_MAX, CHECK_INTERVAL_MS_MIN, CHECK_TEXT_LEN_MAX, CLIENT_CERTIFICATE_LEN_MAX, CLIENT_NAME_LEN_MAX, CLIENT_NAMES_MAX,
    CLIENT_ROOTS_MAX, COUNT_MAX, CRL_LEN_MAX, CRLS_LEN_MAX, CRLS_MAX, DOORS_MAX, FLAG_LEN, GATEWAYS_MAX, KEY_LEN_MAX, LISTENERS_MAX,
    MTU_MIN, PRIZE_LEN_MAX, PROXIES_MAX, QUEUE_MAX, RETRIES_MAX, ROUTE_BACKENDS_MAX, ROUTE_CERTIFICATES_MAX, ROUTE_NAME_LEN_MAX,
    ROUTE_NAMES_MAX, ROUTES_MAX, SUITES_MAX, TICKET_KEY_LEN, TICKET_KEYS_MAX, TICKET_LIFETIME_S_MAX, TICKET_ROTATION_S_MIN, TIMEOUT_MS_MAX,
};
use crate::names::{is_name, is_pattern};
use crate::profile::{Group, Suite};

impl Bundle {
    /// Whether every rule holds.
    ///
    /// # Errors
    /// The first rule that does not hold.
    pub fn check(&self) -> Result<(), BundleFault> {
        require(self.front.is_sound() && self.back.is_sound(), BundleFault::Link)?;
        self.check_listeners()?;
        require(self.certificates.len() <= CERTIFICATES_MAX, BundleFault::Certificate(0))?;
        for (index, certificate) in self.certificates.iter().enumerate() {
            require(certificate.is_sound(), BundleFault::Certificate(index))?;
        }
        self.check_routes()?;
        require(self.crls_len() <= CRLS_LEN_MAX, BundleFault::RevocationLists)?;
        self.check_tls()?;
        require(self.limits.is_sound(), BundleFault::Limits)?;
        require(self.memory.holds(&self.limits), BundleFault::Memory)?;
        let has =
            |door: &Door| usize::from(door.listener) < self.listeners.len() && usize::from(door.certificate) < self.certificates.len();
        let sound = |contest: &Contest| contest.is_sound() && contest.doors.iter().all(has);
        require(self.contest.as_ref().is_none_or(sound), BundleFault::Contest)
    }

    fn crls_len(&self) -> usize {
        self.routes.iter().filter_map(|route| route.client.as_ref()).flat_map(|client| &client.crls).map(Vec::len).sum()
    }

    fn check_tls(&self) -> Result<(), BundleFault> {
        require(alpn_is_sound(&self.tls.alpn), BundleFault::Alpn)?;
        require(self.tls.has_sound_tickets(), BundleFault::Tickets)?;
        require(self.tls.offers_something(), BundleFault::Suites)?;
        let key = self.ticket_key.as_ref();
        require(key.is_none_or(|key| key.secret.expose().len() == TICKET_KEY_LEN), BundleFault::Tickets)
    }

    fn check_listeners(&self) -> Result<(), BundleFault> {
        require((1..=LISTENERS_MAX).contains(&self.listeners.len()), BundleFault::Listener(0))?;
        for (index, listener) in self.listeners.iter().enumerate() {
            let place = (listener.address, listener.port);
            let first = self.listeners.iter().position(|other| (other.address, other.port) == place) == Some(index);
            require(first && self.front.has(listener) && listener.is_sound(), BundleFault::Listener(index))?;
        }
        Ok(())
    }

    fn check_routes(&self) -> Result<(), BundleFault> {
        require((1..=ROUTES_MAX).contains(&self.routes.len()), BundleFault::Route(0))?;
        let backends = self.routes.iter().map(|route| route.backends.len()).fold(0, usize::saturating_add);
        require(backends <= BACKENDS_MAX, BundleFault::Route(0))?;
        let mut labels = BTreeSet::new();
        let mut taken: BTreeMap<&str, Vec<&[String]>> = BTreeMap::new();
        for (index, route) in self.routes.iter().enumerate() {
            require(route.is_sound(self.certificates.len()) && labels.insert(&route.name), BundleFault::Route(index))?;
            require(alpn_is_sound(&route.alpn), BundleFault::Alpn)?;
            // The default route's place has no name.
            let names = route.sni.iter().map(String::as_str).chain(route.sni.is_empty().then_some(""));
            for name in names {
                let lists = taken.entry(name).or_default();
                require(lists.iter().all(|list| are_apart(list, &route.alpn)), BundleFault::Route(index))?;
                lists.push(&route.alpn);
            }
        }
        Ok(())
    }
}

/// Whether a client's offer tells two routes of one name apart: at most one takes any protocol, and no protocol stands in both.
fn are_apart(one: &[String], other: &[String]) -> bool {
    !(one.is_empty() && other.is_empty()) && one.iter().all(|protocol| !other.contains(protocol))
}

impl Tls {
    /// A key lives for long enough, and not so short that a ticket would outlive too many.
    fn has_sound_tickets(&self) -> bool {
        let rotations = TICKET_ROTATION_S_MIN..=TICKET_LIFETIME_S_MAX;
        let keys_last_s = u64::from(self.ticket_rotation_s).saturating_mul(TICKET_KEYS_MAX.into());
        let lifetime_s = u64::from(self.ticket_lifetime_s);
        lifetime_s <= TICKET_LIFETIME_S_MAX.into() && rotations.contains(&self.ticket_rotation_s) && lifetime_s <= keys_last_s
    }

    /// Every suite and group is one of ours, none is there twice, and both work with a version that is spoken.
    fn offers_something(&self) -> bool {
        let suites: Option<Vec<Suite>> = self.suites.iter().map(|number| Suite::numbered(*number)).collect();
        let groups: Option<Vec<Group>> = self.groups.iter().map(|number| Group::numbered(*number)).collect();
        let (Some(suites), Some(groups)) = (suites, groups) else { return false };
        let serves = |version| {
            let grouped = groups.iter().any(|group| group.min_version <= version);
            version >= self.min_version && grouped && suites.iter().any(|suite| suite.version == version)
        };
        are_distinct(&self.suites) && are_distinct(&self.groups) && (serves(Version::Tls12) || serves(Version::Tls13))
    }
}

fn are_distinct(numbers: &[u16]) -> bool {
    numbers.len() <= SUITES_MAX && numbers.iter().collect::<BTreeSet<_>>().len() == numbers.len()
}

impl Listener {
    fn is_sound(&self) -> bool {
        self.proxy_from.len() <= PROXIES_MAX && self.proxy_from.iter().all(Cidr::is_prefix)
    }
}

impl Cidr {
    fn is_prefix(&self) -> bool {
        self.prefix_len <= prefix_len_max(self.address)
    }
}

impl Link {
    fn is_sound(&self) -> bool {
        let mac = is_unicast_mac(self.mac);
        let counts = (1..=ADDRESSES_MAX).contains(&self.addresses.len()) && self.gateways.len() <= GATEWAYS_MAX;
        let addresses = self.addresses.iter().all(|cidr| is_unicast(cidr.address) && cidr.is_prefix());
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
        let label = (1..=ROUTE_NAME_LEN_MAX).contains(&self.name.len());
        let names = self.sni.len() <= ROUTE_NAMES_MAX && self.sni.iter().all(|name| is_pattern(name));
        let backends = (1..=ROUTE_BACKENDS_MAX).contains(&self.backends.len()) && self.backends.iter().all(is_backend);
        label && names && backends && self.has_sound_tls(certificates) && self.upstream.is_sound()
    }

    fn has_sound_tls(&self, certificates: usize) -> bool {
        let known = self.certificates.iter().all(|&index| usize::from(index) < certificates);
        match self.mode {
            Mode::Passthrough => self.certificates.is_empty() && self.client.is_none(),
            Mode::Terminate => {
                let count = (1..=ROUTE_CERTIFICATES_MAX).contains(&self.certificates.len());
                count && known && self.client.as_ref().is_none_or(ClientAuth::is_sound)
            }
        }
    }
}

impl Contest {
    fn is_sound(&self) -> bool {
        let prize = (1..=PRIZE_LEN_MAX).contains(&self.prize.expose().len());
        let tiers: BTreeSet<_> = self.flags.iter().map(|flag| flag.tier).collect();
        let flags = tiers.len() == self.flags.len() && self.flags.iter().all(|flag| flag.key.expose().len() == FLAG_LEN);
        let listeners: BTreeSet<_> = self.doors.iter().map(|door| door.listener).collect();
        let doors = (1..=DOORS_MAX).contains(&self.doors.len()) && listeners.len() == self.doors.len();
        prize && flags && doors && self.doors.iter().all(Door::is_sound)
    }
}

impl Door {
    fn is_sound(&self) -> bool {
        let authority = (1..=CLIENT_CERTIFICATE_LEN_MAX).contains(&self.authority.len());
        let port = !matches!(self.role, Role::CallBack { port: 0 });
        authority && port && is_name(&self.peer)
    }
}

impl ClientAuth {
    fn is_sound(&self) -> bool {
        let roots = (1..=CLIENT_ROOTS_MAX).contains(&self.roots.len()) && fit(&self.roots, CLIENT_CERTIFICATE_LEN_MAX);
        let crls = self.crls.len() <= CRLS_MAX && fit(&self.crls, CRL_LEN_MAX);
        let patterns = self.names.iter().all(|name| AltPattern::parse(name).is_some());
        let names = [&self.names, &self.subjects];
        let allowed = names.iter().all(|list| list.len() <= CLIENT_NAMES_MAX && fit(list, CLIENT_NAME_LEN_MAX));
        roots && crls && patterns && allowed
    }
}

impl Upstream {
    fn is_sound(&self) -> bool {
        let counts =
            [(self.connections, COUNT_MAX), (self.queue, QUEUE_MAX), (self.retries, RETRIES_MAX), (self.eject.failures, COUNT_MAX)];
        let times = [self.queue_timeout_ms, self.eject.for_ms];
        counts.iter().all(|&(count, most)| count <= most)
            && times.iter().all(|ms| (1..=TIMEOUT_MS_MAX).contains(ms))
            && self.check.as_ref().is_none_or(Check::is_sound)
    }
}

impl Check {
    fn is_sound(&self) -> bool {
        let interval = (CHECK_INTERVAL_MS_MIN..=TIMEOUT_MS_MAX).contains(&self.interval_ms);
        let timeout = (1..=TIMEOUT_MS_MAX).contains(&self.timeout_ms);
        let counts = [self.rise, self.fall].iter().all(|count| (1..=CHECK_COUNT_MAX).contains(count));
        interval && timeout && counts && self.kind.is_sound()
    }
}

impl CheckKind {
    /// Path and host go into a request as they are, so neither may hold a space or a control character.
    fn is_sound(&self) -> bool {
        match self {
            Self::Tcp => true,
            Self::Http { path, host, expect } => {
                let plain = |text: &str| text.len() <= CHECK_TEXT_LEN_MAX && text.bytes().all(|byte| byte.is_ascii_graphic());
                path.starts_with('/') && plain(path) && plain(host) && 100 <= expect.0 && expect.0 <= expect.1 && expect.1 <= 599
            }
        }
    }
}

fn fit(list: &[impl AsRef<[u8]>], len_max: usize) -> bool {
    list.iter().all(|item| (1..=len_max).contains(&item.as_ref().len()))
}

impl Limits {
    fn is_sound(&self) -> bool {
        let timeouts = [
            self.first_byte_timeout_ms,
            self.handshake_timeout_ms,
            self.idle_timeout_ms,
            self.lifetime_ms,
            self.half_close_timeout_ms,
            self.stall_timeout_ms,
            self.drain_timeout_ms,
            self.connect_timeout_ms,
        ];
        let counts = [
            self.connections,
            self.connections_per_source,
            self.new_per_source_per_s,
            self.new_per_s,
            self.waiting,
            self.handshakes,
            self.log_per_s,
        ];
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
