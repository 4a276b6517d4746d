//! Every bound of the tender.

use core::time::Duration;

/// How long a guest may run in one turn before it counts as hung.
pub const TURN_BUDGET: Duration = Duration::from_secs(2);

/// Host descriptors of one cell at most: listeners and TAPs that the supervisor hands over. The kernel passes 253 in one message.
pub const DESCRIPTORS_MAX: usize = 250;
/// The image file at most, in bytes.
pub const IMAGE_LEN_MAX: usize = 64 << 20;
/// The order at most, in bytes, as it travels.
pub const ORDER_LEN_MAX: usize = 1 << 20;

/// Frames that wait in one direction of the channel, at most.
pub const FRAMES_WAITING_MAX: usize = 8;
/// A frame to the tender at most, in bytes: a reload's update and its bundle.
pub const FRAME_TO_TENDER_LEN_MAX: usize = 4 + ORDER_LEN_MAX + abi::limits::BUNDLE_LEN_MAX;
/// A frame from the tender at most, in bytes: a guest's answer, whether it is one, and the number of what it answers.
pub const FRAME_FROM_TENDER_LEN_MAX: usize = 8 + 1 + abi::limits::OUTBOX_WINDOW_LEN;
/// Captured frames that wait for their reader at most, in bytes.
pub const CAPTURE_WAITING_MAX: usize = 4 << 20;
/// What the guest of a contest is asked to sign, and what it answers, at most, in bytes each.
pub const ANSWER_LEN_MAX: usize = 16 * 1024;
/// Letters that wait for the guest at most.
pub const LETTERS_WAITING_MAX: usize = 4;

/// Connections of one user net at a time.
pub const PIPES_MAX: usize = 30_000;
/// What the flows of one user net may hold in rings, in bytes. The guest's own budget is mostly smaller; this one holds whatever a guest does.
pub const RING_BYTES: usize = 512 << 20;
/// Descriptors kept free of connections: image, machine, channel, listeners, standard streams.
pub const DESCRIPTORS_RESERVED: usize = 64 + DESCRIPTORS_MAX;
/// Connections accepted from one listener in one turn.
pub const ACCEPTS_PER_TURN: usize = 64;
/// Bytes moved through one connection in one direction and turn; then it is the next one's turn.
pub const PUMP_LEN_MAX: usize = 512 * 1024;
/// How long a connection attempt to one address of a backend may take.
pub const BACKEND_CONNECT_TIMEOUT: Duration = Duration::from_secs(4);
/// Connections that the guest asks for and the host has not answered yet, at a time. What is beyond it is not heard; the guest asks again.
pub const KNOCKS_MAX: usize = 4096;
/// How long the guest may take to complete a connection that the host has opened for it. It needs one turn.
pub const KNOCK_CLAIM_TIMEOUT: Duration = Duration::from_secs(3);
/// The longest frame with a SYN, in bytes: Ethernet, IPv6 and TCP with all its options.
pub const SYN_LEN_MAX: usize = 14 + 40 + 60;
/// Addresses that may be called back at a time; the oldest makes way.
pub const CALLERS_MAX: usize = 64;
/// For how long after it came an address may be called back.
pub const CALLER_FRESH: Duration = Duration::from_secs(10);
/// SYN-ACKs from the door of a call-back that a TAP remembers to know a completed connection by; the oldest makes way.
pub const OFFERS_MAX: usize = 4096;
/// Connections of a call-back that a TAP lets on at a time; the one whose peer has been silent for longest makes way.
pub const CALLS_MAX: usize = 1024;
/// For how long after its peer's last word the guest may speak on such a connection: longer than its own TCP waits for anything.
pub const CALL_SILENCE_MAX: Duration = Duration::from_secs(120);
/// Call-backs of the user net that the host is still dialling for, at a time.
pub const CALLS_DIALLED_MAX: usize = CALLERS_MAX;
/// Backends on a TAP that reloads have left out and that a guest may still be on its way to, at most.
pub const RETIRED_MAX: usize = 4096;
/// Readiness events taken from the kernel at once.
pub const EVENTS_PER_POLL: usize = 256;
/// The longest sleep; a lost wake-up could cost no more.
pub const SLEEP_MAX: Duration = Duration::from_secs(60);

/// Frames read from one TAP in one turn.
pub const TAP_READS_PER_TURN: usize = abi::limits::QUEUE_SLOTS;

/// Lines of guest log per second, as a long-run mean; what is beyond it is dropped and counted.
pub const LOG_LINES_PER_S: u32 = 2000;
/// Lines of guest log at once.
pub const LOG_LINES_BURST: u32 = 4000;
/// Access lines per second, as a long-run mean; what is beyond it is dropped and counted.
pub const ACCESS_LINES_PER_S: u32 = 50_000;
/// Access lines at once.
pub const ACCESS_LINES_BURST: u32 = 50_000;
/// The longest encoded log frame that is decoded, in bytes. The decoder recurses at most once per two bytes.
pub const LOG_FRAME_LEN_MAX: usize = 4096;
/// The longest line printed, in characters after escaping.
pub const LINE_LEN_MAX: usize = 2048;
/// A write to the recording that takes longer ends it: the guest stands still meanwhile.
pub const RECORD_WRITE_MAX: Duration = Duration::from_secs(1);
/// Differences that a replay tells one by one; the rest is counted.
pub const DIFFERENCES_MAX: usize = 32;
/// The label of a session's secret at most, in bytes.
pub const SECRET_LABEL_LEN_MAX: usize = 64;
/// The secret at most, in bytes: a hash of SHA-512.
pub const SECRET_VALUE_LEN_MAX: usize = 64;
/// What a pipe takes without blocking once it is writable, in bytes.
pub const WRITE_LEN_MAX: usize = 4096;

const _: () = assert!(status::limits::ACCESS_LEN_MAX + 64 <= LOG_FRAME_LEN_MAX, "an access record is a frame");
const _: () = assert!(LOG_FRAME_LEN_MAX <= abi::limits::LOG_WINDOW_LEN, "a frame fits the window");
const _: () = assert!(LINE_LEN_MAX + 256 <= WRITE_LEN_MAX, "a line fits one write");
