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
];

/// Those of one row.
pub(crate) fn of(row: &str) -> impl Iterator<Item = &'static Elsewhere> {
    ALL.iter().filter(move |elsewhere| elsewhere.row == row)
}
