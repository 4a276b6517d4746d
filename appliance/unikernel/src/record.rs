//! The core's reports as lines of the log. The format strings stay in the image's file; only the numbers travel.
//!
//! An access record travels as the bytes that [`status::Access`] makes of it; the tender decodes and prints them.
//! The counters come as a few lines of `name=value`, which tests and scripts read.

use appliance::report::{Accepted, BackendChanged, BackendFailed, Change, Record, Refused};
use appliance::{Counters, Ends, Link, Refusals, Report, Timeouts};
use defmt::Debug2Format;
use status::limits::ACCESS_LEN_MAX;

/// Logs one report.
pub(crate) fn log(report: &Report) {
    match report {
        Report::Accepted(Accepted { serial, local, peer }) => defmt::debug!("accepted {=u64} peer={} local={}", serial.0, peer, local),
        Report::Refused(Refused { peer, budget }) => defmt::warn!("refused peer={} budget={}", peer, Debug2Format(budget)),
        Report::LinkFull(count) => defmt::warn!("refused {=u64} for want of a flow or of memory", count),
        Report::Suppressed(count) => defmt::warn!("{=u64} refusals and early ends were not logged", count),
        Report::BackendFailed(BackendFailed { serial, backend, fault }) => {
            defmt::warn!("backend failed {=u64} backend={} fault={}", serial.0, backend, Debug2Format(fault));
        }
        Report::BackendChanged(changed) => backend(changed),
        Report::Closed(record) => closed(record),
        Report::Lost(count) => defmt::warn!("{=u64} reports lost", count),
        Report::Counters(counters) => all(counters),
    }
}

/// A backend comes or goes. Coming is news; going is trouble.
fn backend(BackendChanged { route, backend, change }: &BackendChanged) {
    match change {
        Change::Up => defmt::info!("backend up {} route={=u16}: its checks pass", backend, route.0),
        Change::Returned => defmt::info!("backend up {} route={=u16}: it takes connections again", backend, route.0),
        Change::Down(fault) => defmt::warn!("backend down {} route={=u16} check={}", backend, route.0, Debug2Format(fault)),
        Change::Ejected => defmt::warn!("backend ejected {} route={=u16}: too many failures in a row", backend, route.0),
    }
}

/// The access record: bytes in one frame, which the tender knows by this format string.
fn closed(record: &Record) {
    let mut space = [0; ACCESS_LEN_MAX];
    match record.access().encode(&mut space) {
        Some(bytes) => defmt::info!("access {=[u8]}", bytes),
        None => defmt::warn!("the access record of connection {=u64} is too long", record.serial.0),
    }
}

fn all(counters: &Counters) {
    defmt::info!(
        "counters cell: accepted={=u64} connections={=u64} waiting={=u64} handshaking={=u64} handshakes={=u64} resumptions={=u64} bytes_up={=u64} \
         bytes_down={=u64} backend_failures={=u64} backend_waits={=u64} backend_reports_held_back={=u64} turns={=u64} steps_cut_short={=u64} reports_lost={=u64}",
        counters.accepted,
        counters.connections,
        counters.waiting,
        counters.handshaking,
        counters.handshakes,
        counters.resumptions,
        counters.bytes_up,
        counters.bytes_down,
        counters.backend_failures,
        counters.backend_waits,
        counters.backend_reports_held_back,
        counters.turns,
        counters.steps_cut_short,
        counters.reports_lost
    );
    refused(&counters.refused);
    timed_out(&counters.timeouts);
    ended(&counters.ended);
    link(Link::Front, &counters.front);
    link(Link::Back, &counters.back);
}

fn refused(refused: &Refusals) {
    defmt::info!(
        "counters refused: connections={=u64} connections_per_source={=u64} new_per_source={=u64} new={=u64} waiting={=u64} \
         handshakes={=u64} drain={=u64}",
        refused.connections,
        refused.connections_per_source,
        refused.new_per_source,
        refused.new,
        refused.waiting,
        refused.handshakes,
        refused.drain
    );
}

fn timed_out(timeouts: &Timeouts) {
    defmt::info!(
        "counters timeouts: first_byte={=u64} handshake={=u64} idle={=u64} half_close={=u64} lifetime={=u64} linger={=u64} stall={=u64}",
        timeouts.first_byte,
        timeouts.handshake,
        timeouts.idle,
        timeouts.half_close,
        timeouts.lifetime,
        timeouts.linger,
        timeouts.stall
    );
}

fn ended(ended: &Ends) {
    defmt::info!(
        "counters ended: done={=u64} client_fault={=u64} unknown_name={=u64} unknown_protocol={=u64} client_gone={=u64} no_backend={=u64} queue={=u64} backend_gone={=u64} \
         timeout={=u64} front_end_fault={=u64} refused={=u64} displaced={=u64} drained={=u64} released={=u64} not_answered={=u64}",
        ended.done,
        ended.client_fault,
        ended.unknown_name,
        ended.unknown_protocol,
        ended.client_gone,
        ended.no_backend,
        ended.queue,
        ended.backend_gone,
        ended.timeout,
        ended.front_end_fault,
        ended.refused,
        ended.displaced,
        ended.drained,
        ended.released,
        ended.not_answered
    );
}

fn link(link: Link, counters: &net::Counters) {
    let name = match link {
        Link::Front => "front",
        Link::Back => "back",
    };
    defmt::info!(
        "counters {=str}: flows={=u64} time_waits={=u64} ring_bytes={=u64} rx_frames={=u64} rx_bytes={=u64} tx_frames={=u64} tx_bytes={=u64} syns={=u64} \
         cookies_sent={=u64} cookies_accepted={=u64} cookies_refused={=u64} connects={=u64} refused_by_limit={=u64} \
         refused_by_memory={=u64} refused_by_source={=u64} closing={=u64} closed_early={=u64} growths_refused={=u64} \
         resets_sent={=u64} challenge_acks={=u64} echo_replies={=u64} replies_suppressed={=u64}",
        name,
        counters.flows,
        counters.time_waits,
        counters.ring_bytes,
        counters.rx_frames,
        counters.rx_bytes,
        counters.tx_frames,
        counters.tx_bytes,
        counters.syns,
        counters.cookies_sent,
        counters.cookies_accepted,
        counters.cookies_refused,
        counters.connects,
        counters.refused_by_limit,
        counters.refused_by_memory,
        counters.refused_by_source,
        counters.closing,
        counters.closed_early,
        counters.growths_refused,
        counters.resets_sent,
        counters.challenge_acks,
        counters.echo_replies,
        counters.replies_suppressed
    );
    defmt::info!(
        "counters {=str} dropped: not_ours={=u64} malformed={=u64} checksum={=u64} fragment={=u64} source={=u64} out_of_window={=u64} \
         neighbor={=u64} icmp={=u64}",
        name,
        counters.dropped_not_ours,
        counters.dropped_malformed,
        counters.dropped_checksum,
        counters.dropped_fragment,
        counters.dropped_source,
        counters.dropped_out_of_window,
        counters.dropped_neighbor,
        counters.dropped_icmp
    );
}
