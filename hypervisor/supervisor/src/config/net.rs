//! `[net]` and `[net.back]`: how a link is attached.

use core::net::IpAddr;

use keys::bundle::{Cidr, Gateway, Link, LinkKind};
use keys::limits::{ADDRESSES_MAX, GATEWAYS_MAX, MTU_MIN};

use super::section::{Section, Spot};
use crate::addresses::MTU_DEFAULT;
use crate::limits::DEVICE_NAME_LEN_MAX;
use crate::plan::Attachment;
use crate::report::Report;
use crate::rule::Rule;

/// How a link is attached to the world, in the file's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// `user`
    User,
    /// `tap`
    Tap,
}

/// One link: what is at its end, and what the guest is told about it.
#[derive(Debug, Clone)]
pub struct Net {
    /// What the tender attaches.
    pub attachment: Attachment,
    /// The MTU.
    pub mtu: u16,
    /// What the guest is told, for a TAP; a `user` link's is known without the file.
    pub wire: Option<Link>,
}

const USER: Net = Net { attachment: Attachment::User, mtu: MTU_DEFAULT, wire: None };
const TAP_ONLY: [&str; 6] = ["device", "fd", "addresses", "gateways", "mac", "offload"];

/// The default hardware addresses of TAP links, front and back.
pub(crate) const WIRE_MACS: [[u8; 6]; 2] = [[0x02, 0xbb, 0, 0, 0, 1], [0x02, 0xbb, 0, 0, 0, 2]];

/// Reads one link's section; the caller finishes it.
pub(crate) fn read(section: &mut Section<'_>, mac: [u8; 6], report: &mut Report) -> Net {
    let mode = section.choice("mode", &[("user", Mode::User), ("tap", Mode::Tap)], report);
    let mtu = section.number("mtu", MTU_MIN.into()..=u16::MAX.into(), report).and_then(|mtu| u16::try_from(mtu.value).ok());
    let mtu = mtu.unwrap_or(MTU_DEFAULT);
    let wire = Wire::read(section, report);
    match mode.map_or(Mode::User, |mode| mode.value) {
        Mode::Tap => wire.attach(section, mtu, mac, report).unwrap_or(USER),
        Mode::User => {
            for key in TAP_ONLY.into_iter().filter(|key| section.has(key)) {
                report.add(Rule::Misplaced, &section.place_at(key), format!("`{key}` is for mode = \"tap\", and the mode is \"user\""));
            }
            Net { mtu, ..USER }
        }
    }
}

/// The words for a TAP.
struct Wire {
    device: Option<Spot<String>>,
    descriptor: Option<Spot<u64>>,
    addresses: Vec<Spot<Cidr>>,
    gateways: Vec<Spot<Gateway>>,
    mac: Option<[u8; 6]>,
    offload: Option<bool>,
}

impl Wire {
    fn read(section: &mut Section<'_>, report: &mut Report) -> Self {
        let name = format!("a device's name (1 to {DEVICE_NAME_LEN_MAX} letters, digits, - _ or .)");
        let gateway = "an address, or address@mac as in \"192.0.2.1@02:00:00:00:00:01\"";
        Self {
            device: section.parsed("device", &name, parse_device, report),
            descriptor: section.number("fd", 3..=1023, report),
            addresses: section
                .parsed_list("addresses", "an address with its prefix, as \"192.0.2.2/24\"", parse_cidr, report)
                .unwrap_or_default(),
            gateways: section.parsed_list("gateways", gateway, parse_gateway, report).unwrap_or_default(),
            mac: section.parsed("mac", "a unicast MAC, as \"02:00:00:00:00:01\"", parse_mac, report).map(|mac| mac.value),
            offload: section.switch("offload", report),
        }
    }

    fn attach(self, section: &Section<'_>, mtu: u16, mac: [u8; 6], report: &mut Report) -> Option<Net> {
        self.check(section, report);
        let attachment = match (self.device, self.descriptor) {
            (Some(device), None) => Attachment::TapDevice(device.value),
            (None, Some(descriptor)) => Attachment::TapDescriptor(i32::try_from(descriptor.value).ok()?),
            (Some(_), Some(descriptor)) => {
                report.add(Rule::Duplicate, &descriptor.place, "`device` and `fd` are both given");
                return None;
            }
            (None, None) if section.has("device") || section.has("fd") => return None,
            (None, None) => {
                report.add(Rule::MissingKey, &section.place, "mode = \"tap\" wants `device` or `fd`");
                return None;
            }
        };
        let wire = Link {
            kind: LinkKind::Wire,
            mac: self.mac.unwrap_or(mac),
            addresses: self.addresses.iter().map(|cidr| cidr.value).collect(),
            gateways: self.gateways.iter().map(|gateway| gateway.value).collect(),
            mtu,
            offload: self.offload.unwrap_or(true),
        };
        Some(Net { attachment, mtu, wire: Some(wire) })
    }

    fn check(&self, section: &Section<'_>, report: &mut Report) {
        if self.addresses.is_empty() && !section.has("addresses") {
            report.add(Rule::MissingKey, &section.place, "mode = \"tap\" wants `addresses`, the guest's own, as [\"192.0.2.2/24\"]");
        }
        for (key, count, most) in [("addresses", self.addresses.len(), ADDRESSES_MAX), ("gateways", self.gateways.len(), GATEWAYS_MAX)] {
            if count > most {
                report.add(Rule::TooMany, &section.place_at(key), format!("{count} `{key}`, and {most} is the most"));
            }
        }
        for gateway in &self.gateways {
            let on_link = |cidr: &Spot<Cidr>| shares_prefix(cidr.value, gateway.value.address);
            if !self.addresses.iter().any(on_link) && !is_link_local(gateway.value.address) {
                report.add(Rule::WrongValue, &gateway.place, format!("{} is in none of the link's networks", gateway.value.address));
            }
        }
    }
}

fn parse_device(text: &str) -> Option<String> {
    let sound = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
    (sound && (1..=DEVICE_NAME_LEN_MAX).contains(&text.len()) && text != "." && text != "..").then(|| text.into())
}

fn parse_cidr(text: &str) -> Option<Cidr> {
    let (address, prefix_len) = text.split_once('/')?;
    let address: IpAddr = address.parse().ok().filter(is_unicast)?;
    let most = if address.is_ipv4() { 32 } else { 128 };
    let prefix_len = prefix_len.parse().ok().filter(|len| (1..=most).contains(len))?;
    Some(Cidr { address, prefix_len })
}

fn parse_gateway(text: &str) -> Option<Gateway> {
    let (address, mac) = match text.split_once('@') {
        Some((address, mac)) => (address, Some(parse_mac(mac)?)),
        None => (text, None),
    };
    Some(Gateway { address: address.parse().ok().filter(is_unicast)?, mac })
}

fn parse_mac(text: &str) -> Option<[u8; 6]> {
    let mut bytes = Vec::new();
    for pair in text.split(':') {
        let hex = pair.len() == 2 && pair.bytes().all(|byte| byte.is_ascii_hexdigit());
        bytes.push(hex.then(|| u8::from_str_radix(pair, 16).ok())??);
    }
    <[u8; 6]>::try_from(bytes).ok().filter(|mac| mac[0] & 1 == 0 && *mac != [0; 6])
}

/// Whether the address may be one host's own on a network.
pub(crate) fn is_unicast(address: &IpAddr) -> bool {
    let broadcast = matches!(address, IpAddr::V4(v4) if v4.is_broadcast());
    !(address.is_unspecified() || address.is_multicast() || address.is_loopback() || broadcast)
}

fn is_link_local(address: IpAddr) -> bool {
    matches!(address, IpAddr::V6(v6) if v6.is_unicast_link_local())
}

fn shares_prefix(cidr: Cidr, address: IpAddr) -> bool {
    let len = u32::from(cidr.prefix_len);
    match (cidr.address, address) {
        (IpAddr::V4(a), IpAddr::V4(b)) => (u32::from(a) ^ u32::from(b)).leading_zeros() >= len,
        (IpAddr::V6(a), IpAddr::V6(b)) => (u128::from(a) ^ u128::from(b)).leading_zeros() >= len,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn macs_are_six_pairs_of_one_host() {
        assert_eq!(parse_mac("02:bb:00:00:00:fF"), Some([2, 0xbb, 0, 0, 0, 0xff]));
        for text in
            ["", "02:bb:00:00:00", "02:bb:00:00:00:00:00", "2:b:0:0:0:0", "01:00:5e:00:00:01", "00:00:00:00:00:00", "+2:bb:00:00:00:01"]
        {
            assert_eq!(parse_mac(text), None, "{text}");
        }
    }

    #[test]
    fn networks_are_compared_by_their_prefix() {
        let cidr = parse_cidr("192.0.2.130/25").unwrap();
        assert!(shares_prefix(cidr, "192.0.2.129".parse().unwrap()));
        assert!(!shares_prefix(cidr, "192.0.2.1".parse().unwrap()));
        assert!(!shares_prefix(cidr, "fd00::1".parse().unwrap()));
        assert!(shares_prefix(parse_cidr("10.0.0.1/32").unwrap(), "10.0.0.1".parse().unwrap()));
    }

    #[test]
    fn prefixes_and_addresses_have_bounds() {
        for text in ["10.0.0.1", "10.0.0.1/0", "10.0.0.1/33", "::1/128", "fd00::1/129", "224.0.0.1/4", "0.0.0.0/8", "a/8"] {
            assert_eq!(parse_cidr(text), None, "{text}");
        }
        assert!(parse_cidr("fd00::1/128").is_some());
    }
}
