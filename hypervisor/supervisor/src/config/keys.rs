//! Every key of the configuration file: what it takes, what holds where it is left out, what it means.
//!
//! `docs/reference.md` is made from this table (`BLESS=1 cargo test -p bountybox --test reference_page` writes it). The same test holds the table against the
//! reader: both know the same sections and keys, a required key is missed, a default that is written out changes nothing, words are taken, bounds are bounds.
//!
//! To add a key, add one `key` row in the order in which the page should show it, and run the command above. A default is written as TOML: `"1000"`,
//! `"\"auto\""`, `"[]"`. Where leaving the key out does something that no value says, use [`Unless::Absent`] and say what, as the end of the sentence
//! "without it: ..". A new section is a new [`Section`]; keys that only work beside others name those in `with`. This module holds words only; what they
//! do is read in `sections`.

use keys::limits::{
    CHECK_COUNT_MAX, CHECK_INTERVAL_MS_MIN, COUNT_MAX, MTU_MIN, QUEUE_MAX, RETRIES_MAX, TICKET_LIFETIME_S_MAX, TICKET_ROTATION_S_MIN,
    TIMEOUT_MS_MAX,
};

use crate::limits::{
    CAPTURE_MIB_MAX, HEAP_MIB_MAX, HEAP_MIB_MIN, HEARTBEAT_S_DEFAULT, HEARTBEAT_S_MIN, RECORD_BYTES_MAX, RECORD_BYTES_MIN, RECORD_KEEP_MAX,
};

/// One table of the file.
#[derive(Debug, Clone, Copy)]
pub struct Section {
    /// The keys that lead to it, as in `net.back`.
    pub path: &'static str,
    /// Whether it is an array of tables, as `[[route]]`.
    pub repeated: bool,
    /// What it is about.
    pub about: &'static str,
    /// Keys, with values, without which others of this section are out of place.
    pub with: &'static [(&'static str, &'static str)],
    /// Its keys.
    pub keys: &'static [Key],
}

/// One key.
#[derive(Debug, Clone, Copy)]
pub struct Key {
    /// Its name.
    pub name: &'static str,
    /// What it takes.
    pub kind: Kind,
    /// What holds without it.
    pub unless: Unless,
    /// What it means, in a line.
    pub meaning: &'static str,
}

/// What a key takes.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// One of these words.
    Words(&'static [&'static str]),
    /// A whole number within these bounds, both included.
    Number(u64, u64),
    /// `true` or `false`.
    Switch,
    /// A text; what it says.
    Text(&'static str),
    /// A list of texts; what each says.
    List(&'static str),
}

/// What holds where a key is left out.
#[derive(Debug, Clone, Copy)]
pub enum Unless {
    /// It must not be left out; a value that it takes, as TOML.
    Required(&'static str),
    /// This value, as TOML.
    Default(&'static str),
    /// Something that no value says.
    Absent(&'static str),
}

use Kind::{List, Number, Switch, Text, Words};
use Unless::{Absent, Default, Required};

/// The section that a key belongs to, if it belongs to just one.
#[must_use]
pub fn home(name: &str) -> Option<&'static Section> {
    let mut homes = SECTIONS.iter().filter(|section| section.keys.iter().any(|key| key.name == name));
    homes.next().filter(|_| homes.next().is_none())
}

const fn section(path: &'static str, about: &'static str, keys: &'static [Key]) -> Section {
    Section { path, repeated: false, about, with: &[], keys }
}

const fn repeated(path: &'static str, about: &'static str, keys: &'static [Key]) -> Section {
    Section { path, repeated: true, about, with: &[], keys }
}

const fn key(name: &'static str, kind: Kind, unless: Unless, meaning: &'static str) -> Key {
    Key { name, kind, unless, meaning }
}

const TIMEOUT: Kind = Number(1, TIMEOUT_MS_MAX);
const COUNT: Kind = Number(1, COUNT_MAX as u64);
const ALPN: Kind = List("a protocol's name, best first, as \"http/1.1\"");
const BY_HTTP: &[(&str, &str)] = &[("kind", "\"http\"")];
const ON_A_TAP: &[(&str, &str)] = &[("mode", "\"tap\""), ("device", "\"bb0\""), ("addresses", "[\"192.0.2.2/24\"]")];

/// All of them, in the order of the page.
#[rustfmt::skip] // A key is a row.
pub const SECTIONS: &[Section] = &[
    section("machine", "The machine that the guest runs on.", &[
        key("kind", Words(&["auto", "kvm", "process"]), Default("\"auto\""), "`auto` takes kvm where its probe works, else process, and says which."),
        key("heap_mib", Number(HEAP_MIB_MIN, HEAP_MIB_MAX), Default("1024"), "The guest's heap. Only what is touched costs memory."),
        key("image", Text("a path"), Absent("the embedded image"), "Another guest image."),
        key("restart", Words(&["always", "on-failure", "never"]), Default("\"on-failure\""), "When a cell that ended is started anew."),
    ]),
    Section { with: ON_A_TAP, ..section("net", "How the public side is attached.", NET) },
    Section { with: ON_A_TAP, ..section("net.back", "How the side to the backends is attached.", NET) },
    repeated("listen", "An address that clients connect to; one at least.", &[
        key("address", Text("an address and a port, as \"[::1]:8443\""), Required("\"127.0.0.1:8443\""), "Port 0 lets the system choose (`mode = \"user\"` only)."),
        key("proxy_from", List("an address or a network, as \"10.0.0.0/8\""), Default("[]"), "Front ends whose connections begin with a PROXY header (version 1 or 2) and are refused without one. From everybody else it is not TLS."),
    ]),
    repeated("certificate", "A certificate and its key; one at least. Which is shown follows from the names in it.", &[
        key("chain", Text("a path"), Required("\"pki/chain.pem\""), "PEM: the leaf first, then its intermediates, no root. Shown exactly as it stands."),
        key("key", Text("a path"), Required("\"pki/key.pem\""), "PEM: PKCS#8, SEC1 or PKCS#1, unencrypted."),
    ]),
    repeated("route", "Which connections go to which backends; one at least.", &[
        key("name", Text("1 to 64 visible ASCII characters, no quote or backslash"), Absent("its first `sni`, or `default`"), "What it is called in log, metrics and status."),
        key("sni", List("a host name, or `*.` and a host name"), Absent("the default route: whatever no other route names"), "The names it is for. A star is one whole label; an exact name goes before a star."),
        key("alpn", ALPN, Absent("what `[tls] alpn` says"), "What is agreed on with clients of this route; and where several routes have one name, which of them is for whom: the first that speaks something that the client offers, else the one without `alpn`."),
        key("mode", Words(&["terminate", "passthrough"]), Default("\"terminate\""), "`passthrough`: TLS goes to the backend untouched, chosen by server name and protocol; no certificate is needed."),
        key("proxy_protocol", Words(&["off", "v1", "v2", "v2-tls"]), Default("\"off\""), "What a backend hears before the first byte. `v2-tls` adds what was agreed on, the client's certificate and a checksum; without TLS of ours, the name alone."),
        key("backends", List("a host (name or address) and a port"), Required("[\"127.0.0.1:8080\"]"), "Where the plaintext goes. Names are resolved at start and at each reload."),
        key("balance", Words(&["round-robin", "least-connections", "source-hash"]), Default("\"round-robin\""), "Which backend takes the next connection; by `source-hash` an address keeps its backend."),
        key("backend_connections", Number(0, COUNT_MAX as u64), Default("0"), "To one backend at once; 0 is no limit of its own."),
        key("queue", Number(0, QUEUE_MAX as u64), Default("128"), "Clients that may wait when all backends are full; 0 turns them away at once."),
        key("queue_timeout_ms", TIMEOUT, Default("5000"), "How long one waits."),
        key("retries", Number(0, RETRIES_MAX as u64), Default("2"), "Further attempts after a backend did not take the connection, each at another one."),
    ]),
    Section { with: BY_HTTP, ..section("route.check", "Asks the route's backends whether they are well. Without this section nobody asks.", &[
        key("kind", Words(&["tcp", "http"]), Default("\"tcp\""), "`tcp`: it takes a connection. `http`: it answers `GET path` with a status that is expected."),
        key("path", Text("a path, as \"/healthz\""), Default("\"/\""), "What is asked for (http)."),
        key("host", Text("a host name, with or without a port"), Absent("the route's first name without a star, else localhost"), "The request's `Host` (http)."),
        key("expect", Text("a status, or a range as \"200-399\""), Default("\"200-399\""), "The statuses that are good (http)."),
        key("interval_ms", Number(CHECK_INTERVAL_MS_MIN, TIMEOUT_MS_MAX), Default("2000"), "From the end of one check to the next, an eighth more or less."),
        key("timeout_ms", TIMEOUT, Default("1000"), "Until the answer."),
        key("rise", Number(1, CHECK_COUNT_MAX as u64), Default("2"), "Good checks in a row that bring a backend up. The very first decides alone."),
        key("fall", Number(1, CHECK_COUNT_MAX as u64), Default("3"), "Bad checks in a row that take it down."),
    ]) },
    section("route.eject", "Lets a backend rest that clients could not reach.", &[
        key("failures", Number(0, COUNT_MAX as u64), Default("3"), "Failed attempts in a row after which it rests; 0 turns this off."),
        key("for_ms", TIMEOUT, Default("10000"), "How long it rests. It is asked all the same while no other backend is left."),
    ]),
    section("route.client", "The certificates that clients of the route above show; without this none is asked for.", &[
        key("mode", Words(&["optional", "required"]), Required("\"required\""), "Whether a client without a certificate is refused. One that is shown must be good in any case."),
        key("ca", Text("a path"), Required("\"clients-ca.pem\""), "PEM: the authorities that vouch for clients; each is an anchor."),
        key("crls", List("a path"), Default("[]"), "PEM or DER: their revocation lists. With one, every issuer wants one that is in date."),
        key("names", List("a DNS name, a mail address or a URI, perhaps with a star"), Default("[]"), "The subjectAltNames that are let in."),
        key("subjects", List("a common name"), Default("[]"), "The common names that are let in too. With both lists empty: whoever the authorities vouch for."),
    ]),
    section("tls", "What is spoken with clients.", &[
        key("alpn", ALPN, Default("[]"), "For routes that name none. Empty: none is agreed on."),
        key("profile", Words(&["modern", "intermediate"]), Default("\"intermediate\""), "Mozilla's: `modern` is TLS 1.3 alone, `intermediate` speaks 1.2 too. The next three override it."),
        key("min_version", Words(&["1.2", "1.3"]), Absent("what the profile says"), "The oldest version that is spoken."),
        key("suites", List("a cipher suite, by IANA's name"), Absent("all of the versions that are spoken"), "What may be agreed on; the client's order decides. Nothing weak can be named."),
        key("groups", List("a key exchange group, by IANA's name"), Absent("`X25519MLKEM768`, `x25519`, `secp256r1`, `secp384r1`"), "What keys may be exchanged with, best first; our order decides."),
        key("ticket_lifetime_s", Number(0, TICKET_LIFETIME_S_MAX as u64), Default("7200"), "How long a session can be resumed; 0 issues no tickets."),
        key("ticket_rotation_s", Number(TICKET_ROTATION_S_MIN as u64, TICKET_LIFETIME_S_MAX as u64), Default("3600"), "How often a new ticket key is taken; at least a 64th of the lifetime."),
        key("ticket_key", Text("a path"), Absent("keys that begin and end with the cell"), "32 bytes or 64 hexadecimal digits. Boxes that have the same file resume each other's sessions."),
    ]),
    section("limits", "Time and resources. Each is on by default; `connections` and `handshakes` must fit the heap.", &[
        key("first_byte_timeout_ms", TIMEOUT, Default("5000"), "From the TCP connection to the client's first byte; then it is reset."),
        key("handshake_timeout_ms", TIMEOUT, Default("10000"), "From the TCP connection to the end of the TLS handshake."),
        key("idle_timeout_ms", TIMEOUT, Default("300000"), "Without a byte in either direction."),
        key("lifetime_ms", TIMEOUT, Default("86400000"), "A connection in all."),
        key("half_close_timeout_ms", TIMEOUT, Default("60000"), "One side has said its last, the other is quiet."),
        key("stall_timeout_ms", TIMEOUT, Default("30000"), "Bytes wait for a peer, client or backend, and it keeps its window shut, or takes less than a segment. Then it is reset."),
        key("drain_timeout_ms", TIMEOUT, Default("1500"), "What runs may take after SIGTERM."),
        key("connect_timeout_ms", TIMEOUT, Default("5000"), "Until a backend has answered."),
        key("connections", COUNT, Default("16384"), "At once."),
        key("connections_per_source", COUNT, Default("2048"), "At once, from one IPv4 address or IPv6 /64."),
        key("new_per_source_per_s", COUNT, Default("1000"), "From one IPv4 address or IPv6 /64, as a long-run mean."),
        key("new_per_s", COUNT, Default("20000"), "From everybody, as a long-run mean."),
        key("waiting", COUNT, Default("8192"), "Connections at once whose hello is not whole. One more displaces the oldest of the source that has most."),
        key("handshakes", COUNT, Default("1024"), "In flight at once, from the whole hello on. One more displaces likewise."),
        key("log_per_s", COUNT, Default("20"), "Refusals and displacements logged one by one. The rest is counted, and its number logged."),
    ]),
    section("admin", "How to see in, and to ask for things, while it serves.", &[
        key("address", Text("an address and a port, as \"127.0.0.1:9090\""), Absent("no HTTP is answered on TCP"), "GET /metrics /healthz /readyz /status. Loopback only, unless `public = true`."),
        key("public", Switch, Default("false"), "Lets `address` be one that others reach: who reaches it may read it."),
        key("socket", Text("a path"), Absent("`bountybox status`, `reload` and `drain` have nobody to ask"), "A Unix socket (mode 0600) that answers the same, and POST /reload /drain."),
    ]),
    section("log", "Where lines go.", &[
        key("access", Text("`stderr`, `off`, or a file's path"), Default("\"stderr\""), "The access log: a line for each connection that ended. A file (mode 0600) is opened anew at a reload."),
        key("format", Words(&["text", "json"]), Absent("as the other lines: text, or with --json JSON"), "How access lines are written."),
    ]),
    section("record", "Writes down what the guest is given and gives, so that `bountybox replay` can run it again: docs/replay.md. Without this section nothing is.", &[
        key("file", Text("a path"), Required("\"box.rec\""), "The running cell's recording (mode 0600). Those of earlier cells follow it as `box.rec.1`, the latest, `box.rec.2` and so on."),
        key("recipient", Text("an age public key, as age1.."), Required("\"age1lvyvwawkr0mcnnnncaghunadrqkmuf9e6507x9y920xxpp866cnql7dp2z\""), "Whose key opens it. `age-keygen` makes one; its secret half does not belong on the box."),
        key("max_bytes", Number(RECORD_BYTES_MIN, RECORD_BYTES_MAX), Default("1073741824"), "One recording at most. Then it ends, with a line in the log, and the box goes on."),
        key("keep", Number(0, RECORD_KEEP_MAX), Default("3"), "Recordings of earlier cells that are kept: of the one that crashed, above all."),
    ]),
    section("challenge", "The contest that this box serves: docs/challenge.md. `bountybox challenge init` writes this section; a box without it serves none.", &[
        key("folder", Text("a path"), Required("\"contest\""), "What the ceremony has made: docs/ceremony.md."),
        key("server", Text("an address and a port"), Required("\"127.0.0.1:10000\""), "The door at which the box is a TLS server that demands a certificate."),
        key("call_back", Text("an address and a port"), Required("\"127.0.0.1:10001\""), "The door at which one knocks to be called back. On a TAP it takes a gateway of its family in `[net]`."),
        key("reverse", Text("an address and a port"), Required("\"127.0.0.1:10002\""), "The door at which the box is a TLS client on one's own connection."),
        key("page", Text("a loopback address and a port"), Required("\"127.0.0.1:10003\""), "Where the page is served, to the route that leads to it: a route with this backend and `proxy_protocol = \"v2\"`."),
        key("plain", Text("an address and a port"), Absent("nowhere"), "Where the page is served without TLS."),
        key("base", Text("https:// and a host"), Required("\"https://localhost:8443\""), "Where people reach the page; its commands begin with it."),
        key("arbiter", Text("a path"), Absent("the page says that the browser cannot judge"), "The arbiter for browsers, as `bounty/arbiter-wasm/build` makes it."),
        key("heartbeat_s", Number(HEARTBEAT_S_MIN, HEARTBEAT_S_DEFAULT), Default("3600"), "How often the log gets proofs that the flags are there."),
        key("capture_mib", Number(0, CAPTURE_MIB_MAX), Default("64"), "How much is kept of what the public link carried, as pcapng in the folder's `evidence`; beside it what TLS was spoken there, in lines. 0 keeps none."),
    ]),
    section("reload", "What a running box may be given: by SIGHUP, `bountybox reload`, or by itself.", &[
        key("watch", Switch, Default("false"), "Look at the certificate, key, CA, CRL and ticket key files, and reload when one has changed and stands still for a second."),
        key("backend_ports", List("a port, or a range of ports as \"9000-9099\""), Default("[]"), "Ports that backends of later reloads may have. The jail is closed over them, and those in use, at the start."),
    ]),
];

#[rustfmt::skip] // As above.
const NET: &[Key] = &[
    key("mode", Words(&["user", "tap"]), Default("\"user\""), "`user`: the host's sockets, no root. `tap`: a TAP device, and our own TCP meets the wire."),
    key("mtu", Number(MTU_MIN as u64, u16::MAX as u64), Default("1500"), "The link's MTU. Segments of up to 64 KiB pass it by offload."),
    key("device", Text("a network device's name"), Absent("`fd`, for a TAP"), "The TAP device to open."),
    key("fd", Number(3, 1023), Absent("`device`, for a TAP"), "An open TAP that the supervisor inherits."),
    key("addresses", List("an address with its prefix, as \"192.0.2.2/24\""), Absent("an error, for a TAP"), "The guest's own."),
    key("gateways", List("an address, or address@mac to pin its MAC"), Default("[]"), "The ways out, on one of the guest's networks."),
    key("mac", Text("a unicast MAC"), Absent("02:bb:00:00:00:01, on the back 02:bb:00:00:00:02"), "The guest's hardware address on a TAP."),
    key("offload", Switch, Default("true"), "On a TAP: segments of up to 64 KiB, checksums left to the host."),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_of_one_section_has_a_home_and_a_key_of_several_has_none() {
        assert_eq!(home("heap_mib").map(|section| section.path), Some("machine"));
        assert!(home("alpn").is_none());
        assert!(home("no such key").is_none());
    }
}
