//! What the guest says about clients, handshakes, backends and itself.

use status::{Backend, BackendState, Status, names};

use super::{Family, Sample, counter, gauge, guest, one};
use crate::admin::board::Facts;

pub(super) const FAMILIES: &[Family] = &[
    counter("bountybox_connections_total", "Client connections taken on.", &[], |facts| guest(facts, |s| one(s.connections.accepted))),
    gauge("bountybox_connections", "Client connections that are there now.", &[], |facts| guest(facts, |s| one(s.connections.now))),
    gauge("bountybox_connections_waiting", "Of them, those whose hello is not whole.", &[], |facts| {
        guest(facts, |s| one(s.connections.waiting))
    }),
    gauge("bountybox_handshakes", "Of them, those that shake hands.", &[], |facts| guest(facts, |s| one(s.connections.handshakes))),
    counter(
        "bountybox_handshakes_total",
        "Handshakes completed, by what they agreed on.",
        &["version", "suite", "group", "resumed"],
        |facts| guest(facts, handshakes),
    ),
    counter(
        "bountybox_handshake_failures_total",
        "Connections that ended before their handshake was done, by reason, and by the alert that was sent or came.",
        &["reason", "alert"],
        |facts| guest(facts, failures),
    ),
    counter("bountybox_connections_ended_total", "Connections ended, by how.", &["reason"], |facts| {
        guest(facts, |s| s.ended.iter().map(|(end, count)| Sample::new([end.name()], count)).collect())
    }),
    counter("bountybox_limit_reached_total", "Clients turned away or displaced, by the limit that was reached.", &["limit"], |facts| {
        guest(facts, |s| s.refused.iter().map(|(limit, count)| Sample::new([limit.name()], count)).collect())
    }),
    counter(
        "bountybox_plaintext_bytes_total",
        "Plaintext carried: up from clients to backends, down to clients.",
        &["direction"],
        |facts| guest(facts, |s| vec![Sample::new(["up"], s.bytes_up), Sample::new(["down"], s.bytes_down)]),
    ),
    gauge(
        "bountybox_backend_up",
        "1 if a backend gets connections: it is neither down by its checks nor ejected.",
        &["route", "backend"],
        |facts| backends(facts, |backend| u64::from(backend.state == BackendState::Up)),
    ),
    gauge("bountybox_backend_connections", "Connections to a backend now.", &["route", "backend"], |facts| {
        backends(facts, |backend| backend.active)
    }),
    counter("bountybox_backend_connections_total", "Connections that a backend took.", &["route", "backend"], |facts| {
        backends(facts, |backend| backend.connections)
    }),
    counter("bountybox_backend_failures_total", "Attempts at a backend that failed.", &["route", "backend"], |facts| {
        backends(facts, |backend| backend.failures)
    }),
    counter("bountybox_backend_checks_total", "Checks of a backend, by result.", &["route", "backend", "result"], checks),
    gauge("bountybox_backends_omitted", "Backends that are not listed because there are too many.", &[], |facts| {
        guest(facts, |s| one(s.backends_omitted))
    }),
    gauge("bountybox_route_queued", "Clients that wait for a backend with room.", &["route"], |facts| {
        guest(facts, |s| merged(s.routes.iter().map(|route| Sample::new([&route.name], route.queued))))
    }),
    gauge("bountybox_heap_used_bytes", "The guest's heap: allocated now.", &[], |facts| guest(facts, |s| one(s.memory.used))),
    gauge("bountybox_heap_peak_bytes", "The guest's heap: the most that was ever allocated.", &[], |facts| {
        guest(facts, |s| one(s.memory.peak))
    }),
    gauge("bountybox_heap_limit_bytes", "The guest's heap: all of it.", &[], |facts| guest(facts, |s| one(s.memory.limit))),
    counter("bountybox_turns_total", "Turns that connections were given.", &[], |facts| guest(facts, |s| one(s.work.turns))),
    counter("bountybox_steps_cut_short_total", "Steps that left work for the next one.", &[], |facts| {
        guest(facts, |s| one(s.work.steps_cut_short))
    }),
    counter("bountybox_batches_malformed_total", "Batches from the tender that the guest could not read.", &[], |facts| {
        guest(facts, |s| one(s.work.batches_malformed))
    }),
    counter("bountybox_log_lost_total", "Access records and other reports that found no room in the guest.", &[], |facts| {
        guest(facts, |s| one(s.log.lost))
    }),
];

fn handshakes(status: &Status) -> Vec<Sample> {
    let known = status.handshakes.iter().map(|(kind, count)| {
        let resumed = if kind.resumed { "true" } else { "false" };
        Sample::new([names::version(kind.version), names::suite(kind.suite), kind.group.map_or("", names::group), resumed], count)
    });
    let other = (status.handshakes_other > 0).then(|| Sample::new(["other", "other", "other", ""], status.handshakes_other));
    merged(known.chain(other))
}

fn failures(status: &Status) -> Vec<Sample> {
    let known = status.failures.iter().map(|(failure, count)| (failure.kind.name(), failure.alert_name(), *count));
    let other = (status.failures_other > 0).then_some(("other", "", status.failures_other));
    let mut sums: Vec<(&str, &str, u64)> = Vec::new();
    // Several numbers may have no name of their own.
    for (kind, alert, count) in known.chain(other) {
        match sums.iter_mut().find(|sum| (sum.0, sum.1) == (kind, alert)) {
            Some(sum) => sum.2 = sum.2.saturating_add(count),
            None => sums.push((kind, alert, count)),
        }
    }
    sums.into_iter().map(|(kind, alert, count)| Sample::new([kind, alert], count)).collect()
}

/// A guest that lies about what it negotiated could say the same thing twice: the first counts.
fn merged(samples: impl Iterator<Item = Sample>) -> Vec<Sample> {
    let mut distinct: Vec<Sample> = Vec::new();
    for sample in samples {
        if !distinct.iter().any(|other| other.has_labels_of(&sample)) {
            distinct.push(sample);
        }
    }
    distinct
}

fn checks(facts: &Facts) -> Vec<Sample> {
    guest(facts, |status| {
        let pairs = status.routes.iter().flat_map(|route| route.backends.iter().map(move |backend| (route, backend)));
        let samples = pairs.flat_map(|(route, backend)| {
            let name = facts.backend(backend.address);
            let results = [("passed", backend.checks_passed), ("failed", backend.checks_failed)];
            results.map(|(result, count)| Sample::new([&route.name, &name, result], count))
        });
        merged(samples)
    })
}

fn backends(facts: &Facts, number: impl Fn(&Backend) -> u64) -> Vec<Sample> {
    guest(facts, |status| {
        let of = |route: &status::Route| -> Vec<Sample> {
            route.backends.iter().map(|backend| Sample::new([&route.name, &facts.backend(backend.address)], number(backend))).collect()
        };
        merged(status.routes.iter().flat_map(of))
    })
}
