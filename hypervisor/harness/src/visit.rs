//! A visit: clients that speak real TCP to the guest, from its stage on until all is over; and what of it can be tried again.
//!
//! At the other end of each link stands a TCP of our own. Whatever it sends goes to the guest as one act, and is written down as one: the visit is an input
//! like any other, which `bountybox fuzz` tries again and a fuzzer may begin from. Time passes only where somebody waits for it, and then by acts.

use core::net::{IpAddr, SocketAddr};
use core::time::Duration;

use abi::boot::{BACK, FRONT};
use net::{CloseReason, Config, Event, FlowId, Gateway, Limits, Net, Trust};
use sha2::{Digest, Sha256};

use crate::backend;
use crate::input::{Act, encode_one};
use crate::limits::{FLOWS_MAX, INPUT_LEN_MAX, ROUNDS_MAX, SIGHTINGS_LEN_MAX};
use crate::subject::{Fault, Heard, START, Subject};
use crate::verdict::Verdict;

/// What stands at the other ends of the guest's two links.
#[derive(Debug, Clone)]
pub struct Links {
    /// The public one: its clients' side.
    pub front: Link,
    /// The private one: its backends' side.
    pub back: Link,
    /// The backends, as the guest knows them. All are played by one of our own.
    pub backends: Vec<SocketAddr>,
}

/// The other end of one link.
#[derive(Debug, Clone)]
pub struct Link {
    /// The guest's link address.
    pub guest_mac: [u8; 6],
    /// Its addresses.
    pub guest: Vec<IpAddr>,
    /// The link address of all that is not the guest.
    pub mac: [u8; 6],
    /// Whom the guest finds there: its gateways.
    pub addresses: Vec<IpAddr>,
    /// Bytes of the largest packet.
    pub mtu: u16,
}

impl Link {
    fn net(&self, listen: &[SocketAddr], seed: u64, name: &str) -> Result<Net, Fault> {
        let prefix = |address: IpAddr| net::Cidr { address, prefix_len: if address.is_ipv4() { 32 } else { 128 } };
        let neighbours = self.addresses.iter().copied().chain(listen.iter().map(SocketAddr::ip));
        let config = Config {
            mac: self.mac,
            addresses: neighbours.map(prefix).collect(),
            gateways: self.guest.iter().map(|&address| Gateway { address, mac: Some(self.guest_mac) }).collect(),
            mtu: self.mtu,
            // As a TAP: checksums are vouched for, and what comes at once may come in one frame.
            offload: true,
            trust: Trust::Private,
            listen: listen.iter().map(|backend| net::Listen { address: Some(backend.ip()), port: backend.port() }).collect(),
            limits: Limits { flows: FLOWS_MAX, time_wait: Duration::from_secs(1), ..Limits::default() },
        };
        let seed = Sha256::new().chain_update("bountybox visit: ").chain_update(name).chain_update(seed.to_le_bytes()).finalize();
        Net::new(config, seed.into(), START).map_err(|fault| Fault::Stage(format!("its {name} link has no other end: {fault:?}")))
    }
}

/// A frame that went over a link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sighting {
    /// [`FRONT`] or [`BACK`].
    pub link: usize,
    /// Whether the guest sent it.
    pub by_guest: bool,
    /// When, since 1970.
    pub unix: Duration,
    /// From the Ethernet header on.
    pub bytes: Vec<u8>,
}

/// See the module.
#[derive(Debug)]
pub struct Visit<'s> {
    subject: &'s mut Subject,
    nets: [Net; abi::limits::LINKS],
    verdict: Verdict,
    callers: Vec<Caller>,
    record: Record,
}

/// One client of a visit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Client(usize);

#[derive(Debug)]
struct Caller {
    flow: FlowId,
    standing: Standing,
}

/// How it stands between the guest and a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Both may speak, as far as the guest goes.
    Talks,
    /// The guest has said its last.
    Finished,
    /// Both have, and all is heard.
    Done,
    /// The guest, or time, has broken it.
    Reset,
}

/// What can be kept of a visit.
#[derive(Debug, Clone, Default)]
pub struct Record {
    /// The acts, as an input.
    pub input: Vec<u8>,
    /// The frames, in order.
    pub frames: Vec<Sighting>,
    /// Whether the input is longer than [`INPUT_LEN_MAX`], and kept up to there.
    pub is_input_cut: bool,
    /// Whether the frames are longer than [`SIGHTINGS_LEN_MAX`], and kept up to there.
    pub are_frames_cut: bool,
    /// Whether the verdict took more than the acts: somebody who asks, or clients that answer. [`Subject::run`] does not come to it.
    pub is_beyond_acts: bool,
    frames_len: usize,
}

impl Record {
    fn act(&mut self, act: &Act<'_>) {
        let bytes = encode_one(act);
        self.is_input_cut |= self.input.len().saturating_add(bytes.len()) > INPUT_LEN_MAX;
        if !self.is_input_cut {
            self.input.extend(bytes);
        }
    }

    fn frame(&mut self, link: usize, by_guest: bool, unix: Duration, bytes: &[u8]) {
        self.frames_len = self.frames_len.saturating_add(bytes.len());
        self.are_frames_cut |= self.frames_len > SIGHTINGS_LEN_MAX;
        if !self.are_frames_cut {
            self.frames.push(Sighting { link, by_guest, unix, bytes: bytes.to_vec() });
        }
    }
}

impl<'s> Visit<'s> {
    /// Begins where the guest stands at its stage.
    ///
    /// # Errors
    /// [`Fault`].
    pub fn begin(subject: &'s mut Subject, links: &Links) -> Result<Self, Fault> {
        let seed = subject.order().seed;
        let nets = [links.front.net(&[], seed, "front")?, links.back.net(&links.backends, seed, "back")?];
        subject.begin()?;
        Ok(Self { subject, nets, verdict: Verdict::Sound, callers: Vec::new(), record: Record::default() })
    }

    /// A client connects; `None` where there are too many. Who it is follows from how many came before.
    pub fn connect(&mut self) -> Option<Client> {
        let ends = self.subject.order().ends;
        let index = self.callers.len();
        let port = self.next_port()?;
        let now = self.now();
        let flow = self.front().connect(ends.guest.into(), Some((ends.client.0, port).into()), now).ok()?;
        self.callers.push(Caller { flow, standing: Standing::Talks });
        Some(Client(index))
    }

    /// Whether no further client can be told from those that came: each has a port of its own.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.next_port().is_none()
    }

    /// Whether a client has come.
    #[must_use]
    pub fn has_come(&self) -> bool {
        !self.callers.is_empty()
    }

    /// How it stands between the guest and a client.
    #[must_use]
    pub fn standing(&self, client: Client) -> Standing {
        self.callers.get(client.0).map_or(Standing::Reset, |caller| caller.standing)
    }

    /// Room for what a client has to say, in bytes.
    #[must_use]
    pub fn room(&self, client: Client) -> usize {
        let [front, _] = &self.nets;
        self.callers.get(client.0).map_or(0, |caller| front.writable(caller.flow))
    }

    /// What the guest has told a client and he has not heard, in bytes.
    #[must_use]
    pub fn waiting(&self, client: Client) -> usize {
        let [front, _] = &self.nets;
        self.callers.get(client.0).map_or(0, |caller| front.readable(caller.flow))
    }

    /// A client says something. Returns how much of it found room.
    pub fn say(&mut self, client: Client, bytes: &[u8]) -> usize {
        let Some(flow) = self.flow(client) else { return 0 };
        let put = |room: &mut [u8]| {
            room.iter_mut().zip(bytes).for_each(|(place, byte)| *place = *byte);
            let len = bytes.len().min(room.len());
            (len, len)
        };
        self.front().send(flow, put).unwrap_or(0)
    }

    /// Gives `take` what the guest has told a client; it says how much it took.
    pub fn hear(&mut self, client: Client, take: impl FnOnce(&[u8]) -> usize) -> usize {
        let Some(flow) = self.flow(client) else { return 0 };
        let pass = |bytes: &mut [u8]| {
            let len = take(bytes);
            (len, len)
        };
        let taken = self.front().recv(flow, pass).unwrap_or(0);
        self.take_events();
        taken
    }

    /// A client has said its last.
    pub fn finish(&mut self, client: Client) {
        if let Some(flow) = self.flow(client) {
            self.front().shutdown(flow);
        }
    }

    /// A client resets its connection.
    pub fn hang_up(&mut self, client: Client) {
        if let Some(flow) = self.flow(client) {
            self.front().abort(flow);
        }
        if let Some(caller) = self.callers.get_mut(client.0) {
            caller.standing = Standing::Done;
        }
    }

    /// What became of the guest so far.
    #[must_use]
    pub fn verdict(&self) -> &Verdict {
        &self.verdict
    }

    /// How long the visit has lasted, by the guest's clock.
    #[must_use]
    pub fn lasted(&self) -> Duration {
        self.now().saturating_sub(START)
    }

    /// How long it will have lasted when somebody wants to go on by himself. With a guest that is no more nobody does.
    #[must_use]
    pub fn deadline(&self) -> Option<Duration> {
        if !self.verdict.is_sound() {
            return None;
        }
        let nets = self.nets.iter().filter_map(Net::deadline);
        nets.chain(self.subject.deadline()).min().map(|at| at.saturating_sub(START))
    }

    /// Lets time pass up to so much since the beginning, in whole milliseconds.
    ///
    /// # Errors
    /// [`Fault`].
    pub fn pass(&mut self, lasted: Duration) -> Result<(), Fault> {
        let mut left = u64::try_from(lasted.saturating_sub(self.lasted()).as_millis()).unwrap_or(u64::MAX);
        while left > 0 && self.verdict.is_sound() {
            let step = u16::try_from(left).unwrap_or(u16::MAX);
            left = left.saturating_sub(step.into());
            self.act(Act::Pass(step))?;
            let now = self.now();
            self.nets.iter_mut().for_each(|net| net.handle_timeout(now));
            self.settle()?;
        }
        Ok(())
    }

    /// Moves frames until nobody has one. A guest that still sends by then is found restless.
    ///
    /// # Errors
    /// [`Fault`].
    pub fn settle(&mut self) -> Result<(), Fault> {
        let mut frame = vec![0; abi::limits::FRAME_LEN_MAX];
        for _ in 0..ROUNDS_MAX {
            let [_, back] = &mut self.nets;
            backend::answer(back);
            let mut is_quiet = true;
            for link in [FRONT, BACK] {
                let now = self.now();
                while let Some((len, _)) = self.nets.get_mut(link).and_then(|net| net.poll_transmit(&mut frame, now)) {
                    is_quiet = false;
                    let bytes = frame.get(..len).unwrap_or_default();
                    let unix = self.unix();
                    self.record.frame(link, false, unix, bytes);
                    self.act(if link == FRONT { Act::Front(bytes) } else { Act::Back(bytes) })?;
                }
            }
            if is_quiet || !self.verdict.is_sound() {
                self.take_events();
                return Ok(());
            }
        }
        self.verdict = Verdict::Restless;
        self.record.is_beyond_acts = true;
        Ok(())
    }

    /// Asks the guest as somebody who never came before. A doorman remembers nothing of who only asks; a guest that does not answer him is [deaf](Verdict::Deaf).
    ///
    /// # Errors
    /// [`Fault`].
    pub fn probe(&mut self) -> Result<&Verdict, Fault> {
        if !self.verdict.is_sound() {
            return Ok(&self.verdict);
        }
        self.record.act(&Act::Front(&self.subject.question()));
        let verdict = self.subject.ask()?;
        self.record.is_beyond_acts = verdict == Verdict::Deaf;
        self.take(verdict);
        Ok(&self.verdict)
    }

    /// Ends it: the guest may be brought back.
    #[must_use]
    pub fn end(self) -> (Verdict, Record) {
        (self.verdict, self.record)
    }

    fn next_port(&self) -> Option<u16> {
        let first = self.subject.order().ends.client.1;
        u16::try_from(self.callers.len()).ok().and_then(|count| first.checked_add(count))
    }

    fn front(&mut self) -> &mut Net {
        let [front, _] = &mut self.nets;
        front
    }

    fn flow(&self, client: Client) -> Option<FlowId> {
        self.callers.get(client.0).map(|caller| caller.flow)
    }

    fn take_events(&mut self) {
        let [front, _] = &mut self.nets;
        while let Some(event) = front.poll_event() {
            let (flow, standing) = match event {
                Event::Finished(flow) => (flow, Standing::Finished),
                Event::Closed { flow, reason: CloseReason::Done } => (flow, Standing::Done),
                Event::Closed { flow, .. } => (flow, Standing::Reset),
                Event::Accepted { .. } | Event::Connected(_) | Event::Readable(_) | Event::Writable(_) => continue,
            };
            if let Some(caller) = self.callers.iter_mut().find(|caller| caller.flow == flow) {
                caller.standing = standing;
            }
        }
    }

    fn now(&self) -> Duration {
        self.subject.now()
    }

    fn unix(&self) -> Duration {
        self.subject.order().unix.saturating_add(self.now())
    }

    fn act(&mut self, act: Act<'_>) -> Result<(), Fault> {
        if !self.verdict.is_sound() {
            return Ok(());
        }
        let (now, unix) = (self.now(), self.unix());
        let Self { subject, nets, record, .. } = self;
        record.act(&act);
        let verdict = subject.act(act, &mut |Heard { link, frame }| {
            record.frame(link, true, unix, frame.bytes);
            if let Some(net) = nets.get_mut(link) {
                net.receive(frame.bytes, offload(frame.offload), now);
            }
        })?;
        self.take(verdict);
        Ok(())
    }

    fn take(&mut self, verdict: Verdict) {
        if self.verdict.is_sound() {
            self.verdict = verdict;
        }
    }
}

fn offload(from: queue::Offload) -> net::Offload {
    let queue::Offload { flags, gso_type, hdr_len, gso_size, csum_start, csum_offset } = from;
    net::Offload { flags, gso_type, hdr_len, gso_size, csum_start, csum_offset }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn acts_are_written_down_when_there_is_no_room_for_frames_any_more() {
        let mut record = Record::default();
        for _ in 0..=SIGHTINGS_LEN_MAX / 60_000 {
            record.frame(FRONT, true, START, &[0; 60_000]);
        }
        assert!(record.are_frames_cut && record.frames.len() == SIGHTINGS_LEN_MAX / 60_000);
        record.act(&Act::Front(&[7; 60]));
        assert!(!record.is_input_cut && record.input == encode_one(&Act::Front(&[7; 60])));
    }

    #[test]
    fn an_input_ends_before_the_first_act_without_room() {
        let mut record = Record::default();
        (0..=INPUT_LEN_MAX / 60_000).for_each(|_| record.act(&Act::Front(&[0; 60_000])));
        let len = record.input.len();
        assert!(record.is_input_cut && len <= INPUT_LEN_MAX && !record.are_frames_cut);
        record.act(&Act::Pass(1));
        assert_eq!(record.input.len(), len, "what stands behind a gap is another input");
    }
}
