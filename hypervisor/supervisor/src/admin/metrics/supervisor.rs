//! What the supervisor knows by itself.

use core::sync::atomic::Ordering;

use super::{Family, Sample, counter, gauge, one};
use crate::admin::board::Cell;

pub(super) const FAMILIES: &[Family] = &[
    gauge("bountybox_build_info", "1; the labels say what runs.", &["version", "machine", "net"], |facts| {
        vec![Sample::new([env!("CARGO_PKG_VERSION"), facts.machine, facts.net], 1)]
    }),
    gauge("bountybox_start_time_seconds", "When the supervisor started, in seconds since 1970.", &[], |facts| {
        one(facts.started_unix.as_secs())
    }),
    gauge("bountybox_up", "1 while a guest serves, also while it drains.", &[], |facts| one(u8::from(facts.cell != Cell::Starting))),
    gauge("bountybox_draining", "1 from the beginning of a drain on.", &[], |facts| one(u8::from(facts.cell == Cell::Draining))),
    gauge("bountybox_cell_uptime_seconds", "How long the running cell has served.", &[], |facts| match facts.cell {
        Cell::Serving(since) => one(since.elapsed().as_secs()),
        Cell::Starting | Cell::Draining => Vec::new(),
    }),
    counter("bountybox_cell_restarts_total", "Cells started after one had ended.", &[], |facts| one(facts.restarts)),
    counter("bountybox_cell_exits_total", "Cells that have ended, by how.", &["reason"], |facts| {
        facts.exits.iter().map(|(reason, count)| Sample::new([reason], count)).collect()
    }),
    counter(
        "bountybox_reloads_total",
        "Reloads asked for, by what became of them: done, or refused and nothing changed.",
        &["result"],
        |facts| vec![Sample::new(["done"], facts.reloads.done), Sample::new(["refused"], facts.reloads.refused)],
    ),
    gauge("bountybox_last_reload_successful", "1 if the last reload took effect.", &[], |facts| {
        facts.reloads.last.iter().map(|(_, outcome)| Sample::new([], u8::from(outcome.is_ok()))).collect()
    }),
    gauge("bountybox_last_reload_timestamp_seconds", "When the last reload was asked for, in seconds since 1970.", &[], |facts| {
        facts.reloads.last.iter().map(|(unix, _)| Sample::new([], unix.as_secs())).collect()
    }),
    gauge(
        "bountybox_certificate_expiry_timestamp_seconds",
        "When a certificate ends, in seconds since 1970, by its file and the first of its names.",
        &["file", "name"],
        |facts| facts.certificates.iter().map(|expiry| Sample::new([&expiry.file, &expiry.name], expiry.not_after)).collect(),
    ),
    gauge(
        "bountybox_status_age_seconds",
        "How old the guest's figures below are; more than a few seconds: it does not answer.",
        &[],
        |facts| facts.status.iter().map(|(_, came)| Sample::new([], came.elapsed().as_secs_f64())).collect(),
    ),
    counter("bountybox_statuses_refused_total", "Answers of guests that were malformed.", &[], |facts| one(facts.statuses_refused)),
    counter("bountybox_access_log_written_bytes_total", "Bytes written to the access log's file.", &[], |facts| {
        facts.access.iter().map(|access| Sample::new([], access.bytes.load(Ordering::Relaxed))).collect()
    }),
    counter("bountybox_access_log_errors_total", "Writes to the access log's file, or attempts to open it, that failed.", &[], |facts| {
        facts.access.iter().map(|access| Sample::new([], access.errors.load(Ordering::Relaxed))).collect()
    }),
];
