//! The status as a table, for people.

use core::fmt::{self, Display, Write as _};
use core::time::Duration;

use status::{Status, names};

use super::board::Facts;
use super::document::state;
use crate::cli::unix_now;

pub(super) fn of(facts: &Facts) -> String {
    let mut out = String::new();
    // Writing to a string cannot fail.
    let _written = write(&mut out, facts);
    out
}

fn write(out: &mut String, facts: &Facts) -> fmt::Result {
    let hindrances = facts.hindrances();
    let ready = if hindrances.is_empty() { "ready".to_owned() } else { format!("not ready: {}", hindrances.join("; ")) };
    writeln!(out, "bountybox    {} · {} · {ready}", env!("CARGO_PKG_VERSION"), state(facts))?;
    writeln!(out, "where        {} ({}, {})", facts.addresses.join(", "), facts.machine, facts.net)?;
    writeln!(out, "up           {}, cells restarted {}{}", Span(facts.started.elapsed()), facts.restarts, exits(facts))?;
    reloads(out, facts)?;
    for expiry in &facts.certificates {
        writeln!(out, "certificate  {} ({}) {}", expiry.name, expiry.file, left(expiry.not_after))?;
    }
    match &facts.status {
        Some((status, _)) => guest(out, facts, status),
        None => writeln!(out, "\nNo guest has said how it stands."),
    }
}

fn exits(facts: &Facts) -> String {
    facts.exits.iter().map(|(reason, count)| format!(", {reason} {count}")).collect()
}

fn reloads(out: &mut String, facts: &Facts) -> fmt::Result {
    let reloads = &facts.reloads;
    let Some((unix, outcome)) = &reloads.last else { return Ok(()) };
    let ago = Span(unix_now().saturating_sub(*unix));
    let last = outcome.as_ref().map_or_else(|why| format!("refused: {why}"), |()| "done".to_owned());
    writeln!(out, "reloads      {} done, {} refused; the last {ago} ago, {last}", reloads.done, reloads.refused)
}

fn left(not_after: i64) -> String {
    let now = i64::try_from(unix_now().as_secs()).unwrap_or(i64::MAX);
    match u64::try_from(not_after.saturating_sub(now)) {
        Ok(seconds) => format!("ends in {}", Span(Duration::from_secs(seconds))),
        Err(_) => "has ended".to_owned(),
    }
}

fn guest(out: &mut String, facts: &Facts, status: &Status) -> fmt::Result {
    let connections = &status.connections;
    writeln!(
        out,
        "clients      {} now ({} waiting, {} shaking hands), {} in all",
        connections.now, connections.waiting, connections.handshakes, connections.accepted
    )?;
    writeln!(out, "plaintext    {} up, {} down", Bytes(status.bytes_up), Bytes(status.bytes_down))?;
    let memory = &status.memory;
    writeln!(out, "heap         {} of {}, {} at most", Bytes(memory.used), Bytes(memory.limit), Bytes(memory.peak))?;
    let front = &status.front;
    writeln!(
        out,
        "front        {} flows; SYN cookies {} sent, {} accepted, {} refused; {} stalls",
        front.flows, front.cookies_sent, front.cookies_accepted, front.cookies_refused, front.stalls
    )?;
    counted(out, "ended", status.ended.iter().map(|(end, count)| (end.name(), *count)))?;
    counted(out, "limits", status.refused.iter().map(|(limit, count)| (limit.name(), *count)))?;
    failures(out, status)?;
    handshakes(out, status)?;
    routes(out, facts, status)
}

/// `name count` for those that are not 0.
fn counted<'n>(out: &mut String, title: &str, counts: impl Iterator<Item = (&'n str, u64)>) -> fmt::Result {
    let shown: Vec<String> = counts.filter(|(_, count)| *count > 0).map(|(name, count)| format!("{name} {count}")).collect();
    if shown.is_empty() { Ok(()) } else { writeln!(out, "{title:<12} {}", shown.join(", ")) }
}

fn failures(out: &mut String, status: &Status) -> fmt::Result {
    let one = |(failure, count): &(status::Failure, u64)| match failure.alert {
        Some(_) => format!("{} ({}) {count}", failure.kind.name(), failure.alert_name()),
        None => format!("{} {count}", failure.kind.name()),
    };
    if status.failures.is_empty() {
        return Ok(());
    }
    writeln!(out, "failed       {}", status.failures.iter().map(one).collect::<Vec<_>>().join(", "))
}

fn handshakes(out: &mut String, status: &Status) -> fmt::Result {
    if status.handshakes.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n{:<9} {:<46} {:<16} {:<8} {:>12}", "VERSION", "SUITE", "GROUP", "RESUMED", "HANDSHAKES")?;
    for (kind, count) in &status.handshakes {
        let (version, suite, group) = (names::version(kind.version), names::suite(kind.suite), kind.group.map_or("-", names::group));
        let resumed = if kind.resumed { "yes" } else { "no" };
        writeln!(out, "{version:<9} {suite:<46} {group:<16} {resumed:<8} {count:>12}")?;
    }
    Ok(())
}

fn routes(out: &mut String, facts: &Facts, status: &Status) -> fmt::Result {
    writeln!(out, "\n{:<28} {:<32} {:<8} {:>8} {:>12} {:>8}", "ROUTE", "BACKEND", "STATE", "ACTIVE", "CONNECTIONS", "FAILED")?;
    for route in &status.routes {
        for backend in &route.backends {
            let (address, state) = (facts.backend(backend.address), backend.state.name());
            writeln!(
                out,
                "{:<28} {address:<32} {state:<8} {:>8} {:>12} {:>8}",
                route.name, backend.active, backend.connections, backend.failures
            )?;
        }
        if route.queued > 0 {
            writeln!(out, "{:<28} {} clients wait for a backend with room", route.name, route.queued)?;
        }
    }
    if status.backends_omitted > 0 { writeln!(out, "and {} more backends", status.backends_omitted) } else { Ok(()) }
}

/// A length of time as people say it: two units.
struct Span(Duration);

impl Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs();
        match seconds {
            0..60 => write!(f, "{seconds} s"),
            60..3600 => write!(f, "{} min {} s", seconds / 60, seconds % 60),
            3600..86_400 => write!(f, "{} h {} min", seconds / 3600, seconds % 3600 / 60),
            _ => write!(f, "{} d {} h", seconds / 86_400, seconds % 86_400 / 3600),
        }
    }
}

/// A number of bytes as people say it.
struct Bytes(u64);

impl Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
        let step = usize::try_from(self.0.checked_ilog2().unwrap_or(0) / 10).unwrap_or(0);
        let unit = units.get(step).copied().unwrap_or_default();
        let tenths = (u128::from(self.0) * 10) >> (step * 10);
        if step == 0 { write!(f, "{} {unit}", self.0) } else { write!(f, "{}.{} {unit}", tenths / 10, tenths % 10) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::time::Instant;

    #[test]
    fn numbers_read_as_people_say_them() {
        let bytes = [0, 1023, 1024, 1536, (1 << 20) - 1, 1 << 30, u64::MAX].map(|bytes| Bytes(bytes).to_string());
        assert_eq!(bytes, ["0 B", "1023 B", "1.0 KiB", "1.5 KiB", "1023.9 KiB", "1.0 GiB", "15.9 EiB"]);
        let spans = [0, 59, 60, 3599, 3600, 90_061].map(|seconds| Span(Duration::from_secs(seconds)).to_string());
        assert_eq!(spans, ["0 s", "59 s", "1 min 0 s", "59 min 59 s", "1 h 0 min", "1 d 1 h"]);
    }

    #[test]
    fn a_route_stands_with_its_backends_and_what_is_0_is_left_out() {
        let address = "100.64.0.1:8080".parse().unwrap();
        let backend = status::Backend {
            address,
            state: status::BackendState::Down,
            active: 0,
            connections: 41,
            failures: 3,
            checked: false,
            checks_passed: 0,
            checks_failed: 0,
        };
        let routes = vec![status::Route { name: "shop".into(), queued: 2, backends: vec![backend] }];
        let ended = vec![(status::End::Done, 5), (status::End::Drained, 0)];
        let mut facts = Facts::new(Duration::ZERO);
        facts.serving();
        facts.backends.insert(address, "app-1:8080".into());
        facts.status = Some((Arc::new(Status { routes, ended, ..Status::default() }), Instant::now()));
        let table = of(&facts);
        assert!(table.contains("· serving · not ready: route shop has no backend that is up\n"), "{table}");
        assert!(table.contains("\nended        done 5\n"), "{table}");
        let row = table.lines().find(|line| line.starts_with("shop ")).unwrap();
        assert_eq!(row.split_whitespace().collect::<Vec<_>>(), ["shop", "app-1:8080", "down", "0", "41", "3"]);
    }
}
