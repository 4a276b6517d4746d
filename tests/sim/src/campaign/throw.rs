//! A seed's scenario.

use core::time::Duration;

use keys::bundle::{Balance, Check, CheckKind, Eject, Limits, Memory, Upstream};

use super::scenario::{Act, BACKENDS, Before, Change, GUARDED, ROUTES, Scenario, Visit, What};
use crate::client::Then;
use crate::identity::{Dialect, Shown};
use crate::rng::Rng;
use crate::wire::Faults;

const SPAN: u64 = 20_000;
const VISITS_MAX: u64 = 40;
const TROUBLES_MAX: u64 = 8;
/// Clients in a burst, all at one time.
const BURST_MAX: u64 = 60;
/// Blocks that somebody says drop by drop.
const SLOW_BLOCKS_MAX: u64 = 600;
/// The same of those who only knock.
const CROWD_MAX: u64 = 400;
/// A heap that holds some ten connections.
const MEMORY_MIN: u64 = 12 << 20;
/// Seeds in a thousand whose day is calm. Left to the other dice it would be calm once in some thousands.
const CALM: u16 = 100;
/// Seeds in a thousand whose cell drains on the way.
const DRAINS: u16 = 300;

/// The scenario of this seed: the same for ever, as long as this file stays as it is.
#[must_use]
pub fn throw(seed: u64) -> Scenario {
    // Thrown first, and by dice of their own: no other throw depends on these.
    let mut first = Rng::new(seed ^ 0xca13_da75_0000_0000);
    let is_calm = first.chance(CALM);
    let mut rng = Rng::new(seed ^ 0x5ce0_a710_0000_0000);
    let mut acts = visits(&mut rng);
    for trouble in [noise, alerts, weather, back_weather, mutes, stops, reloads, pauses, jumps, restarts, exhaustions, bursts, crowds] {
        if rng.chance(400) {
            trouble(&mut rng, &mut acts);
        }
    }
    if first.chance(DRAINS) {
        drains(&mut first, &mut acts);
    }
    acts.sort_by_key(|act| act.at);
    // Hardly enough for anybody, enough for a few, plenty.
    let memory = [Memory(MEMORY_MIN), Memory(48 << 20), Memory::default(), Memory::default()][small(&mut rng, 4)];
    let rotation = 1 + u32::try_from(rng.below(6)).unwrap_or(0);
    let scenario = Scenario {
        seed,
        memory,
        limits: limits(&mut rng),
        upstream: upstream(&mut rng),
        offload: rng.chance(300),
        tickets: (rotation * (1 + u32::try_from(rng.below(2)).unwrap_or(0)), rotation),
        shared_tickets: rng.chance(200),
        acts,
    };
    if is_calm { calmed(scenario) } else { scenario }
}

/// The same without its troubles: visits alone, and enough of everything for all of them.
fn calmed(scenario: Scenario) -> Scenario {
    let Limits { idle_timeout_ms, lifetime_ms, .. } = scenario.limits;
    Scenario {
        memory: Memory::default(),
        limits: Limits { idle_timeout_ms, lifetime_ms, ..Limits::default() },
        upstream: Upstream { connections: 0, ..scenario.upstream },
        acts: scenario.acts.into_iter().filter(|act| matches!(act.what, What::Visit(_))).collect(),
        ..scenario
    }
}

fn time(rng: &mut Rng) -> Duration {
    Duration::from_millis(rng.below(SPAN))
}

fn small(rng: &mut Rng, bound: u64) -> usize {
    usize::try_from(rng.below(bound)).unwrap_or(0)
}

fn count(rng: &mut Rng) -> u64 {
    1 + rng.below(TROUBLES_MAX)
}

fn address(rng: &mut Rng) -> u16 {
    u16::try_from(1 + rng.below(500)).unwrap_or(1)
}

fn backend(rng: &mut Rng) -> u8 {
    BACKENDS.start() + u8::try_from(rng.below(u64::from(BACKENDS.end() - BACKENDS.start()) + 1)).unwrap_or(0)
}

fn visits(rng: &mut Rng) -> Vec<Act> {
    (0..=rng.below(VISITS_MAX)).map(|_| Act { at: time(rng), what: What::Visit(visit(rng)) }).collect()
}

fn visit(rng: &mut Rng) -> Visit {
    // Most say little, some much.
    let bound = [4, 4, 4, 64, 64, 64, 2000, 20_000][small(rng, 8)];
    let is_slow = rng.chance(100);
    // Drop by drop nobody says more than a few records' worth.
    let blocks = small(rng, if is_slow { SLOW_BLOCKS_MAX.min(bound) } else { bound });
    let then = match rng.below(8) {
        0 => Then::Wait,
        1 => Then::Vanish,
        2 => Then::Reset,
        3 => Then::CloseAfter(blocks * super::words::BLOCK_LEN),
        _ => Then::Close,
    };
    let route = small(rng, ROUTES.len() as u64);
    let shown =
        if route == GUARDED { [Shown::Member, Shown::Member, Shown::Stranger, Shown::Nothing][small(rng, 4)] } else { Shown::Nothing };
    let slow = |rng: &mut Rng| (1 + small(rng, 40), Duration::from_millis(1 + rng.below(200)));
    let deaf = |rng: &mut Rng| (Duration::from_millis(rng.below(2000)), Duration::from_millis(rng.below(60_000)));
    Visit {
        who: address(rng),
        route,
        dialect: dialect(rng),
        shown,
        blocks,
        then,
        trickle: is_slow.then(|| slow(rng)),
        deaf: rng.chance(100).then(|| deaf(rng)),
    }
}

fn dialect(rng: &mut Rng) -> Dialect {
    [Dialect::Usual, Dialect::Classical, Dialect::Classical, Dialect::Tls12][small(rng, 4)]
}

fn noise(rng: &mut Rng, acts: &mut Vec<Act>) {
    for _ in 0..count(rng) * 4 {
        let len = small(rng, 3000);
        let mut bytes = rng.bytes(len);
        // Some of it looks like the beginning of a handshake.
        if rng.chance(500) {
            let head = [22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3];
            bytes.splice(0..bytes.len().min(head.len()), head);
        }
        acts.push(Act { at: time(rng), what: What::Noise(address(rng), bytes) });
    }
}

fn alerts(rng: &mut Rng, acts: &mut Vec<Act>) {
    for _ in 0..count(rng) * 4 {
        let before = if rng.chance(300) { Before::Nothing } else { Before::Hello(dialect(rng)) };
        let level = [1, 2, 2, 7][small(rng, 4)];
        // Most are those that a registry knows (RFC 8446 section 6), some are any.
        let known = [0, 10, 20, 22, 40, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, 70, 71, 80, 86, 90, 100, 109, 112, 113, 115, 116, 120];
        let description = if rng.chance(800) { known[small(rng, known.len() as u64)] } else { rng.seed()[0] };
        acts.push(Act { at: time(rng), what: What::Alert(address(rng), before, [level, description]) });
    }
}

fn weather(rng: &mut Rng, acts: &mut Vec<Act>) {
    for _ in 0..count(rng) {
        let at = time(rng);
        let mild = Faults { loss: 10, duplicate: 10, late: 50, corrupt: 5 };
        let rough = Faults { loss: 150, duplicate: 100, late: 300, corrupt: 50 };
        let parted = Faults { loss: 1000, ..Faults::default() };
        let faults = [mild, rough, parted][small(rng, 3)];
        acts.push(Act { at, what: What::Weather(faults) });
        acts.push(Act { at: at + Duration::from_millis(rng.below(5000)), what: What::Weather(Faults::default()) });
    }
}

/// A network of one's own is better than the world's, but it loses things as well.
fn back_weather(rng: &mut Rng, acts: &mut Vec<Act>) {
    for _ in 0..count(rng) {
        let at = time(rng);
        let faults = Faults { loss: 20, duplicate: 10, late: 50, corrupt: 5 };
        acts.push(Act { at, what: What::BackWeather(faults) });
        acts.push(Act { at: at + Duration::from_millis(rng.below(5000)), what: What::BackWeather(Faults::default()) });
    }
}

fn mutes(rng: &mut Rng, acts: &mut Vec<Act>) {
    for _ in 0..count(rng) {
        let (at, n) = (time(rng), backend(rng));
        acts.push(Act { at, what: What::Mute(n) });
        acts.push(Act { at: at + Duration::from_millis(rng.below(10_000)), what: What::Unmute(n) });
    }
}

fn stops(rng: &mut Rng, acts: &mut Vec<Act>) {
    for _ in 0..count(rng) {
        let (at, n) = (time(rng), backend(rng));
        acts.push(Act { at, what: What::Stop(n) });
        acts.push(Act { at: at + Duration::from_millis(rng.below(10_000)), what: What::Start(n) });
    }
}

fn reloads(rng: &mut Rng, acts: &mut Vec<Act>) {
    for _ in 0..count(rng) {
        let change = match rng.below(4) {
            0 => Change::Limits(limits(rng)),
            1 => Change::Upstream(upstream(rng)),
            2 => Change::Certificates,
            _ => Change::Unsound,
        };
        acts.push(Act { at: time(rng), what: What::Reload(change) });
    }
}

fn pauses(rng: &mut Rng, acts: &mut Vec<Act>) {
    for _ in 0..count(rng) {
        // A virtual machine that was moved, a laptop that was shut.
        let ms = [100, 2000, 20_000, 4_000_000][small(rng, 4)];
        acts.push(Act { at: time(rng), what: What::Pause(Duration::from_millis(rng.below(ms))) });
    }
}

fn jumps(rng: &mut Rng, acts: &mut Vec<Act>) {
    const YEAR_S: i64 = 365 * 24 * 3600;
    for _ in 0..count(rng) {
        let by = [1, 3600, YEAR_S, 30 * YEAR_S][small(rng, 4)];
        let by = if rng.chance(500) { by } else { -by };
        acts.push(Act { at: time(rng), what: What::Jump(by) });
    }
}

fn restarts(rng: &mut Rng, acts: &mut Vec<Act>) {
    for _ in 0..1 + rng.below(2) {
        acts.push(Act { at: time(rng), what: What::Restart });
    }
}

fn drains(rng: &mut Rng, acts: &mut Vec<Act>) {
    for _ in 0..1 + rng.below(2) {
        acts.push(Act { at: time(rng), what: What::Drain });
    }
}

/// At once, within a turn or two, or when some more clients have come.
fn exhaustions(rng: &mut Rng, acts: &mut Vec<Act>) {
    for _ in 0..1 + rng.below(2) {
        let granted = [20, 500, 5000][small(rng, 3)];
        acts.push(Act { at: time(rng), what: What::Exhaust(rng.below(granted)) });
    }
}

fn bursts(rng: &mut Rng, acts: &mut Vec<Act>) {
    let (at, source) = (time(rng), address(rng));
    let from_one = rng.chance(500);
    for n in 0..rng.below(BURST_MAX) {
        let who = if from_one { source } else { 1000 + u16::try_from(n).unwrap_or(0) };
        acts.push(Act { at, what: What::Visit(Visit { who, ..visit(rng) }) });
    }
}

/// More at one time than a queue has slots; they say little, and wait.
fn crowds(rng: &mut Rng, acts: &mut Vec<Act>) {
    let at = time(rng);
    for n in 0..rng.below(CROWD_MAX) {
        let len = small(rng, 20);
        let bytes = rng.bytes(len);
        acts.push(Act { at, what: What::Noise(2000 + u16::try_from(n).unwrap_or(0), bytes) });
    }
}

/// Limits that are met, half the time.
fn limits(rng: &mut Rng) -> Limits {
    let mut limits = Limits { idle_timeout_ms: 5_000 + rng.below(60_000), lifetime_ms: 60_000 + rng.below(600_000), ..Limits::default() };
    if rng.chance(500) {
        let few = |rng: &mut Rng| u32::try_from(4 + rng.below(40)).unwrap_or(4);
        limits.connections = few(rng);
        limits.connections_per_source = few(rng);
        limits.waiting = few(rng).min(limits.connections);
        limits.handshakes = few(rng).min(limits.connections);
        limits.new_per_source_per_s = few(rng);
        limits.stall_timeout_ms = 1_000 + rng.below(20_000);
        limits.half_close_timeout_ms = 1_000 + rng.below(20_000);
    }
    limits
}

fn upstream(rng: &mut Rng) -> Upstream {
    let balance = [Balance::RoundRobin, Balance::LeastConnections, Balance::SourceHash][small(rng, 3)];
    let check = Check { kind: CheckKind::Tcp, interval_ms: 200 + rng.below(2000), timeout_ms: 200, rise: 2, fall: 2 };
    let eject = Eject { failures: u32::try_from(rng.below(3)).unwrap_or(0), for_ms: 100 + rng.below(3000) };
    let connections = if rng.chance(300) { u32::try_from(1 + rng.below(4)).unwrap_or(1) } else { 0 };
    let retries = u32::try_from(rng.below(3)).unwrap_or(0);
    Upstream { balance, connections, retries, check: rng.chance(300).then_some(check), eject, ..Upstream::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_throws_the_same_scenario_twice_and_another_seed_another() {
        let text = |seed| format!("{:?}", throw(seed));
        assert_eq!(text(1), text(1));
        assert_ne!(text(1), text(2));
    }

    #[test]
    fn about_one_seed_in_ten_is_calm_and_has_plain_visits() {
        let calm: Vec<Scenario> = (1..=1000).map(throw).filter(Scenario::is_calm).collect();
        assert!((70..=130).contains(&calm.len()), "{}", calm.len());
        let is_plain = |act: &Act| matches!(&act.what, What::Visit(visit) if visit.is_plain());
        assert!(calm.iter().filter(|scenario| scenario.acts.iter().any(is_plain)).count() > calm.len() / 2);
    }

    #[test]
    fn every_kind_of_trouble_is_thrown_by_some_seed() {
        let words = [
            "Noise",
            "Alert",
            "what: Weather",
            "BackWeather",
            "Mute",
            "Stop",
            "Reload",
            "Pause",
            "Jump",
            "Restart",
            "Drain",
            "Exhaust",
            "deaf: Some",
            "trickle: Some",
        ];
        let words = words.into_iter().chain(["Tls12", "Classical", "Stranger", "Member"]);
        let all: String = (0..50).map(|seed| format!("{:?}", throw(seed).acts)).collect();
        assert!(words.into_iter().all(|word| all.contains(word)));
    }
}
