//! The rows of the list that the suite is written from: what a public TLS endpoint is attacked with, and what a hardened one does.

/// A row.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Row {
    pub(crate) id: &'static str,
    pub(crate) attack: &'static str,
    pub(crate) hardened: &'static str,
}

const fn row(id: &'static str, attack: &'static str, hardened: &'static str) -> Row {
    Row { id, attack, hardened }
}

/// All of them.
pub(crate) const ROWS: &[Row] = &[
    row("N1", "SYN flood", "cookies, no state; others are served, memory is flat"),
    row("N2", "ISN prediction", "RFC 6528: a keyed hash and a clock; two boots share nothing"),
    row("N3", "blind RST", "RFC 5961: only the exact sequence resets, else a challenge ACK, limited per connection"),
    row("N4", "blind SYN", "a challenge ACK"),
    row("N5", "blind data with an old ACK", "dropped, and a challenge ACK"),
    row("N6", "LAND", "dropped at the IP layer"),
    row("N7", "sockstress, zero windows", "a cap on stalling, a cap per source"),
    row("N8", "slowloris", "deadlines, and the oldest of the loudest source makes way"),
    row("N9", "fragments", "TCP in fragments is dropped; there is no reassembly"),
    row("N10", "bad checksums, lying lengths, option loops, odd windows and offloads", "silent drops, no panic"),
    row("N11", "all flag combinations to every state", "RST only where RFC 9293 says so, limited; closed UDP ports are silent"),
    row("N12", "broadcast, multicast, loopback, unspecified or own addresses as source", "dropped"),
    row("N13", "forged ICMP, echo floods, smurf", "ignored unless it quotes the window; echo limited; broadcast echo silent"),
    row("N14", "IP-ID leak", "0 with DF, or random"),
    row("N15", "ARP and NDP spoofing, floods, router advertisements", "only solicited replies, bounded; no router advertisements"),
    row("N16", "out-of-order bombs", "bounded gaps, constant work"),
    row("N17", "TIME-WAIT reuse, simultaneous open, half-close abuse", "RFC 9293 and 6191; TIME-WAIT without buffers"),
    row("N18", "reflection", "no more bytes out than in towards an unproven address"),
    row("N19", "padding of short frames", "zero"),
    row("T1", "hello and handshake in 1-byte records and segments", "accepted, bounded"),
    row("T2", "empty records in floods", "fatal at the limit"),
    row("T3", "ChangeCipherSpec in floods or out of place", "fatal at the limit"),
    row("T4", "KeyUpdate and post-handshake messages in floods or out of place", "fatal at the limit"),
    row("T5", "warning alerts in floods", "fatal at the limit"),
    row("T6", "renegotiation", "refused"),
    row("T7", "huge hello", "a cap before allocation, a deadline"),
    row("T8", "compression, heartbeat, SSL 2 and 3, plain HTTP, malformed messages", "refused with the right alert"),
    row("T9", "0-RTT replay", "early data is never taken"),
    row("T10", "certificate bombs", "a budget; clients are asked for certificates only where a route needs them"),
    row("T11", "certificates and proofs tampered with", "refused with the right alert"),
    row("T12", "handshake asymmetry: CPU for nothing", "the cheapest refusal first, a budget per source"),
    row("T13", "close_notify then data; truncation", "no spin; the backend sees the truncation"),
    row("T14", "tickets forged, or used again over boots and routes", "a full handshake instead"),
    row("T15", "downgrade", "the sentinel; FALLBACK_SCSV is harmless"),
    row("T16", "alerts lost to a RST", "alert, FIN, a bounded drain: the alert arrives"),
    row("H1", "hostile guest", "clamped, bounded, budgeted; the tender lives"),
    row("H2", "clones and boots without entropy", "disjoint randomness, or no service"),
    row("H3", "secrets in captures, logs, crash reports, memory", "none"),
];

/// Whether there is a row of this name.
#[cfg(test)]
pub(crate) fn is_known(id: &str) -> bool {
    ROWS.iter().any(|row| row.id == id)
}
