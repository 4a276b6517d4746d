//! `[[listen]]`: where clients are taken, and which front ends speak for others.

use core::net::{IpAddr, SocketAddr};

use keys::bundle::Cidr;
use keys::limits::{LISTENERS_MAX, PROXIES_MAX};

use super::section::{Section, Spot, parse_spot};
use super::sections::{bound, some_sections};
use crate::report::Report;
use crate::rule::Rule;

/// One `[[listen]]`.
#[derive(Debug, Clone)]
pub struct ListenWords {
    /// `address`
    pub address: Spot<SocketAddr>,
    /// `proxy_from`
    pub proxy_from: Vec<Cidr>,
}

/// Reads them all.
pub(super) fn read(top: &mut Section<'_>, report: &mut Report) -> Vec<ListenWords> {
    let mut listeners: Vec<ListenWords> = Vec::new();
    for mut section in some_sections(top, "listen", LISTENERS_MAX, report) {
        let wanted = "an address and a port, as \"127.0.0.1:8443\" or \"[::1]:8443\"";
        let text = section.required_text("address", report);
        let address = text.and_then(|text| parse_spot(text, wanted, |text| text.parse().ok(), report));
        let proxy_from = read_proxy_from(&mut section, report);
        if let Some(address) = address {
            push_distinct(&mut listeners, ListenWords { address, proxy_from }, report);
        }
        section.finish(report);
    }
    listeners
}

fn push_distinct(listeners: &mut Vec<ListenWords>, listener: ListenWords, report: &mut Report) {
    let Spot { value, place } = &listener.address;
    if value.port() != 0 && listeners.iter().any(|other| other.address.value == *value) {
        report.add(Rule::Duplicate, place, format!("{value} is listened on already"));
    }
    listeners.push(listener);
}

fn read_proxy_from(section: &mut Section<'_>, report: &mut Report) -> Vec<Cidr> {
    let wanted = "an address, or a network without host bits, as \"10.0.0.0/8\" or \"fd00::/8\"";
    let networks = section.parsed_list("proxy_from", wanted, parse_network, report).unwrap_or_default();
    bound(section, "proxy_from", networks.len(), PROXIES_MAX, report);
    networks.into_iter().map(|network| network.value).collect()
}

/// A network, or a single address. A network with host bits set may be meant as either, so it is neither.
fn parse_network(text: &str) -> Option<Cidr> {
    let Some((address, len)) = text.split_once('/') else {
        let address: IpAddr = text.parse().ok()?;
        let address = address.to_canonical();
        return Some(Cidr { address, prefix_len: if address.is_ipv4() { 32 } else { 128 } });
    };
    let (address, prefix_len): (IpAddr, u8) = (address.parse().ok()?, len.parse().ok()?);
    let canonical = len.bytes().all(|byte| byte.is_ascii_digit()) && address.to_canonical() == address;
    let host_bits = match address {
        IpAddr::V4(v4) => {
            u32::from(v4).checked_shl(prefix_len.into()).filter(|_| prefix_len <= 32).map(u128::from).or((prefix_len == 32).then_some(0))
        }
        IpAddr::V6(v6) => u128::from(v6).checked_shl(prefix_len.into()).or((prefix_len == 128).then_some(0)),
    };
    (canonical && host_bits == Some(0)).then_some(Cidr { address, prefix_len })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(text: &str) -> Option<String> {
        parse_network(text).map(|cidr| format!("{}/{}", cidr.address, cidr.prefix_len))
    }

    #[test]
    fn networks_and_single_addresses_are_taken() {
        for (text, meant) in [
            ("10.0.0.0/8", "10.0.0.0/8"),
            ("192.0.2.7", "192.0.2.7/32"),
            ("192.0.2.7/32", "192.0.2.7/32"),
            ("0.0.0.0/0", "0.0.0.0/0"),
            ("fd00::/8", "fd00::/8"),
            ("::/0", "::/0"),
            ("::1", "::1/128"),
            ("2001:db8::1/128", "2001:db8::1/128"),
            ("::ffff:192.0.2.7", "192.0.2.7/32"),
        ] {
            assert_eq!(network(text).as_deref(), Some(meant), "{text}");
        }
    }

    #[test]
    fn what_could_be_meant_otherwise_is_refused() {
        for text in [
            "",
            "10.0.0.1/8",
            "10.0.0.0/33",
            "10.0.0.0/+8",
            "10.0.0.0/",
            "fd00::1/8",
            "fd00::/129",
            "::ffff:10.0.0.0/104",
            "lb.internal",
            "10.0/8",
        ] {
            assert_eq!(network(text), None, "{text}");
        }
    }
}
