//! The core's reports as lines of the log. The format strings stay in the image's file; only the numbers travel.

use appliance::Report;
use appliance::report::{Accepted, BackendFailed, Record, Refused};
use core::time::Duration;
use defmt::Debug2Format;

/// Logs one report.
pub(crate) fn log(report: &Report) {
    match report {
        Report::Accepted(Accepted { serial, local, peer }) => defmt::debug!("accepted {=u64} peer={} local={}", serial.0, peer, local),
        Report::Refused(Refused { peer, budget }) => defmt::warn!("refused peer={} budget={}", peer, Debug2Format(budget)),
        Report::BackendFailed(BackendFailed { serial, backend, fault }) => {
            defmt::warn!("backend failed {=u64} backend={} fault={}", serial.0, backend, Debug2Format(fault));
        }
        Report::Closed(record) => closed(record),
        Report::Lost(count) => defmt::warn!("{=u64} reports lost", count),
        Report::Counters(counters) => defmt::info!("counters {}", Debug2Format(counters)),
    }
}

/// The access record.
fn closed(record: &Record) {
    defmt::info!(
        "closed {=u64} peer={} route={} backend={} up={=u64} down={=u64} handshake_us={} time_us={=u64} end={}",
        record.serial.0,
        record.peer,
        record.route.map(|route| route.0),
        record.backend,
        record.bytes_up,
        record.bytes_down,
        record.handshake_time.map(micros),
        micros(record.time),
        Debug2Format(&record.end)
    );
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}
