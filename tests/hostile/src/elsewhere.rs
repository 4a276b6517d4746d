//! Tests of attacks that stand elsewhere in the repository: what needs no running box, or another kind of it.

use crate::attack::Layer;

/// A test of a row.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Elsewhere {
    pub(crate) row: &'static str,
    pub(crate) does: &'static str,
    pub(crate) layer: Layer,
    /// From the repository's root.
    pub(crate) file: &'static str,
    pub(crate) test: &'static str,
}

/// All of them.
pub(crate) const ALL: &[Elsewhere] = &[
    Elsewhere {
        row: "N2",
        does: "ports of its own connections are foreseen; on the wire towards clients it begins none",
        layer: Layer::Flow,
        file: "tls-stack/net/tests/behaviour/sequence.rs",
        test: "ports_and_numbers_of_our_own_connections_depend_on_the_seed",
    },
    Elsewhere {
        row: "N7",
        does: "a window that opens by single bytes",
        layer: Layer::Flow,
        file: "tls-stack/net/tests/behaviour/endings.rs",
        test: "a_window_that_opens_by_single_bytes_does_not_hold_a_flow_for_ever",
    },
    Elsewhere {
        row: "N10",
        does: "metadata of offloads that lies: a packet socket cannot send any",
        layer: Layer::Link,
        file: "tls-stack/net/tests/behaviour/doorman.rs",
        test: "lying_offload_notes_do_not_replace_a_checksum_unless_offloads_are_on",
    },
    Elsewhere {
        row: "N17",
        does: "data behind the peer's FIN, which smoltcp would take",
        layer: Layer::Guard,
        file: "tls-stack/net/tests/behaviour/injection.rs",
        test: "data_behind_the_peers_fin_is_not_taken",
    },
    Elsewhere {
        row: "H1",
        does: "a guest writes where it may not, executes data, lies in its queues, hangs",
        layer: Layer::Tender,
        file: "tests/e2e/tests/e2e/hostile.rs",
        test: "reports",
    },
    Elsewhere {
        row: "H1",
        does: "a guest that goes bad takes the listeners with it",
        layer: Layer::Tender,
        file: "tests/e2e/tests/e2e/hostile.rs",
        test: "listeners_stay_open",
    },
    Elsewhere {
        row: "H1",
        does: "a guest that goes bad again and again",
        layer: Layer::Tender,
        file: "tests/e2e/tests/e2e/hostile.rs",
        test: "back_off",
    },
    Elsewhere {
        row: "H1",
        does: "a client springs a trap in the shipped image",
        layer: Layer::Tender,
        file: "tests/e2e/tests/e2e/hostile.rs",
        test: "good_guest_goes_bad",
    },
    Elsewhere {
        row: "H1",
        does: "pages of the supervisor are touched",
        layer: Layer::Tender,
        file: "hypervisor/machine/tests/hostile/main.rs",
        test: "supervisor_pages_cannot_be_touched",
    },
    Elsewhere {
        row: "H1",
        does: "features of the processor that a guest must not have",
        layer: Layer::Tender,
        file: "hypervisor/machine/tests/hostile/main.rs",
        test: "guest_sees_no_feature_that_it_must_not_have",
    },
    Elsewhere {
        row: "H1",
        does: "a queue's count lies",
        layer: Layer::Tender,
        file: "hypervisor/queue/tests/hostile.rs",
        test: "a_count_is_believed_up_to_the_number_of_slots",
    },
    Elsewhere {
        row: "H1",
        does: "a frame's length lies",
        layer: Layer::Tender,
        file: "hypervisor/queue/tests/hostile.rs",
        test: "a_length_is_believed_from_one_to_the_longest_frame",
    },
    Elsewhere {
        row: "H1",
        does: "frames that together are longer than the window",
        layer: Layer::Tender,
        file: "hypervisor/queue/tests/hostile.rs",
        test: "frames_that_together_exceed_the_window_end_the_batch",
    },
    Elsewhere {
        row: "H1",
        does: "a flood of log lines",
        layer: Layer::Tender,
        file: "hypervisor/tender/src/line.rs",
        test: "a_flood_is_bounded_and_recovers",
    },
    Elsewhere {
        row: "H1",
        does: "control characters in log lines, for the terminal",
        layer: Layer::Tender,
        file: "hypervisor/tender/src/line.rs",
        test: "control_characters_and_directions_never_reach_a_terminal",
    },
    Elsewhere {
        row: "H1",
        does: "a flood of access records",
        layer: Layer::Tender,
        file: "hypervisor/tender/src/journal.rs",
        test: "a_flood_of_records_is_bounded",
    },
    Elsewhere {
        row: "H2",
        does: "a boot without a seed",
        layer: Layer::Image,
        file: "tests/boot/tests/boot.rs",
        test: "without_a_seed_it_refuses_to_serve",
    },
    Elsewhere {
        row: "H2",
        does: "a page too short for a seed",
        layer: Layer::Image,
        file: "appliance/platform/src/drbg.rs",
        test: "a_page_too_short_for_a_seed_holds_none",
    },
    Elsewhere {
        row: "H2",
        does: "two boots whose keys of the net are alike",
        layer: Layer::Flow,
        file: "tls-stack/net/src/keys.rs",
        test: "two_seeds_share_nothing",
    },
    Elsewhere {
        row: "H2",
        does: "two boots whose first sequence numbers are alike",
        layer: Layer::Doorman,
        file: "tls-stack/net/tests/behaviour/sequence.rs",
        test: "first_numbers_of_two_seeds_share_nothing_and_do_not_repeat",
    },
    Elsewhere {
        row: "H2",
        does: "a second box, and a cell in the place of one that was killed, of the same configuration: randoms, shares, tickets",
        layer: Layer::Tender,
        file: "tests/e2e/tests/e2e/clones.rs",
        test: "share_nothing",
    },
    Elsewhere {
        row: "H2",
        does: "two uses of one seed that get the same secret",
        layer: Layer::Image,
        file: "appliance/core/src/seeds.rs",
        test: "no_two_purposes_share_a_secret",
    },
    Elsewhere {
        row: "H3",
        does: "keys, their parts, ticket secrets, secrets of sessions: in captures, logs, metrics, /proc, and in memory when the sessions are over",
        layer: Layer::Tender,
        file: "tests/e2e/tests/e2e/secrets.rs",
        test: "stay_inside",
    },
    Elsewhere {
        row: "H3",
        does: "seed and bundle in a guest's memory while it serves",
        layer: Layer::Tender,
        file: "hypervisor/machine/src/process/tests/hostile.rs",
        test: "sealed_guest_has_neither_seed_nor_bundle",
    },
    Elsewhere {
        row: "H3",
        does: "memory of an earlier cell handed out again",
        layer: Layer::Tender,
        file: "hypervisor/machine/src/memory.rs",
        test: "closed_range_is_never_handed_out_again_and_is_wiped",
    },
    Elsewhere {
        row: "H3",
        does: "a new configuration's secrets in the mailbox behind a reload",
        layer: Layer::Tender,
        file: "hypervisor/tender/src/mailbox.rs",
        test: "a_letter_is_with_the_guest_for_one_turn_and_is_wiped_then",
    },
    Elsewhere {
        row: "H3",
        does: "a secret in a log or a report, by Debug",
        layer: Layer::Image,
        file: "keys/src/secret.rs",
        test: "debug_shows_nothing_of_the_value",
    },
    Elsewhere {
        row: "H3",
        does: "ticket secrets of a time that is over",
        layer: Layer::Tickets,
        file: "tls-stack/tls/src/ticketer/tests.rs",
        test: "a_secret_is_gone_once_no_ticket_needs_it",
    },
    Elsewhere {
        row: "N8",
        does: "slow hellos by the hundred from one source",
        layer: Layer::Admission,
        file: "tests/e2e/tests/e2e/floods.rs",
        test: "slow_hellos",
    },
    Elsewhere {
        row: "N8",
        does: "half-open handshakes by the hundred from one source",
        layer: Layer::Admission,
        file: "tests/e2e/tests/e2e/floods.rs",
        test: "half_open_handshakes",
    },
    Elsewhere { row: "N8", does: "silent clients", layer: Layer::Admission, file: "tests/e2e/tests/e2e/floods.rs", test: "silent_clients" },
];

/// Those of one row.
pub(crate) fn of(row: &str) -> impl Iterator<Item = &'static Elsewhere> {
    ALL.iter().filter(move |elsewhere| elsewhere.row == row)
}
