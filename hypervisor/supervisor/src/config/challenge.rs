//! `[challenge]`: the contest that this box serves: its folder, where its doors are, and where its page is.

use core::net::SocketAddr;
use core::time::Duration;
use std::path::PathBuf;

use ceremony::PerDoor;

use super::document::Document;
use super::listen::ListenWords;
use super::section::{Section, Spot, parse_spot};
use crate::limits::{CAPTURE_MIB_DEFAULT, CAPTURE_MIB_MAX, HEARTBEAT_S_DEFAULT, HEARTBEAT_S_MIN};
use crate::report::Report;
use crate::rule::Rule;

/// The section.
#[derive(Debug, Clone)]
pub struct ChallengeWords {
    /// `folder`
    pub folder: Spot<PathBuf>,
    /// `server`, `call_back`, `reverse`
    pub doors: PerDoor<Spot<SocketAddr>>,
    /// `page`
    pub page: Spot<SocketAddr>,
    /// `plain`
    pub plain: Option<SocketAddr>,
    /// `base`
    pub base: String,
    /// `arbiter`
    pub arbiter: Option<PathBuf>,
    /// `heartbeat_s`
    pub heartbeat: Duration,
    /// `capture_mib`
    pub capture_mib: u64,
}

impl ChallengeWords {
    /// The doors as listeners, in the order of [`ceremony::DoorName::ALL`].
    pub(crate) fn listeners(&self) -> impl Iterator<Item = ListenWords> {
        let PerDoor { server, call_back, reverse } = self.doors.clone();
        [server, call_back, reverse].into_iter().map(|address| ListenWords { address, proxy_from: Vec::new() })
    }
}

/// Reads the section, if there is one.
pub(super) fn read(top: &mut Section<'_>, document: &Document, report: &mut Report) -> Option<ChallengeWords> {
    let wanted = top.has("challenge");
    let mut section = top.section("challenge", report);
    let challenge = if wanted { words(&mut section, document, report) } else { None };
    section.finish(report);
    challenge
}

fn words(section: &mut Section<'_>, document: &Document, report: &mut Report) -> Option<ChallengeWords> {
    let folder = section.required_text("folder", report).map(|path| document.resolve_spot(path));
    let server = address(section, "server", report);
    let call_back = address(section, "call_back", report);
    let reverse = address(section, "reverse", report);
    let page = address(section, "page", report);
    if let Some(page) = page.as_ref().filter(|page| !page.value.ip().is_loopback()) {
        let message = format!(
            "{} is not a loopback address: what comes to it must begin with a PROXY header, which anybody could make up",
            page.value
        );
        report.add(Rule::WrongValue, &page.place, message);
    }
    let plain = section.parsed("plain", ADDRESS, |text| text.parse::<SocketAddr>().ok(), report);
    let base = section.required_text("base", report);
    if let Some(base) = base.as_ref().filter(|base| !is_base(&base.value)) {
        report.add(Rule::WrongValue, &base.place, "https:// and where people reach the page is wanted, without a path");
    }
    let arbiter = section.text("arbiter", report).map(|path| document.resolve(&path.value));
    let heartbeat =
        section.number("heartbeat_s", HEARTBEAT_S_MIN..=HEARTBEAT_S_DEFAULT, report).map_or(HEARTBEAT_S_DEFAULT, |spot| spot.value);
    let capture_mib = section.number("capture_mib", 0..=CAPTURE_MIB_MAX, report).map_or(CAPTURE_MIB_DEFAULT, |spot| spot.value);
    Some(ChallengeWords {
        folder: folder?,
        doors: PerDoor { server: server?, call_back: call_back?, reverse: reverse? },
        page: page?,
        plain: plain.map(|plain| plain.value),
        base: base?.value,
        arbiter,
        heartbeat: Duration::from_secs(heartbeat),
        capture_mib,
    })
}

const ADDRESS: &str = "an address and a port, as \"127.0.0.1:8443\" or \"[::1]:8443\"";

fn address(section: &mut Section<'_>, key: &'static str, report: &mut Report) -> Option<Spot<SocketAddr>> {
    let text = section.required_text(key, report)?;
    parse_spot(text, ADDRESS, |text| text.parse::<SocketAddr>().ok(), report)
}

/// `https://` and a host, perhaps with a port; nothing that would end an attribute or a shell's word.
fn is_base(text: &str) -> bool {
    let host = text.strip_prefix("https://").unwrap_or_default();
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b':' | b'[' | b']');
    !host.is_empty() && host.bytes().all(plain)
}
