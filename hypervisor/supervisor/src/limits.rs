//! Every bound of this crate.

use core::time::Duration;

/// A configuration file at most, in bytes.
pub const CONFIG_LEN_MAX: usize = 1 << 20;
/// A PEM file at most, in bytes.
pub const PEM_LEN_MAX: usize = 1 << 20;
/// The guest's heap at least, in MiB.
pub const HEAP_MIB_MIN: u64 = 8;
/// The guest's heap at most, in MiB.
pub const HEAP_MIB_MAX: u64 = 16 * 1024;
/// The guest's heap where the configuration says nothing, in MiB. Only what is touched costs memory.
pub const HEAP_MIB_DEFAULT: u64 = 1024;
/// A certificate that ends sooner than this draws a warning, in seconds: fourteen days. Minted ones that live shorter than that do so on purpose.
pub const EXPIRES_SOON_S: u64 = 14 * 24 * 3600;
/// A network device's name at most, in bytes (Linux: IFNAMSIZ less its final zero).
pub const DEVICE_NAME_LEN_MAX: usize = 15;
/// Longer texts from files are cut in messages, in characters.
pub const QUOTE_LEN_MAX: usize = 80;
/// A guest image file at most, in bytes.
pub const IMAGE_LEN_MAX: usize = 64 << 20;
/// The delay before the first restart of a cell.
pub const RESTART_DELAY_MIN: core::time::Duration = core::time::Duration::from_millis(50);
/// The delay before a restart at most.
pub const RESTART_DELAY_MAX: core::time::Duration = core::time::Duration::from_secs(30);
/// A cell that lived this long has earned a short delay again.
pub const STEADY_AFTER: core::time::Duration = core::time::Duration::from_secs(60);
/// What a tender gets beyond the guest's drain time-out before it is killed.
pub const DRAIN_GRACE: core::time::Duration = core::time::Duration::from_millis(300);
/// Connections that wait for one listener at most.
pub const LISTEN_BACKLOG: i32 = 4096;
/// Ports that later reloads may bring, at most: each is a rule of the kernel's.
pub const LATER_PORTS_MAX: usize = 4096;
/// How often watched files are looked at. One that has changed is taken when it has stood still for as long.
pub const FILES_INTERVAL: core::time::Duration = core::time::Duration::from_secs(1);
/// What a tender may take to answer a reload, before it is said that it has not.
pub const RELOAD_TIMEOUT: core::time::Duration = core::time::Duration::from_secs(10);
/// Addresses of one backend at most; more are not tried.
pub const BACKEND_ADDRESSES_MAX: usize = 16;
/// Connections of the demo's own backend at a time.
pub const DEMO_CONNECTIONS_MAX: usize = 2048;
/// Bytes of a request's head that the demo's backend reads.
pub const DEMO_HEAD_LEN_MAX: usize = 16 * 1024;
/// A Unix socket's path at most, in bytes (unix(7): sun_path less its final zero).
pub const SOCKET_PATH_LEN_MAX: usize = 107;
/// Connections of the admin interface at a time; those beyond it are closed.
pub const ADMIN_CONNECTIONS_MAX: usize = 16;
/// The stack of a thread that answers one of them, in bytes.
pub const ADMIN_STACK_LEN: usize = 512 * 1024;
/// A request's head at most, in bytes.
pub const ADMIN_HEAD_LEN_MAX: usize = 8 * 1024;
/// Its headers at most.
pub const ADMIN_HEADERS_MAX: usize = 32;
/// How long a request may take to arrive, and an answer to be taken.
pub const ADMIN_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a listener rests when it cannot accept.
pub const ADMIN_ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// Wishes that wait for the watching thread at most.
pub const WISHES_MAX: usize = 32;
/// A status that came less than this ago is not asked for again.
pub const STATUS_FRESH: Duration = Duration::from_millis(100);
/// How long a guest may take to say how it stands before the last status is shown instead.
pub const STATUS_PATIENCE: Duration = Duration::from_secs(1);
/// A status older than this says nothing about readiness.
pub const STATUS_STALE: Duration = Duration::from_secs(10);
/// How long a reload may take before whoever asked for it is answered.
pub const RELOAD_PATIENCE: Duration = Duration::from_secs(30);
/// How often `status --watch` asks.
pub const WATCH_INTERVAL: Duration = Duration::from_secs(2);
/// An answer that the command line takes at most, in bytes.
pub const ANSWER_LEN_MAX: u64 = 4 << 20;
/// What the pipe of the access log holds, in bytes.
pub const ACCESS_PIPE_LEN: usize = 1 << 20;
/// What the tender waits beyond the guest's own drain time-out, in milliseconds: the guest is to be the one who cuts.
pub const DRAIN_ALLOWANCE_MS: u64 = 100;

/// A recording at least, in bytes: what it begins with, and some minutes.
pub const RECORD_BYTES_MIN: u64 = 8 << 20;
/// A recording at most, in bytes.
pub const RECORD_BYTES_MAX: u64 = 1 << 40;
/// A recording, unless the configuration says otherwise.
pub const RECORD_BYTES_DEFAULT: u64 = 1 << 30;
/// Recordings of earlier cells that are kept, at most.
pub const RECORD_KEEP_MAX: u64 = 100;
/// Recordings of earlier cells that are kept, unless the configuration says otherwise.
pub const RECORD_KEEP_DEFAULT: u64 = 3;
/// A file with an age identity at most, in bytes.
pub const IDENTITY_LEN_MAX: usize = 64 * 1024;
/// A claim's write-up at most, in bytes.
pub const WRITE_UP_LEN_MAX: usize = 64 << 20;

const _: () = assert!(HEAP_MIB_MIN << 20 == keys::limits::HEAP_LEN_MIN, "the bundle's smallest memory is the smallest heap");
const _: () = assert!(HEAP_MIB_DEFAULT << 20 == keys::limits::HEAP_LEN_DEFAULT, "and its default the default");
const _: () = assert!(RECORD_BYTES_MIN >= recording::limits::BEGINNING_LEN_MAX, "a recording has room for its beginning");

/// Connections of a fuzzed box at a time.
pub const TARGET_CONNECTIONS_MAX: usize = 200;
/// What is read of a client of a fuzzed box at once, in bytes.
pub const TARGET_READ_LEN: usize = 16 * 1024;
/// How long what has come already is heard, before a question is answered or a session ends. It is there at once, but for a client who never stops.
pub const TARGET_HEAR_MAX: Duration = Duration::from_secs(2);
/// How long what was sent may be on its way when the command that sent it has ended.
pub const TARGET_LINGER: Duration = Duration::from_millis(10);
/// Sessions with which a fuzzed box ends at most: the one that is there, and those of all who wait, of whom the standard library's listener has 129 at most.
pub const TARGET_LAST_SESSIONS_MAX: usize = 130;
/// What the command that fuzzes a box may take to end when it is asked to.
pub const FUZZER_GRACE: Duration = Duration::from_secs(1);
/// Findings of one kind in one folder at most, of all runs together.
pub const FINDING_NUMBERS_MAX: u32 = 100_000;
/// Findings of a fuzzed box that are kept, each the first of its kind; more are counted.
pub const FINDINGS_MAX: usize = 100;
/// `[challenge] heartbeat_s` at least.
pub const HEARTBEAT_S_MIN: u64 = 1;
/// `[challenge] heartbeat_s` where nothing is said, and at most: the log wants one an hour.
pub const HEARTBEAT_S_DEFAULT: u64 = 3600;
/// Questions to the guest of a contest whose askers are remembered at most: as many as may be wished at once.
pub const ASKED_MAX: usize = WISHES_MAX;
/// How long the guest of a contest may take to answer.
pub const ASK_PATIENCE: Duration = Duration::from_secs(5);
/// One answer on a terminal at most, in bytes: what a terminal gives as one line.
pub const TYPED_LEN_MAX: u64 = 4096;
/// How often one thing is asked for at most, until it is given up.
pub const ANSWERS_MAX: usize = 32;
/// The arbiter for browsers at most, in bytes.
pub const ARBITER_LEN_MAX: usize = 4 << 20;
/// What the page's process is told at most, in bytes: the arbiter, and a little more.
pub const PAGE_ORDER_LEN_MAX: usize = ARBITER_LEN_MAX + (1 << 16);
/// How long the page's process may take until it serves.
pub const PAGE_START_PATIENCE: Duration = Duration::from_secs(10);
/// Descriptors of the page's process that are not connections: listeners, streams, the event loop's, standard streams.
pub const PAGE_DESCRIPTORS_RESERVED: u64 = 32;
/// What is kept of the time before restarts: files at most.
pub const RESTARTS_KEPT: usize = 64;
/// The same in bytes.
pub const RESTARTS_BYTES: u64 = 256 << 20;
/// What the log's thread may be behind with at most.
pub const HAPPENED_WAITING_MAX: usize = 256;
/// One piece of what was captured, in bytes: about as much.
pub const CAPTURE_PIECE_LEN: usize = 4 << 20;
/// One block of it at most, in bytes: the longest frame, and what stands round it.
pub const CAPTURE_BLOCK_LEN_MAX: usize = 65_536 + 512;
/// The pipe that it comes through, in bytes.
pub const CAPTURE_PIPE_LEN: usize = 1 << 20;
/// `[challenge] capture_mib` where nothing is said.
pub const CAPTURE_MIB_DEFAULT: u64 = 64;
/// The same at most.
pub const CAPTURE_MIB_MAX: u64 = 65_536;
/// What is told of one piece at most, in bytes.
pub const TRACE_LEN_MAX: usize = 1 << 20;
/// What is told of pieces: files at most.
pub const TRACES_KEPT: usize = 64;
/// The same in bytes.
pub const TRACES_BYTES: u64 = 32 << 20;
/// What the clock of a box that is fuzzed says at its start at most, in seconds since 1970: of the 64 bits that nanoseconds have, some are left for what passes.
pub const CLOCK_S_MAX: u64 = 1 << 34;
/// This program at most, in bytes.
pub const PROGRAM_LEN_MAX: usize = 512 << 20;

#[cfg(test)]
mod tests {
    #[test]
    fn a_bundle_fits_the_window_that_the_abi_has_for_it() {
        assert_eq!(keys::limits::BUNDLE_LEN_MAX, abi::limits::BUNDLE_LEN_MAX);
    }
}
