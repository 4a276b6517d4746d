//! What is looked for in each frame as it goes by, before anything befalls it: secrets, and what only a broken stack sends.

use core::fmt;
use core::net::{IpAddr, Ipv4Addr};
use core::time::Duration;
use std::collections::{BTreeMap, VecDeque};

use crate::secrets::Secrets;

/// What a frame gave away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// A pattern that must not be seen here, by its name.
    Secret(String),
    /// Bytes behind the packet that are not zero: what lay in the buffer before.
    Padding,
    /// Two connections began with one sequence number, or with numbers as far apart as the clock alone sets them (RFC 6528).
    Sequence,
    /// A byte was sent once more, and was another; or bytes were left out.
    Retransmission(String),
}

/// Where a sender's first numbers come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Numbers {
    /// It dials, and takes each once.
    #[default]
    Drawn,
    /// It is dialed, and sends cookies: one may come back twice.
    Cookies,
}

/// A FIN or a RST that has gone by.
#[derive(Debug, Clone, Copy)]
pub struct Ending {
    from: Ipv4Addr,
    to: Ends,
    flags: u8,
}

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    secrets: Secrets,
    /// What whoever sends here has said on TCP, if that is looked at.
    sender: Option<Sender>,
    /// What has gone by since it was last taken, if that is noted.
    endings: Option<Vec<Ending>>,
    finding: Option<Finding>,
}

impl Watch {
    /// From now on no frame may hold any of these.
    pub(crate) fn forbid(&mut self, name: &str, patterns: &[&[u8]]) {
        patterns.iter().for_each(|pattern| self.secrets.forbid(name, pattern));
    }

    /// From now on the sender's padding, sequence numbers and retransmissions are looked at, too.
    pub(crate) fn suspect_the_sender(&mut self, numbers: Numbers) {
        self.sender = Some(Sender { numbers, ..Sender::default() });
    }

    /// From now on endings are noted.
    pub(crate) fn note_endings(&mut self) {
        self.endings.get_or_insert_default();
    }

    /// Those that have gone by since this was last asked.
    pub(crate) fn take_endings(&mut self) -> Vec<Ending> {
        self.endings.as_mut().map(core::mem::take).unwrap_or_default()
    }

    /// The sender's peers have sent these.
    pub(crate) fn hear_endings(&mut self, endings: &[Ending]) {
        if let Some(sender) = &mut self.sender {
            endings.iter().for_each(|ending| sender.note_end(&ending.ends_of_receiver(), Side::Peer, ending.flags));
        }
    }

    /// The first thing that was found.
    pub(crate) fn finding(&self) -> Option<&Finding> {
        self.finding.as_ref()
    }

    pub(crate) fn look(&mut self, frame: &[u8], now: Duration) {
        if self.finding.is_some() {
            return;
        }
        if let Some(endings) = &mut self.endings {
            endings.extend(Ending::of(frame));
        }
        let secret = self.secrets.find(frame).map(|name| Finding::Secret(name.to_owned()));
        self.finding = secret.or_else(|| self.sender.as_mut()?.look(frame, now).err());
    }
}

const ETHERNET_LEN: usize = 14;
const IPV4: [u8; 2] = [8, 0];
const ARP_LEN: usize = 28;
const TCP: u8 = 6;
const FIN: u8 = 1;
const SYN: u8 = 2;
const RST: u8 = 4;
/// So much of what was sent is kept for comparing: twice the largest ring, of which all may be sent again.
const KEPT_LEN: usize = 1 << 18;
/// Streams of the same ends, the newest first.
const STREAMS_MAX: usize = 4;
/// Two numbers may be alike by chance, once in a long campaign; not twice in one run.
const ALIKE_MAX: u32 = 1;

/// The other end's address, and both ports.
type Ends = (Ipv4Addr, [u8; 4]);

#[derive(Debug, Clone, Copy)]
enum Side {
    Sender,
    Peer,
}

#[derive(Debug, Default)]
struct Sender {
    numbers: Numbers,
    /// Several for the same ends: a SYN that comes twice may be answered by two numbers, of which the peer takes one.
    streams: BTreeMap<Ends, VecDeque<Stream>>,
    /// Whose first numbers were these, as they are and less the clock.
    first: BTreeMap<u32, Ends>,
    first_less_clock: BTreeMap<u32, Ends>,
    alike: u32,
}

/// What was sent from `from` on.
#[derive(Debug)]
struct Stream {
    /// Where it began.
    first: u32,
    from: u32,
    bytes: VecDeque<u8>,
    /// The FINs and RSTs that each side has sent since it began.
    ended: [u8; 2],
}

/// A TCP segment over IPv4 without IP options: our stacks send no others.
struct Segment<'f> {
    ends: Ends,
    sequence: u32,
    flags: u8,
    payload: &'f [u8],
}

impl Sender {
    fn look(&mut self, frame: &[u8], now: Duration) -> Result<(), Finding> {
        let packet = frame.get(ETHERNET_LEN..).unwrap_or_default();
        let is_ip = is_ip(frame);
        let len = if is_ip { usize::from(half(packet, 2)) } else { ARP_LEN };
        if packet.get(len..).is_some_and(|rest| rest.iter().any(|byte| *byte != 0)) {
            return Err(Finding::Padding);
        }
        match packet.get(..len).and_then(Segment::of) {
            Some(segment) if is_ip && segment.flags & SYN != 0 => self.begin(&segment, now),
            Some(segment) if is_ip => self.go_on(&segment),
            _ => Ok(()),
        }
    }

    fn begin(&mut self, segment: &Segment<'_>, now: Duration) -> Result<(), Finding> {
        let clock = u32::try_from(now.as_micros() / 4 % (1 << 32)).unwrap_or(0);
        let (first, streams) = (segment.sequence.wrapping_add(1), self.streams.entry(segment.ends).or_default());
        if streams.iter().all(|stream| stream.first != first) {
            streams.truncate(STREAMS_MAX - 1);
            streams.push_front(Stream::new(first));
        }
        let alike = |map: &mut BTreeMap<u32, Ends>, number| map.insert(number, segment.ends).is_some_and(|other| other != segment.ends);
        let is_alike = alike(&mut self.first, segment.sequence) | alike(&mut self.first_less_clock, segment.sequence.wrapping_sub(clock));
        self.alike += u32::from(is_alike);
        if self.alike > ALIKE_MAX { Err(Finding::Sequence) } else { Ok(()) }
    }

    fn go_on(&mut self, segment: &Segment<'_>) -> Result<(), Finding> {
        let Some(streams) = self.streams.get_mut(&segment.ends) else { return Ok(()) };
        let fits = streams.iter().position(|stream| stream.reaches(segment.sequence)).unwrap_or(0);
        if let Some(stream) = streams.get_mut(fits) {
            if self.numbers == Numbers::Cookies && stream.is_reborn_by(segment) {
                stream.begin_again();
            }
            stream.go_on(segment)?;
        }
        self.note_end(&segment.ends, Side::Sender, segment.flags);
        Ok(())
    }

    /// Of several streams it may be any's.
    fn note_end(&mut self, ends: &Ends, side: Side, flags: u8) {
        if flags & (FIN | RST) != 0 {
            self.streams.get_mut(ends).into_iter().flatten().for_each(|stream| stream.ended[side as usize] |= flags);
        }
    }
}

impl Stream {
    fn new(first: u32) -> Self {
        Self { first, from: first, bytes: VecDeque::new(), ended: [0; 2] }
    }

    /// One side has reset it, or both have finished. What one of them sent may not have arrived: then this excuses more than it has to.
    fn is_over(&self) -> bool {
        let [ours, theirs] = self.ended;
        (ours | theirs) & RST != 0 || ours & theirs & FIN != 0
    }

    /// Where a connection is over, a segment of it that was still on its way brings the cookie back, and another one begins under the same numbers
    /// (RFC 4987 section 3.6): it says something else from the first byte on.
    fn is_reborn_by(&self, segment: &Segment<'_>) -> bool {
        let differs = || self.bytes.iter().zip(segment.payload).any(|(one, other)| one != other);
        segment.sequence == self.first && self.is_over() && differs()
    }

    /// What has ended the one may end the other, too, so it counts on.
    fn begin_again(&mut self) {
        (self.from, self.bytes) = (self.first, VecDeque::new());
    }

    /// Whether this number follows what was sent, or is of it.
    fn reaches(&self, sequence: u32) -> bool {
        usize::try_from(sequence.wrapping_sub(self.from)).is_ok_and(|at| at <= self.bytes.len())
    }

    fn go_on(&mut self, segment: &Segment<'_>) -> Result<(), Finding> {
        let ahead = segment.sequence.wrapping_sub(self.from);
        let at = usize::try_from(ahead).unwrap_or(usize::MAX);
        // One byte behind what is acknowledged is a keep-alive's, and means nothing.
        if segment.payload.is_empty() || ahead > u32::MAX / 2 || (segment.payload.len() == 1 && at < self.bytes.len()) {
            return Ok(());
        }
        let wrong = |what: &str| Err(Finding::Retransmission(format!("{what} from byte {at} on, towards {:?}", segment.ends)));
        if at > self.bytes.len() {
            return wrong("a gap");
        }
        let known = segment.payload.len().min(self.bytes.len() - at);
        let (again, new) = segment.payload.split_at(known);
        if !self.bytes.range(at..at + known).eq(again) {
            let known: Vec<u8> = self.bytes.range(at..at + known.min(12)).copied().collect();
            return wrong(&format!("{:02x?} where {known:02x?} was, {} bytes", &again[..known.len()], again.len()));
        }
        self.bytes.extend(new);
        let old = self.bytes.len().saturating_sub(KEPT_LEN);
        self.bytes.drain(..old);
        self.from = self.from.wrapping_add(u32::try_from(old).unwrap_or(0));
        Ok(())
    }
}

impl<'f> Segment<'f> {
    fn of(packet: &'f [u8]) -> Option<Self> {
        let (ip, tcp) = packet.split_at_checked(20)?;
        let to: [u8; 4] = ip[16..20].try_into().ok()?;
        let headers = usize::from(*tcp.get(12)? >> 4) * 4;
        let payload = tcp.get(headers..)?;
        let ports: [u8; 4] = tcp[..4].try_into().ok()?;
        let sequence = u32::from_be_bytes(tcp[4..8].try_into().ok()?);
        (ip[9] == TCP).then_some(Self { ends: (to.into(), ports), sequence, flags: tcp[13], payload })
    }
}

impl Ending {
    fn of(frame: &[u8]) -> Option<Self> {
        let packet = frame.get(ETHERNET_LEN..).filter(|_| is_ip(frame))?;
        let Segment { ends: to, flags, .. } = Segment::of(packet)?;
        let from: [u8; 4] = packet.get(12..16)?.try_into().ok()?;
        (flags & (FIN | RST) != 0).then_some(Self { from: from.into(), to, flags })
    }

    /// Whether it is a RST for this address.
    #[must_use]
    pub fn resets(&self, address: IpAddr) -> bool {
        self.flags & RST != 0 && self.to.0 == address
    }

    /// What who was to get it has for ends.
    fn ends_of_receiver(&self) -> Ends {
        let (_, [a, b, c, d]) = self.to;
        (self.from, [c, d, a, b])
    }
}

fn is_ip(frame: &[u8]) -> bool {
    frame.get(12..14) == Some(&IPV4)
}

fn half(bytes: &[u8], at: usize) -> u16 {
    bytes.get(at..at + 2).map_or(0, |pair| u16::from_be_bytes([pair[0], pair[1]]))
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Secret(name) => write!(f, "{name}"),
            Self::Padding => f.write_str("padding that is not zero"),
            Self::Sequence => f.write_str("first sequence numbers that others can tell"),
            Self::Retransmission(words) => f.write_str(words),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(port: u8, flags: u8, sequence: u32, payload: &[u8], padding: &[u8]) -> Vec<u8> {
        let mut frame = vec![0; 54];
        frame[12..14].copy_from_slice(&IPV4);
        frame[16..18].copy_from_slice(&u16::try_from(40 + payload.len()).unwrap().to_be_bytes());
        frame[23] = TCP;
        frame[30..34].copy_from_slice(&[81, 2, 0, 1]);
        frame[37] = port;
        frame[38..42].copy_from_slice(&sequence.to_be_bytes());
        frame[46] = 5 << 4;
        frame[47] = flags;
        [frame.as_slice(), payload, padding].concat()
    }

    /// What the peer of `frame`'s connection sends.
    fn answer(port: u8, flags: u8) -> Vec<u8> {
        let mut answer = frame(0, flags, 1, b"", &[]);
        answer[26..30].copy_from_slice(&[81, 2, 0, 1]);
        answer[30..34].fill(0);
        answer[35] = port;
        answer
    }

    fn found(frames: &[Vec<u8>]) -> Option<Finding> {
        let mut watch = Watch::default();
        watch.suspect_the_sender(Numbers::Cookies);
        watch.forbid("a secret", &[b"0123456789abcdef"]);
        for (ms, frame) in (0..).zip(frames) {
            watch.look(frame, Duration::from_millis(ms));
        }
        watch.finding().cloned()
    }

    #[test]
    fn an_honest_stream_with_a_retransmission_is_nothing() {
        let frames = [
            frame(1, SYN, 99, b"", &[0; 6]),
            frame(1, 16, 100, b"hello", &[0]),
            frame(1, 16, 103, b"lo world", &[]),
            frame(1, 16, 110, &[0], &[]),
        ];
        assert_eq!(found(&frames), None);
    }

    #[test]
    fn a_secret_and_padding_are_found() {
        assert_eq!(found(&[frame(1, 16, 1, b"__0123456789abcdef__", &[])]), Some(Finding::Secret("a secret".into())));
        assert_eq!(found(&[frame(1, 16, 1, b"", &[0, 0, 0, 0, 0, 7])]), Some(Finding::Padding));
    }

    #[test]
    fn other_bytes_under_a_number_that_was_used_and_gaps_are_found() {
        for second in [frame(1, 16, 103, b"LO", &[]), frame(1, 16, 100, b"HELLO", &[]), frame(1, 16, 106, b"gap", &[])] {
            let frames = [frame(1, SYN, 99, b"", &[]), frame(1, 16, 100, b"hello", &[]), second];
            assert!(matches!(found(&frames), Some(Finding::Retransmission(_))));
        }
    }

    /// Whether other bytes from the first one on are a finding, once both sides have sent these flags.
    fn is_found_after(numbers: Numbers, ours: u8, theirs: u8) -> bool {
        let mut watch = Watch::default();
        watch.suspect_the_sender(numbers);
        let frames = [frame(1, SYN, 99, b"", &[]), frame(1, 16, 100, b"hello", &[]), frame(1, ours, 105, b"", &[])];
        frames.iter().for_each(|frame| watch.look(frame, Duration::ZERO));
        let mut peers = Watch::default();
        peers.note_endings();
        peers.look(&answer(1, theirs), Duration::ZERO);
        watch.hear_endings(&peers.take_endings());
        watch.look(&frame(1, 16, 100, b"HELLO", &[]), Duration::ZERO);
        watch.finding().is_some()
    }

    #[test]
    fn a_cookie_that_comes_back_when_its_connection_is_over_is_nothing_and_before_it_is_found() {
        for (ours, theirs) in [(RST, 0), (0, RST), (FIN, FIN)] {
            assert!(!is_found_after(Numbers::Cookies, ours, theirs), "{ours} {theirs}");
            assert!(is_found_after(Numbers::Drawn, ours, theirs), "{ours} {theirs}");
        }
        for (ours, theirs) in [(0, 0), (FIN, 0), (0, FIN)] {
            assert!(is_found_after(Numbers::Cookies, ours, theirs), "{ours} {theirs}");
        }
        assert!(Ending::of(&answer(1, 16)).is_none());
        assert_eq!(Ending::of(&answer(2, RST)).unwrap().ends_of_receiver(), ([81, 2, 0, 1].into(), [0, 0, 0, 2]));
    }

    #[test]
    fn numbers_that_are_alike_or_follow_the_clock_are_found_and_one_accident_is_not() {
        let alike = |numbers: [u32; 3]| found(&[1, 2, 3].map(|port| frame(port, SYN, numbers[usize::from(port) - 1], b"", &[])));
        assert_eq!(alike([7, 7, 7]), Some(Finding::Sequence));
        assert_eq!(alike([7, 257, 507]), Some(Finding::Sequence), "a clock of 4 µs");
        assert_eq!(alike([7, 7, 8]), None);
        assert_eq!(alike([7, 70, 700]), None);
    }
}
