//! The counters in the words of [`status`].

use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use status::{Connections, Drops, End, Limit, Log, Status, Work};

use crate::counters::{Counters, Refusals};
use crate::router::RouteId;
use crate::routes::Routes;
use crate::tallies::Tallies;
use crate::upstream::{BackendState, BackendView, PoolView};

/// What the counters say; the phase, the routes, and what the core does not know are the caller's.
pub(crate) fn of(counters: &Counters, tallies: &Tallies) -> Status {
    Status {
        connections: Connections {
            accepted: counters.accepted,
            now: counters.connections,
            waiting: counters.waiting,
            handshakes: counters.handshaking,
        },
        handshakes: tallies.handshakes.iter().collect(),
        handshakes_other: tallies.handshakes.other(),
        failures: tallies.failures.iter().collect(),
        failures_other: tallies.failures.other(),
        refused: refused(&counters.refused, &counters.front),
        ended: ended(tallies),
        bytes_up: counters.bytes_up,
        bytes_down: counters.bytes_down,
        front: link(&counters.front, counters.stalls.front),
        back: link(&counters.back, counters.stalls.back),
        work: Work { turns: counters.turns, steps_cut_short: counters.steps_cut_short, batches_malformed: 0 },
        log: Log { lost: counters.reports_lost },
        ..Status::default()
    }
}

/// The routes and their backends.
pub(crate) fn routes(pools: impl Iterator<Item = PoolView>, routes: &Routes) -> Vec<status::Route> {
    let name = |id: RouteId| routes.list.get(usize::from(id.0)).map(|route| String::from(&*route.name));
    pools.map(|pool| status::Route { name: name(pool.route).unwrap_or_default(), queued: pool.queued, backends: backends(&pool) }).collect()
}

fn backends(pool: &PoolView) -> Vec<status::Backend> {
    let one = |backend: &BackendView| status::Backend {
        address: backend.address,
        state: match backend.state {
            BackendState::Up => status::BackendState::Up,
            BackendState::Down => status::BackendState::Down,
            BackendState::Ejected => status::BackendState::Ejected,
        },
        active: backend.active.into(),
        connections: backend.connections,
        failures: backend.failures,
        checked: backend.checked,
        checks_passed: backend.checks_passed,
        checks_failed: backend.checks_failed,
    };
    pool.backends.iter().map(one).collect()
}

/// The link turns away for its own reasons, before there is a connection: those count with ours.
fn refused(refused: &Refusals, front: &net::Counters) -> Vec<(Limit, u64)> {
    vec![
        (Limit::Connections, refused.connections),
        (Limit::Waiting, refused.waiting),
        (Limit::Handshakes, refused.handshakes),
        (Limit::ConnectionsPerSource, refused.connections_per_source.saturating_add(front.refused_by_source)),
        (Limit::NewPerSource, refused.new_per_source),
        (Limit::New, refused.new),
        (Limit::Drain, refused.drain),
        (Limit::Flows, front.refused_by_limit.saturating_sub(front.refused_by_memory)),
        (Limit::Memory, front.refused_by_memory),
    ]
}

/// Every way to end, those that nobody took included: a family is whole from the start.
fn ended(tallies: &Tallies) -> Vec<(End, u64)> {
    End::ALL.iter().map(|end| (*end, tallies.ended.get(*end))).collect()
}

fn link(counters: &net::Counters, stalls: u64) -> status::Link {
    status::Link {
        rx_frames: counters.rx_frames,
        rx_bytes: counters.rx_bytes,
        tx_frames: counters.tx_frames,
        tx_bytes: counters.tx_bytes,
        flows: counters.flows,
        time_waits: counters.time_waits,
        ring_bytes: counters.ring_bytes,
        syns: counters.syns,
        cookies_sent: counters.cookies_sent,
        cookies_accepted: counters.cookies_accepted,
        cookies_refused: counters.cookies_refused,
        connects: counters.connects,
        refused_by_limit: counters.refused_by_limit,
        growths_refused: counters.growths_refused,
        resets_sent: counters.resets_sent,
        challenge_acks: counters.challenge_acks,
        echo_replies: counters.echo_replies,
        replies_suppressed: counters.replies_suppressed,
        stalls,
        dropped: dropped(counters),
    }
}

fn dropped(counters: &net::Counters) -> Drops {
    Drops {
        not_ours: counters.dropped_not_ours,
        malformed: counters.dropped_malformed,
        checksum: counters.dropped_checksum,
        fragment: counters.dropped_fragment,
        source: counters.dropped_source,
        out_of_window: counters.dropped_out_of_window,
        neighbor: counters.dropped_neighbor,
        icmp: counters.dropped_icmp,
    }
}
