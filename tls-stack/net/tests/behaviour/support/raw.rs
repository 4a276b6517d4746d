//! A peer made of bare hands: segments as the test wants them, whatever TCP would say.

use core::net::IpAddr;
use core::time::Duration;

use net::{Config, Event, FlowId, Net, Offload, limits};
use smoltcp::phy::ChecksumCapabilities;
use smoltcp::wire::{EthernetAddress, EthernetFrame, EthernetProtocol, IpProtocol, IpRepr, TcpPacket, TcpSeqNumber};

use crate::support::{CLIENT_MAC, Family, PORT, SERVER_MAC, config};

pub(crate) const FIN: u8 = 1;
pub(crate) const SYN: u8 = 2;
pub(crate) const RST: u8 = 4;
pub(crate) const PSH: u8 = 8;
pub(crate) const ACK: u8 = 16;

/// MSS 1460, SACK permitted, window scale 7, as Linux sends them (without timestamps).
pub(crate) const OPTIONS: [u8; 12] = [2, 4, 5, 180, 4, 2, 1, 1, 3, 3, 7, 0];

#[derive(Clone, Debug)]
pub(crate) struct Seg {
    pub(crate) from: IpAddr,
    pub(crate) to: IpAddr,
    pub(crate) port: u16,
    pub(crate) to_port: u16,
    pub(crate) flags: u8,
    pub(crate) seq: u32,
    pub(crate) ack: u32,
    pub(crate) window: u16,
    pub(crate) options: Vec<u8>,
    pub(crate) payload: Vec<u8>,
}

impl Seg {
    pub(crate) fn new(family: Family, port: u16, flags: u8, seq: u32, ack: u32) -> Self {
        let (from, to) = (family.client(), family.server());
        Self { from, to, port, to_port: PORT, flags, seq, ack, window: 1000, options: vec![], payload: vec![] }
    }

    pub(crate) fn frame(&self) -> Vec<u8> {
        let tcp_len = 20 + self.options.len() + self.payload.len();
        let ip = IpRepr::new(self.from.into(), self.to.into(), IpProtocol::Tcp, tcp_len, 64);
        let mut frame = vec![0; 14 + ip.buffer_len()];
        head(&mut frame, self.from.is_ipv4());
        ip.emit(&mut frame[14..], &ChecksumCapabilities::default());
        let begin = 14 + ip.header_len();
        let mut tcp = TcpPacket::new_unchecked(&mut frame[begin..]);
        tcp.set_src_port(self.port);
        tcp.set_dst_port(self.to_port);
        tcp.set_seq_number(TcpSeqNumber(self.seq.cast_signed()));
        tcp.set_ack_number(TcpSeqNumber(self.ack.cast_signed()));
        tcp.set_window_len(self.window);
        tcp.set_header_len(u8::try_from(20 + self.options.len()).unwrap());
        tcp.set_urgent_at(0);
        let bytes = tcp.into_inner();
        bytes[13] = self.flags;
        bytes[20..20 + self.options.len()].copy_from_slice(&self.options);
        bytes[20 + self.options.len()..].copy_from_slice(&self.payload);
        TcpPacket::new_unchecked(bytes).fill_checksum(&self.from.into(), &self.to.into());
        frame
    }
}

pub(crate) fn head(frame: &mut [u8], v4: bool) {
    let mut ethernet = EthernetFrame::new_unchecked(frame);
    ethernet.set_src_addr(EthernetAddress(CLIENT_MAC));
    ethernet.set_dst_addr(EthernetAddress(SERVER_MAC));
    ethernet.set_ethertype(if v4 { EthernetProtocol::Ipv4 } else { EthernetProtocol::Ipv6 });
}

/// What a `Net` has answered, as far as it is TCP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) flags: u8,
    pub(crate) seq: u32,
    pub(crate) ack: u32,
    pub(crate) window: u16,
    pub(crate) options: Vec<u8>,
    pub(crate) payload: Vec<u8>,
    pub(crate) frame_len: usize,
}

pub(crate) fn parse(frame: &[u8]) -> Option<Answer> {
    let ethernet = EthernetFrame::new_checked(frame).unwrap();
    let payload = ethernet.payload();
    let tcp = match ethernet.ethertype() {
        EthernetProtocol::Ipv4 => {
            let ip = smoltcp::wire::Ipv4Packet::new_checked(payload).unwrap();
            assert!(ip.verify_checksum() && ip.dont_frag() && ip.ident() == 0);
            (ip.next_header() == IpProtocol::Tcp).then(|| ip.payload().to_vec())?
        }
        EthernetProtocol::Ipv6 => {
            let ip = smoltcp::wire::Ipv6Packet::new_checked(payload).unwrap();
            (ip.next_header() == IpProtocol::Tcp).then(|| ip.payload().to_vec())?
        }
        _ => return None,
    };
    let packet = TcpPacket::new_checked(&tcp[..]).unwrap();
    Some(Answer {
        flags: tcp[13],
        seq: packet.seq_number().0.cast_unsigned(),
        ack: packet.ack_number().0.cast_unsigned(),
        window: packet.window_len(),
        options: packet.options().to_vec(),
        payload: packet.payload().to_vec(),
        frame_len: frame.len(),
    })
}

/// A server and the hands that hold the other end.
pub(crate) struct Raw {
    pub(crate) net: Net,
    pub(crate) now: Duration,
    pub(crate) family: Family,
    buf: Vec<u8>,
}

/// A flow made by hand: the next sequence numbers of both ends.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Hand {
    pub(crate) flow: FlowId,
    pub(crate) port: u16,
    /// Ours (the client's) next.
    pub(crate) seq: u32,
    /// The server's next.
    pub(crate) ack: u32,
}

impl Raw {
    pub(crate) fn new(family: Family) -> Self {
        Self::with(family, config(family, true))
    }

    pub(crate) fn with(family: Family, config: Config) -> Self {
        Self::seeded(family, config, 9)
    }

    pub(crate) fn seeded(family: Family, config: Config, seed: u8) -> Self {
        let now = Duration::from_secs(1000);
        Self { net: Net::new(config, [seed; 32], now).unwrap(), now, family, buf: vec![0; limits::FRAME_LEN_MAX] }
    }

    pub(crate) fn give(&mut self, frame: &[u8]) {
        self.net.receive(frame, Offload::default(), self.now);
    }

    pub(crate) fn frames(&mut self) -> Vec<Vec<u8>> {
        let mut frames = vec![];
        while let Some((len, _)) = self.net.poll_transmit(&mut self.buf, self.now) {
            frames.push(self.buf[..len].to_vec());
        }
        frames
    }

    pub(crate) fn answers(&mut self) -> Vec<Answer> {
        self.frames().iter().filter_map(|frame| parse(frame)).collect()
    }

    pub(crate) fn say(&mut self, seg: &Seg) -> Vec<Answer> {
        self.give(&seg.frame());
        self.answers()
    }

    pub(crate) fn events(&mut self) -> Vec<Event> {
        core::iter::from_fn(|| self.net.poll_event()).collect()
    }

    pub(crate) fn wait(&mut self, time: Duration) {
        let end = self.now + time;
        while let Some(at) = self.net.deadline().filter(|at| *at <= end) {
            self.now = self.now.max(at);
            self.net.handle_timeout(self.now);
            self.frames();
        }
        self.now = end;
    }

    pub(crate) fn seg(&self, port: u16, flags: u8, seq: u32, ack: u32) -> Seg {
        Seg::new(self.family, port, flags, seq, ack)
    }

    pub(crate) fn syn(&mut self, port: u16, seq: u32) -> Answer {
        let syn = Seg { options: OPTIONS.to_vec(), ..self.seg(port, SYN, seq, 0) };
        let answers = self.say(&syn);
        assert_eq!(answers.len(), 1, "one SYN-ACK");
        assert_eq!((answers[0].flags, answers[0].ack), (SYN | ACK, seq.wrapping_add(1)));
        answers[0].clone()
    }

    pub(crate) fn handshake(&mut self, port: u16, seq: u32) -> Hand {
        let answer = self.syn(port, seq);
        let (seq, ack) = (seq.wrapping_add(1), answer.seq.wrapping_add(1));
        assert_eq!(self.say(&self.seg(port, ACK, seq, ack)), [], "nothing to say to the ACK");
        let events = self.events();
        let [Event::Accepted { flow, .. }] = events[..] else { panic!("{events:?}") };
        Hand { flow, port, seq, ack }
    }

    /// Whether the flow still works both ways.
    pub(crate) fn works(&mut self, hand: &mut Hand) -> bool {
        let ping = Seg { payload: b"ping".to_vec(), ..self.seg(hand.port, ACK | PSH, hand.seq, hand.ack) };
        self.give(&ping.frame());
        hand.seq = hand.seq.wrapping_add(4);
        let got = self.net.recv(hand.flow, |bytes| (bytes.len(), bytes.to_vec()));
        let sent = self.net.send(hand.flow, |room| {
            room[..4].copy_from_slice(b"pong");
            (4, ())
        });
        let answers = self.answers();
        let pong = answers.iter().any(|answer| answer.payload == b"pong" && answer.seq == hand.ack && answer.ack == hand.seq);
        hand.ack = hand.ack.wrapping_add(4);
        self.give(&self.seg(hand.port, ACK, hand.seq, hand.ack).frame());
        self.answers();
        self.events();
        got == Ok(b"ping".to_vec()) && sent.is_ok() && pong
    }
}
