//! The status as one JSON object, for programs. `docs/status.md` says what stands where.

use serde_json::{Value, json};
use status::{Link, Status, names};

use super::board::{Cell, Facts};

pub(super) fn of(facts: &Facts) -> Value {
    let guest = facts.status.as_ref();
    json!({
        "version": env!("CARGO_PKG_VERSION"),
        "state": state(facts),
        "ready": facts.hindrances().is_empty(),
        "hindrances": facts.hindrances(),
        "machine": facts.machine,
        "net": facts.net,
        "addresses": facts.addresses,
        "uptime_s": facts.started.elapsed().as_secs(),
        "restarts": facts.restarts,
        "exits": facts.exits,
        "reloads": reloads(facts),
        "certificates": facts.certificates.iter().map(|expiry| {
            json!({ "file": expiry.file, "name": expiry.name, "not_after": expiry.not_after })
        }).collect::<Vec<_>>(),
        "statuses_refused": facts.statuses_refused,
        "guest_age_ms": guest.map(|(_, came)| u64::try_from(came.elapsed().as_millis()).unwrap_or(u64::MAX)),
        "guest": guest.map(|(status, _)| cell(facts, status)),
    })
}

/// What the cell does, in a word.
pub(super) fn state(facts: &Facts) -> &'static str {
    match facts.cell {
        Cell::Starting => "starting",
        Cell::Serving(_) => "serving",
        Cell::Draining => "draining",
    }
}

fn reloads(facts: &Facts) -> Value {
    let last = facts.reloads.last.as_ref();
    json!({
        "done": facts.reloads.done,
        "refused": facts.reloads.refused,
        "last_unix_s": last.map(|(unix, _)| unix.as_secs()),
        "last_fault": last.and_then(|(_, outcome)| outcome.as_ref().err()),
    })
}

fn cell(facts: &Facts, status: &Status) -> Value {
    let ended: Value = status.ended.iter().map(|(end, count)| (end.name().to_owned(), Value::from(*count))).collect();
    let limits: Value = status.refused.iter().map(|(limit, count)| (limit.name().to_owned(), Value::from(*count))).collect();
    json!({
        "uptime_ms": status.uptime_ms,
        "phase": status.phase.name(),
        "connections": status.connections,
        "handshakes": handshakes(status),
        "handshakes_other": status.handshakes_other,
        "failures": status.failures.iter().map(|(failure, count)| {
            json!({ "reason": failure.kind.name(), "alert": failure.alert.map(names::alert), "count": count })
        }).collect::<Vec<_>>(),
        "failures_other": status.failures_other,
        "limits_reached": limits,
        "ended": ended,
        "bytes_up": status.bytes_up,
        "bytes_down": status.bytes_down,
        "memory": status.memory,
        "work": status.work,
        "log": status.log,
        "links": { "front": link(&status.front), "back": link(&status.back) },
        "routes": routes(facts, status),
        "backends_omitted": status.backends_omitted,
    })
}

fn handshakes(status: &Status) -> Vec<Value> {
    let one = |(kind, count): &(status::HandshakeKind, u64)| {
        json!({
            "version": names::version(kind.version),
            "suite": names::suite(kind.suite),
            "group": kind.group.map(names::group),
            "resumed": kind.resumed,
            "count": count,
        })
    };
    status.handshakes.iter().map(one).collect()
}

fn link(link: &Link) -> Value {
    // The type's own names are the document's.
    serde_json::to_value(link).unwrap_or_default()
}

fn routes(facts: &Facts, status: &Status) -> Vec<Value> {
    let backend = |backend: &status::Backend| {
        json!({
            "backend": facts.backend(backend.address),
            "state": backend.state.name(),
            "active": backend.active,
            "connections": backend.connections,
            "failures": backend.failures,
            "checked": backend.checked,
            "checks_passed": backend.checks_passed,
            "checks_failed": backend.checks_failed,
        })
    };
    let route = |route: &status::Route| json!({ "route": route.name, "queued": route.queued, "backends": route.backends.iter().map(backend).collect::<Vec<_>>() });
    status.routes.iter().map(route).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::time::Duration;
    use std::sync::Arc;
    use std::time::Instant;

    #[test]
    fn a_box_without_a_guest_has_a_document_too() {
        let document = of(&Facts::new(Duration::ZERO));
        assert_eq!((&document["state"], &document["guest"], &document["ready"]), (&"starting".into(), &Value::Null, &false.into()));
    }

    #[test]
    fn figures_stand_under_their_names() {
        let kind = status::HandshakeKind { version: 0x0303, suite: 0xc02b, group: Some(0x17), resumed: false };
        let status = Status { handshakes: vec![(kind, 2)], bytes_up: 5, ..Status::default() };
        let mut facts = Facts::new(Duration::ZERO);
        facts.serving();
        facts.status = Some((Arc::new(status), Instant::now()));
        let document = of(&facts);
        assert_eq!((&document["ready"], &document["guest"]["bytes_up"]), (&true.into(), &5.into()));
        assert_eq!(document["guest"]["handshakes"][0]["group"], "secp256r1");
        assert_eq!(document["guest"]["links"]["front"]["cookies_sent"], 0);
    }
}
