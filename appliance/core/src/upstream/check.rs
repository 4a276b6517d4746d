//! When backends are checked: each at its own pace, no two in step, and only so many at once.

use alloc::collections::VecDeque;
use alloc::format;
use alloc::vec::Vec;
use core::time::Duration;

use keys::bundle::{self, CheckKind, ProxyOut};
use net::{Timer, Wheel};

use super::backend::BackendId;
use super::jitter::Jitter;
use super::probe::Probe;
use crate::limits::{CHECKS_AT_ONCE, FIRST_CHECK_WITHIN};

/// The checks of one backend.
#[derive(Debug)]
pub(super) struct Check {
    pub(super) rule: bundle::Check,
    proxy: ProxyOut,
    /// What a check says.
    pub(super) request: Vec<u8>,
    /// The one under way.
    pub(super) probe: Option<Probe>,
    /// Its time-out, or the next one's time.
    timer: Option<Timer>,
}

/// When which backend is to be checked.
#[derive(Debug)]
pub(super) struct Schedule {
    wheel: Wheel<BackendId>,
    jitter: Jitter,
    /// Due, and waiting for others to be over.
    due: VecDeque<BackendId>,
    running: usize,
}

impl Check {
    pub(super) fn new(rule: &bundle::Check, proxy: ProxyOut) -> Self {
        Self { rule: rule.clone(), proxy, request: request(&rule.kind, proxy), probe: None, timer: None }
    }

    /// Whether it is what a route wants.
    pub(super) fn is(&self, rule: &bundle::Check, proxy: ProxyOut) -> bool {
        self.rule == *rule && self.proxy == proxy
    }

    pub(super) fn timeout(&self) -> Duration {
        Duration::from_millis(self.rule.timeout_ms)
    }

    fn interval(&self) -> Duration {
        Duration::from_millis(self.rule.interval_ms)
    }
}

/// What a check says. A backend that expects PROXY headers gets one that speaks for nobody. The bundle holds path and host to characters that cannot
/// end a line.
fn request(kind: &CheckKind, proxy: ProxyOut) -> Vec<u8> {
    let mut request = match proxy {
        ProxyOut::Off => Vec::new(),
        ProxyOut::V1 => b"PROXY UNKNOWN\r\n".to_vec(),
        ProxyOut::V2 | ProxyOut::V2Tls => proxy::local_block().to_vec(),
    };
    if let CheckKind::Http { path, host, .. } = kind {
        let words = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: bountybox\r\nAccept: */*\r\nConnection: close\r\n\r\n");
        request.extend_from_slice(words.as_bytes());
    }
    request
}

impl Schedule {
    pub(super) fn new(seed: [u8; 8], now: Duration) -> Self {
        Self { wheel: Wheel::new(now), jitter: Jitter::new(seed), due: VecDeque::new(), running: 0 }
    }

    /// The first check comes soon, but not with all the others.
    pub(super) fn arm_first(&mut self, id: BackendId, check: &mut Check, now: Duration) {
        let within = self.jitter.up_to(check.interval().min(FIRST_CHECK_WITHIN));
        self.arm(id, check, now.saturating_add(within));
    }

    /// The next check, an interval after the last.
    pub(super) fn arm_next(&mut self, id: BackendId, check: &mut Check, now: Duration) {
        let interval = self.jitter.about(check.interval());
        self.arm(id, check, now.saturating_add(interval));
    }

    /// The check under way has begun.
    pub(super) fn began(&mut self, id: BackendId, check: &mut Check, probe: Probe, now: Duration) {
        self.running = self.running.saturating_add(1);
        check.probe = Some(probe);
        self.arm(id, check, now.saturating_add(check.timeout()));
    }

    /// The check under way is over.
    pub(super) fn ended(&mut self, check: &mut Check) -> Option<Probe> {
        let probe = check.probe.take()?;
        self.running = self.running.saturating_sub(1);
        self.disarm(check);
        Some(probe)
    }

    fn arm(&mut self, id: BackendId, check: &mut Check, at: Duration) {
        self.disarm(check);
        check.timer = Some(self.wheel.arm(at, id));
    }

    pub(super) fn disarm(&mut self, check: &mut Check) {
        if let Some(timer) = check.timer.take() {
            self.wheel.disarm(timer);
        }
    }

    /// A backend whose timer has fired.
    pub(super) fn expired(&mut self, now: Duration) -> Option<BackendId> {
        self.wheel.expired(now)
    }

    /// Its time has come; it is checked when it is its turn.
    pub(super) fn queue(&mut self, id: BackendId) {
        self.due.push_back(id);
    }

    /// The next that may begin now.
    pub(super) fn next(&mut self) -> Option<BackendId> {
        if self.running < CHECKS_AT_ONCE { self.due.pop_front() } else { None }
    }

    pub(super) fn deadline(&self) -> Option<Duration> {
        self.wheel.deadline()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn http() -> CheckKind {
        CheckKind::Http { path: "/healthz?deep=1".into(), host: "app:8080".into(), expect: (200, 299) }
    }

    #[test]
    fn an_http_check_is_one_whole_request() {
        let expected =
            b"GET /healthz?deep=1 HTTP/1.1\r\nHost: app:8080\r\nUser-Agent: bountybox\r\nAccept: */*\r\nConnection: close\r\n\r\n";
        assert_eq!(request(&http(), ProxyOut::Off), expected);
    }

    #[test]
    fn a_backend_that_expects_proxy_headers_gets_one_that_speaks_for_nobody() {
        for (proxy, kind) in [(ProxyOut::V1, CheckKind::Tcp), (ProxyOut::V2, http()), (ProxyOut::V2Tls, http())] {
            let words = request(&kind, proxy);
            let (len, header) = proxy::Decoder::default().receive(&words);
            assert_eq!(header, Ok(Some(proxy::Header::Own)));
            assert_eq!(words.get(len..), Some(&*request(&kind, ProxyOut::Off)));
        }
    }
}
