//! What the guest says about its two links.

use status::{DropReason, Link};

use super::{Family, Sample, counter, gauge, guest};
use crate::admin::board::Facts;

const LINK: &[&str] = &["link"];

pub(super) const FAMILIES: &[Family] = &[
    gauge("bountybox_flows", "TCP flows, those in TIME-WAIT not counted.", LINK, |facts| each(facts, |link| link.flows)),
    gauge("bountybox_time_waits", "TCP flows in TIME-WAIT.", LINK, |facts| each(facts, |link| link.time_waits)),
    gauge("bountybox_ring_bytes", "Bytes of rings that flows are charged.", LINK, |facts| each(facts, |link| link.ring_bytes)),
    counter("bountybox_ring_growths_refused_total", "Flows that wanted larger rings when there were none to be had.", LINK, |facts| {
        each(facts, |link| link.growths_refused)
    }),
    counter("bountybox_frames_received_total", "Frames received.", LINK, |facts| each(facts, |link| link.rx_frames)),
    counter("bountybox_frame_received_bytes_total", "Bytes of them.", LINK, |facts| each(facts, |link| link.rx_bytes)),
    counter("bountybox_frames_transmitted_total", "Frames transmitted.", LINK, |facts| each(facts, |link| link.tx_frames)),
    counter("bountybox_frame_transmitted_bytes_total", "Bytes of them.", LINK, |facts| each(facts, |link| link.tx_bytes)),
    counter("bountybox_frames_dropped_total", "Frames dropped, by reason.", &["link", "reason"], dropped),
    counter("bountybox_queue_stalls_total", "Batches that were full while frames waited.", LINK, |facts| each(facts, |link| link.stalls)),
    counter("bountybox_syns_total", "SYNs seen.", LINK, |facts| each(facts, |link| link.syns)),
    counter(
        "bountybox_syn_cookies_total",
        "SYN cookies: sent, accepted when they came back, refused as wrong or late.",
        &["link", "result"],
        cookies,
    ),
    counter("bountybox_flows_begun_total", "TCP flows that the cell began.", LINK, |facts| each(facts, |link| link.connects)),
    counter("bountybox_flows_refused_total", "SYNs and flows turned away by a limit of the link.", LINK, |facts| {
        each(facts, |link| link.refused_by_limit)
    }),
    counter("bountybox_resets_sent_total", "RSTs sent.", LINK, |facts| each(facts, |link| link.resets_sent)),
    counter("bountybox_challenge_acks_sent_total", "Challenge ACKs sent (RFC 5961).", LINK, |facts| {
        each(facts, |link| link.challenge_acks)
    }),
    counter("bountybox_echo_replies_sent_total", "Echo replies sent.", LINK, |facts| each(facts, |link| link.echo_replies)),
    counter("bountybox_replies_suppressed_total", "Replies that were due and found no room or no token.", LINK, |facts| {
        each(facts, |link| link.replies_suppressed)
    }),
];

fn links(facts: &Facts, samples: impl Fn(&'static str, &Link) -> Vec<Sample>) -> Vec<Sample> {
    guest(facts, |status| [samples("front", &status.front), samples("back", &status.back)].concat())
}

fn each(facts: &Facts, number: impl Fn(&Link) -> u64) -> Vec<Sample> {
    links(facts, |name, link| vec![Sample::new([name], number(link))])
}

fn cookies(facts: &Facts) -> Vec<Sample> {
    links(facts, |name, link| {
        let results = [("sent", link.cookies_sent), ("accepted", link.cookies_accepted), ("refused", link.cookies_refused)];
        results.into_iter().map(|(result, count)| Sample::new([name, result], count)).collect()
    })
}

fn dropped(facts: &Facts) -> Vec<Sample> {
    links(facts, |name, link| DropReason::ALL.iter().map(|reason| Sample::new([name, reason.name()], link.dropped.of(*reason))).collect())
}
