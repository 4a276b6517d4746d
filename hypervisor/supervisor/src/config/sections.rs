//! The sections of the file, in the file's own words. What spans several sections is checked in [`crate::check`].

use core::net::IpAddr;
use std::path::PathBuf;

use keys::bundle::{CheckKind, Limits, Memory, Mode, ProxyOut, Tls, Upstream};
use keys::limits::{CERTIFICATES_MAX, COUNT_MAX, ROUTE_BACKENDS_MAX, ROUTE_NAME_LEN_MAX, ROUTE_NAMES_MAX, ROUTES_MAX, TIMEOUT_MS_MAX};
use keys::names::{parse_name, parse_pattern};
use toml::de::DeTable;

use super::admin;
use super::challenge::{self, ChallengeWords};
use super::client::{self, ClientWords};
use super::document::Document;
use super::listen::{self, ListenWords};
use super::net::{self, Net, WIRE_MACS};
use super::record;
use super::reload::{self, Reload};
use super::section::{Section, Spot};
use super::taken::Taken;
use super::tls;
use super::upstream;
use crate::limits::{HEAP_MIB_DEFAULT, HEAP_MIB_MAX, HEAP_MIB_MIN};
use crate::plan::{AccessLog, Admin, MachineKind, Record, Restart, Target};
use crate::report::{Place, Report};
use crate::rule::Rule;

/// The whole file.
#[derive(Debug)]
pub struct Config {
    /// `[machine] kind`
    pub machine: MachineKind,
    /// `[machine] heap_mib`
    pub heap_mib: u64,
    /// `[machine] image`, seen from the file's directory.
    pub image: Option<PathBuf>,
    /// `[machine] restart`
    pub restart: Restart,
    /// `[net]`
    pub front: Net,
    /// `[net.back]`
    pub back: Net,
    /// `[[listen]]`
    pub listeners: Vec<ListenWords>,
    /// `[[certificate]]`
    pub certificates: Vec<CertificateFiles>,
    /// `[[route]]`
    pub routes: Vec<RouteWords>,
    /// `[tls]`
    pub tls: Tls,
    /// `[tls] ticket_key`, seen from the file's directory.
    pub ticket_key: Option<Spot<PathBuf>>,
    /// `[limits]`
    pub limits: Limits,
    /// `[admin]`
    pub admin: Admin,
    /// `[log]`
    pub log: AccessLog,
    /// `[record]`
    pub record: Option<Record>,
    /// `[challenge]`
    pub challenge: Option<ChallengeWords>,
    /// `[reload]`
    pub reload: Reload,
}

impl Config {
    /// The files that it names and that may change while a box runs.
    #[must_use]
    pub fn files(&self) -> Vec<PathBuf> {
        let pairs = self.certificates.iter().flat_map(|files| [&files.chain, &files.key]);
        let clients = self.routes.iter().filter_map(|route| route.client.as_ref());
        let clients = clients.flat_map(|client| client.ca.iter().chain(&client.crls));
        pairs.chain(clients).chain(&self.ticket_key).map(|path| path.value.clone()).collect()
    }
}

/// One `[[certificate]]`.
#[derive(Debug, Clone)]
pub struct CertificateFiles {
    /// `chain`, seen from the file's directory.
    pub chain: Spot<PathBuf>,
    /// `key`, seen from the file's directory.
    pub key: Spot<PathBuf>,
}

/// One `[[route]]`.
#[derive(Debug, Clone)]
pub struct RouteWords {
    /// Where the table stands.
    pub place: Place,
    /// `name`
    pub name: Option<Spot<String>>,
    /// `mode`
    pub mode: Mode,
    /// `proxy_protocol`
    pub proxy: ProxyOut,
    /// `sni`; empty is the default route.
    pub sni: Vec<Spot<String>>,
    /// `alpn`
    pub alpn: Vec<String>,
    /// `backends`
    pub backends: Vec<Spot<Endpoint>>,
    /// `[route.client]`
    pub client: Option<ClientWords>,
    /// How they are used: `balance`, `backend_connections`, `[route.check]` and so on.
    pub upstream: Upstream,
}

/// A host and a port.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Endpoint {
    /// An address or a name.
    pub target: Target,
    /// Not zero.
    pub port: u16,
}

/// Reads all sections.
pub(crate) fn read(document: &Document, table: &DeTable<'_>, report: &mut Report) -> Config {
    let mut top = Section::top(document, table);
    let mut machine = top.section("machine", report);
    let mut front = top.section("net", report);
    let mut back = front.section("back", report);
    let mut tls_section = top.section("tls", report);
    let mut limits = top.section("limits", report);
    let mut admin = top.section("admin", report);
    let mut log = top.section("log", report);
    let mut reload = top.section("reload", report);
    let heap_mib = machine.number("heap_mib", HEAP_MIB_MIN..=HEAP_MIB_MAX, report).map_or(HEAP_MIB_DEFAULT, |mib| mib.value);
    let (tls_words, ticket_key) = tls::read(&mut tls_section, report);
    let routes = read_routes(&mut top, report);
    let config = Config {
        machine: machine.choice("kind", &KINDS, report).map_or(MachineKind::Auto, |kind| kind.value),
        heap_mib,
        image: machine.text("image", report).map(|image| document.resolve(&image.value)),
        restart: machine.choice("restart", &RESTARTS, report).map_or(Restart::OnFailure, |restart| restart.value),
        front: net::read(&mut front, WIRE_MACS[0], report),
        back: net::read(&mut back, WIRE_MACS[1], report),
        listeners: listen::read(&mut top, report),
        certificates: read_certificates(&mut top, &routes, report),
        routes,
        tls: tls_words,
        ticket_key,
        limits: read_limits(&mut limits, heap_mib, report),
        admin: admin::read(&mut admin, document, report),
        log: admin::read_log(&mut log, document, report),
        record: record::read(&mut top, document, report),
        challenge: challenge::read(&mut top, document, report),
        reload: reload::read(&mut reload, report),
    };
    [machine, back, front, tls_section, limits, admin, log, reload, top].into_iter().for_each(|section| section.finish(report));
    config
}

const KINDS: [(&str, MachineKind); 3] = [("auto", MachineKind::Auto), ("kvm", MachineKind::Kvm), ("process", MachineKind::Process)];
const RESTARTS: [(&str, Restart); 3] = [("always", Restart::Always), ("on-failure", Restart::OnFailure), ("never", Restart::Never)];

/// At least one is wanted, unless every route passes TLS through.
fn read_certificates(top: &mut Section<'_>, routes: &[RouteWords], report: &mut Report) -> Vec<CertificateFiles> {
    let mut certificates = Vec::new();
    if !top.has("certificate") && !routes.is_empty() && routes.iter().all(|route| route.mode == Mode::Passthrough) {
        top.sections("certificate", report);
        return certificates;
    }
    for mut section in some_sections(top, "certificate", CERTIFICATES_MAX, report) {
        let document = section.document();
        let chain = section.required_text("chain", report).map(|path| document.resolve_spot(path));
        let key = section.required_text("key", report).map(|path| document.resolve_spot(path));
        if let (Some(chain), Some(key)) = (chain, key) {
            certificates.push(CertificateFiles { chain, key });
        }
        section.finish(report);
    }
    certificates
}

fn read_routes(top: &mut Section<'_>, report: &mut Report) -> Vec<RouteWords> {
    let mut routes: Vec<RouteWords> = Vec::new();
    let mut taken = Taken::default();
    for mut section in some_sections(top, "route", ROUTES_MAX, report) {
        let route = read_route(&mut section, report);
        taken.add(&route, !section.has("sni"), report);
        routes.push(route);
        section.finish(report);
    }
    routes
}

fn read_route(section: &mut Section<'_>, report: &mut Report) -> RouteWords {
    let place = section.place.clone();
    let name = section.parsed("name", "a name of 1 to 64 visible ASCII characters", parse_label, report);
    let mode = section.choice("mode", &MODES, report).map_or(Mode::Terminate, |mode| mode.value);
    let proxy = section.choice("proxy_protocol", &PROXY_PROTOCOLS, report).map_or(ProxyOut::Off, |proxy| proxy.value);
    let sni = section.parsed_list("sni", "a host name, or *. and a host name", parse_pattern, report);
    if sni.as_ref().is_some_and(Vec::is_empty) {
        report.add(Rule::WrongValue, &section.place_at("sni"), "the list is empty or holds no name; for the default route leave `sni` out");
    }
    let backends =
        section.parsed_list("backends", "host:port, as \"127.0.0.1:8080\", \"[::1]:8080\" or \"app:8080\"", parse_endpoint, report);
    match &backends {
        None if !section.has("backends") => report.add(Rule::MissingKey, &place, "`backends` is missing, as [\"127.0.0.1:8080\"]"),
        Some(none) if none.is_empty() => report.add(Rule::WrongValue, &section.place_at("backends"), "a route wants at least one backend"),
        _ => {}
    }
    let (sni, backends) = (sni.unwrap_or_default(), backends.unwrap_or_default());
    bound(section, "sni", sni.len(), ROUTE_NAMES_MAX, report);
    bound(section, "backends", backends.len(), ROUTE_BACKENDS_MAX, report);
    let client = client::read(section, report);
    if let Some(client) = client.as_ref().filter(|_| mode == Mode::Passthrough) {
        report.add(Rule::Misplaced, &client.place, "where TLS passes through, clients show certificates to the backend, not here");
    }
    // Whom an HTTP check asks for: the route's first name that is one.
    let host = sni.iter().map(|name| &*name.value).find(|name| !name.starts_with('*')).unwrap_or("localhost").to_owned();
    let upstream = upstream::read(section, &host, report);
    let asks_http = upstream.check.as_ref().is_some_and(|check| check.kind != CheckKind::Tcp);
    if asks_http && mode == Mode::Passthrough {
        report.add(
            Rule::Misplaced,
            &section.place_at("check"),
            "where TLS passes through, the backends do not speak plain HTTP: take kind = \"tcp\"",
        );
    }
    RouteWords { place, name, mode, proxy, sni, alpn: tls::read_alpn(section, report), backends, client, upstream }
}

const MODES: [(&str, Mode); 2] = [("terminate", Mode::Terminate), ("passthrough", Mode::Passthrough)];
const PROXY_PROTOCOLS: [(&str, ProxyOut); 4] =
    [("off", ProxyOut::Off), ("v1", ProxyOut::V1), ("v2", ProxyOut::V2), ("v2-tls", ProxyOut::V2Tls)];

/// What stands in log lines and as a metric's label without being quoted.
fn parse_label(text: &str) -> Option<String> {
    let visible = text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\');
    (visible && (1..=ROUTE_NAME_LEN_MAX).contains(&text.len())).then(|| text.to_owned())
}

/// What is not written is fitted to the heap; what is written must fit it.
fn read_limits(section: &mut Section<'_>, heap_mib: u64, report: &mut Report) -> Limits {
    let memory = Memory(heap_mib.saturating_mul(1 << 20));
    let mut limits = Limits::default();
    for (key, limit) in [
        ("first_byte_timeout_ms", &mut limits.first_byte_timeout_ms),
        ("handshake_timeout_ms", &mut limits.handshake_timeout_ms),
        ("idle_timeout_ms", &mut limits.idle_timeout_ms),
        ("lifetime_ms", &mut limits.lifetime_ms),
        ("half_close_timeout_ms", &mut limits.half_close_timeout_ms),
        ("stall_timeout_ms", &mut limits.stall_timeout_ms),
        ("drain_timeout_ms", &mut limits.drain_timeout_ms),
        ("connect_timeout_ms", &mut limits.connect_timeout_ms),
    ] {
        *limit = section.number(key, 1..=TIMEOUT_MS_MAX, report).map_or(*limit, |number| number.value);
    }
    for (key, limit) in [
        ("connections_per_source", &mut limits.connections_per_source),
        ("new_per_source_per_s", &mut limits.new_per_source_per_s),
        ("new_per_s", &mut limits.new_per_s),
        ("waiting", &mut limits.waiting),
        ("log_per_s", &mut limits.log_per_s),
    ] {
        *limit = read_count(section, key, report).unwrap_or(*limit);
    }
    limits.handshakes = fitting(section, "handshakes", limits.handshakes, memory.handshakes_max(), heap_mib, report);
    let most = memory.connections_max(limits.handshakes);
    limits.connections = fitting(section, "connections", limits.connections, most, heap_mib, report);
    limits
}

/// A count that the heap must have room for.
fn fitting(section: &mut Section<'_>, key: &'static str, default: u32, most: u32, heap_mib: u64, report: &mut Report) -> u32 {
    let Some(wanted) = read_count(section, key, report) else { return default.min(most) };
    if wanted > most {
        let message =
            format!("{wanted} do not fit a heap of {heap_mib} MiB, which holds {most}: lower it, or raise `heap_mib` in [machine]");
        report.add(Rule::OutOfRange, &section.place_at(key), message);
    }
    wanted.min(most)
}

fn read_count(section: &mut Section<'_>, key: &'static str, report: &mut Report) -> Option<u32> {
    let number = section.number(key, 1..=COUNT_MAX.into(), report)?;
    u32::try_from(number.value).ok()
}

/// The tables of an array that must have one at least.
pub(super) fn some_sections<'a>(top: &mut Section<'a>, key: &'static str, most: usize, report: &mut Report) -> Vec<Section<'a>> {
    let sections = top.sections(key, report);
    if sections.is_empty() && (!top.has(key) || !report.has_errors()) {
        report.add(Rule::MissingKey, &top.place_at(key), format!("at least one [[{key}]] is wanted"));
    }
    bound(top, key, sections.len(), most, report);
    sections
}

pub(super) fn bound(section: &Section<'_>, key: &str, count: usize, most: usize, report: &mut Report) {
    if count > most {
        report.add(Rule::TooMany, &section.place_at(key), format!("{count} of them, and {most} is the most"));
    }
}

fn parse_endpoint(text: &str) -> Option<Endpoint> {
    let (host, port) = text.rsplit_once(':')?;
    let digits = port.bytes().all(|byte| byte.is_ascii_digit());
    let port = port.parse().ok().filter(|&port| digits && port != 0)?;
    let bracketed = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let target = match (bracketed, host.parse()) {
        (Some(v6), _) => Target::Address(IpAddr::V6(v6.parse().ok()?)),
        (None, Ok(address @ IpAddr::V4(_))) => Target::Address(address),
        (None, Ok(IpAddr::V6(_))) => return None,
        (None, Err(_)) => Target::Name(parse_name(host)?),
    };
    let reachable = !matches!(target, Target::Address(address) if address.is_unspecified() || address.is_multicast());
    reachable.then_some(Endpoint { target, port })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backends_are_addresses_or_names_with_a_port() {
        let endpoint = |text| parse_endpoint(text).map(|endpoint| (endpoint.target.to_string(), endpoint.port));
        assert_eq!(endpoint("127.0.0.1:80"), Some(("127.0.0.1".into(), 80)));
        assert_eq!(endpoint("[::1]:80"), Some(("[::1]".into(), 80)));
        assert_eq!(endpoint("App.internal:65535"), Some(("app.internal".into(), 65535)));
        for text in [
            "",
            ":80",
            "app",
            "app:",
            "app:0",
            "app:65536",
            "::1:80",
            "[::1]",
            "[127.0.0.1]:80",
            "0.0.0.0:80",
            "a b:80",
            "http://a:80",
            "300.1.1.1:80",
        ] {
            assert_eq!(endpoint(text), None, "{text}");
        }
    }
}
