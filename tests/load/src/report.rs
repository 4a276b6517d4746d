//! The table for people, and the page `docs/load.md`.

use std::fs;
use std::path::{Path, PathBuf};

use e2e::Outcome;

use crate::case::ALL;
use crate::verdict::Row;

/// Columns of the table.
pub(crate) const CELLS: usize = 12;

const HEAD: [&str; CELLS] = [
    "case",
    "machine",
    "connections",
    "heap each",
    "memory each",
    "p99 before",
    "during",
    "after",
    "ratio",
    "attempt",
    "heap before, most, after",
    "counted",
];

/// The cells of a row.
pub(crate) fn cells(row: &Row) -> [String; CELLS] {
    let [before, during, after] = row.p99_us.map(|micros| format!("{}.{:02} ms", micros / 1000, micros % 1000 / 10));
    let account = &row.account;
    let [low, most, end] = [account.heap_before, account.heap_most, account.heap_after].map(|bytes| (bytes >> 20).to_string());
    let counted = account.limits.iter().map(|(name, count)| format!("limit {name} {count}"));
    let ended = account.ends.iter().map(|(name, count)| format!("{name} {count}"));
    [
        row.case.to_owned(),
        row.machine.to_owned(),
        account.connections.to_string(),
        kib(row.heap_each),
        kib(row.resident_each),
        before,
        during,
        after,
        format!("{:.2}", row.ratio),
        row.attempt.to_string(),
        format!("{low}, {most}, {end} MiB"),
        counted.chain(ended).collect::<Vec<_>>().join(", "),
    ]
}

fn kib(bytes: u64) -> String {
    format!("{}.{} KiB", bytes / 1024, bytes % 1024 * 10 / 1024)
}

/// The table, as Markdown: it reads as it is, too.
pub(crate) fn table(rows: &[[String; CELLS]]) -> String {
    let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let head = line(&HEAD.map(str::to_owned)) + &"|---".repeat(HEAD.len()) + "|\n";
    rows.iter().fold(head, |text, row| text + &line(row))
}

/// Where the page stands.
fn path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/load.md")
}

/// The whole page.
fn page(rows: &[[String; CELLS]], host: &str) -> String {
    let what: String = ALL.iter().map(|case| format!("- `{}`: {}.\n", case.name, case.what)).collect();
    format!(
        "{TITLE}\n{what}\n{COLUMNS}\n{}\nMeasured on {host}; all of it, clients and backends included, on that one machine; the crowd at the lowest priority.\n",
        table(rows)
    )
}

/// Writes the page.
pub(crate) fn write(rows: &[[String; CELLS]]) -> Outcome {
    Ok(fs::write(path(), page(rows, &host()))?)
}

/// Processor, cores, kernel.
fn host() -> String {
    let model = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = model.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": ")).map_or("?", |(_, name)| name).to_owned();
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    // Without what a distributor or a machine is called.
    let version = kernel.split(['-', '\n']).next().unwrap_or_default();
    format!("{cores} cores of {model}, Linux {version}")
}

const TITLE: &str = "# Under load

Written by `make load`: each row is the last measurement of this build that held, and there is no page until all do. Each case is one box with its default limits
but for what is said below, a TAP in front, and three phases: honest clients alone, beside the crowd, and alone again. Honest clients come from addresses and for a
route of their own, one after the other; each shakes hands in full (X25519MLKEM768, ECDSA P-256), asks, and checks the answer.
";

const COLUMNS: &str = "A crowd's clients begin anew when the box has ended them, so it is there all the time; only those of `slow-streams` do not, and stay until their lifetime has ended
them all. `idle` has `connections = 60000` and a heap of 4 GiB, and its backends are on a TAP too; `slow-streams` has `lifetime_ms = 45000`, `deaf-readers` has
`stall_timeout_ms = 10000`, so that what they run into is reached within the run. The TAPs' queues hold 10,000 frames (`txqueuelen`): the kernel's 500 are too few for a crowd.

The p99 is the median over 12 rounds of each round's p99 (250 visits): of the handshake for `idle`, of the whole visit for the others. The run fails if it is more than twice
what it is without the crowd (`ratio`, against the shorter of before and after); if an honest client fails; if an idle connection takes more than 16 KiB of the guest's heap
or of the host's memory; if the heap does not come back; if the counters that have grown (`bountybox_limit_reached_total`, `bountybox_connections_ended_total`)
are not exactly the expected ones, or their sums do not agree with the connections taken on. A case that fails by its ratio alone is measured again, twice at most, because
the host may have been busy with something else; `attempt` says which one stands here.
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_has_a_row_for_every_case_on_every_machine() {
        let page = fs::read_to_string(path()).expect("docs/load.md");
        let rows: Vec<_> = page.lines().filter(|line| line.starts_with("| ")).collect();
        assert!(rows.first().is_some_and(|head| *head == format!("| {} |", HEAD.join(" | "))), "run `make load`: {rows:?}");
        let named: Vec<_> = rows.iter().skip(1).filter_map(|row| row.rsplitn(11, " | ").last()).collect();
        let wanted: Vec<_> =
            ["kvm", "process"].iter().flat_map(|machine| ALL.iter().map(move |case| format!("| {} | {machine}", case.name))).collect();
        assert_eq!(named, wanted, "run `make load`");
        assert!(ALL.iter().all(|case| page.contains(case.what)) && page.starts_with(TITLE) && page.contains(COLUMNS), "run `make load`");
    }
}
