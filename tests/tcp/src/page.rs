//! `docs/tcp.md`: what the last whole run gave.

use core::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use e2e::Outcome;
use rawnet::relay::Impairment;

use crate::Measured;
use crate::bench::Subject;
use crate::musts::{self, Finding};
use crate::stream::Direction;

fn path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/tcp.md")
}

/// Writes the page anew.
pub(crate) fn write(kept: &[(Subject, Vec<Finding>)], all: &[Measured], wire: &Impairment) -> Outcome {
    Ok(fs::write(path(), format!("{}\n{}", list(kept), page(all, wire)))?)
}

/// Requirement by requirement.
fn list(kept: &[(Subject, Vec<Finding>)]) -> String {
    let heads: String = kept.iter().map(|(subject, _)| format!(" {} |", subject.name())).collect();
    let mut list = format!("{TITLE}\n| RFC 9293 | requirement |{heads}\n|---|---|{}\n", "---|".repeat(kept.len()));
    for (n, must) in musts::ALL.iter().enumerate() {
        let found = |(_, findings): &(Subject, Vec<Finding>)| match findings.get(n) {
            Some(Finding::Kept) => " kept |".to_owned(),
            Some(Finding::Declined) => format!(" declined: {} |", must.declined.unwrap_or_default()),
            Some(Finding::Broken(_)) | None => " **broken** |".to_owned(),
        };
        let cells: String = kept.iter().map(found).collect();
        let _ = writeln!(list, "| {} | {} |{cells}", must.id, must.says);
    }
    list
}

const TITLE: &str = "# TCP

Written by `make tcp`: each cell is what was found when it was asked, by a peer in user space on the same link. What does not show on the wire is not in the list: what the user's
interface must have (the box has no user interface), active opens (towards clients it begins no connection), and the type of service. SYN-ACKs are cookies and sent once for each SYN;
a client's SYN is what is repeated (RFC 4987). MUST-37 is subject to an implementation's resource management, says the RFC.
";

fn page(all: &[Measured], wire: &Impairment) -> String {
    let percent = |per_mille: u64| format!("{}.{} %", per_mille / 10, per_mille % 10);
    let mut page = format!(
        "## Over a wire that is no good\n\n{} ms each way, {} of the segments lost, {} late by up to {} ms and so out of order, {} twice; seed {}. \
         Every byte is checked by whoever receives it.\n\n| who serves | direction | connections | MiB | s | KiB/s | of Linux |\n|---|---|--:|--:|--:|--:|--:|\n",
        wire.delay.as_millis(),
        percent(wire.lost_per_mille),
        percent(wire.late_per_mille),
        wire.late_by.as_millis(),
        percent(wire.twice_per_mille),
        wire.seed
    );
    for measured in all {
        let Measured { subject, direction, load, took } = measured;
        let same = |other: &&Measured| {
            other.subject.starts_with("Linux") && other.direction == *direction && other.load.connections == load.connections
        };
        let linux = all.iter().find(same);
        let ratio = linux.map_or_else(|| "-".into(), |linux| format!("{:.2}", measured.bytes_per_s() / linux.bytes_per_s()));
        let way = if *direction == Direction::Down { "to the client" } else { "from the client" };
        let (mib, kib_per_s) = (load.bytes >> 20, measured.bytes_per_s() / 1024.0);
        let _ =
            writeln!(page, "| {subject} | {way} | {} | {mib} | {:.0} | {kib_per_s:.0} | {ratio} |", load.connections, took.as_secs_f64());
    }
    page.push_str(WHY);
    page
}

/// What it would take.
const WHY: &str = "
With 32 connections the wire itself, which is a program here, takes most of the host; one connection alone shows what a sender does with losses.

Towards the client it is smoltcp that sends: Reno, without SACK, with a smallest retransmission timeout of one second. Linux sends with SACK, RACK and CUBIC: it tells a late segment
from a lost one, and mends several losses in one round trip. From the client it is Linux that sends in either case, and the box acknowledges. To come nearer, a sender needs SACK's
scoreboard and RACK's clock (RFC 6675, RFC 8985), and a smaller timeout (RFC 6298 allows what Linux does).
";
